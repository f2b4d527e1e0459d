//! Taking back what a recovery did: as a whole, and nothing that others did.

use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::recovery::Phase;
use planledger_core::domain::team::TeamCommand;
use planledger_core::domain::{Actor, Aggregate, Reason};
use planledger_core::ledger::Ledger;
use planledger_core::recovery::{RestoreItem, RunError, run, undo};

use crate::recovery::place::*;
use planledger_fixtures::school::*;

/// What is undone, with the steps that were left out then.
fn undone(ledger: &Ledger) -> Vec<(u32, Reason)> {
    let who = (Actor::Person(DEPUTY), None);
    undo(ledger, who, RECOVERY, why("Alligevel ikke")).unwrap();
    let recovery = run(ledger, RECOVERY, &mut |_| {}).unwrap();
    match recovery.phase {
        Phase::Undone { left_out } => left_out
            .iter()
            .map(|left| (left.step, left.reason))
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_transfer_is_undone_as_a_whole_also_when_the_owner_before_has_left() {
    let (place, ledger) = FaultyLedger::with_school();
    begin(&ledger, LEADER, RECOVERY, &all_to(TEACHER, STEADY));
    let early = undo(&ledger, (SYSTEM, None), RECOVERY, None);
    let Err(RunError::Refused(refusal)) = early else {
        panic!("{early:?}")
    };
    assert_eq!(refusal.reason, Reason::RecoveryRunning);
    run(&ledger, RECOVERY, &mut |_| {}).unwrap();
    assert_eq!(owners(&ledger), vec![Some(STEADY); 7]);
    place.departs(&ledger, TEACHER);
    // Who began it has left since: whoever undoes it does so.
    place.departs(&ledger, LEADER);
    assert_eq!(undone(&ledger), []);
    assert_eq!(owners(&ledger), vec![Some(TEACHER); 7]);
    let by = events(&ledger).into_iter().rev().nth(1).unwrap().actor;
    assert_eq!(by, Actor::Person(DEPUTY));
}

#[test]
fn a_restore_is_undone_as_a_whole_and_given_back_before_it_is_deleted_again() {
    let (place, ledger) = FaultyLedger::with_school();
    place.deletes_everything(&ledger);
    carry_out(&ledger, &restore(teams_with_contents(), Some(STEADY)));
    assert_eq!(owners(&ledger)[..4], [Some(STEADY); 4]);
    assert_eq!(undone(&ledger), []);
    assert_eq!(owners(&ledger), vec![Some(TEACHER); 7]);
    for team in TEAMS {
        let Aggregate::Team(team) = state(&ledger, team) else {
            panic!()
        };
        assert!(team.deleted.is_some());
    }
    for year_plan in YEAR_PLANS {
        let Aggregate::YearPlan(plan) = state(&ledger, year_plan) else {
            panic!()
        };
        assert!(plan.deleted.is_some() && plan.any_unit_deleted());
    }
}

trait Units {
    fn any_unit_deleted(&self) -> bool;
}

impl Units for planledger_core::domain::year_plan::YearPlan {
    fn any_unit_deleted(&self) -> bool {
        self.units.iter().all(|unit| unit.deleted.is_some())
    }
}

#[test]
fn what_others_changed_since_is_left_out_of_an_undo() {
    let (place, ledger) = FaultyLedger::with_school();
    carry_out(&ledger, &all_to(TEACHER, STEADY));
    let (to, reason) = (PEDAGOGUE, None);
    let transfer = PlanCommand::TransferOwnership { to, reason };
    place.does(&ledger, STEADY, (PLANS[2], transfer));
    assert_eq!(undone(&ledger), [(6, Reason::OwnerChanged)]);
    let mut expected = vec![Some(TEACHER); 7];
    expected[6] = Some(PEDAGOGUE);
    assert_eq!(owners(&ledger), expected);
}

/// It had nothing to do there, so it has nothing to take back.
#[test]
fn what_somebody_else_did_before_a_step_could_is_not_undone_with_it() {
    let (place, ledger) = FaultyLedger::with_school();
    place.deletes_everything(&ledger);
    let team = |team| team_back(team, false);
    let wish = restore(TEAMS.map(team).into(), Some(STEADY));
    begin(&ledger, LEADER, RECOVERY, &wish);
    place.does(&ledger, LEADER, (TEAMS[0], TeamCommand::Undelete));
    let (to, reason) = (STEADY, None);
    let transfer = TeamCommand::TransferOwnership { to, reason };
    place.does(&ledger, LEADER, (TEAMS[0], transfer));
    let recovery = run(&ledger, RECOVERY, &mut |_| {}).unwrap();
    let reasons: Vec<_> = recovery.left_out.iter().map(|left| left.reason).collect();
    assert_eq!(reasons, [Reason::NotDeleted, Reason::AlreadyOwner]);
    assert_eq!(undone(&ledger), []);
    let [Aggregate::Team(first), Aggregate::Team(second)] = TEAMS.map(|team| state(&ledger, team))
    else {
        panic!()
    };
    assert_eq!((first.owner, first.deleted), (Some(STEADY), None));
    assert_eq!(second.owner, Some(TEACHER));
    assert!(second.deleted.is_some());
}

#[test]
fn a_move_and_a_withdrawal_are_undone() {
    let (place, ledger) = FaultyLedger::with_school();
    let withdraw = PlanCommand::Withdraw { reason: None };
    place.does(&ledger, TEACHER, (PLANS[0], withdraw));
    let what = vec![
        RestoreItem::Plan { plan: PLANS[0] },
        RestoreItem::Move {
            plan: PLANS[1],
            to: YEAR_PLANS[1],
        },
    ];
    let plans = || {
        let [Aggregate::Plan(first), Aggregate::Plan(second)] =
            [PLANS[0], PLANS[1]].map(|plan| state(&ledger, plan))
        else {
            panic!()
        };
        (first.withdrawn, second.year_plan)
    };
    carry_out(&ledger, &restore(what, None));
    assert_eq!(plans(), (false, YEAR_PLANS[1]));
    assert_eq!(undone(&ledger), []);
    assert_eq!(plans(), (true, YEAR_PLANS[0]));
}
