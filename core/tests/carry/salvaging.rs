//! What still verifies of a damaged directory becomes a new ledger.

use std::collections::BTreeSet;

use planledger_core::domain::erasure::Target;
use planledger_core::domain::ledger::{LedgerEvent, LostPlace, PlaceHeld};
use planledger_core::ids::{Position, StreamId, StreamKind};
use planledger_core::ledger::{Payload, RecordedEvent};
use planledger_fixtures::place::{TempLedger, events, files};

use super::support::*;
use crate::audit::school::{CLASSMATE, NotarisedSchool, OTHERS, PLAN, STUDENT};
use crate::erasure::decide;

/// Every file but the lock, which whoever reads takes.
fn kept(old: &TempLedger) -> BTreeSet<(std::path::PathBuf, Vec<u8>)> {
    let mut all = files(old.path());
    all.remove(&old.path().join("lock"));
    all.into_iter().collect()
}

/// Damages the frames of these positions, and salvages the rest.
fn salvaged(
    school: NotarisedSchool,
    lost: &[Position],
) -> (
    planledger_core::carry::Carried,
    Vec<RecordedEvent>,
    tempfile::TempDir,
) {
    let old = school.close();
    for position in lost {
        damage(old.path(), *position);
    }
    let before = kept(&old);
    let to = tempfile::tempdir().unwrap();
    let carried = salvage(old.path(), to.path()).unwrap();
    assert!(kept(&old) == before, "the damaged directory was changed");
    assert_sound(to.path());
    let events = events_in(to.path());
    (carried, events, to)
}

fn of(events: &[RecordedEvent], stream: impl Into<StreamId>) -> Vec<RecordedEvent> {
    let stream = stream.into();
    events
        .iter()
        .filter(|event| event.stream == stream)
        .cloned()
        .collect()
}

#[test]
fn a_sound_directory_is_salvaged_whole() {
    let school = school(true);
    let before = events(&school.ledger);
    let (carried, after, _to) = salvaged(school, &[]);
    assert!(carried.is_whole());
    for (was, is) in before.iter().zip(&after) {
        assert_same(was, is);
    }
}

#[test]
fn after_a_gap_every_event_keeps_its_position_and_streams_count_on() {
    let school = school(false);
    let before = events(&school.ledger);
    let plan = of(&before, PLAN);
    let lost = &plan[1];
    let (carried, after, to) = salvaged(school, &[lost.position]);
    assert_eq!(carried.lost.len(), 1);
    assert_eq!(
        (carried.lost[0].first, carried.lost[0].last),
        (lost.position, lost.position)
    );
    assert_eq!(carried.persons(), BTreeSet::from([STUDENT]));
    assert_eq!(carried.renumbered, BTreeSet::from([PLAN.into()]));
    let missing = carried.missing[0];
    assert_eq!(
        (missing.stream, missing.first, missing.last),
        (PLAN.into(), 2, 2)
    );
    for (was, is) in before.iter().zip(&after) {
        if was.position == lost.position {
            let named = LostPlace {
                stream: Some(PLAN.into()),
                revision: Some(lost.revision),
            };
            assert_eq!(held(is), PlaceHeld::Lost(named));
        } else if was.stream != PLAN.into() {
            assert_eq!(
                (was.position, was.recorded_at),
                (is.position, is.recorded_at)
            );
            // The act on an event of the plan names its new revision.
            if was.stream.kind != StreamKind::Erasure {
                assert_same(was, is);
            }
        } else if was.position > lost.position {
            assert_eq!(is.revision.get(), was.revision.get() - 1);
            assert_eq!(is.payload, was.payload);
        }
    }
    // The plan can be read and written, and the redaction still holds.
    let ledger = TempLedger::open_in(to.path());
    let (found, _) = ledger.read(|now| now.stream(PLAN)).unwrap();
    assert_eq!(found.unwrap().1.get(), plan.len() as u64 - 1);
    let report = std::fs::read_to_string(to.path().join("origin/report.json")).unwrap();
    assert!(report.contains(&STUDENT.to_string()), "{report}");
}

#[test]
fn a_stream_without_its_beginning_keeps_its_texts_and_has_no_state() {
    let school = school(false);
    let before = events(&school.ledger);
    let opened = of(&before, OTHERS)[0].clone();
    let (carried, after, to) = salvaged(school, &[opened.position]);
    let rest = of(&after, OTHERS);
    assert_eq!(rest.len(), of(&before, OTHERS).len() - 1);
    assert!(
        rest.iter()
            .all(|event| matches!(event.payload, Payload::Json(_)))
    );
    assert!(
        carried
            .missing
            .iter()
            .any(|it| it.stream == OTHERS.into() && it.person == Some(CLASSMATE))
    );
    let ledger = TempLedger::open_in(to.path());
    let (found, _) = ledger.read(|now| now.stream(OTHERS)).unwrap();
    assert_eq!(found, None);
}

#[test]
fn every_frame_may_be_lost_and_the_rest_is_salvaged() {
    let school = school(true);
    let before = events(&school.ledger);
    let old = school.close();
    let copy = tempfile::tempdir().unwrap();
    for was in &before {
        let dir = copy.path().join(was.position.to_string());
        planledger_fixtures::place::copy(old.path(), &dir);
        damage(&dir, was.position);
        let to = tempfile::tempdir().unwrap();
        let carried = match salvage(&dir, to.path()) {
            Ok(carried) => carried,
            Err(error) => panic!("{}: {error}", was.position),
        };
        assert!(!carried.is_whole(), "{}", was.position);
        assert_sound(to.path());
        let after = events_in(to.path());
        let record = after
            .iter()
            .find(|event| event.position == carried.recorded);
        assert!(matches!(own(record.unwrap()), LedgerEvent::CarriedOver(_)));
        // Nothing of who was erased can be read, whatever is lost.
        for event in of(&after, PLAN).iter().chain(&of(&after, STUDENT)) {
            assert_eq!(event.payload, Payload::Erased, "{}", was.position);
        }
    }
}

#[test]
fn an_erasure_whose_act_is_lost_is_carried_out_again_from_the_acts_beside() {
    let school = school(false);
    decide(&school.ledger, Target::Person(STUDENT));
    school.ledger.carry_out_erasures().unwrap();
    school.ledger.settle();
    let acts: Vec<_> = events(&school.ledger)
        .into_iter()
        .filter(|event| {
            event.stream.kind == StreamKind::Erasure && event.stream.id == STUDENT.uuid()
        })
        .map(|event| event.position)
        .collect();
    assert_eq!(acts.len(), 3);
    let (carried, after, _to) = salvaged(school, &acts);
    assert!(!carried.is_whole());
    let name = |event: &RecordedEvent| event.event_type.unwrap().name;
    assert!(
        after
            .iter()
            .any(|event| name(event) == "erasure.applied_again")
    );
    for event in of(&after, PLAN) {
        assert_eq!(event.payload, Payload::Erased);
    }
}
