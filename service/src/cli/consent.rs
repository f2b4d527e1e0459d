//! Consent to what changes something: seen first, then agreed to.

use std::io::{IsTerminal, Write as _};

use clap::Args;
use tonic::Code;

use super::failure::Failure;

/// Whether what would change is only shown, asked about, or done.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Consent {
    /// Only show what would change and what would not
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// What that comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Show it, and no more.
    DryRun,
    /// Show it, ask, do it.
    Ask,
    /// Do it.
    Go,
}

impl Consent {
    /// What was chosen. What asks is no JSON, so whoever reads that is not asked.
    pub(super) fn mode(self, json: bool) -> Result<Mode, Failure> {
        match (self.dry_run, self.yes) {
            (true, _) => Ok(Mode::DryRun),
            (false, true) => Ok(Mode::Go),
            (false, false) if !json && std::io::stdin().is_terminal() => Ok(Mode::Ask),
            (false, false) => {
                let message = "nobody can be asked here: say --dry-run to see what would change, \
                               or --yes to do it";
                Err(Failure::Usage(message.to_owned()))
            }
        }
    }
}

/// Asks whoever sits there.
pub(super) fn agreed(question: &str) -> Result<bool, Failure> {
    let mut terminal = std::io::stderr();
    write!(terminal, "{question} [y/N] ")?;
    terminal.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Whether something may have been carried out although this came back.
pub(super) fn is_unknown(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable
            | Code::DeadlineExceeded
            | Code::Cancelled
            | Code::Unknown
            | Code::Internal
            | Code::DataLoss
    )
}
