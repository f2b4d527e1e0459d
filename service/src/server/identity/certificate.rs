//! What a certificate says of the system that shows it.

use planledger_core::time::Timestamp;
use ring::digest::{SHA256, digest};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// What the certificate of a connection says. The handshake has checked who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The SHA-256 of the certificate.
    pub fingerprint: [u8; 32],
    /// Its SPIFFE id, if it has exactly one URI and that is one.
    pub spiffe: Option<String>,
    /// Its DNS names, in small letters.
    pub dns: Vec<String>,
    /// The last instant at which it is valid.
    pub not_after: Timestamp,
}

impl ClientCertificate {
    /// Reads a certificate. `None` if it cannot be read.
    pub(in crate::server) fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let names = certificate.subject_alternative_name().ok()?;
        let names = names.map_or(&[][..], |names| &names.value.general_names);
        let mut uris = names.iter().filter_map(|name| match name {
            GeneralName::URI(uri) => Some(*uri),
            _ => None,
        });
        let spiffe = match (uris.next(), uris.next()) {
            (Some(uri), None) if uri.starts_with("spiffe://") => Some(uri.to_owned()),
            _ => None,
        };
        let dns = names.iter().filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        });
        let seconds = certificate.validity().not_after.timestamp();
        let seconds = u64::try_from(seconds).unwrap_or(0);
        Some(Self {
            fingerprint: fingerprint(der),
            spiffe,
            dns: dns.collect(),
            not_after: Timestamp::from_nanos(seconds.saturating_mul(1_000_000_000)),
        })
    }
}

/// The SHA-256 of bytes.
fn fingerprint(bytes: &[u8]) -> [u8; 32] {
    let mut sum = [0; 32];
    sum.copy_from_slice(digest(&SHA256, bytes).as_ref());
    sum
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SanType};

    use super::*;

    fn certificate(names: &[SanType]) -> Vec<u8> {
        let mut parameters = CertificateParams::default();
        parameters.subject_alt_names = names.to_vec();
        let key = KeyPair::generate().unwrap();
        parameters.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_names_of_a_certificate_are_read() {
        let uri = |text: &str| SanType::URI(text.try_into().unwrap());
        let dns = |text: &str| SanType::DnsName(text.try_into().unwrap());
        let der = certificate(&[uri("spiffe://city.example/portal"), dns("Portal.example")]);
        let read = ClientCertificate::read(&der).unwrap();
        assert_eq!(read.spiffe.unwrap(), "spiffe://city.example/portal");
        assert_eq!(read.dns, ["portal.example"]);
        assert_eq!(read.fingerprint, fingerprint(&der));
        let two = certificate(&[
            uri("spiffe://city.example/a"),
            uri("spiffe://city.example/b"),
        ]);
        assert_eq!(ClientCertificate::read(&two).unwrap().spiffe, None);
        let none = ClientCertificate::read(&certificate(&[])).unwrap();
        assert_eq!((none.spiffe, none.dns.len()), (None, 0));
        assert_eq!(ClientCertificate::read(b"no certificate"), None);
    }
}
