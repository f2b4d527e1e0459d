//! What the server counts of its connections, requests and followers. Names of methods and codes are
//! those of the API, so however strangers call their methods, there are never more numbers.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use planledger_core::ids::Position;
use planledger_core::tally::{DURATIONS, Tallied, Tally};
use tonic::Code;

use super::reads::METHODS;

/// Methods that are not of the API itself, but that the server answers.
const BESIDE: [&str; 3] = ["Check", "Watch", "ServerReflectionInfo"];
/// What every other method is called.
const OTHER: &str = "other";
/// gRPC has the codes 0 to 16.
const CODES: usize = 17;

/// The counts of a server.
pub struct Counts {
    names: Vec<&'static str>,
    places: HashMap<&'static str, usize>,
    methods: Vec<OfMethod>,
    open: AtomicU64,
    connections: AtomicU64,
    followers: Mutex<Followers>,
}

struct OfMethod {
    answered: [AtomicU64; CODES],
    times: Tally,
}

/// Where each follower is, by a number of its own.
#[derive(Default)]
struct Followers {
    next: u64,
    places: BTreeMap<u64, Arc<AtomicU64>>,
}

/// How many requests for a method were answered with which code, and how long the answers took.
pub struct Answered {
    /// The name of the method, such as `GetPlan`.
    pub method: &'static str,
    /// The codes of the answers and their numbers. Those that never came are left out.
    pub codes: Vec<(Code, u64)>,
    /// How long single answers took, in nanoseconds. Streams are not in it: they last as long as
    /// their clients like.
    pub times: Tallied,
}

impl Default for Counts {
    fn default() -> Self {
        let of_api = METHODS.iter().map(|(method, _)| *method);
        let names: Vec<_> = of_api.chain(BESIDE).chain([OTHER]).collect();
        let methods = names.iter().map(|_| OfMethod {
            answered: std::array::from_fn(|_| AtomicU64::new(0)),
            times: Tally::new(DURATIONS),
        });
        Self {
            methods: methods.collect(),
            places: names.iter().copied().zip(0..).collect(),
            names,
            open: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            followers: Mutex::default(),
        }
    }
}

impl Counts {
    /// What the method is called that a path names: `/planledger.v1.PlanService/GetPlan` is
    /// `GetPlan`. Paths that name no method of the server are all called the same.
    pub(super) fn method(&self, path: &str) -> &'static str {
        let name = path.rsplit('/').next().unwrap_or_default();
        let known = self.places.get_key_value(name);
        known.map_or(OTHER, |(name, _)| *name)
    }

    /// A request has come that is being answered until this is dropped.
    pub(super) fn request(self: &Arc<Self>) -> Open {
        self.open.fetch_add(1, Ordering::Relaxed);
        Open(self.clone(), Counts::requests_open)
    }

    /// A connection that there is until this is dropped.
    pub(super) fn connection(self: &Arc<Self>) -> Open {
        self.connections.fetch_add(1, Ordering::Relaxed);
        Open(self.clone(), Counts::connections_open)
    }

    /// A request was answered. `took` is the time of a single answer; `None` for a stream.
    pub(super) fn answered(&self, method: &str, code: Code, took: Option<Duration>) {
        let place = self.places.get(method);
        let Some(of) = place.and_then(|place| self.methods.get(*place)) else {
            return;
        };
        if let Some(count) = of.answered.get(code as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(took) = took {
            let nanos = u64::try_from(took.as_nanos());
            of.times.note(nanos.unwrap_or(u64::MAX));
        }
    }

    /// Somebody follows events from a position on, until this is dropped.
    pub(super) fn follower(self: &Arc<Self>, from: Position) -> Follower {
        let place = Arc::new(AtomicU64::new(from.get()));
        let mut followers = self.followers();
        let number = followers.next;
        followers.next += 1;
        followers.places.insert(number, place.clone());
        drop(followers);
        Follower {
            counts: self.clone(),
            number,
            place,
        }
    }

    fn followers(&self) -> MutexGuard<'_, Followers> {
        self.followers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn requests_open(&self) -> &AtomicU64 {
        &self.open
    }

    fn connections_open(&self) -> &AtomicU64 {
        &self.connections
    }

    /// How many requests are being answered now, streams included.
    pub fn requests_in_progress(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// How many connections there are now.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// The methods that were asked for, with what became of the requests.
    pub fn requests(&self) -> Vec<Answered> {
        let methods = self.names.iter().zip(&self.methods);
        let answered = methods.map(|(method, of)| {
            let codes = (0..).zip(&of.answered);
            let codes =
                codes.map(|(code, count)| (Code::from(code), count.load(Ordering::Relaxed)));
            Answered {
                method,
                codes: codes.filter(|(_, count)| *count > 0).collect(),
                times: of.times.read(),
            }
        });
        answered.filter(|of| !of.codes.is_empty()).collect()
    }

    /// How many clients follow events, and how many events the one lacks that is furthest behind.
    /// `end` is the position of the last event.
    pub fn following(&self, end: Position) -> (u64, u64) {
        let followers = self.followers();
        let places = followers.places.values();
        let furthest = places.map(|place| place.load(Ordering::Relaxed)).min();
        let lag = furthest.map_or(0, |furthest| end.get().saturating_sub(furthest));
        (followers.places.len() as u64, lag)
    }
}

/// Something that there is until this is dropped.
pub(super) struct Open(Arc<Counts>, fn(&Counts) -> &AtomicU64);

impl Drop for Open {
    fn drop(&mut self) {
        self.1(&self.0).fetch_sub(1, Ordering::Relaxed);
    }
}

/// Somebody who follows events.
pub(super) struct Follower {
    counts: Arc<Counts>,
    number: u64,
    place: Arc<AtomicU64>,
}

impl Follower {
    /// The events up to this position were read for it.
    pub(super) fn reached(&self, position: Position) {
        self.place.store(position.get(), Ordering::Relaxed);
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.counts.followers().places.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_counts_under_its_method_and_code_and_strangers_make_no_names() {
        let counts = Arc::new(Counts::default());
        let get_plan = counts.method("/planledger.v1.PlanService/GetPlan");
        assert_eq!(get_plan, "GetPlan");
        counts.answered(get_plan, Code::Ok, Some(Duration::from_millis(3)));
        for path in [
            "/x/Inge Holm",
            "",
            "/",
            "/planledger.v1.PlanService/getplan",
        ] {
            counts.answered(counts.method(path), Code::Unimplemented, None);
        }
        let found = counts.requests();
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].method, found[0].codes[0]),
            ("GetPlan", (Code::Ok, 1))
        );
        assert_eq!((found[0].times.count(), found[0].times.sum), (1, 3_000_000));
        assert_eq!(
            (found[1].method, found[1].codes[0]),
            (OTHER, (Code::Unimplemented, 4))
        );
        assert_eq!(found[1].times.count(), 0);
    }

    #[test]
    fn the_follower_that_is_furthest_behind_says_the_lag() {
        let counts = Arc::new(Counts::default());
        let end = Position::new(100);
        assert_eq!(counts.following(end), (0, 0));
        let slow = counts.follower(Position::new(10));
        let quick = counts.follower(Position::ZERO);
        quick.reached(end);
        assert_eq!(counts.following(end), (2, 90));
        drop(slow);
        assert_eq!(counts.following(end), (1, 0));
        drop(quick);
        let open = counts.request();
        assert_eq!(
            (counts.requests_in_progress(), counts.connections()),
            (1, 0)
        );
        drop(open);
        assert_eq!(counts.requests_in_progress(), 0);
    }
}
