//! How a server is reached.

use std::path::Path;

use tonic::transport::{Certificate, ClientTlsConfig, Identity};

use super::{ConnectError, Target};
use crate::secret::{Links, read_secret};

/// What protects the way to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// TLS.
    Tls,
    /// Nothing leaves the machine.
    OnThisMachine,
    /// Nothing: whoever is on the way can read and change everything.
    Plain,
    /// A URL of something else.
    Other,
}

/// What protects the way to the server at this URL.
pub(super) fn scheme(url: &str) -> Scheme {
    if url.starts_with("https://") {
        return Scheme::Tls;
    }
    if url.starts_with("unix:") {
        return Scheme::OnThisMachine;
    }
    let Some(rest) = url.strip_prefix("http://") else {
        return Scheme::Other;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(six) => six.split(']').next(),
        None => authority.split(':').next(),
    };
    match host {
        Some("localhost" | "127.0.0.1" | "::1") if !authority.contains('@') => {
            Scheme::OnThisMachine
        }
        Some(_) | None => Scheme::Plain,
    }
}

/// How the client protects connections.
pub(super) fn tls(target: &Target) -> Result<ClientTlsConfig, ConnectError> {
    let mut config = ClientTlsConfig::new();
    config = match &target.ca_file {
        Some(path) => config.ca_certificate(Certificate::from_pem(read(path)?)),
        None => config.with_webpki_roots(),
    };
    if let Some((certificate, key)) = &target.identity {
        let secret = read_secret(key, Links::Followed);
        let secret = secret.map_err(|error| wrong(key, &error))?;
        config = config.identity(Identity::from_pem(read(certificate)?, secret.as_bytes()));
    }
    Ok(config)
}

fn read(path: &Path) -> Result<Vec<u8>, ConnectError> {
    std::fs::read(path).map_err(|error| wrong(path, &error))
}

fn wrong(path: &Path, error: &std::io::Error) -> ConnectError {
    ConnectError::Usage(format!("{}: {error}", path.display()))
}

/// The first cause of an error of the transport.
pub(super) fn cause(error: &tonic::transport::Error) -> String {
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        reason = cause.to_string();
        source = cause.source();
    }
    reason
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_protects_the_way_is_told_from_the_url() {
        for (url, expected) in [
            ("https://ledger.example", Scheme::Tls),
            ("http://127.0.0.1:50051", Scheme::OnThisMachine),
            ("http://[::1]:50051", Scheme::OnThisMachine),
            ("unix:/run/planledger/api.sock", Scheme::OnThisMachine),
            ("http://ledger.example", Scheme::Plain),
            ("http://localhost@ledger.example", Scheme::Plain),
            ("http://127.0.0.1.ledger.example", Scheme::Plain),
            ("ledger.example", Scheme::Other),
        ] {
            assert_eq!(scheme(url), expected, "{url}");
        }
    }
}
