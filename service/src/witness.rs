//! A witness (C2SP `tlog-witness`): an HTTP server that cosigns a log's checkpoints only as long as
//! the log grows, and remembers the last of each.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path as UrlPath, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use planledger_core::tlog::{
    AddCheckpoint, CheckpointError, Latest, SignedCheckpoint, Signer, VerifierKey, WitnessError,
    add_checkpoint,
};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use crate::notary::now;

/// A checkpoint with a few signatures and a proof of 63 hashes.
const REQUEST_BYTES: usize = 256 << 10;

/// Why a witness does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessStartError {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// What it was about.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// A remembered checkpoint does not read. Restore it: without it the witness would cosign a
    /// rewritten history.
    #[error("{}: {source}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: CheckpointError,
    },
    /// Another witness has the directory.
    #[error("{} is in use by another witness", dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
    },
}

/// A witness with its memory.
pub struct WitnessServer {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    signer: Signer,
    logs: Vec<VerifierKey>,
    /// The last cosigned checkpoint of each log, by origin. Held while one is checked and written,
    /// so that two requests cannot overtake each other.
    latest: Mutex<HashMap<String, SignedCheckpoint>>,
    _lock: fs::File,
}

impl WitnessServer {
    /// Opens a witness whose memory is in `dir`, which watches the logs of these keys.
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
        fs::create_dir_all(dir).map_err(io(dir))?;
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
            let path = file_of(dir, log.name());
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
                dir: dir.to_owned(),
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

/// Takes an address for a witness; port 0 is any free one.
///
/// # Errors
/// When the address is taken or not this machine's.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

async fn add(State(witness): State<Arc<Inner>>, body: Bytes) -> Response {
    let request = match AddCheckpoint::parse(&body) {
        Ok(request) => request,
        Err(error) => return refusal(&error),
    };
    let origin = request.signed.checkpoint.origin.clone();
    let mut latest = witness.latest.lock().await;
    let known = latest.get(&origin).map(|signed| Latest {
        size: signed.checkpoint.size,
        root: signed.checkpoint.root,
    });
    let decided = add_checkpoint(&request, &witness.logs, known, &witness.signer, now());
    let (_, signature) = match decided {
        Ok(decided) => decided,
        Err(error) => {
            tracing::warn!(%origin, %error, "a checkpoint was not cosigned");
            return refusal(&error);
        }
    };
    let mut signed = request.signed;
    signed.note.add(signature.clone());
    // Remembered before it is answered: an answer is a promise.
    let path = file_of(&witness.dir, &origin);
    let note = signed.note.to_string();
    let remembered = tokio::task::spawn_blocking(move || remember(&path, &note)).await;
    match remembered {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::error!(%error, "a checkpoint cannot be remembered, so it is not cosigned");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
    latest.insert(origin, signed);
    format!("{signature}\n").into_response()
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
        WitnessError::Conflict { latest } => {
            let kind = [(header::CONTENT_TYPE, "text/x.tlog.size")];
            (status, kind, format!("{latest}\n")).into_response()
        }
        _ => (status, format!("{error}\n")).into_response(),
    }
}

fn origin_hash(origin: &str) -> String {
    let hash = Sha256::digest(origin.as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn file_of(dir: &Path, origin: &str) -> PathBuf {
    dir.join(format!("{}.checkpoint", origin_hash(origin)))
}

/// Writes a checkpoint so that it is durable, and either the old one or the new one.
fn remember(path: &Path, note: &str) -> std::io::Result<()> {
    let temporary = path.with_extension("tmp");
    let mut file = fs::File::create(&temporary)?;
    file.write_all(note.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()
}
