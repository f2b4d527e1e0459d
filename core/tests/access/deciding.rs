//! Who stands in which relation to what, by examples.

use planledger_core::access::{
    About, Action, Because, Relation, Role, Scope, Verdict, Who, WhyNot, decide,
};
use planledger_core::domain::Actor;
use planledger_core::domain::grants::{GrantDetails, GrantsCommand};
use planledger_core::domain::person::{Affiliation, PersonCommand, Role as Place, RosterRecord};
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::system::{SystemCommand, SystemDetails, SystemIdentity, SystemKind};
use planledger_core::domain::team::{StaffRole, TeamCommand};
use planledger_core::domain::year_plan::YearPlanCommand;
use planledger_core::ids::{GrantId, GrantsId, PersonId, SystemId, TeamId};
use planledger_core::text::{ExternalId, IdentityText, SourceName};
use planledger_fixtures::school::*;
use planledger_fixtures::{ActsAs, Memory};

pub(super) const PLATFORM: SystemId = SystemId::from_bytes([0xAB; 16]);
pub(super) const ADMINISTRATOR: PersonId = CLERK;
const FATHER: PersonId = GUARDIAN;
const PARALLEL_TEAM: TeamId = TeamId::from_bytes([0x42; 16]);

/// A school with a plan, a guardian and an administrator.
pub(super) fn a_world() -> Memory {
    let mut memory = Memory::of(a_plan());
    let guardianship = planledger_core::domain::person::Guardianship {
        guardian: FATHER,
        last_day: None,
    };
    memory.does(
        SYSTEM,
        (STUDENT, PersonCommand::SetGuardianship(guardianship)),
    );
    let grantee = Actor::Person(ADMINISTRATOR);
    let bootstrap = GrantsCommand::Bootstrap {
        grant: grant_id(1),
        grantee,
        instead_of: None,
    };
    memory.does(SYSTEM, (GrantsId::of(grantee), bootstrap));
    memory
}

pub(super) fn grant_id(number: u8) -> GrantId {
    GrantId::from_bytes([number; 16])
}

pub(super) fn details(role: Role, scope: Scope) -> GrantDetails {
    GrantDetails {
        role,
        scope,
        ..GrantDetails::first_administrator()
    }
}

pub(super) fn grants(memory: &mut Memory, id: u8, to: Actor, details: GrantDetails) {
    let grant = GrantsCommand::Grant {
        grant: grant_id(id),
        grantee: to,
        details,
    };
    memory.does(ADMINISTRATOR, (GrantsId::of(to), grant));
}

pub(super) fn platform(memory: &mut Memory, for_people: bool) {
    let details = SystemDetails {
        name: name("Platformen"),
        kind: SystemKind::LearningPlatform,
        identities: [SystemIdentity::Dns(
            IdentityText::new("platform.example").unwrap(),
        )]
        .into(),
        may_act_for_people: for_people,
        may_name_person_in_header: false,
    };
    memory.does(SYSTEM, (PLATFORM, SystemCommand::Register(details)));
}

pub(super) fn ask(memory: &Memory, who: Who, action: Action, about: About) -> Verdict {
    decide(memory, Memory::NOW.day_in_denmark(), &who, action, about).unwrap()
}

#[track_caller]
pub(super) fn allowed(memory: &Memory, who: impl ActsAs, action: Action, about: About) -> Because {
    let who = who.actor();
    match ask(memory, Who::new(who), action, about) {
        Verdict::Allowed(because) => because,
        Verdict::Denied(why) => panic!("{who} {action:?} {about:?}: {why:?}"),
    }
}

#[track_caller]
pub(super) fn denied(memory: &Memory, who: impl ActsAs, action: Action, about: About, why: WhyNot) {
    let who = who.actor();
    let verdict = ask(memory, Who::new(who), action, about);
    assert_eq!(verdict, Verdict::Denied(why), "{who} {action:?} {about:?}");
}

pub(super) const THE_PLAN: About = About::Plan(PLAN);

