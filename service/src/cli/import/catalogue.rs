//! `planledger import catalogue`.

use std::path::{Path, PathBuf};

use clap::Args;
use planledger_core::text::{Code, Title};
use serde_json::{Value, json};

use super::done::{self, Before};
use super::edition::{self, Edition};
use super::foreseen::Seen;
use super::report::{self, Report};
use super::told::{count, failed_looking, failed_sending};
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::remote::Remote;
use crate::cli::rest::CatalogueService;
use crate::client::Client;
use crate::import::rest::Framework;
use crate::import::{Catalogue, CatalogueSummary, ImportFault, ImportFaults};
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
    /// Write every part of the package that is passed over to a CSV file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl CatalogueImport {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        if let Some(listed) = self.service.list() {
            show(&listed?, self.json);
            return Ok(());
        }
        let catalogue = self.open()?;
        let found = catalogue.summary();
        if !self.json {
            output::table(&rows(&found));
        }
        for note in catalogue.damage().notes() {
            output::note(note);
        }
        let passed = catalogue.passed_over();
        let mut report = Report::create(self.report.as_deref())?;
        report.tell(passed);
        report.finish()?;
        let client = self.remote.connect(file).await?;
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
            seen.show_with(self.json, || {
                [
                    ("edition", edition.json()),
                    ("passed_over", report::as_json(found.passed_over(), passed)),
                ]
            });
            return seen.verdict();
        }
        let uploaded = send_catalogue(&client, &catalogue).await?;
        let passed_over = report::as_json(found.passed_over(), passed);
        let before = Before::default().passing_over(passed_over);
        done::report(&uploaded, &before, "catalogue", self.json)
    }

    /// Opens the file, or fetches the package from the service that is named.
    fn open(&self) -> Result<Catalogue, CliError> {
        let path = self.path.as_deref().unwrap_or(Path::new(""));
        let refused = |faults: &ImportFaults| report::refuse(self.report.as_deref(), faults);
        let fetched = self.service.fetch(refused);
        fetched.unwrap_or_else(|| Catalogue::open(path).map_err(|faults| refused(&faults)))
    }
}

/// Shows the frameworks of a service.
fn show(frameworks: &[Framework], json: bool) {
    let text = |text: Option<&str>| text.unwrap_or("-").to_owned();
    if json {
        let frameworks = frameworks.iter().map(|framework| {
            json!({
                "framework": framework.id.to_string(),
                "title": framework.title.as_ref().map(Title::as_str),
                "publisher": framework.publisher.as_ref().map(Title::as_str),
                "version": framework.version.as_ref().map(Code::as_str),
            })
        });
        return output::value(&frameworks.collect::<Value>());
    }
    let head = ["framework", "title", "publisher", "version"].map(str::to_owned);
    let mut rows = vec![head.to_vec()];
    rows.extend(frameworks.iter().map(|framework| {
        vec![
            framework.id.to_string(),
            text(framework.title.as_ref().map(Title::as_str)),
            text(framework.publisher.as_ref().map(Title::as_str)),
            text(framework.version.as_ref().map(Code::as_str)),
        ]
    }));
    output::table(&rows);
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
