//! `access subject`: everything that is held on a person, in one copy: as JSON and as a page to read. It is
//! read over the API as whoever asks, so that grants and gates hold. What is not in the copy is named.

mod copy;
mod danish;
mod files;
mod forms;
mod gather;
mod html;
mod lists;
mod page;
mod plans;
mod protect;
mod stopped;

use std::path::PathBuf;

use clap::Args;
use planledger_core::ids::PersonId;

use self::copy::For;
use self::files::Files;
use self::gather::Gather;
use super::super::error::CliError;
use super::super::id::id;
use super::super::output;
use super::super::remote::Remote;
use crate::settings::File;

#[derive(Debug, Args)]
pub(in crate::cli) struct Subject {
    /// The person whom the copy is about
    #[arg(long, value_name = "UUID", value_parser = id::<PersonId>())]
    person: PersonId,
    /// The folder for subject-access.json and subject-access.html; it may not hold them yet
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// For whom the copy is: the person, a guardian of the person, or the records officers
    #[arg(long = "for", value_enum, default_value_t = For::Itself)]
    whose: For,
    /// Also read the whole ledger for what the person did, owned and is named in; the access log says of
    /// every plan that its events were read
    #[arg(long)]
    whole_ledger: bool,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Subject {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let files = Files::new(&self.out)?;
        let client = self.remote.connect(file).await?;
        let gather = Gather::new(client, &self.person.to_string(), self.whose)?;
        let copy = gather.all(self.whole_ledger).await?;
        let json = copy.json();
        let page = page::page(&json);
        let (json_at, page_at) = files.write(&json, &page)?;
        for left_out in copy.left_out() {
            output::note(format!("left out: {left_out}"));
        }
        let shown = |path: PathBuf| path.display().to_string();
        if self.json {
            output::value(&serde_json::json!({
                "json": shown(json_at),
                "html": shown(page_at),
                "position": copy.position().to_string(),
                "leftOut": json.get("leftOut"),
            }));
            return Ok(());
        }
        output::line(shown(json_at));
        output::line(shown(page_at));
        Ok(())
    }
}
