//! Whoever names in a command what they may not see is told what they are told of an id that does not
//! exist.

use std::collections::BTreeSet;

use planledger_core::access::{About, Action, Role, Scope, Verdict, Who, decide as may, unseen};
use planledger_core::domain::grants::GrantsCommand;
use planledger_core::domain::institution::{GoalRef, InstitutionCommand};
use planledger_core::domain::person::{Affiliation, Guardianship, PersonCommand, Role as Place};
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::team::{StaffRole, TeamCommand, TeamDetails};
use planledger_core::domain::world::Context;
use planledger_core::domain::year_plan::{YearPlanCommand, YearPlanDetails};
use planledger_core::domain::{Actor, Command, Reason, Stop, Without, World, decide};
use planledger_core::ids::{
    EvaluationId, GrantsId, InstitutionId, PersonId, PlanId, StreamId, SurveyDiscussionId, TalkId,
    TeamId, YearPlanId,
};
use planledger_fixtures::school::*;
use planledger_fixtures::{IntoCommand, Memory, commands};
use proptest::prelude::*;
use uuid::Uuid;

use super::deciding::{details, grant_id, grants};
use super::histories::{EVERYBODY, act, after};

/// People and things of the other school, whom nobody of the first one knows of.
const THEIR_TEACHER: PersonId = PersonId::from_bytes([0x3A; 16]);
const THEIR_STUDENT: PersonId = PersonId::from_bytes([0x3B; 16]);
const GONE: PersonId = PersonId::from_bytes([0x3C; 16]);
const THEIR_TEAM: TeamId = TeamId::from_bytes([0x4A; 16]);
const THEIR_YEAR_PLAN: YearPlanId = YearPlanId::from_bytes([0x5A; 16]);
/// An id that nobody has.
const FRESH: Uuid = Uuid::from_bytes([0xEE; 16]);
const NEW_TEAM: TeamId = TeamId::from_bytes([0x4E; 16]);
const NEW_YEAR_PLAN: YearPlanId = YearPlanId::from_bytes([0x5E; 16]);
const NEW_PLAN: PlanId = PlanId::from_bytes([0x8E; 16]);

fn their_team() -> TeamDetails {
    TeamDetails {
        institution: OTHER_SCHOOL,
        ..team_details()
    }
}

/// Both schools, after something happened at the first one.
fn both(acts: &[Command]) -> Memory {
    let mut memory = after(acts);
    for (person, role) in [
        (THEIR_TEACHER, Place::Teacher),
        (THEIR_STUDENT, Place::Student),
        (GONE, Place::Teacher),
    ] {
        let name = name("Fremmed");
        memory.does(SYSTEM, (person, PersonCommand::Register { name }));
        let place = PersonCommand::SetAffiliation(affiliation(OTHER_SCHOOL, role));
        memory.does(SYSTEM, (person, place));
    }
    memory.does(SYSTEM, (GONE, commands::depart()));
    let create = TeamCommand::Create {
        details: their_team(),
        owner: Some(THEIR_TEACHER),
    };
    memory.does(SYSTEM, (THEIR_TEAM, create));
    let plan = YearPlanDetails {
        institution: OTHER_SCHOOL,
        team: THEIR_TEAM,
        ..subject_year_plan()
    };
    let create = commands::create_year_plan(plan, THEIR_TEACHER);
    memory.does(SYSTEM, (THEIR_YEAR_PLAN, create));
    memory
}

