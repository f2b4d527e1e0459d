//! Counts connections, in all and of each address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Lets in a number of connections.
#[derive(Clone)]
pub(super) struct Gate {
    all: usize,
    of_address: usize,
    inside: Arc<Mutex<Inside>>,
}

#[derive(Default)]
struct Inside {
    all: usize,
    of: HashMap<IpAddr, usize>,
}

/// Why a connection is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// There are as many as there may be.
    All,
    /// There are as many from the same address as there may be.
    Address,
}

/// A place of a connection, until it is dropped.
pub(super) struct Place {
    address: Option<IpAddr>,
    inside: Arc<Mutex<Inside>>,
}

impl Gate {
    pub(super) fn new(all: usize, of_address: usize) -> Self {
        Self {
            all,
            of_address,
            inside: Arc::default(),
        }
    }

    /// A place for a connection from an address; from no address, on a Unix socket.
    pub(super) fn enter(&self, address: Option<IpAddr>) -> Result<Place, Full> {
        let address = address.map(network);
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.all >= self.all {
            return Err(Full::All);
        }
        if let Some(address) = address {
            let of_address = inside.of.entry(address).or_default();
            if *of_address >= self.of_address {
                return Err(Full::Address);
            }
            *of_address += 1;
        }
        inside.all += 1;
        drop(inside);
        Ok(Place {
            address,
            inside: self.inside.clone(),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.all -= 1;
        let Some(address) = self.address else { return };
        if let Some(count) = inside.of.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                inside.of.remove(&address);
            }
        }
    }
}

/// Whoever has one address of version 6 has all that begin with the same 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(four) => IpAddr::V4(four),
        IpAddr::V6(six) => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_and_no_network_takes_more_places_than_it_may() {
        let gate = Gate::new(5, 2);
        let at = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        let one = gate.enter(at("192.0.2.1")).unwrap();
        let _two = gate.enter(at("::ffff:192.0.2.1")).unwrap();
        assert_eq!(gate.enter(at("192.0.2.1")).err(), Some(Full::Address));
        let _three = gate.enter(at("2001:db8::1")).unwrap();
        let _four = gate.enter(at("2001:db8::2")).unwrap();
        assert_eq!(gate.enter(at("2001:db8::3")).err(), Some(Full::Address));
        let _five = gate.enter(None).unwrap();
        assert_eq!(gate.enter(None).err(), Some(Full::All));
        assert_eq!(gate.enter(at("192.0.2.9")).err(), Some(Full::All));
        drop(one);
        let _again = gate.enter(at("192.0.2.1")).unwrap();
        assert_eq!(gate.inside.lock().unwrap().of.len(), 2);
    }
}
