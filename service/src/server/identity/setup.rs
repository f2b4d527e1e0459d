//! Reads the settings of `[identity]`, and refuses what could not mean what was meant.

use std::path::PathBuf;
use std::sync::Arc;

use planledger_core::text::SourceName;

use super::authenticator::{Identified, REMEMBERED};
use super::cache::Cache;
use super::crypto;
use super::directory::Directory;
use super::fetch::{self, Provider};
use super::keys::Keys;
use super::token::{Issuer, People};
use crate::settings::identity::{
    self as settings, DEFAULT_LEEWAY_SECONDS, PersonKey, Reflection, When,
};

/// The most seconds by which clocks may differ.
const MOST_LEEWAY: u64 = 300;

/// Why nobody could be identified with these settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// There is neither an issuer nor a certificate authority for systems.
    #[error(
        "[identity] has no issuer, and [tls] no client-ca, so nobody could show who they are; add \
         [[identity.issuers]] with url and audience"
    )]
    Nobody,
    /// The URL of an issuer would be asked over a connection that others can change.
    #[error("the issuer {0} must begin with https:// (http:// only on this machine)")]
    Plain(String),
    /// Two issuers have the same URL.
    #[error("the issuer {0} stands in the settings twice")]
    Twice(String),
    /// An issuer lacks something.
    #[error("the issuer {0} needs {1}")]
    Needs(String, &'static str),
    /// The name of a source of rosters has another form.
    #[error("the source of the issuer {0} cannot be the name of a source of rosters")]
    Source(String),
    /// The authorities of an issuer cannot be read.
    #[error("{}: {source}", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: std::io::Error,
    },
    /// The subject would say both who a person is and which system it is.
    #[error(
        "the subject of the tokens of {0} names a person, so it cannot say which tokens are a system's \
         own; write when = {{ claim = …, value = … }}, or another claim for persons"
    )]
    SubjectIsPerson(String),
    /// Tokens for this service could not be told from those that a client gets about who signed in.
    #[error(
        "the audience of the issuer {0} is one of its clients, whose ID tokens would count; give this \
         service an identifier of its own at the provider"
    )]
    AudienceIsClient(String),
    /// The leeway is too long.
    #[error("leeway-seconds must be at most {MOST_LEEWAY}")]
    Leeway,
}

impl Identified {
    /// Identifies callers as the settings say. `by_certificate` says whether systems can show
    /// certificates. Nothing is fetched yet, so a provider may start later than the server.
    ///
    /// # Errors
    /// [`IdentityError`]
    pub fn new(
        asked: &settings::Identity,
        by_certificate: bool,
        directory: Arc<dyn Directory>,
    ) -> Result<Self, IdentityError> {
        crypto::install();
        if asked.issuers.is_empty() && !by_certificate {
            return Err(IdentityError::Nobody);
        }
        let leeway = asked.leeway_seconds.unwrap_or(DEFAULT_LEEWAY_SECONDS);
        if leeway > MOST_LEEWAY {
            return Err(IdentityError::Leeway);
        }
        let mut issuers: Vec<Issuer> = Vec::new();
        for issuer in &asked.issuers {
            if issuers.iter().any(|other| other.url == issuer.url) {
                return Err(IdentityError::Twice(issuer.url.clone()));
            }
            issuers.push(read(issuer, leeway)?);
        }
        Ok(Self {
            issuers,
            directory,
            tokens: Cache::of(REMEMBERED),
            public_reflection: asked.reflection == Reflection::Public,
        })
    }
}

fn read(asked: &settings::Issuer, leeway: u64) -> Result<Issuer, IdentityError> {
    let needs = |what| IdentityError::Needs(asked.url.clone(), what);
    if !fetch::is_private(&asked.url) {
        return Err(IdentityError::Plain(asked.url.clone()));
    }
    if asked.audience.is_empty() {
        return Err(needs("an audience"));
    }
    if asked.algorithms.is_empty() {
        return Err(needs("at least one algorithm"));
    }
    if asked.person.is_none() && asked.system.is_none() {
        return Err(needs("person or system, which say whom its tokens name"));
    }
    let people = asked.person.as_ref().map(|claim| people(asked, claim));
    let people = people.transpose()?;
    if let Some(system) = &asked.system {
        check_system(asked, system)?;
    }
    if asked.clients.contains(&asked.audience) {
        return Err(IdentityError::AudienceIsClient(asked.url.clone()));
    }
    let authorities = match &asked.ca_file {
        Some(path) => fetch::authorities(path).map_err(|source| IdentityError::Authorities {
            path: path.clone(),
            source,
        })?,
        None => Vec::new(),
    };
    let keys = Keys::of(Provider::new(&asked.url, authorities));
    Ok(Issuer::new(asked, people, leeway, keys))
}

/// Refuses settings by which a person's token could pass for a system's own.
fn check_system(
    asked: &settings::Issuer,
    system: &settings::SystemClaim,
) -> Result<(), IdentityError> {
    let url = asked.url.clone();
    let by_subject = asked.person.as_ref();
    let by_subject = by_subject.is_some_and(|person| person.claim == "sub");
    match &system.when {
        None => Err(IdentityError::Needs(
            url,
            "when in its system, which says which tokens are a system's own: { claim = …, value = … }, \
             or \"subject-is-client\" if the provider makes up the subjects of people itself",
        )),
        Some(When::Subject(_)) if by_subject => Err(IdentityError::SubjectIsPerson(url)),
        Some(When::Subject(_) | When::Marked(_)) => Ok(()),
    }
}

/// How the tokens of an issuer name people.
fn people(
    asked: &settings::Issuer,
    claim: &settings::PersonClaim,
) -> Result<People, IdentityError> {
    let source = match (claim.holds, &claim.source) {
        (PersonKey::PersonId, _) => None,
        (PersonKey::ExternalId, Some(name)) => {
            let name = SourceName::new(name);
            Some(name.map_err(|_| IdentityError::Source(asked.url.clone()))?)
        }
        (PersonKey::ExternalId, None) => {
            return Err(IdentityError::Needs(
                asked.url.clone(),
                "source in its person, the name under which the roster with these ids is imported: \
                 another source may have the same id for somebody else",
            ));
        }
    };
    Ok(People {
        claim: claim.claim.clone(),
        prefix: claim.prefix.clone(),
        source,
    })
}
