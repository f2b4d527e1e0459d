//! What stands beside the journal, changed: indexes, derived state, tiles, checkpoints.

use std::fs;

use planledger_core::audit::FaultKind;
use planledger_core::derived::testing;
use planledger_core::ids::{LedgerId, Position, StreamId};
use planledger_core::journal::CommitLog;
use planledger_core::verify::PartName;

use crate::audit::directory::{Directory, fault, faults, open_journal, verify};
use crate::audit::school::{NotarisedSchool, PLAN, STUDENT};
use crate::audit::story::Story;
use planledger_fixtures::place::{TempLedger, copy};

#[test]
fn an_altered_index_is_found_and_changes_no_answer() {
    let directory = Directory::new();
    let name = "journal/segment-00000002.idx";
    let whole = fs::read(directory.file(name)).unwrap();
    let second = open_journal(directory.path()).segments()[1].first_position;
    let entry = |position| {
        let log = open_journal(directory.path());
        log.entry(position).unwrap().unwrap().entry
    };
    let (first, next) = (entry(second), entry(second.next()));
    let position = second.get();
    // Magic, first position, count, then an offset for each position.
    for (at, position) in [
        (0, position),
        (15, position),
        (23, position),
        (27, position),
        (31, position + 1),
    ] {
        directory.edit(name, |bytes| bytes[at] ^= 1);
        assert_eq!(
            directory.faults(),
            [("indexes", "INDEX", position)],
            "byte {at}"
        );
        assert_eq!((entry(second), entry(second.next())), (first, next));
        fs::write(directory.file(name), &whole).unwrap();
    }
    directory.edit(name, |bytes| bytes.push(0));
    assert_eq!(directory.fault(PartName::Indexes).unwrap().0, "INDEX");
    directory.edit(name, |bytes| bytes.truncate(30));
    assert_eq!(directory.fault(PartName::Indexes).unwrap().0, "INDEX");
    // A missing one is made again.
    fs::remove_file(directory.file(name)).unwrap();
    assert_eq!(directory.faults(), []);
}

/// Among others a plan's state as it was before its last words, which the server itself sealed, where the
/// newest should lie. The register knows that it is not the newest, and a replay does.
#[test]
fn an_altered_projection_is_found() {
    let directory = Directory::new();
    let last = *Story::read(directory.path())
        .of_stream(PLAN)
        .last()
        .unwrap();
    let before = directory.forged(|story| story.remove(&[last]));
    let name = [&[1], StreamId::from(PLAN).to_bytes().as_slice()].concat();
    let list = [&[2, 6], STUDENT.as_bytes().as_slice()].concat();
    let fault_of = |alter: &dyn Fn()| {
        let kept = tempfile::tempdir().unwrap();
        copy(&directory.file("derived"), &kept.path().join("derived"));
        alter();
        let found = directory.verify();
        let fault = found.part(PartName::Derived).unwrap().fault.clone();
        let fault = fault.unwrap();
        assert_eq!(
            (fault.kind, fault.position),
            (FaultKind::Projection, Position::ZERO)
        );
        assert_eq!(found.faults().count(), 1);
        fs::remove_dir_all(directory.file("derived")).unwrap();
        copy(&kept.path().join("derived"), &directory.file("derived"));
        fault.what
    };
    let old = {
        let master = TempLedger::options_in(before.path()).master;
        let ledger = LedgerId::from_bytes([0; 16]);
        let store = testing::store(&before.file("derived"), &master, ledger).unwrap();
        store.dump().unwrap().remove(&name).unwrap()
    };
    let put_old = || {
        directory.edit_document(&name, |bytes, place| {
            let len = old.len().min(place.len());
            bytes[place.start..place.start + len].copy_from_slice(&old[..len]);
        });
    };
    let what = fault_of(&put_old);
    assert!(what.contains(&StreamId::from(PLAN).to_string()), "{what}");
    let served = || {
        let ledger = TempLedger::open_in(directory.path());
        let read = ledger.read(|reading| reading.stream(PLAN)).unwrap();
        read.0.unwrap().1
    };
    let right = served();
    put_old();
    assert_eq!(directory.faults(), [("derived", "PROJECTION", 0)]);
    // It is noticed as it is read, derived state is made again, and the answer is the right one.
    assert_eq!(served(), right);
    assert_eq!(directory.faults(), []);
    directory.serve();
    let cut = || directory.edit_document(&name, |bytes, place| bytes.truncate(place.start));
    let what = fault_of(&cut);
    assert!(what.contains("does not match the journal"), "{what}");
    let change = || directory.edit_document(&list, |bytes, place| bytes[place.start + 3] ^= 1);
    let what = fault_of(&change);
    assert!(what.contains("a list of streams"), "{what}");
    let in_sled = |alter: &dyn Fn(&sled::Db)| fault_of(&|| directory.edit_derived(alter));
    let what = in_sled(&|db| drop(db.insert([9], &[0]).unwrap()));
    assert!(what.contains("no known kind"), "{what}");
    let what = in_sled(&|db| drop(db.remove([0]).unwrap()));
    assert!(what.contains("does not end at a position"), "{what}");
    let what = in_sled(&|db| {
        let heads = db.open_tree("heads").unwrap();
        let (bucket, _) = heads.first().unwrap().unwrap();
        heads.remove(bucket).unwrap();
    });
    assert!(what.contains("heads"), "{what}");
    assert_eq!(directory.faults(), []);
}

