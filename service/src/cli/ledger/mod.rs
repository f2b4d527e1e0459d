//! `planledger ledger`: the ledger itself.

mod forks;
mod json;
mod settle;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use indicatif::ProgressBar;
use planledger_core::ledger::{self, Depth, Part, Pass, Verification};
use planledger_proto::v1::{Deriving, GetStatusRequest};

use super::{Failure, Place, Remote, block_on, output};
use crate::client::Client;
use crate::settings::File;

/// Look after the ledger itself
#[derive(Debug, Subcommand)]
pub(super) enum Ledger {
    /// Show what a running server's ledger is and how far it has come
    Status(Status),
    /// Check everything in the directory, from the journal's first byte to its last, offline
    Verify(Verify),
    /// Throw derived state away and make it again from the journal, offline
    Rebuild(Offline),
    /// Describe where an earlier version forked streams, and commands carried out twice, offline
    Forks(Offline),
    /// Record that forks were looked at and stand as they are, offline
    Settle(Box<settle::Settle>),
}

#[derive(Debug, Args)]
pub(super) struct Status {
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    #[command(flatten)]
    offline: Offline,
    /// Only that nothing was changed: do not open payloads, compare tiles or fold events again
    #[arg(long)]
    quick: bool,
}

#[derive(Debug, Args)]
pub(super) struct Offline {
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Ledger {
    pub(super) fn run(self, file: &File) -> Result<(), Failure> {
        match self {
            Self::Status(status) => block_on(status.run(file)),
            Self::Verify(verify) => verify.run(file),
            Self::Rebuild(offline) => offline.rebuild(file),
            Self::Forks(offline) => forks::run(&offline, file),
            Self::Settle(settle) => settle.run(file),
        }
    }
}

impl Status {
    async fn run(self, file: &File) -> Result<(), Failure> {
        let client = Client::connect(&self.remote.url(file), &self.remote.actor).await?;
        let status = client
            .ledger()
            .get_status(GetStatusRequest::default())
            .await?
            .into_inner();
        if self.json {
            return output::json(&status);
        }
        let last = output::instant(status.last_recorded_at.as_ref());
        let rows = [
            ("ledger", status.ledger_id),
            ("events", status.position.to_string()),
            ("commits", status.commit_count.to_string()),
            ("last recorded", last),
            ("started", output::instant(status.started_at.as_ref())),
            ("version", status.version),
            (
                "takes commands",
                if status.writable { "yes" } else { "no" }.to_owned(),
            ),
            (
                "derived state",
                derived(status.derived_rebuilds, status.deriving),
            ),
            ("forked streams", forked(status.forks)),
        ];
        let rows = rows.map(|(name, value)| vec![name.to_owned(), value]);
        output::table(&rows);
        Ok(())
    }
}

/// What derived state went through since the server started.
fn derived(rebuilds: u64, deriving: Option<Deriving>) -> String {
    let times = match rebuilds {
        0 => return "sound".to_owned(),
        1 => "once".to_owned(),
        times => format!("{times} times"),
    };
    match deriving {
        Some(Deriving { done, all }) => {
            format!("being made again from the journal: {done} of {all} events")
        }
        None => format!("was found faulty and made again {times} since the server started"),
    }
}

fn forked(forks: u64) -> String {
    match forks {
        0 => "none".to_owned(),
        _ => format!("{forks} not settled: see planledger ledger forks"),
    }
}

impl Verify {
    fn run(self, file: &File) -> Result<(), Failure> {
        let options = self.offline.options(file)?;
        let depth = match self.quick {
            true => Depth::Integrity,
            false => Depth::Full,
        };
        let rates = Rates::new();
        let found = ledger::verify_dir(&options, depth, &|pass, done, all| {
            rates.tell(pass, done, all);
        })
        .map_err(Failure::refused)?;
        let passes = rates.finish();
        if self.offline.json {
            output::line(json(&found, &passes));
        } else {
            show(&found, &passes);
        }
        forks::warn(&found.forks);
        let faults: Vec<_> = found.faults().collect();
        if faults.is_empty() {
            output::note("everything that was checked is sound");
            return Ok(());
        }
        let faults = faults.iter().map(|(part, fault)| {
            let again = match part.is_derived() {
                true => " (derived: nothing is lost)",
                false => "",
            };
            format!("{}: {fault}{again}", part.name())
        });
        Err(Failure::Refused(faults.collect::<Vec<_>>().join("\n")))
    }
}

fn json(found: &Verification, passes: &[Rate]) -> serde_json::Value {
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
        "root": hex(&found.root),
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
        hex(&found.root)
    ));
    if let Some(key) = &found.key {
        output::line(format!("checkpoints are signed by {key}"));
    }
    if found.unfinished > 0 {
        output::line(format!(
            "{} bytes at the end are of a write that was never receipted",
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

/// How fast a pass over the journal was.
struct Rate {
    pass: Pass,
    events: u64,
    took: Duration,
}

impl Rate {
    fn per_second(&self) -> u64 {
        (self.events as f64 / self.took.as_secs_f64().max(1e-9)) as u64
    }
}

/// Shows how each pass gets on, and remembers how fast it was.
struct Rates(Mutex<Running>);

struct Running {
    bar: Option<ProgressBar>,
    begun: Instant,
    passes: Vec<Rate>,
}

impl Rates {
    fn new() -> Self {
        Self(Mutex::new(Running {
            bar: None,
            begun: Instant::now(),
            passes: Vec::new(),
        }))
    }

    fn tell(&self, pass: Pass, done: u64, all: u64) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if running.passes.last().is_none_or(|last| last.pass != pass) {
            let before = running.passes.last().map(|last| last.took);
            running.begun += before.unwrap_or_default();
            running.bar = Some(output::progress(all, pass.name()));
            running.passes.push(Rate {
                pass,
                events: 0,
                took: Duration::ZERO,
            });
        }
        if let Some(bar) = &running.bar {
            bar.set_position(done);
            if done == all {
                bar.finish_and_clear();
            }
        }
        let took = running.begun.elapsed();
        if let Some(last) = running.passes.last_mut() {
            (last.events, last.took) = (done, took);
        }
    }

    fn finish(self) -> Vec<Rate> {
        let running = self.0.into_inner();
        running.unwrap_or_else(PoisonError::into_inner).passes
    }
}

impl Offline {
    fn options(&self, file: &File) -> Result<ledger::Options, Failure> {
        let dir = self.place.dir(file);
        if !dir.join("journal").is_dir() {
            return Err(Failure::Refused(format!(
                "{} holds no ledger",
                dir.display()
            )));
        }
        Ok(self.place.options(file)?)
    }

    fn rebuild(self, file: &File) -> Result<(), Failure> {
        let mut options = self.options(file)?;
        let bar = output::progress(0, "rebuilding");
        options.progress = Some(Arc::new(move |done, all| {
            bar.set_length(all);
            bar.set_position(done);
            if done == all {
                bar.finish_and_clear();
            }
        }));
        let status = ledger::rebuild(options).map_err(Failure::refused)?;
        if self.json {
            output::line(serde_json::json!({
                "events": status.position.get(),
                "commits": status.commit.get(),
                "root": hex(&status.root),
            }));
        } else {
            output::line(format!(
                "derived state is rebuilt from {} events in {} commits",
                status.position, status.commit
            ));
        }
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
