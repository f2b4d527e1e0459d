//! What one caller may have of the server: requests and streams at once, bytes of requests and answers,
//! commands that wait, and requests in a second. So nobody takes what others need.

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
use super::writing::{Streams, Writing};
use crate::wire::Failure;

/// After how many new callers those are forgotten that have left.
const SWEEP: usize = 1_024;
/// How many health checks of one connection are answered at once. They are in nobody's share, so that
/// no stranger keeps another from checking.
const CHECKS: usize = 32;
/// Most bytes of a health check: it has the name of a service.
const CHECK_BYTES: usize = 4 << 10;
/// An answer up to this many bytes counts only as a request.
const SMALL: usize = 64 << 10;

/// What kind of request somebody sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One with one answer.
    Single,
    /// One whose answer is a stream.
    Stream,
    /// A health check.
    Check,
}

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
    answers: Arc<Store>,
    writing: Streams,
    of: Mutex<Holders>,
}

#[derive(Default)]
struct Holders {
    shares: HashMap<Holder, Arc<Share>>,
    since_sweep: usize,
}

/// What one caller has.
struct Share {
    requests: Arc<Count>,
    streams: Arc<Count>,
    bytes: Arc<Store>,
    answers: Arc<Store>,
    writing: Writing,
    rate: Option<(Rate, Mutex<Bucket>)>,
}

impl Share {
    fn new(limits: &Limits, writing: &Streams, rate: Option<Rate>) -> Self {
        Self {
            requests: Arc::new(Count::new(limits.requests_of_caller)),
            streams: Arc::new(Count::new(limits.streams_of_caller)),
            bytes: Arc::new(Store::new(limits.kept_bytes_of_caller)),
            answers: Arc::new(Store::new(limits.kept_bytes_of_caller)),
            writing: Writing::new(limits, writing),
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
        rested
            && self.bytes.is_empty()
            && self.answers.is_empty()
            && self.streams.is_empty()
            && self.requests.is_empty()
            && self.writing.is_idle()
    }
}

impl Shares {
    pub(super) fn new(limits: &Limits) -> Self {
        Self(Arc::new(All {
            limits: *limits,
            streams: Arc::new(Count::new(limits.streams)),
            bytes: Arc::new(Store::new(limits.kept_bytes)),
            answers: Arc::new(Store::new(limits.unread_bytes)),
            writing: Streams::beside(limits),
            of: Mutex::default(),
        }))
    }

