//! What an import may change, and what it leaves alone because a person decided it (P8).
//!
//! A command of an import says how something is in a roster. Each single thing that it says is a
//! fact: that somebody is a guardian, is on the staff of a team, has left. When a person decides a
//! fact, the state remembers it as *decided by hand*. An import leaves such a fact as it is, and its
//! receipt says so. It is no longer decided by hand once the roster says what the person decided;
//! from then on the roster decides again.

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

    /// Records something that no person decides otherwise, such as a name.
    pub(in crate::domain) fn record(&mut self, event: E) {
        self.events.push(event);
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
