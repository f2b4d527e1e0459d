//! `planledger import`: imports rosters and catalogues.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::error::{CliError, words};
use super::output;
use super::remote::{Remote, block_on};
use crate::client::Client;
use crate::import::{Catalogue, Roster};
use crate::settings::File;
use crate::system::today;
use crate::upload::{Source, UploadError, Uploaded, upload};
use crate::wire;
use crate::wire::proto::{RosterFact, RosterFactKind};

/// Import data from other systems
#[derive(Debug, Subcommand)]
pub(super) enum Import {
    /// Import people and groups: a OneRoster 1.1 CSV bulk export, as a folder or a zip file
    Roster(From),
    /// Import goals to choose from: a 1EdTech CASE 1.0 or 1.1 CFPackage, as a JSON file
    Catalogue(From),
}

#[derive(Debug, Args)]
pub(super) struct From {
    /// The folder or file to import
    path: PathBuf,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        match self {
            Self::Roster(from) => block_on(from.roster(file)),
            Self::Catalogue(from) => block_on(from.catalogue(file)),
        }
    }
}

impl From {
    async fn roster(self, file: &File) -> Result<(), CliError> {
        // The files are checked first. The user learns about wrong files without a server, and
        // before anything is sent.
        let roster = Roster::open(&self.path, today()).map_err(CliError::refused)?;
        let found = roster.summary();
        if !self.json {
            output::table(&[
                count("school years", found.school_years),
                count("institutions", found.institutions),
                count("persons", found.persons()),
                count("guardianships", found.guardianships),
                count(
                    "agents who guard nobody, passed over",
                    found.agents_passed_over,
                ),
                count("teams", found.teams),
                count("memberships", found.memberships),
                count("staff", found.staff),
            ]);
        }
        let client = Client::connect(&self.remote.url(file), &self.remote.actor).await?;
        let uploaded = send_roster(&client, roster).await?;
        report(&uploaded, "roster", self.json)
    }

    async fn catalogue(self, file: &File) -> Result<(), CliError> {
        let catalogue = Catalogue::open(&self.path).map_err(CliError::refused)?;
        let found = catalogue.summary();
        if !self.json {
            let mut rows = vec![count("items", found.items), count("roots", found.roots)];
            if found.foreign_parents > 0 {
                rows.push(count(
                    "parents elsewhere, passed over",
                    found.foreign_parents,
                ));
            }
            rows.extend(
                found
                    .kinds
                    .iter()
                    .map(|(kind, number)| count(kind.as_str(), *number)),
            );
            output::table(&rows);
        }
        let client = Client::connect(&self.remote.url(file), &self.remote.actor).await?;
        let uploaded = send_catalogue(&client, &catalogue).await?;
        report(&uploaded, "catalogue", self.json)
    }
}

/// Sends a roster's commands to the server, and shows a progress bar.
pub(super) async fn send_roster(client: &Client, mut roster: Roster) -> Result<Uploaded, CliError> {
    let bar = output::progress(roster.summary().commands, "importing");
    let commands = move |send: &mut dyn FnMut(_, Source) -> bool| {
        for imported in roster.commands() {
            let imported = imported?;
            let command = wire::unless_unchanged(imported.command);
            let source = format!("{}:{}", imported.file, imported.row);
            if !send(command, source) {
                break;
            }
        }
        Ok(())
    };
    let uploaded = upload(client, commands, |done| bar.set_position(done)).await;
    bar.finish_and_clear();
    uploaded.map_err(failure)
}

/// Sends a catalogue to the server.
pub(super) async fn send_catalogue(
    client: &Client,
    catalogue: &Catalogue,
) -> Result<Uploaded, CliError> {
    let command = wire::unless_unchanged(catalogue.command());
    let commands = move |send: &mut dyn FnMut(_, Source) -> bool| {
        send(command, "catalogue".to_owned());
        Ok(())
    };
    upload(client, commands, |_| {}).await.map_err(failure)
}

fn failure(error: UploadError) -> CliError {
    let what = match &error {
        UploadError::Call(status) => words(status),
        UploadError::Fault(_) | UploadError::CutShort(_) => error.to_string(),
    };
    CliError::Refused(format!(
        "{what}\nwhat was recorded before stays; import the same files again to go on"
    ))
}

/// Prints the result of an import. The import fails if the server refused any command.
fn report(uploaded: &Uploaded, what: &str, json: bool) -> Result<(), CliError> {
    if json {
        output::line(serde_json::json!({
            "commands": uploaded.answered(),
            "recorded": uploaded.recorded,
            "unchanged": uploaded.unchanged,
            "refused": uploaded.refused,
            "kept": uploaded.kept,
            "events": uploaded.events,
            "position": uploaded.position,
        }));
    } else if uploaded.recorded == 0 && uploaded.refused == 0 {
        output::line(format!(
            "nothing changed: the ledger holds this {what} already, at position {}",
            uploaded.position
        ));
    } else {
        output::line(format!(
            "{} of {} changed something: {} events, up to position {}",
            uploaded.recorded,
            uploaded.answered(),
            uploaded.events,
            uploaded.position
        ));
    }
    if uploaded.kept > 0 {
        output::note(format!(
            "{} things stay as a person decided them, although the {what} says otherwise:",
            uploaded.kept
        ));
        for kept in &uploaded.kept_facts {
            let (source, stream) = (&kept.source, &kept.stream);
            output::note(format!("  {source}: {stream}: {}", stays(&kept.fact)));
        }
        let more = uploaded.kept - uploaded.kept_facts.len() as u64;
        if more > 0 {
            output::note(format!("  and {more} more"));
        }
    }
    for (source, error) in &uploaded.refusals {
        output::note(format!("{source}: {}: {}", error.reason, error.message));
        for violation in &error.field_violations {
            output::note(format!("  {}: {}", violation.field, violation.description));
        }
    }
    match uploaded.refused {
        0 => Ok(()),
        refused => Err(CliError::Refused(format!(
            "{refused} commands were refused"
        ))),
    }
}

/// What stays as a person decided it.
fn stays(fact: &RosterFact) -> String {
    let person = fact.person_id.as_deref().unwrap_or_default();
    match fact.kind() {
        RosterFactKind::Affiliation => {
            let institution = fact.institution_id.as_deref().unwrap_or_default();
            format!("the role at institution {institution}")
        }
        RosterFactKind::Guardian => format!("whether person {person} is a guardian"),
        RosterFactKind::Departure => "whether the person has left".to_owned(),
        RosterFactKind::Member => format!("whether student {person} is a member"),
        RosterFactKind::Staff => format!("whether person {person} is on the staff"),
        RosterFactKind::Closed => "whether the team is closed".to_owned(),
        RosterFactKind::Unspecified => "something that this version does not know".to_owned(),
    }
}

fn count(name: &str, number: u64) -> Vec<String> {
    vec![name.to_owned(), number.to_string()]
}
