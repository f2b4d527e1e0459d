//! The ledger's own streams. One has the keys that sign the ledger's checkpoints. One says where
//! all streams ended when a checkpoint was made; it is long. One has the forks that were settled, one
//! how far the access log had come, and what of it was lost, one which older states were put back, and
//! one where the ledger came from, if its events were carried over from an earlier one.
//! Only the server itself, or an administrator at the ledger's directory, sends these commands; no
//! client can.

mod decide;
mod origin;

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::origin::{CarriedOver, LostPlace, Origin, OwnEvent, PlaceHeld, origin_stream};

use crate::hash::{Hash32, first};
use crate::ids::{LedgerId, Position, StreamId};
use crate::note::{Rotation, VerifierKey};
use crate::text::ReasonText;
use crate::time::Timestamp;

const FORKS_STREAM_CONTEXT: &str = "planledger v1 2026-11-28 forks stream";
const READS_STREAM_CONTEXT: &str = "planledger v1 2026-11-29 access log notes stream";
const RESTORES_STREAM_CONTEXT: &str = "planledger v1 2026-11-30 restores stream";
const HEADS_STREAM_CONTEXT: &str = "planledger v1 2026-11-25 heads stream";

/// What can be asked of the ledger's own stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerCommand {
    /// Records the first key that signs checkpoints.
    IntroduceKey {
        /// The key.
        #[serde(with = "text")]
        key: VerifierKey,
    },
    /// Records that another key signs checkpoints from now on.
    RotateKey(Rotation),
    /// Records where every stream ended at a position.
    RecordHeads {
        /// The position up to which all events are counted, and no later one.
        through: Position,
        /// Root over the heads of all streams at that position: see [`crate::heads`].
        #[serde(with = "crate::hex::digits")]
        root: Hash32,
    },
    /// Records how many records the access log has, and their root, so that the loss of it is noticed.
    NoteAccessLog(NotedReads),
    /// Records that the end of the access log is lost, or all of it, and that it goes on without.
    SettleAccessLog(LostReads),
    /// Records that an older state of the ledger was put back from a backup.
    RecordRestore(Restored),
    /// Records that the events so far were carried over from an earlier ledger.
    RecordOrigin(CarriedOver),
    /// Records that somebody has looked at forks of a stream and leaves them as they are.
    SettleFork {
        /// The stream that was forked.
        stream: StreamId,
        /// Where it was forked: the first position of each second branch. Also positions up to
        /// which the server answered from an older state.
        forks: BTreeSet<Position>,
        /// Why the fork may stay, or what was done about it.
        reason: ReasonText,
    },
}

/// What happened in the ledger's own stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerEvent {
    /// The first key that signs checkpoints.
    KeyIntroduced {
        /// The key.
        #[serde(with = "text")]
        key: VerifierKey,
    },
    /// Another key signs from now on.
    KeyRotated {
        /// The key until now.
        #[serde(with = "text")]
        from: VerifierKey,
        /// The new key.
        #[serde(with = "text")]
        to: VerifierKey,
        /// The statement about the change, which the key until now has signed.
        statement: String,
    },
    /// Where every stream ended at a position.
    HeadsRecorded {
        /// The position up to which all events are counted, and no later one.
        through: Position,
        /// Root over the heads of all streams.
        #[serde(with = "crate::hex::digits")]
        root: Hash32,
    },
    /// The access log had so many records.
    AccessLogNoted(NotedReads),
    /// The end of the access log is lost, or all of it, and it goes on without.
    AccessLogLost(LostReads),
    /// An older state of the ledger was put back from a backup. What was recorded after it is lost.
    Restored(Restored),
    /// The events so far were carried over from an earlier ledger.
    CarriedOver(CarriedOver),
    /// A place of the earlier ledger whose event could not be carried over as it was.
    PlaceHeld(PlaceHeld),
    /// Somebody has looked at forks of a stream and leaves them as they are.
    ForkSettled {
        /// The stream that was forked.
        stream: StreamId,
        /// Where it was forked: the first position of each second branch. Also positions up to
        /// which the server answered from an older state.
        forks: BTreeSet<Position>,
        /// Why the fork may stay, or what was done about it.
        reason: ReasonText,
    },
}

