//! Everything that has a bar, in one table: what was measured, what has to be reached, and whether it is.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::city::City;
use super::scale::{self, Done, Name, Scale};
use super::{import, stream};
use crate::Place;
use crate::fault::Fault;
use crate::interrupt::Interrupt;
use crate::report::Measurement;
use crate::target::Target;

/// Rows of the comparison with UmaDB: what it calls them, and the ratio of rates that has to be reached.
const AGAINST_PEER: [(&str, &str, f64); 5] = [
    ("single1", "durable single commands, 1 client", 2.0),
    ("single8", "durable single commands, 8 clients", 1.5),
    ("single64", "durable single commands, 64 clients", 1.5),
    ("batch", "batches of 1,000 events, 8 clients", 0.75),
    ("replay", "replay of all events over gRPC", 1.0),
];
const PEER: &str = "UmaDB";
/// Events of the ledger that is rebuilt and verified, and of the one that shows that nothing grows with it.
const LEDGER: u64 = 2_000_000;
const LARGE: u64 = 10_000_000;
const STUDENTS: u64 = 50_000;
/// How much longer than the smaller ledger the larger may take to open: more would not be flat.
const FLAT: f64 = 1.5;

#[derive(Debug, Args)]
pub(crate) struct Bars {
    /// What `benches/peers/run --json` printed, for the rows that compare with UmaDB
    #[arg(long, value_name = "FILE")]
    peers: Option<PathBuf>,
    /// Also fill a ledger with 10 million events: opening, memory and plans there
    #[arg(long)]
    large: bool,
    /// Events of the ledger that is rebuilt and verified; the bars hold for the default
    #[arg(long, default_value_t = LEDGER)]
    events: u64,
    /// Events of the large ledger
    #[arg(long, default_value_t = LARGE, requires = "large")]
    large_events: u64,
    #[command(flatten)]
    city: City,
}

/// What has to be reached.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Need {
    Least(f64),
    Most(f64),
}

/// One row.
#[derive(Debug, Serialize)]
struct Row {
    work: String,
    measured: f64,
    unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    need: Option<Need>,
    /// None where this machine has no bar.
    #[serde(skip_serializing_if = "Option::is_none")]
    reached: Option<bool>,
}

/// All rows.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Table {
    rows: Vec<Row>,
    /// What was not measured, and how to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<String>,
}

/// What is of interest of a comparison.
#[derive(Debug, Deserialize)]
struct Peers {
    rows: Vec<PeerRow>,
}

#[derive(Debug, Deserialize)]
struct PeerRow {
    system: String,
    load: String,
    #[serde(default)]
    ratio: Option<f64>,
}

impl Need {
    fn is_reached(self, measured: f64) -> bool {
        match self {
            Self::Least(least) => measured >= least,
            Self::Most(most) => measured <= most,
        }
    }
}

impl Table {
    fn add(&mut self, work: impl Into<String>, measured: f64, unit: &'static str, need: Need) {
        self.push(work.into(), measured, unit, Some(need));
    }

    fn push(&mut self, work: String, measured: f64, unit: &'static str, need: Option<Need>) {
        self.rows.push(Row {
            work,
            measured,
            unit,
            need,
            reached: need.map(|need| need.is_reached(measured)),
        });
    }

    fn compare(&mut self, peers: &Peers) {
        let ratios: BTreeMap<&str, f64> = peers
            .rows
            .iter()
            .filter(|row| row.system == PEER)
            .filter_map(|row| Some((row.load.as_str(), row.ratio?)))
            .collect();
        for (load, work, least) in AGAINST_PEER {
            match ratios.get(load) {
                Some(ratio) => self.add(work, *ratio, "× UmaDB", Need::Least(least)),
                None => self
                    .missing
                    .push(format!("{work}: the comparison has no {load}")),
            }
        }
    }

