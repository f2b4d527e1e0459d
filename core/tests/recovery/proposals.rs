//! Dry runs: what they propose, and what speaks against them.

use std::collections::{BTreeMap, BTreeSet};

use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::team::TeamCommand;
use planledger_core::domain::year_plan::YearPlanCommand;
use planledger_core::domain::{Actor, Command, Reason};
use planledger_core::ids::{PersonId, StreamId};
use planledger_core::ledger::Ledger;
use planledger_core::recovery::{
    self, Fallback, Proposal, Restore, RestoreItem, Rule, RunError, Transfer, What, Why, Wish,
};

use crate::common::school::*;
use crate::place::{
    Place, STRANGER, SUCCESSOR, depart, does, everything_to, found, plan_of, propose, recovery_id,
    team, things, year_plan,
};

fn to(proposal: &Proposal) -> Vec<Result<PersonId, Reason>> {
    use planledger_core::domain::recovery::Step;
    let items = proposal.items.iter();
    items
        .map(|item| match &item.step {
            Ok(
                Step::TeamOwner { to, .. }
                | Step::YearPlanOwner { to, .. }
                | Step::PlanOwner { to, .. },
            ) => Ok(*to),
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => Err(refusal.reason),
        })
        .collect()
}

fn evaluate(ledger: &Ledger, by: PersonId, times: u8) {
    let goal = YearPlanCommand::AddGoal {
        unit: UNIT,
        goal: SUBJECT_GOAL,
        details: chosen_goal(
            planledger_core::domain::year_plan::GoalKind::Subject,
            "Læser sikkert",
        ),
    };
    // It is there already when this is not the first time.
    let _ = crate::place::tries(ledger, Command::YearPlan(year_plan(0), goal));
    let unit = planledger_core::domain::plan::UnitRef {
        year_plan: year_plan(0),
        unit: UNIT,
    };
    let plan = plan_of(0, 0);
    does(ledger, Command::Plan(plan, PlanCommand::IncludeUnit(unit)));
    for n in 0..times {
        let mut id = *by.as_bytes();
        id[15] = n;
        let record = PlanCommand::RecordEvaluation {
            evaluation: planledger_core::ids::EvaluationId::from_bytes(id),
            unit,
            goal: SUBJECT_GOAL,
            assessment: level(1),
        };
        crate::place::does_as(ledger, Actor::Person(by), Command::Plan(plan, record));
    }
}

fn transfer(what: &[StreamId], rule: Rule, fallback: Fallback) -> Wish {
    Wish::Transfer(Transfer {
        what: What::Items(what.iter().copied().collect()),
        rule,
        fallback,
        reason: None,
    })
}

#[test]
fn a_team_s_own_staff_who_evaluate_most_come_first_and_others_do_not_count() {
    let place = Place::new();
    let ledger = place.open();
    found(&ledger);
    let of_the_first: Vec<StreamId> = vec![team(0).into(), plan_of(0, 0).into()];
    let wish = transfer(&of_the_first, Rule::Team, Fallback::Nobody);
    let proposal = propose(&ledger, &wish).unwrap();
    assert_eq!(to(&proposal), [Ok(PEDAGOGUE); 2]);
    assert!(
        proposal
            .items
            .iter()
            .all(|item| item.why == Why::SharesTeam)
    );
    evaluate(&ledger, SUCCESSOR, 3);
    evaluate(&ledger, PEDAGOGUE, 2);
    let proposal = propose(&ledger, &wish).unwrap();
    assert_eq!(
        to(&proposal),
        [Ok(PEDAGOGUE); 2],
        "the other is not on the team"
    );
    let most = Why::EvaluatesMost { evaluations: 2 };
    assert!(proposal.items.iter().all(|item| item.why == most));
    let staff = TeamCommand::AddStaff {
        person: SUCCESSOR,
        role: planledger_core::domain::team::StaffRole::Teacher,
    };
    does(&ledger, Command::Team(team(0), staff));
    assert_eq!(to(&propose(&ledger, &wish).unwrap()), [Ok(SUCCESSOR); 2]);
    depart(&ledger, SUCCESSOR);
    assert_eq!(to(&propose(&ledger, &wish).unwrap()), [Ok(PEDAGOGUE); 2]);
    depart(&ledger, PEDAGOGUE);
    let proposal = propose(&ledger, &wish).unwrap();
    assert_eq!(to(&proposal), [Err(Reason::NoSuccessor); 2]);
    let with_leader = transfer(&of_the_first, Rule::Team, Fallback::Leader);
    let proposal = propose(&ledger, &with_leader).unwrap();
    assert_eq!(to(&proposal), [Ok(LEADER); 2]);
    assert!(proposal.items.iter().all(|item| item.why == Why::Fallback));
}

