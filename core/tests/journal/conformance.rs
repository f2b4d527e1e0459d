//! Every commit log under the one suite.

use std::cell::RefCell;
use std::sync::Arc;

use planledger_core::journal::conformance::conforms;
use planledger_core::journal::{FaultyDisk, MemoryLog, OsDisk, SegmentLog, SegmentOptions};

use crate::journal::support::{CREATED, LEDGER, create, small_segments};

#[test]
fn the_log_in_memory_conforms() {
    conforms(|| Box::new(MemoryLog::new(LEDGER, CREATED)));
}

#[test]
fn segments_on_the_systems_disk_conform() {
    let directories = RefCell::new(Vec::new());
    conforms(|| {
        let directory = tempfile::tempdir().unwrap();
        let disk = OsDisk::new(directory.path().join("ledger/journal")).unwrap();
        directories.borrow_mut().push(directory);
        let options = SegmentOptions::default();
        Box::new(SegmentLog::create(Arc::new(disk), LEDGER, CREATED, options).unwrap())
    });
}

#[test]
fn small_segments_conform() {
    conforms(|| Box::new(create(&FaultyDisk::new(), small_segments()).unwrap()));
}
