//! The dry run of a transfer: who gets what by which rule, and why.

use std::collections::{BTreeMap, BTreeSet};

use planledger_core::domain::person::Role;
use planledger_core::domain::recovery::Step;
use planledger_core::domain::{Command, Reason};
use planledger_core::ids::{PersonId, StreamId};
use planledger_core::recovery::{Fallback, Proposal, RecoveryRequest, Rule, Transfer, What, Why};

use crate::recovery::place::*;
use planledger_fixtures::school::*;

/// Each item: who gets it, or why nobody does, and why so.
fn outcome(proposal: &Proposal) -> Vec<(StreamId, Result<PersonId, Reason>, Why)> {
    let items = proposal.items.iter();
    items
        .map(|item| {
            let to = match &item.step {
                Ok(
                    Step::TeamOwner { to, .. }
                    | Step::YearPlanOwner { to, .. }
                    | Step::PlanOwner { to, .. },
                ) => Ok(*to),
                Ok(other) => panic!("{other:?}"),
                Err(refusal) => Err(refusal.reason),
            };
            (item.stream, to, item.why)
        })
        .collect()
}

#[track_caller]
fn proposes(
    rule: Rule,
    fallback: Fallback,
    expected: impl Fn(StreamId) -> (Result<PersonId, Reason>, Why),
) {
    let (place, ledger) = FaultyLedger::with_school();
    place.evaluates(&ledger, STEADY, PLANS[0], 2);
    place.evaluates(&ledger, PEDAGOGUE, PLANS[1], 1);
    // More than anybody, but owns it already; and a leader who is not on the team.
    place.evaluates(&ledger, TEACHER, PLANS[0], 3);
    place.evaluates(&ledger, LEADER, PLANS[0], 3);
    place.departs(&ledger, TEACHER);
    let proposal = dry_run(&ledger, &by_rule(TEACHER, rule, fallback)).unwrap();
    let expected = everything().into_iter().map(|stream| {
        let (to, why) = expected(stream);
        (stream, to, why)
    });
    assert_eq!(outcome(&proposal), expected.collect::<Vec<_>>());
}

/// Of the first team, which has staff to take over.
fn is_first(stream: StreamId) -> bool {
    let first: [StreamId; 4] = [
        TEAMS[0].into(),
        YEAR_PLANS[0].into(),
        PLANS[0].into(),
        PLANS[1].into(),
    ];
    first.contains(&stream)
}

/// What each way to fall back comes to.
fn fallbacks() -> [(Fallback, Result<PersonId, Reason>, Why); 4] {
    [
        (Fallback::Nobody, Err(Reason::NoSuccessor), Why::Asked),
        (Fallback::To(STEADY), Ok(STEADY), Why::Fallback),
        (
            Fallback::To(ELSEWHERE),
            Err(Reason::SuccessorElsewhere),
            Why::Asked,
        ),
        (Fallback::Leader, Ok(LEADER), Why::Fallback),
    ]
}

#[test]
fn one_person_gets_everything_and_nobody_else_does_whatever_the_fallback() {
    for (fallback, ..) in fallbacks() {
        proposes(Rule::To(PEDAGOGUE), fallback, |_| {
            (Ok(PEDAGOGUE), Why::Asked)
        });
        proposes(Rule::To(ELSEWHERE), fallback, |_| {
            (Err(Reason::SuccessorElsewhere), Why::Asked)
        });
    }
}

#[test]
fn who_evaluates_most_on_the_team_takes_over_and_else_the_fallback_does() {
    for (fallback, to, why) in fallbacks() {
        proposes(Rule::Team, fallback, |stream| {
            let most = |person, evaluations| (Ok(person), Why::EvaluatesMost { evaluations });
            match () {
                () if stream == PLANS[1].into() => most(PEDAGOGUE, 1),
                () if is_first(stream) => most(STEADY, 2),
                () => (to, why),
            }
        });
    }
}

#[test]
fn who_shares_the_team_takes_over_where_nobody_evaluated() {
    let (_place, ledger) = FaultyLedger::with_school();
    let request = by_rule(TEACHER, Rule::Team, Fallback::Nobody);
    for item in outcome(&dry_run(&ledger, &request).unwrap()) {
        let expected = match is_first(item.0) {
            true => (Ok(PEDAGOGUE), Why::SharesTeam),
            false => (Err(Reason::NoSuccessor), Why::Asked),
        };
        assert_eq!((item.1, item.2), expected);
    }
}

