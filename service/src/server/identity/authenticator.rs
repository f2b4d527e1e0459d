//! Says who sent a request.
//!
//! A request with a token is the token's, whatever certificate the connection has. What was found out
//! about a token is remembered until it expires, so that checking it again costs little; whether its
//! system is still known is asked each time, and who its person is every few seconds.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use planledger_core::domain::Actor;
use planledger_core::domain::system::{Fingerprint, SystemIdentity};
use planledger_core::ids::PersonId;
use planledger_core::text::IdentityText;
use planledger_core::time::{Clock, Timestamp};
use tonic::codegen::http::header::AUTHORIZATION;
use tonic::codegen::http::request::Parts;

use super::cache::Cache;
use super::certificate::ClientCertificate;
use super::directory::{Directory, KnownSystem, NamedPerson};
use super::on_behalf;
use super::rejection::Rejection;
use super::token::{self, Issuer, Verified, Whose};
use crate::server::auth::{AuthError, Authenticator, Caller};
use crate::server::transport::Connection;
use crate::system::SystemClock;

/// Half of the tokens that are remembered.
pub(super) const REMEMBERED: usize = 8_192;
/// How long it is remembered which person a token means.
const PERSON_KEPT: Duration = Duration::from_secs(10);

/// Finds out who sent a request from tokens and certificates.
pub struct Identified {
    pub(super) issuers: Vec<Issuer>,
    pub(super) directory: Arc<dyn Directory>,
    pub(super) tokens: Cache<[u8; 32], Remembered>,
    pub(super) public_reflection: bool,
}

/// What is known of a token.
#[derive(Clone)]
pub(super) struct Remembered {
    verified: Arc<Verified>,
    issuer: usize,
    /// The version of the issuer's keys that it was checked with.
    keys: u64,
    person: Option<(PersonId, Instant)>,
}

/// Who sent a request, before its headers are asked for whom.
struct Found {
    caller: Caller,
    /// Whether the system may act for the person whom a header names.
    may_name_person_in_header: bool,
}

impl Identified {
    async fn by_token(
        &self,
        token: &str,
        connection: Option<&Connection>,
    ) -> Result<Found, Rejection> {
        let sum = *blake3::hash(token.as_bytes()).as_bytes();
        let mut known = match self.recall(&sum) {
            Some(known) => known,
            None => self.verify(token).await?,
        };
        if known.verified.expires < now() {
            self.tokens.remove(&sum);
            return Err(Rejection::TokenExpired);
        }
        let issuer = self
            .issuers
            .get(known.issuer)
            .ok_or(Rejection::IssuerUnknown)?;
        issuer.keys.refresh();
        check_binding(&known.verified, connection)?;
        let found = self.found(issuer, &mut known).await?;
        self.tokens.put(sum, known);
        Ok(found)
    }

    /// What is known of a token, unless its issuer has other keys now.
    fn recall(&self, sum: &[u8; 32]) -> Option<Remembered> {
        let known = self.tokens.get(sum)?;
        let issuer = self.issuers.get(known.issuer)?;
        (issuer.keys.version() == known.keys).then_some(known)
    }

    async fn verify(&self, token: &str) -> Result<Remembered, Rejection> {
        let issuer = token::issuer_of(token, &self.issuers)?;
        let verified = issuer.verify(token).await?;
        let place = self
            .issuers
            .iter()
            .position(|other| other.url == issuer.url);
        Ok(Remembered {
            verified: Arc::new(verified),
            issuer: place.ok_or(Rejection::IssuerUnknown)?,
            keys: issuer.keys.version(),
            person: None,
        })
    }

    async fn found(&self, issuer: &Issuer, known: &mut Remembered) -> Result<Found, Rejection> {
        let verified = known.verified.clone();
        let (system, named) = match &verified.whose {
            Whose::System { client } => {
                let system = self.system(&client_of(issuer, client)?).await?;
                (Some(system), None)
            }
            Whose::Person { named, client } => (self.carrier(issuer, client).await?, Some(named)),
            Whose::Acting {
                client,
                named,
                given_to,
            } => {
                let system = self.system(&client_of(issuer, client)?).await?;
                if let Some(other) = given_to
                    && let Some(carrier) = self.carrier(issuer, other).await?
                    && carrier.id != system.id
                {
                    return Err(Rejection::OnBehalfOfInvalid(
                        "the token was given to another system than act names",
                    ));
                }
                (Some(system), Some(named))
            }
        };
        if let (Some(system), Some(_)) = (system, named)
            && !system.may_act_for_people
        {
            return Err(Rejection::OnBehalfOfDenied);
        }
        let person = match named {
            Some(named) => Some(self.person(named, known).await?),
            None => None,
        };
        let (actor, on_behalf_of) = match (system, person) {
            (Some(system), person) => (Actor::System(system.id), person),
            (None, Some(person)) => (Actor::Person(person), None),
            (None, None) => return Err(Rejection::SystemUnknown),
        };
        Ok(Found {
            caller: Caller {
                on_behalf_of,
                expires: Some(verified.expires),
                ..Caller::new(actor)
            },
            may_name_person_in_header: system.is_some_and(may_name),
        })
    }

    /// The system that carries a person's token; `None` if the person signed in with a client that the
    /// settings name. Any other client, and a system that is revoked, must not act with a token that
    /// people gave it.
    async fn carrier(
        &self,
        issuer: &Issuer,
        client: &str,
    ) -> Result<Option<KnownSystem>, Rejection> {
        match self.registered(&client_of(issuer, client)?).await? {
            Some(system) if system.revoked => Err(Rejection::SystemUnknown),
            Some(system) => Ok(Some(system)),
            None if issuer.is_of_people(client) => Ok(None),
            None => Err(Rejection::TokenInvalid(
                "it was given to a client that is neither a registered system nor among the clients of \
                 its issuer in the settings",
            )),
        }
    }

