//! What the demonstration promises, and whether it held.

use super::super::failure::Failure;
use super::super::output;

/// Promises that were looked at.
#[derive(Debug, Default)]
pub(super) struct Checks {
    kept: usize,
    broken: Vec<String>,
}

impl Checks {
    /// Says whether a promise held.
    pub(super) fn check(&mut self, promise: &str, kept: bool) {
        if kept {
            self.kept += 1;
            output::line(format!("  ✓ {promise}"));
        } else {
            self.broken.push(promise.to_owned());
            output::line(format!("  ✗ {promise}"));
        }
    }

    /// Fails if anything was broken.
    pub(super) fn finish(self) -> Result<(), Failure> {
        if self.broken.is_empty() {
            output::line(format!("\nAll {} promises held.", self.kept));
            return Ok(());
        }
        Err(Failure::Refused(format!(
            "not kept: {}",
            self.broken.join("; ")
        )))
    }
}
