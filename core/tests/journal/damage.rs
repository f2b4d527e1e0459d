//! Whatever has changed since it was stored is noticed and named, never skipped.

use planledger_core::ids::{CommitSeq, Position};
use planledger_core::journal::conformance::sample_group;
use planledger_core::journal::{
    CHECKSUM_LEN, CommitLog, Damage, DamageReason, FaultyDisk, FrameError, HEADER_LEN, OpenError,
    ReadError, SegmentLog, SegmentOptions,
};
use planledger_fixtures::place::segments_of;

use crate::journal::support::{create, open};

const SEGMENT_HEADER: usize = 128;

/// A frame and where it is.
struct Placed {
    segment: u64,
    range: std::ops::Range<usize>,
    first_position: Position,
    /// Whether it is in the last group.
    is_last: bool,
}

/// Segments of two groups each.
fn small_segments() -> SegmentOptions {
    segments_of(5_200)
}

/// A journal of three segments, and its frames.
fn journal() -> (FaultyDisk, Vec<Placed>) {
    let disk = FaultyDisk::new();
    let log = create(&disk, small_segments()).unwrap();
    for seed in 0..6 {
        let tail = log.tail();
        let group = sample_group(&tail, seed, &[&[&[40, 17], &[]], &[&[90]], &[&[600], &[]]]);
        log.append(&tail, &group).unwrap();
    }
    let starts = log.segments();
    assert_eq!(starts.len(), 3);
    let last_group = log.tail().commit.get() - 2;
    let mut placed: Vec<Placed> = Vec::new();
    for frame in log.read_commits(CommitSeq::new(1)) {
        let frame = frame.unwrap();
        let segment = starts
            .iter()
            .rfind(|start| start.first_commit <= frame.commit())
            .unwrap()
            .number;
        let start = match placed.last() {
            Some(before) if before.segment == segment => before.range.end,
            _ => SEGMENT_HEADER,
        };
        placed.push(Placed {
            segment,
            range: start..start + frame.bytes().len(),
            first_position: frame.header().first_position,
            is_last: frame.header().group_start.get() == last_group,
        });
    }
    (disk, placed)
}

fn name(segment: u64) -> String {
    format!("segment-{segment:08}.log")
}

/// The damage that opening and then reading everything meets.
fn damage_met(disk: &FaultyDisk, options: SegmentOptions) -> Option<Damage> {
    let log: SegmentLog = match open(disk, options) {
        Ok(log) => log,
        Err(OpenError::Damaged(damage)) => return Some(damage),
        Err(error) => panic!("{error}"),
    };
    for frame in log.read_commits(CommitSeq::new(1)) {
        match frame {
            Ok(_) => {}
            Err(ReadError::Damaged(damage)) => return Some(damage),
            Err(error) => panic!("{error}"),
        }
    }
    None
}

fn with_change(disk: &FaultyDisk, segment: u64, change: impl FnOnce(&mut Vec<u8>)) -> FaultyDisk {
    let disk = disk.copy();
    let mut bytes = disk.bytes(&name(segment)).unwrap();
    change(&mut bytes);
    disk.put_bytes(&name(segment), bytes);
    disk
}

#[test]
fn a_flipped_bit_anywhere_is_noticed_and_named() {
    let (disk, placed) = journal();
    assert!(
        placed
            .iter()
            .any(|frame| frame.is_last && frame.segment == 3)
    );
    assert!(
        placed
            .iter()
            .any(|frame| !frame.is_last && frame.segment == 3)
    );
    for segment in 1..=3 {
        let len = disk.bytes(&name(segment)).unwrap().len();
        for at in 0..len {
            let changed = with_change(&disk, segment, |bytes| bytes[at] ^= 1 << (at % 8));
            let damage = damage_met(&changed, small_segments());
            let damage = damage.unwrap_or_else(|| panic!("byte {at} of segment {segment}"));
            assert_eq!(damage.segment, segment, "byte {at}: {damage}");
            if at < SEGMENT_HEADER {
                assert_eq!(damage.offset, 0);
                continue;
            }
            let hit = |frame: &&Placed| frame.segment == segment && frame.range.contains(&at);
            let frame = placed.iter().find(hit).unwrap();
            assert_eq!(
                damage.offset, frame.range.start as u64,
                "byte {at}: {damage}"
            );
            assert_eq!(damage.position, frame.first_position);
            let text = damage.to_string();
            assert!(text.contains(&name(segment)) && text.contains(&damage.offset.to_string()));
            assert!(text.contains(&format!("position {}", damage.position)));
        }
    }
}

