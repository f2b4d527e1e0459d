use planledger_core::domain::Aggregate;
use planledger_core::domain::Reason;
use planledger_core::domain::institution::{InstitutionCommand, InstitutionEvent};
use planledger_fixtures::commands;

use crate::domain::harness::{given, refusals};
use planledger_fixtures::school::*;

fn closed() -> InstitutionEvent {
    InstitutionEvent::Closed { reason: None }
}

fn put(called: &str, closed: bool) -> InstitutionCommand {
    commands::put_institution(institution_details(called), closed)
}

#[test]
fn an_institution_is_registered_once() {
    let details = institution_details("Nordvestskolen");
    given(vec![])
        .when(
            SYSTEM,
            (SCHOOL, InstitutionCommand::Register(details.clone())),
        )
        .then([InstitutionEvent::Registered(details)]);
}

#[test]
fn revising_records_a_change_and_nothing_if_there_is_none() {
    let mut details = institution_details("Nordvestskolen");
    let same = InstitutionCommand::Revise(details.clone());
    given(a_school())
        .when(LEADER, (SCHOOL, same))
        .then_nothing();
    details.code = Some(code("101123"));
    let revised = given(a_school())
        .when(
            LEADER,
            (SCHOOL, InstitutionCommand::Revise(details.clone())),
        )
        .then([InstitutionEvent::Revised(details.clone())]);
    let Aggregate::Institution(now) = revised.state(SCHOOL) else {
        panic!()
    };
    assert_eq!(now.details, details);
}

#[test]
fn closing_can_be_taken_back() {
    let reason = why("Lægges sammen med en anden skole");
    let close = InstitutionCommand::Close {
        reason: reason.clone(),
    };
    given(a_school())
        .when(LEADER, (SCHOOL, close))
        .then([InstitutionEvent::Closed { reason }])
        .when(LEADER, (SCHOOL, InstitutionCommand::Reopen))
        .then([InstitutionEvent::Reopened {}]);
}

#[test]
fn an_import_records_differences_only() {
    given(vec![])
        .when(SYSTEM, (SCHOOL, put("Nordvestskolen", true)))
        .then([
            InstitutionEvent::Registered(institution_details("Nordvestskolen")),
            closed(),
        ])
        .when(SYSTEM, (SCHOOL, put("Nordvestskolen", true)))
        .then_nothing()
        .when(SYSTEM, (SCHOOL, put("Nordvest Skole", false)))
        .then([
            InstitutionEvent::Revised(institution_details("Nordvest Skole")),
            InstitutionEvent::Reopened {},
        ])
        .when(SYSTEM, (SCHOOL, put("Nordvest Skole", false)))
        .then_nothing();
}

#[test]
fn the_rest_is_refused() {
    assert!(!refusals().is_empty());
}

pub(crate) fn refusals() -> Vec<Reason> {
    let details = institution_details("Nordvestskolen");
    let close = InstitutionCommand::Close { reason: None };
    refusals! {
        // An id names one institution for ever.
        given(a_school()), LEADER, (SCHOOL, InstitutionCommand::Register(details.clone()))
            => AlreadyExists at Target;
        // What is not known is neither revised, closed nor reopened.
        given(vec![]), LEADER, (SCHOOL, InstitutionCommand::Revise(details))
            => InstitutionNotFound at Target;
        given(vec![]), LEADER, (SCHOOL, close.clone()) => InstitutionNotFound at Target;
        given(vec![]), LEADER, (SCHOOL, InstitutionCommand::Reopen)
            => InstitutionNotFound at Target;
        given(a_school()).and((SCHOOL, closed())), LEADER, (SCHOOL, close) => AlreadyClosed;
        given(a_school()), LEADER, (SCHOOL, InstitutionCommand::Reopen) => NotClosed;
    }
}
