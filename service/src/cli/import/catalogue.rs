//! `planledger import catalogue`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::done::{self, Before};
use super::edition::{self, Edition};
use super::foreseen::Seen;
use super::told::{count, failed_looking, failed_sending};
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::remote::Remote;
use crate::cli::rest::CatalogueService;
use crate::client::Client;
use crate::import::{Catalogue, CatalogueSummary, ImportFault};
use crate::settings::File;
use crate::upload::{Foresight, Source, Uploaded, preview, upload};
use crate::wire;
use crate::wire::proto::Command;

#[derive(Debug, Args)]
pub(in crate::cli) struct CatalogueImport {
    /// The file to import
    #[arg(required_unless_present = "rest")]
    path: Option<PathBuf>,
    #[command(flatten)]
    service: CatalogueService,
    #[command(flatten)]
    remote: Remote,
    /// Only say what the import would do; nothing is written
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl CatalogueImport {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let path = self.path.as_deref().unwrap_or(Path::new(""));
        let fetched = self.service.fetch();
        let catalogue =
            fetched.unwrap_or_else(|| Catalogue::open(path).map_err(CliError::refused))?;
        let found = catalogue.summary();
        if !self.json {
            output::table(&rows(&found));
        }
        let client = Client::connect(&self.remote.url(file), &self.remote.actor).await?;
        let present = edition::present(&client, &catalogue).await?;
        let edition = Edition::compare(&client, &catalogue, present.as_ref()).await?;
        if !self.json {
            edition.print();
        }
        if self.dry_run {
            let seen = Seen {
                foresight: look(&client, &catalogue).await?,
                missing: None,
                passed_over: found.passed_over(),
                halts: Vec::new(),
            };
            seen.show_with(self.json, "edition", || edition.json());
            return seen.verdict();
        }
        let uploaded = send_catalogue(&client, &catalogue).await?;
        done::report(&uploaded, &Before::default(), "catalogue", self.json)
    }
}

/// What a catalogue holds, and what of its file is passed over.
fn rows(found: &CatalogueSummary) -> Vec<Vec<String>> {
    let mut rows = vec![count("items", found.items), count("roots", found.roots)];
    let passed_over = [
        ("parents elsewhere, passed over", found.foreign_parents),
        (
            "parts of rubrics, passed over",
            found.rubric_parts_passed_over,
        ),
        (
            "items with a licence of their own",
            found.items_with_licence,
        ),
    ];
    let passed_over = passed_over.into_iter().filter(|(_, number)| *number > 0);
    rows.extend(passed_over.map(|(name, number)| count(name, number)));
    let kinds = found.kinds.iter();
    rows.extend(kinds.map(|(kind, number)| count(kind.as_str(), *number)));
    if let Some(licence) = &found.licence {
        let uri = licence.uri.as_ref().filter(|uri| **uri != licence.title);
        let uri = uri.map(|uri| format!(" ({uri})")).unwrap_or_default();
        let title = &licence.title;
        rows.push(vec!["licence".to_owned(), format!("{title}{uri}")]);
    }
    if let Some(holder) = &found.rights_holder {
        rows.push(vec!["rights holder".to_owned(), holder.to_string()]);
    }
    rows
}

/// What the import would do.
async fn look(client: &Client, catalogue: &Catalogue) -> Result<Foresight, CliError> {
    let mut foresight = Foresight::default();
    let commands = commands(client, catalogue).await?;
    let looked = preview(client, commands, |looked| foresight.add(looked)).await;
    looked.map_err(|error| failed_looking(&error))?;
    Ok(foresight)
}

/// Sends a catalogue to the server.
pub(in crate::cli) async fn send_catalogue(
    client: &Client,
    catalogue: &Catalogue,
) -> Result<Uploaded, CliError> {
    let uploaded = upload(client, commands(client, catalogue).await?, |_| {}).await;
    uploaded.map_err(|error| failed_sending(&error))
}

/// The commands of a catalogue: one, or several if it is large. Of a large one only what the server
/// does not have yet is sent.
async fn commands(
    client: &Client,
    catalogue: &Catalogue,
) -> Result<
    impl FnOnce(&mut dyn FnMut(Command, Source) -> bool) -> Result<(), ImportFault> + Send + 'static,
    CliError,
> {
    let commands = match catalogue.is_large() {
        true => catalogue.parts(edition::present(client, catalogue).await?.as_ref()),
        false => vec![catalogue.command()],
    };
    Ok(move |send: &mut dyn FnMut(Command, Source) -> bool| {
        for command in commands {
            if !send(wire::unless_unchanged(command), "catalogue".to_owned()) {
                break;
            }
        }
        Ok(())
    })
}
