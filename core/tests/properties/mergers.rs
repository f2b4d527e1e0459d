//! Mergers of schools whatever happened before: everything of the closed school is carried over,
//! nothing in a plan changes, and undoing a merger gives back what was.

use std::collections::{BTreeMap, BTreeSet};

use planledger_core::domain::institution::InstitutionCommand;
use planledger_core::domain::plan::Plan;
use planledger_core::domain::team::Team;
use planledger_core::domain::year_plan::YearPlan;
use planledger_core::domain::{Actor, Aggregate, Stop};
use planledger_core::ids::{InstitutionId, Position, RecoveryId, StreamId};
use planledger_core::ledger::{Ledger, rebuild};
use planledger_core::recovery::{
    self, Fallback, Merge, Proposal, RecoveryRequest, run, start, undo,
};
use planledger_core::verify::{Depth, verify_dir};
use planledger_fixtures::place::events_after;
use planledger_fixtures::school::*;
use planledger_fixtures::{IntoCommand, Memory};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use crate::properties::acts::{Act, STEADY, acts, container_acts, founding};
use crate::properties::check::check;
use crate::properties::ownership::assert_ownerless;
use crate::properties::place::{JournalledLedger, run as run_acts};

const RECOVERY: RecoveryId = RecoveryId::from_bytes([0xE1; 16]);

/// The first school is closed, and the other one is open.
fn closing() -> Vec<Act> {
    let close = |id: InstitutionId, closed| {
        let put = InstitutionCommand::Put {
            details: institution_details("Skolen"),
            closed,
        };
        // What a person decided before makes no difference to a person.
        let other = match closed {
            true => InstitutionCommand::Close { reason: None },
            false => InstitutionCommand::Reopen,
        };
        [(id, put).into_command(), (id, other).into_command()].map(|command| Act {
            actor: Actor::Person(STEADY),
            command,
        })
    };
    [close(SCHOOL, true), close(OTHER_SCHOOL, false)].concat()
}

/// Everything that belongs to an institution, as it is, but for who owned it earlier and when a plan got
/// another owner.
type Things = BTreeMap<StreamId, Aggregate>;

fn things(memory: &Memory) -> Things {
    let things = memory.streams().filter_map(|stream| {
        let thing = match memory.state(stream)? {
            Aggregate::Team(team) => Aggregate::Team(Team {
                former_owners: Default::default(),
                ..team.clone()
            }),
            Aggregate::YearPlan(plan) => Aggregate::YearPlan(YearPlan {
                former_owners: Default::default(),
                ..plan.clone()
            }),
            Aggregate::Plan(plan) => Aggregate::Plan(Plan {
                former_owners: Default::default(),
                changed_at: Default::default(),
                worked_on_before: None,
                ..plan.clone()
            }),
            _ => return None,
        };
        Some((stream, thing))
    });
    things.collect()
}

/// Folds what has been recorded since, and gives the last position.
fn follow(ledger: &Ledger, memory: &mut Memory, at: &mut Position) {
    for event in events_after(ledger, *at) {
        memory.fold_recorded(&event);
        *at = event.position;
    }
}

fn dry_run(ledger: &Ledger, wish: &RecoveryRequest) -> Option<Proposal> {
    match ledger.read(|reading| recovery::propose(reading, wish, &BTreeSet::new())) {
        Ok((proposal, _)) => Some(proposal),
        Err(Stop::Refused(_)) => None,
        Err(Stop::Unread(error)) => panic!("{error}"),
    }
}

/// No year plan stays behind, and no team but those for which there is another one.
fn assert_carried_over(memory: &Memory, proposal: Option<&Proposal>) -> TestCaseResult {
    let items = proposal
        .map(|proposal| &proposal.items[..])
        .unwrap_or_default();
    for stream in memory.streams() {
        match memory.state(stream) {
            Some(Aggregate::Team(team)) if team.details.institution == SCHOOL => {
                let moved = items.iter().any(|item| item.stream == stream);
                prop_assert!(!moved, "{} stayed", stream);
            }
            Some(Aggregate::YearPlan(plan)) => {
                prop_assert_ne!(plan.details.institution, SCHOOL, "{} stayed", stream);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Nothing but its owner.
fn assert_same_plans(before: &Things, after: &Things) -> TestCaseResult {
    for (stream, before) in before {
        let Aggregate::Plan(before) = before else {
            continue;
        };
        let Some(Aggregate::Plan(after)) = after.get(stream) else {
            panic!("{stream} is gone")
        };
        let after = Plan {
            owner: before.owner,
            ..after.clone()
        };
        prop_assert_eq!(&after, before);
    }
    Ok(())
}

#[test]
fn a_merger_loses_nothing_and_undoing_it_gives_back_what_was() {
    let acts = prop_oneof![acts(), container_acts()];
    check(24, &prop::collection::vec(acts, 1..60), |story| {
        let place = JournalledLedger::new();
        let (ledger, log) = place.open();
        run_acts(&ledger, [founding(), story, closing()].concat());
        let (mut memory, mut at) = (Memory::default(), Position::ZERO);
        follow(&ledger, &mut memory, &mut at);
        let before = things(&memory);
        let wish = RecoveryRequest::Merge(Merge {
            from: SCHOOL,
            to: OTHER_SCHOOL,
            teams: BTreeMap::new(),
            fallback: Fallback::To(STEADY),
            reason: why("Lagt sammen"),
        });
        let Some(proposal) = dry_run(&ledger, &wish) else {
            // There was nothing at the school: everything had moved before.
            return assert_carried_over(&memory, None);
        };
        prop_assert!(
            proposal.items.iter().all(|item| item.step.is_ok()),
            "{:?}",
            proposal
        );
        let who = (Actor::Person(STEADY), None);
        start(
            &ledger,
            who,
            RECOVERY,
            &wish,
            &BTreeSet::new(),
            proposal.digest,
        )
        .unwrap();
        let done = run(&ledger, RECOVERY, &mut |_| {}).unwrap();
        prop_assert_eq!(&done.left_out, &[]);
        follow(&ledger, &mut memory, &mut at);
        assert_carried_over(&memory, Some(&proposal))?;
        assert_same_plans(&before, &things(&memory))?;
        assert_ownerless(&ledger, &memory)?;
        drop((ledger, log));
        rebuild(place.options()).unwrap();
        let (ledger, log) = place.open();
        assert_ownerless(&ledger, &memory)?;

        undo(&ledger, who, RECOVERY, None).unwrap();
        run(&ledger, RECOVERY, &mut |_| {}).unwrap();
        follow(&ledger, &mut memory, &mut at);
        prop_assert_eq!(&things(&memory), &before);
        assert_ownerless(&ledger, &memory)?;
        // Each event is sealed for the institution that it belongs to, before a move and after.
        drop((ledger, log));
        let found = verify_dir(&place.options(), Depth::Full, &|_, _, _| {}).unwrap();
        prop_assert!(found.is_sound(), "{:?}", found);
        Ok(())
    });
}
