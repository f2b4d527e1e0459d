//! The file that `--report` names: one row for everything that an import should not do in silence.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::fact;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::import::{ImportFault, ImportFaults, PassedOver, RosterFiles};
use crate::upload::{Absences, Absent, Halt, LINKS, LISTED, MissingLink, StatedFact};
use crate::wire::proto::CommandError;

/// Refuses a report that would overwrite what is imported, or stand among it: `input`, or a file in it.
///
/// # Errors
/// [`CliError::Usage`]
pub(super) fn spare(report: Option<&Path>, input: Option<&Path>) -> Result<(), CliError> {
    let (Some(report), Some(input)) = (report, input) else {
        return Ok(());
    };
    // What cannot be found is told by whoever opens it.
    let (Some(report), Ok(input)) = (whole_path(report), input.canonicalize()) else {
        return Ok(());
    };
    match report.starts_with(input) {
        true => Err(CliError::Usage(
            "the report would stand in the export itself, or replace a file of it; name a file \
             elsewhere with --report"
                .to_owned(),
        )),
        false => Ok(()),
    }
}

/// Where a file is or would be, without links. `None` if there is no such folder.
fn whole_path(path: &Path) -> Option<PathBuf> {
    if let Ok(whole) = path.canonicalize() {
        return Some(whole);
    }
    let folder = match path.parent()? {
        here if here.as_os_str().is_empty() => Path::new("."),
        folder => folder,
    };
    Some(folder.canonicalize().ok()?.join(path.file_name()?))
}

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

    /// Adds all rows and values that are passed over, and says the first of them.
    pub(super) fn tell(&mut self, passed: &[PassedOver]) {
        for one in passed {
            self.passed_over(one);
        }
        for one in passed.iter().take(LISTED) {
            output::note(format!("passed over: {}", one.fault));
        }
        if let Some(more) = passed.len().checked_sub(LISTED).filter(|more| *more > 0) {
            output::note(format!("and {more} more; --report FILE lists all"));
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

    /// Adds a command that the server refused, or would refuse.
    pub(super) fn refused_command(&mut self, source: &str, error: &CommandError) {
        if self.writer.is_none() {
            return;
        }
        let (file, line) = source.rsplit_once(':').unwrap_or((source, ""));
        let violations = error.field_violations.iter();
        let violations = violations.map(|it| format!("; {}: {}", it.field, it.description));
        let text = error.message.clone() + &violations.collect::<String>();
        self.record(&["refused", file, line, "", &error.reason, &text]);
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
        let files = &absences.files;
        let kinds = [
            (&files.persons, "PERSON", "person", &absences.persons),
            (&files.classes, "CLASS", "team", &absences.teams),
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

    /// Adds how many came before sources had names and are not in the export.
    pub(super) fn without_source(&mut self, said: &str) {
        self.record(&["absent", "", "", "", "WITHOUT_SOURCE", said]);
    }

    /// Adds a link that is missing because of an absence.
    pub(super) fn missing(&mut self, missing: &MissingLink, files: &RosterFiles) {
        let (Some(fact), true) = (&missing.link.fact, self.writer.is_some()) else {
            return;
        };
        let file = match missing.is_guardianship() {
            true => &files.persons,
            false => &files.enrolments,
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

/// The error of files with faults. The report gets all that is known of them.
pub(super) fn refuse(path: Option<&Path>, faults: &ImportFaults) -> CliError {
    let written = Report::create(path).and_then(|mut report| {
        report.refused(faults);
        report.finish()
    });
    match written {
        Ok(()) => CliError::refused(faults),
        Err(CliError::Refused(error)) => CliError::Refused(format!("{faults}\n{error}")),
        Err(error) => error,
    }
}

/// What is passed over, as JSON: how much, and the first.
pub(super) fn as_json(count: u64, passed: &[PassedOver]) -> Value {
    let first = passed.iter().take(LINKS).map(|passed| {
        let [kind, file, _, path, code, text] = passed.record();
        json!({"kind": kind, "file": file, "path": path, "code": code, "text": text})
    });
    json!({"count": count, "first": first.collect::<Value>()})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{Roster, sample};

    #[test]
    fn a_report_never_takes_the_place_of_what_is_imported() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        std::fs::create_dir_all(at("export/inner")).unwrap();
        for file in ["export/users.csv", "export.zip", "other.csv"] {
            std::fs::write(at(file), b"x").unwrap();
        }
        let spared = |report: &str, input: &str| spare(Some(&at(report)), Some(&at(input)));
        for (report, input) in [
            ("export/users.csv", "export"),
            ("export/../export/users.csv", "export/inner/.."),
            ("export/new.csv", "export"),
            ("export/inner/new.csv", "export"),
            ("export.zip", "export.zip"),
            ("export/../export.zip", "export.zip"),
        ] {
            let refused = spared(report, input);
            assert!(matches!(refused, Err(CliError::Usage(_))), "{report}");
        }
        for report in ["other.csv", "new.csv", "export.csv", "none/new.csv"] {
            for input in ["export", "export.zip", "none.zip"] {
                assert!(spared(report, input).is_ok(), "{report} {input}");
            }
        }
        assert!(spare(None, Some(&at("export"))).is_ok());
        assert!(spare(Some(&at("export/users.csv")), None).is_ok());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(at("export/users.csv"), at("link.csv")).unwrap();
            assert!(spared("link.csv", "export").is_err());
        }
    }

    #[test]
    fn a_report_lists_what_the_server_refuses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.csv");
        let mut report = Report::create(Some(&path)).unwrap();
        let error = CommandError {
            reason: "TEAM_NOT_FOUND".to_owned(),
            message: "there is no such team".to_owned(),
            ..CommandError::default()
        };
        report.refused_command("enrollments.csv:7", &error);
        report.finish().unwrap();
        let report = std::fs::read_to_string(path).unwrap();
        let row = "refused,enrollments.csv,7,,TEAM_NOT_FOUND,there is no such team";
        assert_eq!(report.lines().nth(1), Some(row));
    }

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
