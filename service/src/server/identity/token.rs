//! What a token says, once its signature, issuer, audience and times are checked.

use std::sync::Arc;

use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header};
use planledger_core::text::{CprContext, ExternalId, SourceName};
use planledger_core::time::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::directory::NamedPerson;
use super::keys::Keys;
use super::rejection::Rejection;
use crate::settings::identity::{self as settings, PersonKey};

/// The most bytes of a token.
const TOKEN_BYTES: usize = 16 << 10;

/// An identity provider, with how its tokens are read.
pub(super) struct Issuer {
    pub(super) url: String,
    audience: String,
    algorithms: Vec<Algorithm>,
    person: Option<(settings::PersonClaim, Option<SourceName>)>,
    system: Option<settings::SystemClaim>,
    leeway: u64,
    pub(super) keys: Arc<Keys>,
}

/// Whose token it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// A person's, who acts without a system.
    Person(NamedPerson),
    /// A system's.
    System {
        /// Its client id at the issuer.
        client: String,
        /// The person for whom it acts, if the token says so.
        acts_for: Option<NamedPerson>,
    },
}

/// A token that was found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verified {
    pub(super) whose: Whose,
    /// When it counts no longer, with the leeway.
    pub(super) expires: Timestamp,
    /// The SHA-256 of the certificate that must be shown with it (RFC 8705).
    pub(super) bound_to: Option<String>,
}

/// Which issuer a token says it is from. Nothing is checked yet.
#[derive(Deserialize)]
struct Claimed {
    iss: String,
}

/// The issuer that an unchecked token names.
pub(super) fn issuer_of<'a>(token: &str, issuers: &'a [Issuer]) -> Result<&'a Issuer, Rejection> {
    if token.len() > TOKEN_BYTES {
        return Err(Rejection::TokenInvalid("it is too long"));
    }
    let claimed = jsonwebtoken::dangerous::insecure_decode_claims::<Claimed>(token)
        .map_err(|_| Rejection::TokenInvalid("it is no JSON Web Token with an issuer"))?;
    let mut issuers = issuers.iter();
    issuers
        .find(|issuer| issuer.url == claimed.iss)
        .ok_or(Rejection::IssuerUnknown)
}

impl Issuer {
    pub(super) fn new(
        asked: &settings::Issuer,
        source: Option<SourceName>,
        leeway: u64,
        keys: Arc<Keys>,
    ) -> Self {
        Self {
            url: asked.url.clone(),
            audience: asked.audience.clone(),
            algorithms: asked.algorithms.iter().copied().map(algorithm).collect(),
            person: asked.person.clone().map(|claim| (claim, source)),
            system: asked.system.clone(),
            leeway,
            keys,
        }
    }

    /// Checks everything about a token that says it is from this issuer.
    pub(super) async fn verify(&self, token: &str) -> Result<Verified, Rejection> {
        let header = self.header(token)?;
        let kid = header.kid.as_deref();
        let kid = kid.ok_or(Rejection::TokenInvalid(
            "it does not say which key signed it",
        ))?;
        let key = self.keys.find(kid).await?;
        if !key.checks(header.alg) {
            return Err(Rejection::TokenInvalid("its key signs in another way"));
        }
        let mut checks = Validation::new(header.alg);
        checks.leeway = self.leeway;
        checks.validate_nbf = true;
        checks.set_audience(&[&self.audience]);
        checks.set_issuer(&[&self.url]);
        checks.set_required_spec_claims(&["exp", "iss", "aud"]);
        let decoded = decode::<Map<String, Value>>(token, &key.decoding, &checks);
        let claims = decoded.map_err(|error| rejection(&error))?.claims;
        self.read(&claims)
    }

    /// The header, if the token is signed in a way that counts.
    fn header(&self, token: &str) -> Result<Header, Rejection> {
        const WAY: Rejection =
            Rejection::TokenInvalid("it is not signed in a way that counts for its issuer");
        // This fails for `none`, and for every other way that the library does not know.
        let header = decode_header(token).map_err(|_| WAY)?;
        if !self.algorithms.contains(&header.alg) {
            return Err(WAY);
        }
        if header.crit.is_some() {
            return Err(Rejection::TokenInvalid(
                "it needs an extension that is not known",
            ));
        }
        Ok(header)
    }