#[test]
fn each_item_is_judged_by_where_it_belongs_and_who_is_named() {
    let place = Place::new();
    let ledger = place.open();
    found(&ledger);
    let all = things();
    let proposed = |rule, fallback| {
        let proposal = propose(&ledger, &transfer(&all, rule, fallback)).unwrap();
        // In the order of streams: teams, year plans, plans.
        let order: Vec<_> = proposal.items.iter().map(|item| item.stream).collect();
        let sorted: BTreeSet<_> = all.iter().copied().collect();
        assert!(order.iter().eq(sorted.iter()));
        to(&proposal)
    };
    let nobody = Fallback::Nobody;
    let elsewhere = proposed(Rule::To(STRANGER), nobody);
    assert_eq!(elsewhere, [Err(Reason::SuccessorElsewhere); 12]);
    let own = proposed(Rule::To(TEACHER), nobody);
    assert_eq!(own, [Err(Reason::AlreadyOwner); 12]);
    let per_team = Rule::PerTeam(BTreeMap::from([(team(1), PEDAGOGUE)]));
    let found = proposed(per_team.clone(), nobody);
    assert_eq!(found.iter().filter(|to| **to == Ok(PEDAGOGUE)).count(), 4);
    let unnamed = Err(Reason::NoSuccessor);
    assert_eq!(found.iter().filter(|to| **to == unnamed).count(), 8);
    let found = proposed(per_team, Fallback::To(SUCCESSOR));
    assert_eq!(found.iter().filter(|to| **to == Ok(SUCCESSOR)).count(), 8);
    let per_subject = |subject| Rule::PerSubject(BTreeMap::from([(name(subject), PEDAGOGUE)]));
    assert_eq!(proposed(per_subject("Dansk"), nobody), [Ok(PEDAGOGUE); 12]);
    assert_eq!(proposed(per_subject("Fysik"), nobody), [unnamed; 12]);
    // A fallback that fits nothing here helps nobody.
    let found = proposed(per_subject("Fysik"), Fallback::To(STRANGER));
    assert_eq!(found, [Err(Reason::SuccessorElsewhere); 12]);
}

#[test]
fn who_can_own_nothing_speaks_against_all_of_it() {
    let place = Place::new();
    let ledger = place.open();
    found(&ledger);
    depart(&ledger, SUCCESSOR);
    let heirs = |person| BTreeMap::from([(team(0), person)]);
    for (wish, reason, field) in [
        (
            everything_to(Rule::To(SUCCESSOR)),
            Reason::PersonDeparted,
            "transfer.to_person_id",
        ),
        (
            everything_to(Rule::To(crate::place::student(0))),
            Reason::NotStaff,
            "transfer.to_person_id",
        ),
        (
            everything_to(Rule::To(NOBODY)),
            Reason::PersonNotFound,
            "transfer.to_person_id",
        ),
        (
            everything_to(Rule::To(TEACHER)),
            Reason::AlreadyOwner,
            "transfer.to_person_id",
        ),
        (
            everything_to(Rule::PerTeam(heirs(SUCCESSOR))),
            Reason::PersonDeparted,
            "transfer.per_team.heirs.person_id",
        ),
        (
            transfer(&[team(0).into()], Rule::Team, Fallback::To(SUCCESSOR)),
            Reason::PersonDeparted,
            "transfer.fallback_person_id",
        ),
        (
            Wish::Restore(Restore {
                what: vec![RestoreItem::Plan {
                    plan: plan_of(0, 0),
                }],
                give_to: Some(SUCCESSOR),
                reason: None,
            }),
            Reason::PersonDeparted,
            "restore.give_to_person_id",
        ),
    ] {
        let refusal = propose(&ledger, &wish).unwrap_err();
        assert_eq!((refusal.reason, refusal.field), (reason, Some(field)));
    }
    let nothing = Wish::Transfer(Transfer {
        what: What::Everything {
            of: PEDAGOGUE,
            institution: None,
        },
        rule: Rule::To(LEADER),
        fallback: Fallback::Nobody,
        reason: None,
    });
    let refusal = propose(&ledger, &nothing).unwrap_err();
    assert_eq!(refusal.reason, Reason::NothingToDo);
    let elsewhere = Wish::Transfer(Transfer {
        what: What::Everything {
            of: TEACHER,
            institution: Some(OTHER_SCHOOL),
        },
        rule: Rule::To(LEADER),
        fallback: Fallback::Nobody,
        reason: None,
    });
    let refusal = propose(&ledger, &elsewhere).unwrap_err();
    assert_eq!(refusal.reason, Reason::NothingToDo);
}