#[test]
fn an_entry_that_changed_is_not_given_out() {
    let (disk, placed) = journal();
    let frame = placed.iter().find(|frame| frame.segment == 1).unwrap();
    // Two commands, then two entries.
    let records = frame.range.start + HEADER_LEN + 2 * 64;
    for at in records..frame.range.end {
        let changed = with_change(&disk, 1, |bytes| bytes[at] ^= 0x10);
        let log = open(&changed, small_segments()).unwrap();
        let payloads = records + 2 * 274 + CHECKSUM_LEN;
        for position in [1, 2] {
            let is_others = if position == 1 {
                at >= payloads + 40
            } else {
                at >= payloads && at < payloads + 40
            };
            match log.entry(Position::new(position)) {
                Err(ReadError::Damaged(damage)) => {
                    assert_eq!(
                        (damage.segment, damage.offset),
                        (1, frame.range.start as u64)
                    );
                    assert_eq!(damage.position.get(), position);
                }
                Ok(Some(_)) if is_others => {}
                other => panic!("byte {at}: {other:?}"),
            }
        }
    }
}

#[test]
fn blocks_that_vanished_before_a_later_write_are_damage() {
    let (disk, placed) = journal();
    for frame in placed
        .iter()
        .filter(|frame| frame.segment == 3 && !frame.is_last)
    {
        let zeroed = with_change(&disk, 3, |bytes| bytes[frame.range.clone()].fill(0));
        let damage = damage_met(&zeroed, small_segments()).unwrap();
        assert_eq!(
            (damage.segment, damage.offset),
            (3, frame.range.start as u64)
        );
        assert_eq!(damage.position, frame.first_position);
    }
}

#[test]
fn the_last_write_is_cut_off_where_it_is_torn_and_nowhere_else() {
    let (disk, placed) = journal();
    let last: Vec<&Placed> = placed.iter().filter(|frame| frame.is_last).collect();
    let start = last[0].range.start;
    let end = last.last().unwrap().range.end;
    for len in start..end {
        let torn = with_change(&disk, 3, |bytes| bytes.truncate(len));
        let log = open(&torn, small_segments()).unwrap();
        let whole = last.iter().filter(|frame| frame.range.end <= len).count();
        let kept = placed.len() - last.len() + whole;
        assert_eq!(log.tail().commit.get(), kept as u64, "{len}");
        let kept_len = placed[kept - 1].range.end;
        assert_eq!(torn.bytes(&name(3)).unwrap().len(), kept_len);
        match log.cut() {
            Some(cut) => {
                assert_eq!((cut.segment, cut.offset), (3, kept_len as u64));
                assert_eq!(cut.bytes, (len - kept_len) as u64);
            }
            None => assert_eq!(len, kept_len),
        }
    }
    // One byte less than what is not the last write.
    let shorter = with_change(&disk, 2, |bytes| bytes.truncate(bytes.len() - 1));
    let damage = damage_met(&shorter, small_segments()).unwrap();
    let last_of_second = placed.iter().rfind(|frame| frame.segment == 2).unwrap();
    assert_eq!(
        (damage.segment, damage.offset),
        (2, last_of_second.range.start as u64)
    );
    let longer = with_change(&disk, 2, |bytes| bytes.push(0));
    let damage = damage_met(&longer, small_segments()).unwrap();
    assert_eq!(
        (damage.segment, damage.offset),
        (2, last_of_second.range.end as u64)
    );
}

#[test]
fn frames_and_segments_that_are_dropped_moved_or_exchanged_are_noticed() {
    let (disk, placed) = journal();
    // A frame taken out of the middle, the rest moved up.
    for frame in placed
        .iter()
        .filter(|frame| frame.segment == 3 && !frame.is_last)
    {
        let changed = with_change(&disk, 3, |bytes| {
            bytes.drain(frame.range.clone());
        });
        let damage = damage_met(&changed, small_segments()).unwrap();
        assert_eq!(
            (damage.segment, damage.offset),
            (3, frame.range.start as u64)
        );
    }
    // A segment missing, and one in the place of another.
    let names = disk.names();
    for gone in 1..=2 {
        let fewer = FaultyDisk::new();
        for kept in names.iter().filter(|kept| **kept != name(gone)) {
            fewer.put_bytes(kept, disk.bytes(kept).unwrap());
        }
        let damage = damage_met(&fewer, small_segments()).unwrap();
        assert_eq!(damage.segment, gone);
    }
    let swapped = disk.copy();
    swapped.put_bytes(&name(2), disk.bytes(&name(1)).unwrap());
    assert_eq!(damage_met(&swapped, small_segments()).unwrap().segment, 2);
}

