//! A closed school and its successor: everything that is carried over, and taken back.

use std::collections::{BTreeMap, BTreeSet};

use planledger_core::domain::institution::InstitutionCommand;
use planledger_core::domain::person::{Affiliation, Evidence, PersonCommand, Role, RosterRecord};
use planledger_core::domain::recovery::{Phase, Step};
use planledger_core::domain::team::{StaffRole, TeamCommand, TeamDetails};
use planledger_core::domain::year_plan::Place;
use planledger_core::domain::{Aggregate, Field, Reason, RequestField};
use planledger_core::ids::{InstitutionId, PersonId, RecoveryId, StreamId, TeamId, YearPlanId};
use planledger_core::ledger::{Ledger, Preview};
use planledger_core::recovery::{
    Fallback, Merge, Rebuild, RecoveryRequest, RestoreItem, Rule, Why, leavers, open, ownerless,
    run, suggest, undo,
};

use crate::recovery::place::*;
use planledger_fixtures::school::*;

/// A team of the other school.
const THERE: TeamId = TeamId::from_bytes([0x4A; 16]);

fn merger(teams: &[(TeamId, TeamId)], fallback: Fallback) -> RecoveryRequest {
    RecoveryRequest::Merge(Merge {
        from: SCHOOL,
        to: OTHER_SCHOOL,
        teams: teams.iter().copied().collect(),
        fallback,
        reason: why("Lagt sammen"),
    })
}

fn plainly() -> RecoveryRequest {
    merger(&[], Fallback::Nobody)
}

/// The school is closed, its staff work at the other one, and the teacher who owned everything has
/// left.
fn merged() -> (FaultyLedger, Ledger) {
    let (place, ledger) = FaultyLedger::with_school();
    for person in [PEDAGOGUE, STEADY, LEADER, DEPUTY] {
        let role = match person == LEADER || person == DEPUTY {
            true => Role::Leader,
            false => Role::Teacher,
        };
        let put = put_person(OTHER_SCHOOL, role);
        place.does(&ledger, SYSTEM, (person, put));
    }
    place.departs(&ledger, TEACHER);
    let close = InstitutionCommand::Close { reason: None };
    place.does(&ledger, SYSTEM, (SCHOOL, close));
    (place, ledger)
}

fn team_there(place: &FaultyLedger, ledger: &Ledger, called: &str, members: &[PersonId]) {
    let put = TeamCommand::Put {
        details: TeamDetails {
            institution: OTHER_SCHOOL,
            title: title(called),
            subject: Some(name("Dansk")),
            ..team_details()
        },
        members: members.iter().copied().collect(),
        staff: BTreeMap::from([(PEDAGOGUE, StaffRole::Teacher)]),
        owner: Some(PEDAGOGUE),
        closed: false,
        source: None,
    };
    place.does(ledger, SYSTEM, (THERE, put));
}

fn places(ledger: &Ledger) -> Vec<(InstitutionId, TeamId)> {
    let teams = TEAMS.map(|team| match state(ledger, team) {
        Aggregate::Team(found) => (found.details.institution, team),
        other => panic!("{other:?}"),
    });
    let year_plans = YEAR_PLANS.map(|plan| place_of(ledger, plan));
    let year_plans = year_plans.map(|place| (place.institution, place.team));
    teams.into_iter().chain(year_plans).collect()
}

fn place_of(ledger: &Ledger, year_plan: YearPlanId) -> Place {
    match state(ledger, year_plan) {
        Aggregate::YearPlan(plan) => plan.details.place(),
        other => panic!("{other:?}"),
    }
}

fn succeeded_by(ledger: &Ledger, institution: InstitutionId) -> Option<InstitutionId> {
    match state(ledger, institution) {
        Aggregate::Institution(found) => found.succeeded_by,
        other => panic!("{other:?}"),
    }
}

/// Whoever an institution asks about, and the institutions of the last places; in pages of one person.
fn asked_about(ledger: &Ledger, institution: InstitutionId) -> Vec<(PersonId, InstitutionId)> {
    let mut all = Vec::new();
    loop {
        let after = all.last().map(|(person, _)| *person);
        let read = ledger.read(|reading| leavers(reading, institution, after, 1));
        let Some(found) = read.unwrap().0.into_iter().next() else {
            return all;
        };
        let mut places = found.evidence.iter().filter_map(|evidence| match evidence {
            Evidence::NoPlaceLeft { institution, .. } => Some(*institution),
            _ => None,
        });
        all.push((found.person, places.next_back().unwrap()));
    }
}

