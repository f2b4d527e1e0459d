//! Damage that no file on disk can lead to any more is made in memory here. The tests show that the
//! last checks find it, and that derived state is made again while the ledger is in use.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::counting::Counting;
use crate::derived::{DocKey, Term};
use crate::domain::institution::{InstitutionCommand, InstitutionDetails};
use crate::domain::person::{Affiliation, PersonCommand, Role};
use crate::domain::{Actor, Aggregate, Command};
use crate::entry;
use crate::ids::{CommandId, InstitutionId, PersonId, Position, Revision, StreamKind, SystemId};
use crate::ledger::history::stored;
use crate::ledger::sealer::Opened;
use crate::ledger::{
    EngineFault, Envelope, EventFilter, ExecuteError, Ledger, Options, Passed, ReadError, Request,
};
use crate::seal::{KeyScope, MasterKey};
use crate::text::Name;
use crate::time::{Entropy, Timestamp};

const ACTOR: Actor = Actor::System(SystemId::from_bytes([1; 16]));
const SCHOOL: InstitutionId = InstitutionId::from_bytes([2; 16]);

fn open(dir: &std::path::Path) -> Ledger {
    let master = MasterKey::from_bytes([7; 32]);
    let clock = Counting::from(1_800_000_000_000_000_000);
    Ledger::open(Options::new(dir, master, clock, Counting::from(1))).unwrap()
}

fn named(command: u8, name: &str) -> Envelope {
    let details = InstitutionDetails {
        name: Name::new(name).unwrap(),
        code: None,
    };
    let put = InstitutionCommand::Put {
        details,
        closed: false,
    };
    let id = CommandId::from_bytes([command; 16]);
    Envelope::new(id, Command::Institution(SCHOOL, put))
}

/// Randomness that fails as long as a test wants it to.
struct Failing(Counting, Arc<AtomicBool>);

impl Entropy for Failing {
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        match self.1.load(Ordering::Relaxed) {
            true => Err(io::Error::other("no entropy")),
            false => self.0.fill(bytes),
        }
    }
}

#[test]
fn a_command_that_gets_no_randomness_records_nothing_and_the_ledger_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let fails = Arc::new(AtomicBool::new(false));
    let entropy = Failing(Counting::from(1), fails.clone());
    let clock = Counting::from(1_800_000_000_000_000_000);
    let options = Options::new(dir.path(), MasterKey::from_bytes([7; 32]), clock, entropy);
    let ledger = Ledger::open(options).unwrap();
    fails.store(true, Ordering::Relaxed);
    let refused = ledger.execute(ACTOR, named(1, "A"));
    let Err(ExecuteError::Fault(EngineFault::Randomness(reason))) = refused else {
        panic!("{refused:?}");
    };
    assert!(reason.contains("no entropy"), "{reason}");
    assert_eq!(ledger.position(), Position::ZERO);
    assert!(ledger.status().writable, "the writer has not stopped");
    fails.store(false, Ordering::Relaxed);
    // The same command again, as the error says.
    let receipt = ledger.execute(ACTOR, named(1, "A")).unwrap();
    assert!(!receipt.replayed);
}

/// The state is as if an older document had been read and nothing had noticed it.
#[test]
fn a_frame_that_does_not_continue_the_journal_is_not_written_and_the_writer_starts_anew() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    let first = ledger.execute(ACTOR, named(1, "A")).unwrap();
    {
        // The journal's end of the stream differs from the state that the next command is decided
        // on.
        let docs = ledger.inner.docs();
        let stored = ledger.inner.log.entry(Position::new(1)).unwrap().unwrap();
        let mut entry = crate::entry::Entry::decode(&stored.entry).unwrap();
        entry.revision = entry.revision.next();
        entry.previous_link = crate::entry::link(&stored.entry);
        let link = crate::entry::link(&entry.encode());
        let (register, keys) = (docs.store().register(), &ledger.inner.keys);
        register
            .take(Position::new(2), Position::new(1), &entry, &link, keys)
            .unwrap();
    }
    let refused = ledger.execute(ACTOR, named(2, "B"));
    assert!(
        matches!(refused, Err(ExecuteError::NotReady(_))),
        "{refused:?}"
    );
    assert_eq!(ledger.position(), first.position, "nothing was written");
    // The same command is sent again, as the error asks, until derived state is made.
    let receipt = loop {
        match ledger.execute(ACTOR, named(2, "B")) {
            Err(ExecuteError::NotReady(_)) => std::thread::yield_now(),
            done => break done.unwrap(),
        }
    };
    assert_eq!(receipt.revision, first.revision.next());
    assert!(!receipt.replayed);
    let status = ledger.status();
    assert_eq!((status.derived_again, status.writable), (1, true));
    assert!(
        ledger
            .why_derived_again()
            .unwrap()
            .contains("does not follow")
    );
    assert!(ledger.execute(ACTOR, named(1, "A")).unwrap().replayed);
    drop(ledger);
    assert_eq!(open(dir.path()).status().derived_again, 0, "and for good");
}

