//! What a mixed run found: figures over time, whether they stay as they are, and a picture.

use std::collections::BTreeMap;
use std::fmt;

use hdrhistogram::Histogram;
use planledger_benches::measure::flat::{Trend, compared, no_slower};
use planledger_benches::measure::latency::{Latency, histogram};
use planledger_benches::measure::plot::{Panel, Scale, Series, svg};
use planledger_benches::measure::usage::Cost;
use serde::Serialize;

use super::tally::{Count, Tally, Window, Work};
use crate::report::print_stages;

const MIB: f64 = 1024.0 * 1024.0;

/// How things were between the sample before and now.
#[derive(Debug, Serialize)]
pub(crate) struct Sample {
    /// Since the beginning.
    pub(crate) seconds: f64,
    /// Memory of the server now, in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resident: Option<f64>,
    /// Bytes set aside for the journal, and for derived state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disk: Option<(u64, u64)>,
    /// Events that have receipts.
    pub(crate) events: u64,
    /// The most calls on their way at once.
    pub(crate) on_way: u64,
    /// Processors that the server kept busy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cores: Option<f64>,
    pub(crate) work: BTreeMap<Work, Window>,
}

/// What was done, for how long and at what cost.
#[derive(Debug, Serialize)]
pub(crate) struct Setting {
    pub(crate) students: u64,
    pub(crate) rates: String,
    pub(crate) seconds: f64,
    /// Events that the ledger grew by.
    pub(crate) recorded: u64,
    /// Processor time of the server for each event, all work together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cost: Option<Cost>,
}

/// One sort of work.
#[derive(Debug, Serialize)]
struct Line {
    work: Work,
    calls: u64,
    failed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    latency: Latency,
    /// The quarters are compared by the latency that so many of 100 calls did not exceed.
    compared: f64,
    /// That latency in the second quarter of the time, in microseconds.
    second_quarter: f64,
    /// The same in the last quarter.
    last_quarter: f64,
    /// Whether the last quarter was no slower than the second.
    flat: bool,
}

/// Everything that was found.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    #[serde(flatten)]
    setting: Setting,
    lines: Vec<Line>,
    /// Of the server's memory; none in a run that is too short.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<Trend>,
    /// Whether memory and all latencies stayed as they were, and nothing failed.
    flat: bool,
    samples: Vec<Sample>,
}

impl Line {
    fn of(work: Work, count: &Count) -> Option<Self> {
        let mut all = histogram();
        for quarter in &count.quarters {
            all += quarter;
        }
        if all.is_empty() && count.failed == 0 {
            return None;
        }
        let [_, second, _, last] = &count.quarters;
        let part = compared(second.len().min(last.len()));
        let slow = |quarter: &Histogram<u64>| quarter.value_at_quantile(part) as f64 / 1e3;
        // A quarter without a call says nothing.
        let known = !second.is_empty() && !last.is_empty();
        Some(Self {
            work,
            calls: all.len(),
            failed: count.failed,
            failure: count.failure.clone(),
            latency: Latency::of(&all),
            compared: part * 100.0,
            second_quarter: slow(second),
            last_quarter: slow(last),
            flat: !known || no_slower(slow(second), slow(last)),
        })
    }
}

impl Figures {
    pub(super) fn new(setting: Setting, tally: &Tally, samples: Vec<Sample>) -> Self {
        let line = |work| tally.with(work, |count| Line::of(work, count)).flatten();
        let lines: Vec<Line> = Work::ALL.into_iter().filter_map(line).collect();
        let memory = samples.iter();
        let memory = memory.filter_map(|sample| Some((sample.seconds, sample.resident?)));
        let memory = Trend::of(&memory.collect::<Vec<_>>());
        let works = lines.iter().all(|line| line.flat && line.failed == 0);
        Self {
            setting,
            flat: works && memory.is_none_or(|memory| memory.flat),
            lines,
            memory,
            samples,
        }
    }