/// Commands that name something, by its id.
fn naming(id: Uuid) -> Vec<Command> {
    let person = PersonId::from_uuid(id);
    let actor = Actor::Person(person);
    let (team, year_plan) = (TeamId::from_uuid(id), YearPlanId::from_uuid(id));
    let institution = InstitutionId::from_uuid(id);
    let unit = unit_in(year_plan, UNIT);
    let reason = None;
    let held = planledger_core::domain::plan::TalkDetails {
        held_by: BTreeSet::from([TEACHER, person]),
        ..talk("aftalt")
    };
    let survey = planledger_core::domain::institution::SurveyDetails {
        goals: BTreeSet::from([GoalRef {
            year_plan,
            goal: SUBJECT_GOAL,
        }]),
        ..survey_details("aftalt")
    };
    let grant = |scope, role| GrantsCommand::Grant {
        grant: grant_id(9),
        grantee: actor,
        details: details(role, scope),
    };
    let discussion = SurveyDiscussionId::from_bytes([0xDE; 16]);
    vec![
        (TEAM, TeamCommand::TransferOwnership { to: person, reason }).into_command(),
        (TEAM, TeamCommand::AddMember { student: person }).into_command(),
        (TEAM, TeamCommand::RemoveMember { student: person }).into_command(),
        (
            TEAM,
            TeamCommand::AddStaff {
                person,
                role: StaffRole::Teacher,
            },
        )
            .into_command(),
        (TEAM, TeamCommand::RemoveStaff { person }).into_command(),
        (
            NEW_TEAM,
            TeamCommand::Create {
                details: team_details(),
                owner: Some(person),
            },
        )
            .into_command(),
        (
            TEAM,
            TeamCommand::Revise(TeamDetails {
                institution,
                ..team_details()
            }),
        )
            .into_command(),
        (
            YEAR_PLAN,
            YearPlanCommand::TransferOwnership {
                to: person,
                reason: None,
            },
        )
            .into_command(),
        (
            NEW_YEAR_PLAN,
            commands::create_year_plan(subject_year_plan(), person),
        )
            .into_command(),
        (
            NEW_YEAR_PLAN,
            commands::create_year_plan(
                YearPlanDetails {
                    team,
                    ..subject_year_plan()
                },
                TEACHER,
            ),
        )
            .into_command(),
        (
            YEAR_PLAN,
            YearPlanCommand::MoveToInstitution {
                to: SCHOOL,
                team: Some(team),
                reason: None,
            },
        )
            .into_command(),
        (
            PLAN,
            PlanCommand::TransferOwnership {
                to: person,
                reason: None,
            },
        )
            .into_command(),
        (
            PLAN,
            commands::record_talk(TalkId::from_bytes([0xAE; 16]), held),
        )
            .into_command(),
        (
            NEW_PLAN,
            commands::open_plan(CLASSMATE, YEAR_PLAN, Some(person)),
        )
            .into_command(),
        (NEW_PLAN, commands::open_plan(person, YEAR_PLAN, None)).into_command(),
        (NEW_PLAN, commands::open_plan(STUDENT, year_plan, None)).into_command(),
        (
            PLAN,
            PlanCommand::MoveToYearPlan {
                to: year_plan,
                reason: None,
            },
        )
            .into_command(),
        (PLAN, PlanCommand::ExcludeUnit(unit)).into_command(),
        (
            PLAN,
            commands::record_evaluation(
                EvaluationId::from_bytes([0x9E; 16]),
                unit,
                SUBJECT_GOAL,
                level(1),
            ),
        )
            .into_command(),
        (
            SCHOOL,
            InstitutionCommand::RecordSurveyDiscussion {
                discussion,
                details: survey,
            },
        )
            .into_command(),
        (GrantsId::of(actor), grant(Scope::Team(TEAM), Role::Teacher)).into_command(),
        (
            GrantsId::of(actor),
            grant(Scope::Student(STUDENT), Role::Pedagogue),
        )
            .into_command(),
        (
            STUDENT,
            PersonCommand::SetGuardianship(Guardianship {
                guardian: person,
                last_day: None,
            }),
        )
            .into_command(),
        (
            CLASSMATE,
            PersonCommand::SetAffiliation(Affiliation {
                institution,
                ..affiliation(SCHOOL, Place::Student)
            }),
        )
            .into_command(),
    ]
}

/// What the sender of a command is told, and what of the command was unseen.
fn told(memory: &Memory, who: PersonId, command: &Command) -> (String, BTreeSet<StreamId>) {
    let asks = Who::new(Actor::Person(who));
    let today = memory.day();
    let hidden = unseen(memory, today, &asks, command).unwrap();
    for (action, about) in Action::needed_for(command) {
        let verdict = may(memory, today, &asks, action, about).unwrap();
        if matches!(verdict, Verdict::Denied(_)) {
            return ("ACCESS_DENIED".to_owned(), hidden);
        }
    }
    let context = Context::new(Actor::Person(who), Memory::NOW);
    let told = match decide(&Without::new(memory, &hidden), &context, command) {
        Ok(decision) => format!("{decision:?}"),
        Err(Stop::Refused(refusal)) => format!("{refusal:?}"),
        Err(Stop::Unread(error)) => panic!("{error}"),
    };
    (told, hidden)
}

/// Whether somebody may read what has this id.
fn sees(memory: &Memory, who: PersonId, id: Uuid) -> bool {
    let asks = Who::new(Actor::Person(who));
    let reads = |action, about| {
        let verdict = may(memory, memory.day(), &asks, action, about);
        verdict.unwrap().is_allowed()
    };
    let year_plan = About::YearPlan(YearPlanId::from_uuid(id));
    reads(Action::ReadRoster, About::Person(PersonId::from_uuid(id)))
        || reads(Action::ReadRoster, About::Team(TeamId::from_uuid(id)))
        || reads(Action::ReadRoster, year_plan)
        || reads(Action::ReadYearPlanAsStaff, year_plan)
        || reads(Action::ReadYearPlanAsAudience, year_plan)
}

