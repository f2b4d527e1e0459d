//! What was measured, for people and as JSON.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hdrhistogram::Histogram;
use planledger_benches::measure::latency::Latency;
use planledger_benches::measure::machine::Machine;
use planledger_benches::measure::process::Memory;
use planledger_benches::measure::usage::Cost;
use planledger_benches::measure::watch::{Moment, evenly};
use serde::Serialize;

use super::fault::Fault;
use super::run::{bars, city, mixed, scale};

/// What has to be reached.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bar {
    /// At least so many a second.
    Rate(f64),
    /// 99 of 100 within so many microseconds.
    P99(f64),
}

/// One figure.
#[derive(Debug, Serialize)]
pub(crate) struct Measurement {
    pub(crate) name: Cow<'static, str>,
    /// What was done, for people.
    pub(crate) how: String,
    /// What is counted.
    pub(crate) unit: &'static str,
    pub(crate) count: u64,
    pub(crate) seconds: f64,
    pub(crate) rate: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latency: Option<Latency>,
    /// Processor time of the server for each, in microseconds: what remains comparable while
    /// others use the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server_cpu: Option<f64>,
    /// The same by stage: what the threads are there for that used it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) server_stages: BTreeMap<String, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bar: Option<Bar>,
    /// How far above the bar: 1 is just reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) of_bar: Option<f64>,
}

impl Measurement {
    pub(crate) fn new(
        name: impl Into<Cow<'static, str>>,
        how: String,
        unit: &'static str,
        count: u64,
        took: Duration,
    ) -> Self {
        let seconds = took.as_secs_f64();
        Self {
            name: name.into(),
            how,
            unit,
            count,
            seconds,
            rate: count as f64 / seconds,
            latency: None,
            server_cpu: None,
            server_stages: BTreeMap::new(),
            bar: None,
            of_bar: None,
        }
    }

    pub(crate) fn with_latency(mut self, histogram: &Histogram<u64>) -> Self {
        self.latency = Some(Latency::of(histogram));
        self
    }

    pub(crate) fn costing(mut self, each: Option<Cost>) -> Self {
        if let Some(Cost { micros, stages }) = each {
            (self.server_cpu, self.server_stages) = (Some(micros), stages);
        }
        self
    }

    pub(crate) fn against(mut self, bar: Bar) -> Self {
        self.bar = Some(bar);
        self.of_bar = match bar {
            Bar::Rate(least) => Some(self.rate / least),
            Bar::P99(most) => self.latency.map(|latency| most / latency.p99),
        };
        self
    }
}

/// Moments of memory that the table shows.
const MOMENTS: usize = 12;

/// What a ledger takes of the disk, in bytes.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Disk {
    pub(crate) events: u64,
    pub(crate) journal: u64,
    pub(crate) derived: u64,
}

impl Disk {
    fn each(self, bytes: u64) -> f64 {
        bytes as f64 / self.events.max(1) as f64
    }
}

/// Everything one run found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) measurements: Vec<Measurement>,
    /// Of the server that the driver started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory: Option<Memory>,
    /// The same over time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) moments: Vec<Moment>,
    /// What its ledger takes of the disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disk: Option<Disk>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scale: Option<scale::Found>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mixed: Option<mixed::Figures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) city: Option<city::Figures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bars: Option<bars::Table>,
}

impl Report {
    pub(crate) fn new(machine: Machine) -> Self {
        Self {
            machine,
            measurements: Vec::new(),
            memory: None,
            moments: Vec::new(),
            disk: None,
            scale: None,
            mixed: None,
            city: None,
            bars: None,
        }
    }

    pub(crate) fn extend(&mut self, measured: Vec<Measurement>) {
        self.measurements.extend(measured);
    }

