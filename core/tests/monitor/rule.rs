//! The rule of a monitor, and what it keeps between two runs.

use planledger_core::audit::FaultKind;
use planledger_core::entry::Entry;
use planledger_core::ids::Position;
use planledger_core::merkle::{FromTiles, TileSource};
use planledger_core::monitor::{Follower, Refusal, State, StateError, beginning, path};
use planledger_core::time::Timestamp;
use planledger_core::tlog::{Algorithm, Checkpoint, DisclosedHeads, Signer};
use planledger_fixtures::made_log::{MadeLog, plan};

const ORIGIN: &str = "log.example/made";

fn monitor(seed: u8) -> Signer {
    Signer::new("monitor.example", Algorithm::Monitor, [seed; 32]).unwrap()
}

fn sound(events: u64) -> MadeLog {
    let mut log = MadeLog::new(ORIGIN);
    more(&mut log, events);
    log
}

fn more(log: &mut MadeLog, events: u64) {
    for n in 0..events {
        log.event(plan(n % 13));
    }
    log.checkpoint();
}

/// What opens the next record, as the log publishes it.
fn opens(log: &MadeLog, follower: &Follower) -> Option<DisclosedHeads> {
    let (file, line) = follower.next_record();
    let at = file as usize * 256 + line;
    log.disclosed.get(at).cloned()
}

fn follow(log: &MadeLog, follower: &mut Follower) -> Result<(), Refusal> {
    for entry in &log.entries[follower.size() as usize..] {
        let opens = follower.is_record(entry).then(|| opens(log, follower));
        follower.take(entry, opens.flatten().as_ref())?;
    }
    Ok(())
}

#[test]
fn what_was_saved_goes_on_as_if_nothing_had_happened() {
    let mut log = sound(100);
    let mut whole = Follower::default();
    follow(&log, &mut whole).unwrap();
    whole.agrees(&log.signed().checkpoint).unwrap();
    for events in [0, 1, 700, 20] {
        let saved = State::sign(&whole, ORIGIN, &monitor(1), Timestamp::default());
        let key = monitor(1).verifier();
        let mut again = State::open(saved.as_bytes(), ORIGIN, &key).unwrap();
        assert_eq!(again.size(), whole.size());
        assert_eq!(again.heads_root(), whole.heads_root());
        more(&mut log, events);
        follow(&log, &mut again).unwrap();
        follow(&log, &mut whole).unwrap();
        again.agrees(&log.signed().checkpoint).unwrap();
        let both =
            [&again, &whole].map(|one| State::sign(one, ORIGIN, &monitor(1), Timestamp::default()));
        let [again, whole] = both.map(|state| State::open(state.as_bytes(), ORIGIN, &key).unwrap());
        assert_eq!(again.stream_count(), whole.stream_count());
        assert_eq!(again.fold().root(), whole.fold().root());
    }
}

#[test]
fn a_state_that_somebody_else_wrote_or_changed_is_not_believed() {
    let log = sound(40);
    let mut follower = Follower::default();
    follow(&log, &mut follower).unwrap();
    let saved = State::sign(&follower, ORIGIN, &monitor(1), Timestamp::default());
    let open = |bytes: &[u8], origin: &str, seed| {
        State::open(bytes, origin, &monitor(seed).verifier()).err()
    };
    let bytes = saved.as_bytes();
    assert_eq!(open(bytes, ORIGIN, 1), None);
    assert_eq!(
        open(bytes, "log.example/other", 1),
        Some(StateError::Origin)
    );
    assert!(matches!(
        open(bytes, ORIGIN, 2),
        Some(StateError::Unsigned(_))
    ));
    for at in 0..bytes.len() {
        let mut changed = bytes.to_vec();
        changed[at] ^= 1;
        assert!(open(&changed, ORIGIN, 1).is_some(), "byte {at}");
        assert!(open(&bytes[..at], ORIGIN, 1).is_some(), "{at} bytes");
    }
    assert!(open(&[bytes, &[0]].concat(), ORIGIN, 1).is_some());
}

#[test]
fn what_opens_a_record_of_heads_must_be_its_own() {
    let log = sound(20);
    let record = *log.entries.last().unwrap();
    let position = Position::new(log.size());
    let mut elsewhere = sound(19);
    more(&mut elsewhere, 20);
    for opens in [
        None,
        Some(DisclosedHeads::new(position, &[0; 32], &[0; 40])),
        Some(elsewhere.disclosed[1].clone()),
    ] {
        let mut follower = Follower::default();
        for entry in &log.entries[..20] {
            follower.take(entry, None).unwrap();
        }
        let refused = follower.take(&record, opens.as_ref()).unwrap_err();
        assert!(matches!(refused, Refusal::Undisclosed(_)), "{refused}");
        assert_eq!(follower.size(), 20);
        follower.take(&record, log.disclosed.first()).unwrap();
    }
}

