use std::sync::Arc;

use super::ends::{Ends, Unsound};
use super::file::{RegisterError, StoredRegister};
use super::key::RegisterKey;
use super::{Closed, Files, Known, Print, Register};
use crate::derived::cursor::Cursor;
use crate::derived::telling::Telling;
use crate::derived::values::{Place, Usage};
use crate::disk::{Fault, FaultyDisk, PowerCut};
use crate::domain::Actor;
use crate::entry::Entry;
use crate::hash::Hash32;
use crate::ids::{
    CommandId, CommitSeq, KeyId, LedgerId, PlanId, Position, Revision, StreamId, SystemId,
};
use crate::journal::NewEntry;
use crate::seal::{KeyStore, MasterKey};
use crate::time::Timestamp;

const LEDGER: LedgerId = LedgerId::from_bytes([1; 16]);

fn master() -> MasterKey {
    MasterKey::from_bytes([7; 32])
}

fn key() -> RegisterKey {
    RegisterKey::new(&master(), 1)
}

fn no_keys() -> KeyStore {
    KeyStore::without_keys(master())
}

fn cursor(n: u64) -> Cursor {
    Cursor {
        commit: CommitSeq::new(n),
        commands: n,
        ..Cursor::start(LEDGER)
    }
}

fn created(disk: &FaultyDisk) -> Register {
    Register::create(Arc::new(disk.clone()), key(), LEDGER).unwrap()
}

fn read(disk: &FaultyDisk) -> Result<StoredRegister, RegisterError> {
    StoredRegister::read(Arc::new(disk.clone()), key())
}

fn opened(disk: &FaultyDisk, at: u64) -> Option<Register> {
    let cursor = (at > 0).then(|| cursor(at));
    let opened = Register::at(read(disk).unwrap(), cursor.as_ref()).unwrap();
    opened.map(|(register, _)| register)
}

/// Where a document lies that was written at this time.
fn place(n: u64) -> Place {
    let mut bytes = [0; Place::LEN];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    Place::from_bytes(bytes)
}

fn print(register: &Register, n: u64, name: &[u8], value: Option<&[u8]>) -> Print {
    let name = register.name(name);
    let known = |value| Known {
        fingerprint: register.fingerprint(name, Telling::whole(value)),
        place: place(n),
    };
    Print {
        name,
        known: value.map(known),
    }
}

/// Writes document `name` with a value, which brings derived state to place `n`.
fn write(register: &Register, n: u64, name: &[u8], value: Option<&[u8]>) {
    let prints = vec![print(register, n, name, value)];
    let announced = register.announce(prints, Vec::new(), &cursor(n), &no_keys());
    let announced = announced.unwrap();
    register.written(announced);
}

fn vouches(register: &Register, name: &[u8], value: Option<&[u8]>) -> bool {
    let print = print(register, 0, name, value);
    let known = register.known(print.name);
    known.map(|known| known.fingerprint) == print.known.map(|known| known.fingerprint)
}

#[test]
fn only_what_was_written_last_is_vouched_for_and_that_nothing_is_there_as_well() {
    let disk = FaultyDisk::new();
    let register = created(&disk);
    assert!(vouches(&register, b"plan", None));
    assert!(!vouches(&register, b"plan", Some(b"old")));
    write(&register, 1, b"plan", Some(b"old"));
    assert!(vouches(&register, b"plan", Some(b"old")));
    write(&register, 2, b"plan", Some(b"new"));
    assert!(!vouches(&register, b"plan", Some(b"old")), "an older one");
    assert!(!vouches(&register, b"plan", None), "a missing one");
    assert!(!vouches(&register, b"team", Some(b"new")), "another's");
    write(&register, 3, b"plan", None);
    assert!(vouches(&register, b"plan", None));
    assert_eq!(register.len(), 0);
}

