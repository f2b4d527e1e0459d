//! The bytes of format version 1, and what is made of bytes that are not of it.

use planledger_fixtures::place::segments_of;
use std::path::Path;
use std::sync::Arc;

use planledger_core::ids::CommitSeq;
use planledger_core::journal::conformance::{assert_holds, sample_group};
use planledger_core::journal::{
    COMMAND_LEN, Commit, CommitLog, FaultyDisk, Frame, FrameError, HEADER_LEN, Header,
    MAX_FRAME_LEN, RECORD_LEN, SegmentOptions,
};
use proptest::prelude::*;

use crate::journal::support::{create, open};

fn groups() -> [Vec<&'static [&'static [usize]]>; 3] {
    [
        vec![&[&[16]]],
        vec![&[&[], &[30, 17]], &[&[]]],
        vec![&[&[40]]],
    ]
}

/// A journal of two segments, the commits in it and, in hexadecimal, its files.
fn golden() -> (FaultyDisk, Vec<Commit>, String) {
    let disk = FaultyDisk::new();
    let options = segments_of(1_700);
    let log = create(&disk, options).unwrap();
    let mut commits = Vec::new();
    for group in groups() {
        let tail = log.tail();
        let group = sample_group(&tail, 1, &group);
        log.append(&tail, &group).unwrap();
        commits.extend(group);
    }
    let mut text = String::new();
    for name in disk.names() {
        text += &format!("{name}\n");
        for line in disk.bytes(&name).unwrap().chunks(32) {
            text.extend(line.iter().map(|byte| format!("{byte:02x}")));
            text += "\n";
        }
    }
    (disk, commits, text)
}

fn parse(text: &str) -> FaultyDisk {
    let disk = FaultyDisk::new();
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for line in text.lines() {
        if line.starts_with("segment-") {
            files.push((line.to_owned(), Vec::new()));
            continue;
        }
        let bytes = (0..line.len()).step_by(2);
        let bytes = bytes.map(|at| u8::from_str_radix(&line[at..at + 2], 16).unwrap());
        files.last_mut().unwrap().1.extend(bytes);
    }
    for (name, bytes) in files {
        disk.put_bytes(&name, bytes);
    }
    disk
}

/// If this fails, journals that exist can no longer be read, or are written differently. Format
/// version 1 is final: a change needs a version of its own, never another fixture.
#[test]
fn a_journal_of_format_version_1_is_written_and_read_byte_for_byte() {
    let (_, commits, written) = golden();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/journal/journal-v1.hex");
    let golden = std::fs::read_to_string(path).unwrap();
    assert_eq!(written, golden);
    let log = open(&parse(&golden), SegmentOptions::default()).unwrap();
    assert_eq!(log.segments().len(), 2);
    let frames: Vec<_> = log
        .read_commits(CommitSeq::ZERO)
        .map(Result::unwrap)
        .collect();
    assert_eq!(frames.len(), commits.len());
    for (frame, commit) in frames.iter().zip(&commits) {
        assert_holds(frame, commit);
    }
}

fn frame_bytes() -> Vec<u8> {
    let (disk, ..) = golden();
    let log = open(&disk, SegmentOptions::default()).unwrap();
    let frame = log.read_commits(CommitSeq::new(2)).next().unwrap().unwrap();
    frame.bytes().to_vec()
}

fn decode(bytes: Vec<u8>) -> Result<Frame, FrameError> {
    Frame::decode(&Arc::new(bytes), 0)
}

/// Makes the header's hash right again.
fn seal_header(bytes: &mut [u8]) {
    let context = "planledger v1 2026-11-23 frame header";
    let hash = blake3::derive_key(context, &bytes[..68]);
    bytes[68..HEADER_LEN].copy_from_slice(&hash[..4]);
}

/// Makes the header's hash and, if its lengths allow, the checksum right again.
fn seal(bytes: &mut [u8]) {
    seal_header(bytes);
    if let Ok(header) = Header::decode(bytes) {
        let end = HEADER_LEN + header.records_len as usize;
        if end + 32 <= bytes.len() {
            let checksum = blake3::derive_key("planledger v1 2026-11-23 frame", &bytes[..end]);
            bytes[end..end + 32].copy_from_slice(&checksum);
        }
    }
}

