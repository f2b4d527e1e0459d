//! Systems: learning platforms, portals, roster sources and other programs that act.
//!
//! A system proves who it is by a certificate or by a token of an issuer. What it may do is not said
//! here but by [grants](super::grants).

mod apply;
mod decide;
mod hands;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub(in crate::domain) use self::decide::{revoked, unknown};
pub use self::hands::{hands, hands_of};
use crate::actor::Actor;
use crate::hash::Hash32;
use crate::text::{IdentityText, Name, ReasonText};

/// What can be asked of a system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemCommand {
    /// Makes the system known. Refused if it is known already, or if another system proves itself by
    /// one of the identities.
    Register(SystemDetails),
    /// Changes what is known of it.
    Change(SystemDetails),
    /// Says that the system may act no more. It cannot come back under this id.
    Revoke {
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
}

/// What happened to a system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemEvent {
    /// It became known.
    Registered(SystemDetails),
    /// What is known of it changed.
    Changed(SystemDetails),
    /// It may act no more.
    Revoked {
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ReasonText>,
    },
}

/// What is known of a system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemDetails {
    /// The name that people see.
    pub name: Name,
    /// What it is for.
    pub kind: SystemKind,
    /// How it proves who it is: one or more, none of which another system has.
    pub identities: BTreeSet<SystemIdentity>,
    /// Whether it may act on behalf of people. Then it still needs a grant, and the person the right.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_act_for_people: bool,
    /// Whether it may name the person in a header of the request. Otherwise only a token says for
    /// whom it acts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_name_person_in_header: bool,
}

/// What a system is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemKind {
    /// Teachers and students work in it.
    LearningPlatform,
    /// Guardians and students read in it.
    Portal,
    /// It brings rosters.
    Roster,
    /// Anything else.
    Other,
}

/// One way in which a system proves who it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemIdentity {
    /// A certificate with this SPIFFE id, `spiffe://…`.
    Spiffe(IdentityText),
    /// A certificate with this DNS name.
    Dns(IdentityText),
    /// The certificate with this SHA-256 fingerprint.
    Fingerprint(Fingerprint),
    /// A token of this issuer for this client.
    Client {
        /// The URL of the issuer.
        issuer: IdentityText,
        /// The client id there.
        client: IdentityText,
    },
}

/// The SHA-256 of a certificate in DER form. Written as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(Hash32);

impl Fingerprint {
    /// The fingerprint with these bytes.
    pub const fn from_bytes(bytes: Hash32) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &Hash32 {
        &self.0
    }
}

/// The text is not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not the SHA-256 of a certificate; send 64 hexadecimal digits")]
pub struct FingerprintError;

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        // Tools print fingerprints with a colon after every byte.
        let digits: String = text.chars().filter(|c| *c != ':').collect();
        crate::hex::decode(&digits)
            .map(Self)
            .ok_or(FingerprintError)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::hex::encode(&self.0))
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A system as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct System {
    /// What is known of it.
    pub details: SystemDetails,
    /// Whether it may act no more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub revoked: bool,
    /// Who gave it each of its identities.
    #[serde(default)]
    pub proofs: Vec<Proof>,
}

/// Who said that whoever shows an identity is the system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The identity.
    pub identity: SystemIdentity,
    /// Who gave it to the system first.
    pub by: Actor,
    /// For whom that actor acted; `None` if for nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<Actor>,
}
