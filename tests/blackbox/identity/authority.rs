//! Certificate authorities, and certificates.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};

/// Who signs certificates.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, as PEM.
pub(super) struct Issued {
    pub(super) certificate: String,
    pub(super) key: String,
    /// The certificate as it is sent.
    pub(super) der: Vec<u8>,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(parameters, key).unwrap())
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a server on this machine.
    pub(super) fn server(&self) -> Issued {
        let localhost = SanType::DnsName("localhost".try_into().unwrap());
        let address = SanType::IpAddress([127, 0, 0, 1].into());
        self.issue(vec![localhost, address])
    }

    /// A certificate for a system with this SPIFFE id.
    pub(super) fn spiffe(&self, id: &str) -> Issued {
        self.issue(vec![SanType::URI(id.try_into().unwrap())])
    }

    /// A certificate for a system with this name.
    pub(super) fn dns(&self, name: &str) -> Issued {
        self.issue(vec![SanType::DnsName(name.try_into().unwrap())])
    }

    fn issue(&self, names: Vec<SanType>) -> Issued {
        let mut parameters = CertificateParams::default();
        parameters.subject_alt_names = names;
        parameters.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &*self.0).unwrap();
        Issued {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            der: certificate.der().to_vec(),
        }
    }
}

/// Writes a file, and gives its path.
pub(super) fn file(dir: &Path, name: &str, content: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// The same for one that only its owner may open.
pub(super) fn secret(dir: &Path, name: &str, content: &str) -> PathBuf {
    let path = file(dir, name, content);
    std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path
}

impl Issued {
    /// Puts certificate and key into files.
    pub(super) fn write(&self, dir: &Path, name: &str) -> (PathBuf, PathBuf) {
        let certificate = file(dir, &format!("{name}.pem"), &self.certificate);
        (certificate, secret(dir, &format!("{name}.key"), &self.key))
    }
}