#[test]
fn who_is_named_for_a_team_or_subject_takes_over_and_else_the_fallback_does() {
    for (fallback, to, why) in fallbacks() {
        let named = Rule::PerTeam(BTreeMap::from([(TEAMS[0], STEADY)]));
        proposes(named, fallback, |stream| match is_first(stream) {
            true => (Ok(STEADY), Why::NamedForTeam),
            false => (to, why),
        });
        let named = Rule::PerSubject(BTreeMap::from([(name("Matematik"), STEADY)]));
        proposes(named, fallback, |stream| match is_first(stream) {
            true => (to, why),
            false => (Ok(STEADY), Why::NamedForSubject),
        });
    }
}

#[test]
fn a_leader_who_owns_it_is_not_the_fallback_for_it_and_one_who_left_is_not_either() {
    let (place, ledger) = FaultyLedger::with_school();
    let named = || Rule::PerTeam(BTreeMap::new());
    let first = |owner| {
        let items = outcome(&dry_run(&ledger, &by_rule(owner, named(), Fallback::Leader)).unwrap());
        items[0].1
    };
    assert_eq!(first(TEACHER), Ok(LEADER));
    place.departs(&ledger, LEADER);
    assert_eq!(first(TEACHER), Ok(DEPUTY));
    let role = Role::Teacher;
    let no_leader = put_person(SCHOOL, role);
    place.does(&ledger, SYSTEM, Command::Person(DEPUTY, no_leader));
    assert_eq!(first(TEACHER), Err(Reason::NoSuccessor));
}

/// The leaders are looked up once for each institution, but the owner may be another each time.
#[test]
fn things_of_two_leaders_fall_back_on_a_leader_who_does_not_own_them() {
    let (place, ledger) = FaultyLedger::with_school();
    for (plan, to) in [(PLANS[0], LEADER), (PLANS[1], DEPUTY)] {
        let transfer =
            planledger_core::domain::plan::PlanCommand::TransferOwnership { to, reason: None };
        place.does(&ledger, SYSTEM, (plan, transfer));
    }
    let request = RecoveryRequest::Transfer(Transfer {
        what: What::Items(PLANS.map(StreamId::from).into()),
        rule: Rule::PerTeam(BTreeMap::new()),
        fallback: Fallback::Leader,
        reason: None,
    });
    let to: Vec<_> = outcome(&dry_run(&ledger, &request).unwrap())
        .into_iter()
        .map(|item| item.1)
        .collect();
    assert_eq!(to, [Ok(DEPUTY), Ok(LEADER), Ok(LEADER)]);
}

#[test]
fn a_selection_or_one_institution_is_proposed_and_nothing_else() {
    let (_place, ledger) = FaultyLedger::with_school();
    let items: BTreeSet<StreamId> = [TEAMS[1].into(), PLANS[0].into()].into();
    let request = |what| {
        RecoveryRequest::Transfer(Transfer {
            what,
            rule: Rule::To(STEADY),
            fallback: Fallback::Nobody,
            reason: None,
        })
    };
    let found = dry_run(&ledger, &request(What::Items(items.clone()))).unwrap();
    let streams: BTreeSet<_> = found.items.iter().map(|item| item.stream).collect();
    assert_eq!(streams, items);
    let at = |institution| {
        let (of, institution) = (TEACHER, Some(institution));
        dry_run(&ledger, &request(What::Everything { of, institution }))
    };
    assert_eq!(at(SCHOOL).unwrap().items.len(), everything().len());
    assert_eq!(at(OTHER_SCHOOL).unwrap_err().reason, Reason::NothingToDo);
}

#[test]
fn a_dry_run_is_the_same_until_something_that_it_rests_on_changes() {
    let (place, ledger) = FaultyLedger::with_school();
    let request = by_rule(TEACHER, Rule::Team, Fallback::Leader);
    let first = dry_run(&ledger, &request).unwrap();
    place.evaluates(&ledger, PEDAGOGUE, PLANS[0], 1);
    assert_eq!(dry_run(&ledger, &request).unwrap().digest, first.digest);
    place.evaluates(&ledger, STEADY, PLANS[0], 2);
    assert_ne!(dry_run(&ledger, &request).unwrap().digest, first.digest);
}
