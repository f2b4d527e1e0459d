//! No reason without an example.

use std::collections::HashSet;

use planledger_core::domain::Reason;

use crate::{catalogue, institution, ledger, person, plan, school_year, team, year_plan};

#[test]
fn every_reason_has_been_given_for_a_refusal() {
    let seen: HashSet<Reason> = [
        institution::refusals(),
        school_year::refusals(),
        person::refusals(),
        team::refusals(),
        year_plan::refusals(),
        plan::refusals(),
        catalogue::refusals(),
        ledger::refusals(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let unseen: Vec<_> = Reason::ALL
        .iter()
        .filter(|reason| !seen.contains(reason))
        .collect();
    assert!(unseen.is_empty(), "never given: {unseen:?}");
}
