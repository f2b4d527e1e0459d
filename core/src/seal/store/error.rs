//! Why the key store cannot be used.

use std::io;

use crate::ids::{KeyId, Position};

/// Why the key store cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyStoreError {
    /// The operating system refused an operation. After a failed write nothing more is written
    /// until the process is started again.
    #[error("the key store cannot be used: {operation}: {source}")]
    Io {
        /// The operation that failed.
        operation: &'static str,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file is not a key store, or belongs to another ledger. Restore the right one from its
    /// backup.
    #[error("keys.log belongs to another ledger; restore the key store of this ledger")]
    Foreign,
    /// The journal has entries under keys that are newer than the last key here: an older copy was
    /// put back. Restore the newest key store from its backup.
    #[error(
        "keys.log is older than the journal: it has {has} keys, but the journal needs the first \
        {needs} keys that were made; restore the newest key store from its backup"
    )]
    Older {
        /// How many keys there are.
        has: u64,
        /// How many keys there must be at least.
        needs: u64,
    },
    /// The keys are not those under which the journal's entries are sealed: an older copy was put
    /// back and then used. Restore the right key store from its backup.
    #[error(
        "keys.log has other keys than the ones that the journal is sealed under; restore the right \
        key store from its backup"
    )]
    Other,
    /// An entry of the journal is sealed under a key that is not here: an older copy was put back.
    /// Restore the newest key store from its backup.
    #[error(
        "keys.log is older than the journal: the event at position {position} is sealed under key \
         {key}, which it does not have; restore the newest key store from its backup"
    )]
    Lacks {
        /// The id of the missing key.
        key: KeyId,
        /// The position of the entry.
        position: Position,
    },
    /// The key store was made with another master key.
    #[error("the key store was made with another master key; give the ledger's own master key")]
    WrongMasterKey,
    /// A slot is damaged, or a slot before it is missing. Restore the key store from its backup.
    #[error("keys.log is damaged in slot {slot}; restore it from its backup")]
    Damaged {
        /// The number of the slot, from 1.
        slot: u64,
    },
    /// There is a journal but no key store. Restore the key store from its backup.
    #[error("keys.log is missing although the journal has entries; restore it from its backup")]
    Missing,
    /// The source of random bytes failed. Nothing was sealed.
    #[error("the operating system gives no random bytes: {0}")]
    Entropy(io::Error),
    /// A write failed earlier. Nothing can be written until the process is started again.
    #[error("an earlier write to the key store failed; restart the process")]
    Poisoned,
    /// The key store was opened for reading only.
    #[error("the key store is open for reading only")]
    ReadOnly,
}

/// Says which operation failed.
pub(super) fn io_error(operation: &'static str) -> impl Fn(io::Error) -> KeyStoreError {
    move |source| KeyStoreError::Io { operation, source }
}