#[test]
fn altered_missing_and_strange_tiles_are_named() {
    let directory = Directory::new();
    let size = directory.newest_checkpoint().checkpoint.size;
    let partial = |folder: &str| format!("tlog/tile/{folder}/000.p/{size}");
    for (folder, record) in [("0", 32), ("entries", 232)] {
        let name = partial(folder);
        let whole = fs::read(directory.file(&name)).unwrap();
        directory.edit(&name, |bytes| bytes[2 * record] ^= 1);
        assert_eq!(directory.faults(), [("tiles", "TILE", 3)]);
        fs::remove_file(directory.file(&name)).unwrap();
        assert_eq!(directory.faults(), [("tiles", "MISSING", 1)]);
        fs::write(directory.file(&name), &whole).unwrap();
        // One for an earlier size stays until the tile is full, and has to be right.
        let earlier = format!("tlog/tile/{folder}/000.p/2");
        fs::write(directory.file(&earlier), &whole[..2 * record]).unwrap();
        assert_eq!(directory.faults(), []);
        directory.edit(&earlier, |bytes| bytes[record] ^= 1);
        assert_eq!(directory.faults(), [("tiles", "TILE", 2)]);
        fs::remove_file(directory.file(&earlier)).unwrap();
    }
    for strange in [
        "0/000",
        "0/001.p/1",
        "1/000.p/1",
        "9/000",
        "entries/x001/000",
        "0/000.p/03",
        "a",
    ] {
        let path = directory.file("tlog/tile").join(strange);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, [0; 32]).unwrap();
        let found = directory.verify();
        let fault = found.part(PartName::Tiles).unwrap().fault.as_ref().unwrap();
        assert_eq!(fault.kind, FaultKind::Tile);
        assert!(fault.what.contains(strange), "{fault}");
        fs::remove_file(path).unwrap();
    }
    for (text, position) in [
        ("1\n", 2),
        ("01\n", 0),
        ("1", 0),
        ("", 0),
        ("900\n", size + 1),
    ] {
        fs::write(directory.file("tlog/size"), text).unwrap();
        assert_eq!(
            directory.faults(),
            [("tiles", "TILE", position)],
            "{text:?}"
        );
    }
    fs::remove_dir_all(directory.file("tlog")).unwrap();
    assert_eq!(directory.faults(), []);
    let found = directory.verify();
    assert!(found.part(PartName::Tiles).unwrap().note.is_some());
}

