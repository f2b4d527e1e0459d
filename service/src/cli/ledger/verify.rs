//! `ledger verify`: checks everything in the directory, offline.

use clap::Args;
use planledger_core::hex;
use planledger_core::verify::{self, Depth, Part, Verification};

use super::super::error::CliError;
use super::super::output;
use super::offline::Offline;
use super::rates::{Rate, Rates};
use super::{forks, json};
use crate::settings::File;

#[derive(Debug, Args)]
pub(in super::super) struct Verify {
    #[command(flatten)]
    offline: Offline,
    /// Check only that nothing was changed: do not open payloads, compare tiles or fold events
    /// again
    #[arg(long)]
    quick: bool,
}

impl Verify {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        let options = self.offline.options(file)?;
        let depth = match self.quick {
            true => Depth::Integrity,
            false => Depth::Full,
        };
        let rates = Rates::new();
        let found = verify::verify_dir(&options, depth, &|pass, done, all| {
            rates.tell(pass, done, all);
        })
        .map_err(CliError::refused)?;
        let passes = rates.finish();
        if self.offline.json {
            output::value(&report(&found, &passes));
        } else {
            show(&found, &passes);
        }
        forks::warn(&found.forks);
        let faults: Vec<_> = found.faults().collect();
        if faults.is_empty() {
            output::note("no fault was found in anything that was checked");
            return Ok(());
        }
        let faults = faults.iter().map(|(part, fault)| {
            let again = match part.is_derived() {
                true => " (derived state: nothing is lost)",
                false => "",
            };
            format!("{}: {fault}{again}", part.name())
        });
        Err(CliError::Refused(faults.collect::<Vec<_>>().join("\n")))
    }
}

fn report(found: &Verification, passes: &[Rate]) -> serde_json::Value {
    let part = |part: &Part| {
        let fault = part.fault.as_ref().map(|fault| {
            serde_json::json!({
                "position": fault.position.get(),
                "kind": fault.kind.code(),
                "what": fault.what,
            })
        });
        serde_json::json!({
            "part": part.name.name(),
            "checked": part.checked,
            "unit": part.name.unit(),
            "derived": part.name.is_derived(),
            "fault": fault,
            "note": part.note,
        })
    };
    let pass = |rate: &Rate| {
        serde_json::json!({
            "pass": rate.pass.name(),
            "events": rate.events,
            "seconds": rate.took.as_secs_f64(),
            "eventsPerSecond": rate.per_second(),
        })
    };
    serde_json::json!({
        "sound": found.is_sound(),
        "commits": found.commits.get(),
        "events": found.events.get(),
        "streams": found.streams,
        "redacted": found.redacted,
        "unfinishedBytes": found.unfinished,
        "root": hex::encode(&found.root),
        "key": found.key.as_ref().map(ToString::to_string),
        "forks": found.forks.forks.iter().map(json::json_fork).collect::<Vec<_>>(),
        "staleAnswers": found.forks.stale.iter().map(json::json_stale).collect::<Vec<_>>(),
        "parts": found.parts.iter().map(part).collect::<Vec<_>>(),
        "passes": passes.iter().map(pass).collect::<Vec<_>>(),
    })
}

fn show(found: &Verification, passes: &[Rate]) {
    output::line(format!(
        "{} events in {} commits and {} streams, root {}",
        found.events,
        found.commits,
        found.streams,
        hex::encode(&found.root)
    ));
    if let Some(key) = &found.key {
        output::line(format!("checkpoints are signed by {key}"));
    }
    if found.unfinished > 0 {
        output::line(format!(
            "the journal ends with {} bytes of an unfinished write, for which no receipt was given",
            found.unfinished
        ));
    }
    let heading = ["PART", "CHECKED", "", "RESULT", ""].map(str::to_owned);
    let rows = found.parts.iter().map(|part| {
        let result = match &part.fault {
            None => "sound".to_owned(),
            Some(fault) => format!("FAULTY: {fault}"),
        };
        vec![
            part.name.name().to_owned(),
            part.checked.to_string(),
            part.name.unit().to_owned(),
            result,
            part.note.clone().unwrap_or_default(),
        ]
    });
    output::table(&[vec![heading.to_vec()], rows.collect()].concat());
    forks::list(&found.forks);
    for rate in passes {
        output::note(format!(
            "{}: {} events in {:.1} s, {} a second",
            rate.pass.name(),
            rate.events,
            rate.took.as_secs_f64(),
            rate.per_second()
        ));
    }
}