/// A roster has the person, at these institutions.
fn put_recorded(at: &[InstitutionId]) -> PersonCommand {
    let affiliations = at.iter().map(|institution| Affiliation {
        institution: *institution,
        role: Role::Teacher,
        grade: None,
    });
    PersonCommand::Put {
        name: name("Nogen"),
        affiliations: affiliations.collect(),
        departed: false,
        record: Some(RosterRecord {
            source: "Kommunen".parse().unwrap(),
            sourced_id: "n".parse().unwrap(),
            user_ids: Default::default(),
            enabled: true,
            enrolled: None,
            profiles: None,
        }),
    }
}

fn without_owner(ledger: &Ledger, institution: InstitutionId) -> Vec<StreamId> {
    let read = ledger.read(|reading| ownerless(reading, institution));
    read.unwrap().0.to_vec()
}

#[test]
fn everything_of_a_closed_school_goes_to_its_successor_and_back() {
    let (place, ledger) = merged();
    let (places_before, owners_before) = (places(&ledger), owners(&ledger));
    assert_eq!(without_owner(&ledger, SCHOOL), everything());
    // The leader of the successor gets what nobody is on the team for.
    let recovery = carry_out(&ledger, &merger(&[], Fallback::Leader));
    assert_eq!((recovery.steps.len(), recovery.left_out.len()), (12, 0));
    assert_eq!(succeeded_by(&ledger, SCHOOL), Some(OTHER_SCHOOL));
    let expected = places_before.iter().map(|(_, team)| (OTHER_SCHOOL, *team));
    assert_eq!(places(&ledger), expected.collect::<Vec<_>>());
    // The first team, its year plan and two plans; the second team, its year plan and one plan.
    let first = Some(PEDAGOGUE);
    let second = Some(LEADER);
    assert_eq!(
        owners(&ledger),
        [first, second, first, second, first, first, second]
    );
    for institution in [SCHOOL, OTHER_SCHOOL] {
        assert_eq!(without_owner(&ledger, institution), []);
    }
    // The plans can be worked on by who took them over.
    place.evaluates(&ledger, PEDAGOGUE, PLANS[0], 1);

    let who = (planledger_core::domain::Actor::Person(DEPUTY), None);
    undo(&ledger, who, RECOVERY, None).unwrap();
    let undone = run(&ledger, RECOVERY, &mut |_| {}).unwrap();
    assert_eq!(
        undone.phase,
        Phase::Undone {
            left_out: Vec::new()
        }
    );
    assert_eq!(places(&ledger), places_before);
    assert_eq!(owners(&ledger), owners_before);
    assert_eq!(succeeded_by(&ledger, SCHOOL), None);
    assert_eq!(without_owner(&ledger, SCHOOL), everything());
    assert_eq!(without_owner(&ledger, OTHER_SCHOOL), []);
}

#[test]
fn what_has_an_owner_keeps_it_and_what_nobody_fits_says_so() {
    let (place, ledger) = merged();
    place.does(&ledger, SYSTEM, (TEACHER, PersonCommand::Return));
    let proposal = dry_run(&ledger, &plainly()).unwrap();
    let (first, items) = proposal.items.split_first().unwrap();
    let succeed = Step::Succeed {
        institution: SCHOOL,
        from: None,
        to: OTHER_SCHOOL,
    };
    assert_eq!((&first.step, first.why), (&Ok(succeed), Why::Asked));
    let steps = items.iter().map(|item| item.step.as_ref().unwrap());
    assert!(
        steps
            .clone()
            .all(|step| matches!(step, Step::MoveTeam { .. } | Step::MoveYearPlan { .. }))
    );
    assert_eq!(steps.count(), 4);
    let of_closed = Why::OfClosedInstitution;
    assert!(items.iter().all(|item| item.why == of_closed));

    place.departs(&ledger, TEACHER);
    let proposal = dry_run(&ledger, &plainly()).unwrap();
    let refused = proposal.items.iter().filter_map(|item| match &item.step {
        Ok(_) => None,
        Err(refusal) => Some((item.stream, refusal.reason)),
    });
    // Only the teacher was on the staff of the second team.
    let stay = [TEAMS[1].into(), YEAR_PLANS[1].into(), PLANS[2].into()];
    let stay = stay.map(|stream: StreamId| (stream, Reason::NoSuccessor));
    assert_eq!(refused.collect::<Vec<_>>(), stay);
}