#[test]
fn derived_state_in_doubt_is_made_again_under_readers_and_writers() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    let ledger = Arc::new(ledger);
    let doubter = std::thread::spawn({
        let ledger = ledger.clone();
        move || {
            for _ in 0..2 {
                ledger.derive_again("a test says so").unwrap();
                let key = DocKey::Postings(Term::All(StreamKind::Institution));
                ledger.inner.derived(|docs| docs.get(&key)).unwrap();
            }
        }
    });
    let mut last = None;
    for n in 1..=200 {
        let receipt = ledger
            .execute(ACTOR, named(n, &format!("Skole {n}")))
            .unwrap();
        assert_eq!(receipt.position, Position::new(n.into()));
        let (state, position) = ledger.read(|reading| reading.stream(SCHOOL)).unwrap();
        assert!(position >= receipt.position);
        assert_eq!(state.unwrap().1, receipt.revision);
        last = Some(receipt);
    }
    doubter.join().unwrap();
    assert_eq!(ledger.status().derived_again, 2);
    for n in 1..=200 {
        assert!(
            ledger
                .execute(ACTOR, named(n, &format!("Skole {n}")))
                .unwrap()
                .replayed
        );
    }
    assert_eq!(
        Some(ledger.position()),
        last.map(|receipt| receipt.position)
    );
    drop(ledger);
    let aside = dir.path().join("derived.set-aside");
    assert!(
        aside.is_dir(),
        "the last one that could not be used is kept"
    );
    assert_eq!(
        std::fs::read_dir(dir.path().join("derived"))
            .unwrap()
            .count(),
        1
    );
}

/// A payload of zeros counts as redacted. Then only the journal says where the stream ends.
#[test]
fn a_stream_whose_events_were_all_redacted_starts_and_goes_on_behind_them() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    ledger.execute(ACTOR, named(1, "A")).unwrap();
    let other = InstitutionId::from_bytes([3; 16]);
    let Envelope { id, command, .. } = named(2, "B");
    let Command::Institution(_, put) = command else {
        panic!("{command:?}")
    };
    let elsewhere = Envelope::new(id, Command::Institution(other, put));
    ledger.execute(ACTOR, elsewhere).unwrap();
    let sealed = ledger
        .inner
        .log
        .entry(Position::new(1))
        .unwrap()
        .unwrap()
        .sealed
        .unwrap();
    drop(ledger);
    let segment = dir.path().join("journal/segment-00000001.log");
    let mut bytes = std::fs::read(&segment).unwrap();
    let at = bytes
        .windows(sealed.len())
        .position(|part| part == sealed)
        .unwrap();
    bytes[at..at + sealed.len()].fill(0);
    std::fs::write(&segment, bytes).unwrap();
    std::fs::remove_dir_all(dir.path().join("derived")).unwrap();

    for n in [3, 4] {
        let ledger = open(dir.path());
        assert_eq!(ledger.status().derived_again, 0);
        let name = format!("Skole {n}");
        let receipt = ledger.execute(ACTOR, named(n, &name)).unwrap();
        assert_eq!(
            receipt.revision.get(),
            u64::from(n) - 1,
            "behind what was redacted"
        );
        let (state, _) = ledger.read(|reading| reading.stream(SCHOOL)).unwrap();
        assert_eq!(state.unwrap().1, receipt.revision);
        drop(ledger);
        std::fs::remove_dir_all(dir.path().join("derived")).unwrap();
    }
    let breaks = open(dir.path()).breaks();
    assert_eq!(breaks, []);
}

