//! What is asked of containers, said of people and imported.

use planledger_core::domain::Actor;
use planledger_core::domain::institution::InstitutionCommand;
use planledger_core::domain::person::{Affiliation, Guardianship, PersonCommand, Role};
use planledger_core::domain::team::{StaffRole, TeamCommand, TeamDetails};
use planledger_core::domain::year_plan::{
    GoalArea, GoalDetails, GoalKind, Scale, UnitDetails, WordingChoice, YearPlanCommand,
    YearPlanDetails,
};
use planledger_fixtures::commands;

use super::{Act, Dice, GOALS, INSTITUTIONS, PERSONS, STAFF, TEAMS, YEAR_PLANS, act};
use planledger_fixtures::school::*;

fn scale_of(dice: &mut Dice) -> Scale {
    let levels = scale().levels;
    Scale {
        title: title("Trin"),
        levels: levels[..1 + dice.below(4)].to_vec(),
    }
}

fn wording(dice: &mut Dice) -> WordingChoice {
    WordingChoice::Own {
        text: text(dice.words()),
    }
}

fn unit_of(dice: &mut Dice) -> UnitDetails {
    UnitDetails {
        title: title("Forløb"),
        subject: dice.some(|dice| name(dice.of(&["Dansk", "Matematik", "Engelsk"]))),
        description: None,
    }
}

fn year_plan_details(dice: &mut Dice) -> YearPlanDetails {
    match dice.below(2) {
        0 => subject_year_plan(),
        _ => combined_year_plan(),
    }
}

pub(super) fn year_plan(dice: &mut Dice) -> Act {
    let actor = dice.of(&STAFF);
    let id = dice.of(&YEAR_PLANS);
    let command = year_plan_command(dice);
    let id = match &command {
        YearPlanCommand::AddSubject { .. } | YearPlanCommand::RemoveSubject { .. } => COMBINED,
        YearPlanCommand::Create { .. } => id,
        _ if dice.once_in(2) => YEAR_PLAN,
        _ => id,
    };
    act(actor, (id, command))
}

fn year_plan_command(dice: &mut Dice) -> YearPlanCommand {
    let unit = dice.of(&[UNIT, UNIT, OTHER_UNIT]);
    let goal = dice.of(&GOALS);
    match dice.below(21) {
        0 => YearPlanCommand::Delete { reason: None },
        1 | 2 => YearPlanCommand::Undelete,
        4 | 20 => YearPlanCommand::DeleteUnit { unit, reason: None },
        17..=19 => YearPlanCommand::UndeleteUnit { unit },
        5 => YearPlanCommand::RetireGoal { goal, reason: None },
        6 => YearPlanCommand::TransferOwnership {
            to: dice.of(&PERSONS),
            reason: None,
        },
        7 => commands::revise_goal(goal, wording(dice), scale_of(dice)),
        8 | 9 => commands::add_goal(
            unit,
            goal,
            GoalDetails {
                kind: dice.of(&[GoalKind::Reflection, GoalKind::Subject]),
                area: GoalArea::Academic,
                wording: wording(dice),
                scale: scale_of(dice),
            },
        ),
        10 => commands::add_unit(unit, unit_of(dice)),
        11 => YearPlanCommand::ReviseUnit {
            unit,
            details: unit_of(dice),
        },
        12 => YearPlanCommand::Retitle {
            title: title(dice.of(&["En", "To"])),
        },
        13 => YearPlanCommand::AddSubject {
            subject: name(dice.of(&["Dansk", "Matematik", "Engelsk"])),
        },
        14 => YearPlanCommand::RemoveSubject {
            subject: name(dice.of(&["Dansk", "Matematik", "Engelsk"])),
        },
        15 => commands::create_year_plan(year_plan_details(dice), dice.of(&PERSONS)),
        _ => commands::create_year_plan(year_plan_details(dice), dice.of(&STAFF)),
    }
}

pub(super) fn team(dice: &mut Dice) -> Act {
    let person = dice.of(&PERSONS);
    let command = match dice.below(16) {
        0 => TeamCommand::Delete { reason: None },
        1 | 9 | 10 | 14 | 15 => TeamCommand::Undelete,
        2 => TeamCommand::Close { reason: None },
        3 => TeamCommand::Reopen,
        4 => TeamCommand::TransferOwnership {
            to: person,
            reason: None,
        },
        5 => TeamCommand::RemoveMember { student: person },
        6 => TeamCommand::RemoveStaff { person },
        7 => TeamCommand::AddMember { student: person },
        11 => TeamCommand::HandOver {
            from: dice.some(|dice| dice.of(&STAFF)),
            to: person,
            reason: None,
        },
        12 | 13 => TeamCommand::HandBack {
            from: person,
            to: dice.some(|dice| dice.of(&STAFF)),
            reason: None,
        },
        _ => TeamCommand::Create {
            details: team_details(),
            owner: None,
        },
    };
    act(dice.of(&STAFF), (dice.of(&TEAMS), command))
}

pub(super) fn imported_team(dice: &mut Dice) -> Act {
    let staff = dice.subset(&PERSONS).into_iter();
    let put = TeamCommand::Put {
        details: TeamDetails {
            institution: dice.of(&INSTITUTIONS),
            title: title(dice.of(&["7.b", "8.b"])),
            ..team_details()
        },
        members: dice.subset(&PERSONS),
        staff: staff.map(|person| (person, StaffRole::Pedagogue)).collect(),
        owner: dice.some(|dice| dice.of(&PERSONS)),
        closed: dice.once_in(2),
    };
    act(SYSTEM, (dice.of(&TEAMS), put))
}

/// Imports may leave out places, guardians and whole persons.
pub(super) fn person(dice: &mut Dice) -> Act {
    let id = dice.of(&PERSONS);
    let command = match dice.below(7) {
        0 => commands::depart(),
        1 | 5 => PersonCommand::Return,
        2 => commands::put_person(
            name(dice.of(&["Navnet", "Et andet navn"])),
            dice.subset(&places()),
            dice.once_in(2),
        ),
        3 | 6 => PersonCommand::PutGuardians {
            guardians: dice.subset(&guardians()),
            last_day_of_others: day(11, 1),
        },
        _ => PersonCommand::EndAffiliation {
            institution: SCHOOL,
            role: dice.of(&[Role::Student, Role::Teacher, Role::Pedagogue]),
        },
    };
    // Persons run imports too, and decide by hand.
    act(dice.of(&[SYSTEM, Actor::Person(LEADER)]), (id, command))
}

fn places() -> Vec<Affiliation> {
    let roles = [Role::Student, Role::Teacher, Role::Pedagogue];
    let places = roles.map(|role| INSTITUTIONS.map(|at| affiliation(at, role)));
    places.into_iter().flatten().collect()
}

fn guardians() -> Vec<Guardianship> {
    let guardians = [GUARDIAN, LEADER, CLERK].map(|guardian| Guardianship {
        guardian,
        last_day: None,
    });
    guardians.into()
}

pub(super) fn institution(dice: &mut Dice) -> Act {
    let command = match dice.below(3) {
        0 => InstitutionCommand::Close { reason: None },
        1 => InstitutionCommand::Reopen,
        _ => commands::put_institution(
            institution_details(dice.of(&["Skolen", "Den anden skole"])),
            dice.once_in(2),
        ),
    };
    act(SYSTEM, (dice.of(&INSTITUTIONS), command))
}
