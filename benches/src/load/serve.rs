//! The server that the driver starts for itself: the real one, in a process of its own, so that its
//! memory is its own; or one that answers the same calls with nothing.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use planledger::notary::{self, KeyFiles, Rhythm};
use planledger::server::auth::Development;
use planledger::server::{Limits, Server};
use planledger::system::SystemEntropy;
use planledger_benches::place;
use planledger_core::access_log::{AccessLog, AccessNotary};
use planledger_core::ledger::Ledger;
use planledger_core::notary::Notary;
use planledger_proto::v1::command_service_server::{CommandService, CommandServiceServer};
use planledger_proto::v1::{
    ExecuteBatchRequest, ExecuteBatchResponse, ExecuteRequest, ExecuteResponse,
    ExecuteStreamRequest, ExecuteStreamResponse, PreviewStreamRequest, PreviewStreamResponse,
    RevertPlanRequest, RevertPlanResponse,
};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_stream::{Stream, StreamExt};
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

use super::fault::Fault;

/// Serve until standard input ends
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Directory of the ledger; without one, calls are answered with nothing
    #[arg(long)]
    on: Option<PathBuf>,
    /// Seconds between checkpoints; with them it also records who reads, as the program does
    #[arg(long)]
    checkpoints: Option<u64>,
}

impl Serve {
    pub(crate) async fn run(&self) -> Result<(), Fault> {
        match &self.on {
            Some(dir) => {
                let ledger = place::open(dir)?;
                let mut server = Server::bind(([127, 0, 0, 1], 0).into()).await?;
                // As in development mode, which is what it is.
                server = server.with_limits(Limits::default().without_rates());
                let (stop_notary, stopping) = watch::channel(false);
                let mut notarising = None;
                if let Some(seconds) = self.checkpoints {
                    let whole = Whole::open(&ledger, dir)?;
                    let every = Duration::from_secs(seconds.max(1));
                    let witnesses = Arc::default();
                    server = server
                        .with_notary(whole.notary.clone(), Arc::clone(&witnesses))
                        .with_access_log(whole.reads, false);
                    let rhythm = Rhythm {
                        every,
                        witnesses,
                        failures: Arc::default(),
                    };
                    let run = notary::run(whole.notary, whole.access, rhythm, stopping);
                    notarising = Some(tokio::spawn(run));
                }
                say(server.local_addr())?;
                let development = Arc::new(Development);
                let serving =
                    server.serve(ledger, development.clone(), development, told_to_stop());
                serving.await?;
                // Nobody listens if there is no notary.
                let _ = stop_notary.send(true);
                match notarising {
                    Some(notarising) => Ok(notarising.await?),
                    None => Ok(()),
                }
            }
            None => {
                let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
                say(listener.local_addr()?)?;
                let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
                let serving = tonic::transport::Server::builder()
                    .add_service(CommandServiceServer::new(Nothing))
                    .serve_with_incoming_shutdown(incoming, told_to_stop());
                Ok(serving.await?)
            }
        }
    }
}

/// What the program has besides a ledger.
struct Whole {
    notary: Arc<Notary>,
    reads: Arc<AccessLog>,
    access: Arc<AccessNotary>,
}

impl Whole {
    fn open(ledger: &Ledger, dir: &Path) -> Result<Self, Fault> {
        fn failed(error: impl std::error::Error) -> Fault {
            Fault::Start(error.to_string())
        }
        let signer = KeyFiles::in_ledger(dir)
            .load(ledger, None)
            .map_err(failed)?;
        let reads = AccessLog::open(ledger.clone(), dir, Arc::new(SystemEntropy));
        let reads = Arc::new(reads.map_err(failed)?);
        let access = AccessNotary::open(reads.clone(), dir, &signer).map_err(failed)?;
        let notary = Notary::open(ledger.clone(), dir, signer).map_err(failed)?;
        Ok(Self {
            notary: Arc::new(notary),
            reads,
            access: Arc::new(access),
        })
    }
}

/// Tells the driver where to connect.
fn say(address: std::net::SocketAddr) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{address}")?;
    out.flush()
}

/// Ready when the driver closes the pipe, or is gone.
async fn told_to_stop() {
    let read = || std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    // Whatever the pipe's end looks like, it is the end.
    let _ = tokio::task::spawn_blocking(read).await;
}

/// Answers every call with an empty message.
struct Nothing;

#[tonic::async_trait]
impl CommandService for Nothing {
    async fn execute(
        &self,
        _: Request<ExecuteRequest>,
    ) -> Result<Response<ExecuteResponse>, Status> {
        Ok(Response::new(ExecuteResponse::default()))
    }

    async fn execute_batch(
        &self,
        _: Request<ExecuteBatchRequest>,
    ) -> Result<Response<ExecuteBatchResponse>, Status> {
        Ok(Response::new(ExecuteBatchResponse::default()))
    }

    type ExecuteStreamStream =
        Pin<Box<dyn Stream<Item = Result<ExecuteStreamResponse, Status>> + Send>>;

    async fn execute_stream(
        &self,
        request: Request<Streaming<ExecuteStreamRequest>>,
    ) -> Result<Response<Self::ExecuteStreamStream>, Status> {
        let answers = request.into_inner();
        let answers = answers.map(|request| request.map(|_| ExecuteStreamResponse::default()));
        Ok(Response::new(Box::pin(answers)))
    }

    type PreviewStreamStream =
        Pin<Box<dyn Stream<Item = Result<PreviewStreamResponse, Status>> + Send>>;

    async fn preview_stream(
        &self,
        request: Request<Streaming<PreviewStreamRequest>>,
    ) -> Result<Response<Self::PreviewStreamStream>, Status> {
        let answers = request.into_inner();
        let answers = answers.map(|request| request.map(|_| PreviewStreamResponse::default()));
        Ok(Response::new(Box::pin(answers)))
    }

    async fn revert_plan(
        &self,
        _: Request<RevertPlanRequest>,
    ) -> Result<Response<RevertPlanResponse>, Status> {
        Ok(Response::new(RevertPlanResponse::default()))
    }
}
