//! Collects faults while a file is read to its end.

use super::report::{ImportFault, ImportFaults};

/// The faults that were found so far.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    faults: Vec<ImportFault>,
    is_about_anybody: bool,
}

impl Collector {
    /// Adds a fault, unless the limit is reached.
    pub(crate) fn push(&mut self, fault: ImportFault) {
        if !self.is_full() {
            self.faults.push(fault);
        }
    }

    /// Adds all faults of `other`, until the limit is reached.
    pub(crate) fn append(&mut self, other: Self) {
        other.faults.into_iter().for_each(|fault| self.push(fault));
    }

    /// The value of `result`; a fault is added instead.
    pub(crate) fn ok<T>(&mut self, result: Result<T, ImportFault>) -> Option<T> {
        result.map_err(|fault| self.push(fault)).ok()
    }

    /// Says that the faulty row could be about anybody, because what would tell it is faulty.
    pub(crate) fn set_about_anybody(&mut self) {
        self.is_about_anybody = true;
    }

    /// Whether the faulty row could be about anybody.
    pub(crate) fn is_about_anybody(&self) -> bool {
        self.is_about_anybody
    }

    /// Whether the limit is reached, so that the search may end.
    pub(crate) fn is_full(&self) -> bool {
        self.faults.len() >= ImportFaults::LIMIT
    }

    /// Takes all faults out.
    pub(crate) fn take(&mut self) -> Vec<ImportFault> {
        std::mem::take(&mut self.faults)
    }

    /// The faults, in the order they were found.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &ImportFault> {
        self.faults.iter()
    }

    /// Whether no fault was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// The first fault that was found.
    pub(crate) fn into_first(self) -> Option<ImportFault> {
        self.faults.into_iter().next()
    }

    /// All faults that were found, for a caller who knows that there is one.
    pub(crate) fn into_faults(self) -> ImportFaults {
        ImportFaults::new(self.faults)
    }

    /// `value` if no fault was found.
    pub(crate) fn finish<T>(self, value: T) -> Result<T, ImportFaults> {
        if self.faults.is_empty() {
            Ok(value)
        } else {
            Err(self.into_faults())
        }
    }
}
