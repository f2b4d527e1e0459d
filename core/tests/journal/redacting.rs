//! A payload is overwritten on a disk that fails: it is there or it is zeros, and all else is there.

use planledger_core::ids::Position;
use planledger_core::journal::conformance::sample_group;
use planledger_core::journal::{
    CommitLog, Fault, FaultyDisk, OpenError, OpenMode, PowerCut, SegmentLog, SegmentOptions,
};

use crate::journal::support::{create, open, small_segments};

/// The event that is redacted. Its payload takes several blocks of the disk.
const TARGET: Position = Position::new(2);

/// A journal of three groups in two segments.
fn written() -> (FaultyDisk, Vec<Vec<u8>>) {
    let disk = FaultyDisk::new();
    let log = create(&disk, small_segments()).unwrap();
    let mut sealed = Vec::new();
    for lengths in [&[300, 2_000, 400][..], &[500], &[1_200]] {
        let tail = log.tail();
        let group = sample_group(&tail, tail.position.get(), &[&[lengths]]);
        log.append(&tail, &group).unwrap();
        let entries = group.into_iter().flat_map(|commit| commit.entries);
        sealed.extend(entries.map(|entry| entry.sealed.to_vec()));
    }
    (disk, sealed)
}

/// Whether the target is gone; everything else has to be there.
fn is_gone(log: &SegmentLog, sealed: &[Vec<u8>]) -> bool {
    let mut gone = false;
    for (number, payload) in (1..).zip(sealed) {
        let position = Position::new(number);
        let found = log.entry(position).unwrap().unwrap().sealed;
        match found {
            Some(found) => assert_eq!(found, *payload),
            None => {
                assert_eq!(position, TARGET);
                gone = true;
            }
        }
    }
    assert_eq!(log.tail().position.get(), sealed.len() as u64);
    gone
}

fn stands_somewhere(disk: &FaultyDisk, payload: &[u8]) -> bool {
    disk.names().iter().any(|name| {
        let bytes = disk.bytes(name).unwrap();
        let part = &payload[payload.len() - 64..];
        bytes.windows(part.len()).any(|at| at == part)
    })
}

fn is_finished(disk: &FaultyDisk) -> bool {
    !disk.names().iter().any(|name| name.contains("redaction"))
}

#[test]
fn a_payload_is_overwritten_or_there_whatever_happens_and_no_other_is_touched() {
    let (start, sealed) = written();
    let payload = &sealed[TARGET.get() as usize - 1];
    let begin = |disk: &FaultyDisk| {
        let log = open(disk, small_segments()).unwrap();
        (disk.operations(), log)
    };
    let (opened, ended) = {
        let disk = start.copy();
        let (opened, log) = begin(&disk);
        assert!(!is_gone(&log, &sealed));
        log.redact(TARGET).unwrap();
        assert!(is_gone(&log, &sealed) && is_finished(&disk));
        assert!(!stands_somewhere(&disk, payload));
        (opened, disk.operations())
    };
    let blocks = (1..8).map(PowerCut::KeepsBlocks);
    let bytes = [100, 700, 1_500].map(PowerCut::KeepsBytes);
    let cuts = [PowerCut::LosesAll, PowerCut::KeepsAll].into_iter();
    let cuts: Vec<_> = cuts.chain(bytes).chain(blocks).collect();
    for at in opened..ended {
        for fault in [Fault::Kill, Fault::Fail, Fault::Short] {
            let disk = start.copy();
            let (_, log) = begin(&disk);
            disk.inject(at, fault);
            // A write that stops halfway, and then the process dies.
            if fault == Fault::Short {
                disk.inject(at + 1, Fault::Kill);
            }
            let done = log.redact(TARGET).is_ok();
            drop(log);
            let restarted = std::iter::once(disk.fork().restart());
            let rebooted = cuts.iter().map(|how| disk.fork().reboot(*how));
            for next in restarted.chain(rebooted) {
                let log = open(&next, small_segments());
                let log = log.unwrap_or_else(|error| panic!("{fault:?} at {at}: {error}"));
                let gone = is_gone(&log, &sealed);
                assert!(gone || !done, "{fault:?} at {at}");
                assert_eq!(gone, !stands_somewhere(&next, payload));
                log.redact(TARGET).unwrap();
                drop(log);
                assert!(is_gone(&open(&next, small_segments()).unwrap(), &sealed));
                assert!(is_finished(&next) && !stands_somewhere(&next, payload));
            }
        }
    }
}

/// Whoever reads only changes nothing, so half a payload is nothing to be read.
#[test]
fn whoever_reads_only_is_told_that_a_redaction_is_unfinished() {
    let (disk, sealed) = written();
    // The note is written and has its name; the payload is untouched.
    let note = (0..).find_map(|nth| {
        let disk = disk.copy();
        let log = open(&disk, small_segments()).unwrap();
        disk.inject(disk.operations() + nth, Fault::Kill);
        assert!(log.redact(TARGET).is_err());
        let is_noted = disk.names().iter().any(|name| name == "redaction");
        is_noted.then(|| disk.restart())
    });
    let disk = note.unwrap();
    let read_only = SegmentOptions {
        mode: OpenMode::ReadOnly,
        ..small_segments()
    };
    match open(&disk, read_only) {
        Err(error @ OpenError::Io { .. }) => {
            assert!(
                error.to_string().contains("finishing a redaction"),
                "{error}"
            );
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it opens"),
    }
    assert!(!is_finished(&disk));
    let log = open(&disk, small_segments()).unwrap();
    assert!(is_gone(&log, &sealed) && is_finished(&disk));
}

/// Zeros in the last write of a journal look like a write that was not finished. Whoever puts an older copy
/// of the journal back has the acts on record carried out again on whatever the copy ends with.
#[test]
fn a_redaction_in_the_last_write_does_not_cut_that_write_off() {
    for (earlier, target) in [(false, 1), (true, 2)] {
        let disk = FaultyDisk::new();
        let log = create(&disk, SegmentOptions::default()).unwrap();
        let mut sealed = Vec::new();
        let groups: [&[&[&[usize]]]; 2] = [&[&[&[700]]], &[&[&[300, 900]], &[&[400]]]];
        for group in &groups[usize::from(!earlier)..] {
            let tail = log.tail();
            let group = sample_group(&tail, tail.position.get(), group);
            log.append(&tail, &group).unwrap();
            let entries = group.into_iter().flat_map(|commit| commit.entries);
            sealed.extend(entries.map(|entry| entry.sealed.to_vec()));
        }
        let tail = log.tail();
        log.redact(Position::new(target)).unwrap();
        // It goes on, too.
        let next = sample_group(&tail, 9, &[&[&[200]]]);
        let goes_on = disk.fork();
        assert!(log.append(&tail, &next).is_ok());
        for disk in [goes_on.fork().restart(), goes_on.reboot(PowerCut::LosesAll)] {
            let log = open(&disk, SegmentOptions::default()).unwrap();
            assert_eq!(log.tail(), tail);
            for (number, payload) in (1..).zip(&sealed) {
                let found = log.entry(Position::new(number)).unwrap().unwrap().sealed;
                assert_eq!(found.as_ref(), (number != target).then_some(payload));
            }
        }
    }
}
