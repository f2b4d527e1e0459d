//! The place of the ledger on disk, for commands that open the ledger themselves.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use planledger_core::ledger::{Ledger, Options, Undone};
use planledger_core::seal::MasterKey;

use super::error::CliError;
use super::process::new_files_are_private;
use crate::clock::{LedgerClock, check_after};
use crate::settings::master::{self, Keeping};
use crate::settings::{self, DEFAULT_DIR, SettingsError};
use crate::system::SystemEntropy;

/// The directory of the ledger.
#[derive(Debug, Clone, Args)]
pub(super) struct Directory {
    /// Directory of the ledger [default: planledger-data]
    #[arg(long, env = "PLANLEDGER_DIR", value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl Directory {
    pub(super) fn path(&self, file: &settings::File) -> PathBuf {
        self.dir
            .clone()
            .or_else(|| file.dir.clone())
            .unwrap_or_else(|| DEFAULT_DIR.into())
    }

    /// The directory, if there is a ledger in it.
    pub(super) fn existing(&self, file: &settings::File) -> Result<PathBuf, CliError> {
        let dir = self.path(file);
        match dir.join("journal").is_dir() {
            true => Ok(dir),
            false => Err(CliError::Refused(format!(
                "{} contains no ledger; name its directory with --dir",
                dir.display()
            ))),
        }
    }

    /// The options to open the ledger, with this master key. From here on, files that the process
    /// makes are its user's alone.
    pub(super) fn options(
        &self,
        file: &settings::File,
        master: MasterKey,
    ) -> Result<Options, SettingsError> {
        new_files_are_private();
        Ok(Options {
            dir: self.path(file),
            master,
            rescue: None,
            clock: Arc::new(LedgerClock::start()?),
            entropy: Arc::new(SystemEntropy),
            progress: None,
            undone: Undone::Refuse,
        })
    }
}

/// The place of the ledger on disk, and the keys to it.
#[derive(Debug, Clone, Args)]
pub(super) struct LedgerPlace {
    #[command(flatten)]
    directory: Directory,
    /// File with the master key [default: the credential planledger.master-key, or what
    /// master-key-command prints, or in development mode keys/master.key in the directory]
    #[arg(long, env = "PLANLEDGER_MASTER_KEY_FILE", value_name = "FILE")]
    master_key_file: Option<PathBuf>,
    /// Public key of the rescue recipient, who can open every key if the master key is lost; only
    /// a new ledger takes it
    #[arg(long, env = "PLANLEDGER_RESCUE_RECIPIENT", value_name = "KEY")]
    rescue_recipient: Option<String>,
    /// The former name of `--rescue-recipient`, which still works
    #[arg(long, env = "PLANLEDGER_RECOVERY_RECIPIENT", value_name = "KEY")]
    #[arg(hide = true)]
    recovery_recipient: Option<String>,
    /// Record events although the clock is more than 400 days later than the newest event
    #[arg(long)]
    accept_clock: bool,
}

impl LedgerPlace {
    /// Opens the ledger to record something in it.
    pub(super) fn open(&self, options: Options) -> Result<Ledger, CliError> {
        let clock = options.clock.clone();
        let ledger = Ledger::open(options).map_err(CliError::refused)?;
        if !self.accept_clock {
            check_after(ledger.status().recorded_at, clock.now()).map_err(CliError::refused)?;
        }
        Ok(ledger)
    }

    /// Fails if a file of the master key is named and is not there.
    pub(super) fn master_key_exists(&self, file: &settings::File) -> Result<(), CliError> {
        let named = self.master_key_file.as_ref();
        match named.or(file.master_key_file.as_ref()) {
            Some(path) if !path.exists() => Err(CliError::Usage(format!(
                "{} does not exist, and the ledger's keys open only with its own master key",
                path.display()
            ))),
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn dir(&self, file: &settings::File) -> PathBuf {
        self.directory.path(file)
    }

    /// The options to open the ledger. The master key may be beside the data.
    pub(super) fn options(&self, file: &settings::File) -> Result<Options, SettingsError> {
        self.options_with(file, Keeping::Anywhere)
    }

    /// The same for a ledger that must exist.
    pub(super) fn existing(&self, file: &settings::File) -> Result<Options, CliError> {
        self.directory.existing(file)?;
        Ok(self.options(file)?)
    }

    /// The options to open the ledger, whose master key is kept so.
    pub(super) fn options_with(
        &self,
        file: &settings::File,
        keeping: Keeping,
    ) -> Result<Options, SettingsError> {
        let recipient = self
            .rescue_recipient
            .as_deref()
            .or(self.recovery_recipient.as_deref())
            .or(file.rescue_recipient.as_deref());
        let rescue = settings::rescue_key(recipient)?;
        let named = self.master_key_file.as_deref();
        let source = master::source(named, file, &self.dir(file), keeping)?;
        Ok(Options {
            rescue,
            ..self.directory.options(file, source.master_key()?)?
        })
    }
}
