//! What a command names: every stream whose id is in it.

use std::collections::BTreeSet;

use super::Scope;
use super::naming::stream_of;
use crate::domain::Command;
use crate::domain::erasure::{ErasureCommand, Target};
use crate::domain::grants::GrantsCommand;
use crate::domain::institution::{InstitutionCommand, SurveyDetails};
use crate::domain::person::{Evidence, PersonCommand};
use crate::domain::plan::PlanCommand;
use crate::domain::school_year::SchoolYearCommand;
use crate::domain::team::{TeamCommand, TeamDetails};
use crate::domain::year_plan::{
    GoalDetails, Place, ScaleChoice, WordingChoice, YearPlanCommand, YearPlanDetails,
};
use crate::ids::StreamId;

/// Every stream that a command names. The stream that it changes may be among them.
pub fn named(command: &Command) -> BTreeSet<StreamId> {
    match command {
        Command::Institution(_, command) => by_institution(command),
        Command::SchoolYear(_, command) => match command {
            SchoolYearCommand::Define(_) | SchoolYearCommand::Put(_) => BTreeSet::new(),
        },
        Command::Person(_, command) => by_person(command),
        Command::Team(_, command) => by_team(command),
        Command::YearPlan(_, command) => by_year_plan(command),
        Command::Plan(_, command) => by_plan(command),
        Command::Grants(_, command) => match command {
            GrantsCommand::Bootstrap { grantee, .. } | GrantsCommand::Revoke { grantee, .. } => {
                one(stream_of(*grantee))
            }
            GrantsCommand::Grant {
                grantee, details, ..
            } => {
                let mut named = one(stream_of(*grantee));
                // Where it holds is what the command is about.
                named.extend(of_scope(details.scope));
                named
            }
        },
        Command::Erasure(_, command) => match command {
            ErasureCommand::Request { target, .. } => match target {
                Target::Person(person) => one(*person),
                Target::Event(place) => one(place.stream),
                Target::Reads { .. } => BTreeSet::new(),
            },
            ErasureCommand::Approve { .. }
            | ErasureCommand::Withdraw { .. }
            | ErasureCommand::CarryOut { .. }
            | ErasureCommand::SettleReads(_)
            | ErasureCommand::SettleText(_)
            | ErasureCommand::ApplyAgain { .. } => BTreeSet::new(),
        },
        // A catalogue and a source name nothing else. Nobody sends the others over the network. The
        // identities of a system are no ids of the ledger.
        Command::Catalogue(..)
        | Command::RosterSource(..)
        | Command::System(..)
        | Command::Ledger(..)
        | Command::Recovery(..) => BTreeSet::new(),
    }
}

fn one(stream: impl Into<StreamId>) -> BTreeSet<StreamId> {
    BTreeSet::from([stream.into()])
}

fn all<I: Into<StreamId>>(ids: impl IntoIterator<Item = I>) -> BTreeSet<StreamId> {
    ids.into_iter().map(Into::into).collect()
}

fn of_scope(scope: Scope) -> Option<StreamId> {
    match scope {
        Scope::Municipality => None,
        Scope::Institution(id) => Some(id.into()),
        Scope::Team(id) => Some(id.into()),
        Scope::Student(id) => Some(id.into()),
    }
}

fn by_institution(command: &InstitutionCommand) -> BTreeSet<StreamId> {
    let of_survey = |details: &SurveyDetails| {
        let mut named = all(details.goals.iter().map(|goal| goal.year_plan));
        named.insert(details.school_year.into());
        named
    };
    match command {
        InstitutionCommand::RecordSurveyDiscussion { details, .. }
        | InstitutionCommand::CorrectSurveyDiscussion { details, .. } => of_survey(details),
        InstitutionCommand::Succeed { from, to } => all(from.iter().chain([to]).copied()),
        InstitutionCommand::SucceedBack { from, to } => all(to.iter().chain([from]).copied()),
        InstitutionCommand::Register(_)
        | InstitutionCommand::Revise(_)
        | InstitutionCommand::Close { .. }
        | InstitutionCommand::Reopen
        | InstitutionCommand::Put { .. }
        | InstitutionCommand::WithdrawSurveyDiscussion { .. } => BTreeSet::new(),
    }
}