/// One of the ledger's own streams as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerState {
    /// The key that signs checkpoints; `None` if there is no key yet.
    #[serde(with = "optional_text", default)]
    pub key: Option<VerifierKey>,
    /// Where every stream ended, as it was last recorded; `None` if it was never recorded.
    #[serde(default)]
    pub heads: Option<RecordedHeads>,
    /// The forks that were settled: each stream and the position where it was forked.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub settled: BTreeSet<(StreamId, Position)>,
    /// What was last noted of the access log; `None` if nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads: Option<NotedReads>,
    /// What was lost of the access log, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<Loss>,
    /// Which older states were put back, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restores: Vec<RestoreOnRecord>,
    /// The earlier ledger from which the events were carried over; `None` if the ledger began by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// An older state of the ledger was put back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// The last position that was put back; 0 if there was none. What follows it is recorded since.
    pub position: Position,
    /// The furthest position that is known to have been there before. What lies between is lost.
    pub reached: Position,
    /// When it was put back.
    pub restored_at: Timestamp,
    /// When the backup was made.
    pub backed_up_at: Timestamp,
    /// The checkpoint of most events that is known to have been signed, and that what was put back does
    /// not lead to; `None` if none is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beyond: Option<KnownCheckpoint>,
    /// How many commands are known that had a receipt and are lost. Each is refused if it comes again.
    pub commands: u64,
    /// Hash of the file with their ids.
    #[serde(with = "crate::hex::digits")]
    pub ids: Hash32,
    /// Why, as a person put it. No name of a person.
    pub reason: ReasonText,
}

/// A checkpoint that is known from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownCheckpoint {
    /// Of how many events it is: the position of its last event.
    pub size: Position,
    /// Root of the tree over them.
    #[serde(with = "crate::hex::digits")]
    pub root: Hash32,
}

/// An older state that was put back, as far as rules and status ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreOnRecord {
    /// The last position that was put back.
    pub position: Position,
    /// The furthest position that is known to have been there before.
    pub reached: Position,
    /// When it was put back.
    pub restored_at: Timestamp,
    /// The checkpoint of most events that it does not lead to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beyond: Option<KnownCheckpoint>,
    /// How many lost commands are refused if they come again.
    pub commands: u64,
    /// Hash of the file with their ids.
    #[serde(with = "crate::hex::digits")]
    pub ids: Hash32,
}

/// What is lost of the access log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostReads {
    /// How many records the ledger had on record; 0 if it had none.
    pub records: Position,
    /// How many of the first records are still there. What is recorded from now on comes after them.
    pub kept: Position,
    /// The instant from which on every read is there.
    pub complete_since: Timestamp,
    /// What happened, as a person put it. No name of a person.
    pub reason: ReasonText,
}

/// A loss of records of the access log, as far as rules ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// How many of the first records were still there.
    pub kept: Position,
    /// The instant from which on every read is there.
    pub complete_since: Timestamp,
}

/// What is noted of the access log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotedReads {
    /// How many records it had: the position of the last one.
    pub records: Position,
    /// Root of the tree over these records.
    #[serde(with = "crate::hex::digits")]
    pub root: Hash32,
}

/// Where every stream ended at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedHeads {
    /// The position up to which all events are counted, and no later one.
    pub through: Position,
    /// Root over the heads of all streams.
    #[serde(with = "crate::hex::digits")]
    pub root: Hash32,
}

/// The stream in which heads are recorded. It is not the stream of keys, whose id is the ledger's
/// own, so that the stream of keys stays short.
pub fn heads_stream(ledger: LedgerId) -> LedgerId {
    own_stream(HEADS_STREAM_CONTEXT, ledger)
}