#[test]
fn a_dry_run_that_things_have_moved_on_from_is_stale() {
    let place = Place::new();
    let ledger = place.open();
    found(&ledger);
    let by = (Actor::Person(LEADER), None);
    let wish = everything_to(Rule::Team);
    let seen = propose(&ledger, &wish).unwrap();
    let same = propose(&ledger, &wish).unwrap();
    assert_eq!(seen, same);
    // What the steps do not rest on does not matter.
    let write = PlanCommand::WriteStatus { text: text("Mere") };
    does(&ledger, Command::Plan(plan_of(0, 0), write));
    assert_eq!(propose(&ledger, &wish).unwrap().digest, seen.digest);
    let handed = PlanCommand::TransferOwnership {
        to: SUCCESSOR,
        reason: None,
    };
    does(&ledger, Command::Plan(plan_of(0, 0), handed));
    let stale = recovery::start(&ledger, by, recovery_id(0), &wish, seen.digest);
    match stale.unwrap_err() {
        RunError::Refused(refusal) => {
            assert_eq!(refusal.reason, Reason::DryRunStale);
            assert_eq!(refusal.field, Some("digest"));
        }
        other => panic!("{other}"),
    }
    assert!(recovery::open(&ledger).unwrap().is_empty());
    let now = propose(&ledger, &wish).unwrap();
    assert_eq!(now.items.len(), seen.items.len() - 1);
    recovery::start(&ledger, by, recovery_id(0), &wish, now.digest).unwrap();
}

#[test]
fn what_comes_back_is_tried_out_in_order() {
    let place = Place::new();
    let ledger = place.open();
    found(&ledger);
    let delete_unit = YearPlanCommand::DeleteUnit {
        unit: UNIT,
        reason: None,
    };
    does(&ledger, Command::YearPlan(year_plan(0), delete_unit));
    let delete = YearPlanCommand::Delete { reason: None };
    does(&ledger, Command::YearPlan(year_plan(0), delete));
    let unit = RestoreItem::Unit {
        year_plan: year_plan(0),
        unit: UNIT,
    };
    let whole = RestoreItem::YearPlan {
        year_plan: year_plan(0),
        with_contents: false,
    };
    let moved = RestoreItem::Move {
        plan: plan_of(1, 0),
        to: year_plan(0),
    };
    let asked = |what: Vec<RestoreItem>| {
        let wish = Wish::Restore(Restore {
            what,
            give_to: None,
            reason: None,
        });
        let proposal = propose(&ledger, &wish).unwrap();
        let steps = proposal.items.iter().map(|item| match &item.step {
            Ok(_) => Ok(()),
            Err(refusal) => Err(refusal.reason),
        });
        steps.collect::<Vec<_>>()
    };
    // A unit of a deleted year plan comes back after it, and not before.
    let both = vec![unit.clone(), whole.clone()];
    assert_eq!(asked(both), [Err(Reason::YearPlanDeleted), Ok(())]);
    let both = vec![whole.clone(), unit.clone(), unit];
    assert_eq!(
        asked(both),
        [Ok(()), Ok(())],
        "the same thing twice is once"
    );
    // The student has a plan there, so a second one cannot be moved to it.
    let both = vec![whole, moved];
    assert_eq!(asked(both), [Ok(()), Err(Reason::PlanExistsForYearPlan)]);
}
