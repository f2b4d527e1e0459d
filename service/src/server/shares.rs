//! What one caller may have of the server: streams, bytes of requests, and requests in a second. So
//! nobody takes what others need.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use planledger_core::domain::Actor;
use planledger_core::ids::PersonId;
use tonic::codegen::http::Extensions;

use super::auth::Caller;
use super::count::{Count, Counted};
use super::intake::{Kept, Store};
use super::limits::Limits;
use super::rate::{Bucket, Rate};
use super::transport::Connection;
use crate::wire::Failure;

/// After how many new callers those are forgotten that have left.
const SWEEP: usize = 1_024;

/// Who has a share: a caller, for each person on whose behalf it acts; or an address, of those whom
/// nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Holder {
    Caller(Actor, Option<PersonId>),
    Address(Option<IpAddr>),
}

/// The shares of all callers. A clone is of the same.
#[derive(Clone)]
pub(super) struct Shares(Arc<All>);

struct All {
    limits: Limits,
    streams: Arc<Count>,
    bytes: Arc<Store>,
    of: Mutex<Holders>,
}

#[derive(Default)]
struct Holders {
    shares: HashMap<Holder, Arc<Share>>,
    since_sweep: usize,
}

/// What one caller has.
struct Share {
    streams: Arc<Count>,
    bytes: Arc<Store>,
    rate: Option<(Rate, Mutex<Bucket>)>,
}

impl Share {
    fn new(limits: &Limits, rate: Option<Rate>) -> Self {
        Self {
            streams: Arc::new(Count::new(limits.streams_of_caller)),
            bytes: Arc::new(Store::new(limits.kept_bytes_of_caller)),
            rate: rate.map(|rate| (rate, Mutex::new(Bucket::full(rate, Instant::now())))),
        }
    }

    fn take(&self) -> Result<(), Duration> {
        match &self.rate {
            Some((rate, bucket)) => {
                let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
                bucket.take(*rate, Instant::now())
            }
            None => Ok(()),
        }
    }

    /// Whether a new one would be the same.
    fn is_idle(&self) -> bool {
        let rested = self.rate.as_ref().is_none_or(|(rate, bucket)| {
            let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
            bucket.is_full(*rate, Instant::now())
        });
        rested && self.bytes.is_empty() && self.streams.is_empty()
    }
}

impl Shares {
    pub(super) fn new(limits: &Limits) -> Self {
        Self(Arc::new(All {
            limits: *limits,
            streams: Arc::new(Count::new(limits.streams)),
            bytes: Arc::new(Store::new(limits.kept_bytes)),
            of: Mutex::default(),
        }))
    }

    /// Takes one request from the share of whoever sends it. `streams` says whether it may last.
    ///
    /// # Errors
    /// `RATE_LIMITED` or `TOO_MANY_STREAMS`.
    pub(super) fn admit(&self, from: &Extensions, streams: bool) -> Result<Admitted, Failure> {
        let all = &*self.0;
        let connection = from.get::<Connection>();
        let share = self.share(holder(from.get(), connection));
        share.take().map_err(Failure::rate_limited)?;
        let mut places = Vec::new();
        if streams {
            let full = |of| move |most| Failure::too_many_streams(of, most);
            places.push(share.streams.enter().map_err(full("caller"))?);
            if let Some(connection) = connection {
                let place = connection
                    .streams
                    .enter_up_to(all.limits.streams_of_connection);
                places.push(place.map_err(full("connection"))?);
            }
            places.push(all.streams.enter().map_err(full("server"))?);
        }
        Ok(Admitted {
            kept: Kept::in_stores([share.bytes.clone(), all.bytes.clone()]),
            _places: places,
            _share: share,
        })
    }

    fn share(&self, holder: Holder) -> Arc<Share> {
        let mut of = self.0.of.lock().unwrap_or_else(PoisonError::into_inner);
        if of.since_sweep >= SWEEP {
            of.since_sweep = 0;
            // Whoever is in the middle of a request holds its share.
            of.shares
                .retain(|_, share| Arc::strong_count(share) > 1 || !share.is_idle());
        }
        let (share, is_new) = match of.shares.entry(holder) {
            Entry::Occupied(known) => (known.get().clone(), false),
            Entry::Vacant(new) => {
                let share = Share::new(&self.0.limits, self.rate(holder));
                (new.insert(Arc::new(share)).clone(), true)
            }
        };
        of.since_sweep += usize::from(is_new);
        share
    }

