//! What a command is about.

use super::{About, Action};
use crate::domain::Command;
use crate::domain::grants::GrantsCommand;
use crate::domain::person::PersonCommand;
use crate::domain::plan::{PlanCommand, UnitRef};
use crate::domain::team::{TeamCommand, TeamDetails};
use crate::domain::year_plan::YearPlanCommand;
use crate::ids::{PersonId, PlanId, TeamId, YearPlanId};

impl Action {
    /// Everything that the sender of a command needs the right to, each about one thing. All of them
    /// are needed.
    pub fn needed_for(command: &Command) -> Vec<(Self, About)> {
        let action = Self::of_command(command);
        let abouts = About::of_command(command).into_iter();
        let mut needed: Vec<_> = abouts.map(|about| (action, about)).collect();
        // Whoever copies a unit reads it.
        if let Command::YearPlan(_, YearPlanCommand::CopyUnit { from, .. }) = command {
            needed.push((Self::ReadYearPlanAsStaff, About::YearPlan(from.year_plan)));
        }
        needed
    }
}

impl About {
    /// Everything that a command is about. Whoever sends it needs the right to its action for each:
    /// [`Action::needed_for`] has both, and what is needed besides.
    pub fn of_command(command: &Command) -> Vec<Self> {
        match command {
            Command::Institution(id, _) => vec![Self::Institution(*id)],
            Command::SchoolYear(..)
            | Command::Catalogue(..)
            | Command::Ledger(..)
            | Command::Recovery(..)
            | Command::RosterSource(..)
            | Command::Erasure(..) => vec![Self::Municipality],
            Command::Person(id, command) => of_person(*id, command),
            Command::Team(id, command) => of_team(*id, command),
            Command::YearPlan(id, command) => of_year_plan(*id, command),
            Command::Plan(id, command) => of_plan(*id, command),
            Command::System(id, _) => vec![Self::System(*id)],
            Command::Grants(_, command) => match command {
                GrantsCommand::Bootstrap { .. } => vec![Self::Municipality],
                GrantsCommand::Grant { details, .. } => vec![Self::of_scope(details.scope)],
                GrantsCommand::Revoke { grant, grantee, .. } => {
                    vec![Self::Grant(*grantee, *grant)]
                }
            },
        }
    }
}

fn of_person(id: PersonId, command: &PersonCommand) -> Vec<About> {
    let person = About::Person(id);
    match command {
        PersonCommand::SetAffiliation(at) => vec![person, About::Institution(at.institution)],
        PersonCommand::EndAffiliation { institution, .. } => {
            vec![person, About::Institution(*institution)]
        }
        PersonCommand::SetGuardianship(set) => vec![person, About::Person(set.guardian)],
        PersonCommand::EndGuardianship { guardian, .. } => {
            vec![person, About::Person(*guardian)]
        }
        PersonCommand::Put { affiliations, .. } => {
            let places = affiliations
                .iter()
                .map(|at| About::Institution(at.institution));
            with_places(person, places)
        }
        PersonCommand::Register { .. }
        | PersonCommand::Rename { .. }
        | PersonCommand::Depart { .. }
        | PersonCommand::Return
        | PersonCommand::PutGone { .. }
        | PersonCommand::PutGuardians { .. }
        | PersonCommand::PutSomeGuardians { .. }
        | PersonCommand::PutSomeProfiles { .. }
        | PersonCommand::NoteAbsence { .. }
        | PersonCommand::DecideSuggestion { .. } => vec![person],
    }
}

/// A thing, and where it will belong.
fn with_places(thing: About, places: impl Iterator<Item = About>) -> Vec<About> {
    [thing].into_iter().chain(places).collect()
}

