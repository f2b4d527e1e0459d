//! What an event costs in ledgers of different sizes, in one table.

use std::fmt;

use serde::Serialize;

use super::{Done, Figures, Name};

/// What the columns show. All but the first are the same in each row if nothing depends on the size.
const HEAD: [&str; 16] = [
    "events",
    "students",
    "fill/s",
    "fill µs",
    "fill MiB",
    "journal B",
    "derived B",
    "open s",
    "open MiB",
    "rebuild/s",
    "rebuild µs",
    "rebuild MiB",
    "verify/s",
    "verify MiB",
    "plan now µs",
    "plan then µs",
];

/// Ledgers of different sizes.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Growth {
    growth: Vec<Grown>,
}

/// A ledger of one size.
#[derive(Debug, Serialize)]
struct Grown {
    students: u64,
    #[serde(flatten)]
    figures: Figures,
}

impl Growth {
    pub(super) fn add(&mut self, figures: Figures, students: u64) {
        self.growth.push(Grown { students, figures });
    }
}

impl Grown {
    fn columns(&self) -> [String; 16] {
        let figures = &self.figures;
        let of = |name, show: &dyn Fn(&Done) -> Option<String>| {
            figures.of(name).and_then(show).unwrap_or_default()
        };
        let rate = |name| {
            of(name, &|done| {
                Some(format!("{:.0}", done.events as f64 / done.seconds))
            })
        };
        let micros = |name| {
            of(name, &|done| {
                Some(format!("{:.2}", done.cost.as_ref()?.micros))
            })
        };
        let peak = |name| of(name, &|done| Some(format!("{:.0}", done.peak_mib)));
        let events = figures.of(Name::Verify).map_or(0, |done| done.events);
        let each = |bytes: u64| format!("{:.0}", bytes as f64 / events.max(1) as f64);
        [
            events.to_string(),
            self.students.to_string(),
            rate(Name::Fill),
            micros(Name::Fill),
            of(Name::Fill, &|done| {
                Some(format!("{:.0}/{:.0}", done.resident_mib, done.peak_mib))
            }),
            each(figures.journal),
            each(figures.derived_filled.unwrap_or(figures.derived)),
            of(Name::Open, &|done| Some(format!("{:.2}", done.seconds))),
            peak(Name::Open),
            rate(Name::Rebuild),
            micros(Name::Rebuild),
            peak(Name::Rebuild),
            rate(Name::Verify),
            peak(Name::Verify),
            of(Name::Plan, &|done| {
                Some(format!("{:.0}", done.reads.as_ref()?.now.p99))
            }),
            of(Name::Plan, &|done| {
                Some(format!("{:.0}", done.reads.as_ref()?.then.p99))
            }),
        ]
    }
}

impl fmt::Display for Growth {
    /// In Markdown, which people can read too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![HEAD.map(str::to_owned)];
        rows.extend(self.growth.iter().map(Grown::columns));
        let widths: Vec<usize> = (0..HEAD.len())
            .map(|column| {
                let cells = rows.iter().filter_map(|row| row.get(column));
                cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
            })
            .collect();
        for (nth, row) in rows.iter().enumerate() {
            for (cell, width) in row.iter().zip(&widths) {
                write!(f, "| {cell:>width$} ")?;
            }
            writeln!(f, "|")?;
            if nth == 0 {
                for width in &widths {
                    write!(f, "|-{:->width$}:", "")?;
                }
                writeln!(f, "|")?;
            }
        }
        write!(
            f,
            "µs: processor time for each event; of plans: 99 of 100 reads of one with 1,500 events within. MiB: at \
             most; filling: at the end, and at most. B: bytes for each event, after filling."
        )
    }
}
