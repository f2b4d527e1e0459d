//! No reason without an example.

use std::collections::HashSet;

use planledger_core::domain::Reason;

use super::{
    catalogue, days, erasure, grants, institution, ledger, ownership, person, plan, profiles,
    recovery, roster_source, school_year, suggestions, systems, team, year_plan,
};

/// No command is refused for these, but dry runs are, and steps are left out for them: tests/recovery
/// has their examples.
const OF_DRY_RUNS: [Reason; 3] = [Reason::NoSuccessor, Reason::DryRunStale, Reason::RightEnded];

/// The rules alone do not know when a time is over, and what an event says: tests/retention and
/// tests/erasure have the examples.
const OF_THE_LEDGER: [Reason; 2] = [Reason::ErasureNotDue, Reason::EventNotRedactable];

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
        ownership::refusals(),
        recovery::refusals(),
        profiles::refusals(),
        roster_source::refusals(),
        suggestions::refusals(),
        systems::refusals(),
        grants::refusals(),
        erasure::refusals(),
        days::refusals(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut others = OF_DRY_RUNS.iter().chain(&OF_THE_LEDGER);
    assert!(others.all(|reason| !seen.contains(reason)));
    let unseen: Vec<_> = Reason::ALL
        .iter()
        .filter(|reason| !seen.contains(reason))
        .filter(|reason| !OF_DRY_RUNS.contains(reason) && !OF_THE_LEDGER.contains(reason))
        .collect();
    assert!(unseen.is_empty(), "never given: {unseen:?}");
}