/// The id, and the grants of whoever has it, as the ones of nobody.
fn masked(told: &str, id: Uuid) -> String {
    let grants = |id| {
        let actor = Actor::Person(PersonId::from_uuid(id));
        GrantsId::of(actor).to_string()
    };
    let told = told.replace(&id.to_string(), &FRESH.to_string());
    told.replace(&grants(id), &grants(FRESH))
}

#[test]
fn an_owner_whom_the_sender_may_not_see_is_not_found_whoever_it_is() {
    let memory = both(&[]);
    for hidden in [THEIR_TEACHER, THEIR_STUDENT, GONE] {
        let to = hidden;
        let command = (
            YEAR_PLAN,
            YearPlanCommand::TransferOwnership { to, reason: None },
        );
        let command = command.into_command();
        // By the rules alone each of them would be told apart.
        let refused = memory.decide(TEACHER, &command).unwrap_err();
        assert_ne!(refused.reason, Reason::PersonNotFound);
        let (told, unseen) = told(&memory, TEACHER, &command);
        assert_eq!(unseen, BTreeSet::from([hidden.into()]));
        assert!(told.contains("PersonNotFound"), "{told}");
    }
    // A colleague is seen.
    let to = PEDAGOGUE;
    let command = (
        YEAR_PLAN,
        YearPlanCommand::TransferOwnership { to, reason: None },
    );
    let (told, unseen) = told(&memory, TEACHER, &command.into_command());
    assert!(unseen.is_empty());
    assert!(told.starts_with("Decision"), "{told}");
}

/// Somebody of another school who is on the staff of the team is seen through it.
#[test]
fn whoever_is_named_by_the_thing_itself_is_seen() {
    let mut memory = both(&[]);
    let command = |to| {
        let transfer = YearPlanCommand::TransferOwnership { to, reason: None };
        (YEAR_PLAN, transfer).into_command()
    };
    let person = THEIR_TEACHER;
    let role = StaffRole::Teacher;
    memory.does(SYSTEM, (TEAM, TeamCommand::AddStaff { person, role }));
    let (told, unseen) = told(&memory, TEACHER, &command(person));
    assert!(unseen.is_empty(), "{unseen:?}");
    assert!(told.starts_with("Decision"), "{told}");
}

/// Administrators see everybody, so they may bring anybody anywhere.
#[test]
fn an_administrator_names_anybody() {
    let mut memory = both(&[]);
    let auditor = Actor::Person(LEADER);
    grants(
        &mut memory,
        8,
        auditor,
        details(Role::Auditor, Scope::Municipality),
    );
    for id in [THEIR_TEACHER.uuid(), THEIR_STUDENT.uuid(), GONE.uuid()] {
        for command in naming(id) {
            let asks = Who::new(Actor::Person(CLERK));
            let hidden = unseen(&memory, memory.day(), &asks, &command).unwrap();
            assert!(
                !hidden.contains(&PersonId::from_uuid(id).into()),
                "{command:?}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn an_unseen_id_is_answered_like_one_that_does_not_exist(
        acts in prop::collection::vec(act(), 0..12),
        who in prop::sample::select(EVERYBODY.to_vec()),
    ) {
        let memory = both(&acts);
        let people = [THEIR_TEACHER, THEIR_STUDENT, GONE].map(|person| person.uuid());
        let theirs = [people.as_slice(), &[THEIR_TEAM.uuid(), THEIR_YEAR_PLAN.uuid()]].concat();
        let others = EVERYBODY.map(|person| person.uuid());
        for id in theirs.iter().chain(&others).chain(&[OTHER_SCHOOL.uuid()]).copied() {
            for (named, fresh) in naming(id).iter().zip(naming(FRESH)) {
                let (of_named, unseen) = told(&memory, who, named);
                let (of_fresh, none) = told(&memory, who, &fresh);
                prop_assert!(none.iter().all(|stream| stream.id != FRESH));
                // Nothing of the first school names those of the other one.
                let strange = theirs.contains(&id) && !sees(&memory, who, id);
                // The right that the command needs can be about the unseen thing itself.
                let denied = of_named == "ACCESS_DENIED" && !sees(&memory, who, id);
                let is_unseen = unseen.iter().any(|stream| stream.id == id);
                if !strange && !denied && !is_unseen {
                    continue;
                }
                prop_assert_eq!(masked(&of_named, id), of_fresh, "{:?}", named);
            }
        }
    }
}
