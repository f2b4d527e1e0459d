//! What was measured, for people and as JSON.

use std::collections::BTreeMap;

use planledger_benches::measure::machine::Machine;
use serde::Serialize;

use crate::fault::Fault;
use crate::proof::Proof;
use crate::turn::{Load, Shown};

/// Where the systems ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    /// Servers, and clients on the same machine.
    Servers,
    /// In the driver's process.
    InProcess,
}

/// One system in one turn.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) place: Place,
    pub(crate) system: &'static str,
    pub(crate) shown: Vec<Shown>,
}

/// Systems in the order of their first turn, and what each of them showed.
type Systems<'a> = Vec<(&'static str, Vec<&'a Shown>)>;

/// One system under one load: medians of all turns.
#[derive(Debug, Serialize)]
struct Row {
    place: Place,
    system: &'static str,
    #[serde(flatten)]
    median: Shown,
    /// Events a second of each turn.
    rates: Vec<f64>,
    /// planledger's events a second as a part of this system's, the median of the turns' own.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    /// The same of processor time for each event: less than 1 where planledger takes less.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio_cpu: Option<f64>,
}

/// Everything that one run found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    date: String,
    pub(crate) machine: Machine,
    versions: Vec<String>,
    seconds: f64,
    turns: usize,
    /// What reached the disk; empty if nobody could look.
    durable: Vec<Proof>,
    rows: Vec<Row>,
    notes: &'static [&'static str],
}

/// What the columns show.
const HEAD: [&str; 12] = [
    "load", "system", "a second", "± %", "p50 µs", "p99 µs", "cpu µs", "disk B", "log B", "MiB",
    "× rate", "× cpu",
];

/// Where it is not fair, and what each side does besides.
const NOTES: &[&str] = &[
    "All: one machine for servers and clients, one disk, 2,000 streams in turn, texts of some 130 bytes, an \
     answer only after a sync. Each turn has fresh servers and directories; every second one goes backwards.",
    "planledger does what the others do not: it decides on each command by its rules, the state of the plan and \
     the rights of who acts, knows the ids of earlier commands again, hashes each event into the chain of its \
     stream and a Merkle tree whose root it signs now and then, encrypts the text under keys of its student, and \
     keeps plans and overviews of now beside the journal. Its events say who, when and for which command; the \
     peers' have a type, an id (tephra: none), a stream and the text.",
    "UmaDB does what planledger does not: appending under any condition. Here it gets none, which is its fastest \
     way. Its server is the one in the package for Python, some of its memory is Python's; it has the settings \
     it comes with. Its log and its index of tags are one file.",
    "message-db writes with write_message and without an expected version. All streams are of one category, whose \
     lock makes each writer wait for the commit of the one before. A batch is one statement and one transaction. \
     PostgreSQL is as Debian ships it, not tuned. `log B` is the write-ahead log as it is written; it is not \
     kept, and not in `disk B`.",
    "In process: clients are tasks of one runtime; processor time is that of the whole process, clients too. \
     tephra gets no condition, and keeps the index of a segment of 256 MiB in memory until the segment is full. \
     Memory is that of another process, which has opened what was written and read it.",
    "`disk B` counts blocks with something in them: UmaDB and tephra make their files long before they fill them.",
    "Replay is the second of two, of what that system holds then. planledger opens each event: it decrypts it. \
     tephra shows bytes that lie in memory, and nobody looks at them.",
];

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        1 => values.get(middle).copied(),
        _ => Some((values.get(middle.checked_sub(1)?)? + values.get(middle)?) / 2.0),
    }
}

/// How a run was made.
#[derive(Debug)]
pub(crate) struct How {
    pub(crate) date: String,
    pub(crate) versions: Vec<String>,
    pub(crate) seconds: f64,
    pub(crate) turns: usize,
}

impl Report {
    pub(crate) fn new(how: How, machine: Machine, durable: Vec<Proof>, turns: &[Turn]) -> Self {
        let mut found: BTreeMap<(Place, Load), Systems<'_>> = BTreeMap::new();
        for turn in turns {
            for shown in &turn.shown {
                let systems = found.entry((turn.place, shown.load)).or_default();
                match systems
                    .iter_mut()
                    .find(|(system, _)| *system == turn.system)
                {
                    Some((_, all)) => all.push(shown),
                    None => systems.push((turn.system, vec![shown])),
                }
            }
        }
        let mut rows = Vec::new();
        for ((place, _), systems) in found {
            // The first turn begins with planledger.
            let ours = systems
                .first()
                .map(|(_, all)| all.clone())
                .unwrap_or_default();
            for (nth, (system, all)) in systems.into_iter().enumerate() {
                let compared = (nth > 0).then_some(ours.as_slice());
                rows.extend(Row::new(place, system, &all, compared));
            }
        }
        Self {
            date: how.date,
            machine,
            versions: how.versions,
            seconds: how.seconds,
            turns: how.turns,
            durable,
            rows,
            notes: NOTES,
        }
    }

