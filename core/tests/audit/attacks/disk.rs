//! The journal changed by somebody who has no keys: by a broken disk, or on purpose.

use std::fs;
use std::path::Path;

use planledger_core::audit::FaultKind;
use planledger_core::ids::Position;
use planledger_core::journal::{
    self, CHECKSUM_LEN, COMMAND_LEN, CommitLog, DamageReason, HEADER_LEN, RECORD_LEN,
    SEGMENT_HEADER_LEN,
};
use planledger_core::ledger::{Ledger, OpenError};
use planledger_core::notary::{Notary, NotaryError};
use planledger_core::tlog::WitnessError;
use planledger_core::verify::PartName;

use super::{audit, witness};
use crate::audit::directory::{Directory, fault, frames, open_journal, payloads_at, record_at};
use crate::audit::school::{OTHERS, PLAN, SECOND, signer};
use crate::audit::story::Story;
use planledger_fixtures::place::{TempLedger, copy};

#[test]
fn a_flipped_bit_is_found_wherever_it_is_in_a_segment() {
    let directory = Directory::new();
    let segments = open_journal(directory.path()).segments();
    let last = segments.last().unwrap().number;
    for number in [1, 2, last] {
        let name = format!("journal/segment-{number:08}.log");
        let whole = fs::read(directory.file(&name)).unwrap();
        let all = frames(&whole);
        let frame = all[all.len() / 2];
        let (at, header) = frame;
        let first = header.first_position.get();
        let (commands, record) = (at + HEADER_LEN, record_at(frame, 0));
        assert_eq!(commands + COMMAND_LEN, record);
        let checksum = payloads_at(frame) - CHECKSUM_LEN;
        assert_eq!(record + header.entries as usize * RECORD_LEN, checksum);
        let segment = segments[number as usize - 1].first_position.get();
        let segment_header = [0, 8, 24, 32, 40, 48, 64, 72, 80, 96, SEGMENT_HEADER_LEN - 1];
        let frame_header = [0, 4, 8, 12, 16, 20, 28, 36, 44, 52, 68].map(|field| at + field);
        let command = [0, 16, 32, 49, 57, 61].map(|field| commands + field);
        // Back pointer, offset, leaf, then the entry, field by field.
        let entry = [
            0, 2, 3, 4, 20, 28, 60, 62, 64, 80, 81, 97, 98, 114, 122, 138, 170, 194, 198,
        ];
        let entry = entry.map(|field| 44 + field);
        let record = [&[0, 8, 12], entry.as_slice()].concat();
        let record = record.iter().map(|field| record_at(frame, 0) + field);
        let (begin, len) = (payloads_at(frame), header.payloads_len as usize);
        let payload = [
            (begin, first),
            (begin + len - 1, header.last_position().get()),
        ];
        let format = frame_header
            .into_iter()
            .chain(command)
            .chain(record)
            .chain([checksum]);
        let format = format.map(|byte| (byte, "FORMAT", first));
        let in_header = segment_header.map(|byte| (byte, "FORMAT", segment));
        let in_payload = payload.map(|(byte, position)| (byte, "PAYLOAD", position));
        for (byte, kind, position) in format.chain(in_header).chain(in_payload) {
            directory.edit(&name, |bytes| bytes[byte] ^= 0x10);
            let found = directory.verify();
            let journal = fault(&found, PartName::Journal);
            // The segment before one whose header is not sound ends at an unknown place.
            let position = match number {
                1 => position,
                _ if byte < SEGMENT_HEADER_LEN => {
                    let before = segments[number as usize - 2].first_position.get();
                    assert!(journal.unwrap().1 >= before);
                    journal.unwrap().1
                }
                _ => position,
            };
            assert_eq!(
                journal,
                Some((kind, position)),
                "byte {byte} of segment {number}"
            );
            let what = &found
                .part(PartName::Journal)
                .unwrap()
                .fault
                .as_ref()
                .unwrap()
                .what;
            assert!(what.contains(&format!("segment-{number:08}.log")), "{what}");
            fs::write(directory.file(&name), &whole).unwrap();
        }
    }
    assert_eq!(directory.faults(), []);
}

