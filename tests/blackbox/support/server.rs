//! A real server in this process, on a runtime of its own, as the program has it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use planledger::notary::{KeyFiles, Witnesses};
use planledger::server::auth::{Authenticator, Authorizer, Development};
use planledger::server::identity::{Identified, LedgerDirectory};
use planledger::server::{Limits, Server, transport};
use planledger::settings::identity::{Identity, Tls};
use planledger::settings::master::kept_beside;
use planledger::system::{SystemClock, SystemEntropy};
use planledger_core::access_log::AccessLog;
use planledger_core::journal::OsDisk;
use planledger_core::ledger::{Ledger, Options};
use planledger_core::notary::Notary;
use planledger_fixtures::place::copy;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tonic::transport::{Channel, Endpoint};

use super::gated::Gated;
use super::program::await_starting;
use super::voice::Voice;

/// A directory with a ledger. It goes when the last one that has it goes; a server that runs on it has
/// it too.
#[derive(Clone)]
pub(crate) struct Home {
    dir: Arc<TempDir>,
}

impl Home {
    pub(crate) fn new() -> Self {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        Self { dir }
    }

    /// Another directory with the same in it.
    pub(crate) fn copied(&self) -> Self {
        let other = Self::new();
        copy(self.path(), other.path());
        other
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn first_segment(&self) -> PathBuf {
        self.path().join("journal/segment-00000001.log")
    }

    /// As the program opens it.
    pub(crate) fn options(&self) -> Options {
        Options {
            dir: self.path().to_owned(),
            master: kept_beside(self.path()).unwrap(),
            rescue: None,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            progress: None,
            undone: planledger_core::ledger::Undone::Refuse,
        }
    }

    /// Starts a server on it.
    pub(crate) fn start(&self) -> Running {
        Setup::default().start(self)
    }

    /// Starts a server on it that gives evidence. It makes checkpoints when it is asked for them,
    /// and not by the clock, so that tests know which there are.
    pub(crate) fn start_notarised(&self) -> Running {
        Setup::notarised().start(self)
    }

    /// Starts a server on it, and connects to it with a system acting.
    pub(crate) async fn serve(&self) -> (Running, Voice) {
        let server = self.start();
        let voice = server.voice().await;
        (server, voice)
    }

    /// The same with a server that gives evidence.
    pub(crate) async fn serve_notarised(&self) -> (Running, Voice) {
        let server = self.start_notarised();
        let voice = server.voice().await;
        (server, voice)
    }
}

/// Whether answers wait until their records are on stable storage.
#[derive(Clone, Copy)]
pub(crate) struct Strict(pub(crate) bool);

/// How a server is set up, where that is not as usual.
pub(crate) struct Setup {
    pub(crate) limits: Limits,
    pub(crate) authorizer: Arc<dyn Authorizer>,
    pub(crate) log: Option<Gated>,
    /// Whether it records who reads plans, and whether answers wait for it; `None` if it does not.
    pub(crate) reads: Option<Strict>,
    /// The journal of the access log, if it is a special one.
    pub(crate) read_log: Option<Gated>,
    /// Whether it gives evidence.
    pub(crate) notary: bool,
    /// What it needs to find out who asks. It believes everybody if there is none.
    pub(crate) secured: Option<Secured>,
}

/// What a server with TLS needs.
pub(crate) struct Secured {
    pub(crate) tls: Tls,
    /// How it finds out who asks. It believes everybody if this is `None`.
    pub(crate) identity: Option<Identity>,
}

impl Secured {
    async fn bind(self, ledger: &Ledger) -> (Server, Arc<dyn Authenticator>) {
        let address = ([127, 0, 0, 1], 0).into();
        let tls = Arc::new(transport::Tls::load(self.tls).unwrap());
        let server = Server::bind_tls(address, tls).await.unwrap();
        let Some(identity) = self.identity else {
            return (server, Arc::new(Development));
        };
        let directory = Arc::new(LedgerDirectory::new(ledger.clone()));
        let identified = Identified::new(&identity, true, directory);
        (server, Arc::new(identified.unwrap()))
    }
}

impl Default for Setup {
    fn default() -> Self {
        let limits = Limits {
            // A test that fails must not keep the others waiting.
            grace: Duration::from_secs(5),
            ..Limits::default()
        };
        Self {
            limits,
            authorizer: Arc::new(Development),
            log: None,
            reads: Some(Strict(false)),
            read_log: None,
            notary: false,
            secured: None,
        }
    }
}

impl Setup {
    /// With a notary.
    pub(crate) fn notarised() -> Self {
        Self {
            notary: true,
            ..Self::default()
        }
    }

