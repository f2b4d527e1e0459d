//! Events are the same whichever way they are read: opened one by one, found in runs and opened later, or only passed.

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use planledger_core::ids::{PersonId, Position};
use planledger_core::journal::{Frame, SEGMENT_HEADER_LEN, segment_name};
use planledger_core::ledger::{EventFilter, Ledger, Passed, ReadError, RecordedEvent};
use planledger_fixtures::school::*;
use proptest::prelude::*;

use crate::properties::acts::{PLANS, acts, founding};
use crate::properties::check::check;
use crate::properties::place::{JournalledLedger, run};

fn filters() -> impl Strategy<Value = EventFilter> {
    let of_plan = prop::sample::select(PLANS.to_vec()).prop_map(|plan| EventFilter {
        streams: vec![plan.into()],
        ..EventFilter::default()
    });
    let of_student = any::<bool>().prop_map(|known| EventFilter {
        student: Some(match known {
            true => STUDENT,
            false => PersonId::from_bytes([0x13; 16]),
        }),
        ..EventFilter::default()
    });
    prop_oneof![Just(EventFilter::default()), of_plan, of_student]
}

/// One by one.
fn all(
    ledger: &Ledger,
    after: Position,
    filter: &EventFilter,
) -> (Vec<RecordedEvent>, Option<Position>) {
    let (mut events, mut through) = (Vec::new(), None);
    for passed in ledger.events(after, filter.clone()) {
        match passed.unwrap() {
            Passed::Event(event) => {
                through = Some(event.position);
                events.push(event);
            }
            Passed::Through(position) => through = Some(position),
        }
    }
    (events, through)
}

#[test]
fn what_is_found_in_runs_is_what_is_read_one_by_one() {
    let stories = (
        prop::collection::vec(acts(), 1..80),
        filters(),
        any::<prop::sample::Index>(),
        1_usize..20,
        any::<bool>(),
    );
    check(32, &stories, |(story, filter, after, size, together)| {
        let place = JournalledLedger::new();
        let (ledger, _log) = place.open();
        run(&ledger, founding());
        match together {
            // Many commands in one frame.
            true => drop(run(&ledger, story)),
            false => story
                .into_iter()
                .for_each(|act| drop(run(&ledger, vec![act]))),
        }
        let last = ledger.position();
        let after = Position::new(after.index(last.get() as usize + 1) as u64);
        let (expected, end) = all(&ledger, after, &filter);

        let mut found = ledger.events(after, filter.clone());
        let (mut events, mut through) = (Vec::new(), None);
        loop {
            let run = found.find(|run| run.count() >= size).unwrap();
            let opened: Result<Vec<_>, _> = run.open().collect();
            let opened = opened.unwrap();
            prop_assert!(opened.len() <= size);
            prop_assert_eq!(opened.len(), run.count());
            // The same again: opening changes nothing.
            let again: Result<Vec<_>, _> = run.open().collect();
            prop_assert_eq!(&again.unwrap(), &opened);
            let Some(position) = run.through() else {
                break;
            };
            prop_assert!(opened.iter().all(|event| event.position <= position));
            through = Some(position);
            events.extend(opened);
        }
        prop_assert_eq!(&events, &expected);
        prop_assert_eq!(through, end);

        let mut passing = ledger.events(after, filter);
        let (mut entries, mut through) = (Vec::new(), None);
        let mut moved = true;
        while std::mem::take(&mut moved) {
            let mut left = size;
            let passed = passing.pass(|position, entry| {
                moved = true;
                through = Some(position);
                if let Some(entry) = entry {
                    entries.push((position, entry.stream, entry.key));
                    left -= 1;
                }
                match left {
                    0 => ControlFlow::Break(()),
                    _ => ControlFlow::Continue(()),
                }
            });
            passed.unwrap();
        }
        let expected = expected.iter();
        let expected: Vec<_> = expected
            .map(|event| (event.position, event.stream, event.key))
            .collect();
        prop_assert_eq!(entries, expected);
        prop_assert_eq!(through, end);
        Ok(())
    });
}

/// Payloads are not compared with their hashes before they are opened. What is damaged is still told as damage of
/// the journal, with its place.
#[test]
fn a_damaged_payload_is_told_as_damage_whoever_opens_it() {
    let place = JournalledLedger::new();
    let ledger = Ledger::open(place.options()).unwrap();
    for act in founding() {
        run(&ledger, vec![act]);
    }
    ledger.settle();
    let path = place.path().join("journal").join(segment_name(1));
    let buffer = Arc::new(fs::read(&path).unwrap());
    let mut at = SEGMENT_HEADER_LEN;
    let mut second = None;
    for _ in 0..2 {
        let frame = Frame::decode(&buffer, at).unwrap();
        at += frame.bytes().len();
        second = Some((at, frame.entries().last().unwrap().position));
    }
    let (end, position) = second.unwrap();
    // While the ledger is open: a start looks at every payload of the last segment.
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    let changed = [buffer[end - 1] ^ 1];
    file.write_all_at(&changed, end as u64 - 1).unwrap();

    let mut events = ledger.events(Position::ZERO, EventFilter::default());
    let error = events.find_map(Result::err).unwrap();
    let told = error.to_string();
    let damaged = matches!(error, ReadError::Journal(_));
    assert!(damaged, "{told}");
    assert!(told.contains("segment"), "{told}");
    let mut found = ledger.events(Position::new(position.get() - 1), EventFilter::default());
    let run = found.find(|_| false).unwrap();
    let error = run.open().find_map(Result::err).unwrap();
    assert_eq!(error.to_string(), told);
}
