//! The file that `--report` names: one row for everything that an import should not do in silence.

use std::fs::File;
use std::path::Path;

use super::fact;
use crate::cli::error::CliError;
use crate::import::{ImportFault, ImportFaults, PassedOver};
use crate::upload::{Absences, Absent, Halt, MissingLink, StatedFact};

/// A CSV file with the columns kind, file, line, column, code and text. Without a path nothing is
/// written.
pub(super) struct Report {
    writer: Option<csv::Writer<File>>,
    failed: Option<csv::Error>,
}

impl Report {
    pub(super) fn create(path: Option<&Path>) -> Result<Self, CliError> {
        let writer = path.map(csv::Writer::from_path).transpose();
        let writer = writer
            .map_err(|error| CliError::Refused(format!("the report cannot be written: {error}")))?;
        let mut report = Self {
            writer,
            failed: None,
        };
        report.record(&PassedOver::COLUMNS);
        Ok(report)
    }

    /// Adds a row.
    fn record<T: AsRef<[u8]>>(&mut self, row: &[T; 6]) {
        if let Some(writer) = &mut self.writer
            && self.failed.is_none()
        {
            self.failed = writer.write_record(row).err();
        }
    }

    /// Adds a row or value that is passed over.
    pub(super) fn passed_over(&mut self, passed: &PassedOver) {
        if self.writer.is_some() {
            self.record(&passed.record());
        }
    }

    /// Adds all that is known of files that are refused: what would have been passed over, and why
    /// the import stops.
    pub(super) fn refused(&mut self, faults: &ImportFaults) {
        for passed in faults.passed_over() {
            self.passed_over(passed);
        }
        // Bad rows stand above already.
        let is_there = |fault: &&ImportFault| {
            let mut passed = faults.passed_over().iter();
            passed.any(|passed| passed.fault == **fault)
        };
        for fault in faults.faults().iter().filter(|fault| !is_there(fault)) {
            let line = fault.row.map_or_else(String::new, |row| row.to_string());
            let column = fault.field.as_deref().unwrap_or_default();
            self.stop(
                &fault.file,
                &line,
                column,
                fault.code.as_str(),
                &fault.message,
            );
        }
    }

    /// Adds why the import stops, although its files are sound.
    pub(super) fn halt(&mut self, halt: &Halt) {
        self.stop("", "", "", halt.code.code(), &halt.to_string());
    }

    fn stop(&mut self, file: &str, line: &str, column: &str, code: &str, text: &str) {
        self.record(&["stop", file, line, column, code, text]);
    }

    /// Whether anybody reads it.
    pub(super) fn is_written(&self) -> bool {
        self.writer.is_some()
    }

    /// Adds a link that the import ends.
    pub(super) fn dropped(&mut self, link: &StatedFact) {
        if self.writer.is_none() {
            return;
        }
        let (file, line) = link.source.rsplit_once(':').unwrap_or((&link.source, ""));
        let ends = fact::ends(&link.fact, &fact::person(&link.fact));
        let text = format!("{}: {ends}", link.stream);
        self.record(&["dropped", file, line, "", fact::code(&link.fact), &text]);
    }

    /// Adds who has left or is back, or what is closed or open again, because the export says so.
    pub(super) fn turned(&mut self, source: &str, stream: &str, turn: &str) {
        if self.writer.is_none() {
            return;
        }
        let (file, line) = source.rsplit_once(':').unwrap_or((source, ""));
        let text = format!("{stream}: {turn}");
        self.record(&["left", file, line, "", "", &text]);
    }

    /// Adds a fact that stays as a person decided it, although the export says otherwise.
    pub(super) fn kept(&mut self, kept: &StatedFact) {
        if self.writer.is_none() {
            return;
        }
        let (file, line) = kept.source.rsplit_once(':').unwrap_or((&kept.source, ""));
        let stays = fact::stays(&kept.fact);
        let text = format!("{}: {stays} stays as a person decided it", kept.stream);
        self.record(&["kept", file, line, "", fact::code(&kept.fact), &text]);
    }

    /// Adds every person and class that is not in the export.
    pub(super) fn absent(&mut self, absences: &Absences) {
        if self.writer.is_none() {
            return;
        }
        let kinds = [
            ("users.csv", "PERSON", "person", &absences.persons),
            ("classes.csv", "CLASS", "team", &absences.teams),
        ];
        for (file, code, kind, all) in kinds {
            for Absent { id, noted } in all {
                let text = match noted {
                    Some(day) => format!("{kind}/{id}: not in the export, last seen on {day}"),
                    None => format!("{kind}/{id}: not in the export for the first time"),
                };
                self.record(&["absent", file, "", "", code, &text]);
            }
        }
    }

    /// Adds a link that is missing because of an absence.
    pub(super) fn missing(&mut self, missing: &MissingLink) {
        let (Some(fact), true) = (&missing.link.fact, self.writer.is_some()) else {
            return;
        };
        let file = match missing.is_guardianship() {
            true => "users.csv",
            false => "enrollments.csv",
        };
        let (stream, is) = (&missing.link.stream, fact::is(fact, &fact::person(fact)));
        let text = format!("{stream}: {is}; {} is not in the export", missing.absent);
        self.record(&["absent", file, "", "", fact::code(fact), &text]);
    }

    /// Fails if a row was not written.
    pub(super) fn finish(self) -> Result<(), CliError> {
        let Some(mut writer) = self.writer else {
            return Ok(());
        };
        let failed = self
            .failed
            .or_else(|| writer.flush().err().map(csv::Error::from));
        match failed {
            None => Ok(()),
            Some(error) => Err(CliError::Refused(format!(
                "the report cannot be written: {error}"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{Roster, sample};

    #[test]
    fn a_report_lists_every_row_that_is_passed_over() {
        let files = sample::roster().map(|(name, bytes)| {
            let text = String::from_utf8(bytes.into_owned()).unwrap();
            let text = match name {
                "enrollments.csv" => format!("{text}x9,tobedeleted,,,,,,,,\n"),
                _ => text,
            };
            (name, text.into_bytes().into())
        });
        let roster = Roster::from_files(files, jiff::civil::date(2026, 11, 24)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.csv");
        let mut report = Report::create(Some(&path)).unwrap();
        for passed in roster.passed_over() {
            report.passed_over(passed);
        }
        report.finish().unwrap();
        let report = std::fs::read_to_string(path).unwrap();
        let lines: Vec<&str> = report.lines().collect();
        assert_eq!(lines.first(), Some(&"kind,file,line,column,code,text"));
        assert!(lines.len() > 1, "{report}");
        let mut rows = lines.iter().skip(1);
        assert!(rows.all(|line| line.starts_with("gone,enrollments.csv,")));
    }
}
