//! Which days a command may name. Commands are refused whose days cannot be meant: a talk that was
//! held in 2099, a follow-up in the year 1200. The table in `core/DESIGN.md` says why each bound is
//! where it is. Events that were recorded before the bounds are not checked.

use jiff::Span;
use jiff::civil::Date;

use super::Command;
use super::erasure::{ErasureCommand, Target};
use super::field::Field;
use super::grants::GrantsCommand;
use super::institution::InstitutionCommand;
use super::person::PersonCommand;
use super::plan::PlanCommand;
use super::refusal::{Reason, Refusal};
use super::refusing::refuse;
use super::roster_source::RosterSourceCommand;
use super::school_year::{SchoolYear, SchoolYearCommand};
use super::team::TeamCommand;
use super::world::Stop;
use crate::time::Timestamp;

/// No school year that is kept here began before this day, and nothing that is kept happened before
/// it.
const FIRST_DAY: Date = SchoolYear::EARLIEST;

/// How many years ahead a follow-up and a last day at school may be: nobody goes to school longer.
const YEARS_OF_SCHOOL: i64 = 12;

/// How many years ahead the last day of a guardianship may be: custody ends at 18.
const YEARS_OF_CUSTODY: i64 = 18;

/// The last day that a command may name.
#[derive(Clone, Copy)]
enum Latest {
    /// The day on which the command is decided: what has happened cannot be ahead.
    Today,
    /// That day, so many years later.
    InYears(i64),
    /// The end of school years.
    SchoolYears,
}

/// Refuses a command with a day that cannot be meant. `now` is the instant at which the command is
/// decided. Its day is the one in Copenhagen.
pub(super) fn check(command: &Command, now: Timestamp) -> Result<(), Stop> {
    let check = |day: Date, latest, field| check_day(day, latest, field, now);
    match command {
        Command::SchoolYear(_, SchoolYearCommand::Define(year) | SchoolYearCommand::Put(year)) => {
            check(year.first_day, Latest::SchoolYears, Field::DetailsFirstDay)?;
            check(year.last_day, Latest::SchoolYears, Field::DetailsLastDay)
        }
        Command::Person(_, command) => of_person(command, check),
        Command::Plan(_, command) => of_plan(command, check),
        Command::Team(_, command) => of_team(command, check),
        Command::RosterSource(_, command) => match command {
            RosterSourceCommand::RecordImport(import) => {
                check(import.day, Latest::Today, Field::Day)
            }
            RosterSourceCommand::Register { .. } => Ok(()),
        },
        Command::Institution(_, command) => of_institution(command, check),
        Command::Grants(_, command) => match command {
            GrantsCommand::Grant { details, .. } => {
                let latest = Latest::InYears(YEARS_OF_CUSTODY);
                let mut first = details.first_day.iter();
                first.try_for_each(|day| check(*day, latest, Field::DetailsFirstDay))?;
                let mut last = details.last_day.iter();
                last.try_for_each(|day| check(*day, latest, Field::DetailsLastDay))
            }
            GrantsCommand::Bootstrap { .. } | GrantsCommand::Revoke { .. } => Ok(()),
        },
        Command::System(..)
        | Command::YearPlan(..)
        | Command::Catalogue(..)
        | Command::Ledger(..)
        | Command::Recovery(..) => Ok(()),
        Command::Erasure(_, command) => match command {
            ErasureCommand::Request {
                target: Target::Reads { before },
                ..
            } => check(*before, Latest::Today, Field::Target),
            ErasureCommand::Request { .. }
            | ErasureCommand::Approve { .. }
            | ErasureCommand::Withdraw { .. }
            | ErasureCommand::SettleReads(_)
            | ErasureCommand::SettleText(_)
            | ErasureCommand::CarryOut { .. }
            | ErasureCommand::ApplyAgain(_) => Ok(()),
        },
    }
}

fn of_institution(
    command: &InstitutionCommand,
    check: impl Fn(Date, Latest, Field) -> Result<(), Stop>,
) -> Result<(), Stop> {
    match command {
        InstitutionCommand::RecordSurveyDiscussion { details, .. }
        | InstitutionCommand::CorrectSurveyDiscussion { details, .. } => {
            check(details.held_on, Latest::Today, Field::DetailsHeldOn)?;
            let latest = Latest::InYears(YEARS_OF_SCHOOL);
            let mut day = details.follow_up_on.iter();
            day.try_for_each(|day| check(*day, latest, Field::DetailsFollowUpOn))
        }
        InstitutionCommand::Register(_)
        | InstitutionCommand::Revise(_)
        | InstitutionCommand::Close { .. }
        | InstitutionCommand::Reopen
        | InstitutionCommand::Put { .. }
        | InstitutionCommand::Succeed { .. }
        | InstitutionCommand::SucceedBack { .. }
        | InstitutionCommand::WithdrawSurveyDiscussion { .. } => Ok(()),
    }
}

