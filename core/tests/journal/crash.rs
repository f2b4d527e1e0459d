//! Whatever happens at whatever instant: all that was receipted is there, whole, and nothing of a
//! commit is there in part (P2).

use planledger_core::ids::Position;
use planledger_core::journal::conformance::{assert_holds, sample_group};
use planledger_core::journal::{
    AppendError, Commit, CommitLog, Fault, FaultyDisk, OpenError, PowerCut, ReadError, SegmentLog,
    SegmentOptions, Tail,
};
use planledger_core::time::Timestamp;
use planledger_fixtures::place::segments_of;
use proptest::prelude::*;

use crate::aftermath::{After, any_after, any_fault};
use crate::journal::support::{CREATED, create, open};

/// Payload lengths of a group's commits.
type Shape = Vec<Vec<usize>>;

/// Segments so small that every few groups begin a new one.
fn tiny_segments() -> SegmentOptions {
    segments_of(2_500)
}

/// What was tried and what was answered, over any number of processes.
#[derive(Clone)]
struct Story {
    disk: FaultyDisk,
    was_created: bool,
    /// Every commit ever receipted, in order.
    receipted: Vec<Commit>,
    /// Commits tried since the last receipt, which may be there or not.
    tried: Vec<Commit>,
    /// The instant of the next commit: later than any tried.
    instant: u64,
}

impl Story {
    fn new() -> Self {
        Self {
            disk: FaultyDisk::new(),
            was_created: false,
            receipted: Vec::new(),
            tried: Vec::new(),
            instant: CREATED.nanos(),
        }
    }

    /// The same story up to here, to be continued in another way.
    fn fork(&self) -> Self {
        Self {
            disk: self.disk.fork(),
            ..self.clone()
        }
    }

