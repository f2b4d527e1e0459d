//! The command line: one file per noun. Data goes to standard output, everything else to
//! standard error. Exit codes: 0 done, 1 refused or found faulty, 2 wrong usage.

mod audit;
mod consent;
mod demo;
mod id;
mod import;
mod ledger;
mod moment;
mod names;
mod output;
mod overview;
mod owner;
mod plan;
mod serve;
mod sheet;
mod timeline;
mod witness;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::settings::{self, DEFAULT_DIR, DEFAULT_LISTEN, DEFAULT_SERVER, SettingsError};

/// Student plans that outlive their owners: an append-only ledger with a gRPC API.
#[derive(Debug, Parser)]
#[command(name = "planledger", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

/// Settings that every command takes. Flags go over environment over the settings file.
#[derive(Debug, Clone, Args)]
struct Common {
    /// Settings file (TOML)
    #[arg(long, global = true, env = "PLANLEDGER_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// How much to say on standard error: error, warn, info, debug
    #[arg(
        long,
        global = true,
        env = "PLANLEDGER_LOG",
        value_name = "LEVEL",
        default_value = "info"
    )]
    log: tracing::Level,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::Serve),
    /// Show on a fresh ledger that plans outlive their owner
    Demo(demo::Demo),
    /// Bring data in from other systems
    #[command(subcommand)]
    Import(import::Import),
    /// Look at students' plans
    #[command(subcommand)]
    Plan(plan::Plan),
    /// See who owns what, and hand it over when an owner leaves
    #[command(subcommand)]
    Owner(Box<owner::Owner>),
    /// See how far plans have come, as a leader asks
    Overview(Box<overview::Overview>),
    /// Look after the ledger itself
    #[command(subcommand)]
    Ledger(ledger::Ledger),
    /// Take evidence away and check it
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Watch logs: cosign their checkpoints as long as they only grow
    Witness(witness::Witness),
}

/// Where the ledger is, for commands that open it themselves.
#[derive(Debug, Clone, Args)]
struct Place {
    /// Directory of the ledger [default: planledger-data]
    #[arg(long, env = "PLANLEDGER_DIR", value_name = "DIR")]
    dir: Option<PathBuf>,
    /// File with the master key [default: keys/master.key in the directory]
    #[arg(long, env = "PLANLEDGER_MASTER_KEY_FILE", value_name = "FILE")]
    master_key_file: Option<PathBuf>,
    /// The master key itself, 64 hexadecimal digits
    #[arg(
        long,
        env = "PLANLEDGER_MASTER_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    #[arg(hide = true)]
    master_key: Option<String>,
    /// Public key of the recovery recipient, for a new ledger
    #[arg(long, env = "PLANLEDGER_RECOVERY_RECIPIENT", value_name = "KEY")]
    recovery_recipient: Option<String>,
}

/// Which server to talk to, and as whom.
#[derive(Debug, Clone, Args)]
struct Remote {
    /// Server to talk to [default: http://127.0.0.1:50051]
    #[arg(long, env = "PLANLEDGER_SERVER", value_name = "URL")]
    server: Option<String>,
    /// Who acts, in development mode: person/UUID or system/UUID
    #[arg(long = "as", env = "PLANLEDGER_ACTOR", value_name = "ACTOR")]
    #[arg(default_value = DEFAULT_ACTOR)]
    actor: String,
}

/// The system that acts when nobody else is named: the command line itself.
const DEFAULT_ACTOR: &str = "system/d5a1f8b2-6c1e-4f58-9a55-0c3b6f0d7a11";

/// Why a command did not do what was asked.
#[derive(Debug)]
enum Failure {
    /// Refused, or found faulty: exit code 1.
    Refused(String),
    /// Wrong usage: exit code 2.
    Usage(String),
}

impl Failure {
    /// Refused, or found faulty.
    fn refused(error: impl std::fmt::Display) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<tonic::Status> for Failure {
    fn from(status: tonic::Status) -> Self {
        Self::Refused(output::status(&status))
    }
}

/// Runs the command line and gives the exit code.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are not errors; clap prints where each belongs.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    tracing_subscriber::fmt()
        .with_max_level(cli.common.log)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .init();
    let result = settings::File::read(cli.common.config.as_deref())
        .map_err(Failure::from)
        .and_then(|file| dispatch(cli.command, &file));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Refused(message)) => {
            output::complain(&message);
            ExitCode::from(1)
        }
        Err(Failure::Usage(message)) => {
            output::complain(&message);
            ExitCode::from(2)
        }
    }
}

fn dispatch(command: Command, file: &settings::File) -> Result<(), Failure> {
    match command {
        Command::Serve(serve) => serve.run(file),
        Command::Demo(demo) => demo.run(),
        Command::Import(import) => import.run(file),
        Command::Plan(plan) => plan.run(file),
        Command::Owner(owner) => owner.run(file),
        Command::Overview(overview) => overview.run(file),
        Command::Ledger(ledger) => ledger.run(file),
        Command::Audit(audit) => audit.run(file),
        Command::Witness(witness) => witness.run(),
    }
}

impl Place {
    fn dir(&self, file: &settings::File) -> PathBuf {
        self.dir
            .clone()
            .or_else(|| file.dir.clone())
            .unwrap_or_else(|| DEFAULT_DIR.into())
    }

    /// How to open the ledger.
    fn options(
        &self,
        file: &settings::File,
    ) -> Result<planledger_core::ledger::Options, SettingsError> {
        let dir = self.dir(file);
        let key_file = self
            .master_key_file
            .as_deref()
            .or(file.master_key_file.as_deref());
        let recipient = self
            .recovery_recipient
            .as_deref()
            .or(file.recovery_recipient.as_deref());
        Ok(planledger_core::ledger::Options {
            master: settings::master_key(self.master_key.as_deref(), key_file, &dir)?,
            recovery: settings::recovery_key(recipient)?,
            clock: std::sync::Arc::new(crate::system::SystemClock),
            entropy: std::sync::Arc::new(crate::system::SystemEntropy),
            progress: None,
            dir,
        })
    }
}

impl Remote {
    fn url(&self, file: &settings::File) -> String {
        let url = self.server.clone().or_else(|| file.server.clone());
        url.unwrap_or_else(|| DEFAULT_SERVER.to_owned())
    }
}

fn listen_address(
    given: Option<SocketAddr>,
    file: &settings::File,
) -> Result<SocketAddr, SettingsError> {
    let default = || {
        DEFAULT_LISTEN.parse().map_err(|_| SettingsError::Value {
            name: "listen",
            expected: "ADDRESS:PORT",
        })
    };
    given.or(file.listen).map_or_else(default, Ok)
}

/// The runtime that network commands run on.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Runtime::new()?.block_on(work)
}

impl From<crate::client::ConnectError> for Failure {
    fn from(error: crate::client::ConnectError) -> Self {
        match error {
            crate::client::ConnectError::Usage(_) => Self::Usage(error.to_string()),
            crate::client::ConnectError::Unreachable { .. } => Self::Refused(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_commands_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }
}