    fn read(&self, claims: &Map<String, Value>) -> Result<Verified, Rejection> {
        // It has passed the check of `exp`, so it is a number.
        let expires = claims.get("exp").and_then(Value::as_f64).unwrap_or(0.0);
        // A token that is bound to a key must not be good without it.
        let bound_to = claims.get("cnf").map(|cnf| {
            let sum = cnf.get("x5t#S256").and_then(Value::as_str);
            sum.map(str::to_owned).ok_or(Rejection::TokenInvalid(
                "it is bound to a key in another way than by a certificate",
            ))
        });
        Ok(Verified {
            whose: self.whose(claims)?,
            expires: seconds(expires, self.leeway),
            bound_to: bound_to.transpose()?,
        })
    }

    fn whose(&self, claims: &Map<String, Value>) -> Result<Whose, Rejection> {
        match (claims.get("act"), self.own_client(claims)) {
            // The outermost actor acts now. Actors inside it acted before (RFC 8693).
            (Some(actor), None) if self.system.is_some() => {
                let client = actor.get("sub").and_then(Value::as_str);
                let client = client.ok_or(Rejection::OnBehalfOfInvalid("act has no sub"))?;
                let issuer = actor.get("iss").and_then(Value::as_str);
                if issuer.is_some_and(|issuer| issuer != self.url) {
                    return Err(Rejection::OnBehalfOfInvalid("act is of another issuer"));
                }
                Ok(Whose::System {
                    client: client.to_owned(),
                    acts_for: Some(self.named(claims)?),
                })
            }
            (Some(_), None) => Err(Rejection::SystemUnknown),
            (Some(_), Some(_)) => Err(Rejection::OnBehalfOfInvalid(
                "the subject of the token is a system, which nobody acts for",
            )),
            (None, Some(client)) => Ok(Whose::System {
                client: client.to_owned(),
                acts_for: None,
            }),
            (None, None) => self.named(claims).map(Whose::Person),
        }
    }

    /// The client whose own token this is. A token that a client asked for on a person's account is
    /// not the client's own.
    fn own_client<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a str> {
        let how = self.system.as_ref()?;
        let client = claims.get(&how.claim).and_then(Value::as_str)?;
        let is_own = match &how.when {
            Some(marker) => {
                claims.get(&marker.claim).and_then(Value::as_str) == Some(&marker.value)
            }
            // RFC 9068: a token that a client asked for on its own account has it as its subject.
            None => claims.get("sub").and_then(Value::as_str) == Some(client),
        };
        is_own.then_some(client)
    }

    /// The person whom the token names.
    fn named(&self, claims: &Map<String, Value>) -> Result<NamedPerson, Rejection> {
        const UNKNOWN: Rejection = Rejection::PersonUnknown;
        let (how, source) = self.person.as_ref().ok_or(UNKNOWN)?;
        let value = claims.get(&how.claim).and_then(Value::as_str);
        let id = value.and_then(|value| value.strip_prefix(&how.prefix));
        let id = id.ok_or(UNKNOWN)?;
        Ok(match how.holds {
            PersonKey::PersonId => NamedPerson::Id(id.parse().map_err(|_| UNKNOWN)?),
            PersonKey::ExternalId => NamedPerson::External {
                source: source.clone(),
                id: ExternalId::new_in(id, CprContext::OrganisationId).map_err(|_| UNKNOWN)?,
            },
        })
    }
}

/// An instant in seconds since 1970, and some seconds more.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from a float stays within the bounds of the integer"
)]
fn seconds(instant: f64, more: u64) -> Timestamp {
    let seconds = (instant as u64).saturating_add(more);
    Timestamp::from_nanos(seconds.saturating_mul(1_000_000_000))
}

fn algorithm(asked: settings::Algorithm) -> Algorithm {
    match asked {
        settings::Algorithm::RS256 => Algorithm::RS256,
        settings::Algorithm::PS256 => Algorithm::PS256,
        settings::Algorithm::ES256 => Algorithm::ES256,
        settings::Algorithm::EdDSA => Algorithm::EdDSA,
    }
}

fn rejection(error: &Error) -> Rejection {
    match error.kind() {
        ErrorKind::ExpiredSignature => Rejection::TokenExpired,
        ErrorKind::ImmatureSignature => Rejection::TokenNotYetValid,
        ErrorKind::InvalidSignature => Rejection::TokenInvalid("its signature is wrong"),
        ErrorKind::InvalidAudience => Rejection::TokenInvalid("it is for another audience"),
        ErrorKind::InvalidIssuer => Rejection::IssuerUnknown,
        ErrorKind::MissingRequiredClaim(_) => {
            Rejection::TokenInvalid("it needs the claims exp, iss and aud")
        }
        _ => Rejection::TokenInvalid("it cannot be read"),
    }
}
