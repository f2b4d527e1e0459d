//! `ledger doctor`: says what is wrong with a directory and what to do next, offline.

use clap::Args;
use planledger_core::doctor::{self, Done, Examination, Finding, Lost, Place, RepairError, Weight};
use serde_json::json;

use super::super::error::CliError;
use super::super::output;
use super::super::place::LedgerPlace;
use super::rates::Rates;
use super::salvage::Salvage;
use crate::settings::File;

#[derive(Debug, Args)]
pub(in super::super) struct Doctor {
    #[command(flatten)]
    place: LedgerPlace,
    /// Remove what is derived and faulty, so that the next start makes it again. Nothing is removed
    /// while anything else is wrong
    #[arg(long)]
    repair: bool,
    #[command(flatten)]
    salvage: Salvage,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        if let Some(new) = &self.salvage.salvage {
            return self.salvage.run(&self.place, file, new, self.json);
        }
        let dir = self.place.dir(file);
        // Without a ledger there is no master key to look for.
        let options = match dir.join("journal").is_dir() {
            true => self.place.options(file).map_err(|error| error.to_string()),
            false => Err("there is no ledger".to_owned()),
        };
        let place = Place {
            dir: &dir,
            options: options.as_ref().map_err(Clone::clone),
        };
        let rates = Rates::new();
        let watch = |pass, done, all| rates.tell(pass, done, all);
        let (found, done) = match self.repair {
            true => doctor::repair(&place, &watch),
            false => (doctor::examine(&place, &watch), Ok(Vec::new())),
        };
        rates.finish();
        match self.json {
            true => output::value(&report(&found, done.as_deref().unwrap_or_default())),
            false => show(&found, done.as_deref().unwrap_or_default()),
        }
        self.end(&found, done)
    }

    fn end(
        &self,
        found: &Examination,
        done: Result<Vec<Done>, RepairError>,
    ) -> Result<(), CliError> {
        let done = done.map_err(CliError::refused)?;
        if found.is_sound() {
            output::note("nothing is wrong with anything that was looked at");
            return Ok(());
        }
        let outside = found.findings.iter();
        let outside = outside.filter(|finding| finding.weight() > Weight::Derived);
        if self.repair && outside.count() == 0 {
            let count = done.len();
            output::note(format!("repaired: {count} files or folders were removed"));
            return Ok(());
        }
        let wrong = found.findings.iter();
        let wrong = wrong.filter(|finding| finding.weight() > Weight::Note);
        let count = wrong.count();
        Err(CliError::Refused(format!(
            "{count} findings have to be put right; the first one first"
        )))
    }
}

fn report(found: &Examination, done: &[Done]) -> serde_json::Value {
    let finding = |finding: &Finding| {
        let (lost, first, last) = match finding.lost() {
            Lost::Nothing => ("nothing", None, None),
            Lost::Events(first, last) => ("events", Some(first), Some(last)),
            Lost::From(first) => ("eventsFrom", Some(first), None),
            Lost::Texts => ("nothingCanBeRead", None, None),
            Lost::Evidence => ("evidence", None, None),
            Lost::Reads => ("recordsOfReads", None, None),
            Lost::Unknown => ("unknown", None, None),
        };
        let advice = finding.advice();
        json!({
            "code": finding.code(),
            "weight": weight(finding.weight()),
            "what": finding.to_string(),
            "lost": lost,
            "firstLost": first.map(|position| position.get()),
            "lastLost": last.map(|position| position.get()),
            "next": advice.next,
            "section": advice.section.heading(),
        })
    };
    let removed = |done: &Done| json!({"path": done.removed, "then": done.then});
    json!({
        "sound": found.is_sound(),
        "events": found.events,
        "lastPosition": found.last.get(),
        "segments": found.segments,
        "findings": found.findings.iter().map(finding).collect::<Vec<_>>(),
        "removed": done.iter().map(removed).collect::<Vec<_>>(),
    })
}

fn weight(weight: Weight) -> &'static str {
    match weight {
        Weight::Note => "note",
        Weight::Derived => "derived",
        Weight::Outside => "outside",
        Weight::Truth => "truth",
    }
}

/// What is lost, in words.
fn lost(lost: Lost) -> String {
    match lost {
        Lost::Nothing => "nothing".to_owned(),
        Lost::Events(first, last) => {
            format!("the events at positions {first} to {last}, if no backup has them")
        }
        Lost::From(first) => {
            format!("the events from position {first} on that no backup has")
        }
        Lost::Texts => "no event; but none can be read as long as this is so".to_owned(),
        Lost::Evidence => "evidence, if no backup has it; no event".to_owned(),
        Lost::Reads => "records of who has read, if no backup has them; no event".to_owned(),
        Lost::Unknown => "nobody can say as long as this is so".to_owned(),
    }
}

fn show(found: &Examination, done: &[Done]) {
    output::line(format!(
        "{} events can be read, up to position {}, in {} segments",
        found.events, found.last, found.segments
    ));
    for finding in &found.findings {
        let advice = finding.advice();
        output::line(format!("{}: {finding}", finding.code()));
        output::line(format!("  lost: {}", lost(finding.lost())));
        output::line(format!(
            "  next: {} (service/OPERATING.md, \"{}\")",
            advice.next,
            advice.section.heading()
        ));
    }
    for done in done {
        output::line(format!("removed {}: {}", done.removed.display(), done.then));
    }
}
