//! What an import may change, and what it leaves alone because a person decided it (P8).
//!
//! A command of an import says how something is in a roster. Each single thing that it says is a
//! fact: that somebody is a guardian, is on the staff of a team, has left. When a person decides a
//! fact, the state remembers it as *decided by hand*. An import leaves such a fact as it is, and its
//! receipt says so. It is no longer decided by hand once the roster says what the person decided;
//! from then on the roster decides again.
//!
//! Some facts are values, such as a name or the institution of a team. A roster always says one, and
//! never drops it. So the state also keeps what the roster said last of a value that a person
//! changed. An import that says that again is old news and leaves the person's value alone; one that
//! says something new decides.

use std::collections::BTreeSet;

use super::refusing::refuse;
use super::rule_context::RuleContext;
use super::{Field, Reason, Refusal, Stop};

/// What a command for an institution, person or team leads to.
pub(in crate::domain) struct Decided<E, F> {
    /// The events, in order.
    pub(in crate::domain) events: Vec<E>,
    /// Facts that an import left alone. Empty for a command that is no import.
    pub(in crate::domain) kept: Vec<F>,
    /// Links that an import ended. Empty for a command that is no import.
    pub(in crate::domain) dropped: Vec<F>,
}

impl<E, F> From<Vec<E>> for Decided<E, F> {
    /// The outcome of a command that is no import.
    fn from(events: Vec<E>) -> Self {
        Self {
            events,
            kept: Vec::new(),
            dropped: Vec::new(),
        }
    }
}

/// Compares what a roster says with what is so now, fact by fact.
pub(in crate::domain) struct Import<E, F> {
    events: Vec<E>,
    kept: BTreeSet<F>,
    dropped: BTreeSet<F>,
    left_to_roster: BTreeSet<F>,
    is_by_a_person: bool,
}

impl<E, F: Ord + Copy> Import<E, F> {
    pub(in crate::domain) fn new(ask: &RuleContext<'_>) -> Self {
        Self {
            events: Vec::new(),
            kept: BTreeSet::new(),
            dropped: BTreeSet::new(),
            left_to_roster: BTreeSet::new(),
            is_by_a_person: ask.is_by_a_person(),
        }
    }

    /// Records something that no person decides otherwise, such as the ids of an account.
    pub(in crate::domain) fn record(&mut self, event: E) {
        self.events.push(event);
    }

    /// The roster says something else of a fact than what is so now, and that stays.
    pub(in crate::domain) fn keep(&mut self, fact: F) {
        self.kept.insert(fact);
    }

    /// The roster says of a fact what is so now.
    pub(in crate::domain) fn agrees(&mut self, fact: F, by_hand: &BTreeSet<F>) {
        if by_hand.contains(&fact) {
            self.left_to_roster.insert(fact);
        }
    }

    /// The roster says something else of a fact than what is so now. `event` makes it so, unless a
    /// person decided the fact.
    pub(in crate::domain) fn differs(&mut self, fact: F, by_hand: &BTreeSet<F>, event: E) {
        if by_hand.contains(&fact) {
            self.kept.insert(fact);
            return;
        }
        self.events.push(event);
        // A person may run an import. What it changes is still the roster's word.
        if self.is_by_a_person {
            self.left_to_roster.insert(fact);
        }
    }

    /// The roster no longer names a link that is there now. `event` ends it, unless a person decided
    /// the fact. Whoever runs the import is told of every link that ends.
    pub(in crate::domain) fn ends(&mut self, fact: F, by_hand: &BTreeSet<F>, event: E) {
        if !by_hand.contains(&fact) {
            self.dropped.insert(fact);
        }
        self.differs(fact, by_hand, event);
    }

