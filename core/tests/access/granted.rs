//! What grants allow, and systems that act for people.

use planledger_core::access::{About, Action, Purpose, Role, Scope, Verdict, Who, WhyNot, decide};
use planledger_core::domain::Actor;
use planledger_core::domain::grants::{GrantDetails, GrantsCommand};
use planledger_core::domain::person::PersonCommand;
use planledger_core::domain::system::SystemCommand;
use planledger_core::ids::GrantsId;
use planledger_fixtures::Memory;
use planledger_fixtures::school::*;

use super::deciding::{
    ADMINISTRATOR, PLATFORM, THE_PLAN, a_world, allowed, ask, denied, details, grant_id, grants,
    platform,
};

#[test]
fn a_grant_holds_in_its_scope_from_its_first_day_to_its_last() {
    let mut memory = a_world();
    let today = Memory::NOW.day_in_denmark();
    let who = Actor::Person(PEDAGOGUE);
    let timed = GrantDetails {
        first_day: Some(today.tomorrow().unwrap()),
        last_day: Some(today.tomorrow().unwrap()),
        ..details(Role::Pedagogue, Scope::Student(STUDENT))
    };
    grants(&mut memory, 2, who, timed);
    let on = |memory: &Memory, day, about| {
        let verdict = decide(memory, day, &Who::new(who), Action::WritePlan, about).unwrap();
        verdict.is_allowed()
    };
    let (next, after) = (
        today.tomorrow().unwrap(),
        today.tomorrow().unwrap().tomorrow().unwrap(),
    );
    assert!(!on(&memory, today, THE_PLAN));
    assert!(on(&memory, next, THE_PLAN));
    assert!(on(&memory, next, About::Student(STUDENT)));
    assert!(!on(&memory, next, About::Student(CLASSMATE)));
    assert!(!on(&memory, after, THE_PLAN));
    let revoke = GrantsCommand::Revoke {
        grant: grant_id(2),
        grantee: who,
        reason: None,
    };
    memory.does(ADMINISTRATOR, (GrantsId::of(who), revoke));
    assert!(!on(&memory, next, THE_PLAN));
}

#[test]
fn a_grant_for_a_team_covers_its_students_and_one_for_an_institution_its_plans() {
    let mut memory = a_world();
    let who = Actor::Person(PEDAGOGUE);
    grants(
        &mut memory,
        2,
        who,
        details(Role::Teacher, Scope::Team(TEAM)),
    );
    let because = allowed(&memory, PEDAGOGUE, Action::WritePlan, THE_PLAN);
    assert_eq!(because.grant, Some(grant_id(2)));
    allowed(
        &memory,
        PEDAGOGUE,
        Action::WritePlan,
        About::Student(STUDENT),
    );
    denied(
        &memory,
        PEDAGOGUE,
        Action::WritePlan,
        About::Student(CLASSMATE),
        WhyNot::NotGranted,
    );
    let auditor = Actor::Person(NOBODY);
    let register = PersonCommand::Register {
        name: name("Revisor"),
    };
    memory.does(SYSTEM, (NOBODY, register));
    grants(
        &mut memory,
        3,
        auditor,
        details(Role::Auditor, Scope::Institution(SCHOOL)),
    );
    allowed(&memory, NOBODY, Action::ReadPlanAsStaff, THE_PLAN);
    denied(
        &memory,
        NOBODY,
        Action::ReadEvents,
        About::Municipality,
        WhyNot::NotGranted,
    );
    grants(
        &mut memory,
        4,
        auditor,
        details(Role::Auditor, Scope::Municipality),
    );
    allowed(&memory, NOBODY, Action::ReadEvents, About::Municipality);
    denied(
        &memory,
        NOBODY,
        Action::WritePlan,
        THE_PLAN,
        WhyNot::NotGranted,
    );
}

#[test]
fn a_grant_for_a_purpose_counts_only_for_a_request_that_says_it() {
    let mut memory = a_world();
    let who = Actor::Person(PEDAGOGUE);
    let only = GrantDetails {
        purpose: Some(Purpose::Counselling),
        ..details(Role::Pedagogue, Scope::Student(STUDENT))
    };
    grants(&mut memory, 2, who, only);
    let stated = |purpose| {
        let who = Who {
            purpose,
            ..Who::new(who)
        };
        ask(&memory, who, Action::ReadPlanAsStaff, THE_PLAN).is_allowed()
    };
    assert!(stated(Some(Purpose::Counselling)));
    assert!(!stated(None));
    assert!(!stated(Some(Purpose::Teaching)));
}

#[test]
fn a_system_acts_for_a_person_only_if_both_may() {
    let mut memory = a_world();
    platform(&mut memory, true);
    let read = Action::ReadPlanAsStaff;
    let acting = |memory: &Memory, person| {
        let who = Who {
            on_behalf_of: Some(person),
            ..Who::new(Actor::System(PLATFORM))
        };
        ask(memory, who, read, THE_PLAN)
    };
    let not_granted = Verdict::Denied(WhyNot::SystemNotGranted);
    assert_eq!(acting(&memory, TEACHER), not_granted);
    let of_school = details(Role::LearningPlatform, Scope::Institution(SCHOOL));
    grants(&mut memory, 2, Actor::System(PLATFORM), of_school);
    let Verdict::Allowed(because) = acting(&memory, TEACHER) else {
        panic!("both may");
    };
    assert_eq!(because.system, Some((Role::LearningPlatform, grant_id(2))));
    assert_eq!(because.role, Role::Teacher);
    assert_eq!(
        acting(&memory, PEDAGOGUE),
        Verdict::Denied(WhyNot::NotGranted)
    );
    // For itself it may read no plan.
    denied(
        &memory,
        Actor::System(PLATFORM),
        read,
        THE_PLAN,
        WhyNot::SystemNotGranted,
    );
    let mut memory = a_world();
    platform(&mut memory, false);
    let of_school = details(Role::LearningPlatform, Scope::Institution(SCHOOL));
    grants(&mut memory, 2, Actor::System(PLATFORM), of_school);
    assert_eq!(
        acting(&memory, TEACHER),
        Verdict::Denied(WhyNot::SystemForNobody)
    );
    memory.does(SYSTEM, (PLATFORM, SystemCommand::Revoke { reason: None }));
    assert_eq!(
        acting(&memory, TEACHER),
        Verdict::Denied(WhyNot::SystemRevoked)
    );
}

