//! Finds out who acts, and what they may do. Each of the two is a trait. The server asks each trait
//! in one place, before it decides or reads anything (P7).

use std::net::{IpAddr, SocketAddr};

use planledger_core::audit::Disclosure;
use planledger_core::domain::Actor;
use planledger_core::domain::view::Viewer;
use planledger_core::ids::{InstitutionId, PersonId, RecoveryId, StreamId, YearPlanId};
use planledger_core::ledger::Envelope;
use planledger_core::recovery::RecoveryRequest;
use planledger_core::time::Timestamp;
use tonic::codegen::http::request::Parts;

/// The sender of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Who acts. The journal records this actor.
    pub actor: Actor,
    /// The person for whom a system acts, if the request came with one.
    pub on_behalf_of: Option<PersonId>,
    /// When the proof of who acts ends. A stream ends with it. `None` if it has no end.
    pub expires: Option<Timestamp>,
}

impl Caller {
    /// A caller who acts for nobody else, and whose proof has no end.
    pub fn new(actor: Actor) -> Self {
        Self {
            actor,
            on_behalf_of: None,
            expires: None,
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

/// What a caller is about to do.
#[derive(Clone, Copy, Debug)]
pub enum Access<'a> {
    /// Carry out a command.
    Execute(&'a Envelope),
    /// Read a student's plan or plans as a viewer sees them.
    ReadPlans {
        /// The student, or the plan when the student is not known yet.
        of: PlansOf,
        /// The viewer: staff, the student, guardians or others.
        viewer: Viewer,
    },
    /// Read the events of a plan, or list plans.
    ReadRecords(PlansOf),
    /// Read a year plan as a viewer sees it.
    ReadYearPlan {
        /// The year plan.
        id: YearPlanId,
        /// The viewer: staff, the student, guardians or others.
        viewer: Viewer,
    },
    /// Read institutions, persons and teams, and list year plans. For staff: the answers hold the
    /// reasons of deletions and departures, and say who deleted a team or year plan.
    ReadRoster,
    /// Read how far the plans of these institutions have come; of all institutions if the list is
    /// empty. The answer holds counts only.
    ReadOverview(&'a [InstitutionId]),
    /// Read how the wellbeing survey was discussed at these institutions; at all institutions if the
    /// list is empty. For staff: the answers hold what was agreed. They name nobody except who
    /// recorded it.
    ReadSurvey(&'a [InstitutionId]),
    /// Read catalogues.
    ReadCatalogue,
    /// Read events of the whole ledger, with everything they say.
    ReadEvents,
    /// Read the status of the ledger.
    ReadStatus,
    /// Read checkpoints, and proofs that hold no texts.
    ReadProofs,
    /// Read who owns what, and what a recovery would do or did.
    ReadOwnership,
    /// Run a recovery: give teams, year plans or plans to other owners, or bring them back.
    Recover {
        /// What the recovery should do.
        recovery_request: &'a RecoveryRequest,
        /// The actor on whose behalf the caller acts, if there is one.
        on_behalf_of: Option<Actor>,
    },
    /// Undo a recovery.
    UndoRecovery {
        /// The recovery to undo.
        recovery: RecoveryId,
        /// The actor on whose behalf the caller acts, if there is one.
        on_behalf_of: Option<Actor>,
    },
    /// Export evidence.
    Export {
        /// Whose plans the evidence is about; `None` for a range of the whole journal.
        of: Option<PlansOf>,
        /// Whether the texts can be read from the evidence.
        disclosure: Disclosure,
    },
}

/// Whose plans an access is about.
#[derive(Clone, Copy, Debug)]
pub enum PlansOf {
    /// The plans of a student.
    Student(PersonId),
    /// The plans of a stream: a plan, a year plan or a team.
    Stream(StreamId),
}

/// Decides what callers may do.
pub trait Authorizer: Send + Sync + 'static {
    /// Whether the caller may do this. Every implementation must answer no by default.
    fn permits(&self, caller: &Caller, access: Access<'_>) -> bool;
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
        Ok(Caller::new(actor))
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
    fn permits(&self, _: &Caller, _: Access<'_>) -> bool {
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
