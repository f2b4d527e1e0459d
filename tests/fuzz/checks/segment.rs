//! Whatever is in a segment's file, opening the journal ends: it is refused, or all that is kept
//! can be read, is kept again, and takes more. Looking at it changes nothing.

use std::sync::Arc;

use planledger_core::ids::CommitSeq;
use planledger_core::journal::{
    CommandRecord, Commit, CommitLog, FaultyDisk, OpenMode, SegmentLog, SegmentOptions, Tail,
};
use planledger_core::time::Timestamp;

const NAME: &str = "segment-00000001.log";
const HEADER: usize = 128;

pub(crate) fn check(bytes: &[u8]) {
    open(bytes.to_vec());
    let mut sealed = bytes.to_vec();
    seal(&mut sealed);
    open(sealed);
}

/// Makes the hashes of the segment's header and of the frames after it right, as far as their
/// lengths allow, and each frame name the one before it.
fn seal(bytes: &mut [u8]) -> Option<()> {
    bytes.get_mut(..8)?.copy_from_slice(b"PLSEGv1\n");
    let context = "planledger v1 2026-11-23 segment header";
    let hash = blake3::derive_key(context, bytes.get(..96)?);
    bytes.get_mut(96..HEADER)?.copy_from_slice(&hash);
    let mut before = bytes.get(48..64)?.to_vec();
    let mut at = HEADER;
    loop {
        let frame = bytes.get_mut(at..)?;
        frame.get_mut(52..68)?.copy_from_slice(&before);
        let length = super::frame::seal(frame)?;
        let records = u32::from_be_bytes(frame.get(4..8)?.try_into().ok()?) as usize;
        before = frame.get(72 + records..)?.get(..16)?.to_vec();
        at += length;
    }
}

fn open(bytes: Vec<u8>) {
    let disk = FaultyDisk::new();
    disk.put_bytes(NAME, bytes.clone());
    let log = |mode| {
        let how = SegmentOptions {
            mode,
            ..SegmentOptions::default()
        };
        SegmentLog::open(Arc::new(disk.clone()), how)
    };
    let looked = log(OpenMode::ReadOnly).map(|log| (log.tail(), read(&log)));
    assert!(disk.bytes(NAME) == Some(bytes), "looking changed the file");
    let opened = log(OpenMode::ReadWrite).map(|log| (log.tail(), read(&log)));
    match (&looked, &opened) {
        (Ok(looked), Ok(opened)) => assert_eq!(looked, opened),
        (Err(looked), Err(opened)) => assert_eq!(looked.to_string(), opened.to_string()),
        (looked, opened) => panic!("looked at: {looked:?}; opened: {opened:?}"),
    }
    let Ok((tail, commits)) = opened else { return };
    let log = log(OpenMode::ReadWrite).expect("what was opened opens again");
    assert_eq!(log.cut(), None);
    assert_eq!((log.tail(), read(&log)), (tail, commits));
    append(&log, tail, commits);
}

/// Every frame, or how many could be read before a damaged one: payloads before the last write are
/// looked at only when they are read.
fn read(log: &SegmentLog) -> (usize, bool) {
    let mut count = 0;
    for frame in log.read_commits(CommitSeq::ZERO) {
        match frame {
            Ok(frame) => count += frame.commands().count().min(1),
            Err(_) => return (count, false),
        }
    }
    (count, true)
}

fn append(log: &SegmentLog, tail: Tail, (count, whole): (usize, bool)) {
    let latest = tail.recorded_at.nanos();
    let (Some(next), true) = (latest.checked_add(1), tail.commit.get() < u64::MAX - 2) else {
        return;
    };
    let command = CommandRecord {
        id: planledger_core::ids::CommandId::from_bytes([1; 16]),
        digest: [2; 16],
        stream: planledger_core::ids::PlanId::from_bytes([3; 16]).into(),
        revision: planledger_core::ids::Revision::new(1),
        entries: 0,
    };
    let commit = Commit {
        recorded_at: Timestamp::from_nanos(next),
        commands: vec![command],
        entries: Vec::new(),
    };
    log.append(&tail, &[commit])
        .expect("a sound journal takes more");
    if whole {
        assert_eq!(read(log), (count + 1, true));
    }
}
