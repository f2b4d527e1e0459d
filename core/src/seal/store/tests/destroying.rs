//! A key is destroyed on a disk that fails.

use super::*;

/// The parts of a slot from which somebody could get the key.
const WRAPPED: std::ops::Range<usize> = 46..198;

fn wrapped(disk: &FaultyDisk, number: usize) -> Vec<u8> {
    disk.bytes(NAME).unwrap()[number * SLOT..][WRAPPED].to_vec()
}

fn is_in_any_file(disk: &FaultyDisk, wanted: &[u8]) -> bool {
    // A part of what is wrapped is as bad: half of it is left after a crash.
    disk.names().iter().any(|name| {
        let bytes = disk.bytes(name).unwrap();
        wanted
            .chunks(32)
            .any(|part| bytes.windows(part.len()).any(|at| at == part))
    })
}

const GONE: u8 = 1;

/// Every key but one is there; that one is there whole or not at all.
fn is_whole(store: &KeyStore, made: &[ScopeKey]) {
    for (n, key) in (0..).zip(made) {
        match store.active(person(n)) {
            Some(found) => assert_eq!((found.id, found.secret), (key.id, key.secret)),
            None => {
                assert_eq!(n, GONE, "a key is lost");
                assert!(store.is_destroyed(key.id));
                assert_eq!(store.id_of(person(n)), Some(key.id));
            }
        }
    }
}

#[test]
fn a_key_is_destroyed_or_there_whatever_happens_and_no_other_is_touched() {
    let (start, made) = filled(&[2, 1]);
    let secret = wrapped(&start, usize::from(GONE) + 1);
    start.put_bytes(TORN, [&secret[..], &[1]].concat());
    start.put_bytes(FILE.temporary, start.bytes(NAME).unwrap());
    assert!(is_in_any_file(&start, &secret));
    let begin = |disk: &FaultyDisk| {
        let store = open(disk).unwrap();
        (disk.operations(), store)
    };
    let (opened, ended) = {
        let disk = start.copy();
        let (opened, store) = begin(&disk);
        let id = store.destroy(person(GONE)).unwrap();
        assert_eq!(id, Some(made[usize::from(GONE)].id));
        assert_eq!(store.destroy(person(9)).unwrap(), None);
        is_whole(&store, &made);
        assert!(!is_in_any_file(&disk, &secret));
        assert_eq!(disk.names(), [NAME]);
        (opened, disk.operations())
    };
    let cuts = POWER_CUTS
        .into_iter()
        .chain([PowerCut::KeepsBytes(100), PowerCut::KeepsBytes(200)]);
    let cuts: Vec<_> = cuts.collect();
    for at in opened..ended {
        for fault in [Fault::Kill, Fault::Fail, Fault::Short] {
            let disk = start.copy();
            let (_, store) = begin(&disk);
            disk.inject(at, fault);
            // A write that stops halfway, and then the process dies.
            if fault == Fault::Short {
                disk.inject(at + 1, Fault::Kill);
            }
            let done = store.destroy(person(GONE));
            drop(store);
            let restarted = std::iter::once(disk.fork().restart());
            let rebooted = cuts.iter().map(|how| disk.fork().reboot(*how));
            for next in restarted.chain(rebooted) {
                let what = format!("{fault:?} at {at}, {done:?}");
                let store = open(&next).unwrap_or_else(|error| panic!("{what}: {error}"));
                is_whole(&store, &made);
                if done.is_ok() {
                    assert_eq!(store.active(person(GONE)).map(|key| key.id), None, "{what}");
                    assert!(!is_in_any_file(&next, &secret), "{what}");
                }
                store.destroy(person(GONE)).unwrap();
                drop(store);
                assert!(!is_in_any_file(&next, &secret), "{what}");
                assert_eq!(next.names(), [NAME], "{what}");
                is_whole(&open(&next).unwrap(), &made);
            }
        }
    }
}

/// Reading only, what a crash left is understood and nothing is changed.
#[test]
fn whoever_reads_only_sees_a_key_that_is_half_overwritten_as_destroyed() {
    let (disk, made) = filled(&[2, 1]);
    // A write stops halfway, and then the process dies.
    let found = (0..).find_map(|nth| {
        let disk = disk.copy();
        let store = open(&disk).unwrap();
        let at = disk.operations() + nth;
        disk.inject(at, Fault::Short);
        disk.inject(at + 1, Fault::Kill);
        assert!(store.destroy(person(GONE)).is_err(), "no write was cut");
        let disk = disk.restart().copy();
        let slots = disk.bytes(NAME).unwrap();
        let slot: &[u8; SLOT] = slots[2 * SLOT..3 * SLOT].try_into().unwrap();
        super::super::slot::checked(slot).is_none().then_some(disk)
    });
    let disk = found.unwrap();
    let files = |disk: &FaultyDisk| {
        let names = disk.names().into_iter();
        names
            .map(|name| (disk.bytes(&name), name))
            .collect::<Vec<_>>()
    };
    let before = files(&disk);
    let store = KeyStore::open(&options(&disk, KeyStoreMode::ReadOnly)).unwrap();
    is_whole(&store, &made);
    assert!(store.active(person(GONE)).is_none());
    assert_eq!(files(&disk), before);
    // A key store that is wrapped anew is so without it.
    let next = MasterKey::from_bytes([8; 32]);
    let how = Rewrapping::MasterKey(&next);
    rewrap(
        &options(&disk, KeyStoreMode::Existing),
        &how,
        &Counting::from(70),
    )
    .unwrap();
    assert_eq!(disk.names(), [NAME]);
}
