//! Which accesses show plans, and the records of them in the access log.

use std::collections::HashMap;
use std::sync::Arc;

use planledger_core::access_log::{AccessLog, AccessLogError, Read, Seen, Shown};
use planledger_core::domain::view::Viewer;
use planledger_core::domain::{Actor, Aggregate, World};
use planledger_core::ids::{KeyId, PersonId, PlanId, Position};
use planledger_core::ledger::Reading;
use planledger_core::time::Timestamp;
use tokio::sync::oneshot;

use super::auth::{Access, Caller};
use crate::wire::Failure;

/// Whose plans an access shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Plan(PlanId),
    Student(PersonId),
}

/// What an access shows of plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    whose: Whose,
    shown: Shown,
    viewer: Option<Viewer>,
}

/// What an access shows of the content of plans; `None` if nothing. Lists and counts tell that plans
/// are there, and nothing that is written in them. Events and evidence are recorded page by page, where
/// they are read: see [`ReadLog::record_pages`].
pub(super) fn look(access: &Access<'_>) -> Option<Look> {
    let look = |whose, shown, viewer| {
        Some(Look {
            whose,
            shown,
            viewer,
        })
    };
    match *access {
        Access::ReadPlan { plan, viewer, .. } => look(Whose::Plan(plan), Shown::Plan, Some(viewer)),
        Access::ComparePlan { plan, viewer, .. } => {
            look(Whose::Plan(plan), Shown::Comparison, Some(viewer))
        }
        Access::ReadCollected {
            student, viewer, ..
        } => look(Whose::Student(student), Shown::CollectedView, Some(viewer)),
        Access::ReadPlanHistory(plan) => look(Whose::Plan(plan), Shown::History, None),
        Access::ReadAccessLog(student) => look(Whose::Student(student), Shown::AccessLog, None),
        Access::ReadEvents(_)
        | Access::Export { .. }
        | Access::Execute { .. }
        | Access::PreviewLeavers
        | Access::ListPlans(_)
        | Access::ReadPlanSummary(_)
        | Access::ReadInstitution(_)
        | Access::ListInstitutions
        | Access::ReadSchoolYear(_)
        | Access::ListSchoolYears
        | Access::ReadPerson(_)
        | Access::ListPersons(_)
        | Access::LookupPerson(_)
        | Access::FindPerson(_)
        | Access::ReadTeam(_)
        | Access::ListTeams(_)
        | Access::ReadYearPlan { .. }
        | Access::ListYearPlans(_)
        | Access::ReadYearPlanSummary(_)
        | Access::ReadRosterSource(_)
        | Access::ListRosterSources
        | Access::ListRosterMembers(_)
        | Access::ListRosterLinks(_)
        | Access::ReadCatalogue(_)
        | Access::ListCatalogues
        | Access::ListCatalogueGoals { .. }
        | Access::ListOverview
        | Access::ReadOverview(_)
        | Access::ListSurvey
        | Access::ReadSurvey(_)
        | Access::ListOwned { .. }
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
        | Access::ListRecoveries
        | Access::ReadRecovery { .. }
        | Access::ReadVerifierKeys
        | Access::ReadCheckpoints
        | Access::CreateCheckpoint
        | Access::ReadInclusionProof(_)
        | Access::ReadEntry { .. }
        | Access::ReadConsistencyProof
        | Access::ReadStatus
        | Access::ListGrants
        | Access::ReadGrants(_)
        | Access::ReadGrant { .. }
        | Access::ReadAccess { .. }
        | Access::ListDueErasures => None,
    }
}