/// The stream in which settled forks are recorded. It is not the stream of keys: that one is part
/// of every bundle of evidence, and what is said here is about other streams.
pub fn forks_stream(ledger: LedgerId) -> LedgerId {
    own_stream(FORKS_STREAM_CONTEXT, ledger)
}

/// The stream in which it is noted how far the access log has come.
pub fn reads_stream(ledger: LedgerId) -> LedgerId {
    own_stream(READS_STREAM_CONTEXT, ledger)
}

/// The stream in which it is recorded that older states were put back.
pub fn restores_stream(ledger: LedgerId) -> LedgerId {
    own_stream(RESTORES_STREAM_CONTEXT, ledger)
}

/// Whether a stream is one of the ledger's own. A log has no others of this kind: a second stream of keys or
/// of heads would let a server show some people another record of where streams ended.
pub fn is_own_stream(ledger: LedgerId, stream: StreamId) -> bool {
    let own = [
        ledger,
        heads_stream(ledger),
        forks_stream(ledger),
        reads_stream(ledger),
        restores_stream(ledger),
        origin_stream(ledger),
    ];
    own.into_iter().any(|own| StreamId::from(own) == stream)
}

fn own_stream(context: &str, ledger: LedgerId) -> LedgerId {
    let hash = blake3::derive_key(context, ledger.as_bytes());
    LedgerId::from_uuid(uuid::Builder::from_custom_bytes(first(&hash)).into_uuid())
}

impl LedgerState {
    /// The state after the first event.
    pub(in crate::domain) fn created(event: &LedgerEvent) -> Self {
        let mut state = Self {
            key: None,
            heads: None,
            settled: BTreeSet::new(),
            reads: None,
            lost: Vec::new(),
            restores: Vec::new(),
            origin: None,
        };
        state.apply(event);
        state
    }

    pub(in crate::domain) fn apply(&mut self, event: &LedgerEvent) {
        match event {
            LedgerEvent::KeyIntroduced { key } => self.key = Some(key.clone()),
            LedgerEvent::KeyRotated { to, .. } => self.key = Some(to.clone()),
            LedgerEvent::HeadsRecorded { through, root } => {
                self.heads = Some(RecordedHeads {
                    through: *through,
                    root: *root,
                });
            }
            LedgerEvent::AccessLogNoted(noted) => self.reads = Some(*noted),
            LedgerEvent::AccessLogLost(lost) => {
                // How far it has come counts anew.
                self.reads = None;
                self.lost.push(Loss {
                    kept: lost.kept,
                    complete_since: lost.complete_since,
                });
            }
            LedgerEvent::Restored(restored) => self.restores.push(RestoreOnRecord {
                position: restored.position,
                reached: restored.reached,
                restored_at: restored.restored_at,
                beyond: restored.beyond,
                commands: restored.commands,
                ids: restored.ids,
            }),
            LedgerEvent::CarriedOver(carried) => {
                self.origin = Some(Origin {
                    ledger: carried.ledger,
                    position: carried.position,
                });
            }
            // It says nothing of this ledger.
            LedgerEvent::PlaceHeld(_) => {}
            LedgerEvent::ForkSettled { stream, forks, .. } => {
                let settled = forks.iter().map(|fork| (*stream, *fork));
                self.settled.extend(settled);
            }
        }
    }
}

mod text {
    use super::{Deserialize, Deserializer, Serializer, VerifierKey};

    pub(super) fn serialize<S: Serializer>(
        key: &VerifierKey,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(key)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<VerifierKey, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

mod optional_text {
    use super::{Deserialize, Deserializer, Serialize, Serializer, VerifierKey};

    pub(super) fn serialize<S: Serializer>(
        key: &Option<VerifierKey>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        key.as_ref().map(ToString::to_string).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<VerifierKey>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let key = text.map(|text| text.parse().map_err(serde::de::Error::custom));
        key.transpose()
    }
}
