//! The server's certificate: read from files, and read again when they change.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::RootCertStore;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{
    NoClientAuth, ServerConfig, WebPkiClientVerifier, danger::ClientCertVerifier,
};
use rustls::version::{TLS12, TLS13};
use tokio_rustls::TlsAcceptor;

use crate::notifying::{self, News};
use crate::secret::{Links, read_secret};
use crate::settings::identity::Tls as Files;

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(2);
/// The protocol that clients must speak.
const ALPN: &[u8] = b"h2";

/// Why files cannot be used for TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read, or does not hold what it should.
    #[error("{}: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The files do not fit together.
    #[error("the TLS certificate cannot be used: {0}")]
    Config(#[from] rustls::Error),
}

/// The server's side of TLS. New connections get what the files held when they were read last.
pub struct Tls {
    files: Files,
    current: RwLock<Arc<ServerConfig>>,
    seen: Mutex<Vec<Stamp>>,
}

/// What tells one content of a file from another, without reading it.
type Stamp = Option<(SystemTime, u64, u64)>;

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`]
    pub fn load(files: Files) -> Result<Self, TlsError> {
        let seen = stamps(&files);
        let config = configure(&files)?;
        Ok(Self {
            files,
            current: RwLock::new(Arc::new(config)),
            seen: Mutex::new(seen),
        })
    }

    /// Whether systems can show certificates.
    pub fn asks_for_certificates(&self) -> bool {
        self.files.client_ca.is_some()
    }

    /// What takes the next connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(current.clone())
    }

    /// Reads the files again. Connections that exist go on as they are. If the files cannot be used,
    /// what was read before stays, and the log says why. Returns whether they could be used.
    pub fn reload(&self) -> bool {
        let stamps = stamps(&self.files);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = stamps;
        match configure(&self.files) {
            Ok(config) => {
                let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
                *current = Arc::new(config);
                tracing::info!("the TLS certificate was read again");
                true
            }
            Err(error) => {
                tracing::error!(%error, "the TLS files cannot be used; the ones read before stay");
                false
            }
        }
    }

    fn has_changed(&self) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        stamps(&self.files) != *seen
    }

    /// Reads the files again whenever they change, and whenever `told` yields.
    pub(super) async fn watch(self: Arc<Self>, mut hangups: Hangups) {
        loop {
            let told = tokio::select! {
                () = hangups.next() => {
                    notifying::tell(News::Reloading);
                    true
                }
                () = tokio::time::sleep(EVERY) => false,
            };
            let tls = self.clone();
            let look = move || (told || tls.has_changed()) && tls.reload();
            let _ = tokio::task::spawn_blocking(look).await;
            if told {
                notifying::tell(News::Ready);
            }
        }
    }
}

/// Signals that ask for files to be read again: SIGHUP.
pub(super) struct Hangups {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl Hangups {
    /// Listens for the signal from now on.
    pub(super) fn listen() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let signal = Some(signal(SignalKind::hangup())?);
            Ok(Self { signal })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.signal
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }
}

fn stamps(files: &Files) -> Vec<Stamp> {
    let paths = [
        Some(&files.certificate),
        Some(&files.key),
        files.client_ca.as_ref(),
    ];
    let paths = paths.into_iter().flatten();
    paths
        .map(|path| fs::metadata(path).ok().map(stamp))
        .collect()
}

fn stamp(of: Metadata) -> (SystemTime, u64, u64) {
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&of);
    #[cfg(not(unix))]
    let number = 0;
    (
        of.modified().unwrap_or(SystemTime::UNIX_EPOCH),
        of.len(),
        number,
    )
}

fn configure(files: &Files) -> Result<ServerConfig, TlsError> {
    let chain = certificates(&files.certificate)?;
    let pem = read_secret(&files.key, Links::Followed);
    let pem = pem.map_err(|error| wrong(&files.key, error.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| {
        wrong(
            &files.key,
            format!("no private key in PEM can be read: {error}"),
        )
    })?;
    let provider = Arc::new(default_provider());
    let verifier: Arc<dyn ClientCertVerifier> = match &files.client_ca {
        None => Arc::new(NoClientAuth),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate)?;
            }
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
                // People come with a token instead.
                .allow_unauthenticated()
                .build()
                .map_err(|error| wrong(path, error.to_string()))?
        }
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(config)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |error| wrong(path, format!("no certificate in PEM can be read: {error}"));
    let found = CertificateDer::pem_file_iter(path).map_err(unreadable)?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(unreadable)?;
    match found.is_empty() {
        true => Err(wrong(path, "there is no certificate in it".to_owned())),
        false => Ok(found),
    }
}

fn wrong(path: &Path, why: String) -> TlsError {
    TlsError::File {
        path: path.to_owned(),
        why,
    }
}