fn by_person(command: &PersonCommand) -> BTreeSet<StreamId> {
    match command {
        PersonCommand::SetAffiliation(at) => one(at.institution),
        PersonCommand::EndAffiliation { institution, .. } => one(*institution),
        PersonCommand::SetGuardianship(set) => one(set.guardian),
        PersonCommand::EndGuardianship { guardian, .. } => one(*guardian),
        PersonCommand::Put { affiliations, .. } => {
            all(affiliations.iter().map(|at| at.institution))
        }
        PersonCommand::PutGuardians { guardians, .. } => {
            all(guardians.iter().map(|set| set.guardian))
        }
        PersonCommand::PutSomeGuardians {
            guardians,
            unsaid,
            ended,
            ..
        } => {
            let guardians = guardians.iter().map(|set| set.guardian);
            all(guardians.chain(unsaid.iter().chain(ended).copied()))
        }
        PersonCommand::DecideSuggestion { evidence, .. } => match evidence {
            Evidence::OwnerElsewhere { institution }
            | Evidence::NoPlaceLeft { institution, .. } => one(*institution),
            Evidence::AbsentFromRoster { .. } | Evidence::NoEnrolmentLeft { .. } => BTreeSet::new(),
        },
        PersonCommand::Register { .. }
        | PersonCommand::Rename { .. }
        | PersonCommand::Depart { .. }
        | PersonCommand::Return
        | PersonCommand::PutSomeProfiles { .. }
        | PersonCommand::PutGone { .. }
        | PersonCommand::NoteAbsence { .. } => BTreeSet::new(),
    }
}

fn by_team(command: &TeamCommand) -> BTreeSet<StreamId> {
    let of_details = |details: &TeamDetails| {
        let mut named = one(details.institution);
        named.extend(details.school_year.map(StreamId::from));
        named
    };
    match command {
        TeamCommand::Create { details, owner } => {
            let mut named = of_details(details);
            named.extend(owner.map(StreamId::from));
            named
        }
        TeamCommand::Revise(details) => of_details(details),
        TeamCommand::AddMember { student } | TeamCommand::RemoveMember { student } => one(*student),
        TeamCommand::AddStaff { person, .. } | TeamCommand::RemoveStaff { person } => one(*person),
        TeamCommand::TransferOwnership { to, .. } => one(*to),
        TeamCommand::HandOver { from, to, .. } => all(from.iter().chain([to]).copied()),
        TeamCommand::HandBack { from, to, .. } => all(to.iter().chain([from]).copied()),
        TeamCommand::Move { from, to } | TeamCommand::MoveBack { from, to } => all([*from, *to]),
        TeamCommand::Put {
            details,
            members,
            staff,
            owner,
            ..
        } => {
            let mut named = of_details(details);
            let people = members.iter().chain(staff.keys()).chain(owner);
            named.extend(all(people.copied()));
            named
        }
        TeamCommand::PutPart {
            details,
            members,
            staff,
            gone,
            unsaid,
            owner,
            ..
        } => {
            let mut named = details.as_ref().map(of_details).unwrap_or_default();
            let people = members.iter().chain(staff.keys()).chain(gone).chain(owner);
            named.extend(all(people.chain(unsaid.iter().flatten()).copied()));
            named
        }
        TeamCommand::Close { .. }
        | TeamCommand::Reopen
        | TeamCommand::Delete { .. }
        | TeamCommand::Undelete
        | TeamCommand::NoteAbsence { .. } => BTreeSet::new(),
    }
}

