//! A ledger's keys, while nobody has the ledger open.

use super::directory::{existing, lock, lock_to_read, open_keys, os_disk};
use super::{OpenError, Options, acts};
use crate::journal::ledger_id;
use crate::seal::{KeyStoreMode, KeyStoreOptions, KeyStoreSummary, Rewrapping, rewrap};

/// How many keys a ledger has, and for whom they are wrapped. Changes nothing.
///
/// # Errors
/// [`OpenError`]; [`OpenError::Keys`] when the master key does not vouch for what is there.
pub fn keys_summary(options: &Options) -> Result<KeyStoreSummary, OpenError> {
    existing(&options.dir)?;
    let _lock = lock_to_read(&options.dir)?;
    let ledger = ledger_id(&*os_disk(&options.dir.join("journal"))?)?;
    Ok(open_keys(options, ledger, KeyStoreMode::ReadOnly)?.summary())
}

/// Wraps all keys of a ledger again. The journal is not touched: it names keys by their ids, which
/// stay. Derived state is authenticated under the master key, so after a new one the next start makes
/// it again. The acts that were carried out are noted under it too, and are noted again under the new one.
///
/// # Errors
/// [`OpenError`]. After an error the key store is the old one or the new one, whole.
pub fn rewrap_keys(options: &Options, how: &Rewrapping<'_>) -> Result<KeyStoreSummary, OpenError> {
    existing(&options.dir)?;
    let _lock = lock(&options.dir)?;
    let ledger = ledger_id(&*os_disk(&options.dir.join("journal"))?)?;
    let store = KeyStoreOptions {
        disk: os_disk(&options.dir.join("keys"))?,
        ledger,
        master: options.master.clone(),
        rescue: options.rescue,
        mode: KeyStoreMode::Existing,
    };
    match how {
        Rewrapping::MasterKey(new) => {
            acts::before_rewrapping(&options.dir, ledger, (&options.master, new))?;
        }
        Rewrapping::Recovery { .. } => acts::put_aside(&options.dir)?,
        Rewrapping::Recipient(_) => {}
    }
    let summary = rewrap(&store, how, options.entropy.as_ref())?;
    if matches!(how, Rewrapping::MasterKey(_)) {
        acts::after_rewrapping(&options.dir)?;
    }
    Ok(summary)
}
