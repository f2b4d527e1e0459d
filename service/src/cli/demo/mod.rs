//! `planledger demo`: shows that plans survive when their owner leaves. It uses a new ledger and
//! the real server, over gRPC. It fails if any promise that it checks is broken.

mod actor;
mod acts;
mod checks;
mod scene;
mod story;
mod survey;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use planledger_core::access_log::AccessLog;
use planledger_core::ledger::{Ledger, Options};
use planledger_core::verify::{self, Depth};
use tokio::sync::oneshot;

use self::checks::Checks;
use super::error::CliError;
use super::process::new_files_are_private;
use super::remote::block_on;
use super::{output, timeline};
use crate::server::Server;
use crate::server::auth::Development;
use crate::settings::master::kept_beside;
use crate::system::{SystemClock, SystemEntropy};

/// Show, on a new ledger, that plans survive when their owner leaves
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Directory for the new ledger: it must be empty or not exist yet; a temporary one if not
    /// given
    #[arg(long, env = "PLANLEDGER_DEMO_DIR", value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl Demo {
    pub(super) fn run(self) -> Result<(), CliError> {
        let temporary = match self.dir {
            Some(_) => None,
            None => Some(tempfile::tempdir()?),
        };
        let dir = match (&self.dir, &temporary) {
            (Some(dir), _) => dir.clone(),
            (None, Some(temporary)) => temporary.path().to_owned(),
            (None, None) => PathBuf::new(),
        };
        if dir.read_dir().is_ok_and(|mut found| found.next().is_some()) {
            let dir = dir.display();
            return Err(CliError::Usage(format!(
                "the demonstration needs a fresh directory, and {dir} is not empty"
            )));
        }
        let mut checks = Checks::default();
        block_on(tell(dir.clone(), &mut checks))?;
        verify(dir, &mut checks)?;
        checks.finish()?;
        if let Some(dir) = &self.dir {
            let dir = dir.display();
            output::note(format!(
                "look around: planledger serve --dev --dir {dir}, then planledger plan list …"
            ));
        }
        Ok(())
    }
}

fn options(dir: PathBuf) -> Result<Options, CliError> {
    new_files_are_private();
    let master = kept_beside(&dir)?;
    Ok(Options {
        dir,
        master,
        rescue: None,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        progress: None,
        undone: planledger_core::ledger::Undone::Refuse,
    })
}

/// Starts the server, tells the story over gRPC, and stops the server.
async fn tell(dir: PathBuf, checks: &mut Checks) -> Result<(), CliError> {
    let ledger = Ledger::open(options(dir.clone())?).map_err(CliError::refused)?;
    let reads = AccessLog::open(ledger.clone(), &dir, Arc::new(SystemEntropy));
    let reads = Arc::new(reads.map_err(CliError::refused)?);
    let server = Server::bind(([127, 0, 0, 1], 0).into()).await?;
    let server = server.with_access_log(reads, false);
    let url = format!("http://{}", server.local_addr());
    output::line(format!("A server with a fresh ledger listens on {url}."));
    let (stop, stopped) = oneshot::channel::<()>();
    let development = Arc::new(Development);
    let serving = tokio::spawn(
        server.serve(ledger, development.clone(), development, async {
            // A dropped sender also means stop.
            let _ = stopped.await;
        }),
    );
    let told = story::tell(&url, checks).await;
    drop(stop);
    serving
        .await
        .map_err(CliError::refused)?
        .map_err(CliError::refused)?;
    let (events, names) = told?;
    output::heading("What the ledger knows about one plan");
    output::table(&timeline::rows(&events, &names));
    Ok(())
}

/// Checks the directory as an auditor would, using only its files.
fn verify(dir: PathBuf, checks: &mut Checks) -> Result<(), CliError> {
    output::heading("The ledger, checked from the files alone");
    let found = verify::verify_dir(&options(dir)?, Depth::Full, &|_, _, _| {});
    let found = found.map_err(CliError::refused)?;
    output::line(format!(
        "{} events in {} commits and {} streams",
        found.events, found.commits, found.streams
    ));
    checks.check("every byte of the ledger is sound", found.is_sound());
    Ok(())
}
