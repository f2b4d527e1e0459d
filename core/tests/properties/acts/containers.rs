//! What is asked of containers, said of people and imported.

use std::collections::BTreeSet;

use planledger_core::domain::Actor;
use planledger_core::domain::institution::{InstitutionCommand, StudentsThrough, SurveyForum};
use planledger_core::domain::person::{
    Affiliation, Evidence, Guardianship, PersonCommand, Role, RosterRecord, UserProfile,
};
use planledger_core::domain::school_year::SchoolYearCommand;
use planledger_core::domain::team::{StaffRole, TeamCommand, TeamDetails};
use planledger_core::domain::year_plan::{
    GoalArea, GoalDetails, GoalKind, Place, Scale, UnitDetails, WordingChoice, YearPlanCommand,
    YearPlanDetails,
};
use planledger_core::text::{ExternalId, SourceName};
use planledger_fixtures::commands;
use planledger_fixtures::place::START;

use super::{
    Act, DISCUSSIONS, Dice, GOALS, INSTITUTIONS, PERSONS, STAFF, STEADY, TEAMS, YEAR_PLANS, act,
};
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
                scale: scale_of(dice).into(),
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
    let command = match dice.below(17) {
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
        16 => TeamCommand::Revise(TeamDetails {
            institution: dice.of(&INSTITUTIONS),
            title: title(dice.of(&["7.b", "8.b"])),
            ..team_details()
        }),
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
        source: dice.some(source),
    };
    let id = dice.of(&TEAMS);
    match dice.below(5) {
        4 => {
            let part = TeamCommand::PutPart {
                details: None,
                members: BTreeSet::from([dice.of(&PERSONS)]),
                staff: Default::default(),
                gone: BTreeSet::from([dice.of(&PERSONS)]),
                unsaid: dice.some(|dice| BTreeSet::from([dice.of(&PERSONS)])),
                owner: None,
                closed: dice.some(|dice| dice.once_in(2)),
                source: dice.some(source),
            };
            act(SYSTEM, (id, part))
        }
        3 => {
            let source = source(dice);
            let last_seen = day(11, 2);
            act(SYSTEM, (id, TeamCommand::NoteAbsence { source, last_seen }))
        }
        _ => act(SYSTEM, (id, put)),
    }
}

/// Imports may leave out places, guardians and whole persons.
pub(super) fn person(dice: &mut Dice) -> Act {
    let id = dice.of(&PERSONS);
    let command = match dice.below(29) {
        28 => PersonCommand::PutGone {
            source: source(dice),
        },
        16 | 17 => decision(dice),
        20..=23 => {
            // Only staff are owners, and only of owners can be said that they work elsewhere.
            let actor = dice.of(&[SYSTEM, Actor::Person(LEADER)]);
            let institution = dice.of(&INSTITUTIONS);
            let evidence = Evidence::OwnerElsewhere { institution };
            return act(actor, (dice.of(&STAFF), decide(dice, evidence)));
        }
        18 => PersonCommand::Rename {
            name: name(dice.of(&["Navnet", "Et andet navn"])),
        },
        0 => commands::depart(),
        1 | 5 => PersonCommand::Return,
        2 => commands::put_person(
            name(dice.of(&["Navnet", "Et andet navn"])),
            dice.subset(&places()),
            dice.once_in(2),
        ),
        3 | 6 | 10 | 13 => PersonCommand::PutGuardians {
            guardians: dice.subset(&guardians()),
            last_day_of_others: day(11, 1),
        },
        12 => PersonCommand::PutSomeGuardians {
            guardians: dice.subset(&guardians()),
            unsaid: BTreeSet::from([dice.of(&PERSONS)]),
            others_unsaid: dice.once_in(3),
            ended: dice.subset(&PERSONS),
            last_day_of_others: day(11, 1),
        },
        7 | 11 | 19 | 24 | 25 | 27 => PersonCommand::NoteAbsence {
            source: source(dice),
            last_seen: day(11, 2),
        },
        8 | 9 | 14 | 15 => PersonCommand::Put {
            name: name("Navnet"),
            affiliations: dice.subset(&places()),
            departed: dice.once_in(4),
            record: Some(RosterRecord {
                source: source(dice),
                sourced_id: ExternalId::new("e1").unwrap(),
                user_ids: Default::default(),
                enabled: dice.once_in(2),
                enrolled: dice.of(&[None, Some(true), Some(false)]),
                profiles: dice.some(|dice| dice.subset(&profiles()).into()),
            }),
        },
        26 => PersonCommand::PutSomeProfiles {
            source: source(dice),
            profiles: dice.subset(&profiles()),
            gone: BTreeSet::from([external_id(dice.of(&PROFILES))]),
        },
        _ => PersonCommand::EndAffiliation {
            institution: SCHOOL,
            role: dice.of(&[Role::Student, Role::Teacher, Role::Pedagogue]),
        },
    };
    // Persons run imports too, and decide by hand.
    act(dice.of(&[SYSTEM, Actor::Person(LEADER)]), (id, command))
}