    fn stream(&mut self, stream: &Measurement) {
        let work = "one stream, pipelined";
        self.add(work, stream.rate, "commands/s", Need::Least(100_000.0));
        match stream.server_cpu {
            Some(micros) => {
                let work = format!("{work}: the server's processor for each");
                self.add(work, micros, "µs", Need::Most(10.0));
            }
            None => self
                .missing
                .push(format!("{work}: processor time, of a server of our own")),
        }
    }

    /// What a ledger of one size shows; `size` says of which.
    fn ledger(&mut self, figures: &scale::Figures, size: &str) {
        let rate = |done: &Done| done.events as f64 / done.seconds;
        if let Some(done) = figures.of(Name::Rebuild) {
            let work = format!("derived state made again, {size}");
            self.add(work, rate(done), "events/s", Need::Least(300_000.0));
        }
        if let Some(done) = figures.of(Name::Verify) {
            // The bar is one of processors with SHA extensions.
            let need = has_sha_extensions().then_some(Need::Least(1_000_000.0));
            let work = format!("verifying every frame, link, leaf and root, {size}");
            self.push(work, rate(done), "events/s", need);
        }
        if let Some(done) = figures.of(Name::Open) {
            let work = format!("opening after a clean stop, {size}");
            self.add(work, done.seconds, "s", Need::Most(1.0));
        }
        if let Some(done) = figures.of(Name::Fill) {
            let work = format!("memory at most while filling, {size}");
            self.add(work, done.peak_mib, "MiB", Need::Most(300.0));
        }
        if let Some(derived) = figures.derived_filled {
            let part = derived as f64 / figures.journal.max(1) as f64;
            let work = format!("derived state, {size}");
            self.add(work, part, "× journal", Need::Most(0.7));
        }
        if let Some(reads) = figures.of(Name::Plan).and_then(|done| done.reads.as_ref()) {
            let plan = format!("plan of 1,500 events, {size}");
            let (now, then) = (reads.now.p99 / 1e3, reads.then.p99 / 1e3);
            self.add(format!("{plan}: now, p99"), now, "ms", Need::Most(1.0));
            let then_work = format!("{plan}: as of an instant, p99");
            self.add(then_work, then, "ms", Need::Most(5.0));
        }
    }
}

impl Bars {
    pub(crate) fn run(&self, place: &Place) -> Result<Table, Fault> {
        let interrupt = Interrupt::listen()?;
        let mut table = Table::default();
        match &self.peers {
            // A file that cannot be read is known before anything is measured.
            Some(file) => table.compare(&serde_json::from_str(&fs::read_to_string(file)?)?),
            None => table.missing.push(format!(
                "what compares with {PEER}: benches/bars, or --peers with what benches/peers/run --json prints"
            )),
        }
        eprintln!("a server and its clients");
        let (stream, import) = interrupt.run(served(place))?;
        table.stream(&stream);
        let work = "whole classes, as a roster brings them";
        table.add(work, import.rate, "events/s", Need::Least(100_000.0));
        let size = |events: u64| format!("{} million events", events as f64 / 1e6);
        eprintln!("a ledger of {}", size(self.events));
        let smaller = Scale::of(self.events, STUDENTS).one(place, &interrupt)?;
        table.ledger(&smaller, &size(self.events));
        if self.large {
            eprintln!("a ledger of {}", size(self.large_events));
            let larger = Scale::of(self.large_events, STUDENTS).one(place, &interrupt)?;
            table.ledger(&larger, &size(self.large_events));
            let opened = |figures: &scale::Figures| figures.of(Name::Open).map(|done| done.seconds);
            if let Some((smaller, larger)) = opened(&smaller).zip(opened(&larger)) {
                let work = "opening the larger ledger, as a part of the smaller";
                table.add(work, larger / smaller, "×", Need::Most(FLAT));
            }
        } else {
            let told = format!(
                "{}, for what must not grow: --large",
                size(self.large_events)
            );
            table.missing.push(told);
        }
        eprintln!("a city");
        let city = self.city.run(place, &interrupt)?;
        let work = "import of a large city";
        table.add(work, city.first.seconds, "s", Need::Most(6.0));
        let work = format!("{work}: the server's memory at most");
        table.add(work, city.first.peak_mib, "MiB", Need::Most(250.0));
        Ok(table)
    }
}