/// For example because the disk is full. The ledger tries again by itself even if no command comes,
/// because clients may send none to a server that accepts none.
#[test]
fn derived_state_that_cannot_be_made_again_is_made_later() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    let receipt = ledger.execute(ACTOR, named(1, "A")).unwrap();
    // A file stands where the folder would have to be.
    let aside = dir.path().join("derived.set-aside");
    std::fs::write(&aside, b"").unwrap();
    assert!(ledger.derive_again("a test says so").is_err());
    let refused = ledger.execute(ACTOR, named(2, "B"));
    assert!(
        matches!(refused, Err(ExecuteError::NotReady(_))),
        "{refused:?}"
    );
    let status = ledger.status();
    assert_eq!((status.writable, status.derived_again), (false, 0));
    assert_eq!(status.deriving, Some((0, 1)));
    // Documents that were found right can still be read.
    assert!(
        ledger
            .read(|reading| reading.stream(SCHOOL))
            .unwrap()
            .0
            .is_some()
    );
    std::fs::remove_file(&aside).unwrap();
    let writable = || ledger.status().writable.then_some(());
    let made = &ledger.inner.deriving.made;
    assert!(made.wait_for(Duration::from_secs(60), writable).is_some());
    assert_eq!(ledger.status().derived_again, 1);
    let after = ledger.execute(ACTOR, named(2, "B")).unwrap();
    assert_eq!(after.revision, receipt.revision.next());
    // No attempt left files behind.
    assert_eq!(
        std::fs::read_dir(dir.path().join("derived"))
            .unwrap()
            .count(),
        1
    );
}

/// A command is decided while the events before it in its stream are not sealed, are being written, or have
/// just been published; others between them look at the same stream and are refused or change nothing.
#[test]
fn events_continue_their_streams_whichever_group_they_are_sealed_in() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    let (reply, replies) = crossbeam_channel::unbounded();
    const COMMANDS: u64 = 3_000;
    for n in 0..COMMANDS {
        // Every fourth command of a school changes nothing.
        let Envelope { command, .. } = named(1, &format!("Skole {}", n - n / 3 % 4 / 3 * 3));
        let Command::Institution(_, put) = command else {
            panic!("{command:?}")
        };
        let school = InstitutionId::from_bytes([(n % 3) as u8; 16]);
        let mut id = [9; 16];
        id[8..].copy_from_slice(&n.to_be_bytes());
        let mut envelope =
            Envelope::new(CommandId::from_bytes(id), Command::Institution(school, put));
        if n % 5 == 4 {
            envelope.expected_revision = Some(Revision::new(u64::MAX));
        }
        let reply = reply.clone();
        let request = Request::new(
            ACTOR,
            vec![envelope],
            Box::new(move |result| reply.send((n, result)).unwrap()),
        );
        ledger.submit(request).unwrap();
        // So that groups are of every size, also of one.
        if n % 97 < 20 {
            ledger.pass(Timestamp::default()).unwrap();
        }
    }
    for _ in 0..COMMANDS {
        match replies.recv().unwrap() {
            (n, Ok(_)) => assert_ne!(n % 5, 4),
            (n, Err(ExecuteError::Conflict { .. })) => assert_eq!(n % 5, 4),
            (n, Err(error)) => panic!("{n}: {error}"),
        }
    }
    assert_eq!(ledger.status().derived_again, 0);
    let heads = |ledger: &Ledger| {
        [0, 1, 2].map(|school| {
            let school = InstitutionId::from_bytes([school; 16]);
            ledger.present(school.into()).unwrap().unwrap().head
        })
    };
    let (before, root) = (heads(&ledger), ledger.status().root);
    drop(ledger);
    std::fs::remove_dir_all(dir.path().join("derived")).unwrap();
    let again = open(dir.path());
    assert_eq!(heads(&again), before, "what a replay gives");
    assert_eq!(again.status().root, root);
    assert_eq!(again.breaks(), []);
}

