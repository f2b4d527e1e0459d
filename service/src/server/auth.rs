//! Finds out who acts, and what they may do. Each of the two is a trait. The server asks each trait
//! in one place, before it decides or reads anything (P7).

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use planledger_core::access::{Purpose, Scope};
use planledger_core::audit::Disclosure;
use planledger_core::domain::Actor;
use planledger_core::domain::recovery::{Recovery, Step};
use planledger_core::domain::view::Viewer;
use planledger_core::ids::{
    CatalogueId, GrantsId, InstitutionId, PersonId, PlanId, Position, RecoveryId, RosterSourceId,
    SchoolYearId, StreamId, TeamId, YearPlanId,
};
use planledger_core::ledger::{Envelope, EventFilter, ReadError, Reading};
use planledger_core::recovery::RecoveryRequest;
use planledger_core::text::SourceName;
use planledger_core::time::Timestamp;
use tonic::codegen::http::HeaderMap;
use tonic::codegen::http::request::Parts;

use super::identity::rejection::Rejection;
use crate::wire::request::AsOf;

/// The sender of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Who acts. The journal records this actor.
    pub actor: Actor,
    /// The person for whom a system acts, if the request came with one.
    pub on_behalf_of: Option<PersonId>,
    /// What the request is for, if it says so.
    pub purpose: Option<Purpose>,
    /// When the proof of who acts ends. A stream ends with it. `None` if it has no end.
    pub expires: Option<Timestamp>,
    /// The method of the API that was called: `GetPlan`. The access log records it.
    pub method: Option<&'static str>,
    /// Whether what it asks for may name anybody as the one for whom it acts, without a proof. Only
    /// development mode lets that happen.
    pub may_name_anybody: bool,
}

impl Caller {
    /// A caller who acts for nobody else, and whose proof has no end.
    pub fn new(actor: Actor) -> Self {
        Self {
            actor,
            on_behalf_of: None,
            purpose: None,
            expires: None,
            method: None,
            may_name_anybody: false,
        }
    }

    /// The caller, acting for whom a command names. The request as a whole may name somebody too, and
    /// then it must be the same person. `None` if the two differ, or if another system is named.
    pub fn acting_for(&self, named: Option<Actor>) -> Option<Self> {
        match (named, self.on_behalf_of) {
            (None, _) => Some(self.clone()),
            (Some(named), None) if named == self.actor => Some(self.clone()),
            (Some(Actor::Person(named)), None) => Some(Self {
                on_behalf_of: Some(named),
                ..self.clone()
            }),
            (Some(named), Some(known)) => (named == Actor::Person(known)).then(|| self.clone()),
            (Some(Actor::System(_)), None) => None,
        }
    }
}