    async fn person(
        &self,
        named: &NamedPerson,
        known: &mut Remembered,
    ) -> Result<PersonId, Rejection> {
        if let Some((person, since)) = known.person
            && since.elapsed() < PERSON_KEPT
        {
            return Ok(person);
        }
        let found = self.directory.person(named).await.map_err(|error| {
            tracing::error!(%error, "who a token means cannot be read");
            Rejection::Unreadable
        })?;
        let person = found.ok_or(Rejection::PersonUnknown)?;
        known.person = Some((person, Instant::now()));
        Ok(person)
    }

    /// The system that proves itself in these ways, if it may act.
    async fn system(&self, shown: &[SystemIdentity]) -> Result<KnownSystem, Rejection> {
        let found = self.registered(shown).await?;
        let found = found.filter(|system| !system.revoked);
        found.ok_or(Rejection::SystemUnknown)
    }

    /// The system that proves itself in these ways, also if it is revoked.
    async fn registered(&self, shown: &[SystemIdentity]) -> Result<Option<KnownSystem>, Rejection> {
        self.directory.system(shown).await.map_err(|error| {
            tracing::error!(%error, "which system asks cannot be read");
            Rejection::Unreadable
        })
    }

    async fn by_certificate(&self, certificate: &ClientCertificate) -> Result<Found, Rejection> {
        if certificate.not_after < now() {
            return Err(Rejection::TokenExpired);
        }
        // A certificate that is good for two systems says of neither that it is the one.
        let system = self.system(&identities(certificate)).await?;
        Ok(Found {
            caller: Caller {
                expires: Some(certificate.not_after),
                ..Caller::new(Actor::System(system.id))
            },
            may_name_person_in_header: may_name(system),
        })
    }

    async fn who(&self, head: &Parts) -> Result<Caller, Rejection> {
        let connection = head.extensions.get::<Connection>();
        let certificate = connection.and_then(|connection| connection.certificate.as_ref());
        let found = match (bearer(head)?, certificate) {
            (Some(token), _) => self.by_token(token, connection).await?,
            (None, Some(certificate)) => self.by_certificate(certificate).await?,
            (None, None) => return Err(Rejection::TokenMissing),
        };
        let mut caller = found.caller;
        if let Some(person) = on_behalf::named_in(&head.headers)? {
            match caller.on_behalf_of {
                // The token says so already.
                Some(proved) if proved == person => {}
                Some(_) => {
                    return Err(Rejection::OnBehalfOfInvalid(
                        "token and metadata name different persons",
                    ));
                }
                None if found.may_name_person_in_header => caller.on_behalf_of = Some(person),
                None => return Err(Rejection::OnBehalfOfDenied),
            }
        }
        Ok(caller)
    }
}

/// What a token of a client shows.
fn client_of(issuer: &Issuer, client: &str) -> Result<[SystemIdentity; 1], Rejection> {
    let text = |text: &str| IdentityText::new(text).map_err(|_| Rejection::SystemUnknown);
    let (issuer, client) = (text(&issuer.url)?, text(client)?);
    Ok([SystemIdentity::Client { issuer, client }])
}

/// What a certificate shows. A name that no system could be registered with shows nothing.
fn identities(certificate: &ClientCertificate) -> Vec<SystemIdentity> {
    let text = |text: &String| IdentityText::new(text).ok();
    let names = certificate.dns.iter().filter_map(text);
    let names = names.map(SystemIdentity::Dns);
    let spiffe = certificate.spiffe.iter().filter_map(text);
    let fingerprint = Fingerprint::from_bytes(certificate.fingerprint);
    let fingerprint = SystemIdentity::Fingerprint(fingerprint);
    let spiffe = spiffe.map(SystemIdentity::Spiffe);
    names.chain(spiffe).chain([fingerprint]).collect()
}

/// Whether a system may act for the person whom a header names.
const fn may_name(system: KnownSystem) -> bool {
    system.may_act_for_people && system.may_name_person_in_header
}

/// The token of a request.
fn bearer(head: &Parts) -> Result<Option<&str>, Rejection> {
    const FORM: Rejection = Rejection::TokenInvalid("authorization must be one: Bearer TOKEN");
    let mut values = head.headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = value.to_str().map_err(|_| FORM)?;
    let (scheme, token) = text.split_once(' ').ok_or(FORM)?;
    if values.next().is_some() || !scheme.eq_ignore_ascii_case("bearer") {
        return Err(FORM);
    }
    Ok(Some(token.trim()))
}

/// A token may be bound to the certificate of whoever asked for it (RFC 8705).
fn check_binding(verified: &Verified, connection: Option<&Connection>) -> Result<(), Rejection> {
    let Some(bound_to) = &verified.bound_to else {
        return Ok(());
    };
    let certificate = connection.and_then(|connection| connection.certificate.as_ref());
    let shown = certificate.map(|shown| URL_SAFE_NO_PAD.encode(shown.fingerprint));
    match shown.as_ref() == Some(bound_to) {
        true => Ok(()),
        false => Err(Rejection::TokenInvalid("it belongs to another certificate")),
    }
}

#[tonic::async_trait]
impl Authenticator for Identified {
    async fn authenticate(&self, head: &Parts) -> Result<Caller, AuthError> {
        self.who(head).await.map_err(AuthError::Rejected)
    }

    fn describes_to_strangers(&self) -> bool {
        self.public_reflection
    }

    fn permits(&self, _: SocketAddr) -> bool {
        true
    }
}

/// The present instant, by the clock of the system.
fn now() -> Timestamp {
    SystemClock.now()
}