const PROFILES: [&str; 3] = ["p1", "p2", "p3"];

fn external_id(id: &str) -> ExternalId {
    ExternalId::new(id).unwrap()
}

fn profiles() -> Vec<UserProfile> {
    let profile = |id: &str| UserProfile {
        sourced_id: external_id(id),
        kind: None,
        user_name: external_id(&format!("bruger-{id}")),
    };
    PROFILES.into_iter().map(profile).collect()
}

fn decision(dice: &mut Dice) -> PersonCommand {
    let evidence = match dice.below(4) {
        0 => Evidence::OwnerElsewhere {
            institution: dice.of(&INSTITUTIONS),
        },
        1 => Evidence::AbsentFromRoster {
            source: source(dice),
            last_seen: day(11, 2),
        },
        2 => Evidence::NoEnrolmentLeft {
            since: START.day_in_denmark(),
        },
        _ => Evidence::NoPlaceLeft {
            institution: dice.of(&INSTITUTIONS),
            since: START.day_in_denmark(),
        },
    };
    decide(dice, evidence)
}

fn decide(dice: &mut Dice, evidence: Evidence) -> PersonCommand {
    PersonCommand::DecideSuggestion {
        evidence,
        confirmed: dice.once_in(3),
        last_day: None,
        reason: None,
    }
}

fn source(dice: &mut Dice) -> SourceName {
    SourceName::new(dice.of(&["Kommune A", "Kommune B"])).unwrap()
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
    if dice.once_in(2) {
        return survey(dice);
    }
    if dice.once_in(4) {
        return imported_year(dice);
    }
    let command = match dice.below(3) {
        0 => InstitutionCommand::Close { reason: None },
        1 => InstitutionCommand::Reopen,
        _ => commands::put_institution(
            institution_details(dice.of(&["Skolen", "Den anden skole"])),
            dice.once_in(2),
        ),
    };
    // Persons close institutions, run imports and decide by hand.
    let actor = dice.of(&[SYSTEM, Actor::Person(LEADER)]);
    act(actor, (dice.of(&INSTITUTIONS), command))
}

/// A school year whose last day the roster and persons know differently. Persons run imports, too.
fn imported_year(dice: &mut Dice) -> Act {
    let mut year = school_year();
    year.last_day = dice.of(&[year.last_day, day(12, 31)]);
    let command = match dice.once_in(2) {
        true => SchoolYearCommand::Define(year),
        false => SchoolYearCommand::Put(year),
    };
    act(dice.of(&[SYSTEM, Actor::Person(LEADER)]), (YEAR, command))
}

/// Year plans and teams that move, as commands and as steps of recoveries, there and back, and who
/// carries on for a closed institution.
pub(super) fn moved(dice: &mut Dice) -> Act {
    let actor = dice.of(&STAFF);
    let (from, to) = (dice.of(&INSTITUTIONS), dice.of(&INSTITUTIONS));
    let place = |dice: &mut Dice, institution| Place {
        institution,
        team: dice.of(&TEAMS),
    };
    let reason = None;
    let command = match dice.below(10) {
        0 => return act(actor, (dice.of(&TEAMS), TeamCommand::Move { from, to })),
        1 => return act(actor, (dice.of(&TEAMS), TeamCommand::MoveBack { from, to })),
        2 => YearPlanCommand::Move {
            from: place(dice, from),
            to: place(dice, to),
            reason,
        },
        3 => YearPlanCommand::MoveBack {
            from: place(dice, from),
            to: place(dice, to),
            reason,
        },
        4 | 5 => {
            let from = dice.some(|_| from);
            let succeed = InstitutionCommand::Succeed { from, to };
            return act(actor, (dice.of(&INSTITUTIONS), succeed));
        }
        6 => {
            let to = dice.some(|_| to);
            let back = InstitutionCommand::SucceedBack { from, to };
            return act(actor, (dice.of(&INSTITUTIONS), back));
        }
        _ => YearPlanCommand::MoveToInstitution {
            to,
            team: dice.some(|dice| dice.of(&TEAMS)),
            reason,
        },
    };
    act(actor, (dice.of(&YEAR_PLANS), command))
}

/// Follows up the wellbeing survey.
pub(super) fn survey(dice: &mut Dice) -> Act {
    let discussion = dice.of(&DISCUSSIONS);
    let mut details = survey_details(dice.words());
    details.forum = dice.of(&SurveyForum::ALL);
    details.students_through = dice.some(|_| StudentsThrough::StudentCouncil);
    let command = match dice.below(4) {
        0 | 1 => InstitutionCommand::RecordSurveyDiscussion {
            discussion,
            details,
        },
        2 => InstitutionCommand::CorrectSurveyDiscussion {
            discussion,
            details,
            reason: None,
        },
        _ => InstitutionCommand::WithdrawSurveyDiscussion {
            discussion,
            reason: None,
        },
    };
    act(dice.of(&[STEADY, LEADER]), (SCHOOL, command))
}
