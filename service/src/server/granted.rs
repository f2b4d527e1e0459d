//! Says which right of the table each access needs, and of what.

use planledger_core::access::{About, Action, Relation, Role, Who, decide, may};
use planledger_core::audit::Disclosure;
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::recovery::{Recovery, Step};
use planledger_core::domain::team::TeamCommand;
use planledger_core::domain::year_plan::YearPlanCommand;
use planledger_core::domain::{Actor, Aggregate, Command, World};
use planledger_core::ids::{
    InstitutionId, PersonId, PlanId, RecoveryId, StreamId, StreamKind, SystemId, TeamId, YearPlanId,
};
use planledger_core::ledger::{Envelope, EventFilter, ReadError, Reading};
use planledger_core::recovery::{RecoveryRequest, RestoreItem, What};

use super::auth::{Access, Authorizer, Caller, PlansOf, TeamsOf, YearPlansOf};

/// Permits what grants, roster and plans give a right to, and nothing else.
#[derive(Clone, Copy, Debug, Default)]
pub struct Granted;

impl Authorizer for Granted {
    fn permits(
        &self,
        now: &Reading<'_>,
        caller: &Caller,
        access: &Access<'_>,
    ) -> Result<bool, ReadError> {
        Rights::of(now, caller).permit(access)
    }
}

/// What one caller has a right to, by one state.
struct Rights<'r> {
    now: &'r Reading<'r>,
    who: Who,
}

type Permitted = Result<bool, ReadError>;

impl<'r> Rights<'r> {
    fn of(now: &'r Reading<'r>, caller: &Caller) -> Self {
        let who = Who {
            actor: caller.actor,
            on_behalf_of: caller.on_behalf_of,
            purpose: caller.purpose,
        };
        Self { now, who }
    }

    fn may(&self, action: Action, about: impl Into<Thing>) -> Permitted {
        let about = about.into().0;
        Ok(decide(self.now, self.now.day(), &self.who, action, about)?.is_allowed())
    }

    /// Whether the ledger knows the caller. Lists of what belongs to no single thing may be asked for
    /// by everybody it knows, and hold only what the caller may see.
    fn known(&self) -> Permitted {
        self.may(Action::ReadCatalogue, About::Municipality)
    }

    fn everywhere(&self, action: Action) -> Permitted {
        self.may(action, About::Municipality)
    }

    fn permit(&self, access: &Access<'_>) -> Permitted {
        match *access {
            Access::Execute { envelope, before } => self.execute(envelope, before),
            Access::PreviewLeavers => self.everywhere(Action::ImportRoster),
            Access::ReadPlan { plan, viewer, .. } | Access::ComparePlan { plan, viewer, .. } => {
                self.may(Action::read_plan(viewer), plan)
            }
            Access::ReadCollected {
                student, viewer, ..
            } => self.may(Action::read_plan(viewer), About::Student(student)),
            Access::ReadPlanHistory(plan) => self.may(Action::ReadRecords, plan),
            Access::ListPlans(of) => match of {
                PlansOf::Owner(_) => self.known(),
                PlansOf::Plan(_)
                | PlansOf::Student(_)
                | PlansOf::Team(_)
                | PlansOf::YearPlan(_) => self.may(Action::ListPlans, of),
            },
            Access::ReadPlanSummary(plan) => self.may(Action::ListPlans, plan),
            Access::ReadYearPlan { id, viewer } => self.may(Action::read_year_plan(viewer), id),
            Access::ReadCatalogue(_) => self.everywhere(Action::ReadCatalogue),
            Access::ListCatalogueGoals { institution, .. } => {
                self.may(Action::ReadInstitution, institution)
            }
            Access::ReadOverview(id) => self.may(Action::ReadOverview, id),
            Access::ReadSurvey(id) => self.may(Action::ReadSurvey, id),
            // Each item of these is asked about, too.
            Access::ListInstitutions
            | Access::LookupPerson(_)
            | Access::ListCatalogues
            | Access::ListOverview
            | Access::ListSurvey
            | Access::ListRecoveries => self.known(),
            Access::ReadEvents(filter) => self.read_events(filter),
            Access::Export { of, disclosure } => {
                let action = match disclosure {
                    Disclosure::Events => Action::ExportDisclosed,
                    Disclosure::Integrity => Action::ExportUndisclosed,
                };
                match of {
                    Some(of) => self.may(action, of),
                    None => self.everywhere(action),
                }
            }
            Access::ReadVerifierKeys
            | Access::ReadCheckpoints
            | Access::ReadInclusionProof(_)
            | Access::ReadConsistencyProof => self.everywhere(Action::ReadProofs),
            Access::CreateCheckpoint => self.everywhere(Action::CreateCheckpoint),
            Access::ReadEntry { stream, .. } => self.may(Action::ReadMeta, stream),
            Access::ReadStatus => self.everywhere(Action::ReadStatus),
            Access::ReadAccessLog(student) => {
                self.may(Action::ReadAccessLog, About::Student(student))
            }
            Access::ReadAccess { of } => {
                let about = match of {
                    None => About::Municipality,
                    Some(Actor::Person(id)) => About::Person(id),
                    Some(Actor::System(id)) => About::System(id),
                };
                self.may(Action::ReadAccess, about)
            }
            Access::ReadInstitution(_)
            | Access::ReadSchoolYear(_)
            | Access::ListSchoolYears
            | Access::ReadPerson(_)
            | Access::ListPersons(_)
            | Access::FindPerson(_)
            | Access::ReadTeam(_)
            | Access::ListTeams(_)
            | Access::ListYearPlans(_)
            | Access::ReadYearPlanSummary(_)
            | Access::ReadRosterSource(_)
            | Access::ListRosterSources
            | Access::ListRosterMembers(_)
            | Access::ListRosterLinks(_) => self.roster(access),
            Access::ListOwned { .. }
            | Access::ReadOwnership(_)
            | Access::ListOwnerless(_)
            | Access::ListSuggestions(_)
            | Access::ListSuccessors(_)
            | Access::PreviewDeletion(_)
            | Access::ProposeRecovery(_)
            | Access::Recover { .. }
            | Access::TakeStep(_)
            | Access::UndoRecovery { .. }
            | Access::ContinueRecovery { .. }
            | Access::ReadRecovery { .. } => self.ownership(access),
        }
    }