#[test]
fn a_teacher_of_the_students_team_writes_and_reads_its_plans_as_staff() {
    let memory = a_world();
    for about in [THE_PLAN, About::Student(STUDENT)] {
        for action in [
            Action::WritePlan,
            Action::ReadPlanAsStaff,
            Action::ReadRecords,
        ] {
            let because = allowed(&memory, TEACHER, action, about);
            assert_eq!(because.role, Role::Teacher);
            assert_eq!(because.grant, None);
        }
        for action in [Action::WritePlan, Action::ReadPlanAsStaff] {
            denied(&memory, PEDAGOGUE, action, about, WhyNot::NotGranted);
        }
    }
    // Colleagues read the year plan, and only its owner edits it.
    allowed(
        &memory,
        PEDAGOGUE,
        Action::ReadYearPlanAsStaff,
        About::YearPlan(YEAR_PLAN),
    );
    denied(
        &memory,
        PEDAGOGUE,
        Action::EditYearPlan,
        About::YearPlan(YEAR_PLAN),
        WhyNot::NotGranted,
    );
    let because = allowed(
        &memory,
        TEACHER,
        Action::EditYearPlan,
        About::YearPlan(YEAR_PLAN),
    );
    assert_eq!(because.relation, Relation::Owner);
}

#[test]
fn a_teacher_of_another_team_of_the_student_has_the_same_right_until_the_team_is_closed() {
    let mut memory = a_world();
    let create = TeamCommand::Create {
        details: team_details(),
        owner: None,
    };
    memory.does(SYSTEM, (PARALLEL_TEAM, create));
    let role = StaffRole::Pedagogue;
    let person = PEDAGOGUE;
    memory.does(
        SYSTEM,
        (PARALLEL_TEAM, TeamCommand::AddStaff { person, role }),
    );
    denied(
        &memory,
        PEDAGOGUE,
        Action::WritePlan,
        THE_PLAN,
        WhyNot::NotGranted,
    );
    memory.does(
        SYSTEM,
        (PARALLEL_TEAM, TeamCommand::AddMember { student: STUDENT }),
    );
    let because = allowed(&memory, PEDAGOGUE, Action::WritePlan, THE_PLAN);
    assert_eq!(
        (because.role, because.relation),
        (Role::Pedagogue, Relation::Team)
    );
    memory.does(SYSTEM, (PARALLEL_TEAM, TeamCommand::Close { reason: None }));
    denied(
        &memory,
        PEDAGOGUE,
        Action::WritePlan,
        THE_PLAN,
        WhyNot::NotGranted,
    );
    memory.does(SYSTEM, (PARALLEL_TEAM, TeamCommand::Reopen));
    memory.does(
        SYSTEM,
        (PARALLEL_TEAM, TeamCommand::Delete { reason: None }),
    );
    allowed(&memory, PEDAGOGUE, Action::WritePlan, THE_PLAN);
    memory.does(SYSTEM, (PARALLEL_TEAM, TeamCommand::Undelete));
    memory.does(
        SYSTEM,
        (
            PARALLEL_TEAM,
            TeamCommand::RemoveMember { student: STUDENT },
        ),
    );
    denied(
        &memory,
        PEDAGOGUE,
        Action::WritePlan,
        THE_PLAN,
        WhyNot::NotGranted,
    );
}

#[test]
fn student_and_guardian_read_each_through_their_own_eyes_only() {
    let memory = a_world();
    allowed(&memory, STUDENT, Action::ReadPlanAsStudent, THE_PLAN);
    allowed(&memory, STUDENT, Action::Evaluate, THE_PLAN);
    allowed(
        &memory,
        FATHER,
        Action::ReadPlanAsGuardians,
        About::Student(STUDENT),
    );
    allowed(
        &memory,
        FATHER,
        Action::ReadYearPlanAsAudience,
        About::YearPlan(YEAR_PLAN),
    );
    allowed(
        &memory,
        STUDENT,
        Action::ReadYearPlanAsAudience,
        About::YearPlan(YEAR_PLAN),
    );
    for (who, action) in [
        (STUDENT, Action::ReadPlanAsStaff),
        (STUDENT, Action::ReadPlanAsGuardians),
        (STUDENT, Action::WritePlan),
        (FATHER, Action::ReadPlanAsStaff),
        (FATHER, Action::ReadPlanAsStudent),
        (FATHER, Action::Evaluate),
        (CLASSMATE, Action::ReadPlanAsStudent),
        (CLASSMATE, Action::ReadPlanAsGuardians),
        (CLERK, Action::ReadPlanAsStaff),
    ] {
        denied(&memory, who, action, THE_PLAN, WhyNot::NotGranted);
    }
    let about = About::YearPlan(YEAR_PLAN);
    denied(
        &memory,
        CLASSMATE,
        Action::ReadYearPlanAsAudience,
        about,
        WhyNot::NotGranted,
    );
}