#[test]
fn year_plans_go_to_the_team_that_the_roster_has_made_for_the_same_students() {
    for (called, members, teams) in [
        ("Dansk", vec![STUDENT, CLASSMATE], vec![]),
        ("7.x", vec![STUDENT, CLASSMATE, CLERK], vec![]),
        // Named by who asks.
        ("7.x", vec![], vec![(TEAMS[0], THERE)]),
    ] {
        let (place, ledger) = merged();
        team_there(&place, &ledger, called, &members);
        let wish = merger(&teams, Fallback::Leader);
        let items = dry_run(&ledger, &wish).unwrap().items;
        let succeeded = items
            .iter()
            .find(|item| item.stream == YEAR_PLANS[0].into());
        assert_eq!(succeeded.unwrap().why, Why::SucceededBy(THERE));
        carry_out(&ledger, &wish);
        let new = Place {
            institution: OTHER_SCHOOL,
            team: THERE,
        };
        assert_eq!(place_of(&ledger, YEAR_PLANS[0]), new);
        assert_eq!(
            places(&ledger)[..2],
            [(SCHOOL, TEAMS[0]), (OTHER_SCHOOL, TEAMS[1])]
        );
        let owned = owner(&ledger, YEAR_PLANS[0].into());
        assert_eq!(owned, Some(PEDAGOGUE));
    }
    // Half of the students are no reason.
    let (place, ledger) = merged();
    team_there(&place, &ledger, "Dansk", &[STUDENT]);
    carry_out(&ledger, &plainly());
    assert_eq!(place_of(&ledger, YEAR_PLANS[0]).team, TEAMS[0]);
}

#[test]
fn a_merger_goes_on_after_a_kill_and_leaves_alone_what_others_moved() {
    let (place, ledger) = merged();
    begin(&ledger, LEADER, RECOVERY, &plainly());
    let moved = TeamCommand::Move {
        from: SCHOOL,
        to: OTHER_SCHOOL,
    };
    place.does(&ledger, LEADER, (TEAMS[0], moved));
    drop(ledger);
    place.forget_derived();
    let ledger = place.open();
    assert_eq!(open(&ledger).unwrap(), [RECOVERY]);
    let recovery = run(&ledger, RECOVERY, &mut |_| {}).unwrap();
    let left: Vec<_> = recovery.left_out.iter().map(|left| left.reason).collect();
    assert_eq!(left, [Reason::AlreadyThere]);
    let at: BTreeSet<_> = places(&ledger).iter().map(|(at, _)| *at).collect();
    assert_eq!(at, BTreeSet::from([OTHER_SCHOOL]));
}

/// A recovery is an act, also if a system begins it for nobody.
#[test]
fn the_next_import_takes_nothing_of_a_merger_back_that_a_system_began() {
    let (place, ledger) = merged();
    begin(&ledger, SYSTEM, RECOVERY, &plainly());
    let recovery = run(&ledger, RECOVERY, &mut |_| {}).unwrap();
    assert_eq!(recovery.left_out, []);
    let carried_over = places(&ledger);
    assert!(carried_over.iter().all(|(at, _)| *at == OTHER_SCHOOL));
    for team in TEAMS {
        let Aggregate::Team(found) = state(&ledger, team) else {
            panic!("{team}");
        };
        let put = TeamCommand::Put {
            details: TeamDetails {
                institution: SCHOOL,
                ..found.details
            },
            members: found.members,
            staff: found.staff,
            owner: None,
            closed: false,
            source: None,
        };
        place.does(&ledger, SYSTEM, (team, put));
    }
    assert_eq!(places(&ledger), carried_over);
}

#[test]
fn who_will_leave_keeps_what_they_own_until_the_end_of_the_last_day() {
    let (place, ledger) = merged();
    place.does(&ledger, SYSTEM, (TEACHER, PersonCommand::Return));
    let last_day = ledger.now().day_in_denmark().tomorrow().unwrap();
    let (on, reason) = (Some(last_day), None);
    place.does(
        &ledger,
        SYSTEM,
        (TEACHER, PersonCommand::Depart { on, reason }),
    );
    let owners_before = owners(&ledger);
    let recovery = carry_out(&ledger, &merger(&[], Fallback::Leader));
    assert_eq!((recovery.steps.len(), recovery.left_out.len()), (5, 0));
    assert_eq!(owners(&ledger), owners_before);
}