/// The register knows every place that sled may come up at, and what should be there.
#[test]
fn it_goes_on_from_any_place_that_sled_may_have_come_up_at() {
    let disk = FaultyDisk::new();
    let register = created(&disk);
    for n in 1..=4 {
        write(&register, n, b"plan", Some(&[n as u8]));
    }
    drop(register);
    for n in (1..=4).rev() {
        let register = opened(&disk, n).unwrap();
        assert!(vouches(&register, b"plan", Some(&[n as u8])), "{n}");
        let known = register.known(register.name(b"plan")).unwrap();
        assert_eq!(known.place, place(n));
    }
    // The register forgets what came after the place from which it continued.
    assert!(opened(&disk, 2).is_none());
    let register = opened(&disk, 1).unwrap();
    write(&register, 7, b"plan", Some(b"otherwise"));
    drop(register);
    let register = opened(&disk, 7).unwrap();
    assert!(vouches(&register, b"plan", Some(b"otherwise")));
    drop(register);
    assert!(vouches(&opened(&disk, 0).unwrap(), b"plan", None));
}

#[test]
fn a_file_that_was_written_anew_says_the_same() {
    let disk = FaultyDisk::new();
    let register = created(&disk);
    let mut n: u64 = 0;
    while !register.is_worth_compacting() {
        n += 1;
        let prints = (0..20_000u32).map(|name| {
            let value = n.to_be_bytes();
            print(&register, n, &name.to_be_bytes(), Some(&value))
        });
        let prints: Vec<Print> = prints.collect();
        let announced = register.announce(prints, Vec::new(), &cursor(n), &no_keys());
        let announced = announced.unwrap();
        register.written(announced);
    }
    let before = disk.bytes("register").unwrap().len();
    register
        .compact(&Files::new(), &cursor(n), &no_keys())
        .unwrap();
    assert!(disk.bytes("register").unwrap().len() < before / 2);
    write(&register, n + 1, b"plan", Some(b"more"));
    drop(register);
    assert!(opened(&disk, n - 1).is_none(), "that is gone");
    let register = opened(&disk, n + 1).unwrap();
    assert!(vouches(&register, b"plan", Some(b"more")));
    for name in 0..20_000u32 {
        assert!(vouches(
            &register,
            &name.to_be_bytes(),
            Some(&n.to_be_bytes())
        ));
    }
    assert_eq!(register.len(), 20_001);
}

/// The step after which the file has its new name matters most: a note on the old file would be on
/// a file that nobody finds any more.
#[test]
fn a_rewrite_that_fails_at_any_step_loses_no_later_note() {
    const STEPS: u64 = 6;
    for step in 0..STEPS {
        let disk = FaultyDisk::new();
        let register = created(&disk);
        write(&register, 1, b"plan", Some(b"old"));
        disk.inject(disk.operations() + step, Fault::Fail);
        let rewritten = register.compact(&Files::new(), &cursor(1), &no_keys());
        assert!(rewritten.is_err(), "step {step}");
        write(&register, 2, b"plan", Some(b"new"));
        drop(register);
        let register = opened(&disk, 2).unwrap();
        assert!(vouches(&register, b"plan", Some(b"new")), "step {step}");
        register.distrust().unwrap();
        assert!(read(&disk).unwrap().is_distrusted(), "step {step}");
    }
}

/// Whatever byte is changed or cut off, the rest describes a state that there was, or nothing.
#[test]
fn a_damaged_file_never_says_anything_that_was_not_so() {
    let disk = FaultyDisk::new();
    let register = created(&disk);
    for n in 1..=3 {
        write(&register, n, b"plan", Some(&[n as u8]));
    }
    drop(register);
    let whole = disk.bytes("register").unwrap();
    let check = |bytes: Vec<u8>, what: String| {
        let disk = FaultyDisk::new();
        disk.put_bytes("register", bytes);
        let Ok(stored) = read(&disk) else { return };
        let newest = stored.newest().map_or(0, |cursor| cursor.commit.get());
        // The last place comes first, because continuing from a place forgets what came after it.
        for n in (1..=3).rev() {
            let Some(register) = opened(&disk, n) else {
                assert!(n > newest, "{what}: {n} is known but not found");
                continue;
            };
            assert!(vouches(&register, b"plan", Some(&[n as u8])), "{what}");
        }
    };
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        check(bytes, format!("byte {at} changed"));
        check(whole[..at].to_vec(), format!("cut at {at}"));
    }
}