#[test]
fn a_guardian_reads_until_the_guardianship_ends_or_the_guardian_has_left() {
    let mut memory = a_world();
    let today = Memory::NOW.day_in_denmark();
    let end = PersonCommand::EndGuardianship {
        guardian: FATHER,
        last_day: today,
    };
    memory.does(SYSTEM, (STUDENT, end));
    let read = Action::ReadPlanAsGuardians;
    allowed(&memory, FATHER, read, THE_PLAN);
    let tomorrow = today.tomorrow().unwrap();
    let verdict = decide(&memory, tomorrow, &Who::new(FATHER.actor()), read, THE_PLAN).unwrap();
    assert_eq!(verdict, Verdict::Denied(WhyNot::NotGranted));
    let mut memory = a_world();
    let depart = PersonCommand::Depart {
        on: None,
        reason: None,
    };
    memory.does(SYSTEM, (FATHER, depart));
    denied(&memory, FATHER, read, THE_PLAN, WhyNot::PersonDeparted);
}

#[test]
fn a_leader_reads_the_institutions_plans_and_runs_recoveries_there() {
    let memory = a_world();
    for about in [
        THE_PLAN,
        About::Student(STUDENT),
        About::YearPlan(YEAR_PLAN),
    ] {
        allowed(&memory, LEADER, Action::ReadPlanAsStaff, about);
        allowed(&memory, LEADER, Action::Recover, about);
    }
    allowed(
        &memory,
        LEADER,
        Action::ReadOverview,
        About::Institution(SCHOOL),
    );
    denied(
        &memory,
        LEADER,
        Action::WritePlan,
        THE_PLAN,
        WhyNot::NotGranted,
    );
    for about in [About::Institution(OTHER_SCHOOL), About::Municipality] {
        denied(
            &memory,
            LEADER,
            Action::ReadOverview,
            about,
            WhyNot::NotGranted,
        );
        denied(&memory, LEADER, Action::Recover, about, WhyNot::NotGranted);
    }
}

#[test]
fn staff_whose_account_is_closed_or_who_have_left_have_no_relation() {
    let mut memory = a_world();
    let put = |enabled| PersonCommand::Put {
        name: name("Læreren"),
        affiliations: [affiliation(SCHOOL, Place::Teacher)].into(),
        departed: false,
        record: Some(RosterRecord {
            source: SourceName::new("Kommune A").unwrap(),
            sourced_id: ExternalId::new("t1").unwrap(),
            user_ids: Default::default(),
            enabled,
            enrolled: None,
            profiles: None,
        }),
    };
    memory.does(SYSTEM, (TEACHER, put(false)));
    for action in [
        Action::WritePlan,
        Action::ReadPlanAsStaff,
        Action::EditYearPlan,
    ] {
        denied(&memory, TEACHER, action, THE_PLAN, WhyNot::NotGranted);
    }
    memory.does(SYSTEM, (TEACHER, put(true)));
    allowed(&memory, TEACHER, Action::WritePlan, THE_PLAN);
    let end = PersonCommand::EndAffiliation {
        institution: SCHOOL,
        role: Place::Teacher,
    };
    memory.does(SYSTEM, (TEACHER, end));
    denied(
        &memory,
        TEACHER,
        Action::WritePlan,
        THE_PLAN,
        WhyNot::NotGranted,
    );
    let depart = PersonCommand::Depart {
        on: None,
        reason: None,
    };
    memory.does(SYSTEM, (TEACHER, depart));
    denied(
        &memory,
        TEACHER,
        Action::WritePlan,
        THE_PLAN,
        WhyNot::PersonDeparted,
    );
}

