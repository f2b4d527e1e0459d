//! A ledger in a directory, opened as the server opens it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;

use planledger::settings::SettingsError;
use planledger::settings::master::kept_beside;
use planledger::system::{SystemClock, SystemEntropy};
use planledger_core::domain::{Actor, Command};
use planledger_core::ledger::{
    Envelope, ExecuteError, Ledger, OpenError, Options, Receipt, Request,
};
use planledger_core::text::TextError;

use crate::school::School;

/// Commands of one request when many are carried out.
pub const BATCH: usize = 1_000;
/// Requests that are on their way at once. They take memory in the process that is measured.
const AHEAD: usize = 8;

/// Why a ledger cannot be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// Its master key cannot be had.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// It does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It refused a command.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// A text that the school is made of is refused.
    #[error(transparent)]
    Text(#[from] TextError),
}

/// How to open the ledger in a directory; its master key is made with it.
///
/// # Errors
/// When the master key is missing although the ledger is there, or cannot be stored.
pub fn options(dir: &Path) -> Result<Options, SettingsError> {
    Ok(Options {
        dir: dir.to_owned(),
        master: kept_beside(dir)?,
        rescue: None,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        progress: None,
        undone: planledger_core::ledger::Undone::Refuse,
    })
}

/// Opens the ledger in a directory, or makes one.
///
/// # Errors
/// [`PlaceError`]
pub fn open(dir: impl Into<PathBuf>) -> Result<Ledger, PlaceError> {
    Ok(Ledger::open(options(&dir.into())?)?)
}

/// Carries out commands in batches, several on their way at once, and waits until all are durable.
/// `first` is the number of the first command's id.
///
/// # Errors
/// The first refusal, if there is one.
pub fn carry_out(
    ledger: &Ledger,
    school: &School,
    first: u64,
    commands: impl IntoIterator<Item = Result<Command, TextError>>,
) -> Result<(), PlaceError> {
    let (done, answers) = mpsc::channel::<Outcome>();
    let answer = || match answers.recv() {
        Ok(result) => result.map(drop),
        Err(_) => Err(ExecuteError::Closed),
    };
    let mut commands = commands.into_iter();
    let mut number = first;
    let mut waiting = 0;
    loop {
        let mut envelopes = Vec::with_capacity(BATCH);
        for command in commands.by_ref().take(BATCH) {
            envelopes.push(school.envelope(number, command?));
            number += 1;
        }
        if envelopes.is_empty() {
            break;
        }
        if waiting == AHEAD {
            answer()?;
            waiting -= 1;
        }
        hand_in(ledger, school.actor(), envelopes, done.clone())?;
        waiting += 1;
    }
    for _ in 0..waiting {
        answer()?;
    }
    Ok(())
}

type Outcome = Result<Vec<Receipt>, ExecuteError>;

fn hand_in(
    ledger: &Ledger,
    actor: Actor,
    envelopes: Vec<Envelope>,
    done: mpsc::Sender<Outcome>,
) -> Result<(), ExecuteError> {
    ledger.submit(Request::new(actor, envelopes, move |result| {
        // Fails only when an earlier refusal has ended the wait.
        let _ = done.send(result);
    }))
}
