//! A folder of a ledger that is a symbolic link is not followed.

use std::os::unix::fs::symlink;
use std::path::Path;

use planledger_core::ledger::{Ledger, OpenError, Options, rebuild};
use planledger_core::verify::{Depth, verify_dir};
use planledger_fixtures::place::TempLedger;

use crate::audit::school::NotarisedSchool;

fn options(dir: &Path) -> Options {
    TempLedger::options_in(dir)
}

/// What is said instead of opening it.
fn said<T>(answer: Result<T, OpenError>) -> String {
    match answer {
        Err(error) => error.to_string(),
        Ok(_) => panic!("it opens"),
    }
}

#[test]
fn a_ledger_with_a_folder_that_leads_elsewhere_is_refused_and_one_whose_directory_does_is_not() {
    let mut school = NotarisedSchool::new();
    school.write(planledger_fixtures::school::PLAN, "skriver");
    school.ledger.settle();
    school.checkpoint();
    let place = school.close();
    let elsewhere = tempfile::tempdir().unwrap();
    // Folders that are there, and those that are only made later.
    let names = [
        "journal",
        "keys",
        "derived",
        "checkpoints",
        "tlog",
        "erasures",
        "access",
        "derived.set-aside",
    ];
    for name in names {
        let (folder, moved) = (place.path().join(name), elsewhere.path().join(name));
        let was_there = folder.exists();
        match was_there {
            true => std::fs::rename(&folder, &moved).unwrap(),
            false => std::fs::create_dir(&moved).unwrap(),
        }
        symlink(&moved, &folder).unwrap();
        let dir = place.path();
        for refused in [
            said(Ledger::open(options(dir))),
            said(rebuild(options(dir))),
            said(verify_dir(&options(dir), Depth::Full, &|_, _, _| {})),
        ] {
            assert!(refused.contains(name), "{name}: {refused}");
            assert!(refused.contains("symbolic link"), "{name}: {refused}");
        }
        std::fs::remove_file(&folder).unwrap();
        if was_there {
            std::fs::rename(&moved, &folder).unwrap();
        }
    }
    // An operator names the directory, and knows where it leads to.
    let named = elsewhere.path().join("ledger");
    symlink(place.path(), &named).unwrap();
    drop(Ledger::open(options(&named)).unwrap());
    let found = verify_dir(&options(&named), Depth::Full, &|_, _, _| {}).unwrap();
    assert!(found.is_sound(), "{:?}", found.faults().collect::<Vec<_>>());
}
