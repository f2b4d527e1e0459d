//! What is said of forks, in words as in JSON.

use planledger_core::domain::Actor;
use planledger_core::verify::{BranchEvent, Branches, Fork, ForkedStream, Forks, PlanNow, Told};

/// What a fork's stream is now.
pub(super) fn of<'a>(
    forks: &'a Forks,
    told: &Told,
    fork: &Fork,
) -> (Option<&'a ForkedStream>, Option<PlanNow>) {
    let mut streams = forks.streams.iter().zip(&told.plans);
    let found = streams.find(|(forked, _)| forked.stream == fork.stream);
    (
        found.map(|(forked, _)| forked),
        found.and_then(|(_, plan)| *plan),
    )
}

/// Kinds of events that are in both branches.
pub(super) fn in_both(branches: &Branches) -> Vec<&'static str> {
    let names = |events: &[BranchEvent]| {
        let types = events.iter().filter_map(|event| event.event_type);
        types
            .map(|kind| kind.name)
            .collect::<std::collections::BTreeSet<_>>()
    };
    let (first, second) = (names(&branches.first), names(&branches.second));
    first.intersection(&second).copied().collect()
}

pub(super) fn type_name(event: &BranchEvent) -> &'static str {
    event.event_type.map_or("unknown", |kind| kind.name)
}

pub(super) fn name(actor: Option<Actor>) -> Option<String> {
    actor.map(|actor| actor.to_string())
}
