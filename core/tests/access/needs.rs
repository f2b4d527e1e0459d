//! What the sender of a command needs.

use planledger_core::access::{About, Action};
use planledger_core::domain::Command;
use planledger_core::domain::grants::{GrantDetails, GrantsCommand, Role, Scope};
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::team::TeamCommand;
use planledger_core::domain::year_plan::YearPlanCommand;
use planledger_core::ids::{GrantId, GrantsId};
use planledger_fixtures::school::*;

#[test]
fn who_opens_a_plan_needs_the_right_to_the_student_and_to_the_year_plan() {
    let open = PlanCommand::Open {
        student: STUDENT,
        year_plan: YEAR_PLAN,
        owner: None,
    };
    let needed = Action::needed_for(&Command::Plan(PLAN, open));
    let open = Action::OpenPlan;
    let expected = [
        (open, About::Student(STUDENT)),
        (open, About::YearPlan(YEAR_PLAN)),
    ];
    assert_eq!(needed, expected);
}

#[test]
fn who_takes_a_student_into_a_team_needs_the_right_to_both() {
    let add = TeamCommand::AddMember { student: STUDENT };
    let needed = Action::needed_for(&Command::Team(TEAM, add));
    let staff = Action::StaffTeam;
    assert_eq!(
        needed,
        [(staff, About::Team(TEAM)), (staff, About::Student(STUDENT))]
    );
}

#[test]
fn who_copies_a_unit_needs_to_read_it() {
    let copy = YearPlanCommand::CopyUnit {
        unit: OTHER_UNIT,
        from: unit_in(OTHER_YEAR_PLAN, UNIT),
        goals: Vec::new(),
    };
    let needed = Action::needed_for(&Command::YearPlan(YEAR_PLAN, copy));
    let read = (
        Action::ReadYearPlanAsStaff,
        About::YearPlan(OTHER_YEAR_PLAN),
    );
    assert_eq!(
        needed,
        [(Action::EditYearPlan, About::YearPlan(YEAR_PLAN)), read]
    );
}

#[test]
fn who_grants_needs_the_right_for_the_role_in_the_scope() {
    let details = GrantDetails {
        role: Role::Teacher,
        scope: Scope::Team(TEAM),
        ..GrantDetails::first_administrator()
    };
    let grantee = planledger_core::domain::Actor::Person(CLERK);
    let grant = GrantsCommand::Grant {
        grant: GrantId::from_bytes([1; 16]),
        grantee,
        details,
    };
    let needed = Action::needed_for(&Command::Grants(GrantsId::of(grantee), grant));
    assert_eq!(needed, [(Action::GrantStaff, About::Team(TEAM))]);
}