fn of_person(
    command: &PersonCommand,
    check: impl Fn(Date, Latest, Field) -> Result<(), Stop>,
) -> Result<(), Stop> {
    const CUSTODY: Latest = Latest::InYears(YEARS_OF_CUSTODY);
    match command {
        PersonCommand::SetGuardianship(set) => {
            let mut day = set.last_day.into_iter();
            day.try_for_each(|day| check(day, CUSTODY, Field::GuardianshipLastDay))
        }
        PersonCommand::EndGuardianship { last_day, .. } => {
            check(*last_day, CUSTODY, Field::LastDay)
        }
        PersonCommand::Depart { on, .. } | PersonCommand::DecideSuggestion { last_day: on, .. } => {
            let latest = Latest::InYears(YEARS_OF_SCHOOL);
            on.iter()
                .try_for_each(|day| check(*day, latest, Field::LastDay))
        }
        PersonCommand::PutGuardians {
            guardians,
            last_day_of_others,
        }
        | PersonCommand::PutSomeGuardians {
            guardians,
            last_day_of_others,
            ..
        } => {
            let mut days = guardians.iter().filter_map(|set| set.last_day);
            days.try_for_each(|day| check(day, CUSTODY, Field::GuardiansLastDay))?;
            check(*last_day_of_others, CUSTODY, Field::LastDayOfOthers)
        }
        PersonCommand::NoteAbsence { last_seen, .. } => {
            check(*last_seen, Latest::Today, Field::LastSeen)
        }
        PersonCommand::Register { .. }
        | PersonCommand::Rename { .. }
        | PersonCommand::SetAffiliation(_)
        | PersonCommand::EndAffiliation { .. }
        | PersonCommand::Return
        | PersonCommand::Put { .. }
        | PersonCommand::PutGone { .. }
        | PersonCommand::PutSomeProfiles { .. } => Ok(()),
    }
}

fn of_team(
    command: &TeamCommand,
    check: impl Fn(Date, Latest, Field) -> Result<(), Stop>,
) -> Result<(), Stop> {
    match command {
        TeamCommand::NoteAbsence { last_seen, .. } => {
            check(*last_seen, Latest::Today, Field::LastSeen)
        }
        TeamCommand::Create { .. }
        | TeamCommand::Revise(_)
        | TeamCommand::AddMember { .. }
        | TeamCommand::RemoveMember { .. }
        | TeamCommand::AddStaff { .. }
        | TeamCommand::RemoveStaff { .. }
        | TeamCommand::Close { .. }
        | TeamCommand::Reopen
        | TeamCommand::Delete { .. }
        | TeamCommand::Undelete
        | TeamCommand::TransferOwnership { .. }
        | TeamCommand::HandOver { .. }
        | TeamCommand::HandBack { .. }
        | TeamCommand::Move { .. }
        | TeamCommand::MoveBack { .. }
        | TeamCommand::Put { .. }
        | TeamCommand::PutPart { .. } => Ok(()),
    }
}

fn of_plan(
    command: &PlanCommand,
    check: impl Fn(Date, Latest, Field) -> Result<(), Stop>,
) -> Result<(), Stop> {
    match command {
        PlanCommand::RecordTalk { details, .. } | PlanCommand::CorrectTalk { details, .. } => {
            check(details.held_on, Latest::Today, Field::DetailsHeldOn)
        }
        PlanCommand::WriteFollowUp { follow_up_on, .. } => {
            let latest = Latest::InYears(YEARS_OF_SCHOOL);
            let mut day = follow_up_on.iter();
            day.try_for_each(|day| check(*day, latest, Field::FollowUpOn))
        }
        PlanCommand::Open { .. }
        | PlanCommand::IncludeUnit(_)
        | PlanCommand::ExcludeUnit(_)
        | PlanCommand::ShowSection { .. }
        | PlanCommand::HideSection { .. }
        | PlanCommand::ShowItem { .. }
        | PlanCommand::HideItem { .. }
        | PlanCommand::WriteStatus { .. }
        | PlanCommand::ClearStatus
        | PlanCommand::ClearFollowUp
        | PlanCommand::RecordEvaluation { .. }
        | PlanCommand::CorrectEvaluation { .. }
        | PlanCommand::Share
        | PlanCommand::Unshare
        | PlanCommand::SetVisibility { .. }
        | PlanCommand::Withdraw { .. }
        | PlanCommand::Restore
        | PlanCommand::TransferOwnership { .. }
        | PlanCommand::HandOver { .. }
        | PlanCommand::HandBack { .. }
        | PlanCommand::MoveToYearPlan { .. }
        | PlanCommand::Move { .. }
        // The day that a revert brings back has been recorded before.
        | PlanCommand::Revert(_) => Ok(()),
    }
}

/// The message names the bound, not the day: it may say something about a person.
fn check_day(day: Date, latest: Latest, field: Field, now: Timestamp) -> Result<(), Stop> {
    let last = last_day(latest, now);
    let message = if day < FIRST_DAY {
        format!("the day is before {FIRST_DAY}, the first one that can be meant")
    } else if day > last {
        let why = match latest {
            Latest::Today => "today; what is recorded has happened".to_owned(),
            Latest::InYears(years) => format!("which is {years} years ahead"),
            Latest::SchoolYears => "the last day of school years".to_owned(),
        };
        format!("the day is after {last}, {why}")
    } else {
        return Ok(());
    };
    let refusal = Refusal::new(Reason::DateOutOfRange, message).field(field);
    refuse(refusal.with("first_day", FIRST_DAY).with("last_day", last))
}

fn last_day(latest: Latest, now: Timestamp) -> Date {
    let years = match latest {
        Latest::SchoolYears => return SchoolYear::LATEST,
        Latest::Today => 0,
        Latest::InYears(years) => years,
    };
    now.day_in_denmark()
        .saturating_add(Span::new().years(years))
}
