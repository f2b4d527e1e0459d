//! Fetches the public keys of an identity provider: its discovery document, then its key set.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// The longest that one answer may take.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// The longest that a connection may take.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// The most bytes of one answer.
const ANSWER_BYTES: u64 = 1 << 20;
/// Where a provider describes itself, below its URL.
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// Why keys could not be fetched.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    /// The provider does not answer, or answers with an error.
    #[error("{what}: {source}")]
    Http {
        what: &'static str,
        source: Box<ureq::Error>,
    },
    /// The answer has another form.
    #[error("{what} is not what the standard says: {source}")]
    Json {
        what: &'static str,
        source: serde_json::Error,
    },
    /// The discovery document is that of another issuer.
    #[error("the discovery document names another issuer than the settings; write it as it does")]
    OtherIssuer,
    /// The keys would come over a connection that others can change.
    #[error("the discovery document names an address without https for the keys")]
    Plain,
}

/// An identity provider, as it is asked.
pub(super) struct Provider {
    pub(super) url: String,
    agent: Agent,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

/// A set of keys, each still to be read: one that this program does not know is no reason to refuse
/// the others.
#[derive(Deserialize)]
pub(super) struct KeySet {
    pub(super) keys: Vec<serde_json::Value>,
}

impl Provider {
    /// The provider at this URL. `authorities` sign its certificate; those that browsers know if it
    /// is empty.
    pub(super) fn new(url: &str, authorities: Vec<Certificate<'static>>) -> Self {
        let mut tls = TlsConfig::builder();
        if !authorities.is_empty() {
            tls = tls.root_certs(RootCerts::new_with_certs(&authorities));
        }
        let agent = Agent::config_builder()
            .timeout_global(Some(ANSWER_TIME))
            .timeout_connect(Some(CONNECT_TIME))
            // Keys come from where the settings say, and from nowhere else.
            .max_redirects(0)
            .max_redirects_will_error(true)
            .tls_config(tls.build())
            .build()
            .into();
        Self {
            url: url.to_owned(),
            agent,
        }
    }

    /// Asks for the keys. Takes up to twenty seconds.
    pub(super) fn keys(&self) -> Result<KeySet, FetchError> {
        let address = format!("{}{DISCOVERY}", self.url.trim_end_matches('/'));
        let found: Discovery = self.get(&address, "the discovery document")?;
        if found.issuer != self.url {
            return Err(FetchError::OtherIssuer);
        }
        if !is_private(&found.jwks_uri) {
            return Err(FetchError::Plain);
        }
        self.get(&found.jwks_uri, "the key set")
    }

    fn get<T: serde::de::DeserializeOwned>(
        &self,
        address: &str,
        what: &'static str,
    ) -> Result<T, FetchError> {
        let http = |source| FetchError::Http {
            what,
            source: Box::new(source),
        };
        let mut answer = self.agent.get(address).call().map_err(http)?;
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES);
        let body = body.read_to_vec().map_err(http)?;
        serde_json::from_slice(&body).map_err(|source| FetchError::Json { what, source })
    }
}

/// Whether nobody on the way can change what comes from this address: it begins with `https://`, or
/// does not leave the machine.
pub(super) fn is_private(url: &str) -> bool {
    if url.starts_with("https://") {
        return true;
    }
    let Some(rest) = url.strip_prefix("http://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return false;
    }
    let host = match authority.strip_prefix('[') {
        Some(six) => six.split(']').next(),
        None => authority.split(':').next(),
    };
    matches!(host, Some("localhost" | "127.0.0.1" | "::1"))
}

/// Reads certificates from a file in PEM.
///
/// # Errors
/// When the file cannot be read, or holds no certificate.
pub(super) fn authorities(path: &Path) -> std::io::Result<Vec<Certificate<'static>>> {
    let pem = std::fs::read(path)?;
    let found: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            Ok(_) | Err(_) => None,
        })
        .collect();
    match found.is_empty() {
        true => Err(std::io::Error::other("there is no certificate in it")),
        false => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_over_https_or_from_the_same_machine() {
        for url in [
            "https://login.example/keys",
            "http://127.0.0.1:1/keys",
            "http://localhost/keys",
            "http://[::1]:80",
        ] {
            assert!(is_private(url), "{url}");
        }
        for url in [
            "http://login.example/keys",
            "http://127.0.0.1@login.example/keys",
            "http://127.0.0.1.login.example/keys",
            "http://localhost.login.example",
            "file:///etc/passwd",
            "",
        ] {
            assert!(!is_private(url), "{url}");
        }
    }
}
