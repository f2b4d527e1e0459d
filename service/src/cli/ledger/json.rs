//! Writes forks as JSON.

use planledger_core::ids::Position;
use planledger_core::time::Timestamp;
use planledger_core::verify::{
    Branch, BranchEvent, Branches, Fork, Outcome, Repeated, Spot, StaleAnswer, Told, Verification,
};
use serde_json::{Value, json};

use super::branches::{in_both, name, of, type_name};

/// Everything that `ledger forks` reports, as JSON.
pub(super) fn json_all(found: &Verification, told: &Told) -> Value {
    let forks = &found.forks;
    let fork = |(fork, branches): (&Fork, &Branches)| {
        let (stream, plan) = of(forks, told, fork);
        json!({
            "fork": json_fork(fork),
            "firstBranch": branches.first.iter().map(json_event).collect::<Vec<_>>(),
            "secondBranch": branches.second.iter().map(json_event).collect::<Vec<_>>(),
            "inBoth": in_both(branches),
            "plan": plan.map(|plan| json!({
                "studentId": plan.student.to_string(),
                "yearPlanId": plan.year_plan.to_string(),
                "ownerId": plan.owner.to_string(),
            })),
            "stands": stream.map(|stream| json!({
                "last": json_spot(stream.last),
                "nextRevision": stream.greatest.next().get(),
            })),
        })
    };
    let all = forks.forks.iter().zip(&told.branches);
    json!({
        "complete": found.whole,
        "unsettled": forks.unsettled().count(),
        "forks": all.map(fork).collect::<Vec<_>>(),
        "staleAnswers": forks.stale.iter().map(json_stale).collect::<Vec<_>>(),
        "repeatedCommands": told.repeated.iter().map(json_repeated).collect::<Vec<_>>(),
    })
}

/// A fork as JSON, without its events.
pub(super) fn json_fork(fork: &Fork) -> Value {
    json!({
        "stream": fork.stream.to_string(),
        "position": fork.position().get(),
        "common": json_spot(fork.common),
        "first": json_branch(&fork.first),
        "second": json_branch(&fork.second),
        "settledAt": fork.settled.map(Position::get),
    })
}

fn json_branch(branch: &Branch) -> Value {
    json!({
        "events": branch.events,
        "from": json_spot(branch.from),
        "to": json_spot(branch.to),
    })
}

fn json_spot(spot: Spot) -> Value {
    json!({ "revision": spot.revision.get(), "position": spot.position.get() })
}

/// A command that an earlier version answered from an older state, as JSON.
pub(super) fn json_stale(stale: &StaleAnswer) -> Value {
    json!({
        "command": stale.command.to_string(),
        "stream": stale.stream.to_string(),
        "position": stale.position.get(),
        "said": stale.said.get(),
        "revision": stale.revision.get(),
        "settledAt": stale.settled.map(Position::get),
    })
}

fn json_event(event: &BranchEvent) -> Value {
    json!({
        "revision": event.at.revision.get(),
        "position": event.at.position.get(),
        "recordedAt": instant(event.recorded_at),
        "type": type_name(event),
        "actor": event.actor.to_string(),
        "onBehalfOf": name(event.on_behalf_of),
        "commandId": event.command.to_string(),
    })
}

fn json_repeated(repeated: &Repeated) -> Value {
    let outcome = |outcome: &Outcome| {
        json!({
            "ordinal": outcome.ordinal,
            "commit": outcome.commit.get(),
            "recordedAt": instant(outcome.recorded_at),
            "stream": outcome.stream.to_string(),
            "revision": outcome.revision.get(),
            "position": outcome.position.get(),
            "events": outcome.events,
        })
    };
    json!({
        "commandId": repeated.command.to_string(),
        "sameCommand": repeated.is_same_command(),
        "outcomes": repeated.outcomes.iter().map(outcome).collect::<Vec<_>>(),
    })
}

/// An instant in the form that the API's JSON uses.
fn instant(at: Timestamp) -> Option<String> {
    let at = jiff::Timestamp::from_nanosecond(i128::from(at.nanos())).ok();
    at.map(|at| at.to_string())
}