    /// Prints all but the samples, for people.
    pub(crate) fn print(&self) {
        let Setting {
            students,
            rates,
            seconds,
            recorded,
            cost,
        } = &self.setting;
        println!(
            "{:.1} minutes, {recorded} events ({:.0} a second), {students} students; {rates}",
            seconds / 60.0,
            *recorded as f64 / seconds
        );
        println!(
            "| {:<14} | {:>7} | {:>6} | {:>8} | {:>8} | {:>8} | {:>8} | {:>6} | {:>6} | {:<8} |",
            "work",
            "calls",
            "failed",
            "p50 ms",
            "p99 ms",
            "max ms",
            "compared",
            "2nd ¼",
            "last ¼",
            ""
        );
        let dash = |width: usize| "-".repeat(width - 1) + ":";
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            "-".repeat(14),
            dash(7),
            dash(6),
            dash(8),
            dash(8),
            dash(8),
            dash(8),
            dash(6),
            dash(6),
            "-".repeat(8)
        );
        for line in &self.lines {
            let ms = |micros: f64| micros / 1e3;
            println!(
                "| {:<14} | {:>7} | {:>6} | {:>8.2} | {:>8.2} | {:>8.1} | {:>8} | {:>6.2} | {:>6.2} | {:<8} |",
                line.work.name(),
                line.calls,
                line.failed,
                ms(line.latency.p50),
                ms(line.latency.p99),
                ms(line.latency.max),
                format!("p{:.0}", line.compared),
                ms(line.second_quarter),
                ms(line.last_quarter),
                verdict(line.flat)
            );
        }
        for line in &self.lines {
            if let Some(failure) = &line.failure {
                println!("FAILED {}: {failure}", line.work.name());
            }
        }
        match self.memory {
            Some(memory) => println!(
                "memory of the second half: {:.0} MiB, {:+.1} MiB an hour, {:+.1} % from the middle to the end: {}",
                memory.mean,
                memory.slope_per_hour,
                memory.growth * 100.0,
                verdict(memory.flat)
            ),
            None => println!("memory: too few samples"),
        }
        if let Some(cost) = cost {
            println!("server: {:.1} µs of processor for each event", cost.micros);
            print_stages(&[("all work", &cost.stages)]);
        }
        println!("all together: {}", verdict(self.flat));
    }

    /// Memory, latencies, calls on their way and disk over time.
    pub(crate) fn plot(&self, machine: &str) -> String {
        let line = |name: &str, of: &dyn Fn(&Sample) -> Option<f64>| {
            let samples = self.samples.iter();
            let point = |sample: &Sample| Some((sample.seconds / 60.0, of(sample)?));
            Series {
                name: name.to_owned(),
                points: samples.filter_map(point).collect(),
            }
        };
        let latencies = |of: fn(&Window) -> f64| -> Vec<Series> {
            let works = self.lines.iter().map(|line| line.work);
            let series = works.map(|work| {
                line(work.name(), &|sample| {
                    Some(of(sample.work.get(&work)?) / 1e3)
                })
            });
            series.collect()
        };
        let panel = |title: &str, unit, scale, series| Panel {
            title: title.to_owned(),
            unit,
            scale,
            series,
        };
        let mib = |bytes: u64| bytes as f64 / MIB;
        let panels = [
            panel(
                "Memory of the server",
                "MiB",
                Scale::Linear,
                vec![line("resident", &|sample| sample.resident)],
            ),
            panel(
                "Latency, 99 of 100 within",
                "ms",
                Scale::Log,
                latencies(|work| work.p99),
            ),
            panel(
                "Latency, half within",
                "ms",
                Scale::Log,
                latencies(|work| work.p50),
            ),
            panel(
                "On the disk",
                "MiB",
                Scale::Linear,
                vec![
                    line("journal", &|sample| Some(mib(sample.disk?.0))),
                    line("derived state", &|sample| Some(mib(sample.disk?.1))),
                ],
            ),
            panel(
                "Most calls on their way at once",
                "calls",
                Scale::Linear,
                vec![line("on their way", &|sample| Some(sample.on_way as f64))],
            ),
        ];
        let title = format!(
            "planledger, {:.0} minutes of mixed work: {} events",
            self.setting.seconds / 60.0,
            self.setting.recorded
        );
        svg(&title, machine, "minutes", &panels)
    }
}

fn verdict(flat: bool) -> &'static str {
    match flat {
        true => "flat",
        false => "NOT FLAT",
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} min: {} events", self.seconds / 60.0, self.events)?;
        if let Some(resident) = self.resident {
            write!(f, ", {resident:.0} MiB")?;
        }
        if let Some(single) = self.work.get(&Work::Single) {
            write!(f, ", single commands p99 {:.1} ms", single.p99 / 1e3)?;
        }
        Ok(())
    }
}