#[test]
fn a_frame_that_ends_early_says_how_much_it_needs() {
    let bytes = frame_bytes();
    for len in 0..bytes.len() {
        match decode(bytes[..len].to_vec()) {
            Err(FrameError::Short { have, need }) => {
                assert_eq!(have, len as u64);
                let whole = if len < HEADER_LEN {
                    HEADER_LEN
                } else {
                    bytes.len()
                };
                assert_eq!(need, whole as u64);
            }
            other => panic!("{len}: {other:?}"),
        }
    }
    assert!(decode(bytes).is_ok());
}

#[test]
fn lengths_and_counts_beyond_the_limits_are_refused_before_anything_is_made_of_them() {
    let good = frame_bytes();
    // Records, payloads, commands, entries.
    for at in [4, 8, 12, 16] {
        for value in [0, 1, 1_001, 65_537, MAX_FRAME_LEN as u32, u32::MAX] {
            let mut bytes = good.clone();
            bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
            seal(&mut bytes);
            if bytes == good {
                continue;
            }
            let error = decode(bytes).unwrap_err();
            let is_right = matches!(error, FrameError::Counts | FrameError::Short { .. })
                && (value < 1_001 || at == 8 || error == FrameError::Counts);
            assert!(is_right, "{at} {value}: {error}");
        }
    }
    // Commit, position, group start.
    for (at, value) in [
        (20, 0),
        (20, u64::MAX),
        (28, 0),
        (28, u64::MAX),
        (36, 0),
        (36, 99),
    ] {
        let mut bytes = good.clone();
        bytes[at..at + 8].copy_from_slice(&u64::to_be_bytes(value));
        seal(&mut bytes);
        assert_eq!(
            decode(bytes).unwrap_err(),
            FrameError::Counts,
            "{at} {value}"
        );
    }
}

#[test]
fn records_that_contradict_each_other_are_refused_though_their_checksum_is_right() {
    let good = frame_bytes();
    let commands = HEADER_LEN;
    let entries = commands + 2 * COMMAND_LEN;
    let cases: [(usize, u8, FrameError); 8] = [
        (commands + 32, 14, FrameError::Command(0)),
        (commands + COMMAND_LEN + 61, 1, FrameError::Command(1)),
        (commands + COMMAND_LEN + 63, 1, FrameError::Command(1)),
        (commands + COMMAND_LEN + 60, 3, FrameError::Counts),
        (entries + 7, 2, FrameError::Entry(0)),
        (entries + 11, 1, FrameError::Entry(0)),
        (entries + RECORD_LEN + 11, 31, FrameError::Entry(1)),
        (entries + RECORD_LEN + 44 + 197, 18, FrameError::Counts),
    ];
    for (at, value, expected) in cases {
        let mut bytes = good.clone();
        assert_ne!(bytes[at], value);
        bytes[at] = value;
        seal(&mut bytes);
        assert_eq!(decode(bytes).unwrap_err(), expected, "{at}");
    }
}

/// What can be asked of a frame.
fn use_up(frame: &Frame) {
    assert!(frame.commands().count() as u32 == frame.header().commands);
    assert!(frame.entries().count() as u32 == frame.header().entries);
    let _ = (frame.check_payloads(), frame.checksum(), frame.detached());
}

proptest! {
    #[test]
    fn any_bytes_decode_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = decode(bytes.clone()).map(|frame| use_up(&frame));
        let mut bytes = bytes;
        if let Some(magic) = bytes.get_mut(..4) {
            magic.copy_from_slice(b"PLF1");
        }
        if bytes.len() >= HEADER_LEN {
            seal(&mut bytes);
        }
        let _ = decode(bytes).map(|frame| use_up(&frame));
    }

    #[test]
    fn a_changed_frame_with_right_hashes_decodes_or_is_refused(
        changes in prop::collection::vec((0_usize..1_500, any::<u8>()), 1..6),
    ) {
        let mut bytes = frame_bytes();
        for (at, value) in changes {
            let len = bytes.len();
            bytes[at % len] = value;
        }
        bytes[..4].copy_from_slice(b"PLF1");
        seal(&mut bytes);
        let _ = decode(bytes).map(|frame| use_up(&frame));
    }
}