/// What every method of the API shows of the content of plans; `None` if nothing. A method that is not
/// here does not pass the tests.
pub(super) const METHODS: &[(&str, Option<Shown>)] = &[
    ("GetPlan", Some(Shown::Plan)),
    ("DiffPlan", Some(Shown::Comparison)),
    ("GetCollectedView", Some(Shown::CollectedView)),
    ("GetPlanHistory", Some(Shown::History)),
    // What a revert changes is shown as staff see it.
    ("RevertPlan", Some(Shown::Plan)),
    ("ReadEvents", Some(Shown::Events)),
    ("FollowEvents", Some(Shown::Events)),
    ("ExportBundle", Some(Shown::Evidence)),
    ("ListReaders", Some(Shown::AccessLog)),
    // Whose plans there are, of which year plan, and how far the gates are open.
    ("ListPlans", None),
    // Commands bring text in; their answers hold none.
    ("Execute", None),
    ("ExecuteBatch", None),
    ("ExecuteStream", None),
    ("PreviewStream", None),
    // Rosters, year plans and catalogues are about no student's plan.
    ("GetInstitution", None),
    ("ListInstitutions", None),
    ("GetSchoolYear", None),
    ("ListSchoolYears", None),
    ("GetPerson", None),
    ("ListPersons", None),
    ("LookupPerson", None),
    ("GetTeam", None),
    ("ListTeams", None),
    ("GetYearPlan", None),
    ("ListYearPlans", None),
    ("ListRosterSources", None),
    ("ListRosterMembers", None),
    ("ListRosterLinks", None),
    ("GetCatalogue", None),
    ("ListCatalogues", None),
    ("GetCatalogueItem", None),
    ("ListCatalogueItems", None),
    ("ListCatalogueScales", None),
    ("ListCatalogueGoals", None),
    // Counts, and discussions of whole institutions.
    ("GetOverview", None),
    ("GetSurveyOverview", None),
    ("ListSurveyDiscussions", None),
    // Who owns what, by title.
    ("ListOwned", None),
    ("ListOwnerless", None),
    ("ListSuggestions", None),
    ("ListSuccessors", None),
    ("PreviewDeletion", None),
    ("ProposeRecovery", None),
    ("RunRecovery", None),
    ("UndoRecovery", None),
    ("GetRecovery", None),
    ("ListRecoveries", None),
    // Hashes, signatures, and entries, which hold no text.
    ("GetVerifierKeys", None),
    ("GetCheckpoint", None),
    ("ListCheckpoints", None),
    ("GetInclusionProof", None),
    ("GetConsistencyProof", None),
    ("GetStatus", None),
    // Grants and systems.
    ("ListGrants", None),
    ("GetSystem", None),
    ("ListSystems", None),
    ("ListErasures", None),
    // Who is due for erasure: ids and days.
    ("ListDueErasures", None),
    ("ExplainAccess", None),
    ("ReviewAccess", None),
];

/// The method that a path names: `/planledger.v1.PlanService/GetPlan` is `GetPlan`.
pub(super) fn method(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next()?;
    let found = METHODS.iter().find(|(method, _)| *method == name);
    found.map(|(method, _)| *method)
}

/// What an answer shows, each with the student.
pub(super) type Looks = Vec<(PersonId, Look)>;

/// Finds the students of what was shown. A plan that does not exist was not shown.
pub(super) fn students(now: &Reading<'_>, looks: Vec<Look>) -> Result<Looks, Failure> {
    let mut found = Vec::with_capacity(looks.len());
    for look in looks {
        let student = match look.whose {
            Whose::Student(student) => Some(student),
            Whose::Plan(plan) => match now.aggregate(plan.into())?.as_deref() {
                Some(Aggregate::Plan(plan)) => Some(plan.student),
                Some(_) | None => None,
            },
        };
        found.extend(student.map(|student| (student, look)));
    }
    Ok(found)
}

/// The access log of a server, and whether answers wait for it.
#[derive(Clone)]
pub(super) struct ReadLog {
    log: Arc<AccessLog>,
    strict: bool,
}

impl ReadLog {
    pub(super) fn new(log: Arc<AccessLog>, strict: bool) -> Self {
        Self { log, strict }
    }

    /// Whether reads can be recorded.
    pub(super) fn is_recording(&self) -> bool {
        self.state().is_ok()
    }

    /// Whether reads can be recorded, and why not.
    pub(super) fn state(&self) -> Result<(), AccessLogError> {
        self.log.failed().map_or(Ok(()), Err)
    }

    pub(super) fn log(&self) -> &AccessLog {
        &self.log
    }

