//! No reason without an example.

use std::collections::HashSet;

use planledger_core::domain::Reason;

use crate::{catalogue, institution, ledger, person, plan, recovery, school_year, team, year_plan};

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
        recovery::refusals(),
    ]
    .into_iter()
    .flatten()
    .collect();
    // What speaks against a dry run as a whole, no command is refused for: those are given where dry
    // runs are tested, in the suite `recovery`.
    let of_dry_runs = [Reason::NoSuccessor, Reason::DryRunStale];
    let unseen: Vec<_> = Reason::ALL
        .iter()
        .filter(|reason| !seen.contains(reason) && !of_dry_runs.contains(reason))
        .collect();
    assert!(unseen.is_empty(), "never given: {unseen:?}");
}
