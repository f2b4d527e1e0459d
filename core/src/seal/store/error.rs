//! Why the key store cannot be used.

use std::io;

use super::rescue::RescueKey;
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
    /// The file names somebody for whom every key would be wrapped too, and the master key does not
    /// vouch for them: an earlier version wrote the file, or somebody put the recipient there.
    #[error(
        "keys.log names a rescue recipient that the master key does not vouch for: {recipient}; if \
        it is yours, say so with `planledger keys add-rescue-recipient {recipient}`, or name it as \
        rescue-recipient in the settings; if it is not, somebody who can write to the directory put \
        it there: find out who, and name your own with the same command, or restore keys.log from \
        its backup"
    )]
    Unvouched {
        /// The recipient in the file.
        recipient: RescueKey,
    },
    /// The settings name a rescue recipient. The file names nobody, and the master key does not vouch for
    /// that: an earlier version made it without a recipient, or somebody took the recipient out.
    #[error(
        "keys.log names no rescue recipient, the master key does not vouch for that, and the settings \
         name {recipient}; if the ledger never had one, wrap its keys for this one with `planledger keys \
         add-rescue-recipient {recipient}`; if it had, somebody who can write to the directory took it \
         out: find out who, and run the same command, or restore keys.log from its backup"
    )]
    RecipientGone {
        /// The recipient that the settings name.
        recipient: RescueKey,
    },
    /// The rescue recipient is a point of low order.
    #[error(
        "{recipient} cannot be a rescue recipient: it is a point of low order, and anybody could \
        open what is sealed for it; make a key with `openssl genpkey -algorithm X25519`, and name it \
        with `planledger keys add-rescue-recipient`"
    )]
    WeakRecipient {
        /// The recipient.
        recipient: RescueKey,
    },
    /// Somebody wants to open the keys with a rescue key that they are not wrapped for.
    #[error(
        "this rescue key does not open keys.log: its public half is {given}, and the keys are wrapped \
        for {}", found.map_or("nobody".to_owned(), |found| found.to_string())
    )]
    NotRecipient {
        /// The public half of the key that was given.
        given: RescueKey,
        /// The recipient in the file; `None` if there is none.
        found: Option<RescueKey>,
    },
    /// A slot is damaged, or a slot before it is missing. Restore the key store from its backup.
    #[error("keys.log is damaged in slot {slot}; restore it from its backup")]
    Damaged {
        /// The number of the slot, from 1; 0 for the header.
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
    /// The key of the scope was destroyed, because the person was erased. There is no other one.
    #[error("the key was destroyed, because the person was erased")]
    Destroyed,
    /// The key store was opened for reading only.
    #[error("the key store is open for reading only")]
    ReadOnly,
}

/// Fails for a point of low order.
pub(super) fn check_recipient(recipient: RescueKey) -> Result<(), KeyStoreError> {
    match recipient.is_weak() {
        true => Err(KeyStoreError::WeakRecipient { recipient }),
        false => Ok(()),
    }
}

/// Says which operation failed.
pub(super) fn io_error(operation: &'static str) -> impl Fn(io::Error) -> KeyStoreError {
    move |source| KeyStoreError::Io { operation, source }
}
