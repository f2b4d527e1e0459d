//! How a server gets the cosignature of a monitor. The monitor follows the log by itself, so the server waits
//! for it a little, and only if the monitor keeps up.

use std::time::{Duration, Instant};

use planledger_core::tlog::{
    NoteError, NoteSignature, SignedCheckpoint, VerifierKey, Witness as Known,
};

use super::origin_hash;

/// How long a server waits for one monitor.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
/// The time from one question to the next.
const PAUSE: Duration = Duration::from_millis(100);
const ANSWER_BYTES: u64 = 64 << 10;

/// Why there is no cosignature of a monitor.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum AskMonitorError {
    /// The monitor does not answer, or its answer is too long.
    #[error("{0}")]
    Http(#[from] ureq::Error),
    /// The monitor has not cosigned the checkpoint yet. It may do so later.
    #[error("it has not cosigned the checkpoint of {size} events yet; its newest has {newest}")]
    Behind {
        /// The size of the checkpoint.
        size: u64,
        /// The size of the newest checkpoint that it has cosigned; 0 if there is none.
        newest: u64,
    },
    /// The answer has no cosignature of this checkpoint by the monitor's key.
    #[error("its cosignature is not valid: {0}")]
    Signature(NoteError),
    /// The monitor shows another checkpoint of the same size.
    #[error(
        "it shows another checkpoint of the same size: somebody sees another log than this one"
    )]
    Other,
}

/// Asks a monitor for its cosignature of a checkpoint. `before` is the size of the checkpoint that was asked
/// for before: who has not even cosigned that one is not waited for.
pub(super) fn ask(
    monitor: &Known,
    url: &str,
    signed: &SignedCheckpoint,
    before: u64,
) -> Result<NoteSignature, AskMonitorError> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        // A monitor must not lead the server elsewhere.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .build()
        .into();
    let hash = origin_hash(&signed.checkpoint.origin);
    let newest_url = format!("{}/{hash}/checkpoint", url.trim_end_matches('/'));
    let size = signed.checkpoint.size;
    let begun = Instant::now();
    loop {
        if let Some(note) = get(&agent, &format!("{newest_url}/{size}"))? {
            return cosignature(&note, signed, &monitor.key);
        }
        let newest = get(&agent, &newest_url)?;
        let newest = newest.and_then(|note| SignedCheckpoint::parse(&note).ok());
        let newest = newest.map_or(0, |newest| newest.checkpoint.size);
        if newest < before || begun.elapsed() >= PATIENCE {
            return Err(AskMonitorError::Behind { size, newest });
        }
        std::thread::sleep(PAUSE);
    }
}

fn get(agent: &ureq::Agent, url: &str) -> Result<Option<Vec<u8>>, ureq::Error> {
    let mut answer = agent.get(url).call()?;
    let status = answer.status().as_u16();
    let body = answer.body_mut().with_config().limit(ANSWER_BYTES);
    let body = body.read_to_vec()?;
    match status {
        200 => Ok(Some(body)),
        404 => Ok(None),
        status => Err(ureq::Error::StatusCode(status)),
    }
}

/// The cosignature of a checkpoint in a note, by a key.
fn cosignature(
    note: &[u8],
    signed: &SignedCheckpoint,
    key: &VerifierKey,
) -> Result<NoteSignature, AskMonitorError> {
    let shown = planledger_core::tlog::Note::parse(note).map_err(AskMonitorError::Signature)?;
    if shown.text() != signed.note.text() {
        return Err(AskMonitorError::Other);
    }
    shown.verify([key]).map_err(AskMonitorError::Signature)?;
    let by_key =
        |line: &&NoteSignature| (line.name.as_str(), line.key_id) == (key.name(), key.id());
    let found = shown.signatures().iter().find(by_key).cloned();
    found.ok_or(AskMonitorError::Signature(NoteError::Unsigned))
}
