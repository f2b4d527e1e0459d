//! Bad input, and the reason and field that it is told.

use std::collections::{BTreeMap, BTreeSet};

use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::{Actor, Field, Reason, Refusal, RequestField};
use planledger_core::ids::{PersonId, PlanId, RecoveryId, StreamId};
use planledger_core::recovery::{
    Fallback, RecoveryRequest, RestoreItem, Rule, RunError, Transfer, What, run, start, undo,
};

use crate::recovery::place::*;
use planledger_fixtures::school::*;

const UNKNOWN: PlanId = PlanId::from_bytes([0x8F; 16]);

#[track_caller]
fn refused(wish: &RecoveryRequest) -> (Reason, Option<Field>) {
    let (place, ledger) = FaultyLedger::with_school();
    place.departs(&ledger, PEDAGOGUE);
    let refusal = dry_run(&ledger, wish).unwrap_err();
    (refusal.reason, refusal.field)
}

#[test]
fn nobody_takes_over_who_cannot_own_anything() {
    let one = |person: PersonId| BTreeMap::from([(TEAMS[0], person)]);
    let subject = |person: PersonId| BTreeMap::from([(name("Dansk"), person)]);
    for (person, reason) in [
        (PEDAGOGUE, Reason::PersonDeparted),
        (STUDENT, Reason::NotStaff),
        (CLERK, Reason::NotStaff),
        (NOBODY, Reason::PersonNotFound),
    ] {
        for (rule, fallback, field) in [
            (
                Rule::To(person),
                Fallback::Leader,
                Field::Request(RequestField::TransferTo),
            ),
            (
                Rule::PerTeam(one(person)),
                Fallback::Leader,
                Field::Request(RequestField::TransferSuccessorOfTeam),
            ),
            (
                Rule::PerSubject(subject(person)),
                Fallback::Leader,
                Field::Request(RequestField::TransferSuccessorOfSubject),
            ),
            (
                Rule::Team,
                Fallback::To(person),
                Field::Request(RequestField::TransferFallback),
            ),
        ] {
            let wish = by_rule(TEACHER, rule, fallback);
            assert_eq!(refused(&wish), (reason, Some(field)));
        }
        let team = RestoreItem::Team {
            team: TEAM,
            with_contents: true,
        };
        let expected = (reason, Some(Field::Request(RequestField::RestoreGiveTo)));
        assert_eq!(refused(&restore(vec![team], Some(person))), expected);
    }
}

#[test]
fn a_transfer_to_oneself_of_nobody_or_of_nothing_is_refused() {
    let to = Some(Field::Request(RequestField::TransferTo));
    assert_eq!(
        refused(&all_to(TEACHER, TEACHER)),
        (Reason::AlreadyOwner, to)
    );
    assert_eq!(
        refused(&all_to(NOBODY, TEACHER)),
        (
            Reason::PersonNotFound,
            Some(Field::Request(RequestField::TransferFrom))
        )
    );
    assert_eq!(
        refused(&all_to(STEADY, TEACHER)),
        (Reason::NothingToDo, None)
    );
    assert_eq!(
        refused(&restore(Vec::new(), None)),
        (Reason::NothingToDo, None)
    );
}

fn selected(items: &[StreamId], to: PersonId) -> RecoveryRequest {
    RecoveryRequest::Transfer(Transfer {
        what: What::Items(items.iter().copied().collect()),
        rule: Rule::To(to),
        fallback: Fallback::Leader,
        reason: None,
    })
}

fn single(wish: &RecoveryRequest) -> Refusal {
    let (_place, ledger) = FaultyLedger::with_school();
    let mut items = dry_run(&ledger, wish).unwrap().items;
    assert_eq!(items.len(), 1);
    items.remove(0).step.unwrap_err()
}

#[test]
fn items_that_cannot_be_handed_over_say_why_each() {
    let one = |stream, to| single(&selected(&[stream], to)).reason;
    assert_eq!(one(PLAN.into(), TEACHER), Reason::AlreadyOwner);
    assert_eq!(one(PLAN.into(), ELSEWHERE), Reason::SuccessorElsewhere);
    assert_eq!(one(UNKNOWN.into(), STEADY), Reason::PlanNotFound);
    let team = planledger_core::ids::TeamId::from_bytes([0x4F; 16]);
    assert_eq!(one(team.into(), STEADY), Reason::TeamNotFound);
    assert_eq!(one(COMBINED.into(), STEADY), Reason::YearPlanNotFound);
}

