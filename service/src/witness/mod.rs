//! A witness (C2SP `tlog-witness`): an HTTP server that cosigns a log's checkpoints as long as the
//! log only grows. It stores the last checkpoint of each log, cosigned by itself.

pub(crate) mod connections;
pub(crate) mod memory;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path as UrlPath, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use planledger_core::journal::{Disk, OsDisk};
use planledger_core::note::Rotation;
use planledger_core::tlog::{
    AddCheckpoint, Latest, SignedCheckpoint, Signer, VerifierKey, WitnessError,
};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use self::connections::Bounded;
pub use self::connections::Bounds;
use self::memory::Memory;
pub use self::memory::{MemoryError, Older};
use crate::notary::now;

/// Most bytes of a request: room for a checkpoint with a few signatures and a proof of 63 hashes.
const REQUEST_BYTES: usize = 256 << 10;

/// A witness with what it remembers.
pub struct WitnessServer {
    inner: Arc<Inner>,
    bounds: Bounds,
}

struct Inner {
    signer: Signer,
    /// What is remembered. The lock is held while a checkpoint is decided on and written, so that two
    /// requests cannot overtake each other. Signatures of others are checked without it.
    memory: Mutex<Memory>,
}

impl WitnessServer {
    /// Opens a witness that watches the logs of these keys. The witness stores checkpoints in
    /// `dir`, and in `copy` too if there is one.
    ///
    /// # Errors
    /// [`MemoryError`]
    pub fn open(
        dir: &Path,
        copy: Option<&Path>,
        signer: Signer,
        logs: Vec<VerifierKey>,
    ) -> Result<Self, MemoryError> {
        let mut disks = Vec::new();
        for place in copy.into_iter().chain([dir]) {
            let disk = OsDisk::named(place).map_err(|source| MemoryError::Io {
                path: place.to_owned(),
                source,
            })?;
            disks.push((Box::new(disk) as Box<dyn Disk>, place.to_owned()));
        }
        Self::open_on(disks, signer, logs)
    }

    /// Opens a witness that writes to these disks, each with its folder. The last is its own; those
    /// before are copies.
    fn open_on(
        disks: Vec<(Box<dyn Disk>, PathBuf)>,
        signer: Signer,
        logs: Vec<VerifierKey>,
    ) -> Result<Self, MemoryError> {
        let memory = Memory::open(disks, &signer.verifier(), logs)?;
        Ok(Self {
            inner: Arc::new(Inner {
                signer,
                memory: Mutex::new(memory),
            }),
            bounds: Bounds::default(),
        })
    }

    /// The same witness with other bounds of connections.
    #[must_use]
    pub fn with_bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// Which folders had an older state than others when the witness was opened.
    pub fn older(&mut self) -> Vec<Older> {
        match Arc::get_mut(&mut self.inner) {
            Some(inner) => inner.memory.get_mut().take_older(),
            None => Vec::new(),
        }
    }

