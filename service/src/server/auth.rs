//! Who acts, and what they may do. Both are traits, asked in one place each, before anything is
//! decided or read (P7).

use std::net::{IpAddr, SocketAddr};

use planledger_core::audit::Disclosure;
use planledger_core::domain::Actor;
use planledger_core::domain::view::Viewer;
use planledger_core::ids::{InstitutionId, PersonId, RecoveryId, StreamId};
use planledger_core::ledger::Envelope;
use planledger_core::recovery::RecoveryRequest;
use tonic::metadata::MetadataMap;

/// Somebody who sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Who acts: what the journal records.
    pub actor: Actor,
}

/// Why a request is turned away before it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The request does not say who acts.
    #[error("the request does not say who acts; {0}")]
    Missing(&'static str),
    /// What says who acts cannot be read or is not accepted.
    #[error("what says who acts is not accepted; {0}")]
    Invalid(&'static str),
}

/// Finds out who sent a request.
pub trait Authenticator: Send + Sync + 'static {
    /// Who sent a request with this metadata.
    ///
    /// # Errors
    /// [`AuthError`] when that cannot be known.
    fn authenticate(&self, metadata: &MetadataMap) -> Result<Caller, AuthError>;

    /// Whether the server may listen on this address with it.
    fn permits(&self, address: SocketAddr) -> bool;
}

/// What a caller is about to do.
#[derive(Clone, Copy, Debug)]
pub enum Access<'a> {
    /// Carry out a command.
    Execute(&'a Envelope),
    /// Read a student's plan or plans through somebody's eyes.
    ReadPlans {
        /// The student, or the plan when the student is not known yet.
        of: PlansOf,
        /// Through whose eyes.
        viewer: Viewer,
    },
    /// Read the events of a plan, or which plans there are.
    ReadRecords(PlansOf),
    /// Read institutions, persons, teams and year plans.
    ReadRoster,
    /// Read how far the plans of these institutions have come; of all if there are none. Counts only.
    ReadOverview(&'a [InstitutionId]),
    /// Read catalogues.
    ReadCatalogue,
    /// Read events of the whole ledger, with everything they say.
    ReadEvents,
    /// Read what the ledger is and how far it has come.
    ReadStatus,
    /// Read checkpoints, and proofs that hold no texts.
    ReadProofs,
    /// Read who owns what, and what a recovery would do or did.
    ReadOwnership,
    /// Hand things over or bring them back.
    Recover {
        /// What is wanted.
        wish: &'a RecoveryRequest,
        /// For whom.
        on_behalf_of: Option<Actor>,
    },
    /// Take back what a recovery did.
    UndoRecovery {
        /// Which.
        recovery: RecoveryId,
        /// For whom.
        on_behalf_of: Option<Actor>,
    },
    /// Take evidence away.
    Export {
        /// Whose; `None` is a part of the whole journal.
        of: Option<PlansOf>,
        /// Whether texts can be read from it.
        disclosure: Disclosure,
    },
}

/// Whose plans.
#[derive(Clone, Copy, Debug)]
pub enum PlansOf {
    /// A student's.
    Student(PersonId),
    /// A stream's: a plan, a year plan, a team.
    Stream(StreamId),
}

/// Says what callers may do.
pub trait Authorizer: Send + Sync + 'static {
    /// Whether the caller may do this; the default of every implementation is no.
    fn permits(&self, caller: &Caller, access: Access<'_>) -> bool;
}

/// Development mode: every request says itself who acts, and may do anything. Listens on loopback
/// addresses only, because anybody who reaches it is believed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Development;

impl Development {
    /// The metadata key that says who acts: `person/UUID` or `system/UUID`.
    pub const ACTOR_KEY: &'static str = "planledger-actor";
}

impl Authenticator for Development {
    fn authenticate(&self, metadata: &MetadataMap) -> Result<Caller, AuthError> {
        const HINT: &str = "send metadata planledger-actor: person/UUID or system/UUID";
        let value = metadata
            .get(Self::ACTOR_KEY)
            .ok_or(AuthError::Missing(HINT))?;
        let invalid = AuthError::Invalid(HINT);
        let actor = value.to_str().ok().and_then(|text| text.parse().ok());
        let actor = actor.ok_or(invalid)?;
        Ok(Caller { actor })
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

    fn authenticate(value: Option<&str>) -> Result<Caller, AuthError> {
        let mut metadata = MetadataMap::new();
        if let Some(value) = value {
            metadata.insert(Development::ACTOR_KEY, value.parse().unwrap());
        }
        Development.authenticate(&metadata)
    }

    #[test]
    fn who_acts_is_taken_from_metadata() {
        let id = "7f9c0102-0304-4506-8708-010203040506";
        let person = authenticate(Some(&format!("person/{id}"))).unwrap();
        assert_eq!(person.actor, Actor::Person(id.parse().unwrap()));
        let system = authenticate(Some(&format!("system/{id}"))).unwrap();
        assert_eq!(system.actor, Actor::System(id.parse().unwrap()));
        assert!(matches!(authenticate(None), Err(AuthError::Missing(_))));
        for wrong in [
            "",
            "person",
            "person/1",
            "nobody/7f9c0102-0304-4506-8708-010203040506",
        ] {
            assert!(
                matches!(authenticate(Some(wrong)), Err(AuthError::Invalid(_))),
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