fn of_team(id: TeamId, command: &TeamCommand) -> Vec<About> {
    let team = About::Team(id);
    let at = |details: &TeamDetails| About::Institution(details.institution);
    match command {
        // The team is not there yet.
        TeamCommand::Create { details, .. } => vec![at(details)],
        TeamCommand::Revise(details) | TeamCommand::Put { details, .. } => {
            vec![team, at(details)]
        }
        TeamCommand::PutPart { details, .. } => with_places(team, details.iter().map(at)),
        TeamCommand::AddMember { student } => vec![team, About::Student(*student)],
        TeamCommand::AddStaff { person, .. } => vec![team, About::Person(*person)],
        TeamCommand::Move { to, .. } | TeamCommand::MoveBack { to, .. } => {
            vec![team, About::Institution(*to)]
        }
        TeamCommand::RemoveMember { .. }
        | TeamCommand::RemoveStaff { .. }
        | TeamCommand::Close { .. }
        | TeamCommand::Reopen
        | TeamCommand::Delete { .. }
        | TeamCommand::Undelete
        | TeamCommand::TransferOwnership { .. }
        | TeamCommand::HandOver { .. }
        | TeamCommand::HandBack { .. }
        | TeamCommand::NoteAbsence { .. } => vec![team],
    }
}

fn of_year_plan(id: YearPlanId, command: &YearPlanCommand) -> Vec<About> {
    let plan = About::YearPlan(id);
    match command {
        // The year plan is not there yet. Its institution must be the team's, so the team says all.
        YearPlanCommand::Create { details, .. } => vec![About::Team(details.team)],
        YearPlanCommand::MoveToInstitution { to, team, .. } => {
            let team = team.map(About::Team);
            with_places(plan, [About::Institution(*to)].into_iter().chain(team))
        }
        YearPlanCommand::Move { to, .. } | YearPlanCommand::MoveBack { to, .. } => {
            vec![
                plan,
                About::Institution(to.institution),
                About::Team(to.team),
            ]
        }
        YearPlanCommand::Retitle { .. }
        | YearPlanCommand::AddSubject { .. }
        | YearPlanCommand::RemoveSubject { .. }
        | YearPlanCommand::AddUnit { .. }
        | YearPlanCommand::CopyUnit { .. }
        | YearPlanCommand::ReviseUnit { .. }
        | YearPlanCommand::DeleteUnit { .. }
        | YearPlanCommand::UndeleteUnit { .. }
        | YearPlanCommand::AddGoal { .. }
        | YearPlanCommand::ReviseGoal { .. }
        | YearPlanCommand::RetireGoal { .. }
        | YearPlanCommand::Delete { .. }
        | YearPlanCommand::Undelete
        | YearPlanCommand::TransferOwnership { .. }
        | YearPlanCommand::HandOver { .. }
        | YearPlanCommand::HandBack { .. } => vec![plan],
    }
}

fn of_plan(id: PlanId, command: &PlanCommand) -> Vec<About> {
    let plan = About::Plan(id);
    match command {
        // The plan is not there yet.
        PlanCommand::Open {
            student, year_plan, ..
        } => vec![About::Student(*student), About::YearPlan(*year_plan)],
        PlanCommand::MoveToYearPlan { to, .. } | PlanCommand::Move { to, .. } => {
            vec![plan, About::YearPlan(*to)]
        }
        PlanCommand::IncludeUnit(UnitRef { .. })
        | PlanCommand::ExcludeUnit(UnitRef { .. })
        | PlanCommand::ShowSection { .. }
        | PlanCommand::HideSection { .. }
        | PlanCommand::ShowItem { .. }
        | PlanCommand::HideItem { .. }
        | PlanCommand::WriteStatus { .. }
        | PlanCommand::WriteFollowUp { .. }
        | PlanCommand::ClearStatus
        | PlanCommand::ClearFollowUp
        | PlanCommand::RecordEvaluation { .. }
        | PlanCommand::CorrectEvaluation { .. }
        | PlanCommand::RecordTalk { .. }
        | PlanCommand::CorrectTalk { .. }
        | PlanCommand::Share
        | PlanCommand::Unshare
        | PlanCommand::SetVisibility { .. }
        | PlanCommand::Withdraw { .. }
        | PlanCommand::Restore
        | PlanCommand::TransferOwnership { .. }
        | PlanCommand::HandOver { .. }
        | PlanCommand::HandBack { .. }
        | PlanCommand::Revert(_) => vec![plan],
    }
}