/// Why the server refuses a request before it reads the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The request does not say who acts.
    #[error("the request does not say who acts; {0}")]
    Missing(&'static str),
    /// The metadata that says who acts cannot be read, or is not accepted.
    #[error("the metadata that says who acts is not valid; {0}")]
    Invalid(&'static str),
    /// The metadata that says what the request is for cannot be read.
    #[error("the metadata planledger-purpose must be one of {}", purposes())]
    Purpose,
    /// The request's token or certificate is missing, or does not count.
    #[error(transparent)]
    Rejected(#[from] Rejection),
}

/// The metadata key that says what a request is for.
pub const PURPOSE_KEY: &str = "planledger-purpose";

/// The names of every purpose.
fn purposes() -> String {
    Purpose::ALL.map(Purpose::name).join(", ")
}

/// What a request says that it is for; `None` if it says nothing.
///
/// # Errors
/// [`AuthError::Purpose`] when it says something else, or more than one purpose.
pub(super) fn purpose_in(headers: &HeaderMap) -> Result<Option<Purpose>, AuthError> {
    let mut values = headers.get_all(PURPOSE_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let mut all = Purpose::ALL.into_iter();
    let found = all.find(|purpose| value.as_bytes() == purpose.name().as_bytes());
    match (found, values.next()) {
        (Some(purpose), None) => Ok(Some(purpose)),
        (Some(_) | None, Some(_) | None) => Err(AuthError::Purpose),
    }
}

/// Finds out who sent a request.
#[tonic::async_trait]
pub trait Authenticator: Send + Sync + 'static {
    /// Finds out who sent a request, before its body is read. `head` holds the method, the metadata
    /// (as headers), and what is known of the connection (as extensions).
    ///
    /// # Errors
    /// [`AuthError`] when the head does not tell who sent it.
    async fn authenticate(&self, head: &Parts) -> Result<Caller, AuthError>;

    /// Whether requests for reflection, which describe the API, need no sender.
    fn describes_to_strangers(&self) -> bool {
        false
    }

    /// Whether the server may listen on this address when it uses this authenticator.
    fn permits(&self, address: SocketAddr) -> bool;
}

/// What a caller is about to do or to read. There is one case for each thing that can be asked, and
/// it names the thing.
///
/// A case `List…` says that somebody may ask for a list at all. Each item of the list is a case of
/// its own, and the answer holds only the items that the caller may see.
#[derive(Clone, Copy, Debug)]
pub enum Access<'a> {
    /// Carry out a command, or ask what it would do.
    Execute {
        /// The command.
        envelope: &'a Envelope,
        /// The commands before it that are carried out together with it. What they create does not
        /// exist yet.
        before: &'a [Envelope],
    },
    /// Ask who would look as if they had left after the commands of a preview. The answer names
    /// people of any institution.
    PreviewLeavers,
    /// Read a plan as a viewer sees it.
    ReadPlan {
        /// The plan.
        plan: PlanId,
        /// The viewer: staff, the student, guardians or others.
        viewer: Viewer,
        /// The past moment that is shown; the present if `None`.
        at: Option<AsOf>,
    },
    /// Read what differs in a plan between two moments.
    ComparePlan {
        /// The plan.
        plan: PlanId,
        /// The viewer: staff, the student, guardians or others.
        viewer: Viewer,
        /// The first moment.
        from: AsOf,
        /// The second moment; the present if `None`.
        to: Option<AsOf>,
    },
    /// Read all plans of a student as a viewer sees them.
    ReadCollected {
        /// The student.
        student: PersonId,
        /// The viewer: staff, the student, guardians or others.
        viewer: Viewer,
        /// The past moment that is shown; the present if `None`.
        at: Option<AsOf>,
    },
    /// Read the events of a plan, with everything they say.
    ReadPlanHistory(PlanId),
    /// List plans. Each is a case of [`Access::ReadPlanSummary`].
    ListPlans(PlansOf),
    /// Read whose a plan is, to which year plan it belongs, and who owns it.
    ReadPlanSummary(PlanId),
    /// Read an institution.
    ReadInstitution(InstitutionId),
    /// List institutions.
    ListInstitutions,
    /// Read a school year.
    ReadSchoolYear(SchoolYearId),
    /// List school years.
    ListSchoolYears,
    /// Read a person: name, places, guardians, departure and its reason.
    ReadPerson(PersonId),
    /// List the persons of an institution.
    ListPersons(InstitutionId),
    /// Ask for persons by an external id at all. Each person who is found is a case of
    /// [`Access::FindPerson`].
    LookupPerson(Option<&'a SourceName>),
    /// Read a person who was found by an external id.
    FindPerson(PersonId),
    /// Read a team: title, members, staff, and by whom and why it was deleted.
    ReadTeam(TeamId),
    /// List teams.
    ListTeams(TeamsOf),
    /// Read a year plan as a viewer sees it. Staff also see by whom and why it was deleted.
    ReadYearPlan {
        /// The year plan.
        id: YearPlanId,
        /// The viewer: staff, the student, guardians or others.
        viewer: Viewer,
    },
    /// List year plans. Each is a case of [`Access::ReadYearPlanSummary`].
    ListYearPlans(YearPlansOf),
    /// Read what lists say of a year plan: title, team, owner, and by whom and why it was deleted.
    ReadYearPlanSummary(YearPlanId),
    /// Read a source of rosters.
    ReadRosterSource(RosterSourceId),
    /// List sources of rosters.
    ListRosterSources,
    /// List the persons and teams that a source has brought.
    ListRosterMembers(&'a SourceName),
    /// List the links of persons or teams that a source has brought.
    ListRosterLinks(&'a SourceName),
    /// Read a catalogue.
    ReadCatalogue(CatalogueId),
    /// List catalogues.
    ListCatalogues,
    /// List the year plans of an institution that have goals of a catalogue. Each is a case of
    /// [`Access::ReadYearPlan`] for staff.
    ListCatalogueGoals {
        /// The catalogue.
        catalogue: CatalogueId,
        /// The institution.
        institution: InstitutionId,
    },
    /// Ask for an overview at all. Each institution that is counted is a case of
    /// [`Access::ReadOverview`].
    ListOverview,
    /// Read how far the plans of an institution have come. The answer holds counts only.
    ReadOverview(InstitutionId),
    /// Ask how the wellbeing survey was discussed, at all. Each institution is a case of
    /// [`Access::ReadSurvey`].
    ListSurvey,
    /// Read how the wellbeing survey was discussed at an institution.
    ReadSurvey(InstitutionId),
    /// List what a person owns.
    ListOwned {
        /// The person.
        person: PersonId,
        /// The past moment that is shown; the present if `None`.
        at: Option<AsOf>,
    },
    /// Read who owns a team, year plan or plan, and whether somebody who is still there does.
    ReadOwnership(StreamId),
    /// List what nobody at an institution owns any more.
    ListOwnerless(InstitutionId),
    /// List who looks as if they had left an institution.
    ListSuggestions(InstitutionId),
    /// Ask who could become the owner of a team, year plan or plan.
    ListSuccessors(StreamId),
    /// Ask what the deletion of a team or year plan would touch.
    PreviewDeletion(StreamId),
    /// Ask what a recovery would do. Each thing that it would change is a case of
    /// [`Access::ReadOwnership`].
    ProposeRecovery(&'a RecoveryRequest),
    /// Begin a recovery, or watch one that began. Each step is a case of [`Access::TakeStep`].
    Recover {
        /// The recovery.
        id: RecoveryId,
        /// What it should do.
        recovery_request: &'a RecoveryRequest,
        /// The person or system for whom it is asked, if there is one.
        on_behalf_of: Option<Actor>,
    },
    /// Have a step of a recovery taken.
    TakeStep(&'a Step),
    /// Undo a recovery.
    UndoRecovery {
        /// The recovery.
        id: RecoveryId,
        /// The person or system for whom it is asked, if there is one.
        on_behalf_of: Option<Actor>,
    },
    /// Go on with a recovery. The caller is the one who began it, or who asked to undo it.
    ContinueRecovery {
        /// The recovery.
        id: RecoveryId,
        /// Its state.
        recovery: &'a Recovery,
    },
    /// List recoveries. Each is a case of [`Access::ReadRecovery`].
    ListRecoveries,
    /// Read what a recovery did.
    ReadRecovery {
        /// The recovery.
        id: RecoveryId,
        /// Its state; `None` if it is not known.
        recovery: Option<&'a Recovery>,
    },
    /// Read or follow events, with everything they say.
    ReadEvents(&'a EventFilter),
    /// Read the key with which checkpoints are signed.
    ReadVerifierKeys,
    /// Read checkpoints.
    ReadCheckpoints,
    /// Have a checkpoint made.
    CreateCheckpoint,
    /// Read the proof that a checkpoint includes an event. It holds hashes only.
    ReadInclusionProof(Position),
    /// Read the entry of an event: its stream, who acted and when.
    ReadEntry {
        /// The event.
        position: Position,
        /// Its stream.
        stream: StreamId,
    },
    /// Read the proof that a checkpoint continues an earlier one.
    ReadConsistencyProof,
    /// Export evidence.
    Export {
        /// Whose plans the evidence is about; `None` for a range of the whole journal.
        of: Option<PlansOf>,
        /// Whether the texts can be read from the evidence.
        disclosure: Disclosure,
    },
    /// Read the status of the ledger.
    ReadStatus,
    /// Read who has read the plans of a student.
    ReadAccessLog(PersonId),
    /// List grants, or review them. Those of each person and system are a case of
    /// [`Access::ReadGrants`], and each grant is one of [`Access::ReadGrant`].
    ListGrants,
    /// Read any of the grants of a person or system.
    ReadGrants(GrantsId),
    /// Read one grant.
    ReadGrant {
        /// Whose it is.
        of: Actor,
        /// Where it holds.
        scope: Scope,
    },
    /// Read systems and what somebody holds, and ask why somebody may or may not do something.
    ReadAccess {
        /// About this person or system; `None` for everybody.
        of: Option<Actor>,
    },
    /// List who is due for erasure by retention classes.
    ListDueErasures,
}

/// Whose plans are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlansOf {
    /// One plan.
    Plan(PlanId),
    /// The plans of a student.
    Student(PersonId),
    /// The plans that a person owns.
    Owner(PersonId),
    /// The plans of a team.
    Team(TeamId),
    /// The plans of a year plan.
    YearPlan(YearPlanId),
}

/// Whose teams are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeamsOf {
    /// The teams of an institution.
    Institution(InstitutionId),
    /// The teams of which a person is a member or on the staff.
    Person(PersonId),
    /// The teams that a person owns.
    Owner(PersonId),
}

/// Whose year plans are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum YearPlansOf {
    /// The year plans of a team.
    Team(TeamId),
    /// The year plans that a person owns.
    Owner(PersonId),
}

/// What names people and things besides those that it is about.
#[derive(Clone, Copy, Debug)]
pub enum Naming<'a> {
    /// A command.
    Command(&'a Envelope),
    /// A request for a recovery, or for a dry run of one.
    Recovery(&'a RecoveryRequest),
}

/// Decides what callers may do.
pub trait Authorizer: Send + Sync + 'static {
    /// Whether the caller may do this. `now` is one consistent state of the present: the present
    /// decides who may read the past. Every implementation must answer no by default, and the same
    /// whether or not a thing that the caller may not see exists.
    ///
    /// # Errors
    /// [`ReadError`] when the state cannot be read.
    fn permits(
        &self,
        now: &Reading<'_>,
        caller: &Caller,
        access: &Access<'_>,
    ) -> Result<bool, ReadError>;

    /// What a command or a request for a recovery names that is there, and that the caller may not
    /// see. The ledger decides as if it were not there, so that nobody finds out by naming it.
    ///
    /// # Errors
    /// [`ReadError`] when the state cannot be read.
    fn unseen(
        &self,
        now: &Reading<'_>,
        caller: &Caller,
        naming: Naming<'_>,
    ) -> Result<BTreeSet<StreamId>, ReadError>;

    /// Whether every caller may do everything. The server then does not ask.
    fn permits_everything(&self) -> bool {
        false
    }
}

/// Development mode: every request says who acts, and may do anything. The server believes
/// everybody who reaches it, so it listens on loopback addresses only.
#[derive(Clone, Copy, Debug, Default)]
pub struct Development;

impl Development {
    /// The metadata key that says who acts: `person/UUID` or `system/UUID`.
    pub const ACTOR_KEY: &'static str = "planledger-actor";
}

#[tonic::async_trait]
impl Authenticator for Development {
    async fn authenticate(&self, head: &Parts) -> Result<Caller, AuthError> {
        const HINT: &str = "send the metadata planledger-actor: person/UUID or system/UUID";
        let value = head
            .headers
            .get(Self::ACTOR_KEY)
            .ok_or(AuthError::Missing(HINT))?;
        let invalid = AuthError::Invalid(HINT);
        let actor = value.to_str().ok().and_then(|text| text.parse().ok());
        let actor = actor.ok_or(invalid)?;
        Ok(Caller {
            may_name_anybody: true,
            ..Caller::new(actor)
        })
    }

    fn describes_to_strangers(&self) -> bool {
        true
    }

    fn permits(&self, address: SocketAddr) -> bool {
        match address.ip() {
            IpAddr::V4(ip) => ip.is_loopback(),
            IpAddr::V6(ip) => ip.is_loopback(),
        }
    }
}

impl Authorizer for Development {
    fn permits(&self, _: &Reading<'_>, _: &Caller, _: &Access<'_>) -> Result<bool, ReadError> {
        Ok(true)
    }

    fn unseen(
        &self,
        _: &Reading<'_>,
        _: &Caller,
        _: Naming<'_>,
    ) -> Result<BTreeSet<StreamId>, ReadError> {
        Ok(BTreeSet::new())
    }

    fn permits_everything(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn authenticate(value: Option<&str>) -> Result<Caller, AuthError> {
        let mut request = tonic::codegen::http::Request::new(());
        if let Some(value) = value {
            let headers = request.headers_mut();
            headers.insert(Development::ACTOR_KEY, value.parse().unwrap());
        }
        Development.authenticate(&request.into_parts().0).await
    }

    #[tokio::test]
    async fn who_acts_is_taken_from_metadata() {
        let id = "7f9c0102-0304-4506-8708-010203040506";
        let person = authenticate(Some(&format!("person/{id}"))).await.unwrap();
        assert_eq!(person.actor, Actor::Person(id.parse().unwrap()));
        let system = authenticate(Some(&format!("system/{id}"))).await.unwrap();
        assert_eq!(system.actor, Actor::System(id.parse().unwrap()));
        let missing = authenticate(None).await;
        assert!(matches!(missing, Err(AuthError::Missing(_))));
        for wrong in [
            "",
            "person",
            "person/1",
            "nobody/7f9c0102-0304-4506-8708-010203040506",
        ] {
            assert!(
                matches!(authenticate(Some(wrong)).await, Err(AuthError::Invalid(_))),
                "{wrong}"
            );
        }
    }

    #[test]
    fn development_mode_listens_on_loopback_only() {
        for (address, permitted) in [
            ("127.0.0.1:1", true),
            ("[::1]:1", true),
            ("0.0.0.0:1", false),
            ("[::]:1", false),
            ("192.0.2.1:1", false),
        ] {
            assert_eq!(
                Authenticator::permits(&Development, address.parse().unwrap()),
                permitted,
                "{address}"
            );
        }
    }
}
