//! A fault with its place in the files, and all faults of an import.

use std::borrow::Cow;
use std::fmt;

use super::code::FaultCode;
use super::passed::PassedOver;
use super::problem::Problem;

/// One thing that is wrong with a file. A fault never repeats what the file holds, because that
/// may be somebody's name or CPR number. File, row and field say where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportFault {
    /// What is wrong.
    pub code: FaultCode,
    /// The file's name, without its folder.
    pub file: Cow<'static, str>,
    /// The line in the file, from 1, on which the row or value begins. `None` if the fault is
    /// not on one line.
    pub row: Option<u64>,
    /// In a table, the column: its name if planledger reads it (`role`), else its number, from 1.
    /// In a JSON file, the path of the value (`CFItems[3].fullStatement`). `None` if the fault is
    /// not in one value.
    pub field: Option<String>,
    /// What is wrong and what to do about it, for people.
    pub message: Cow<'static, str>,
}

impl ImportFault {
    /// A fault of a whole file.
    pub(crate) fn new(problem: impl Into<Problem>, file: impl Into<Cow<'static, str>>) -> Self {
        let Problem { code, message } = problem.into();
        Self {
            code,
            file: file.into(),
            row: None,
            field: None,
            message,
        }
    }

    /// Adds the line.
    #[must_use]
    pub(crate) fn row(mut self, row: u64) -> Self {
        self.row = Some(row);
        self
    }

    /// Adds the column of a table or the path of a JSON value.
    #[must_use]
    pub(crate) fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}

impl fmt::Display for ImportFault {
    /// `users.csv, line 12, column role: what is wrong; what to do (CODE)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(row) = self.row {
            write!(f, ", line {row}")?;
        }
        match (&self.field, self.row) {
            (Some(column), Some(_)) => write!(f, ", column {column}")?,
            (Some(path), None) => write!(f, ", at {path}")?,
            (None, _) => {}
        }
        write!(f, ": {} ({})", self.message, self.code)
    }
}

impl std::error::Error for ImportFault {}

/// Everything that is wrong with the files. The search ends after [`ImportFaults::LIMIT`] faults.
/// Nothing was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportFaults {
    faults: Vec<ImportFault>,
    passed_over: Vec<PassedOver>,
}

impl ImportFaults {
    /// The most faults that are collected.
    pub const LIMIT: usize = 100;

    /// These faults, at least one.
    pub(crate) fn new(faults: Vec<ImportFault>) -> Self {
        Self {
            faults,
            passed_over: Vec::new(),
        }
    }

    /// The faults, and what would have been passed over.
    pub(crate) fn into_parts(self) -> (Vec<ImportFault>, Vec<PassedOver>) {
        (self.faults, self.passed_over)
    }

    /// Adds every row and value that would have been passed over.
    #[must_use]
    pub(crate) fn with_passed_over(mut self, passed: impl IntoIterator<Item = PassedOver>) -> Self {
        self.passed_over.extend(passed);
        self
    }

    /// Changes every fault, also those of what would have been passed over.
    #[must_use]
    pub(crate) fn map(mut self, change: impl Fn(ImportFault) -> ImportFault) -> Self {
        self.faults = self.faults.into_iter().map(&change).collect();
        let passed = self.passed_over.into_iter();
        let passed = passed.map(|PassedOver { kind, fault }| PassedOver {
            kind,
            fault: change(fault),
        });
        self.passed_over = passed.collect();
        self
    }

    /// The faults, at least one, in the order they were found.
    pub fn faults(&self) -> &[ImportFault] {
        &self.faults
    }

    /// Every row and value that would have been passed over, if an import stops because there are too
    /// many bad rows. Empty if something else is wrong: then not all rows were read.
    pub fn passed_over(&self) -> &[PassedOver] {
        &self.passed_over
    }

    /// Whether the search ended early, so that the files may hold more faults.
    pub fn is_cut_short(&self) -> bool {
        self.faults.len() >= Self::LIMIT
    }
}

impl From<ImportFault> for ImportFaults {
    fn from(fault: ImportFault) -> Self {
        Self::new(vec![fault])
    }
}

impl fmt::Display for ImportFaults {
    /// One fault on each line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{fault}")?;
        }
        if self.is_cut_short() {
            write!(
                f,
                "\nthe check stopped after {} faults, and there may be more; correct these and \
                 import again",
                Self::LIMIT
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for ImportFaults {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_said_with_its_file_line_and_column_and_what_to_do() {
        let fault = ImportFault::new(FaultCode::ValueMissing, "users.csv");
        assert_eq!(
            fault.to_string(),
            "users.csv: the value is missing; fill it in (VALUE_MISSING)"
        );
        assert_eq!(
            fault.clone().row(12).field("role").to_string(),
            "users.csv, line 12, column role: the value is missing; fill it in (VALUE_MISSING)"
        );
        assert_eq!(
            fault.field("CFItems[3].fullStatement").to_string(),
            "users.csv, at CFItems[3].fullStatement: the value is missing; fill it in \
             (VALUE_MISSING)"
        );
    }

    #[test]
    fn every_code_says_what_is_wrong_and_after_a_semicolon_what_to_do() {
        for code in FaultCode::ALL {
            let message = code.message();
            let parts: Vec<&str> = message.split("; ").collect();
            assert_eq!(parts.len(), 2, "{code}: {message}");
            assert!(!message.contains("  ") && !message.ends_with('.'), "{code}");
        }
    }
}