    /// Takes one request from the share of whoever sends it.
    ///
    /// # Errors
    /// `RATE_LIMITED` or `TOO_MANY_STREAMS`; `OVERLOADED` for too many health checks of a connection.
    pub(super) fn admit(&self, from: &Extensions, kind: Kind) -> Result<Admitted, Failure> {
        let all = &*self.0;
        let connection = from.get::<Connection>();
        let share = self.share(holder(from.get(), connection));
        let mut places = Vec::new();
        let mut stores = [share.bytes.clone(), all.bytes.clone()];
        match kind {
            Kind::Check => {
                if let Some(connection) = connection {
                    let place = connection.checks.enter_up_to(CHECKS);
                    places.push(place.map_err(|_| Failure::overloaded())?);
                }
                let own = Arc::new(Store::new(CHECK_BYTES));
                stores = [own.clone(), own];
            }
            Kind::Single => {
                share.take().map_err(Failure::rate_limited)?;
                let place = share.requests.enter();
                places.push(place.map_err(Failure::too_many_requests)?);
            }
            Kind::Stream => {
                share.take().map_err(Failure::rate_limited)?;
                let full = |of| move |most| Failure::too_many_streams(of, most);
                places.push(share.streams.enter().map_err(full("caller"))?);
                if let Some(connection) = connection {
                    let most = all.limits.streams_of_connection;
                    let place = connection.streams.enter_up_to(most);
                    places.push(place.map_err(full("connection"))?);
                }
                places.push(all.streams.enter().map_err(full("server"))?);
            }
        }
        Ok(Admitted {
            kept: Kept::in_stores(stores),
            unread: Kept::in_stores([share.answers.clone(), all.answers.clone()]),
            _places: places,
            share,
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
                let share = Share::new(&self.0.limits, &self.0.writing, self.rate(holder));
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
    /// The bytes of its answer, if it is a single one.
    unread: Kept,
    _places: Vec<Counted>,
    share: Arc<Share>,
}

impl Admitted {
    /// The caller's share of what waits for the writer.
    pub(super) fn writing(&self) -> Writing {
        self.share.writing.clone()
    }

    /// Whether its answer, of so many bytes, may wait for the client. Its body is not needed any more.
    pub(super) fn answers_with(&self, bytes: usize) -> bool {
        self.kept.release();
        bytes <= SMALL || self.unread.keep_or_alone(bytes)
    }
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
        let mut kept = vec![
            shares.admit(&first, Kind::Stream),
            shares.admit(&first, Kind::Stream),
        ];
        assert_eq!(
            reason(shares.admit(&first, Kind::Stream)),
            Some("TOO_MANY_STREAMS")
        );
        assert!(shares.admit(&first, Kind::Single).is_ok());
        kept.push(shares.admit(&second, Kind::Stream));
        assert_eq!(
            reason(shares.admit(&second, Kind::Stream)),
            Some("TOO_MANY_STREAMS")
        );
        kept.extend([
            shares.admit(&from(2, &other), Kind::Stream),
            shares.admit(&from(3, &other), Kind::Stream),
        ]);
        assert!(kept.iter().all(Result::is_ok));
        assert_eq!(
            reason(shares.admit(&from(3, &other), Kind::Stream)),
            Some("TOO_MANY_STREAMS")
        );
        kept.clear();
        assert!(shares.admit(&first, Kind::Stream).is_ok());
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
        let admitted = (0..20).filter(|_| shares.admit(&person, Kind::Single).is_ok());
        assert_eq!(admitted.count(), 10);
        let refused = shares.admit(&person, Kind::Single).err().unwrap();
        assert_eq!(refused.reason, "RATE_LIMITED");
        assert!(refused.retry_after.unwrap() <= Duration::from_secs(1));
        let mut system = Extensions::new();
        let id = SystemId::from_uuid(Uuid::from_u128(1));
        system.insert(Caller::new(Actor::System(id)));
        assert!((0..1_000).all(|_| shares.admit(&system, Kind::Single).is_ok()));
        // Strangers who ask once do not fill the memory for ever. Without a rate they leave at once.
        let quick = Shares::new(&Limits::default().without_rates());
        for number in 0..10_000 {
            assert!(
                quick
                    .admit(&from(number, &connection), Kind::Single)
                    .is_ok()
            );
        }
        assert!(quick.0.of.lock().unwrap().shares.len() <= SWEEP);
    }

    #[test]
    fn a_caller_has_so_many_requests_at_once_and_others_have_theirs() {
        let shares = Shares::new(&Limits {
            requests_of_caller: 3,
            ..Limits::default()
        });
        let connection = Connection::default();
        let (first, second) = (from(1, &connection), from(2, &connection));
        let admit = |from| shares.admit(from, Kind::Single);
        let mut open = vec![admit(&first), admit(&first), admit(&first)];
        assert!(open.iter().all(Result::is_ok));
        let refused = admit(&first).err().unwrap();
        assert_eq!(refused.reason, "RATE_LIMITED");
        assert!(refused.retry_after.is_some());
        assert!(admit(&second).is_ok());
        assert!(shares.admit(&first, Kind::Stream).is_ok());
        open.pop();
        assert!(admit(&first).is_ok());
    }

    #[test]
    fn health_checks_of_a_connection_keep_no_other_from_checking() {
        let shares = Shares::new(&Limits::default());
        let check = |connection: &Connection| {
            let mut extensions = Extensions::new();
            extensions.insert(connection.clone());
            shares.admit(&extensions, Kind::Check)
        };
        let (one, other) = (Connection::default(), Connection::default());
        let open: Vec<_> = (0..CHECKS).map(|_| check(&one)).collect();
        assert!(open.iter().all(Result::is_ok));
        assert_eq!(reason(check(&one)), Some("OVERLOADED"));
        assert!(check(&other).is_ok());
        drop(open);
        assert!(check(&one).is_ok());
    }

    #[test]
    fn unread_answers_of_a_caller_are_bounded_and_one_may_always_wait() {
        let shares = Shares::new(&Limits {
            kept_bytes_of_caller: 1 << 20,
            ..Limits::default()
        });
        let connection = Connection::default();
        let admit = |number| {
            shares
                .admit(&from(number, &connection), Kind::Single)
                .ok()
                .unwrap()
        };
        let large = admit(1);
        assert!(large.answers_with(5 << 20));
        assert!(!admit(1).answers_with(SMALL + 1));
        assert!(admit(1).answers_with(SMALL));
        assert!(admit(2).answers_with(SMALL + 1));
        drop(large);
        assert!(admit(1).answers_with(SMALL + 1));
    }
}
