//! A witness (C2SP `tlog-witness`): an HTTP server that cosigns a log's checkpoints as long as the
//! log only grows. It stores the last checkpoint of each log.

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path as UrlPath, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use planledger_core::hex;
use planledger_core::journal::{Disk, OsDisk, SmallFile};
use planledger_core::tlog::{
    AddCheckpoint, CheckpointError, Latest, SignedCheckpoint, Signer, VerifierKey, WitnessError,
    add_checkpoint,
};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use crate::notary::now;

/// Most bytes of a request: room for a checkpoint with a few signatures and a proof of 63 hashes.
const REQUEST_BYTES: usize = 256 << 10;

/// Why a witness does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessStartError {
    /// The operating system refused a file operation.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A stored checkpoint cannot be read. It must be restored: without it the witness would cosign
    /// a rewritten history.
    #[error("{}: {source}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with the checkpoint.
        source: CheckpointError,
    },
    /// Another witness uses the directory.
    #[error("{} is in use by another witness; give each witness its own directory", dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
    },
}

/// A witness with its stored checkpoints.
pub struct WitnessServer {
    inner: Arc<Inner>,
}

struct Inner {
    disk: Box<dyn Disk>,
    signer: Signer,
    logs: Vec<VerifierKey>,
    /// The last cosigned checkpoint of each log, by origin. The lock is held while a checkpoint is
    /// checked and written, so that two requests cannot overtake each other.
    latest: Mutex<HashMap<String, SignedCheckpoint>>,
    _lock: fs::File,
}

impl WitnessServer {
    /// Opens a witness that watches the logs of these keys. The witness stores checkpoints in
    /// `dir`.
    ///
    /// # Errors
    /// [`WitnessStartError`]
    pub fn open(
        dir: &Path,
        signer: Signer,
        logs: Vec<VerifierKey>,
    ) -> Result<Self, WitnessStartError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| WitnessStartError::Io { path, source }
        };
        let disk = OsDisk::new(dir).map_err(io(dir))?;
        Self::open_on(Box::new(disk), dir, signer, logs)
    }

    /// Opens a witness that writes its checkpoints to `disk`, which is the disk for `dir`.
    fn open_on(
        disk: Box<dyn Disk>,
        dir: &Path,
        signer: Signer,
        logs: Vec<VerifierKey>,
    ) -> Result<Self, WitnessStartError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| WitnessStartError::Io { path, source }
        };
        let path = dir.join("lock");
        let lock = fs::File::create(&path).map_err(io(&path))?;
        lock.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => WitnessStartError::Locked {
                dir: dir.to_owned(),
            },
            fs::TryLockError::Error(source) => WitnessStartError::Io { path, source },
        })?;
        let mut latest = HashMap::new();
        for log in &logs {
            let path = dir.join(file_of(log.name()));
            let bytes = match fs::read(&path) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(io(&path)(error)),
            };
            let signed = SignedCheckpoint::parse(&bytes)
                .map_err(|source| WitnessStartError::Damaged { path, source })?;
            latest.insert(log.name().to_owned(), signed);
        }
        Ok(Self {
            inner: Arc::new(Inner {
                disk,
                signer,
                logs,
                latest: Mutex::new(latest),
                _lock: lock,
            }),
        })
    }

    /// Serves until `stop` is ready.
    ///
    /// # Errors
    /// When the transport fails.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let router = Router::new()
            .route("/add-checkpoint", post(add))
            .route("/{origin}/checkpoint", get(monitor))
            .layer(DefaultBodyLimit::max(REQUEST_BYTES))
            .with_state(self.inner);
        axum::serve(listener, router)
            .with_graceful_shutdown(stop)
            .await
    }
}

/// Takes an address for a witness. Port 0 means any free port.
///
/// # Errors
/// When the address is in use or does not belong to this machine.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