/// The journal's end cut off at a frame: what else is in the directory knows better. Without that,
/// only who holds a later checkpoint knows.
#[test]
fn a_dropped_tail_is_found_by_what_came_of_it() {
    let directory = Directory::new();
    let kept = directory.newest_checkpoint();
    let earlier = kept.checkpoint.size - 2;
    directory.reframe(|story| story.remove(&[earlier + 1, earlier + 2]));
    let found = directory.verify();
    assert_eq!(found.events.get(), earlier);
    assert_eq!(fault(&found, PartName::Journal), None);
    let end = earlier + 1;
    assert_eq!(
        fault(&found, PartName::Checkpoints),
        Some(("CHECKPOINT", end))
    );
    assert_eq!(fault(&found, PartName::Tiles), Some(("TILE", end)));
    assert_eq!(fault(&found, PartName::Derived), Some(("PROJECTION", end)));
    // The server: derived state had come further; without it, checkpoints had.
    let opened = Ledger::open(TempLedger::options_in(directory.path()));
    let Err(OpenError::Journal(journal::OpenError::Damaged(damage))) = opened else {
        panic!("it opened");
    };
    assert!(matches!(damage.reason, DamageReason::EndLost(_)));
    fs::remove_dir_all(directory.file("derived")).unwrap();
    let ledger = TempLedger::open_in(directory.path());
    let refused = Notary::open(ledger, directory.path(), signer());
    assert!(matches!(refused, Err(NotaryError::RolledBack { .. })));
    // With all of that cut back as well there is nothing in the directory that tells.
    let notes = directory.kept();
    let until = notes.iter().filter(|note| note.checkpoint.size <= earlier);
    let until: String = until.map(|note| format!("{}\n", note.note)).collect();
    fs::write(directory.file("checkpoints/checkpoints.txt"), until).unwrap();
    for gone in ["tlog", "derived"] {
        fs::remove_dir_all(directory.file(gone)).unwrap();
    }
    directory.serve();
    assert_eq!(directory.faults(), []);
    assert_eq!(audit(&directory, Some(&kept)), Err(FaultKind::Growth));
    assert!(matches!(
        witness(&directory, &kept),
        Err(WitnessError::Backwards { .. })
    ));
}

/// A stream's last event left out, back pointers mended, since nothing holds them to anything.
#[test]
fn a_dropped_end_of_one_stream_is_found_by_what_was_recorded_of_it() {
    let directory = Directory::new();
    let first = directory.kept()[0].checkpoint.size;
    let dropped = *Story::read(directory.path())
        .of_stream(OTHERS)
        .last()
        .unwrap();
    directory.reframe(|story| story.remove(&[dropped]));
    let found = directory.verify();
    let (kind, position) = fault(&found, PartName::Journal).unwrap();
    assert_eq!((kind, position >= dropped), ("BACK", true));
    let directory = Directory::new();
    directory.reframe(|story| {
        story.remove(&[dropped]);
        story.point_back();
    });
    let found = directory.verify();
    assert_eq!(fault(&found, PartName::Journal), None);
    // The record of heads has moved forward by one.
    assert_eq!(fault(&found, PartName::Heads), Some(("HEAD", first - 1)));
    assert_eq!(
        fault(&found, PartName::Checkpoints),
        Some(("CHECKPOINT", 1))
    );
    let end = found.events.get() + 1;
    assert_eq!(fault(&found, PartName::Tiles), Some(("TILE", end)));
    assert_eq!(fault(&found, PartName::Derived), Some(("PROJECTION", end)));
    // One from the middle breaks the chain of its stream.
    let directory = Directory::new();
    let of_plan = Story::read(directory.path()).of_stream(PLAN);
    let [.., dropped, next] = of_plan.as_slice() else {
        panic!("too few events");
    };
    directory.reframe(|story| story.remove(&[*dropped]));
    assert_eq!(
        directory.fault(PartName::Journal),
        Some(("REVISION", next - 1))
    );
}