    /// planledger's events a second as a part of each peer's, by peer and load.
    pub(crate) fn ratios(&self) -> BTreeMap<String, f64> {
        let of = |row: &Row| {
            let name = format!("{}: {}", row.system, row.median.load);
            // Three digits: more would say more than is known.
            Some((name, (row.ratio? * 1e3).round() / 1e3))
        };
        self.rows.iter().filter_map(of).collect()
    }

    /// Prints it: a table, or one JSON document.
    pub(crate) fn print(&self, json: bool) -> Result<(), Fault> {
        if json {
            println!("{}", serde_json::to_string_pretty(self)?);
            return Ok(());
        }
        println!("{}; {}", self.date, self.versions.join(", "));
        println!(
            "medians of {} turns of {} s for each load, ± is half of what the turns are apart, × is planledger as a \
             part of the peer",
            self.turns, self.seconds
        );
        self.table();
        match self.durable.is_empty() {
            true => println!("NOT CHECKED whether answers are durable: that takes strace"),
            false => println!("synced to the disk, seen with strace:"),
        }
        for proof in &self.durable {
            println!("  {proof}");
        }
        for note in self.notes {
            println!("- {note}");
        }
        Ok(())
    }

    /// In Markdown, which people can read too.
    fn table(&self) {
        let line = |columns: [String; 12]| {
            let [load, system, numbers @ ..] = columns;
            let numbers: Vec<String> = numbers
                .iter()
                .map(|number| format!("{number:>8}"))
                .collect();
            println!("| {load:<27} | {system:<15} | {} |", numbers.join(" | "));
        };
        line(HEAD.map(str::to_owned));
        let numbers = ["-------:"; 10].join(" | ");
        println!("| {:-<27} | {:-<15} | {numbers} |", "", "");
        let mut last = None;
        for row in &self.rows {
            let what = (row.place, row.median.load);
            let load = match last == Some(what) {
                true => String::new(),
                false => row.median.load.to_string(),
            };
            last = Some(what);
            let shown = |value: Option<f64>, digits: usize| match value {
                Some(value) => format!("{value:.digits$}"),
                None => String::new(),
            };
            line([
                load,
                row.system.to_owned(),
                shown(Some(row.median.rate), 0),
                shown(row.spread(), 0),
                shown(row.median.p50, 0),
                shown(row.median.p99, 0),
                shown(row.median.cpu, 1),
                shown(row.median.disk, 0),
                shown(row.median.log, 0),
                shown(row.median.memory, 0),
                shown(row.ratio, 2),
                shown(row.ratio_cpu, 2),
            ]);
        }
    }
}

impl Row {
    /// How far the fastest and the slowest turn are apart: half of it as a part of the median, in per cent.
    fn spread(&self) -> Option<f64> {
        let most = self.rates.iter().copied().max_by(f64::total_cmp)?;
        let least = self.rates.iter().copied().min_by(f64::total_cmp)?;
        Some(50.0 * (most - least) / self.median.rate)
    }

    fn new(
        place: Place,
        system: &'static str,
        all: &[&Shown],
        ours: Option<&[&Shown]>,
    ) -> Option<Self> {
        let of = |get: fn(&Shown) -> Option<f64>| {
            median(all.iter().filter_map(|shown| get(shown)).collect())
        };
        let times = |get: fn(&Shown) -> Option<f64>| {
            let pairs = ours?.iter().zip(all);
            median(
                pairs
                    .filter_map(|(ours, peer)| Some(get(ours)? / get(peer)?))
                    .collect(),
            )
        };
        let first = all.first()?;
        Some(Self {
            place,
            system,
            rates: all.iter().map(|shown| shown.rate).collect(),
            ratio: times(|shown| Some(shown.rate)),
            ratio_cpu: times(|shown| shown.cpu),
            median: Shown {
                load: first.load,
                events: of(|shown| Some(shown.events as f64))? as u64,
                rate: of(|shown| Some(shown.rate))?,
                p50: of(|shown| shown.p50),
                p99: of(|shown| shown.p99),
                cpu: of(|shown| shown.cpu),
                disk: of(|shown| shown.disk),
                log: of(|shown| shown.log),
                memory: of(|shown| shown.memory),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(vec![]), None);
    }
}
