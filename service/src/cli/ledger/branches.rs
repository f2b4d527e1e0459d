//! Facts about forks that the text output and the JSON output share.

use planledger_core::domain::Actor;
use planledger_core::verify::{BranchEvent, Branches, Fork, ForkedStream, Forks, PlanNow, Told};

/// The forked stream of a fork, and the present state of its plan. The second part is `None` if the
/// stream is not a plan.
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

/// The event types that occur in both branches, by name.
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
