//! `planledger backup`: backups of a ledger, made while its server runs.

mod create;
mod forget;
mod list;
mod places;
mod stream;
mod verify;

use clap::{Args, Subcommand};
use planledger_core::backup::{Keep, Pace};

pub(super) use self::places::{Existing, place};
use super::error::CliError;
use crate::settings::File;

/// Back a ledger up, look at backups and check them
#[derive(Debug, Subcommand)]
pub(super) enum Backup {
    /// Make a backup of a ledger's directory, also while its server runs
    Create(Box<create::Create>),
    /// Check a backup where it lies: every byte, every hash, every root; no key is needed
    Verify(verify::Verify),
    /// List the backups of a place
    List(list::List),
    /// Forget the backups that are not kept, and remove what no other backup needs
    Forget(forget::Forget),
}

impl Backup {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        match self {
            Self::Create(create) => create.run(file),
            Self::Verify(verify) => verify.run(),
            Self::List(list) => list.run(),
            Self::Forget(forget) => forget.run(),
        }
    }
}

/// How fast to read.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Rate {
    /// Most MiB to read in a second [default: as fast as it goes]
    #[arg(long, value_name = "MIB")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    rate: Option<u64>,
}

impl Rate {
    fn pace(self) -> Pace {
        Pace::new(self.rate.map(|rate| rate << 20))
    }
}

/// Which backups are kept; the newest always is.
#[derive(Clone, Copy, Debug, Args)]
struct Kept {
    /// Keep the newest so many backups
    #[arg(long, value_name = "COUNT")]
    keep_last: Option<usize>,
    /// Keep the newest backup of each of the last so many days that have one
    #[arg(long, value_name = "COUNT")]
    keep_daily: Option<usize>,
    /// Keep the newest backup of each of the last so many months that have one
    #[arg(long, value_name = "COUNT")]
    keep_monthly: Option<usize>,
    /// Keep no backup that is older than so many days, whatever the others say: after that, nobody who
    /// was erased is in any backup
    #[arg(long, value_name = "DAYS")]
    keep_days: Option<u64>,
}

impl Kept {
    const fn keep(self) -> Keep {
        Keep {
            last: self.keep_last,
            daily: self.keep_daily,
            monthly: self.keep_monthly,
            most_days: self.keep_days,
        }
    }
}