fn by_year_plan(command: &YearPlanCommand) -> BTreeSet<StreamId> {
    let of_place = |place: &Place| [place.institution.into(), place.team.into()];
    let of_goal = |wording: &WordingChoice, scale: &ScaleChoice| {
        let wording = match wording {
            WordingChoice::Own { .. } => None,
            WordingChoice::Catalogue { catalogue, .. } => Some(*catalogue),
        };
        let scale = match scale {
            ScaleChoice::Own(_) => None,
            ScaleChoice::Catalogue { catalogue, .. } => Some(*catalogue),
        };
        all(wording.into_iter().chain(scale))
    };
    match command {
        YearPlanCommand::Create { details, owner } => {
            let YearPlanDetails {
                institution,
                team,
                school_year,
                ..
            } = details;
            let place: [StreamId; 3] =
                [(*institution).into(), (*team).into(), (*school_year).into()];
            place.into_iter().chain([(*owner).into()]).collect()
        }
        YearPlanCommand::CopyUnit { from, .. } => one(from.year_plan),
        YearPlanCommand::AddGoal {
            details: GoalDetails { wording, scale, .. },
            ..
        }
        | YearPlanCommand::ReviseGoal { wording, scale, .. } => of_goal(wording, scale),
        YearPlanCommand::TransferOwnership { to, .. } => one(*to),
        YearPlanCommand::HandOver { from, to, .. } | YearPlanCommand::HandBack { from, to, .. } => {
            all([*from, *to])
        }
        YearPlanCommand::MoveToInstitution { to, team, .. } => {
            let mut named = one(*to);
            named.extend(team.map(StreamId::from));
            named
        }
        YearPlanCommand::Move { from, to, .. } | YearPlanCommand::MoveBack { from, to, .. } => {
            of_place(from).into_iter().chain(of_place(to)).collect()
        }
        YearPlanCommand::Retitle { .. }
        | YearPlanCommand::AddSubject { .. }
        | YearPlanCommand::RemoveSubject { .. }
        | YearPlanCommand::AddUnit { .. }
        | YearPlanCommand::ReviseUnit { .. }
        | YearPlanCommand::DeleteUnit { .. }
        | YearPlanCommand::UndeleteUnit { .. }
        | YearPlanCommand::RetireGoal { .. }
        | YearPlanCommand::Delete { .. }
        | YearPlanCommand::Undelete => BTreeSet::new(),
    }
}

fn by_plan(command: &PlanCommand) -> BTreeSet<StreamId> {
    match command {
        PlanCommand::Open {
            student,
            year_plan,
            owner,
        } => {
            let mut named = all([Some(*student), *owner].into_iter().flatten());
            named.insert((*year_plan).into());
            named
        }
        PlanCommand::IncludeUnit(unit)
        | PlanCommand::ExcludeUnit(unit)
        | PlanCommand::RecordEvaluation { unit, .. } => one(unit.year_plan),
        PlanCommand::RecordTalk { details, .. } | PlanCommand::CorrectTalk { details, .. } => {
            all(details.held_by.iter().copied())
        }
        PlanCommand::TransferOwnership { to, .. } => one(*to),
        PlanCommand::HandOver { from, to, .. } | PlanCommand::HandBack { from, to, .. } => {
            all([*from, *to])
        }
        PlanCommand::MoveToYearPlan { to, .. } => one(*to),
        PlanCommand::Move { from, to, .. } => all([*from, *to]),
        // Items are the plan's own, and what a revert brings back was in the plan.
        PlanCommand::ShowItem { .. }
        | PlanCommand::HideItem { .. }
        | PlanCommand::Revert(_)
        | PlanCommand::ShowSection { .. }
        | PlanCommand::HideSection { .. }
        | PlanCommand::WriteStatus { .. }
        | PlanCommand::WriteFollowUp { .. }
        | PlanCommand::ClearStatus
        | PlanCommand::ClearFollowUp
        | PlanCommand::CorrectEvaluation { .. }
        | PlanCommand::Share
        | PlanCommand::Unshare
        | PlanCommand::SetVisibility { .. }
        | PlanCommand::Withdraw { .. }
        | PlanCommand::Restore => BTreeSet::new(),
    }
}
