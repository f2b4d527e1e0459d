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
use crate::settings::identity::{self as settings, When};

/// The most bytes of a token.
const TOKEN_BYTES: usize = 16 << 10;

/// An identity provider, with how its tokens are read.
pub(super) struct Issuer {
    pub(super) url: String,
    audience: String,
    algorithms: Vec<Algorithm>,
    clients: Vec<String>,
    people: Option<People>,
    system: Option<settings::SystemClaim>,
    leeway: u64,
    pub(super) keys: Arc<Keys>,
}

/// How tokens name people.
pub(super) struct People {
    /// The claim.
    pub(super) claim: String,
    /// What stands before the id in it.
    pub(super) prefix: String,
    /// The source of rosters that knows the ids; `None` if they are ids in this ledger.
    pub(super) source: Option<SourceName>,
}

/// Whose token it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// A person's.
    Person {
        /// The person.
        named: NamedPerson,
        /// The client that it was given to. If that is a system, the system acts for the person.
        client: String,
    },
    /// A system's own.
    System {
        /// Its client id at the issuer.
        client: String,
    },
    /// A person's, with the system that acts.
    Acting {
        /// The system's client id at the issuer.
        client: String,
        /// The person for whom it acts.
        named: NamedPerson,
        /// Another client that the token was given to, if it names one.
        given_to: Option<String>,
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
        people: Option<People>,
        leeway: u64,
        keys: Arc<Keys>,
    ) -> Self {
        Self {
            url: asked.url.clone(),
            audience: asked.audience.clone(),
            algorithms: asked.algorithms.iter().copied().map(algorithm).collect(),
            clients: asked.clients.clone(),
            people,
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
        self.check_use(&claims)?;
        self.read(&claims)
    }

    /// Refuses tokens of the same provider that are made for something else. What tells them is what
    /// providers write: `typ` (Keycloak), `token_use` (Cognito), hashes that only ID tokens have, and an
    /// audience that is the client itself.
    fn check_use(&self, claims: &Map<String, Value>) -> Result<(), Rejection> {
        const OTHER: Rejection = Rejection::TokenInvalid("it is no access token");
        let is = |name: &str, among: &[&str]| {
            let said = claims.get(name).and_then(Value::as_str);
            said.is_some_and(|said| among.iter().any(|one| said.eq_ignore_ascii_case(one)))
        };
        let mut hashes = ["at_hash", "c_hash", "s_hash"].iter();
        let other = is("typ", &["ID", "Refresh", "Offline", "Logout"])
            || (claims.contains_key("token_use") && !is("token_use", &["access"]))
            || hashes.any(|name| claims.contains_key(*name))
            || self.given_to(claims)? == Some(&self.audience);
        match other {
            true => Err(OTHER),
            false => Ok(()),
        }
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
        if !header.typ.as_deref().is_none_or(is_access_token) {
            return Err(Rejection::TokenInvalid(
                "its typ is not that of an access token: at+jwt, JWT, or none",
            ));
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

    /// Whether people sign in with this client themselves.
    pub(super) fn is_of_people(&self, client: &str) -> bool {
        self.clients.iter().any(|known| known == client)
    }

    fn whose(&self, claims: &Map<String, Value>) -> Result<Whose, Rejection> {
        let given_to = self.given_to(claims)?;
        match (claims.get("act"), self.own_client(claims)?) {
            // The outermost actor acts now. Actors inside it acted before (RFC 8693).
            (Some(actor), None) if self.system.is_some() => {
                let client = actor.get("sub").and_then(Value::as_str);
                let client = client.ok_or(Rejection::OnBehalfOfInvalid("act has no sub"))?;
                let issuer = actor.get("iss").and_then(Value::as_str);
                if issuer.is_some_and(|issuer| issuer != self.url) {
                    return Err(Rejection::OnBehalfOfInvalid("act is of another issuer"));
                }
                let given_to = given_to.filter(|other| *other != client);
                Ok(Whose::Acting {
                    client: client.to_owned(),
                    named: self.named(claims)?,
                    given_to: given_to.map(str::to_owned),
                })
            }
            (Some(_), None) => Err(Rejection::SystemUnknown),
            (Some(_), Some(_)) => Err(Rejection::OnBehalfOfInvalid(
                "the subject of the token is a system, which nobody acts for",
            )),
            (None, Some(client)) => Ok(Whose::System {
                client: client.to_owned(),
            }),
            (None, None) => {
                let client = given_to.ok_or(Rejection::TokenInvalid(
                    "it does not say which client it was given to",
                ))?;
                Ok(Whose::Person {
                    named: self.named(claims)?,
                    client: client.to_owned(),
                })
            }
        }
    }

    /// The client that a token was given to, whoever it is about. Providers name it in the claim of the
    /// settings, in `client_id` (RFC 9068) or in `azp` (OpenID Connect).
    fn given_to<'a>(&self, claims: &'a Map<String, Value>) -> Result<Option<&'a str>, Rejection> {
        let claim = self.system.as_ref().map(|system| system.claim.as_str());
        let mut found = None;
        for name in claim.into_iter().chain(["client_id", "azp"]) {
            let Some(value) = claims.get(name) else {
                continue;
            };
            let client = value.as_str();
            let client = client.ok_or(Rejection::TokenInvalid("its client is no text"))?;
            if found.replace(client).is_some_and(|other| other != client) {
                return Err(Rejection::TokenInvalid("its claims name different clients"));
            }
        }
        Ok(found)
    }

    /// The client whose own token this is. A token that a client asked for on a person's account is
    /// not the client's own.
    fn own_client<'a>(&self, claims: &'a Map<String, Value>) -> Result<Option<&'a str>, Rejection> {
        let Some(how) = &self.system else {
            return Ok(None);
        };
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let Some(client) = text(&how.claim) else {
            return Ok(None);
        };
        let is_own = match &how.when {
            Some(When::Marked(marker)) => text(&marker.claim) == Some(&marker.value),
            // RFC 9068: a token that a client asked for on its own account has it as its subject.
            Some(When::Subject(_)) if text("sub") != Some(client) => false,
            // Somebody may have signed up with a system's client id as their name.
            Some(When::Subject(_)) => match self.named(claims) {
                Ok(_) => {
                    return Err(Rejection::TokenInvalid(
                        "its subject is its client, and it names a person",
                    ));
                }
                Err(_) => true,
            },
            None => false,
        };
        Ok(is_own.then_some(client))
    }

    /// The person whom the token names.
    fn named(&self, claims: &Map<String, Value>) -> Result<NamedPerson, Rejection> {
        const UNKNOWN: Rejection = Rejection::PersonUnknown;
        let how = self.people.as_ref().ok_or(UNKNOWN)?;
        let value = claims.get(&how.claim).and_then(Value::as_str);
        let id = value.and_then(|value| value.strip_prefix(&how.prefix));
        let id = id.ok_or(UNKNOWN)?;
        Ok(match &how.source {
            None => NamedPerson::Id(id.parse().map_err(|_| UNKNOWN)?),
            Some(source) => NamedPerson::External {
                source: source.clone(),
                id: ExternalId::new_in(id, CprContext::OrganisationId).map_err(|_| UNKNOWN)?,
            },
        })
    }
}

/// Whether an access token may have this `typ` (RFC 9068). Most providers write `JWT`, as ID tokens have,
/// or nothing. Types of media may leave out `application/`, and small letters are as good as others.
fn is_access_token(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    let typ = typ.strip_prefix("application/").unwrap_or(&typ);
    matches!(typ, "at+jwt" | "jwt")
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