#[test]
fn another_key_generation_or_ledger_is_not_believed() {
    let disk = FaultyDisk::new();
    write(&created(&disk), 1, b"plan", Some(b"new"));
    for other in [
        RegisterKey::new(&master(), 2),
        RegisterKey::new(&MasterKey::from_bytes([8; 32]), 1),
    ] {
        let read = StoredRegister::read(Arc::new(disk.clone()), other);
        assert!(matches!(read, Err(RegisterError::Foreign)));
    }
    assert_eq!(read(&disk).unwrap().ledger(), LEDGER);
    assert!(matches!(
        read(&FaultyDisk::new()),
        Err(RegisterError::Foreign)
    ));
}

/// A newer version may have derived it from events that this version does not know. So all events
/// have to be read again.
#[test]
fn one_of_a_version_that_knows_other_events_is_told_from_one_that_is_damaged() {
    let disk = FaultyDisk::new();
    write(&created(&disk), 1, b"plan", Some(b"new"));
    let sound = disk.bytes("register").unwrap();
    // The version, and each byte of the fingerprint of event types.
    for at in 24..32 {
        let mut bytes = sound.clone();
        bytes[at] ^= 1;
        disk.put_bytes("register", bytes.clone());
        assert!(matches!(read(&disk), Err(RegisterError::Foreign)), "{at}");
        let mac = key().mac(&[&bytes[..32]]);
        bytes[32..48].copy_from_slice(&mac);
        disk.put_bytes("register", bytes);
        assert!(matches!(read(&disk), Err(RegisterError::Version)), "{at}");
    }
}

#[test]
fn how_it_was_left_is_known() {
    let disk = FaultyDisk::new();
    let register = created(&disk);
    write(&register, 1, b"plan", Some(b"new"));
    register.close().unwrap();
    drop(register);
    let register = opened(&disk, 1).unwrap();
    assert_eq!(register.was_closed(), Closed::Cleanly);
    drop(register);
    // A process on the same machine opened it and did not close it.
    let register = opened(&disk, 1).unwrap();
    assert_eq!(register.was_closed(), Closed::Killed);
    register.close().unwrap();
    drop(register);
    let register = opened(&disk, 1).unwrap();
    write(&register, 2, b"plan", Some(b"newer"));
    drop(register);
    // After the power cut even what was written is gone, and the stop does not count as clean.
    let disk = disk.reboot(PowerCut::LosesAll);
    assert_ne!(opened(&disk, 1).unwrap().was_closed(), Closed::Cleanly);
    assert!(!read(&disk).unwrap().is_distrusted());
    opened(&disk, 1).unwrap().distrust().unwrap();
    assert!(read(&disk).unwrap().is_distrusted());
}

/// Entries of a stream as the journal has them.
struct Chain {
    stream: StreamId,
    link: Hash32,
    back: Position,
    revision: Revision,
}

impl Chain {
    fn new(id: u8) -> Self {
        Self {
            stream: PlanId::from_bytes([id; 16]).into(),
            link: [0; 32],
            back: Position::ZERO,
            revision: Revision::ZERO,
        }
    }

    fn next(&mut self, position: u64) -> NewEntry {
        let entry = Entry {
            stream: self.stream,
            revision: self.revision.next(),
            previous_link: self.link,
            event_type: 0x0601,
            schema: 1,
            command: CommandId::from_bytes([3; 16]),
            actor: Actor::System(SystemId::from_bytes([4; 16])),
            on_behalf_of: None,
            recorded_at: Timestamp::from_nanos(position),
            key: KeyId::from_bytes([5; 16]),
            key_commitment: [0; 32],
            nonce: [0; 24],
            sealed_len: 16,
            sealed_hash: [0; 32],
        };
        let bytes = entry.encode();
        let back = std::mem::replace(&mut self.back, Position::new(position));
        self.revision = entry.revision;
        let new = NewEntry::new(back, bytes, Vec::new());
        self.link = new.link;
        new
    }

    fn at(&self) -> Self {
        Self { ..*self }
    }
}

fn extend(ends: &mut Ends, first: u64, entries: &[NewEntry]) -> Result<(), Unsound> {
    let following = ends.follow(Position::new(first), entries.iter(), &no_keys())?;
    ends.put_all(following);
    Ok(())
}