#[test]
fn what_was_never_deleted_withdrawn_or_there_does_not_come_back() {
    let one = |item| single(&restore(vec![item], None)).reason;
    let with_contents = true;
    let year_plan = YEAR_PLAN;
    for (item, reason) in [
        (
            RestoreItem::Team {
                team: TEAM,
                with_contents,
            },
            Reason::NotDeleted,
        ),
        (
            RestoreItem::YearPlan {
                year_plan,
                with_contents,
            },
            Reason::NotDeleted,
        ),
        (
            RestoreItem::Unit {
                year_plan,
                unit: UNIT,
            },
            Reason::NotDeleted,
        ),
        (
            RestoreItem::Unit {
                year_plan,
                unit: OTHER_UNIT,
            },
            Reason::UnitNotFound,
        ),
        (RestoreItem::Plan { plan: PLAN }, Reason::NotWithdrawn),
        (RestoreItem::Plan { plan: UNKNOWN }, Reason::PlanNotFound),
        (
            RestoreItem::Move {
                plan: PLAN,
                to: YEAR_PLAN,
            },
            Reason::AlreadyThere,
        ),
        (
            RestoreItem::Move {
                plan: UNKNOWN,
                to: YEAR_PLAN,
            },
            Reason::PlanNotFound,
        ),
        (
            RestoreItem::YearPlan {
                year_plan: COMBINED,
                with_contents,
            },
            Reason::YearPlanNotFound,
        ),
    ] {
        assert_eq!(one(item.clone()), reason, "{item:?}");
    }
}

#[track_caller]
fn reason<T: std::fmt::Debug>(result: Result<T, RunError>) -> (Reason, Option<Field>) {
    match result {
        Err(RunError::Refused(refusal)) => (refusal.reason, refusal.field),
        other => panic!("{other:?}"),
    }
}

/// The two reasons that only dry runs give, which tests/domain leaves to this place.
#[test]
fn the_reasons_that_no_command_is_refused_for_are_given() {
    let (place, ledger) = FaultyLedger::with_school();
    let wish = by_rule(TEACHER, Rule::PerTeam(BTreeMap::new()), Fallback::Nobody);
    let proposal = dry_run(&ledger, &wish).unwrap();
    let reasons: BTreeSet<_> = proposal
        .items
        .iter()
        .map(|item| item.step.as_ref().unwrap_err().reason.code())
        .collect();
    assert_eq!(reasons, BTreeSet::from([Reason::NoSuccessor.code()]));
    // Nothing of it can be done, so it cannot be begun.
    let who = (Actor::Person(LEADER), None);
    let begun = start(
        &ledger,
        who,
        RECOVERY,
        &wish,
        &BTreeSet::new(),
        proposal.digest,
    );
    assert_eq!(reason(begun), (Reason::NothingToDo, None));

    let wish = all_to(TEACHER, STEADY);
    let digest = dry_run(&ledger, &wish).unwrap().digest;
    let transfer = PlanCommand::TransferOwnership {
        to: PEDAGOGUE,
        reason: None,
    };
    place.does(&ledger, TEACHER, (PLAN, transfer));
    let before = ledger.position();
    let begun = start(&ledger, who, RECOVERY, &wish, &BTreeSet::new(), digest);
    assert_eq!(
        reason(begun),
        (
            Reason::DryRunStale,
            Some(Field::Request(RequestField::Digest))
        )
    );
    assert_eq!(ledger.position(), before);
}

#[test]
fn nobody_who_left_begins_or_undoes_a_recovery_and_an_unknown_one_is_neither_run_nor_undone() {
    let (place, ledger) = FaultyLedger::with_school();
    let wish = all_to(TEACHER, STEADY);
    let digest = dry_run(&ledger, &wish).unwrap().digest;
    place.departs(&ledger, PEDAGOGUE);
    let left = Actor::Person(PEDAGOGUE);
    for who in [(left, None), (SYSTEM, Some(left))] {
        let begun = start(&ledger, who, RECOVERY, &wish, &BTreeSet::new(), digest);
        assert_eq!(reason(begun), (Reason::ActorDeparted, None));
    }
    let id = RecoveryId::from_bytes([0xEF; 16]);
    let expected = (Reason::RecoveryNotFound, Some(Field::Target));
    assert_eq!(reason(run(&ledger, id, &mut |_| {})), expected);
    assert_eq!(reason(undo(&ledger, (SYSTEM, None), id, None)), expected);
}