#[test]
fn ending_a_grant_needs_what_giving_it_needs() {
    let mut memory = a_world();
    let who = Actor::Person(PEDAGOGUE);
    grants(
        &mut memory,
        2,
        who,
        details(Role::Teacher, Scope::Team(TEAM)),
    );
    let revoke = Action::RevokeGrant;
    let staff = About::Grant(who, grant_id(2));
    allowed(&memory, LEADER, revoke, staff);
    allowed(&memory, ADMINISTRATOR, revoke, staff);
    denied(&memory, TEACHER, revoke, staff, WhyNot::NotGranted);
    let office = About::Grant(Actor::Person(ADMINISTRATOR), grant_id(1));
    denied(&memory, LEADER, revoke, office, WhyNot::NotGranted);
    // One that does not exist is no easier to end than any.
    let nothing = About::Grant(who, grant_id(9));
    denied(&memory, LEADER, revoke, nothing, WhyNot::NotGranted);
    allowed(&memory, ADMINISTRATOR, revoke, nothing);
}

#[test]
fn a_grant_for_a_team_gives_nothing_once_the_team_is_closed_or_deleted() {
    use planledger_core::domain::team::TeamCommand;
    let close = TeamCommand::Close { reason: None };
    let delete = TeamCommand::Delete { reason: None };
    for (end, back) in [
        (close, TeamCommand::Reopen),
        (delete, TeamCommand::Undelete),
    ] {
        let mut memory = a_world();
        let who = Actor::Person(PEDAGOGUE);
        let of_team = details(Role::Teacher, Scope::Team(TEAM));
        grants(&mut memory, 2, who, of_team);
        let student = About::Student(STUDENT);
        allowed(&memory, PEDAGOGUE, Action::ReadPlanAsStaff, THE_PLAN);
        memory.does(SYSTEM, (TEAM, end));
        for about in [THE_PLAN, student, About::Team(TEAM)] {
            let read = Action::ReadPlanAsStaff;
            denied(&memory, PEDAGOGUE, read, about, WhyNot::NotGranted);
        }
        // The plan keeps its owner and the school.
        allowed(&memory, TEACHER, Action::ReadPlanAsStaff, THE_PLAN);
        allowed(&memory, LEADER, Action::ReadPlanAsStaff, THE_PLAN);
        memory.does(SYSTEM, (TEAM, back));
        allowed(&memory, PEDAGOGUE, Action::ReadPlanAsStaff, student);
    }
}

#[test]
fn a_guardian_by_grant_sees_who_has_read_and_the_year_plans_of_the_childs_teams() {
    let mut memory = a_world();
    let register = PersonCommand::Register {
        name: name("Plejemor"),
    };
    memory.does(SYSTEM, (NOBODY, register));
    let who = Actor::Person(NOBODY);
    let about = [
        (Action::ReadAccessLog, About::Student(STUDENT)),
        (Action::ReadYearPlanAsAudience, About::YearPlan(YEAR_PLAN)),
        (Action::ReadPlanAsGuardians, THE_PLAN),
    ];
    for (action, about) in about {
        denied(&memory, NOBODY, action, about, WhyNot::NotGranted);
    }
    let of = |child| details(Role::Guardian, Scope::Student(child));
    grants(&mut memory, 2, who, of(STUDENT));
    for (action, about) in about {
        let because = allowed(&memory, NOBODY, action, about);
        assert_eq!(
            (because.role, because.grant),
            (Role::Guardian, Some(grant_id(2)))
        );
    }
    // Of other students nothing, and of the team its year plans and nothing else.
    for (action, about) in [
        (Action::ReadAccessLog, About::Student(CLASSMATE)),
        (Action::ReadYearPlanAsAudience, About::Team(TEAM)),
        (Action::ReadYearPlanAsStaff, About::YearPlan(YEAR_PLAN)),
        (Action::ReadRoster, About::Team(TEAM)),
    ] {
        let verdict = ask(&memory, Who::new(who), action, about);
        let is_of_the_childs_team =
            about == About::Team(TEAM) && action == Action::ReadYearPlanAsAudience;
        assert_eq!(
            verdict.is_allowed(),
            is_of_the_childs_team,
            "{action:?} {about:?}"
        );
    }
    // A teacher by grant for one student has no right on the team.
    let teacher = details(Role::Teacher, Scope::Student(STUDENT));
    grants(&mut memory, 3, Actor::Person(LEADER), teacher);
    let verdict = ask(
        &memory,
        Who::new(Actor::Person(LEADER)),
        Action::CreateYearPlan,
        About::Team(TEAM),
    );
    if let Verdict::Allowed(because) = verdict {
        assert_eq!(because.grant, None, "{because:?}");
    }
}