    /// Records what an answer shows. The answer must not leave before [`Recording::done`].
    pub(super) fn record_looks(
        &self,
        caller: &Caller,
        at: Timestamp,
        looks: Looks,
        position: Position,
    ) -> Result<Recording, Failure> {
        let reads = looks.into_iter().map(|(student, look)| {
            let plan = match look.whose {
                Whose::Plan(plan) => Some(plan),
                Whose::Student(_) => None,
            };
            let seen = Seen {
                plan,
                viewer: look.viewer,
                ..seen(caller, look.shown, position)
            };
            read(caller, student, at, seen)
        });
        self.hand_in(reads.collect())
    }

    /// Records a page of events that ends at a position: for each key of plans, how many events are
    /// shown.
    pub(super) fn record_pages(
        &self,
        caller: &Caller,
        at: Timestamp,
        shown: Shown,
        page: &HashMap<KeyId, u32>,
        position: Position,
    ) -> Result<Recording, Failure> {
        let reads = page.iter().filter_map(|(key, events)| {
            let student = self.log.student_of(*key)?;
            let seen = Seen {
                events: *events,
                ..seen(caller, shown, position)
            };
            Some(read(caller, student, at, seen))
        });
        self.hand_in(reads.collect())
    }

    fn hand_in(&self, reads: Vec<Read>) -> Result<Recording, Failure> {
        if reads.is_empty() {
            return Ok(Recording::default());
        }
        if !self.strict {
            self.log
                .hand_in(reads, None)
                .map_err(Failure::of_access_log)?;
            return Ok(Recording::default());
        }
        let (told, durable) = oneshot::channel();
        let told = move |result| {
            // Sending fails only if the caller is gone.
            let _ = told.send(result);
        };
        let handed_in = self.log.hand_in(reads, Some(Box::new(told)));
        handed_in.map_err(Failure::of_access_log)?;
        Ok(Recording(Some(durable)))
    }
}

fn seen(caller: &Caller, shown: Shown, position: Position) -> Seen {
    let method = caller.method.unwrap_or_default();
    Seen {
        shown,
        method: method.to_owned(),
        plan: None,
        viewer: None,
        position,
        events: 0,
        purpose: caller.purpose,
    }
}

fn read(caller: &Caller, student: PersonId, at: Timestamp, seen: Seen) -> Read {
    Read {
        student,
        actor: caller.actor,
        on_behalf_of: caller.on_behalf_of.map(Actor::Person),
        at,
        seen,
    }
}

/// Records that were handed in, and that perhaps are not on stable storage yet.
#[derive(Default)]
#[must_use = "an answer must not leave before its records are handed in and, in the strict way, durable"]
pub(super) struct Recording(Option<oneshot::Receiver<Result<(), AccessLogError>>>);

impl Recording {
    /// Waits until the answer may leave.
    pub(super) async fn done(self) -> Result<(), Failure> {
        match self.0 {
            None => Ok(()),
            Some(durable) => {
                let result = durable.await.unwrap_or(Err(AccessLogError::Closed));
                result.map_err(Failure::of_access_log)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use planledger_proto::FILE_DESCRIPTOR_SET;
    use prost::Message;
    use prost_types::FileDescriptorSet;

    use super::*;

    #[test]
    fn the_table_says_of_every_method_whether_it_shows_plans() {
        let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
        let services = set.file.iter().flat_map(|file| &file.service);
        let methods = services.flat_map(|service| &service.method);
        let there: BTreeSet<_> = methods.map(|method| method.name().to_owned()).collect();
        let listed: BTreeSet<_> = METHODS.iter().map(|row| row.0.to_owned()).collect();
        assert_eq!(listed, there);
        assert_eq!(METHODS.len(), there.len(), "no method stands there twice");
    }

    #[test]
    fn everything_that_is_recorded_is_shown_by_some_method() {
        let shown: BTreeSet<_> = METHODS.iter().filter_map(|row| row.1).collect();
        assert_eq!(shown, Shown::ALL.into_iter().collect());
    }
}
