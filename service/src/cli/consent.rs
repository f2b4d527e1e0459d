//! Asks the user before a command changes something: the command first shows the changes, then asks
//! for consent.

use std::io::{IsTerminal, Write as _};

use clap::Args;
use tonic::Code;

use super::error::CliError;

/// The flags that choose between showing changes only, asking first, and acting without asking.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Consent {
    /// Only show what would change and what would stay; change nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Do it without asking first
    #[arg(long)]
    yes: bool,
}

/// What the command does with its changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Show the changes and stop.
    DryRun,
    /// Show the changes, ask, and carry them out if the user agrees.
    Ask,
    /// Carry the changes out without asking.
    Go,
}

impl Consent {
    /// The mode that the user chose. Without a flag the command asks. It asks only at a terminal,
    /// and never with `--json`, because a question is not JSON.
    pub(super) fn mode(self, json: bool) -> Result<Mode, CliError> {
        match (self.dry_run, self.yes) {
            (true, _) => Ok(Mode::DryRun),
            (false, true) => Ok(Mode::Go),
            (false, false) if !json && std::io::stdin().is_terminal() => Ok(Mode::Ask),
            (false, false) => {
                let message = "the command cannot ask here, because this is no terminal or because \
                               of --json: use --dry-run to see what would change, or --yes to do it";
                Err(CliError::Usage(message.to_owned()))
            }
        }
    }
}

/// Asks the user at the terminal, and returns whether they agreed.
pub(super) fn agreed(question: &str) -> Result<bool, CliError> {
    let mut terminal = std::io::stderr();
    write!(terminal, "{question} [y/N] ")?;
    terminal.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Whether the server may have carried out the request although the call failed with this code.
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
