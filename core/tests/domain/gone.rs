//! A roster that says of somebody that they are gone, and nothing else.

use planledger_core::domain::RosterFact;
use planledger_core::domain::person::{PersonCommand, PersonEvent, PersonFact, RosterRecord};
use planledger_core::ids::PersonId;
use planledger_core::text::{ExternalId, SourceName};
use planledger_fixtures::school::*;

use crate::domain::harness::given;

const NO_EVENTS: [PersonEvent; 0] = [];

fn gone(source: &str) -> (PersonId, PersonCommand) {
    let source = SourceName::new(source).unwrap();
    (TEACHER, PersonCommand::PutGone { source })
}

#[test]
fn somebody_of_whom_a_roster_says_only_that_they_are_gone_has_left() {
    let departed = || PersonEvent::Departed {
        last_day: None,
        reason: None,
    };
    let record = RosterRecord {
        source: SourceName::new("Kommune A").unwrap(),
        sourced_id: ExternalId::new("x1").unwrap(),
        user_ids: Default::default(),
        enabled: true,
        enrolled: None,
        profiles: None,
    };
    let recorded = (TEACHER, PersonEvent::RecordedInRoster(record));
    let brought = || given(a_school()).and(recorded.clone());
    // Whoever came before sources had names has no record.
    for mut school in [brought(), given(a_school())] {
        school = school.when(SYSTEM, gone("Kommune A")).then([departed()]);
        school.when(SYSTEM, gone("Kommune A")).then_nothing();
    }
    brought().when(SYSTEM, gone("Kommune B")).then_nothing();
    let source = SourceName::new("Kommune A").unwrap();
    let nobody = PersonId::from_bytes([1; 16]);
    brought()
        .when(SYSTEM, (nobody, PersonCommand::PutGone { source }))
        .then_nothing();
    // What a leader decided stays. What a leader has said already is the roster's again.
    brought()
        .when(SYSTEM, gone("Kommune A"))
        .then([departed()])
        .when(LEADER, (TEACHER, PersonCommand::Return))
        .then([PersonEvent::Returned {}])
        .when(SYSTEM, gone("Kommune A"))
        .then_keeping([RosterFact::Person(PersonFact::Departure)], NO_EVENTS);
    let depart = PersonCommand::Depart {
        on: None,
        reason: None,
    };
    brought()
        .when(LEADER, (TEACHER, depart))
        .then([departed()])
        .when(SYSTEM, gone("Kommune A"))
        .then([PersonEvent::LeftToRoster {
            facts: [PersonFact::Departure].into(),
        }]);
}
