//! Sends what a roster asks for, and shows how far it has come.

use std::sync::{Arc, Mutex, PoisonError};

use indicatif::ProgressBar;

use super::report::Report;
use super::told::failed_sending;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::client::Client;
use crate::import::{ImportFault, ImportedCommand, Roster};
use crate::upload::{Kind, Source, StatedFact, Told, Uploaded, is_after_notes, upload};
use crate::wire;
use crate::wire::proto::{Command, CommandError};

/// What is sent: the commands of a roster and, between its persons and what refers to them, the notes
/// of who is not in it. A thread of its own reads the commands, more than once.
#[derive(Clone)]
pub(super) struct Sending {
    roster: Arc<Mutex<Roster>>,
    pub(super) notes: Arc<Vec<(Command, Source)>>,
    /// Whether the ledger has nothing of the roster yet. Then nothing was compared, and there are no notes.
    pub(super) is_first: bool,
    /// Which commands the comparison found to change nothing, in their order; they are not sent.
    pub(super) settled: Arc<Vec<bool>>,
}

impl Sending {
    /// A roster alone.
    pub(super) fn new(roster: Roster) -> Self {
        Self {
            roster: Arc::new(Mutex::new(roster)),
            notes: Arc::default(),
            is_first: false,
            settled: Arc::default(),
        }
    }

    /// Reads the commands that may change something, on another thread. What the comparison found
    /// to change nothing is left out: after the commands before it, it still changes nothing.
    fn unsettled(
        &self,
    ) -> impl FnOnce(&mut dyn FnMut(Command, Source) -> bool) -> Result<(), ImportFault> + Send + 'static
    {
        let all = self.commands();
        let settled = Arc::clone(&self.settled);
        move |send| {
            let mut settled = settled.iter();
            all(&mut |command, source| {
                settled.next().is_some_and(|settled| *settled) || send(command, source)
            })
        }
    }

    /// Reads the commands, on another thread.
    pub(super) fn commands(
        &self,
    ) -> impl FnOnce(&mut dyn FnMut(Command, Source) -> bool) -> Result<(), ImportFault> + Send + 'static
    {
        let Self {
            roster,
            notes,
            is_first,
            ..
        } = self.clone();
        move |send| {
            let mut roster = roster.lock().unwrap_or_else(PoisonError::into_inner);
            if is_first {
                for imported in roster.commands_near() {
                    let (command, source) = shown(imported?);
                    if !send(command, source) {
                        break;
                    }
                }
                return Ok(());
            }
            let mut notes = notes.iter().cloned();
            for imported in roster.commands() {
                let (command, source) = shown(imported?);
                if is_after_notes(Kind::of(&command))
                    && !notes.by_ref().all(|(note, source)| send(note, source))
                {
                    return Ok(());
                }
                if !send(command, source) {
                    return Ok(());
                }
            }
            // An export without students and classes has nothing that comes after them.
            notes.all(|(note, source)| send(note, source));
            Ok(())
        }
    }
}

/// A command as it is sent, and where in the files it stands.
fn shown(imported: ImportedCommand) -> (Command, Source) {
    let source = format!("{}:{}", imported.file, imported.row);
    (wire::unless_unchanged(imported.command), source)
}

/// Sends a roster's commands to the server, and shows a progress bar.
pub(in crate::cli) async fn send_roster(
    client: &Client,
    roster: Roster,
) -> Result<Uploaded, CliError> {
    let number = roster.summary().commands;
    send(
        client,
        &Sending::new(roster),
        number,
        &mut Report::create(None)?,
    )
    .await
}

pub(super) async fn send(
    client: &Client,
    sending: &Sending,
    number: u64,
    report: &mut Report,
) -> Result<Uploaded, CliError> {
    let settled = sending.settled.iter().filter(|settled| **settled).count() as u64;
    if settled > 0 && settled == sending.settled.len() as u64 {
        // The files need not be read again.
        return Ok(Uploaded {
            unchanged: settled,
            ..Uploaded::default()
        });
    }
    let bar = output::progress(number.saturating_sub(settled), "importing");
    let told = Telling { bar: &bar, report };
    let uploaded = upload(client, sending.unsettled(), told).await;
    bar.finish_and_clear();
    let mut uploaded = uploaded.map_err(|error| failed_sending(&error))?;
    uploaded.unchanged += settled;
    Ok(uploaded)
}

struct Telling<'a> {
    bar: &'a ProgressBar,
    report: &'a mut Report,
}

impl Told for Telling<'_> {
    fn answered(&mut self, commands: u64) {
        self.bar.set_position(commands);
    }

    fn dropped(&mut self, link: &StatedFact) {
        self.report.dropped(link);
    }

    fn kept(&mut self, fact: &StatedFact) {
        self.report.kept(fact);
    }

    fn refused(&mut self, source: &Source, error: &CommandError) {
        self.report.refused_command(source, error);
    }
}
