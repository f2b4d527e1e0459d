//! What a real ledger publishes for monitors: it opens every record of heads and nothing else, is made again
//! when it is missing or wrong, and is checked with everything else.

use std::fs;
use std::path::{Path, PathBuf};

use planledger_core::audit::FaultKind;
use planledger_core::entry::EntryBytes;
use planledger_core::monitor::Follower;
use planledger_core::notary::Notary;
use planledger_core::tlog::{Algorithm, DisclosedHeads, Signer, read_rotations};
use planledger_core::verify::{Depth, PartName, verify_dir};
use planledger_fixtures::place::TempLedger;

use crate::audit::school::{NotarisedSchool, ORIGIN, PLAN, signer};

/// Every file of entries that is published, put together.
fn entries(tlog: &Path, size: u64) -> Vec<EntryBytes> {
    let mut all = Vec::new();
    for index in 0..size.div_ceil(256) {
        let folder = tlog.join("tile/entries");
        let full = folder.join(format!("{index:03}"));
        let width = (size - index * 256).min(256);
        let partial = folder.join(format!("{index:03}.p/{width}"));
        let bytes = fs::read(&full).or_else(|_| fs::read(partial)).unwrap();
        for record in bytes.as_chunks::<232>().0 {
            all.push(*record[2..].first_chunk().unwrap());
        }
    }
    all.truncate(size as usize);
    all
}

fn published(tlog: &Path) -> Vec<DisclosedHeads> {
    let mut all = Vec::new();
    for file in 0.. {
        match fs::read(tlog.join(format!("heads/{file:03}"))) {
            Ok(bytes) => all.extend(DisclosedHeads::read_file(&bytes).unwrap()),
            Err(_) => return all,
        }
    }
    all
}

/// Follows a ledger from what it publishes.
fn follow(tlog: &Path, notary: &Notary) -> Follower {
    let checkpoint = notary.latest().unwrap().unwrap().checkpoint;
    let opens = published(tlog);
    let mut follower = Follower::default();
    let mut records = 0;
    for entry in entries(tlog, checkpoint.size) {
        let is_record = follower.is_record(&entry);
        let opens = is_record.then(|| &opens[records]);
        records += usize::from(is_record);
        follower.take(&entry, opens).unwrap();
    }
    follower.agrees(&checkpoint).unwrap();
    assert_eq!(records, opens.len());
    follower
}

fn files(tlog: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let names = ["heads/000", "heads/001", "rotations"];
    let files = names.map(|name| (tlog.join(name), fs::read(tlog.join(name)).unwrap()));
    files.into()
}

/// The first fault that a check of the whole directory finds.
fn fault(place: &TempLedger) -> Option<(FaultKind, String)> {
    let options = TempLedger::options_in(place.path());
    let found = verify_dir(&options, Depth::Full, &|_, _, _| {}).unwrap();
    let fault = found.faults().next();
    fault.map(|(part, fault)| {
        assert_eq!(part, PartName::Tiles, "{fault}");
        (fault.kind, fault.what.clone())
    })
}

#[test]
fn a_real_ledger_is_followed_from_what_it_publishes_and_mends_that_at_its_start() {
    let mut school = NotarisedSchool::new();
    for n in 0..300 {
        school.write(PLAN, &format!("læser {n} sider"));
        school.checkpoint();
    }
    let tlog = school.place.path().join("tlog");
    follow(&tlog, &school.notary);
    let place = school.close();
    let sound = files(&tlog);
    assert_eq!(sound[0].1.split(|byte| *byte == b'\n').count(), 257);
    assert_eq!(fault(&place), None);
    for (path, bytes) in &sound {
        let name = path.file_name().unwrap().to_str().unwrap();
        let mut changed = bytes.clone();
        match changed.last_mut() {
            Some(last) => *last ^= 1,
            None => changed.push(b'x'),
        }
        fs::write(path, &changed).unwrap();
        let (kind, what) = fault(&place).unwrap();
        assert_eq!(kind, FaultKind::Tile);
        assert!(what.contains(name), "{what}");
        // The last file and the changes of the key are compared at every start.
        if name != "000" {
            drop(NotarisedSchool::reopen(place.path()));
            assert_eq!(fs::read(path).unwrap(), *bytes);
        }
        fs::write(path, bytes).unwrap();
        assert_eq!(fault(&place), None);
        fs::remove_file(path).unwrap();
        if name != "rotations" {
            let (kind, what) = fault(&place).unwrap();
            assert_eq!(kind, FaultKind::Missing);
            assert!(what.contains(name), "{what}");
        }
        drop(NotarisedSchool::reopen(place.path()));
        assert_eq!(files(&tlog), sound);
    }
    // One too many, as after an older journal was put back.
    let other = tlog.join("heads/002");
    fs::write(&other, &sound[1].1).unwrap();
    let (kind, what) = fault(&place).unwrap();
    assert_eq!(kind, FaultKind::Tile);
    assert!(what.contains("002"), "{what}");
    drop(NotarisedSchool::reopen(place.path()));
    assert!(!other.exists());
    // A ledger of an earlier version has none of it.
    fs::remove_dir_all(tlog.join("heads")).unwrap();
    fs::remove_file(tlog.join("rotations")).unwrap();
    assert_eq!(fault(&place), None);
    let (ledger, notary) = NotarisedSchool::reopen(place.path());
    assert_eq!(files(&tlog), sound);
    follow(&tlog, &notary);
    drop((ledger, notary));
}

#[test]
fn every_change_of_the_key_is_published() {
    let school = NotarisedSchool::new();
    school.checkpoint();
    let place = school.close();
    let tlog = place.path().join("tlog");
    let ledger = TempLedger::open_in(place.path());
    let notary = Notary::open(ledger.clone(), place.path(), signer()).unwrap();
    let next = Signer::new(ORIGIN, Algorithm::Ed25519, [0x6E; 32]).unwrap();
    notary.rotate(&next).unwrap();
    drop(ledger);
    // It is published before the new key signs anything.
    assert_eq!(fault(&place), None);
    let ledger = TempLedger::open_in(place.path());
    let notary = Notary::open(ledger.clone(), place.path(), next.clone()).unwrap();
    let rotations = read_rotations(&fs::read(tlog.join("rotations")).unwrap()).unwrap();
    assert_eq!(rotations.len(), 1);
    assert_eq!(
        (rotations[0].from(), rotations[0].to()),
        (&signer().verifier(), &next.verifier())
    );
    notary.checkpoint().unwrap();
    follow(&tlog, &notary);
    drop((ledger, notary));
    fs::write(tlog.join("rotations"), "").unwrap();
    assert_eq!(fault(&place).unwrap().0, FaultKind::Tile);
}
