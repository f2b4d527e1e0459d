//! Counts connections, in all and of each address. If there are as many as there may be, one that
//! nobody needs makes room.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::standing::Standing;

/// How long nothing was asked on a connection that may be closed for another one.
const RESTED: Duration = Duration::from_secs(1);

/// Lets in a number of connections.
#[derive(Clone)]
pub(super) struct Gate {
    all: usize,
    of_address: usize,
    inside: Arc<Mutex<Inside>>,
}

#[derive(Default)]
struct Inside {
    /// Oldest first.
    connections: BTreeMap<u64, Held>,
    next: u64,
    of: HashMap<IpAddr, usize>,
}

struct Held {
    address: Option<IpAddr>,
    standing: Arc<Standing>,
}

/// What there are as many of as there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// Connections of all.
    All,
    /// Connections from the same address.
    Address,
}

/// A place of a connection, until it is dropped.
pub(super) struct Place {
    number: u64,
    inside: Arc<Mutex<Inside>>,
    /// What becomes of the connection.
    pub(super) standing: Arc<Standing>,
    /// Of what there were too many, so that another connection had to make room.
    pub(super) instead: Option<Full>,
}

impl Gate {
    pub(super) fn new(all: usize, of_address: usize) -> Self {
        Self {
            all,
            of_address,
            inside: Arc::default(),
        }
    }

    /// A place for a connection from an address; from no address, on a Unix socket. If there is none,
    /// the oldest connection goes on which nobody has said yet who they are; if there is none of those
    /// either, the one on which nothing was asked for the longest time.
    ///
    /// # Errors
    /// What there are too many of, if all of them are needed.
    pub(super) fn enter(&self, address: Option<IpAddr>) -> Result<Place, Full> {
        let address = address.map(network);
        let mut inside = lock(&self.inside);
        let mut instead = None;
        if let Some(address) = address
            && inside.of.get(&address).copied().unwrap_or_default() >= self.of_address
        {
            inside.make_room(Some(address)).ok_or(Full::Address)?;
            instead = Some(Full::Address);
        }
        if inside.connections.len() >= self.all {
            inside.make_room(None).ok_or(Full::All)?;
            instead = Some(Full::All);
        }
        if let Some(address) = address {
            *inside.of.entry(address).or_default() += 1;
        }
        let standing = Arc::new(Standing::default());
        let number = inside.next;
        inside.next += 1;
        let held = Held {
            address,
            standing: standing.clone(),
        };
        inside.connections.insert(number, held);
        drop(inside);
        Ok(Place {
            number,
            inside: self.inside.clone(),
            standing,
            instead,
        })
    }
}

impl Inside {
    /// Takes its place from a connection that nobody needs, of all or from an address.
    fn make_room(&mut self, address: Option<IpAddr>) -> Option<()> {
        let number = self.dispensable(address)?;
        let held = self.remove(number)?;
        held.standing.evict();
        Some(())
    }

    fn dispensable(&self, address: Option<IpAddr>) -> Option<u64> {
        let all = self.connections.iter();
        let mut these = all.filter(|(_, held)| address.is_none() || held.address == address);
        let mut longest: Option<(Duration, u64)> = None;
        let unknown = these.find(|(number, held)| {
            if let Some(idle) = held.standing.idle().filter(|idle| *idle >= RESTED)
                && longest.is_none_or(|(longest, _)| idle > longest)
            {
                longest = Some((idle, **number));
            }
            !held.standing.is_known()
        });
        match unknown {
            Some((number, _)) => Some(*number),
            None => longest.map(|(_, number)| number),
        }
    }

    fn remove(&mut self, number: u64) -> Option<Held> {
        let held = self.connections.remove(&number)?;
        if let Some(address) = held.address
            && let Some(count) = self.of.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                self.of.remove(&address);
            }
        }
        Some(held)
    }
}

fn lock(inside: &Mutex<Inside>) -> MutexGuard<'_, Inside> {
    inside.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Place {
    fn drop(&mut self) {
        // It is gone already if another connection has it now.
        drop(lock(&self.inside).remove(self.number));
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

    fn at(text: &str) -> Option<IpAddr> {
        Some(text.parse::<IpAddr>().unwrap())
    }

    /// Lets somebody in who says who they are, and does not stop asking.
    fn busy(gate: &Gate, address: Option<IpAddr>) -> Result<impl Sized, Full> {
        let place = gate.enter(address)?;
        place.standing.identified();
        let request = place.standing.begin();
        Ok((place, request))
    }

    async fn is_evicted(place: &Place) -> bool {
        let evicted = place.standing.evicted();
        tokio::time::timeout(Duration::ZERO, evicted).await.is_ok()
    }

    #[test]
    fn no_address_and_no_network_takes_more_places_than_it_may() {
        let gate = Gate::new(5, 2);
        let one = busy(&gate, at("192.0.2.1")).unwrap();
        let _two = busy(&gate, at("::ffff:192.0.2.1")).unwrap();
        assert_eq!(busy(&gate, at("192.0.2.1")).err(), Some(Full::Address));
        let _three = busy(&gate, at("2001:db8::1")).unwrap();
        let _four = busy(&gate, at("2001:db8::2")).unwrap();
        assert_eq!(busy(&gate, at("2001:db8::3")).err(), Some(Full::Address));
        let _five = busy(&gate, None).unwrap();
        assert_eq!(busy(&gate, None).err(), Some(Full::All));
        assert_eq!(busy(&gate, at("192.0.2.9")).err(), Some(Full::All));
        drop(one);
        let _again = busy(&gate, at("192.0.2.1")).unwrap();
        assert_eq!(lock(&gate.inside).of.len(), 2);
    }

    #[tokio::test]
    async fn whoever_did_not_say_who_they_are_makes_room_and_then_whoever_asks_nothing() {
        let gate = Gate::new(3, 3);
        let known = gate.enter(at("192.0.2.1")).unwrap();
        known.standing.identified();
        let stranger = gate.enter(at("192.0.2.2")).unwrap();
        let other = gate.enter(at("192.0.2.3")).unwrap();
        tokio::time::sleep(RESTED).await;
        let first = gate.enter(at("192.0.2.4")).unwrap();
        assert_eq!(first.instead, Some(Full::All));
        assert!(is_evicted(&stranger).await && !is_evicted(&other).await);
        // What it leaves is nobody's place.
        drop(stranger);
        other.standing.identified();
        let request = other.standing.begin();
        first.standing.identified();
        tokio::time::sleep(RESTED).await;
        let second = gate.enter(at("192.0.2.5")).unwrap();
        assert!(is_evicted(&known).await && !is_evicted(&first).await);
        second.standing.identified();
        // The only one that rests is of another address, of which there is room.
        assert_eq!(lock(&gate.inside).connections.len(), 3);
        drop(request);
        drop((first, second, other));
        assert!(lock(&gate.inside).of.is_empty());
    }

    #[tokio::test]
    async fn an_address_with_too_many_makes_room_itself() {
        let gate = Gate::new(10, 2);
        let other = gate.enter(at("192.0.2.9")).unwrap();
        let first = gate.enter(at("192.0.2.1")).unwrap();
        let second = gate.enter(at("192.0.2.1")).unwrap();
        let third = gate.enter(at("192.0.2.1")).unwrap();
        assert_eq!(third.instead, Some(Full::Address));
        assert!(is_evicted(&first).await);
        assert!(!is_evicted(&second).await && !is_evicted(&other).await);
    }
}
