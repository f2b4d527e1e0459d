//! The command line: one file or folder for each noun. Data goes to standard output, everything
//! else to standard error. Exit codes: 0 for done, 1 for a refusal or a fault that was found, 2 for
//! wrong usage.

mod access;
mod audit;
mod backup;
mod catalogue;
mod consent;
mod cosigner;
mod demo;
mod erasure;
mod error;
mod id;
mod import;
mod keys;
mod ledger;
mod moment;
mod monitor;
mod names;
mod output;
mod overview;
mod owner;
mod person;
mod place;
mod plan;
mod process;
mod remote;
mod rest;
mod restore;
mod serve;
mod sheet;
mod shown;
mod survey;
mod timeline;
mod watching;
mod witness;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use self::error::CliError;
use crate::settings::log::LogFormat;
use crate::settings::{self, SettingsError};

/// Student plans that outlive their owners: an append-only ledger with a gRPC API.
#[derive(Debug, Parser)]
#[command(name = "planledger", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

/// Settings that every command takes. A flag has priority over the environment, and the environment
/// over the settings file.
#[derive(Debug, Clone, Args)]
struct Common {
    /// Settings file (TOML)
    #[arg(long, global = true, env = "PLANLEDGER_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// How much to log on standard error: error, warn, info, debug [default: info]
    #[arg(long, global = true, env = "PLANLEDGER_LOG", value_name = "LEVEL")]
    log: Option<tracing::Level>,
    /// How to write lines of the log [default: text]
    #[arg(
        long,
        global = true,
        env = "PLANLEDGER_LOG_FORMAT",
        value_name = "FORMAT"
    )]
    log_format: Option<LogFormat>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::Serve),
    /// Show, on a new ledger, that plans survive when their owner leaves
    Demo(demo::Demo),
    /// Import data from other systems
    #[command(subcommand)]
    Import(import::Import),
    /// Look at catalogues of goals
    #[command(subcommand)]
    Catalogue(catalogue::Catalogue),
    /// Find people
    #[command(subcommand)]
    Person(person::Person),
    /// Look at students' plans
    #[command(subcommand)]
    Plan(plan::Plan),
    /// See who owns what, and hand it over when an owner leaves
    #[command(subcommand)]
    Owner(Box<owner::Owner>),
    /// Show leaders how far the plans have come
    Overview(Box<overview::Overview>),
    /// Follow up the national wellbeing survey: record, list and count discussions of its results
    #[command(subcommand)]
    Survey(Box<survey::Survey>),
    /// See and change who may do what
    #[command(subcommand)]
    Access(Box<access::Access>),
    /// Redact the text of an event or erase a person, which takes two people
    #[command(subcommand)]
    Erasure(Box<erasure::Erasure>),
    /// Check and maintain the ledger itself
    #[command(subcommand)]
    Ledger(ledger::Ledger),
    /// See and change who can open the ledger's keys, offline
    #[command(subcommand)]
    Keys(Box<keys::Keys>),
    /// Back a ledger up, look at backups and check them
    #[command(subcommand)]
    Backup(Box<backup::Backup>),
    /// Put a ledger back from a backup, into a new directory
    Restore(Box<restore::Restore>),
    /// Export evidence and check it
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Watch logs: cosign their checkpoints as long as they only grow
    Witness(witness::Witness),
    /// Follow a log: compute again what its checkpoints stand for, and cosign those that are right
    Monitor(monitor::Monitor),
}

/// The definition of the command line. Tests compare it with the documentation pages.
pub fn definition() -> clap::Command {
    Cli::command()
}

/// Runs the command line and returns the exit code.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are not errors. clap prints them on standard output, and errors on
            // standard error.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let result = settings::File::read(cli.common.config.as_deref())
        .and_then(|file| log(&cli.common, &file).map(|()| file))
        .map_err(CliError::from)
        .and_then(|file| {
            // Most commands at the directory hold the master key, others hold secrets or texts.
            process::without_core_dumps();
            dispatch(cli.command, &file)
        });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(CliError::Refused(message)) => {
            output::complain(&message);
            ExitCode::from(1)
        }
        Err(CliError::Usage(message)) => {
            output::complain(&message);
            ExitCode::from(2)
        }
    }
}

/// Begins to log on standard error.
fn log(common: &Common, file: &settings::File) -> Result<(), SettingsError> {
    let level = settings::log::level(common.log, file)?;
    let format = common.log_format.or(file.log_format).unwrap_or_default();
    output::write_notes_as(format);
    let log = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .init(),
        LogFormat::Json => log
            .json()
            .with_current_span(true)
            .with_span_list(false)
            .init(),
    }
    Ok(())
}

fn dispatch(command: Command, file: &settings::File) -> Result<(), CliError> {
    match command {
        Command::Serve(serve) => serve.run(file),
        Command::Demo(demo) => demo.run(),
        Command::Import(import) => import.run(file),
        Command::Catalogue(catalogue) => catalogue.run(file),
        Command::Person(person) => person.run(file),
        Command::Plan(plan) => plan.run(file),
        Command::Owner(owner) => owner.run(file),
        Command::Overview(overview) => overview.run(file),
        Command::Survey(survey) => survey.run(file),
        Command::Access(access) => access.run(file),
        Command::Erasure(erasure) => erasure.run(file),
        Command::Ledger(ledger) => ledger.run(file),
        Command::Keys(keys) => keys.run(file),
        Command::Backup(backup) => backup.run(file),
        Command::Restore(restore) => restore.run(file),
        Command::Audit(audit) => audit.run(file),
        Command::Witness(witness) => witness.run(),
        Command::Monitor(monitor) => monitor.run(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_do_not_contradict_each_other() {
        definition().debug_assert();
    }
}
