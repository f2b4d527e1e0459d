//! Short ways to say what the tests do.

use planledger_fixtures::place::segments_of;
use std::sync::Arc;

use planledger_core::ids::LedgerId;
use planledger_core::journal::{FaultyDisk, OpenError, SegmentLog, SegmentOptions};
use planledger_core::time::Timestamp;

pub(crate) const LEDGER: LedgerId = LedgerId::from_bytes([0x11; 16]);
pub(crate) const CREATED: Timestamp = Timestamp::from_nanos(1_000_000);

/// Options for segments that hold a few frames each.
pub(crate) fn small_segments() -> SegmentOptions {
    segments_of(3_000)
}

pub(crate) fn create(disk: &FaultyDisk, options: SegmentOptions) -> Result<SegmentLog, OpenError> {
    SegmentLog::create(Arc::new(disk.clone()), LEDGER, CREATED, options)
}

pub(crate) fn open(disk: &FaultyDisk, options: SegmentOptions) -> Result<SegmentLog, OpenError> {
    SegmentLog::open(Arc::new(disk.clone()), options)
}