/// What is measured over gRPC, on a fresh server for each.
async fn served(place: &Place) -> Result<(Measurement, Measurement), Fault> {
    let target = Target::start(place).await?;
    let streamed = stream::Stream::default().run(&target).await?;
    target.stop()?;
    let target = Target::start(place).await?;
    let imported = import::Import::default().run(&target).await?;
    target.stop()?;
    Ok((streamed, imported))
}

/// Whether the processor hashes with SHA-256 by itself.
fn has_sha_extensions() -> bool {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let flags = info
        .lines()
        .find(|line| line.starts_with("flags") || line.starts_with("Features"));
    flags.is_some_and(|flags| {
        flags
            .split_whitespace()
            .any(|flag| matches!(flag, "sha_ni" | "sha2"))
    })
}

/// A figure with three digits or so.
fn shown(value: f64) -> String {
    match value {
        value if value >= 1_000.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

impl fmt::Display for Table {
    /// In Markdown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| work | measured | bar | reached |\n|---|---:|---:|---|"
        )?;
        for row in &self.rows {
            let need = match row.need {
                Some(Need::Least(least)) => format!("≥ {}", shown(least)),
                Some(Need::Most(most)) => format!("≤ {}", shown(most)),
                None => "none without SHA extensions".to_owned(),
            };
            let reached = match row.reached {
                Some(true) => "yes",
                Some(false) => "no",
                None => "",
            };
            let measured = shown(row.measured);
            writeln!(
                f,
                "| {} | {measured} {} | {need} | {reached} |",
                row.work, row.unit
            )?;
        }
        let reached = self
            .rows
            .iter()
            .filter(|row| row.reached == Some(true))
            .count();
        write!(f, "{reached} of {} reached", self.rows.len())?;
        for missing in &self.missing {
            write!(f, "\nNOT MEASURED {missing}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Need, Peers, Table};

    #[test]
    fn a_bar_is_reached_from_its_side() {
        let mut table = Table::default();
        table.add("fast", 100_000.0, "events/s", Need::Least(100_000.0));
        table.add("slow", 99_999.0, "events/s", Need::Least(100_000.0));
        table.add("small", 299.0, "MiB", Need::Most(300.0));
        table.add("large", 301.0, "MiB", Need::Most(300.0));
        let reached: Vec<_> = table.rows.iter().map(|row| row.reached).collect();
        assert_eq!(reached, [Some(true), Some(false), Some(true), Some(false)]);
        let text = table.to_string();
        assert!(
            text.contains("| small | 299.0 MiB | ≤ 300.0 | yes |"),
            "{text}"
        );
        assert!(text.ends_with("2 of 4 reached"), "{text}");
    }

    #[test]
    fn ratios_come_from_a_comparison_and_what_it_lacks_is_named() {
        let json = r#"{"date": "any", "rows": [
            {"system": "planledger", "load": "single8", "rate": 1.0},
            {"system": "UmaDB", "load": "single8", "rate": 1.0, "ratio": 1.6},
            {"system": "UmaDB", "load": "batch", "rate": 1.0, "ratio": 0.7},
            {"system": "tephra", "load": "replay", "rate": 1.0, "ratio": 9.0}]}"#;
        let mut table = Table::default();
        table.compare(&serde_json::from_str::<Peers>(json).unwrap());
        let rows: Vec<_> = table
            .rows
            .iter()
            .map(|row| (row.measured, row.reached))
            .collect();
        assert_eq!(rows, [(1.6, Some(true)), (0.7, Some(false))]);
        assert_eq!(table.missing.len(), 3);
    }
}