    fn rate(&self, holder: Holder) -> Option<Rate> {
        let limits = &self.0.limits;
        Rate::per_second(match holder {
            Holder::Caller(Actor::System(_), None) => limits.requests_per_second_of_system,
            Holder::Caller(Actor::System(_) | Actor::Person(_), _) | Holder::Address(_) => {
                limits.requests_per_second_of_person
            }
        })
    }
}

fn holder(caller: Option<&Caller>, connection: Option<&Connection>) -> Holder {
    match caller {
        Some(caller) => Holder::Caller(caller.actor, caller.on_behalf_of),
        None => Holder::Address(connection.and_then(|it| it.peer).map(|peer| peer.ip())),
    }
}

/// A request that was let in. It has its share until it is dropped.
pub(super) struct Admitted {
    /// The bytes of its body.
    pub(super) kept: Kept,
    _places: Vec<Counted>,
    _share: Arc<Share>,
}

#[cfg(test)]
mod tests {
    use planledger_core::ids::SystemId;
    use uuid::Uuid;

    use super::*;

    fn from(number: u128, connection: &Connection) -> Extensions {
        let mut extensions = Extensions::new();
        let person = PersonId::from_uuid(Uuid::from_u128(number));
        extensions.insert(Caller::new(Actor::Person(person)));
        extensions.insert(connection.clone());
        extensions
    }

    fn reason<T>(result: Result<T, Failure>) -> Option<&'static str> {
        result.err().map(|failure| failure.reason)
    }

    #[test]
    fn no_caller_no_connection_and_not_all_together_have_more_streams_than_they_may() {
        let shares = Shares::new(&Limits {
            streams: 5,
            streams_of_caller: 2,
            streams_of_connection: 3,
            ..Limits::default()
        });
        let (one, other) = (Connection::default(), Connection::default());
        let (first, second) = (from(1, &one), from(2, &one));
        let mut kept = vec![shares.admit(&first, true), shares.admit(&first, true)];
        assert_eq!(reason(shares.admit(&first, true)), Some("TOO_MANY_STREAMS"));
        assert!(shares.admit(&first, false).is_ok());
        kept.push(shares.admit(&second, true));
        assert_eq!(
            reason(shares.admit(&second, true)),
            Some("TOO_MANY_STREAMS")
        );
        kept.extend([
            shares.admit(&from(2, &other), true),
            shares.admit(&from(3, &other), true),
        ]);
        assert!(kept.iter().all(Result::is_ok));
        assert_eq!(
            reason(shares.admit(&from(3, &other), true)),
            Some("TOO_MANY_STREAMS")
        );
        kept.clear();
        assert!(shares.admit(&first, true).is_ok());
    }

    #[test]
    fn persons_and_systems_have_rates_of_their_own_and_callers_that_left_are_forgotten() {
        let shares = Shares::new(&Limits {
            requests_per_second_of_person: 1,
            requests_per_second_of_system: 0,
            ..Limits::default()
        });
        let connection = Connection::default();
        let person = from(1, &connection);
        let admitted = (0..20).filter(|_| shares.admit(&person, false).is_ok());
        assert_eq!(admitted.count(), 10);
        let refused = shares.admit(&person, false).err().unwrap();
        assert_eq!(refused.reason, "RATE_LIMITED");
        assert!(refused.retry_after.unwrap() <= Duration::from_secs(1));
        let mut system = Extensions::new();
        let id = SystemId::from_uuid(Uuid::from_u128(1));
        system.insert(Caller::new(Actor::System(id)));
        assert!((0..1_000).all(|_| shares.admit(&system, false).is_ok()));
        // Strangers who ask once do not fill the memory for ever. Without a rate they leave at once.
        let quick = Shares::new(&Limits::default().without_rates());
        for number in 0..10_000 {
            assert!(quick.admit(&from(number, &connection), false).is_ok());
        }
        assert!(quick.0.of.lock().unwrap().shares.len() <= SWEEP);
    }
}
