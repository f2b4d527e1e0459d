//! What a monitor keeps of a log, so that it need not begin at the first entry again after a restart.

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;

use super::Follower;
use super::opening::RecordsHeads;
use crate::audit::LogFold;
use crate::hash::{Context, Hash32};
use crate::heads::{StreamHead, read_bucket};
use crate::ids::StreamId;
use crate::note::{Note, NoteError, Signer, VerifierKey};
use crate::time::Timestamp;

const TITLE: &str = "planledger monitor state v1";
static BODY: Context = Context::new("planledger v1 2026-11-30 monitor state");
/// How many heads are read at a time.
const HEADS: usize = 1 << 10;

/// A monitor's state as bytes: a note that the monitor has signed, and after it what the note is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State(Vec<u8>);

/// Why bytes are not a state that may be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The bytes are not a state.
    #[error("it is not the state of a monitor")]
    Malformed,
    /// The monitor's key did not sign it.
    #[error("the monitor's key has not signed it: {0}")]
    Unsigned(NoteError),
    /// It is of another log.
    #[error("it is of another log")]
    Origin,
    /// Its bytes are not those that were signed.
    #[error("it was changed after it was signed")]
    Changed,
}

impl State {
    /// The state of a monitor that has followed a log to a checkpoint.
    pub fn sign(follower: &Follower, origin: &str, signer: &Signer, now: Timestamp) -> Self {
        let body = body(follower);
        let text = text(origin, follower.size(), &BODY.hash(&body));
        let signature = signer.sign(&text, now);
        let note = Note::new(text, vec![signature]).to_string();
        let mut bytes = (note.len() as u32).to_be_bytes().to_vec();
        bytes.reserve_exact(note.len() + body.len());
        bytes.extend_from_slice(note.as_bytes());
        bytes.extend_from_slice(&body);
        Self(bytes)
    }

    /// The bytes to be stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads a state that a monitor with this key has signed.
    ///
    /// # Errors
    /// [`StateError`]
    pub fn open(bytes: &[u8], origin: &str, key: &VerifierKey) -> Result<Follower, StateError> {
        let malformed = StateError::Malformed;
        let (length, rest) = bytes.split_first_chunk().ok_or(malformed.clone())?;
        let length = u32::from_be_bytes(*length) as usize;
        let (note, body) = rest.split_at_checked(length).ok_or(malformed.clone())?;
        let note = Note::parse(note).map_err(StateError::Unsigned)?;
        note.verify([key]).map_err(StateError::Unsigned)?;
        let follower = read_body(body).ok_or(malformed)?;
        let mut lines = note.text().lines();
        match (lines.next(), lines.next()) {
            (Some(TITLE), Some(named)) if named != origin => return Err(StateError::Origin),
            _ => {}
        }
        match note.text() == text(origin, follower.size(), &BODY.hash(body)) {
            true => Ok(follower),
            false => Err(StateError::Changed),
        }
    }
}

/// What is signed. Its second line is not a number, so nobody can take it for a checkpoint.
fn text(origin: &str, size: u64, hash: &Hash32) -> String {
    let hash = BASE64.encode(hash);
    format!("{TITLE}\n{origin}\n{size}\n{hash}\n")
}

fn body(follower: &Follower) -> Vec<u8> {
    let fold = follower.fold();
    let peaks = fold.frontier().peaks();
    let time = fold.last_time().unwrap_or_default();
    let stream = follower
        .stream
        .map_or([0; StreamId::LEN], |stream| stream.to_bytes());
    let numbers = [fold.size(), follower.records, time.nanos()];
    let mut body = numbers.map(u64::to_be_bytes).as_flattened().to_vec();
    body.reserve(fold.stream_count() as usize * StreamHead::LEN + (4 << 10));
    body.extend_from_slice(&stream);
    body.push(u8::from(follower.ends_with_record));
    body.extend_from_slice(peaks.as_flattened());
    for head in fold.streams() {
        body.extend_from_slice(&head.to_bytes());
    }
    body
}

fn read_body(body: &[u8]) -> Option<Follower> {
    let (size, body) = body.split_first_chunk()?;
    let (records, body) = body.split_first_chunk()?;
    let (time, body) = body.split_first_chunk()?;
    let (stream, body) = body.split_first_chunk::<{ StreamId::LEN }>()?;
    let (ends, body) = body.split_first()?;
    let [size, records, time] = [size, records, time].map(|bytes| u64::from_be_bytes(*bytes));
    let (peaks, heads) = body.split_at_checked(size.count_ones() as usize * 32)?;
    let (peaks, _) = peaks.as_chunks::<32>();
    if !heads.len().is_multiple_of(StreamHead::LEN) {
        return None;
    }
    let time = (size > 0).then(|| Timestamp::from_nanos(time));
    let heads = heads.chunks(HEADS * StreamHead::LEN);
    let heads = heads.flat_map(|chunk| read_bucket(chunk).unwrap_or_default());
    Some(Follower {
        fold: LogFold::of_streams(size, peaks.to_vec(), time, heads)?,
        is_record: RecordsHeads::default(),
        records,
        stream: StreamId::from_bytes(stream),
        ends_with_record: *ends == 1,
        behind: LogFold::BEHIND as u64,
    })
}