    /// Opens or creates the journal; `None` if that failed. Damage is never an answer.
    fn open(&mut self) -> Option<SegmentLog> {
        let opened = match open(&self.disk, tiny_segments()) {
            Err(OpenError::Empty) => {
                assert!(!self.was_created, "the journal is gone");
                create(&self.disk, tiny_segments())
            }
            opened => opened,
        };
        match opened {
            Ok(log) => {
                self.was_created = true;
                self.check(&log).then_some(log)
            }
            Err(OpenError::Io { .. }) => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// Checks what is there against what was receipted, and takes it for known from now on;
    /// `false` if the disk failed meanwhile, which says nothing about what is there.
    fn check(&mut self, log: &SegmentLog) -> bool {
        let mut frames = Vec::new();
        for frame in log.read_commits(log.segments()[0].first_commit) {
            match frame {
                Ok(frame) => frames.push(frame),
                Err(ReadError::Io { .. }) => return false,
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(log.tail().commit.get(), frames.len() as u64);
        assert!(
            frames.len() >= self.receipted.len(),
            "a receipted commit is lost"
        );
        assert!(frames.len() <= self.receipted.len() + self.tried.len());
        let commits = self.receipted.iter().chain(&self.tried);
        for (frame, commit) in frames.iter().zip(commits) {
            assert_holds(frame, commit);
        }
        // What a new process shows to readers stays for ever, receipted or not.
        let found = frames.len() - self.receipted.len();
        self.receipted.extend(self.tried.drain(..).take(found));
        self.tried.clear();
        true
    }

    /// Appends a group; whether it was receipted.
    fn append(&mut self, log: &SegmentLog, shape: &Shape) -> bool {
        let tail = log.tail();
        let latest = Timestamp::from_nanos(self.instant.max(tail.recorded_at.nanos()));
        let shape: Vec<Vec<&[usize]>> = shape
            .iter()
            .map(|lengths| vec![lengths.as_slice(), &[]])
            .collect();
        let shape: Vec<&[&[usize]]> = shape.iter().map(Vec::as_slice).collect();
        let group = sample_group(
            &Tail {
                recorded_at: latest,
                ..tail
            },
            0,
            &shape,
        );
        self.instant = latest.nanos() + 1_000 * (group.len() as u64 + 1);
        let mut appended = log.append(&tail, &group);
        // Nothing was written then, so it is tried once more. A process that is dead fails again.
        if let Err(AppendError::NotYet { .. }) = appended {
            assert_eq!(log.tail(), tail, "something that was not written is shown");
            appended = log.append(&tail, &group);
        }
        match appended {
            Err(AppendError::NotYet { .. }) => false,
            Ok(after) => {
                assert_eq!(log.tail(), after);
                self.receipted.extend(group);
                assert_eq!(after.commit.get(), self.receipted.len() as u64);
                true
            }
            Err(AppendError::Io { .. }) => {
                assert_eq!(log.tail(), tail, "something that was not synced is shown");
                let again = log.append(&tail, &group);
                assert!(matches!(again, Err(AppendError::Poisoned)), "{again:?}");
                self.tried = group;
                false
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// One process: opens the journal and appends until it is done or something fails.
    fn live(&mut self, shapes: &[Shape]) {
        let Some(log) = self.open() else { return };
        for shape in shapes {
            if !self.append(&log, shape) {
                return;
            }
        }
    }

    fn end_process(&mut self, after: After) {
        self.disk = after.leaves(&self.disk);
    }

    /// After all faults: the journal opens, shows what it must, takes more, and a power cut then
    /// loses nothing.
    fn end_well(mut self) {
        let log = self.open().expect("a sound disk opens");
        assert!(self.append(&log, &vec![vec![100]]));
        self.end_process(After::Reboot(PowerCut::LosesAll));
        let log = self.open().expect("a sound disk opens");
        assert_eq!(log.tail().commit.get(), self.receipted.len() as u64);
        assert_eq!(log.cut(), None);
        for position in 1..=log.tail().position.get() {
            assert!(log.entry(Position::new(position)).unwrap().is_some());
        }
    }
}

fn shapes() -> Vec<Shape> {
    vec![
        vec![vec![40, 17], vec![], vec![300]],
        vec![vec![16]],
        vec![vec![1_100], vec![30]],
        vec![vec![]],
        vec![vec![20; 4]],
        vec![vec![700, 50], vec![60]],
    ]
}

const AFTERMATHS: [After; 9] = [
    After::Restart,
    After::Reboot(PowerCut::LosesAll),
    After::Reboot(PowerCut::KeepsAll),
    After::Reboot(PowerCut::KeepsBytes(1)),
    After::Reboot(PowerCut::KeepsBytes(250)),
    After::Reboot(PowerCut::KeepsBytes(900)),
    After::Reboot(PowerCut::KeepsBlocks(1)),
    After::Reboot(PowerCut::KeepsBlocks(2)),
    After::Reboot(PowerCut::KeepsBlocks(3)),
];

/// Two processes, the second of which finds a journal, with a fault at one operation of either.
fn two_lives(faulty_life: usize, at: u64, fault: Fault, after: After) -> Story {
    let shapes = shapes();
    let mut story = Story::new();
    for (life, shapes) in shapes.chunks(3).enumerate() {
        if life == faulty_life {
            story.disk.inject(at, fault);
        }
        story.live(shapes);
        story.end_process(if life == faulty_life {
            after
        } else {
            After::Restart
        });
    }
    story
}

fn operations_of(life: usize) -> u64 {
    let shapes = shapes();
    let mut story = Story::new();
    for shapes in shapes.chunks(3).take(life) {
        story.live(shapes);
        story.end_process(After::Restart);
    }
    story.live(shapes.chunks(3).nth(life).unwrap());
    story.disk.operations()
}

#[test]
fn a_fault_at_any_operation_loses_nothing() {
    for life in 0..2 {
        let operations = operations_of(life);
        assert!(operations > 20, "{operations}");
        for at in 0..operations {
            for fault in [Fault::Kill, Fault::Fail, Fault::Short] {
                for after in AFTERMATHS {
                    two_lives(life, at, fault, after).end_well();
                }
            }
        }
    }
}

#[test]
fn a_fault_while_opening_after_a_crash_loses_nothing() {
    // Where the second process is while it writes: its appends, and a new segment.
    let operations = operations_of(1);
    for at in operations / 3..operations {
        for torn in [After::Restart, AFTERMATHS[4], AFTERMATHS[6]] {
            let crashed = two_lives(1, at, Fault::Kill, torn);
            let mut opened = crashed.fork();
            drop(opened.open());
            for second in 0..opened.disk.operations() {
                for (fault, after) in [
                    (Fault::Kill, After::Reboot(PowerCut::LosesAll)),
                    (Fault::Kill, After::Reboot(PowerCut::KeepsBlocks(second))),
                    (Fault::Fail, After::Restart),
                ] {
                    let mut story = crashed.fork();
                    story.disk.inject(second, fault);
                    drop(story.open());
                    story.end_process(after);
                    story.end_well();
                }
            }
        }
    }
}

#[test]
fn a_full_disk_loses_nothing() {
    let shapes = shapes();
    for space in (0..9_000).step_by(37) {
        for after in [After::Restart, After::Reboot(PowerCut::KeepsBytes(100))] {
            let mut story = Story::new();
            story.disk.limit_space(space);
            story.live(&shapes);
            story.end_process(after);
            story.end_well();
        }
    }
}

#[test]
fn a_failed_sync_ends_writing_for_good_and_hides_what_was_written() {
    let mut story = Story::new();
    let log = story.open().unwrap();
    assert!(story.append(&log, &vec![vec![50]]));
    let tail = log.tail();
    // Two looks at where the journal ends, a write, then its sync.
    story.disk.inject(story.disk.operations() + 3, Fault::Fail);
    assert!(!story.append(&log, &vec![vec![60]]));
    assert_eq!(log.tail(), tail);
    assert!(log.read(tail.position.next()).next().is_none());
    assert!(log.entry(tail.position.next()).unwrap().is_none());
    assert!(matches!(
        log.append(&log.tail(), &[]),
        Err(AppendError::Poisoned)
    ));
    // The next process reads the lost pages from memory. It must store them before it shows them.
    story.end_process(After::Restart);
    let log = story.open().unwrap();
    assert_eq!(log.tail().commit.get(), 2);
    story.end_process(After::Reboot(PowerCut::LosesAll));
    assert_eq!(story.open().unwrap().tail().commit.get(), 2);
    story.end_well();
}

#[test]
fn an_append_is_one_write_and_one_sync() {
    let mut story = Story::new();
    let log = story.open().unwrap();
    assert!(story.append(&log, &vec![vec![50]]));
    let before = story.disk.operations();
    assert!(story.append(&log, &vec![vec![16]; 20]) && log.segments().len() == 2);
    let rolled = story.disk.operations();
    assert!(story.append(&log, &vec![vec![16]]) && log.segments().len() == 3);
    drop(log);
    assert!(rolled > before + 4);
    let mut story = Story::new();
    let log = story.open().unwrap();
    for group in [vec![vec![50]], vec![vec![16], vec![], vec![20, 20]]] {
        let before = story.disk.operations();
        assert!(story.append(&log, &group));
        // And two looks at where the journal ends before them.
        assert_eq!(story.disk.operations() - before, 4);
    }
}

#[derive(Debug, Clone)]
struct Life {
    shapes: Vec<Shape>,
    faults: Vec<(u64, Fault)>,
    space: Option<u64>,
    after: After,
}

fn lives() -> impl Strategy<Value = Life> {
    let lengths = prop_oneof![4 => 16_usize..200, 1 => 200_usize..2_000];
    let shape = prop::collection::vec(prop::collection::vec(lengths, 0..4), 1..4);
    (
        prop::collection::vec(shape, 0..6),
        prop::collection::vec((0_u64..120, any_fault()), 0..3),
        prop::option::weighted(0.2, 0_u64..8_000),
        any_after(),
    )
        .prop_map(|(shapes, faults, space, after)| Life {
            shapes,
            faults,
            space,
            after,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_faults_and_crashes_loses_nothing(
        lives in prop::collection::vec(lives(), 1..6),
    ) {
        let mut story = Story::new();
        for life in lives {
            for (at, fault) in life.faults {
                story.disk.inject(at, fault);
            }
            if let Some(space) = life.space {
                story.disk.limit_space(space);
            }
            story.live(&life.shapes);
            story.end_process(life.after);
        }
        story.end_well();
    }
}
