//! What the journal hashes for.

use crate::hash::Context;

pub(super) static FRAME_HEADER: Context = Context::new("planledger v1 2026-11-23 frame header");
pub(super) static FRAME: Context = Context::new("planledger v1 2026-11-23 frame");
pub(super) static SEGMENT_HEADER: Context = Context::new("planledger v1 2026-11-23 segment header");
