//! A small school: what it is founded with, and what happens in it.

use std::collections::BTreeSet;

use planledger_core::domain::institution::{InstitutionCommand, InstitutionDetails};
use planledger_core::domain::person::{Affiliation, PersonCommand, Role};
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::school_year::{SchoolYear, SchoolYearCommand};
use planledger_core::domain::team::{TeamCommand, TeamDetails};
use planledger_core::domain::year_plan::{YearPlanCommand, YearPlanDetails, YearPlanKind};
use planledger_core::domain::{Actor, Command};
use planledger_core::ids::{InstitutionId, PersonId, PlanId, SchoolYearId, TeamId, YearPlanId};
use planledger_core::text::TextError;

/// Students, each with a plan.
pub(crate) const STUDENTS: u8 = 4;
const TEACHER: PersonId = PersonId::from_bytes([2; 16]);
const INSTITUTION: InstitutionId = InstitutionId::from_bytes([5; 16]);
const YEAR: SchoolYearId = SchoolYearId::from_bytes([6; 16]);
const TEAM: TeamId = TeamId::from_bytes([7; 16]);
const COURSE: YearPlanId = YearPlanId::from_bytes([3; 16]);

/// Who does everything.
pub(crate) const ACTOR: Actor = Actor::Person(TEACHER);

/// The plan of a student.
pub(crate) fn plan(student: u8) -> PlanId {
    PlanId::from_bytes([0x80 + student; 16])
}

/// A student.
pub(crate) fn student(student: u8) -> PersonId {
    PersonId::from_bytes([0x40 + student; 16])
}

/// Gives a student a name.
pub(crate) fn name(of: u8, name: &str) -> Result<Command, TextError> {
    person(student(of), name, Role::Student)
}

/// Writes the status of a student's plan.
pub(crate) fn status(of: u8, text: &str) -> Result<Command, TextError> {
    let text = text.parse()?;
    Ok(Command::Plan(plan(of), PlanCommand::WriteStatus { text }))
}

fn person(id: PersonId, name: &str, role: Role) -> Result<Command, TextError> {
    let affiliations = BTreeSet::from([Affiliation {
        institution: INSTITUTION,
        role,
        grade: None,
    }]);
    let put = PersonCommand::Put {
        name: name.parse()?,
        affiliations,
        departed: false,
        record: None,
    };
    Ok(Command::Person(id, put))
}

/// What makes the school.
pub(crate) fn foundation() -> Result<Vec<Command>, Box<dyn std::error::Error>> {
    let details = InstitutionDetails {
        name: "Nordvestskolen".parse()?,
        code: None,
    };
    let year = SchoolYear {
        title: "2026/27".parse()?,
        first_day: "2026-08-01".parse()?,
        last_day: "2027-07-31".parse()?,
    };
    let team = TeamDetails {
        institution: INSTITUTION,
        school_year: Some(YEAR),
        title: "7.b".parse()?,
        subject: None,
        code: None,
    };
    let course = YearPlanDetails {
        kind: YearPlanKind::Subject,
        institution: INSTITUTION,
        team: TEAM,
        school_year: YEAR,
        title: "Dansk i 7.b".parse()?,
        subjects: ["Dansk".parse()?].into(),
    };
    let mut commands = vec![
        Command::Institution(INSTITUTION, InstitutionCommand::Register(details)),
        Command::SchoolYear(YEAR, SchoolYearCommand::Define(year)),
        person(TEACHER, "En lærer", Role::Teacher)?,
    ];
    for of in 0..STUDENTS {
        commands.push(name(of, "En elev")?);
    }
    let owner = None;
    let create = TeamCommand::Create {
        details: team,
        owner,
    };
    commands.push(Command::Team(TEAM, create));
    let create = YearPlanCommand::Create {
        details: course,
        owner: TEACHER,
    };
    commands.push(Command::YearPlan(COURSE, create));
    for of in 0..STUDENTS {
        let open = PlanCommand::Open {
            student: student(of),
            year_plan: COURSE,
            owner: None,
        };
        commands.push(Command::Plan(plan(of), open));
    }
    Ok(commands)
}
