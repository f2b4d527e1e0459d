//! What was found, counted.

use std::collections::BTreeMap;
use std::fmt;

/// What must never happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    RefusedStart,
    SecondExecution,
    WrongRevision,
    WrongReceipt,
    /// Refused, though the rules allow it.
    WrongRefusal,
    WrongAnswer,
    /// Not answered, however often it was asked.
    NoAnswer,
    /// Not carried out, however often it was sent.
    NotTaken,
    UnsoundJournal,
    UnsoundDerived,
    Hung,
    Panicked,
}

impl Fault {
    const ALL: [Self; 12] = [
        Self::RefusedStart,
        Self::SecondExecution,
        Self::WrongRevision,
        Self::WrongReceipt,
        Self::WrongRefusal,
        Self::WrongAnswer,
        Self::NoAnswer,
        Self::NotTaken,
        Self::UnsoundJournal,
        Self::UnsoundDerived,
        Self::Hung,
        Self::Panicked,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::RefusedStart => "refused start",
            Self::SecondExecution => "second execution",
            Self::WrongRevision => "wrong revision",
            Self::WrongReceipt => "wrong receipt",
            Self::WrongRefusal => "wrong refusal",
            Self::WrongAnswer => "wrong answer",
            Self::NoAnswer => "no answer",
            Self::NotTaken => "not taken",
            Self::UnsoundJournal => "unsound journal",
            Self::UnsoundDerived => "unsound derived",
            Self::Hung => "hung",
            Self::Panicked => "panicked",
        }
    }
}

/// What one case came to.
#[derive(Default)]
pub(crate) struct Report {
    /// The first of each sort.
    pub(crate) faults: BTreeMap<Fault, String>,
    /// Commands and reads that were asked again because they failed in a way that may pass.
    pub(crate) put_off: u64,
    /// How often it had to be opened again before it went on.
    pub(crate) reopened: u64,
    /// How often derived state had been set aside.
    pub(crate) set_aside: u64,
    /// Not opened, because derived state knows that the journal has lost its end.
    pub(crate) lost_end: bool,
    /// A wrong document that nobody had asked for was found by `verify`.
    pub(crate) found_late: bool,
}

impl Report {
    pub(crate) fn fault(&mut self, fault: Fault, what: impl fmt::Display) {
        self.faults.entry(fault).or_insert_with(|| what.to_string());
    }
}

#[derive(Default)]
struct Row {
    cases: u64,
    failed: u64,
    faults: BTreeMap<Fault, u64>,
    put_off: u64,
    reopened: u64,
    set_aside: u64,
    lost_end: u64,
    found_late: u64,
}

/// A table of kinds of damage and how often each fault was found.
#[derive(Default)]
pub(crate) struct Tally {
    rows: BTreeMap<&'static str, Row>,
    /// Some of the faults, with the seeds that show them again.
    said: Vec<String>,
    seen: BTreeMap<(&'static str, Fault), u64>,
}

impl Tally {
    pub(crate) fn add(&mut self, kind: &'static str, seed: u64, report: &Report) {
        let row = self.rows.entry(kind).or_default();
        row.cases += 1;
        row.failed += u64::from(!report.faults.is_empty());
        row.put_off += u64::from(report.put_off > 0);
        row.reopened += u64::from(report.reopened > 0);
        row.set_aside += u64::from(report.set_aside > 0);
        row.lost_end += u64::from(report.lost_end);
        row.found_late += u64::from(report.found_late);
        let all = std::env::var_os("PLANLEDGER_SHOW").is_some();
        for (fault, what) in &report.faults {
            *row.faults.entry(*fault).or_default() += 1;
            let seen = self.seen.entry((kind, *fault)).or_default();
            *seen += 1;
            if all || *seen == 1 {
                let name = fault.name();
                let what: String = what.chars().take(900).collect();
                self.said
                    .push(format!("PLANLEDGER_SEED={seed}  # {kind}: {name}: {what}"));
            }
        }
    }

    pub(crate) fn cases(&self) -> u64 {
        self.rows.values().map(|row| row.cases).sum()
    }

    pub(crate) fn failed(&self) -> u64 {
        self.rows.values().map(|row| row.failed).sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = |row: &Row| {
            let faults = Fault::ALL.map(|fault| row.faults.get(&fault).copied().unwrap_or(0));
            let first = [row.cases, row.failed];
            let last = [
                row.set_aside,
                row.put_off,
                row.reopened,
                row.lost_end,
                row.found_late,
            ];
            [first.as_slice(), &faults, &last].concat()
        };
        let names = Fault::ALL.map(Fault::name);
        let last = [
            "(set aside)",
            "(put off)",
            "(opened again)",
            "(lost end)",
            "(found by verify)",
        ];
        let columns = [&["cases", "failed"], names.as_slice(), &last].concat();
        for (number, column) in columns.iter().enumerate() {
            writeln!(f, "{:27}{}{column}", "", "|    ".repeat(number))?;
        }
        let mut sums = vec![0; columns.len()];
        for (kind, row) in &self.rows {
            write!(f, "{kind:26}")?;
            for (sum, count) in sums.iter_mut().zip(counts(row)) {
                *sum += count;
                write!(f, " {count:<4}")?;
            }
            writeln!(f)?;
        }
        write!(f, "{:26}", "together")?;
        sums.iter().try_for_each(|sum| write!(f, " {sum:<4}"))?;
        writeln!(f)?;
        self.said.iter().try_for_each(|said| writeln!(f, "{said}"))
    }
}