/// Several tiles, full ones and a level above them.
#[test]
fn every_tile_of_a_longer_log_is_compared() {
    let mut school = NotarisedSchool::new();
    school.checkpoint();
    for n in 0..600 {
        school.write(PLAN, &n.to_string());
    }
    let size = school.checkpoint().checkpoint.size;
    let place = school.close();
    let found = verify(place.path());
    assert!(found.is_sound(), "{found:?}");
    let tiles = found.part(PartName::Tiles).unwrap();
    // Three tiles and bundles of entries each, one above them, and two files for monitors.
    assert_eq!(tiles.checked, 9);
    let rest = size - 512;
    for (name, at, position) in [
        ("0/000", 0, 1),
        ("0/001", 32 * 255, 512),
        (&format!("0/002.p/{rest}"), 0, 513),
        ("entries/000", 232 * 3 + 7, 4),
        ("entries/001", 0, 257),
        (&format!("entries/002.p/{rest}"), 232, 514),
        ("1/000.p/2", 32, 257),
    ] {
        let path = place.path().join("tlog/tile").join(name);
        let whole = fs::read(&path).unwrap();
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&path, bytes).unwrap();
        let found = verify(place.path());
        assert_eq!(faults(&found), [("tiles", "TILE", position)], "{name}");
        fs::remove_file(&path).unwrap();
        let found = verify(place.path());
        let (kind, _) = fault(&found, PartName::Tiles).unwrap();
        assert_eq!(kind, "MISSING", "{name}");
        fs::write(&path, whole).unwrap();
    }
}

#[test]
fn altered_checkpoints_are_found() {
    let directory = Directory::new();
    let kept = directory.kept();
    let [first, second, third] = kept.as_slice() else {
        panic!("three are kept");
    };
    let name = "checkpoints/checkpoints.txt";
    let write = |notes: &[&str]| {
        let notes: String = notes.iter().map(|note| format!("{note}\n")).collect();
        fs::write(directory.file(name), notes).unwrap();
    };
    let notes = kept.iter().map(|signed| signed.note.to_string());
    let notes: Vec<_> = notes.collect();
    let [one, two, three] = [&notes[0], &notes[1], &notes[2]];
    let changed = two.replace(
        &format!("\n{}\n", second.checkpoint.size),
        &format!("\n{}\n", second.checkpoint.size - 1),
    );
    for (given, expected) in [
        // Another root, signed: the journal is not of it.
        (
            [one, &directory.forked_note(second), three],
            ("CHECKPOINT", first.checkpoint.size + 1),
        ),
        // Another size, which breaks the signature and is not of that root.
        (
            [one, &changed, three],
            ("CHECKPOINT", first.checkpoint.size + 1),
        ),
        (
            [one, &two.replace("— ", "— x"), three],
            ("SIGNATURE", second.checkpoint.size),
        ),
        ([one, &two.replace('\n', " "), three], ("CHECKPOINT", 0)),
        ([two, one, three], ("CHECKPOINT", 0)),
        // The published one is not kept.
        ([one, two, two], ("CHECKPOINT", 0)),
    ] {
        write(&given.map(String::as_str));
        assert_eq!(
            directory.fault(PartName::Checkpoints),
            Some(expected),
            "{given:?}"
        );
    }
    write(&[one, two, three]);
    // What an interrupted write leaves is no fault.
    directory.edit(name, |bytes| bytes.extend_from_slice(b"planledger"));
    let found = directory.verify();
    assert!(found.is_sound());
    let note = &found.part(PartName::Checkpoints).unwrap().note;
    assert!(note.as_ref().unwrap().contains("10 bytes"), "{note:?}");
    write(&[one, two, three]);
    fs::write(
        directory.file("tlog/checkpoint"),
        directory.forked_note(third),
    )
    .unwrap();
    assert_eq!(directory.faults(), [("checkpoints", "CHECKPOINT", 0)]);
}