    fn roster(&self, access: &Access<'_>) -> Permitted {
        match *access {
            Access::ReadInstitution(id) => self.may(Action::ReadInstitution, id),
            Access::ReadSchoolYear(_) | Access::ListSchoolYears => {
                self.everywhere(Action::ReadInstitution)
            }
            Access::ReadPerson(id) => self.may(Action::ReadRoster, id),
            // Each person and team is asked about, too.
            Access::ListPersons(id) | Access::ListTeams(TeamsOf::Institution(id)) => {
                self.may(Action::ReadInstitution, id)
            }
            Access::ListTeams(TeamsOf::Person(_) | TeamsOf::Owner(_))
            | Access::ListYearPlans(YearPlansOf::Owner(_)) => self.known(),
            Access::FindPerson(id) => self.may(Action::LookupPerson, id),
            Access::ReadTeam(id) | Access::ListYearPlans(YearPlansOf::Team(id)) => {
                self.may(Action::ReadRoster, id)
            }
            Access::ReadYearPlanSummary(id) => self.may(Action::ReadRoster, id),
            Access::ReadRosterSource(_)
            | Access::ListRosterSources
            | Access::ListRosterMembers(_)
            | Access::ListRosterLinks(_) => self.everywhere(Action::ReadRosterSources),
            _ => Ok(false),
        }
    }

    fn ownership(&self, access: &Access<'_>) -> Permitted {
        match *access {
            Access::ListOwned { person, .. } => self.may(Action::ReadOwnership, person),
            Access::ReadOwnership(stream)
            | Access::ListSuccessors(stream)
            | Access::PreviewDeletion(stream) => self.may(Action::ReadOwnership, stream),
            Access::ListOwnerless(id) | Access::ListSuggestions(id) => {
                self.may(Action::ReadOwnership, id)
            }
            Access::ProposeRecovery(asked) => self.all(Action::ReadOwnership, named(asked)),
            Access::Recover {
                recovery_request, ..
            } => self.all(Action::Recover, named(recovery_request)),
            Access::TakeStep(step) => self.all(Action::Recover, changed(step)),
            Access::UndoRecovery { id, .. } => match self.recovery(id)? {
                Some(recovery) => self.every_step(Action::UndoRecovery, &recovery),
                None => self.everywhere(Action::UndoRecovery),
            },
            Access::ContinueRecovery { recovery, .. } => {
                let action = match recovery.undone_by() {
                    None => Action::Recover,
                    Some(_) => Action::UndoRecovery,
                };
                self.every_step(action, recovery)
            }
            Access::ReadRecovery { id, recovery } => {
                let found = match recovery {
                    Some(recovery) => Some(recovery.clone()),
                    None => self.recovery(id)?,
                };
                match found {
                    Some(recovery) => self.every_step(Action::ReadOwnership, &recovery),
                    None => self.everywhere(Action::ReadOwnership),
                }
            }
            _ => Ok(false),
        }
    }