#[test]
fn two_frames_that_changed_places_are_noticed() {
    let disk = FaultyDisk::new();
    let options = segments_of(3_000);
    let log = create(&disk, options).unwrap();
    for seed in 0..10 {
        let tail = log.tail();
        log.append(&tail, &sample_group(&tail, seed, &[&[&[50]]]))
            .unwrap();
    }
    let len = log
        .read_commits(CommitSeq::new(1))
        .next()
        .unwrap()
        .unwrap()
        .bytes()
        .len();
    let starts = log.segments();
    assert_eq!(starts.len(), 2);
    for (segment, first_position) in starts
        .iter()
        .map(|start| (start.number, start.first_position))
    {
        let changed = with_change(&disk, segment, |bytes| {
            bytes[SEGMENT_HEADER..][..2 * len].rotate_left(len);
        });
        let damage = damage_met(&changed, options).unwrap();
        assert_eq!(
            (damage.segment, damage.offset),
            (segment, SEGMENT_HEADER as u64)
        );
        assert_eq!(damage.position, first_position);
        assert_eq!(damage.reason, DamageReason::Frame(FrameError::Chain));
    }
}

#[test]
fn a_segment_of_another_history_is_noticed_where_it_ends() {
    let options = segments_of(1_500);
    let history = |second: u64| {
        let disk = FaultyDisk::new();
        let log = create(&disk, options).unwrap();
        for seed in [1, second, 3, 4, 5] {
            let tail = log.tail();
            log.append(&tail, &sample_group(&tail, seed, &[&[&[50]]]))
                .unwrap();
        }
        assert_eq!(log.segments().len(), 3);
        disk
    };
    let (one, other) = (history(1), history(2));
    // Sound in itself, of the same length, and its neighbours know nothing of it but a checksum.
    let mixed = one.copy();
    mixed.put_bytes(&name(1), other.bytes(&name(1)).unwrap());
    let damage = damage_met(&mixed, options).unwrap();
    assert_eq!(damage.segment, 1);
    assert_eq!(damage.offset, mixed.bytes(&name(1)).unwrap().len() as u64);
}

#[test]
fn an_entry_of_a_large_frame_is_checked_too() {
    let disk = FaultyDisk::new();
    let log = create(&disk, SegmentOptions::default()).unwrap();
    let tail = log.tail();
    log.append(&tail, &sample_group(&tail, 1, &[&[&[40; 30]], &[&[16]]]))
        .unwrap();
    let record = SEGMENT_HEADER + HEADER_LEN + 64 + 7 * 274;
    let payload = SEGMENT_HEADER + HEADER_LEN + 64 + 30 * 274 + CHECKSUM_LEN + 7 * 40;
    assert!(log.entry(Position::new(8)).unwrap().is_some());
    for at in (record + 8..record + 274).chain(payload..payload + 40) {
        // Changed while the journal is open, so that opening does not notice it first.
        let disk = disk.copy();
        let log = open(&disk, SegmentOptions::default()).unwrap();
        disk.flip_bit(&name(1), at, 3);
        let answer = log.entry(Position::new(8));
        let Err(ReadError::Damaged(damage)) = answer else {
            panic!("byte {at}: {answer:?}")
        };
        assert_eq!((damage.segment, damage.offset), (1, SEGMENT_HEADER as u64));
        assert_eq!(damage.position, Position::new(8));
        assert!(log.entry(Position::new(7)).unwrap().is_some());
    }
}

#[test]
fn a_payload_of_zeros_is_redacted_if_a_later_write_follows_and_damage_if_not() {
    let (disk, placed) = journal();
    let payload = |frame: &Placed, len: usize| frame.range.end - len..frame.range.end;
    // The last frame of a group has one payload, of 600 bytes; the one before it one of 90.
    let frame = placed
        .iter()
        .rfind(|frame| frame.segment == 3 && !frame.is_last)
        .unwrap();
    let redacted = with_change(&disk, 3, |bytes| bytes[payload(frame, 600)].fill(0));
    let log = open(&redacted, small_segments()).unwrap();
    let stored = log.entry(frame.first_position).unwrap().unwrap();
    assert_eq!(stored.sealed, None);
    let read = log.read(frame.first_position).next().unwrap().unwrap();
    assert!(read.entries().next().unwrap().is_redacted());
    assert!(damage_met(&redacted, small_segments()).is_none());

    let frame = &placed[placed.len() - 2];
    let zeroed = with_change(&disk, 3, |bytes| bytes[payload(frame, 90)].fill(0));
    let damage = damage_met(&zeroed, small_segments()).unwrap();
    assert_eq!(
        (damage.segment, damage.offset),
        (3, frame.range.start as u64)
    );

    // Whole blocks of it: they may never have been written.
    let frame = placed.last().unwrap();
    let zeroed = with_change(&disk, 3, |bytes| bytes[payload(frame, 600)].fill(0));
    let log = open(&zeroed, small_segments()).unwrap();
    assert_eq!(log.cut().unwrap().offset, frame.range.start as u64);
    assert_eq!(log.tail().commit.get(), placed.len() as u64 - 1);
}