/// Those whom a roster takes out of the closed school and puts nowhere.
#[test]
fn the_successor_asks_about_who_had_the_last_place_at_the_closed_school() {
    let (place, ledger) = merged();
    let last_here = |ledger: &Ledger, person, at| {
        place.does(ledger, SYSTEM, (person, put_recorded(&[at])));
        place.does(ledger, SYSTEM, (person, put_recorded(&[])));
    };
    last_here(&ledger, STEADY, SCHOOL);
    last_here(&ledger, ELSEWHERE, OTHER_SCHOOL);
    let here = [(STEADY, SCHOOL)];
    let there = [(ELSEWHERE, OTHER_SCHOOL)];
    assert_eq!(asked_about(&ledger, SCHOOL), here);
    assert_eq!(asked_about(&ledger, OTHER_SCHOOL), there);

    carry_out(&ledger, &plainly());
    let both = [(STEADY, SCHOOL), (ELSEWHERE, OTHER_SCHOOL)];
    assert_eq!(asked_about(&ledger, SCHOOL), []);
    assert_eq!(asked_about(&ledger, OTHER_SCHOOL), both);
    // Also about who has the last place there afterwards.
    last_here(&ledger, PEDAGOGUE, SCHOOL);
    let all = [(PEDAGOGUE, SCHOOL), both[0], both[1]];
    assert_eq!(asked_about(&ledger, OTHER_SCHOOL), all);
    // Everybody is asked about once, and decided about with the same evidence.
    let preview = Preview::new(ledger.clone()).leavers().unwrap();
    let foreseen: Vec<_> = preview
        .iter()
        .map(|it| (it.institution, it.person))
        .collect();
    let at_successor = all.map(|(person, _)| (OTHER_SCHOOL, person));
    assert_eq!(foreseen, at_successor);
    let evidence = preview[0].evidence.clone();
    let dismiss = PersonCommand::DecideSuggestion {
        evidence,
        confirmed: false,
        last_day: None,
        reason: None,
    };
    place.does(&ledger, LEADER, (PEDAGOGUE, dismiss));
    assert_eq!(asked_about(&ledger, OTHER_SCHOOL), both);
    // The same merger again has nothing to do, and what is derived anew says the same.
    assert_eq!(
        dry_run(&ledger, &plainly()).unwrap_err().reason,
        Reason::NothingToDo
    );
    drop(ledger);
    place.forget_derived();
    let ledger = place.open();
    assert_eq!(asked_about(&ledger, OTHER_SCHOOL), both);

    let who = (planledger_core::domain::Actor::Person(DEPUTY), None);
    undo(&ledger, who, RECOVERY, None).unwrap();
    run(&ledger, RECOVERY, &mut |_| {}).unwrap();
    assert_eq!(asked_about(&ledger, SCHOOL), here);
    assert_eq!(asked_about(&ledger, OTHER_SCHOOL), there);
}

/// The successor closes too, and then the first school is in use again.
#[test]
fn the_last_of_those_who_succeeded_each_other_asks_and_nobody_asks_twice() {
    const THIRD: InstitutionId = InstitutionId::from_bytes([0x13; 16]);
    const BACK: RecoveryId = RecoveryId::from_bytes([0xE2; 16]);
    let (place, ledger) = merged();
    place.does(&ledger, SYSTEM, (STEADY, put_recorded(&[SCHOOL])));
    place.does(&ledger, SYSTEM, (STEADY, put_recorded(&[])));
    let details = institution_details("Den tredje");
    place.does(
        &ledger,
        SYSTEM,
        (THIRD, InstitutionCommand::Register(details)),
    );
    let asking = |ledger: &Ledger| {
        let all = [SCHOOL, OTHER_SCHOOL, THIRD];
        let asking = all
            .into_iter()
            .filter(|at| !asked_about(ledger, *at).is_empty());
        asking.collect::<Vec<_>>()
    };
    let close = || InstitutionCommand::Close { reason: None };
    let merge = |from, to| {
        RecoveryRequest::Merge(Merge {
            from,
            to,
            teams: BTreeMap::new(),
            fallback: Fallback::Nobody,
            reason: None,
        })
    };
    carry_out(&ledger, &plainly());
    assert_eq!(asking(&ledger), [OTHER_SCHOOL]);
    place.does(&ledger, SYSTEM, (OTHER_SCHOOL, close()));
    begin(&ledger, LEADER, BACK, &merge(OTHER_SCHOOL, THIRD));
    run(&ledger, BACK, &mut |_| {}).unwrap();
    assert_eq!(asking(&ledger), [THIRD]);
    // Whoever is in use again carries on, and can be the successor of who was its own.
    place.does(&ledger, LEADER, (SCHOOL, InstitutionCommand::Reopen));
    assert_eq!(asking(&ledger), [SCHOOL]);
    place.does(&ledger, LEADER, (THIRD, close()));
    let succeed = InstitutionCommand::Succeed {
        from: None,
        to: SCHOOL,
    };
    place.does(&ledger, LEADER, (THIRD, succeed));
    place.does(&ledger, LEADER, (SCHOOL, close()));
    assert_eq!(asking(&ledger), [SCHOOL]);
    // A circle, which only undoing can make, leads nowhere: then the school asks for itself.
    place.does(&ledger, LEADER, (OTHER_SCHOOL, InstitutionCommand::Reopen));
    let succeed = InstitutionCommand::Succeed {
        from: None,
        to: OTHER_SCHOOL,
    };
    place.does(&ledger, LEADER, (SCHOOL, succeed));
    assert_eq!(asking(&ledger), [OTHER_SCHOOL]);
    let back = InstitutionCommand::SucceedBack {
        from: OTHER_SCHOOL,
        to: Some(THIRD),
    };
    place.does(&ledger, LEADER, (SCHOOL, back));
    assert_eq!(asking(&ledger), [SCHOOL]);
}