/// Keys are drafted while a command is decided, and others see them meanwhile. Here the draft of a command that is refused is
/// there while a reader comes to the end, and the student gets another key with the next command.
#[test]
fn a_reader_of_a_student_misses_no_event_because_a_command_was_refused() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    ledger.execute(ACTOR, named(1, "A")).unwrap();
    let student = PersonId::from_bytes([3; 16]);
    let filter = EventFilter {
        student: Some(student),
        ..EventFilter::default()
    };
    let mut events = ledger.events(Position::ZERO, filter);
    let keys = &ledger.inner.keys;
    let scope = KeyScope::Person(student);
    let now = Timestamp::from_nanos(1);
    let drafted = keys
        .active_or_draft(scope, now, &Counting::from(77))
        .unwrap();
    assert_eq!(
        events.next().unwrap().unwrap(),
        Passed::Through(Position::new(1))
    );
    keys.drop_drafts();
    let put = PersonCommand::Put {
        name: Name::new("Åse").unwrap(),
        affiliations: BTreeSet::from([Affiliation {
            institution: SCHOOL,
            role: Role::Student,
            grade: None,
        }]),
        departed: false,
        record: None,
    };
    let id = CommandId::from_bytes([2; 16]);
    let receipt = ledger
        .execute(ACTOR, Envelope::new(id, Command::Person(student, put)))
        .unwrap();
    assert_ne!(keys.id_of(scope), Some(drafted.id));
    let found = events.filter_map(|passed| match passed.unwrap() {
        Passed::Event(event) => Some(event.position),
        Passed::Through(_) => None,
    });
    let expected = 2..=receipt.position.get();
    assert_eq!(
        found.collect::<Vec<_>>(),
        expected.map(Position::new).collect::<Vec<_>>()
    );
}

/// A file system may give a reader a part of a payload as it was and the rest as it is now.
#[test]
fn a_payload_that_is_read_while_it_is_overwritten_is_redacted_and_not_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    let position = ledger.execute(ACTOR, named(1, "A")).unwrap().position;
    let (stored, entry) = stored(&*ledger.inner.log, position).unwrap();
    let mut torn = stored.sealed.unwrap();
    let half = torn.len() / 2;
    torn[..half].fill(0);
    let open = || {
        ledger
            .opener()
            .open(position, &entry, &stored.entry, Some(&torn))
    };
    let Err(error) = open() else {
        panic!("what is not what was sealed was opened")
    };
    assert!(matches!(error, ReadError::Seal { .. }), "{error:?}");
    ledger.inner.log.redact(position).unwrap();
    assert!(matches!(open(), Ok(Opened::Redacted)));
}

/// What was read before is at hand, and the stream goes on meanwhile; snapshots come at revisions 64, 128, 192, 256 and 384.
#[test]
fn the_past_of_a_stream_that_grows_reads_right_in_any_order() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    let other = InstitutionId::from_bytes([4; 16]);
    // Where the events of the stream are, and what each says.
    let mut said: Vec<(u64, String)> = Vec::new();
    let mut nth = 0_u64;
    for round in 0..10_u64 {
        for _ in 0..75 {
            nth += 1;
            let name = format!("Skole {nth}");
            let Envelope { command, .. } = named(1, &name);
            let Command::Institution(_, put) = command else {
                panic!("{command:?}")
            };
            // Every third event is of another stream.
            let school = if nth.is_multiple_of(3) { other } else { SCHOOL };
            let mut id = [9; 16];
            id[8..].copy_from_slice(&nth.to_be_bytes());
            let id = CommandId::from_bytes(id);
            let receipt =
                ledger.execute(ACTOR, Envelope::new(id, Command::Institution(school, put)));
            let position = receipt.unwrap().position.get();
            if school == SCHOOL {
                said.push((position, name));
            }
        }
        let last = ledger.position().get();
        for n in 0..300_u64 {
            // A prime: an order that looks like none. Some are near each other, and some are the newest.
            let at = match n % 3 {
                0 => last - n / 3 % 20,
                1 => (n + round) * 7_919 % last + 1,
                _ => last / 2 + n / 30,
            };
            let found = ledger.at(SCHOOL.into(), Position::new(at)).unwrap();
            let expected = said.partition_point(|(position, _)| *position <= at);
            let (position, name) = &said[expected - 1];
            let found = found.unwrap();
            assert_eq!(found.head.position.get(), *position, "at {at} of {last}");
            assert_eq!(found.head.revision.get(), expected as u64);
            let Aggregate::Institution(school) = &*found.state else {
                panic!("{:?}", found.state)
            };
            assert_eq!(school.details.name.as_str(), name);
            let link = entry::link(
                &ledger
                    .inner
                    .log
                    .entry(found.head.position)
                    .unwrap()
                    .unwrap()
                    .entry,
            );
            assert_eq!(found.head.link, link);
        }
        let newest = ledger.history(SCHOOL.into(), Some(Position::new(last / 2)), 40);
        let newest: Vec<_> = newest
            .unwrap()
            .iter()
            .map(|event| event.position.get())
            .collect();
        let before = said.iter().rev().map(|(position, _)| *position);
        let expected: Vec<_> = before
            .filter(|position| *position < last / 2)
            .take(40)
            .collect();
        assert_eq!(newest, expected);
    }
}
