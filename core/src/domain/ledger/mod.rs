//! The ledger's own streams: one of the keys that sign its checkpoints, one of where all streams
//! ended when a checkpoint was made, which is long, and one of forks that were settled. The server
//! itself, or an administrator at its directory, is who asks for these; no client can.

mod decide;

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::hash::{Hash32, first};
use crate::ids::{LedgerId, Position, StreamId};
use crate::note::{Rotation, VerifierKey};
use crate::text::Reason;

const FORKS_STREAM_CONTEXT: &str = "planledger v1 2026-11-28 forks stream";
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
        /// The position.
        through: Position,
        /// Root over the heads of all streams: see [`crate::heads`].
        #[serde(with = "hex")]
        root: Hash32,
    },
    /// Records that somebody has looked at places where a stream was forked, and that it stands as
    /// it is from now on.
    SettleFork {
        /// The stream.
        stream: StreamId,
        /// Where it was forked: the first position of each second branch. Also positions up to
        /// which it was answered from an older state.
        forks: BTreeSet<Position>,
        /// Why it may stand, or what was done about it.
        reason: Reason,
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
        /// The key so far.
        #[serde(with = "text")]
        from: VerifierKey,
        /// The key from now on.
        #[serde(with = "text")]
        to: VerifierKey,
        /// What the key so far signed.
        statement: String,
    },
    /// Where every stream ended at a position.
    HeadsRecorded {
        /// The position.
        through: Position,
        /// Root over the heads of all streams.
        #[serde(with = "hex")]
        root: Hash32,
    },
    /// Forks of a stream were looked at, and stand as they are.
    ForkSettled {
        /// The stream.
        stream: StreamId,
        /// Where it was forked: the first position of each second branch. Also positions up to
        /// which it was answered from an older state.
        forks: BTreeSet<Position>,
        /// Why.
        reason: Reason,
    },
}

/// One of the ledger's own streams as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerState {
    /// The key that signs checkpoints, if there is one yet.
    #[serde(with = "optional_text", default)]
    pub key: Option<VerifierKey>,
    /// Where every stream ended, as it was recorded last.
    #[serde(default)]
    pub heads: Option<RecordedHeads>,
    /// What was settled: the streams, and where they were forked.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub settled: BTreeSet<(StreamId, Position)>,
}

/// Where every stream ended at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedHeads {
    /// The position.
    pub through: Position,
    /// Root over the heads of all streams.
    #[serde(with = "hex")]
    pub root: Hash32,
}

/// The stream in which heads are recorded: that of keys, the ledger's own id, stays short.
pub fn heads_stream(ledger: LedgerId) -> LedgerId {
    own_stream(HEADS_STREAM_CONTEXT, ledger)
}

/// The stream in which it is recorded that forks were settled. It is not that of keys, which stands
/// in every bundle of evidence: what it says is about other streams.
pub fn forks_stream(ledger: LedgerId) -> LedgerId {
    own_stream(FORKS_STREAM_CONTEXT, ledger)
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

mod hex {
    use super::{Deserialize, Deserializer, Hash32, Serializer};
    use crate::fields::{from_hex, to_hex};

    pub(super) fn serialize<S: Serializer>(
        hash: &Hash32,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&to_hex(hash))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Hash32, D::Error> {
        let text = String::deserialize(deserializer)?;
        from_hex(&text).ok_or_else(|| serde::de::Error::custom("no 32 bytes in hexadecimal"))
    }
}