async fn add(State(witness): State<Arc<Inner>>, body: Bytes) -> Response {
    // A client may disconnect at any moment. The work still runs to its end, because otherwise the
    // stored checkpoint could be older than the one that was cosigned.
    let asked = tokio::task::spawn_blocking(move || witness.cosign(&body));
    asked
        .await
        .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

impl Inner {
    /// Answers a request: checks the checkpoint, stores it and cosigns it. No other request is
    /// handled in between.
    fn cosign(&self, body: &[u8]) -> Response {
        let request = match AddCheckpoint::parse(body) {
            Ok(request) => request,
            Err(error) => return refusal(&error),
        };
        let origin = request.signed.checkpoint.origin.clone();
        let mut latest = self.latest.blocking_lock();
        let known = latest.get(&origin).map(|signed| Latest {
            size: signed.checkpoint.size,
            root: signed.checkpoint.root,
        });
        let decided = add_checkpoint(&request, &self.logs, known, &self.signer, now());
        let (_, signature) = match decided {
            Ok(decided) => decided,
            Err(error) => {
                tracing::warn!(%origin, %error, "a checkpoint was not cosigned");
                return refusal(&error);
            }
        };
        let mut signed = request.signed;
        signed.note.add(signature.clone());
        // Store the checkpoint before answering, because a cosignature is a promise.
        if let Err(error) = remember(self.disk.as_ref(), &origin, &signed.note.to_string()) {
            tracing::error!(%error, "a checkpoint cannot be stored, so it is not cosigned");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        latest.insert(origin, signed);
        format!("{signature}\n").into_response()
    }
}

async fn monitor(State(witness): State<Arc<Inner>>, UrlPath(hash): UrlPath<String>) -> Response {
    let latest = witness.latest.lock().await;
    let found = latest
        .iter()
        .find(|(origin, _)| origin_hash(origin) == hash);
    match found {
        Some((_, signed)) => signed.note.to_string().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn refusal(error: &WitnessError) -> Response {
    let status = error.http_status();
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    match error {
        WitnessError::Conflict { latest } | WitnessError::Forked { size: latest } => {
            let kind = [(header::CONTENT_TYPE, "text/x.tlog.size")];
            (status, kind, format!("{latest}\n")).into_response()
        }
        _ => (status, format!("{error}\n")).into_response(),
    }
}

fn origin_hash(origin: &str) -> String {
    hex::encode(&Sha256::digest(origin.as_bytes()))
}

fn file_of(origin: &str) -> String {
    format!("{}.checkpoint", origin_hash(origin))
}

/// Writes a checkpoint to disk durably. After a crash the file holds either the old checkpoint or
/// the new one.
fn remember(disk: &dyn Disk, origin: &str, note: &str) -> std::io::Result<()> {
    let file = SmallFile {
        name: &file_of(origin),
        temporary: &format!("{}.tmp", origin_hash(origin)),
    };
    file.replace(disk, note.as_bytes())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc;

    use planledger_core::journal::DiskFile;
    use planledger_core::merkle::hash_leaf;
    use planledger_core::tlog::{Algorithm, Checkpoint};

    use super::*;

    const ORIGIN: &str = "log.example/1";

    /// A disk that makes no file until it is told what comes of it.
    struct Waiting {
        disk: OsDisk,
        answer: std::sync::Mutex<mpsc::Receiver<io::Error>>,
    }

    impl Disk for Waiting {
        fn create(&self, _: &str) -> io::Result<Box<dyn DiskFile>> {
            Err(self.answer.lock().unwrap().recv().unwrap())
        }

        fn list(&self) -> io::Result<Vec<String>> {
            self.disk.list()
        }

        fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
            self.disk.open(name)
        }

        fn rename(&self, from: &str, to: &str) -> io::Result<()> {
            self.disk.rename(from, to)
        }

        fn remove(&self, name: &str) -> io::Result<()> {
            self.disk.remove(name)
        }

        fn sync_dir(&self) -> io::Result<()> {
            self.disk.sync_dir()
        }
    }

    /// Without this, the witness could store one history of a log and cosign another. After a
    /// restart, the log could then continue the stored history.
    #[test]
    fn nothing_is_cosigned_before_what_was_begun_is_written_down_though_its_client_goes_away() {
        let log = Signer::new(ORIGIN, Algorithm::Ed25519, [1; 32]).unwrap();
        let witness = Signer::new("w.example", Algorithm::Cosignature, [2; 32]).unwrap();
        let checkpoint = Checkpoint {
            origin: ORIGIN.to_owned(),
            size: 1,
            root: hash_leaf(b"leaf"),
        };
        let request = AddCheckpoint {
            old_size: 0,
            proof: Vec::new(),
            signed: SignedCheckpoint::sign(checkpoint, &log, now()),
        };
        let dir = tempfile::tempdir().unwrap();
        let (fail, answer) = mpsc::channel();
        let disk = Waiting {
            disk: OsDisk::new(dir.path()).unwrap(),
            answer: answer.into(),
        };
        let logs = vec![log.verifier()];
        let server = WitnessServer::open_on(Box::new(disk), dir.path(), witness, logs).unwrap();
        let inner = server.inner.clone();
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.worker_threads(2).build().unwrap();
        runtime.block_on(async {
            let asked = add(State(inner.clone()), request.body().into_bytes().into());
            let asked = tokio::spawn(asked);
            while inner.latest.try_lock().is_ok() {
                tokio::task::yield_now().await;
            }
            asked.abort();
            assert!(asked.await.unwrap_err().is_cancelled());
            assert!(inner.latest.try_lock().is_err(), "still being written down");
            fail.send(io::Error::other("no room")).unwrap();
            // It was not written down, so it does not count.
            assert!(inner.latest.lock().await.is_empty());
        });
    }
}