#[test]
fn nobody_acts_who_is_not_known_and_no_person_acts_for_another() {
    let memory = a_world();
    denied(
        &memory,
        NOBODY,
        Action::ReadCatalogue,
        About::Municipality,
        WhyNot::PersonUnknown,
    );
    let system = Actor::System(PLATFORM);
    denied(
        &memory,
        system,
        Action::ReadCatalogue,
        About::Municipality,
        WhyNot::SystemUnknown,
    );
    let who = Who {
        on_behalf_of: Some(TEACHER),
        ..Who::new(LEADER.actor())
    };
    let verdict = ask(&memory, who, Action::WritePlan, THE_PLAN);
    assert_eq!(verdict, Verdict::Denied(WhyNot::PersonForPerson));
    for known in [STUDENT, FATHER, TEACHER, LEADER] {
        allowed(&memory, known, Action::ReadCatalogue, About::Municipality);
    }
}

#[test]
fn what_does_not_exist_is_denied_like_what_is_out_of_reach() {
    let memory = a_world();
    let nowhere = [
        About::Plan(OTHER_PLAN),
        About::YearPlan(OTHER_YEAR_PLAN),
        About::Team(PARALLEL_TEAM),
        About::Student(NOBODY),
        About::Person(NOBODY),
        About::Institution(OTHER_SCHOOL),
    ];
    for about in nowhere {
        for who in [TEACHER, LEADER, STUDENT, FATHER] {
            for action in [
                Action::ReadPlanAsStaff,
                Action::WritePlan,
                Action::ReadRoster,
            ] {
                denied(&memory, who, action, about, WhyNot::NotGranted);
            }
        }
    }
    allowed(
        &memory,
        ADMINISTRATOR,
        Action::WriteRoster,
        About::Person(NOBODY),
    );
}

#[test]
fn an_administrator_writes_the_roster_but_not_their_own_place_in_it() {
    let memory = a_world();
    allowed(
        &memory,
        ADMINISTRATOR,
        Action::WriteRoster,
        About::Person(TEACHER),
    );
    let own = About::Person(ADMINISTRATOR);
    denied(
        &memory,
        ADMINISTRATOR,
        Action::WriteRoster,
        own,
        WhyNot::OwnEntry,
    );
    denied(
        &memory,
        LEADER,
        Action::StaffTeam,
        About::Person(LEADER),
        WhyNot::OwnEntry,
    );
    denied(
        &memory,
        ADMINISTRATOR,
        Action::ReadPlanAsStaff,
        THE_PLAN,
        WhyNot::NotGranted,
    );
}

#[test]
fn an_owner_keeps_the_right_to_a_plan_whose_team_the_owner_left() {
    let mut memory = a_world();
    memory.does(SYSTEM, (TEAM, TeamCommand::RemoveStaff { person: TEACHER }));
    let because = allowed(&memory, TEACHER, Action::WritePlan, THE_PLAN);
    assert_eq!(because.relation, Relation::Owner);
    let to = LEADER;
    memory.does(
        SYSTEM,
        (PLAN, PlanCommand::TransferOwnership { to, reason: None }),
    );
    let to = LEADER;
    let transfer = YearPlanCommand::TransferOwnership { to, reason: None };
    memory.does(SYSTEM, (YEAR_PLAN, transfer));
    denied(
        &memory,
        TEACHER,
        Action::WritePlan,
        THE_PLAN,
        WhyNot::NotGranted,
    );
    let place = Affiliation {
        grade: None,
        ..affiliation(OTHER_SCHOOL, Place::Teacher)
    };
    memory.does(SYSTEM, (TEACHER, PersonCommand::SetAffiliation(place)));
    denied(
        &memory,
        TEACHER,
        Action::WritePlan,
        THE_PLAN,
        WhyNot::NotGranted,
    );
}
