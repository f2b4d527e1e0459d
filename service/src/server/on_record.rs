//! Pages of events that are on record as shown, in the access log.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use planledger_core::entry::Entry;
use planledger_core::ids::{KeyId, Position, StreamKind};

/// The fewest events that are put on record together, unless there are no more.
const LEAST: usize = 512;
/// The most.
const MOST: usize = 16_384;
/// The most students, each of whom is a record: half of what may wait for the access log.
const MOST_STUDENTS: usize = 4_096;
/// How long a client may take for the events of a page, if the next one is to be larger.
const PROMPT: Duration = Duration::from_millis(250);

/// How far the events that a client reads are on record. Each student in a page is one record, so a client that reads fast
/// gets large pages. They are put on record before the first of them is sent: who leaves in the middle of a page is on record
/// for all of it.
#[derive(Clone, Copy)]
pub(super) struct Page {
    /// Up to where events are on record.
    pub(super) through: Position,
    /// How many events are on record and not found yet; while something found is put on record, how many from its first
    /// one on.
    pub(super) ahead: usize,
    /// How many events the next page has.
    pub(super) size: usize,
    /// When the last page was begun; `None` before the first.
    begun: Option<Instant>,
}

impl Page {
    pub(super) fn after(resume: Position) -> Self {
        Self {
            through: resume,
            ahead: 0,
            size: LEAST,
            begun: None,
        }
    }

    /// Notes that what comes next is after `from`. If nothing is on record beyond it, nothing is shown before it.
    pub(super) fn goes_on_from(&mut self, from: Position) {
        if self.ahead == 0 {
            self.through = self.through.max(from);
        }
    }

    /// Begins the next page, because the events of the last one are used up.
    pub(super) fn turn(&mut self, now: Instant) {
        let took = self.begun.map(|begun| now.duration_since(begun));
        self.size = match took {
            None => self.size,
            Some(took) if took <= PROMPT => (2 * self.size).min(MOST),
            Some(_) => (self.size / 2).max(LEAST),
        };
        self.begun = Some(now);
    }

    /// Notes what is on record now.
    pub(super) fn put(&mut self, shown: &OnRecord) {
        self.ahead += shown.events;
        self.through = shown.through;
    }
}

/// What a page shows.
pub(super) struct OnRecord {
    pub(super) events: usize,
    /// How many of them are of plans, by the key that seals them.
    pub(super) plans: HashMap<KeyId, u32>,
    pub(super) through: Position,
}

impl OnRecord {
    pub(super) fn after(position: Position) -> Self {
        Self {
            events: 0,
            plans: HashMap::new(),
            through: position,
        }
    }

    pub(super) fn count(&mut self, entry: &Entry) {
        self.events += 1;
        if entry.stream.kind == StreamKind::Plan {
            *self.plans.entry(entry.key).or_default() += 1;
        }
    }

    /// Whether it holds enough for a page of `most` events.
    pub(super) fn is_full(&self, most: usize) -> bool {
        self.events >= most || self.plans.len() >= MOST_STUDENTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_grow_for_a_client_that_reads_fast_and_shrink_for_one_that_does_not() {
        let mut page = Page::after(Position::ZERO);
        let mut now = Instant::now();
        let mut turn = |took: u64| {
            now += Duration::from_millis(took);
            page.turn(now);
            page.size
        };
        // The first page has nothing before it that could have been read fast.
        assert_eq!(turn(0), 512);
        let grown: Vec<_> = (0..7).map(|_| turn(250)).collect();
        assert_eq!(grown, [1_024, 2_048, 4_096, 8_192, 16_384, 16_384, 16_384]);
        let shrunk: Vec<_> = (0..7).map(|_| turn(251)).collect();
        assert_eq!(shrunk, [8_192, 4_096, 2_048, 1_024, 512, 512, 512]);
    }

    #[test]
    fn what_lies_between_pages_without_a_match_is_passed_once() {
        let mut page = Page::after(Position::new(5));
        page.goes_on_from(Position::new(900));
        assert_eq!(page.through, Position::new(900));
        page.ahead = 3;
        page.goes_on_from(Position::new(2_000));
        assert_eq!(page.through, Position::new(900), "three lie behind it");
    }
}
