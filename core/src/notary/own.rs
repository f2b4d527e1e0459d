//! What the ledger's own streams say: the key that signs, and the last record of heads.

use crate::domain::Aggregate;
use crate::domain::ledger::{NotedReads, RecordedHeads, heads_stream, reads_stream};
use crate::ledger::{Ledger, ReadError};
use crate::note::VerifierKey;

/// The key that signs a ledger's checkpoints, as the ledger's events say. `None` if there is no key
/// yet.
///
/// # Errors
/// The ledger could not be read.
pub fn key_on_record(ledger: &Ledger) -> Result<Option<VerifierKey>, ReadError> {
    Ok(Own::read(ledger)?.key)
}

/// What is on record of how far the ledger's access log has come; `None` if nothing.
pub(crate) fn noted_reads(ledger: &Ledger) -> Result<Option<NotedReads>, ReadError> {
    let id = ledger.status().ledger;
    let (noted, _) = ledger.read(|reading| {
        let found = reading.stream(reads_stream(id))?;
        Ok::<_, ReadError>(found.and_then(|(state, _)| match &*state {
            Aggregate::Ledger(state) => state.reads,
            _ => None,
        }))
    })?;
    Ok(noted)
}

/// What the ledger's own streams say.
pub(crate) struct Own {
    /// The key on record.
    pub(crate) key: Option<VerifierKey>,
    /// Where all streams ended, as the last record of heads says.
    pub(crate) heads: Option<RecordedHeads>,
}

impl Own {
    pub(crate) fn read(ledger: &Ledger) -> Result<Self, ReadError> {
        let id = ledger.status().ledger;
        let (own, _) = ledger.read(|reading| {
            let mut own = Self {
                key: None,
                heads: None,
            };
            for stream in [id, heads_stream(id)] {
                if let Some((state, _)) = reading.stream(stream)?
                    && let Aggregate::Ledger(state) = &*state
                {
                    own.key = own.key.or_else(|| state.key.clone());
                    own.heads = own.heads.or(state.heads);
                }
            }
            Ok::<_, ReadError>(own)
        })?;
        Ok(own)
    }
}
