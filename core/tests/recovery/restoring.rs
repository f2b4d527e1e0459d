//! What comes back, with what hangs on it, in which order and why.

use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::recovery::Step;
use planledger_core::domain::{Aggregate, Reason};
use planledger_core::ids::StreamId;
use planledger_core::ledger::Ledger;
use planledger_core::recovery::{RestoreItem, Why};

use crate::recovery::place::*;
use planledger_fixtures::school::*;

fn deleted() -> (FaultyLedger, Ledger) {
    let (place, ledger) = FaultyLedger::with_school();
    place.deletes_everything(&ledger);
    (place, ledger)
}

fn steps(ledger: &Ledger, what: Vec<RestoreItem>) -> Vec<(Step, Why)> {
    let items = dry_run(ledger, &restore(what, None)).unwrap().items;
    let items = items.into_iter();
    items.map(|item| (item.step.unwrap(), item.why)).collect()
}

#[test]
fn a_team_comes_back_alone_or_with_its_year_plans_and_their_units() {
    let (_place, ledger) = deleted();
    let (team, year_plan, unit) = (TEAMS[0], YEAR_PLANS[0], UNIT);
    let back = |with_contents| {
        let item = team_back(team, with_contents);
        steps(&ledger, vec![item])
    };
    let alone = (Step::UndeleteTeam { team }, Why::Asked);
    assert_eq!(back(false), std::slice::from_ref(&alone));
    let belongs_to_team = Why::BelongsTo(team.into());
    let belongs_to_year_plan = Why::BelongsTo(year_plan.into());
    assert_eq!(
        back(true),
        [
            alone,
            (Step::UndeleteYearPlan { year_plan }, belongs_to_team),
            (Step::UndeleteUnit { year_plan, unit }, belongs_to_year_plan),
        ]
    );
}

#[test]
fn a_year_plan_and_a_unit_come_back_and_nothing_twice() {
    let (_place, ledger) = deleted();
    let (year_plan, unit) = (YEAR_PLANS[0], UNIT);
    let whole = RestoreItem::YearPlan {
        year_plan,
        with_contents: true,
    };
    let part = RestoreItem::Unit { year_plan, unit };
    let found = steps(&ledger, vec![whole.clone(), part, whole]);
    let found: Vec<_> = found.into_iter().map(|(step, _)| step).collect();
    assert_eq!(
        found,
        [
            Step::UndeleteYearPlan { year_plan },
            Step::UndeleteUnit { year_plan, unit },
        ]
    );
}

#[test]
fn what_comes_back_goes_to_whom_it_is_given_and_reads_as_it_did() {
    let (place, ledger) = deleted();
    place.departs(&ledger, TEACHER);
    carry_out(&ledger, &restore(teams_with_contents(), Some(STEADY)));
    let fresh = FaultyLedger::new();
    let never = fresh.school();
    for stream in &everything()[..4] {
        assert_eq!(owner(&ledger, *stream), Some(STEADY));
        let [now, then] = [&ledger, &never].map(|ledger| state(ledger, *stream));
        match (now, then) {
            (Aggregate::Team(now), Aggregate::Team(then)) => {
                assert_eq!((now.details, now.deleted), (then.details, None));
                assert_eq!((now.members, now.staff), (then.members, then.staff));
            }
            (Aggregate::YearPlan(now), Aggregate::YearPlan(then)) => {
                assert_eq!((now.details, now.deleted), (then.details, None));
                assert_eq!(now.units, then.units);
            }
            other => panic!("{other:?}"),
        }
    }
    // A plan that hangs there keeps its owner: it was never gone.
    assert_eq!(owners(&ledger)[4..], [Some(TEACHER); 3]);
}

#[test]
fn a_successor_from_elsewhere_is_refused_for_each_item() {
    let (_place, ledger) = deleted();
    let team = team_back(TEAMS[0], true);
    let proposal = dry_run(&ledger, &restore(vec![team], Some(ELSEWHERE))).unwrap();
    let refused: Vec<(StreamId, Reason)> = proposal
        .items
        .iter()
        .filter_map(|item| Some((item.stream, item.step.as_ref().err()?.reason)))
        .collect();
    let reason = Reason::SuccessorElsewhere;
    assert_eq!(
        refused,
        [(TEAMS[0].into(), reason), (YEAR_PLANS[0].into(), reason)]
    );
    assert_eq!(proposal.steps().len(), 3, "the rest can still be done");
}

#[test]
fn a_withdrawn_plan_comes_back_and_another_hangs_elsewhere() {
    let (place, ledger) = FaultyLedger::with_school();
    let withdraw = PlanCommand::Withdraw { reason: None };
    place.does(&ledger, TEACHER, (PLANS[0], withdraw));
    let (plan, to) = (PLANS[1], YEAR_PLANS[1]);
    let what = vec![
        RestoreItem::Plan { plan: PLANS[0] },
        RestoreItem::Move { plan, to },
    ];
    let from = YEAR_PLANS[0];
    assert_eq!(
        steps(&ledger, what),
        [
            (Step::RestorePlan { plan: PLANS[0] }, Why::Asked),
            (Step::MovePlan { plan, from, to }, Why::Asked),
        ]
    );
}
