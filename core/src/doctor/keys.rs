//! What can be wrong with the key store.

use crate::seal::KeyStoreError;

/// What is wrong with the key store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFault {
    /// There is a journal, but no `keys.log`.
    Missing,
    /// `keys.log` belongs to another ledger.
    Foreign,
    /// The master key is another one than the ledger's.
    WrongMasterKey,
    /// A slot is damaged, or the header, which is slot 0.
    Damaged {
        /// The number of the slot.
        slot: u64,
    },
    /// The file is an older copy, or has other keys than the journal needs.
    Older {
        /// What the key store says.
        what: String,
    },
    /// The rescue recipient in the file is not the one that it should be.
    Recipient {
        /// What the key store says.
        what: String,
    },
    /// The file cannot be read.
    Unreadable {
        /// What the system said.
        what: String,
    },
}

impl KeyFault {
    /// The fault that an error of the key store is.
    pub(super) fn of(error: &KeyStoreError) -> Self {
        let what = error.to_string();
        match error {
            KeyStoreError::Missing => Self::Missing,
            KeyStoreError::Foreign => Self::Foreign,
            KeyStoreError::WrongMasterKey => Self::WrongMasterKey,
            KeyStoreError::Damaged { slot } => Self::Damaged { slot: *slot },
            KeyStoreError::Older { .. } | KeyStoreError::Other | KeyStoreError::Lacks { .. } => {
                Self::Older { what }
            }
            KeyStoreError::Unvouched { .. }
            | KeyStoreError::RecipientGone { .. }
            | KeyStoreError::WeakRecipient { .. }
            | KeyStoreError::NotRecipient { .. } => Self::Recipient { what },
            KeyStoreError::Io { .. }
            | KeyStoreError::Entropy(_)
            | KeyStoreError::Poisoned
            | KeyStoreError::Destroyed
            | KeyStoreError::ReadOnly => Self::Unreadable { what },
        }
    }

    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Missing => "KEYS_MISSING",
            Self::Foreign => "KEYS_FOREIGN",
            Self::WrongMasterKey => "WRONG_MASTER_KEY",
            Self::Damaged { .. } => "KEYS_DAMAGED",
            Self::Older { .. } => "KEYS_OLDER",
            Self::Recipient { .. } => "KEYS_RECIPIENT",
            Self::Unreadable { .. } => "KEYS_UNREADABLE",
        }
    }
}

impl std::fmt::Display for KeyFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => write!(
                f,
                "keys/keys.log is missing, although the journal has events"
            ),
            Self::Foreign => write!(f, "keys/keys.log belongs to another ledger"),
            Self::WrongMasterKey => write!(
                f,
                "the master key that was given is not the one that keys/keys.log was made with"
            ),
            Self::Damaged { slot } => write!(
                f,
                "keys/keys.log is damaged in slot {slot}, bytes {} to {}",
                slot * 256,
                slot * 256 + 255
            ),
            Self::Older { what } | Self::Recipient { what } | Self::Unreadable { what } => {
                write!(f, "{what}")
            }
        }
    }
}
