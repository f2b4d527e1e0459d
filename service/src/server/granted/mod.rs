//! Says which right of the table each access needs, and of what.

mod commands;
mod recoveries;
mod thing;

use std::collections::BTreeSet;

use planledger_core::access::{About, Action, Scope, Who, decide};
use planledger_core::audit::Disclosure;
use planledger_core::domain::{Actor, Aggregate, World};
use planledger_core::ids::{GrantsId, PersonId, StreamId};
use planledger_core::ledger::{EventFilter, ReadError, Reading};

use self::thing::Thing;
use super::auth::{Access, Authorizer, Caller, Naming, PlansOf, TeamsOf, YearPlansOf};

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

    fn unseen(
        &self,
        now: &Reading<'_>,
        caller: &Caller,
        naming: Naming<'_>,
    ) -> Result<BTreeSet<StreamId>, ReadError> {
        let rights = Rights::of(now, caller);
        match naming {
            Naming::Command(envelope) => rights.unseen(envelope),
            Naming::Recovery(request) => rights.unseen_in_recovery(request),
        }
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
            | Access::ListRecoveries
            | Access::ListGrants => self.known(),
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
            Access::ReadAccess { of: None } => self.everywhere(Action::ReadAccess),
            Access::ReadAccess { of: Some(actor) } => self.may(Action::ReadAccess, actor),
            Access::ListDueErasures => self.everywhere(Action::DestroyText),
            Access::ReadGrants(id) => self.any_grant(id),
            Access::ReadGrant { of, scope } => self.grant(of, scope),
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

    fn all(&self, action: Action, abouts: impl IntoIterator<Item = About>) -> Permitted {
        for about in abouts {
            if !self.may(action, about)? {
                return Ok(false);
            }
        }
        Ok(true)
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

    /// Whether the caller may see any of the grants of a person or system: because of whose they are,
    /// or because of where one holds.
    fn any_grant(&self, id: GrantsId) -> Permitted {
        let state = self.now.aggregate(id.into())?;
        let Some(Aggregate::Grants(all)) = state.as_deref() else {
            return self.everywhere(Action::ReadAccess);
        };
        for grant in all.grants.values() {
            if self.grant(all.grantee, grant.details.scope)? {
                return Ok(true);
            }
        }
        self.may(Action::ReadAccess, all.grantee)
    }

    fn grant(&self, of: Actor, scope: Scope) -> Permitted {
        if self.may(Action::ReadAccess, of)? {
            return Ok(true);
        }
        match scope {
            // A grant has a reason, which is for colleagues.
            Scope::Student(student) if self.is(student) => Ok(false),
            Scope::Municipality | Scope::Institution(_) | Scope::Team(_) | Scope::Student(_) => {
                self.may(Action::ReadAccess, About::of_scope(scope))
            }
        }
    }

    /// Whether the caller is this person, or acts for them.
    fn is(&self, person: PersonId) -> bool {
        let author = self.who.on_behalf_of.map(Actor::Person);
        author.unwrap_or(self.who.actor) == Actor::Person(person)
    }
}
