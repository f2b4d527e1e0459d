//! Whom and what a source of rosters has brought.

use planledger_core::domain::person::{PersonCommand, Role, RosterRecord};
use planledger_core::ids::{InstitutionId, PersonId, StreamId, StreamKind};
use planledger_core::ledger::{Ledger, ReadError};
use planledger_core::text::{ExternalId, SourceName};
use planledger_fixtures::school::*;

use crate::recovery::place::FaultyLedger;

const NEWCOMER: PersonId = PersonId::from_bytes([0x77; 16]);

fn source(name: &str) -> SourceName {
    SourceName::new(name).unwrap()
}

fn put(by: &str, at: &[InstitutionId]) -> (PersonId, PersonCommand) {
    let places = at.iter().map(|id| affiliation(*id, Role::Teacher));
    let put = PersonCommand::Put {
        name: name("Åse Ny"),
        affiliations: places.collect(),
        departed: false,
        record: Some(RosterRecord {
            source: source(by),
            sourced_id: ExternalId::new("ny1").unwrap(),
            user_ids: Default::default(),
            enabled: true,
            enrolled: None,
            profiles: None,
        }),
    };
    (NEWCOMER, put)
}

/// How often each is found.
fn times(ledger: &Ledger, by: &str, kind: StreamKind, id: impl Into<StreamId>) -> usize {
    let found = ledger.read(|now| now.find_of_source(&source(by), kind));
    let (found, _) = Result::<_, ReadError>::unwrap(found);
    assert!(found.is_sorted(), "{found:?}");
    let id = id.into();
    found.into_iter().filter(|stream| *stream == id).count()
}

#[test]
fn whoever_a_source_has_brought_is_found_once_at_no_one_or_several_institutions() {
    let (place, ledger) = FaultyLedger::with_school();
    let newcomer = |ledger: &Ledger, by| times(ledger, by, StreamKind::Person, NEWCOMER);
    place.does(&ledger, SYSTEM, put("a", &[]));
    assert_eq!((newcomer(&ledger, "a"), newcomer(&ledger, "b")), (1, 0));
    for places in [&[SCHOOL][..], &[SCHOOL, OTHER_SCHOOL], &[]] {
        place.does(&ledger, SYSTEM, put("b", places));
        assert_eq!((newcomer(&ledger, "a"), newcomer(&ledger, "b")), (1, 1));
    }
    drop(ledger);
    place.forget_derived();
    let ledger = place.open();
    assert_eq!((newcomer(&ledger, "a"), newcomer(&ledger, "b")), (1, 1));
}

#[test]
fn every_team_is_found_once() {
    let (_place, ledger) = FaultyLedger::with_school();
    assert_eq!(times(&ledger, "a", StreamKind::Team, TEAM), 1);
}
