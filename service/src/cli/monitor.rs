//! `planledger monitor`: follows a log, computes again what its checkpoints stand for, and cosigns those that
//! are right.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use planledger_core::tlog::{Algorithm, VerifierKey};

use super::error::CliError;
use super::remote::block_on;
use super::{cosigner, output};
use crate::monitor::{Monitor as Following, Options, Trouble};
use crate::server::stop_signal;
use crate::settings;
use crate::witness::bind;

/// Follow a log: compute again what its checkpoints stand for, and cosign those that are right
#[derive(Debug, Args)]
pub(super) struct Monitor {
    /// Directory of the monitor: its key, the last checkpoint that it cosigned, and what it has computed
    #[arg(
        long,
        env = "PLANLEDGER_MONITOR_DIR",
        value_name = "DIR",
        default_value = "planledger-monitor"
    )]
    dir: PathBuf,
    /// Name of the monitor, such as monitor.example/1; only a new key takes it
    #[arg(long, env = "PLANLEDGER_MONITOR_NAME", value_name = "NAME")]
    name: Option<String>,
    /// A policy file whose one log line says which log to follow, and where it publishes: `log VKEY URL`
    #[arg(long, env = "PLANLEDGER_MONITOR_POLICY", value_name = "FILE")]
    policy: PathBuf,
    /// A second directory for what the monitor must not forget, on another disk or machine: if one of the
    /// two is put back to an older state, the newer one counts
    #[arg(long, env = "PLANLEDGER_MONITOR_COPY", value_name = "DIR")]
    copy: Option<PathBuf>,
    /// Address to listen on; put a proxy with TLS in front to serve other machines
    #[arg(
        long,
        env = "PLANLEDGER_MONITOR_LISTEN",
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:50053"
    )]
    listen: SocketAddr,
    /// Follow the log to its newest checkpoint, and end; code 1 if the log is wrong or cannot be read
    #[arg(long)]
    once: bool,
    /// Milliseconds from one look at the log to the next
    #[arg(
        long,
        env = "PLANLEDGER_MONITOR_POLL",
        value_name = "MS",
        default_value_t = 300,
        value_parser = clap::value_parser!(u64).range(10..)
    )]
    poll: u64,
}

impl Monitor {
    pub(super) fn run(self) -> Result<(), CliError> {
        let path = self.dir.join("monitor.key");
        let signer = cosigner::key(&path, self.name.as_deref(), Algorithm::Monitor, "monitor")?;
        // Others need this key to check the monitor's cosignatures.
        output::line(signer.verifier());
        let (log, url) = self.log()?;
        let options = Options {
            dir: &self.dir,
            copy: self.copy.as_deref(),
            signer,
            log,
            url: &url,
            poll: Duration::from_millis(self.poll),
        };
        let mut monitor = Following::open(options).map_err(CliError::refused)?;
        monitor.older().iter().for_each(output::note);
        monitor.unusable().iter().for_each(output::note);
        match monitor.compare() {
            Ok(older) => older.iter().for_each(output::note),
            Err(error @ Trouble::Memory(_)) => return Err(CliError::refused(error)),
            Err(error) => output::note(format!(
                "what this monitor remembers was not compared with what {url} shows: {error}"
            )),
        }
        let bar = output::progress(0, "following");
        let progress = {
            let bar = bar.clone();
            move |done, all| {
                bar.set_length(all);
                bar.set_position(done);
            }
        };
        if self.once {
            let followed = monitor.once(&progress).map_err(CliError::refused);
            bar.finish_and_clear();
            let followed = followed?;
            output::note(format!(
                "followed {} entries of {} streams; everything was computed again",
                followed.entries, followed.streams
            ));
            return Ok(());
        }
        let address = self.listen;
        block_on(async move {
            let listener = bind(address).await.map_err(|error| {
                CliError::Refused(format!("cannot listen on {address}: {error}"))
            })?;
            // Listen for the stop signal before the monitor announces its address, so that no signal is
            // missed.
            let stop = stop_signal()?;
            output::note(format!("listening on http://{}", listener.local_addr()?));
            Ok(monitor.serve(listener, stop, progress).await?)
        })
    }

    /// The log of the policy, and where it publishes.
    fn log(&self) -> Result<(VerifierKey, String), CliError> {
        let policy = settings::policy(&self.policy)?;
        match policy.log_urls() {
            [(key, url)] => Ok((key.clone(), url.clone())),
            _ => Err(CliError::Usage(format!(
                "{}: a monitor follows one log: give exactly one log line with an address, `log VKEY URL`",
                self.policy.display()
            ))),
        }
    }
}
