//! Acts that a crash interrupts: the next start finishes them.

use planledger_core::domain::erasure::Target;
use planledger_core::journal::{CommitLog, OsDisk, SegmentLog, SegmentOptions};
use planledger_core::ledger::Payload;
use planledger_fixtures::place::{copy, events};
use std::sync::Arc;

use super::{decide, place};
use crate::audit::school::{NotarisedSchool, PLAN, STUDENT};

/// What is on the disk after each step is what a crash after it leaves. Each is opened, and finishes.
#[test]
fn an_act_that_was_approved_is_carried_out_by_the_next_start_whatever_was_done_of_it() {
    let mut school = NotarisedSchool::new();
    let written = school.write(PLAN, "stod i den forkerte plan").position;
    let target = place(&school.ledger, written);
    decide(&school.ledger, target);
    decide(&school.ledger, Target::Person(STUDENT));
    school.ledger.settle();
    let ledger_id = school.ledger.status().ledger;
    let start = school.close();
    let steps: [&dyn Fn(&std::path::Path); 3] = [
        &|_| {},
        &|dir| {
            let disk = Arc::new(OsDisk::new(dir.join("journal")).unwrap());
            let log = SegmentLog::open(disk, SegmentOptions::default()).unwrap();
            log.redact(written).unwrap();
        },
        &|dir| {
            use planledger_core::seal::*;
            let store = KeyStore::open(&KeyStoreOptions {
                disk: Arc::new(OsDisk::new(dir.join("keys")).unwrap()),
                ledger: ledger_id,
                master: MasterKey::from_bytes(planledger_fixtures::place::MASTER),
                rescue: None,
                mode: KeyStoreMode::Existing,
            });
            store.unwrap().destroy(KeyScope::Person(STUDENT)).unwrap();
        },
    ];
    for done in 0..=steps.len() {
        let dir = tempfile::tempdir().unwrap();
        copy(start.path(), dir.path());
        steps[..done].iter().for_each(|step| step(dir.path()));
        let ledger = planledger_fixtures::place::TempLedger::open_in(dir.path());
        assert_eq!(ledger.carry_out_erasures().unwrap().len(), 2, "{done}");
        let gone = events(&ledger)
            .into_iter()
            .filter(|event| event.position == written);
        for event in gone {
            assert_eq!(event.payload, Payload::Erased);
        }
        drop(ledger);
        let options = planledger_fixtures::place::TempLedger::options_in(dir.path());
        let depth = planledger_core::verify::Depth::Full;
        let found = planledger_core::verify::verify_dir(&options, depth, &|_, _, _| {}).unwrap();
        assert!(
            found.is_sound(),
            "{done}: {:?}",
            found.faults().collect::<Vec<_>>()
        );
    }
}