    /// On a disk that can be held up.
    pub(crate) fn on(log: &Gated) -> Self {
        Self {
            log: Some(log.clone()),
            ..Self::default()
        }
    }

    pub(crate) fn start(self, home: &Home) -> Running {
        let options = home.options();
        let (told, url) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let gates = [self.log.clone(), self.read_log.clone()];
        let dir = home.path().to_owned();
        let thread = thread::spawn(move || {
            let ledger = match self.log {
                None => Ledger::open(options),
                Some(log) => Ledger::open_on(options, Arc::new(log)),
            };
            let ledger = ledger.unwrap();
            let notary = self.notary.then(|| {
                let signer = KeyFiles::in_ledger(&dir).load(&ledger, None).unwrap();
                Arc::new(Notary::open(ledger.clone(), &dir, signer).unwrap())
            });
            let reads = self.reads.map(|Strict(strict)| {
                let entropy = Arc::new(SystemEntropy);
                let reads = match self.read_log {
                    None => AccessLog::open(ledger.clone(), &dir, entropy),
                    Some(log) => {
                        let home = Arc::new(OsDisk::new(dir.join("access")).unwrap());
                        AccessLog::open_on(ledger.clone(), Arc::new(log), home, entropy)
                    }
                };
                (Arc::new(reads.unwrap()), strict)
            });
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let (server, authenticator) = match self.secured {
                    Some(secured) => secured.bind(&ledger).await,
                    None => {
                        let server = Server::bind(([127, 0, 0, 1], 0).into()).await;
                        let believing: Arc<dyn Authenticator> = Arc::new(Development);
                        (server.unwrap(), believing)
                    }
                };
                told.send(server.url()).unwrap();
                let stop = async {
                    // Dropped is as good as told.
                    let _ = stopped.await;
                };
                let server = server.with_limits(self.limits);
                let server = match notary {
                    Some(notary) => server.with_notary(notary, Arc::new(Witnesses::default())),
                    None => server,
                };
                let server = match reads {
                    Some((reads, strict)) => server.with_access_log(reads, strict),
                    None => server,
                };
                let serving = server.serve(ledger, authenticator, self.authorizer, stop);
                serving.await.unwrap();
            });
            // With the runtime goes whatever still had the ledger.
        });
        Running {
            url: url.recv().unwrap(),
            gates,
            stop: Some(stop),
            thread: Some(thread),
            _home: home.clone(),
        }
    }
}

/// A server that runs. It stops, and its ledger is closed, when this is dropped.
pub(crate) struct Running {
    pub(crate) url: String,
    /// Of its journal, and of its access log.
    gates: [Option<Gated>; 2],
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
    /// Stays as long as the server runs.
    _home: Home,
}

impl Running {
    /// Connects to it, with a system acting.
    pub(crate) async fn voice(&self) -> Voice {
        Voice::connect(&self.url).await
    }

    /// Connects to it, with nobody acting.
    pub(crate) async fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(self.url.clone()).unwrap();
        endpoint.connect().await.unwrap()
    }

    /// Tells it to stop, and does not wait.
    pub(crate) fn tell_to_stop(&mut self) {
        drop(self.stop.take());
    }

    /// Stops it, and waits until its ledger is closed.
    pub(crate) fn stop(self) {
        drop(self);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tell_to_stop();
        // A test that failed may have left one shut.
        self.gates.iter().flatten().for_each(Gated::hold_nothing_up);
        let ended = self.thread.take().map(thread::JoinHandle::join);
        // Nobody holds the lock of the ledger any more, not even for a moment.
        await_starting();
        assert!(thread::panicking() || matches!(ended, Some(Ok(()))));
    }
}