    /// The roster gives values. Answers what becomes of those that are so `now`; `None` if they stay.
    /// `said` is what the roster said last, if a person has changed it since. Of parts that the
    /// roster `speaks_of` not at all, nothing follows.
    pub(in crate::domain) fn values<V: Values>(
        &mut self,
        now: &V,
        said: Option<&V>,
        wanted: &V,
        speaks_of: impl Fn(V::Part) -> bool,
        fact: impl Fn(V::Part) -> F,
    ) -> Option<V> {
        if said.is_none() && now == wanted {
            return None;
        }
        let mut next = now.clone();
        for part in V::PARTS.iter().copied().filter(|part| speaks_of(*part)) {
            let by_hand = said.filter(|said| said.differs_in(part, now));
            match (now.differs_in(part, wanted), by_hand) {
                (false, None) => {}
                (false, Some(_)) => {
                    self.left_to_roster.insert(fact(part));
                }
                (true, Some(said)) if !said.differs_in(part, wanted) => {
                    self.kept.insert(fact(part));
                }
                (true, None | Some(_)) => {
                    next.take(part, wanted);
                    if self.is_by_a_person {
                        self.left_to_roster.insert(fact(part));
                    }
                }
            }
        }
        (next != *now).then_some(next)
    }

    /// The outcome. `event` records facts that the roster decides from here on.
    pub(in crate::domain) fn finish(
        mut self,
        event: impl FnOnce(BTreeSet<F>) -> E,
    ) -> Decided<E, F> {
        if !self.left_to_roster.is_empty() {
            let facts = std::mem::take(&mut self.left_to_roster);
            self.events.push(event(facts));
        }
        Decided {
            events: self.events,
            kept: self.kept.into_iter().collect(),
            dropped: self.dropped.into_iter().collect(),
        }
    }
}

/// Notes who decided a fact last.
pub(in crate::domain) fn note<F: Ord>(by_hand: &mut BTreeSet<F>, fact: F, is_by_a_person: bool) {
    match is_by_a_person {
        true => by_hand.insert(fact),
        false => by_hand.remove(&fact),
    };
}

/// Values that a roster gives and that a person may correct. Each part of them is a fact.
pub(in crate::domain) trait Values: Clone + PartialEq {
    /// Names a part.
    type Part: Copy + 'static;

    /// Every part.
    const PARTS: &'static [Self::Part];

    /// Makes one part as it is in `other`.
    fn take(&mut self, part: Self::Part, other: &Self);

    /// Whether a part is another one in `other`.
    fn differs_in(&self, part: Self::Part, other: &Self) -> bool {
        let mut with = self.clone();
        with.take(part, other);
        with != *self
    }
}

/// Makes values as an event says. What the roster said last is kept in `said` as long as it is
/// something else: a person's word leaves it, and the word of a system is the roster's.
pub(in crate::domain) fn note_values<V: Values>(
    now: &mut V,
    said: &mut Option<Box<V>>,
    new: &V,
    is_by_a_person: bool,
) {
    let mut last = said.take().unwrap_or_else(|| Box::new(now.clone()));
    if !is_by_a_person {
        for part in V::PARTS.iter().copied() {
            if now.differs_in(part, new) {
                last.take(part, new);
            }
        }
    }
    *now = new.clone();
    *said = (*last != *now).then_some(last);
}

/// Notes that the roster decides these parts again.
pub(in crate::domain) fn leave_values<V: Values>(
    now: &V,
    said: &mut Option<Box<V>>,
    parts: impl Iterator<Item = V::Part>,
) {
    if let Some(mut last) = said.take() {
        for part in parts {
            last.take(part, now);
        }
        *said = (*last != *now).then_some(last);
    }
}

/// The parts that a person decided and the roster has not said yet.
pub(in crate::domain) fn values_by_hand<'v, V: Values>(
    now: &'v V,
    said: Option<&'v V>,
) -> impl Iterator<Item = V::Part> + 'v {
    let parts = V::PARTS.iter().copied();
    parts.filter(move |part| said.is_some_and(|said| said.differs_in(*part, now)))
}

/// The refusal of an absence from a source that has never brought the person or team.
pub(in crate::domain) fn not_in_roster<T>(
    what: &str,
    key: &'static str,
    id: impl std::fmt::Display,
) -> Result<T, Stop> {
    let message = format!("no roster of this source has brought {what} {id}");
    let refusal = Refusal::new(Reason::RosterRecordNotFound, message);
    refuse(refusal.field(Field::Source).with(key, id))
}