#[test]
fn entries_that_do_not_continue_their_stream_are_not_let_through() {
    let mut ends = Ends::new(key());
    let (mut one, mut other) = (Chain::new(1), Chain::new(2));
    extend(&mut ends, 1, &[one.next(1), other.next(2), one.next(3)]).unwrap();
    let old = one.at();
    extend(&mut ends, 4, &[one.next(4)]).unwrap();
    // The stream is continued from an older state, as after reading an outdated document. A correct
    // entry comes before it.
    let mut stale = old.at();
    let (sound, wrong) = (other.at().next(5), stale.next(6));
    let refused = extend(&mut ends, 5, &[sound, wrong]);
    let Err(Unsound::Break(found)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(found.stream, one.stream);
    assert_eq!(
        (found.position, found.before),
        (Position::new(6), Position::new(4))
    );
    assert_eq!(
        (found.revision, found.top),
        (Revision::new(3), Revision::new(3))
    );
    // The entry begins the stream as if it did not exist yet.
    assert!(extend(&mut ends, 5, &[Chain::new(1).next(5)]).is_err());
    // Everything is right except the back pointer, or the link.
    for spoil in [
        |chain: &mut Chain| chain.back = Position::new(3),
        |chain: &mut Chain| chain.link[0] ^= 1,
        |chain: &mut Chain| chain.revision = chain.revision.next(),
    ] {
        let mut spoilt = one.at();
        spoil(&mut spoilt);
        assert!(extend(&mut ends, 5, &[spoilt.next(5)]).is_err());
    }
    // Nothing that was refused was taken in.
    extend(&mut ends, 5, &[other.next(5), one.next(6)]).unwrap();
    assert_eq!(ends.of(one.stream).position, Position::new(6));
}

/// Both branches are kept. Later entries follow the greatest revision.
#[test]
fn where_a_stream_broke_is_remembered_and_settled_with_the_batch_that_covers_it() {
    let mut ends = Ends::new(key());
    let mut plan = Chain::new(1);
    let take = |ends: &mut Ends, position: u64, new: NewEntry| {
        let entry = Entry::decode(&new.entry).unwrap();
        let position = Position::new(position);
        ends.take(position, new.back, &entry, &new.link, &no_keys())
    };
    take(&mut ends, 1, plan.next(1)).unwrap();
    let old = plan.at();
    for position in 2..=5 {
        take(&mut ends, position, plan.next(position)).unwrap();
    }
    let mut branch = old.at();
    let found = take(&mut ends, 6, branch.next(6)).unwrap_err();
    assert_eq!(
        (found.before, found.top),
        (Position::new(5), Revision::new(5))
    );
    take(&mut ends, 7, branch.next(7)).unwrap();
    assert_eq!(ends.breaks().len(), 1);
    let settled = ends.settle(Position::new(5));
    assert_eq!((settled.ends.len(), settled.breaks.len()), (1, 0));
    let settled = ends.settle(Position::new(7));
    assert_eq!((settled.ends.len(), settled.breaks), (1, vec![found]));
    let mut after = branch.at();
    after.revision = Revision::new(5);
    extend(&mut ends, 8, &[after.next(8)]).unwrap();
    assert_eq!(ends.of(plan.stream).revision, Revision::new(6));
    let mut again = after.at();
    extend(&mut ends, 9, &[again.next(9)]).unwrap();
}

/// How much of each file is in use is as of the place that it goes on from, whatever was noted in between.
#[test]
fn what_is_in_use_of_files_is_noted_with_the_documents() {
    let disk = FaultyDisk::new();
    let register = created(&disk);
    let usage = |n: u64| {
        let mut bytes = [0; Usage::LEN];
        bytes[7] = n as u8;
        Usage::from_bytes(bytes)
    };
    let note = |n, files: &[(u32, Usage)]| {
        let announced = register.announce(Vec::new(), files.to_vec(), &cursor(n), &no_keys());
        register.written(announced.unwrap());
    };
    note(1, &[(1, usage(3))]);
    note(2, &[(1, usage(4)), (2, usage(5))]);
    // The first file is emptied while derived state stays where it is.
    note(2, &[(1, Usage::default()), (3, usage(6))]);
    let files = |disk: &FaultyDisk, n| {
        let at = Register::at(read(disk).unwrap(), Some(&cursor(n)));
        at.unwrap().unwrap().1
    };
    let expected = Files::from([(2, usage(5)), (3, usage(6))]);
    assert_eq!(files(&disk, 2), expected);
    register.compact(&expected, &cursor(2), &no_keys()).unwrap();
    assert_eq!(files(&disk, 2), expected);
}
