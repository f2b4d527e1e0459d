//! Ratios that were stored, and whether those of now are worse.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::fault::Fault;

/// How much of a stored ratio has to be left.
const LEAST: f64 = 0.8;

/// What is stored.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ratios {
    /// When they were measured.
    pub(crate) date: String,
    /// On what.
    pub(crate) machine: String,
    /// How: seconds for each load, and turns.
    pub(crate) seconds: f64,
    pub(crate) turns: usize,
    /// planledger's events a second as a part of a peer's, by peer and load.
    pub(crate) ratios: BTreeMap<String, f64>,
}

impl Ratios {
    pub(crate) fn load(file: &Path) -> Result<Self, Fault> {
        Ok(serde_json::from_str(&fs::read_to_string(file)?)?)
    }

    pub(crate) fn store(&self, file: &Path) -> Result<(), Fault> {
        let text = serde_json::to_string_pretty(self)?;
        Ok(fs::write(file, format!("{text}\n"))?)
    }

    /// What is more than a fifth worse now, or not measured any more, a line for each.
    pub(crate) fn lost(&self, now: &BTreeMap<String, f64>) -> Vec<String> {
        let mut lost = Vec::new();
        for (name, then) in &self.ratios {
            match now.get(name) {
                Some(now) if *now >= then * LEAST => {}
                Some(now) => {
                    let part = 100.0 * now / then;
                    lost.push(format!(
                        "{name}: {now:.2}, {part:.0} % of the stored {then:.2}"
                    ));
                }
                None => lost.push(format!("{name}: not measured, stored {then:.2}")),
            }
        }
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(ratios: &[(&str, f64)]) -> Ratios {
        Ratios {
            date: "2026-11-30".to_owned(),
            machine: "any".to_owned(),
            seconds: 2.0,
            turns: 3,
            ratios: of(ratios),
        }
    }

    fn of(ratios: &[(&str, f64)]) -> BTreeMap<String, f64> {
        ratios
            .iter()
            .map(|(name, ratio)| ((*name).to_owned(), *ratio))
            .collect()
    }

    #[test]
    fn a_fifth_less_is_still_the_same_and_more_than_that_is_lost() {
        let stored = stored(&[("a", 1.0), ("b", 2.0)]);
        assert!(stored.lost(&of(&[("a", 0.8), ("b", 1.6)])).is_empty());
        assert!(
            stored
                .lost(&of(&[("a", 9.0), ("b", 2.0), ("new", 0.1)]))
                .is_empty()
        );
        let lost = stored.lost(&of(&[("a", 0.79), ("b", 1.7)]));
        assert_eq!(lost, ["a: 0.79, 79 % of the stored 1.00"]);
    }

    #[test]
    fn what_is_not_measured_any_more_is_lost() {
        let lost = stored(&[("a", 1.0)]).lost(&of(&[]));
        assert_eq!(lost, ["a: not measured, stored 1.00"]);
    }

    #[test]
    fn what_is_stored_is_read_again() -> Result<(), Box<dyn std::error::Error>> {
        let dir = tempfile::tempdir()?;
        let file = dir.path().join("ratios.json");
        stored(&[("a", 1.5)]).store(&file)?;
        assert_eq!(Ratios::load(&file)?.ratios, of(&[("a", 1.5)]));
        Ok(())
    }
}