#[test]
fn a_merger_the_wrong_way_round_is_refused() {
    let (place, ledger) = FaultyLedger::with_school();
    let refused = |wish: &RecoveryRequest| {
        let refusal = dry_run(&ledger, wish).unwrap_err();
        (refusal.reason, refusal.field)
    };
    let at = |field| Some(Field::Request(field));
    assert_eq!(
        refused(&plainly()),
        (Reason::NotClosed, at(RequestField::MergeFrom))
    );
    let close = InstitutionCommand::Close { reason: None };
    place.does(&ledger, SYSTEM, (SCHOOL, close.clone()));
    let teams = [(TEAMS[0], TEAMS[1])];
    assert_eq!(
        refused(&merger(&teams, Fallback::Nobody)),
        (Reason::TeamElsewhere, at(RequestField::MergeTeam))
    );
    place.does(&ledger, SYSTEM, (OTHER_SCHOOL, close));
    assert_eq!(
        refused(&plainly()),
        (Reason::InstitutionClosed, at(RequestField::MergeTo))
    );
}

/// Case 16, without a merger: each single way leads on.
#[test]
fn who_shares_the_team_is_found_by_every_rule_and_a_year_plan_is_rebuilt_at_the_successor() {
    let (_place, ledger) = merged();
    let all = everything();
    let first = [0, 2, 4, 5].map(|index| all[index]);
    let found = ledger.read(|reading| suggest(reading, YEAR_PLANS[0].into()));
    let found: Vec<_> = found.unwrap().0.iter().map(|found| found.person).collect();
    assert_eq!(found, [PEDAGOGUE, STEADY]);
    for wish in [
        all_to(TEACHER, STEADY),
        by_rule(TEACHER, Rule::Team, Fallback::Nobody),
    ] {
        let items = dry_run(&ledger, &wish).unwrap().items;
        let done = items.iter().filter(|item| item.step.is_ok());
        assert_eq!(done.map(|item| item.stream).collect::<Vec<_>>(), first);
    }
    let rebuild = |institution| {
        let rebuild = RestoreItem::Rebuild(Rebuild {
            from: YEAR_PLANS[0],
            year_plan: COMBINED,
            title: None,
            team: None,
            institution,
            owner: None,
        });
        restore(vec![rebuild], Some(STEADY))
    };
    let items = dry_run(&ledger, &rebuild(None)).unwrap().items;
    assert!(items.iter().all(|item| item.step.is_err()));
    let refused = items[0].step.as_ref().unwrap_err();
    assert_eq!(refused.reason, Reason::InstitutionClosed);
    let recovery = carry_out(&ledger, &rebuild(Some(OTHER_SCHOOL)));
    assert_eq!(recovery.left_out, []);
    assert_eq!(place_of(&ledger, COMBINED).institution, OTHER_SCHOOL);
    for stream in [COMBINED.into(), PLANS[0].into(), PLANS[1].into()] {
        assert_eq!(owner(&ledger, stream), Some(STEADY));
    }
}
