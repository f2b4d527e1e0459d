//! The promises that the demonstration checks, and whether they held.

use super::super::error::CliError;
use super::super::output;

/// The promises checked so far.
#[derive(Debug, Default)]
pub(super) struct Checks {
    kept: usize,
    broken: Vec<String>,
}

impl Checks {
    /// Prints whether a promise held, and counts it.
    pub(super) fn check(&mut self, promise: &str, kept: bool) {
        if kept {
            self.kept += 1;
            output::line(format!("  ✓ {promise}"));
        } else {
            self.broken.push(promise.to_owned());
            output::line(format!("  ✗ {promise}"));
        }
    }

    /// Fails if a promise was broken.
    pub(super) fn finish(self) -> Result<(), CliError> {
        if self.broken.is_empty() {
            output::line("");
            output::line(format!("All {} promises held.", self.kept));
            return Ok(());
        }
        Err(CliError::Refused(format!(
            "not kept: {}",
            self.broken.join("; ")
        )))
    }
}
