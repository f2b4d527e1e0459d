//! The place of the ledger on disk, for commands that open the ledger themselves.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use planledger_core::ledger::Options;

use crate::settings::{self, DEFAULT_DIR, SettingsError};
use crate::system::{SystemClock, SystemEntropy};

/// The place of the ledger on disk, for commands that open the ledger themselves.
#[derive(Debug, Clone, Args)]
pub(super) struct LedgerPlace {
    /// Directory of the ledger [default: planledger-data]
    #[arg(long, env = "PLANLEDGER_DIR", value_name = "DIR")]
    dir: Option<PathBuf>,
    /// File with the master key [default: keys/master.key in the directory]
    #[arg(long, env = "PLANLEDGER_MASTER_KEY_FILE", value_name = "FILE")]
    master_key_file: Option<PathBuf>,
    /// The master key itself, 64 hexadecimal digits
    #[arg(
        long,
        env = "PLANLEDGER_MASTER_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    #[arg(hide = true)]
    master_key: Option<String>,
    /// Public key of the rescue recipient, who can open every key if the master key is lost; only
    /// a new ledger takes it
    #[arg(long, env = "PLANLEDGER_RESCUE_RECIPIENT", value_name = "KEY")]
    rescue_recipient: Option<String>,
    /// The former name of `--rescue-recipient`, which still works
    #[arg(long, env = "PLANLEDGER_RECOVERY_RECIPIENT", value_name = "KEY")]
    #[arg(hide = true)]
    recovery_recipient: Option<String>,
}

impl LedgerPlace {
    pub(super) fn dir(&self, file: &settings::File) -> PathBuf {
        self.dir
            .clone()
            .or_else(|| file.dir.clone())
            .unwrap_or_else(|| DEFAULT_DIR.into())
    }

    /// The options to open the ledger.
    pub(super) fn options(&self, file: &settings::File) -> Result<Options, SettingsError> {
        let dir = self.dir(file);
        let key_file = self
            .master_key_file
            .as_deref()
            .or(file.master_key_file.as_deref());
        let recipient = self
            .rescue_recipient
            .as_deref()
            .or(self.recovery_recipient.as_deref())
            .or(file.rescue_recipient.as_deref());
        Ok(Options {
            master: settings::master_key(self.master_key.as_deref(), key_file, &dir)?,
            rescue: settings::rescue_key(recipient)?,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            progress: None,
            dir,
        })
    }
}