/// It says so, and does not take it for a lie.
#[test]
fn what_only_a_newer_version_knows_is_no_fault() {
    let log = sound(20);
    let mut version = log.entries[3];
    version[2] = 9;
    let mut kind = log.entries[3];
    kind[3] = 200;
    let mut follower = Follower::default();
    for entry in &log.entries[..3] {
        follower.take(entry, None).unwrap();
    }
    for newer in [version, kind] {
        let refused = follower.take(&newer, None).unwrap_err();
        assert!(matches!(refused, Refusal::Newer { .. }), "{refused}");
    }
    let mut record = Entry::decode(log.entries.last().unwrap()).unwrap();
    record.schema += 1;
    let mut follower = Follower::default();
    for entry in &log.entries[..20] {
        follower.take(entry, None).unwrap();
    }
    let refused = follower.take(&record.encode(), log.disclosed.first());
    assert!(matches!(refused, Err(Refusal::Newer { .. })), "{refused:?}");
}

#[test]
fn a_checkpoint_is_agreed_with_only_if_all_of_it_is_what_was_computed() {
    let mut log = sound(20);
    let mut follower = Follower::default();
    follow(&log, &mut follower).unwrap();
    let sound = log.signed().checkpoint;
    follower.agrees(&sound).unwrap();
    let kind = |checkpoint: &Checkpoint| follower.agrees(checkpoint).unwrap_err().kind;
    let other = Checkpoint {
        root: [1; 32],
        ..sound.clone()
    };
    assert_eq!(kind(&other), FaultKind::Checkpoint);
    let other = Checkpoint {
        size: sound.size + 1,
        ..sound
    };
    assert_eq!(kind(&other), FaultKind::Checkpoint);
    log.event(plan(1));
    let mut follower = Follower::default();
    follow(&log, &mut follower).unwrap();
    let without_record = follower.agrees(&log.signed().checkpoint);
    assert_eq!(without_record.unwrap_err().kind, FaultKind::Head);
}

/// The tiles of a made log.
struct Tiles<'a>(&'a MadeLog);

impl TileSource for Tiles<'_> {
    type Error = String;

    fn tile(&self, level: u8, index: u64, _: u16) -> Result<Vec<[u8; 32]>, String> {
        let hashes = self.0.size() >> (8 * u32::from(level));
        let width = (hashes - index * 256).min(256) as u16;
        let tile = planledger_core::merkle::Tile {
            level,
            index,
            width,
        };
        let bytes = self.0.file(&format!("tile/{level}/{}", tile.path()));
        let bytes = bytes.ok_or_else(|| self.short(level, index))?;
        Ok(bytes.as_chunks::<32>().0.to_vec())
    }

    fn short(&self, level: u8, index: u64) -> String {
        format!("{level} {index}")
    }
}

#[test]
fn proofs_from_tiles_hold_for_the_checkpoint_and_for_no_other() {
    let mut log = sound(3);
    let early = log.signed().checkpoint;
    more(&mut log, 700);
    let late = log.signed().checkpoint;
    let tiles = FromTiles(Tiles(&log));
    let found = beginning(&tiles, early.size, &late).unwrap().unwrap();
    assert_eq!(found.root, early.root);
    let same = beginning(&tiles, late.size, &late).unwrap().unwrap();
    assert_eq!((same.root, same.proof.len()), (late.root, 0));
    assert!(beginning(&tiles, 0, &late).unwrap().is_some());
    assert_eq!(beginning(&tiles, late.size + 1, &late).unwrap(), None);
    let position = Position::new(300);
    let entry = &log.entries[299];
    assert!(path(&tiles, position, entry, &late).unwrap().is_some());
    assert_eq!(
        path(&tiles, position, &log.entries[298], &late).unwrap(),
        None
    );
    assert_eq!(path(&tiles, Position::ZERO, entry, &late).unwrap(), None);
    let other = Checkpoint {
        root: [1; 32],
        ..late
    };
    assert_eq!(path(&tiles, position, entry, &other).unwrap(), None);
    assert_eq!(beginning(&tiles, early.size, &other).unwrap(), None);
}
