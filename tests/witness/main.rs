//! The outside witness: puts a server under load, keeps every command and every receipt in a file
//! that is none of the server's, and later holds the server to what it promised.
//!
//! `load` works until the server is gone or the time is over. `check` sends every old command again,
//! reads every event, and compares lists, plans, histories and overviews with what follows from
//! the receipts. It prints JSON, and ends with 1 if anything differs.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line")]

mod answers;
mod check;
mod clients;
#[path = "../dice.rs"]
mod dice;
mod events;
mod expect;
mod findings;
mod kept;
mod load;
mod send;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// Keeps what a server promised, and holds it to that
#[derive(Debug, Parser)]
#[command(name = "outside-witness", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Put a server under load and keep its receipts
    Load(load::Load),
    /// Compare a server with every receipt that was kept
    Check(check::Check),
}

/// The server, and the file outside of it.
#[derive(Debug, Clone, Args)]
struct Place {
    /// The server's URL; in development mode
    #[arg(long)]
    server: String,
    /// File of commands and receipts
    #[arg(long)]
    kept: PathBuf,
    /// What everything follows from; the same for all runs with one file
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds to go on asking a server that says "later"
    #[arg(long, default_value_t = 60)]
    patience: u64,
}

/// Why a run was given up.
#[derive(Debug, thiserror::Error)]
enum Fault {
    /// The file of receipts cannot be read or written.
    #[error("the file of receipts: {0}")]
    Kept(#[from] std::io::Error),
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] planledger::client::ConnectError),
    /// The server does not answer, or not any more.
    #[error("the server is gone: {0}")]
    Gone(String),
    /// A text is refused.
    #[error(transparent)]
    Text(#[from] planledger_core::text::TextError),
    /// What was found cannot be printed.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Something that the witness did is wrong itself.
    #[error("the witness is at fault: {0}")]
    Own(String),
}

/// What a run came to.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    Bad,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let run = async {
        match &cli.command {
            Command::Load(load) => load.run().await,
            Command::Check(check) => check.run().await,
        }
    };
    let ran = tokio::runtime::Runtime::new()
        .map_err(Fault::from)
        .and_then(|runtime| runtime.block_on(run));
    match ran {
        Ok(Verdict::Good) => ExitCode::SUCCESS,
        Ok(Verdict::Bad) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("error: {fault}");
            ExitCode::from(3)
        }
    }
}
