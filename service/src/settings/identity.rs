//! The settings of production mode: who vouches for callers, and the server's certificate.

use std::path::PathBuf;

use serde::Deserialize;

/// Seconds by which the clocks of the server and of an identity provider may differ, if no setting
/// names another number.
pub const DEFAULT_LEEWAY_SECONDS: u64 = 60;

/// The table `[tls]`: the server's certificate, and who may sign those of systems.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tls {
    /// The file with the server's certificate and the ones above it, as PEM.
    pub certificate: PathBuf,
    /// The file with the private key of the certificate, as PEM.
    pub key: PathBuf,
    /// The file with the authorities that sign certificates of systems, as PEM. Without it, systems
    /// cannot show a certificate.
    pub client_ca: Option<PathBuf>,
}

/// The table `[identity]`: who vouches for callers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Identity {
    /// Who may ask what the API looks like.
    pub reflection: Reflection,
    /// Seconds by which clocks may differ: 0 to 300.
    pub leeway_seconds: Option<u64>,
    /// The identity providers whose tokens count.
    pub issuers: Vec<Issuer>,
}

/// Who may ask what the API looks like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reflection {
    /// Callers with an identity.
    #[default]
    Private,
    /// Everybody.
    Public,
}

/// An identity provider whose tokens count.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Issuer {
    /// The issuer's URL, exactly as its tokens and its discovery document write it.
    pub url: String,
    /// What its tokens must name as their audience: this service.
    pub audience: String,
    /// How its tokens may be signed.
    #[serde(default = "Algorithm::all")]
    pub algorithms: Vec<Algorithm>,
    /// The file with the authorities that sign the provider's own certificate, as PEM; the ones that
    /// browsers know if there is none.
    pub ca_file: Option<PathBuf>,
    /// Clients with which people sign in themselves, such as that of the command line. A person's token
    /// that was given to any other client counts only if the client is a registered system, and then
    /// the system acts for the person.
    #[serde(default)]
    pub clients: Vec<String>,
    /// How a token names a person.
    pub person: Option<PersonClaim>,
    /// How a token names a system.
    pub system: Option<SystemClaim>,
}

/// A way to sign tokens. Only ways with a key pair can be written: not `none`, and no HMAC, with
/// which whoever knows the public key could sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Algorithm {
    /// RSA with PKCS#1 padding and SHA-256.
    RS256,
    /// RSA with PSS padding and SHA-256.
    PS256,
    /// ECDSA over P-256 with SHA-256.
    ES256,
    /// Ed25519.
    EdDSA,
}

impl Algorithm {
    fn all() -> Vec<Self> {
        vec![Self::RS256, Self::PS256, Self::ES256, Self::EdDSA]
    }
}

/// How a token names a person.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PersonClaim {
    /// The name of the claim.
    pub claim: String,
    /// What stands before the id in the claim. A claim without it names nobody.
    #[serde(default)]
    pub prefix: String,
    /// What the claim holds.
    #[serde(default)]
    pub holds: PersonKey,
    /// The source of rosters that knows the person by that id. External ids need one: another source
    /// may have the same id for somebody else.
    pub source: Option<String>,
}

/// What a claim for persons holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PersonKey {
    /// An id of another system, which an import of rosters recorded.
    #[default]
    ExternalId,
    /// The person's id in this ledger.
    PersonId,
}

/// How a token names a system. A token is a system's own if `when` says so; every other token is a
/// person's, whichever client asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SystemClaim {
    /// The name of the claim with the client's id.
    #[serde(default = "SystemClaim::client_id")]
    pub claim: String,
    /// What says that a token is a system's own. It must be given: what is safe differs between
    /// providers.
    pub when: Option<When>,
}

impl SystemClaim {
    fn client_id() -> String {
        "client_id".to_owned()
    }
}

/// What says that a token is a system's own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    untagged,
    expecting = "when must be { claim = \"NAME\", value = \"VALUE\" } or \"subject-is-client\""
)]
pub enum When {
    /// A claim that the provider writes only into tokens that clients get for themselves.
    Marked(Marker),
    /// The subject is the client (RFC 9068), for providers that make up the subjects of people
    /// themselves, so that none can be a client's id.
    Subject(Subject),
}

/// What the subject of a system's own token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The client's id.
    SubjectIsClient,
}

/// A claim with a value.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Marker {
    /// The name of the claim.
    pub claim: String,
    /// Its value.
    pub value: String,
}