    /// Compares what is remembered with a checkpoint that the log shows. If this witness has cosigned it
    /// and does not remember, the memory was put back to an older state; then it is as new as that
    /// checkpoint again. Gives what it knew instead.
    ///
    /// # Errors
    /// [`MemoryError`] when it cannot be stored, or when this witness's key has cosigned another
    /// history.
    pub fn compare(&mut self, shown: &[u8]) -> Result<Option<Older>, MemoryError> {
        let signed = SignedCheckpoint::parse(shown).ok();
        match (signed, Arc::get_mut(&mut self.inner)) {
            (Some(signed), Some(inner)) => {
                let own = inner.signer.verifier();
                inner.memory.get_mut().compare(signed, &own)
            }
            _ => Ok(None),
        }
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
            .route("/add-rotation", post(rotate))
            .route("/{origin}/checkpoint", get(monitor))
            .layer(DefaultBodyLimit::max(REQUEST_BYTES))
            .with_state(self.inner);
        axum::serve(Bounded::new(listener, self.bounds), router)
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

/// A client may disconnect at any moment. The work still runs to its end, because otherwise what is
/// stored could be older than what was cosigned.
async fn to_the_end(work: impl FnOnce() -> Response + Send + 'static) -> Response {
    let asked = tokio::task::spawn_blocking(work);
    asked
        .await
        .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

async fn add(State(witness): State<Arc<Inner>>, body: Bytes) -> Response {
    to_the_end(move || witness.cosign(&body)).await
}

async fn rotate(State(witness): State<Arc<Inner>>, body: Bytes) -> Response {
    to_the_end(move || witness.follow(&body)).await
}

impl Inner {
    /// Answers a request: checks the checkpoint, stores it and cosigns it. No other request is decided
    /// on in between.
    fn cosign(&self, body: &[u8]) -> Response {
        let request = match AddCheckpoint::parse(body) {
            Ok(request) => request,
            Err(error) => return refusal(&error),
        };
        let origin = request.signed.checkpoint.origin.clone();
        let refused = |error: &WitnessError| {
            tracing::warn!(%origin, %error, "a checkpoint was not cosigned");
            refusal(error)
        };
        let keys = self.memory.blocking_lock().keys_of(&origin);
        let genuine = match request.genuine(&keys) {
            Ok(genuine) => genuine,
            Err(error) => return refused(&error),
        };
        let mut memory = self.memory.blocking_lock();
        // A key that has handed over meanwhile signs nothing any more.
        if memory.keys_of(&origin) != keys {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        let known = memory.latest(&origin).map(|signed| Latest {
            size: signed.checkpoint.size,
            root: signed.checkpoint.root,
        });
        let (_, signature) = match genuine.cosign(known, &self.signer, now()) {
            Ok(decided) => decided,
            Err(error) => return refused(&error),
        };
        let mut signed = request.signed;
        signed.note.add(signature.clone());
        // Store the checkpoint before answering, because a cosignature is a promise.
        if let Err(error) = memory.remember(signed) {
            tracing::error!(%error, "a checkpoint cannot be stored, so it is not cosigned");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        format!("{signature}\n").into_response()
    }

    /// Follows a log to the key that its old key hands over to.
    fn follow(&self, body: &[u8]) -> Response {
        let statement = std::str::from_utf8(body).ok();
        let Some(rotation) = statement.and_then(Rotation::parse) else {
            let why = "this is no statement that a key hands over, signed by that key\n";
            return (StatusCode::BAD_REQUEST, why).into_response();
        };
        let (from, to) = (rotation.from().to_string(), rotation.to().to_string());
        match self.memory.blocking_lock().follow(rotation) {
            Ok(true) => {
                tracing::info!(%from, %to, "a log has changed its key");
                StatusCode::OK.into_response()
            }
            Ok(false) => {
                let why = format!("this witness knows no log with the key {from}\n");
                (StatusCode::NOT_FOUND, why).into_response()
            }
            Err(error) => {
                tracing::error!(%error, "a change of key cannot be stored, so it is not followed");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

async fn monitor(State(witness): State<Arc<Inner>>, UrlPath(hash): UrlPath<String>) -> Response {
    match witness.memory.lock().await.by_hash(&hash) {
        Some(signed) => signed.note.to_string().into_response(),
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

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc;
    use std::time::Duration;

    use planledger_core::journal::DiskFile;
    use planledger_core::merkle::hash_leaf;
    use planledger_core::tlog::{Algorithm, Checkpoint};

    use super::*;

    const ORIGIN: &str = "log.example/1";

    /// A disk that makes no file until it is told what comes of it.
    struct Waiting {
        disk: OsDisk,
        begun: std::sync::Mutex<mpsc::Sender<()>>,
        answer: std::sync::Mutex<mpsc::Receiver<io::Error>>,
    }

    impl Disk for Waiting {
        fn create(&self, _: &str) -> io::Result<Box<dyn DiskFile>> {
            self.begun.lock().unwrap().send(()).unwrap();
            let answer = self.answer.lock().unwrap();
            // A test that fails tells nothing, and ends.
            Err(answer.recv_timeout(Duration::from_secs(60)).unwrap())
        }

        fn list(&self) -> io::Result<Vec<String>> {
            self.disk.list()
        }

        fn exists(&self, name: &str) -> io::Result<bool> {
            self.disk.exists(name)
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
        let (begun, begins) = mpsc::channel();
        let disk = Waiting {
            disk: OsDisk::new(dir.path()).unwrap(),
            begun: begun.into(),
            answer: answer.into(),
        };
        let logs = vec![log.verifier()];
        let disks = vec![(Box::new(disk) as Box<dyn Disk>, dir.path().to_owned())];
        let server = WitnessServer::open_on(disks, witness, logs).unwrap();
        let inner = server.inner.clone();
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.worker_threads(2).build().unwrap();
        runtime.block_on(async {
            let asked = add(State(inner.clone()), request.body().into_bytes().into());
            let asked = tokio::spawn(asked);
            let begins = move || begins.recv_timeout(Duration::from_secs(60));
            tokio::task::spawn_blocking(begins).await.unwrap().unwrap();
            asked.abort();
            assert!(asked.await.unwrap_err().is_cancelled());
            assert!(inner.memory.try_lock().is_err(), "still being written down");
            fail.send(io::Error::other("no room")).unwrap();
            // It was not written down, so it does not count.
            assert!(inner.memory.lock().await.latest(ORIGIN).is_none());
        });
    }

    /// Whoever says nothing keeps a place for as long as a connection may last, and no longer.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn those_who_say_nothing_do_not_keep_a_log_away() {
        let witness = Signer::new("w.example", Algorithm::Cosignature, [2; 32]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let bounds = Bounds {
            connections: 4,
            lasting: Duration::from_millis(500),
        };
        let server = WitnessServer::open(dir.path(), None, witness, Vec::new()).unwrap();
        let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = server.with_bounds(bounds);
        tokio::spawn(serving.serve(listener, std::future::pending()));
        let mut silent = Vec::new();
        for _ in 0..12 {
            silent.push(tokio::net::TcpStream::connect(address).await.unwrap());
        }
        let began = std::time::Instant::now();
        let asked = tokio::task::spawn_blocking(move || {
            let url = format!("http://{address}/{}/checkpoint", "0".repeat(64));
            let config = ureq::Agent::config_builder().http_status_as_error(false);
            let agent: ureq::Agent = config.build().into();
            agent.get(url).call().unwrap().status()
        });
        assert_eq!(asked.await.unwrap(), StatusCode::NOT_FOUND.as_u16());
        // Three rounds of four waited before it.
        assert!(began.elapsed() >= Duration::from_millis(900));
        drop(silent);
    }
}