#[test]
fn swapped_entries_are_found_where_they_are() {
    let directory = Directory::new();
    // A plan's first words and the opening of the next one.
    let story = Story::read(directory.path());
    let first = story.of_stream(PLAN)[1];
    directory.reframe(|story| story.swap(first, first + 1));
    assert_eq!(
        directory.fault(PartName::Journal),
        Some(("TIME", first + 1))
    );
    // Of one stream, to make it read differently.
    let directory = Directory::new();
    let positions = story.of_stream(PLAN);
    let (one, other) = (positions[1], positions[2]);
    directory.reframe(|story| story.swap(one, other));
    assert_eq!(directory.fault(PartName::Journal), Some(("REVISION", one)));
}

#[test]
fn a_back_dated_entry_is_found() {
    let directory = Directory::new();
    let position = Story::read(directory.path()).of_stream(PLAN)[2];
    directory.reframe(|story| {
        let before = story.at(position - 1).entry.recorded_at;
        story.at(position).entry.recorded_at = before;
    });
    let found = directory.verify();
    assert_eq!(fault(&found, PartName::Journal), Some(("TIME", position)));
    // What comes before it is judged all the same.
    assert_eq!(fault(&found, PartName::Checkpoints), None);
    let contents = found.part(PartName::Contents).unwrap();
    assert_eq!((contents.checked, &contents.fault), (position - 1, &None));
}

#[test]
fn swapped_payloads_are_found_where_they_are() {
    let directory = Directory::new();
    let story = Story::read(directory.path());
    // The same words in two plans: as many bytes.
    let (one, other) = (story.of_stream(PLAN)[1], story.of_stream(SECOND)[1]);
    directory.reframe(|story| {
        let sealed = story.at(one).sealed.clone();
        story.at(one).sealed = story.at(other).sealed.clone();
        story.at(other).sealed = sealed;
    });
    assert_eq!(directory.fault(PartName::Journal), Some(("PAYLOAD", one)));
    let read = open_journal(directory.path()).entry(Position::new(one));
    assert!(matches!(read, Err(journal::ReadError::Damaged(_))));
    // With its hash in the entry, the entry is another: the next one does not link to it, the
    // checkpoint is not of it, and it does not open.
    let directory = Directory::new();
    directory.reframe(|story| {
        let (sealed, hash) = {
            let other = story.at(other);
            (other.sealed.clone(), other.entry.sealed_hash)
        };
        let one = story.at(one);
        (one.sealed, one.entry.sealed_hash) = (sealed, hash);
    });
    let found = directory.verify();
    let next = story.of_stream(PLAN)[2];
    assert_eq!(fault(&found, PartName::Journal), Some(("LINK", next)));
    assert_eq!(fault(&found, PartName::Contents), Some(("SEALED", one)));
    // Overwritten with zeros it would count as redacted, which nobody has recorded.
    let directory = Directory::new();
    let name = "journal/segment-00000001.log";
    directory.edit(name, |bytes| {
        let frame = frames(bytes)[3];
        let (begin, len) = (payloads_at(frame), frame.1.payloads_len as usize);
        bytes[begin..begin + len].fill(0);
    });
    let found = directory.verify();
    assert_eq!(fault(&found, PartName::Journal), None);
    let zeroed = frames(&fs::read(directory.file(name)).unwrap())[3]
        .1
        .first_position
        .get();
    assert_eq!(fault(&found, PartName::Contents), Some(("PAYLOAD", zeroed)));
    assert!(found.redacted > 0);
}

#[test]
fn a_journal_of_another_ledger_does_not_pass() {
    let (directory, other) = (Directory::new(), Directory::new());
    for part in ["journal", "keys"] {
        fs::remove_dir_all(directory.file(part)).unwrap();
        copy(&other.file(part), &directory.file(part));
    }
    let parts: Vec<_> = directory.faults().iter().map(|(part, ..)| *part).collect();
    assert_eq!(parts, ["checkpoints", "tiles", "derived"]);
    let keys = Directory::new();
    fs::remove_dir_all(directory.file("keys")).unwrap();
    copy(&keys.file("keys"), &directory.file("keys"));
    let opened = Ledger::open(TempLedger::options_in(directory.path()));
    assert!(matches!(opened, Err(OpenError::Keys(_))));
    assert!(Path::new(&directory.file("lock")).exists());
}