    /// Prints it: a table, or one JSON document.
    pub(crate) fn print(&self, json: bool) -> Result<(), Fault> {
        if json {
            println!("{}", serde_json::to_string_pretty(self)?);
            return Ok(());
        }
        if !self.measurements.is_empty() {
            self.table();
        }
        if let Some(mixed) = &self.mixed {
            mixed.print();
        }
        if let Some(memory) = self.memory {
            println!(
                "server: {:.0} MiB resident, at most {:.0} MiB",
                memory.resident, memory.peak
            );
        }
        if self.moments.len() > 1 {
            let moments = evenly(&self.moments, MOMENTS);
            let moments = moments
                .iter()
                .map(|at| format!("{:.0} s {:.0}", at.seconds, at.resident));
            println!(
                "memory over time, MiB: {}",
                moments.collect::<Vec<_>>().join(", ")
            );
        }
        if let Some(disk) = self.disk {
            println!(
                "disk: {} events; of each {:.0} bytes in the journal and {:.0} of derived state",
                disk.events,
                disk.each(disk.journal),
                disk.each(disk.derived)
            );
        }
        if let Some(scale) = &self.scale {
            println!("{scale}");
        }
        if let Some(city) = &self.city {
            city.print();
        }
        if let Some(bars) = &self.bars {
            println!("{bars}");
        }
        Ok(())
    }

    fn rate(&self, name: &str) -> Option<f64> {
        let mut found = self.measurements.iter();
        Some(found.find(|measured| measured.name == name)?.rate)
    }

    fn table(&self) {
        println!(
            "{:<19} {:>10} {:<9} {:>9} {:>9} {:>9} {:>7}  {:<18} {:>6} {:>6} {:>6}",
            "",
            "a second",
            "",
            "p50 µs",
            "p99 µs",
            "p99.9 µs",
            "cpu µs",
            "bar",
            "×bar",
            "×echo",
            "×unary"
        );
        let (echo, unary) = (self.rate("echo"), self.rate("unary"));
        for measured in &self.measurements {
            let times = |base: Option<f64>| {
                let base = base.filter(|_| measured.unit == "commands" || measured.unit == "calls");
                base.map_or(String::new(), |base| format!("{:.2}", measured.rate / base))
            };
            let at = |get: fn(&Latency) -> f64| {
                let latency = measured.latency.as_ref().map(get);
                latency.map_or(String::new(), |micros| format!("{micros:.0}"))
            };
            let bar = match measured.bar {
                Some(Bar::Rate(least)) => format!("≥ {least:.0}/s"),
                Some(Bar::P99(most)) => format!("p99 ≤ {most:.0} µs"),
                None => String::new(),
            };
            let cpu = measured
                .server_cpu
                .map_or(String::new(), |micros| format!("{micros:.1}"));
            let of_bar = measured
                .of_bar
                .map_or(String::new(), |of| format!("{of:.2}"));
            println!(
                "{:<19} {:>10.0} {:<9} {:>9} {:>9} {:>9} {:>7}  {:<18} {:>6} {:>6} {:>6}",
                measured.name,
                measured.rate,
                measured.unit,
                at(|latency| latency.p50),
                at(|latency| latency.p99),
                at(|latency| latency.p999),
                cpu,
                bar,
                of_bar,
                times(echo),
                times(unary)
            );
        }
        for measured in &self.measurements {
            println!("  {}: {}", measured.name, measured.how);
        }
        self.stages();
    }

    /// Processor time of the server by stage.
    fn stages(&self) {
        let costs = self.measurements.iter();
        let costs: Vec<_> = costs
            .filter(|measured| !measured.server_stages.is_empty())
            .map(|measured| (measured.name.as_ref(), &measured.server_stages))
            .collect();
        print_stages(&costs);
    }
}

/// Prints processor time by stage, in microseconds, a line for each of what used it.
pub(crate) fn print_stages(costs: &[(&str, &BTreeMap<String, f64>)]) {
    let stages: BTreeSet<&str> = costs
        .iter()
        .flat_map(|(_, stages)| stages.keys().map(String::as_str))
        .collect();
    if stages.is_empty() {
        return;
    }
    print!("{:<19}", "cpu µs by stage");
    for stage in &stages {
        print!(" {stage:>10}");
    }
    println!();
    for (name, costs) in costs {
        print!("{name:<19}");
        for stage in &stages {
            let cost = costs.get(*stage).map(|micros| format!("{micros:.1}"));
            print!(" {:>10}", cost.unwrap_or_default());
        }
        println!();
    }
}