    fn all(&self, action: Action, abouts: impl IntoIterator<Item = About>) -> Permitted {
        for about in abouts {
            if !self.may(action, about)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the caller has a right to everything that a recovery changes.
    fn every_step(&self, action: Action, recovery: &Recovery) -> Permitted {
        if self.everywhere(action)? {
            return Ok(true);
        }
        for step in &recovery.steps {
            if !self.all(action, changed(step))? {
                return Ok(false);
            }
        }
        Ok(!recovery.steps.is_empty())
    }

    fn recovery(&self, id: RecoveryId) -> Result<Option<Recovery>, ReadError> {
        Ok(match self.now.aggregate(id.into())?.as_deref() {
            Some(Aggregate::Recovery(recovery)) => Some(recovery.clone()),
            Some(_) | None => None,
        })
    }

    /// The events of the whole ledger, or those of streams that the caller has a right to.
    fn read_events(&self, filter: &EventFilter) -> Permitted {
        if self.everywhere(Action::ReadEvents)? {
            return Ok(true);
        }
        if let Some(student) = filter.student {
            return self.may(Action::ReadEvents, About::Student(student));
        }
        if filter.streams.is_empty() {
            return Ok(false);
        }
        for stream in &filter.streams {
            // A person's own events tell why they left, and whose guardian they are.
            if !self.may(Action::ReadEvents, *stream)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn execute(&self, envelope: &Envelope, before: &[Envelope]) -> Permitted {
        let caller = Caller {
            on_behalf_of: self.who.on_behalf_of,
            purpose: self.who.purpose,
            ..Caller::new(self.who.actor)
        };
        let Some(caller) = caller.acting_for(envelope.on_behalf_of) else {
            return Ok(false);
        };
        let rights = Rights::of(self.now, &caller);
        rights.carry_out(&envelope.command, before)
    }

    fn carry_out(&self, command: &Command, before: &[Envelope]) -> Permitted {
        let action = Action::of_command(command);
        let abouts = About::of_command(command);
        let stream = command.stream();
        let is_there = self.now.aggregate(stream)?.is_some();
        for about in &abouts {
            if !is_there && is_of(*about, stream) {
                // Whoever imports for one institution brings people and teams there.
                if action == Action::ImportRoster && abouts.len() > 1 {
                    continue;
                }
                if self.begun(action, stream, before)? {
                    continue;
                }
            }
            if !self.may(action, *about)? {
                return Ok(false);
            }
        }
        match taken_from(command) {
            Some(from) => self.may(Action::ReadYearPlanAsStaff, from),
            None => Ok(true),
        }
    }

    /// Whether the caller may do something to what an earlier command of the same batch creates:
    /// as whoever will own it, or because of where it will be.
    fn begun(&self, action: Action, stream: StreamId, before: &[Envelope]) -> Permitted {
        let mut begun = before.iter().map(|envelope| &envelope.command);
        let Some((owner, places)) = begun
            .find(|command| command.stream() == stream)
            .and_then(created)
        else {
            return Ok(false);
        };
        let who = self.who.on_behalf_of.map(Actor::Person);
        let who = who.unwrap_or(self.who.actor);
        let owns = owner.is_none_or(|owner| who == Actor::Person(owner));
        if owns && matches!(who, Actor::Person(_)) && may(Role::Teacher, Relation::Owner, action) {
            return Ok(true);
        }
        self.all(action, places)
    }
}

/// Whom a command that creates something makes its owner, and where it puts it. No owner is whoever
/// sends the command.
fn created(command: &Command) -> Option<(Option<PersonId>, Vec<About>)> {
    match command {
        Command::Team(_, TeamCommand::Create { details, owner }) => {
            Some((*owner, vec![About::Institution(details.institution)]))
        }
        Command::YearPlan(_, YearPlanCommand::Create { details, owner }) => {
            Some((Some(*owner), vec![About::Team(details.team)]))
        }
        Command::Plan(
            _,
            PlanCommand::Open {
                student,
                year_plan,
                owner,
            },
        ) => Some((
            *owner,
            vec![About::Student(*student), About::YearPlan(*year_plan)],
        )),
        _ => None,
    }
}

/// The year plan from which a command takes text into another thing.
fn taken_from(command: &Command) -> Option<YearPlanId> {
    match command {
        Command::YearPlan(to, YearPlanCommand::CopyUnit { from, .. }) => {
            Some(from.year_plan).filter(|from| from != to)
        }
        Command::Plan(_, PlanCommand::IncludeUnit(unit)) => Some(unit.year_plan),
        _ => None,
    }
}

fn is_of(about: About, stream: StreamId) -> bool {
    about == Thing::from(stream).0
}

/// What a request for a recovery names.
fn named(asked: &RecoveryRequest) -> Vec<About> {
    match asked {
        RecoveryRequest::Transfer(transfer) => match &transfer.what {
            What::Everything {
                institution: Some(institution),
                ..
            } => vec![About::Institution(*institution)],
            What::Everything {
                of,
                institution: None,
            } => vec![About::Person(*of)],
            What::Items(items) => items.iter().map(|item| Thing::from(*item).0).collect(),
        },
        RecoveryRequest::Restore(restore) => {
            let items = restore.what.iter();
            items.flat_map(named_by_item).collect()
        }
        RecoveryRequest::Merge(merge) => {
            vec![About::Institution(merge.from), About::Institution(merge.to)]
        }
    }
}

fn named_by_item(item: &RestoreItem) -> Vec<About> {
    match item {
        RestoreItem::Team { team, .. } => vec![About::Team(*team)],
        RestoreItem::YearPlan { year_plan, .. } | RestoreItem::Unit { year_plan, .. } => {
            vec![About::YearPlan(*year_plan)]
        }
        RestoreItem::Plan { plan } => vec![About::Plan(*plan)],
        RestoreItem::Move { plan, to } => vec![About::Plan(*plan), About::YearPlan(*to)],
        RestoreItem::Rebuild(rebuild) => {
            let team = rebuild.team.map(About::Team);
            let institution = rebuild.institution.map(About::Institution);
            let from = About::YearPlan(rebuild.from);
            [from].into_iter().chain(team).chain(institution).collect()
        }
    }
}

/// What a step of a recovery changes, and where it puts it.
fn changed(step: &Step) -> Vec<About> {
    match step {
        Step::TeamOwner { team, .. } | Step::UndeleteTeam { team } => vec![About::Team(*team)],
        Step::MoveTeam { team, to, .. } => vec![About::Team(*team), About::Institution(*to)],
        Step::YearPlanOwner { year_plan, .. }
        | Step::UndeleteYearPlan { year_plan }
        | Step::UndeleteUnit { year_plan, .. } => vec![About::YearPlan(*year_plan)],
        Step::MoveYearPlan { year_plan, to, .. } => {
            vec![
                About::YearPlan(*year_plan),
                About::Institution(to.institution),
            ]
        }
        Step::Succeed {
            institution, to, ..
        } => vec![About::Institution(*institution), About::Institution(*to)],
        Step::CreateYearPlan { like, details, .. } => {
            vec![
                About::YearPlan(*like),
                About::Institution(details.institution),
            ]
        }
        Step::CopyUnit { from, .. } => vec![About::YearPlan(from.year_plan)],
        Step::PlanOwner { plan, .. } | Step::RestorePlan { plan } | Step::MovePlan { plan, .. } => {
            vec![About::Plan(*plan)]
        }
    }
}

/// What an access names, as the table has it.
struct Thing(About);

impl From<About> for Thing {
    fn from(about: About) -> Self {
        Self(about)
    }
}

impl From<InstitutionId> for Thing {
    fn from(id: InstitutionId) -> Self {
        Self(About::Institution(id))
    }
}

impl From<PersonId> for Thing {
    fn from(id: PersonId) -> Self {
        Self(About::Person(id))
    }
}

impl From<TeamId> for Thing {
    fn from(id: TeamId) -> Self {
        Self(About::Team(id))
    }
}

impl From<YearPlanId> for Thing {
    fn from(id: YearPlanId) -> Self {
        Self(About::YearPlan(id))
    }
}

impl From<PlanId> for Thing {
    fn from(id: PlanId) -> Self {
        Self(About::Plan(id))
    }
}

impl From<StreamId> for Thing {
    fn from(stream: StreamId) -> Self {
        Self(match stream.kind {
            StreamKind::Institution => About::Institution(InstitutionId::from_uuid(stream.id)),
            StreamKind::Person => About::Person(PersonId::from_uuid(stream.id)),
            StreamKind::Team => About::Team(TeamId::from_uuid(stream.id)),
            StreamKind::YearPlan => About::YearPlan(YearPlanId::from_uuid(stream.id)),
            StreamKind::Plan => About::Plan(PlanId::from_uuid(stream.id)),
            StreamKind::System => About::System(SystemId::from_uuid(stream.id)),
            // They belong to no institution, or to several.
            StreamKind::SchoolYear
            | StreamKind::Catalogue
            | StreamKind::Ledger
            | StreamKind::Recovery
            | StreamKind::RosterSource
            | StreamKind::Grants => About::Municipality,
        })
    }
}

impl From<PlansOf> for Thing {
    fn from(of: PlansOf) -> Self {
        Self(match of {
            PlansOf::Plan(id) => About::Plan(id),
            PlansOf::Student(id) => About::Student(id),
            PlansOf::Owner(id) => About::Person(id),
            PlansOf::Team(id) => About::Team(id),
            PlansOf::YearPlan(id) => About::YearPlan(id),
        })
    }
}
