//! A backup while commands come, and the ledger that comes of it.

use std::sync::atomic::{AtomicBool, Ordering};

use planledger_core::backup::Until;
use planledger_core::domain::Actor;
use planledger_core::domain::ledger::LedgerEvent;
use planledger_core::domain::{Command, plan::PlanCommand};
use planledger_core::ids::Position;
use planledger_core::ledger::{Envelope, Payload, Receipt};
use planledger_core::notary::Notary;
use planledger_core::verify::{Depth, verify_dir};
use planledger_fixtures::place::{TempLedger, command_id, events};

use super::support::{Places, in_small_segments};
use crate::audit::school::{NotarisedSchool, PLAN, TEACHER, signer};
use crate::ledger::support::put_institution;

#[test]
fn a_ledger_is_put_back_as_it_was_with_one_event_more_that_says_so() {
    let mut school = NotarisedSchool::new();
    school.checkpoint();
    school.write(PLAN, "læser nu selv");
    school.checkpoint();
    let before = events(&school.ledger);
    let places = Places::new();
    let created = places.back_up(school.place.path());
    assert_eq!(created.manifest.position.get(), before.len() as u64);
    assert_eq!(created.manifest.root, school.ledger.status().root);
    drop(school.close());

    let new = tempfile::tempdir().unwrap();
    let done = places.put_back(new.path(), Until::End);
    assert_eq!(done.restored.position, created.manifest.position);
    assert_eq!(done.restored.reached, done.restored.position);
    assert_eq!((done.restored.beyond, done.restored.commands), (None, 0));
    let (ledger, notary) = NotarisedSchool::reopen(new.path());
    let after = events(&ledger);
    assert_eq!(after[..before.len()], before);
    assert_eq!(after.len(), before.len() + 1);
    assert_eq!(after.last().unwrap().position, done.recorded);
    let Payload::Json(json) = &after.last().unwrap().payload else {
        panic!("nothing can be read of it");
    };
    let event: LedgerEvent = serde_json::from_slice(json).unwrap();
    assert_eq!(event, LedgerEvent::Restored(done.restored));
    assert_eq!(ledger.restores().unwrap().len(), 1);
    notary.checkpoint().unwrap();
    drop((ledger, notary));
    let found = verify_dir(
        &TempLedger::options_in(new.path()),
        Depth::Full,
        &|_, _, _| {},
    )
    .unwrap();
    assert!(found.is_sound(), "{:?}", found.faults().collect::<Vec<_>>());
}

/// Every command that had its receipt before the backup began is in it, with the same receipt, and what
/// is in it is a beginning of what was recorded, up to a whole batch.
#[test]
fn a_backup_under_load_has_all_that_was_receipted_before_it_began_and_no_half_batch() {
    let place = TempLedger::new();
    let ledger = in_small_segments(&place);
    let notary = Notary::open(ledger.clone(), place.path(), signer()).unwrap();
    let stop = AtomicBool::new(false);
    let places = Places::new();
    let batch = |number: u64| -> Vec<Envelope> {
        let each = (0..3).map(|n| put_institution(number * 3 + n, n, &format!("Skole {number}")));
        each.collect()
    };
    let actor = Actor::Person(TEACHER);
    let mut receipts: Vec<Vec<Receipt>> = Vec::new();
    for number in 1..40 {
        receipts.push(ledger.execute_batch(actor, batch(number)).unwrap());
    }
    notary.checkpoint().unwrap();
    let known = receipts.len();
    let created = std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut more = Vec::new();
            for number in 40.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                more.push(ledger.execute_batch(actor, batch(number)).unwrap());
                if number % 16 == 0 {
                    notary.checkpoint().unwrap();
                }
            }
            more
        });
        let made: Vec<_> = (0..4).map(|_| places.back_up(place.path())).collect();
        stop.store(true, Ordering::Relaxed);
        receipts.extend(writing.join().unwrap());
        made
    });
    let last = created.last().unwrap();
    assert!(
        created[0].manifest.files.len() > 4,
        "there are several segments"
    );
    let all = events(&ledger);
    drop((ledger, notary));

    let new = tempfile::tempdir().unwrap();
    let done = places.put_back(new.path(), Until::End);
    let ledger = TempLedger::open_in(new.path());
    let end = done.restored.position;
    let there = events(&ledger);
    assert_eq!(there[..end.get() as usize], all[..end.get() as usize]);
    assert_eq!(end, last.manifest.position);
    assert!(
        receipts[known - 1]
            .iter()
            .all(|receipt| receipt.position <= end)
    );
    for (number, receipts) in (1..).zip(&receipts) {
        let within = receipts.iter().filter(|it| it.position <= end).count();
        assert!(
            within == 0 || within == receipts.len(),
            "half of batch {number}"
        );
        if within > 0 {
            let again = ledger.execute_batch(actor, batch(number)).unwrap();
            let first = receipts.iter().map(|receipt| Receipt {
                replayed: true,
                ..receipt.clone()
            });
            assert!(again.into_iter().eq(first), "batch {number}");
        }
    }
}

/// The last group of what is put back holds a redacted text. It is no torn end.
#[test]
fn what_ends_with_a_redacted_text_is_put_back_whole() {
    let school = NotarisedSchool::new();
    let write = |id: u64, text: &str| {
        let text = text.parse().unwrap();
        Envelope::new(
            command_id(id),
            Command::Plan(PLAN, PlanCommand::WriteStatus { text }),
        )
    };
    let group = vec![
        write(901, "er god til at læse"),
        write(902, "forkert plan"),
        write(903, "skriver"),
    ];
    let receipts = school
        .ledger
        .execute_batch(Actor::Person(TEACHER), group)
        .unwrap();
    let (written, last) = (receipts[1].position, receipts[2].position);
    let target = crate::erasure::place(&school.ledger, written);
    crate::erasure::decide(&school.ledger, target);
    school.ledger.carry_out_erasures().unwrap();
    let places = Places::new();
    places.back_up(school.place.path());
    drop(school.close());
    let new = tempfile::tempdir().unwrap();
    let done = places.put_back(new.path(), Until::Position(last));
    assert_eq!(done.restored.position, last);
    let ledger = TempLedger::open_in(new.path());
    let found = events(&ledger);
    let payload = |position: Position| &found[position.get() as usize - 1].payload;
    assert!(matches!(payload(written), Payload::Left(_)));
    assert!(matches!(payload(last), Payload::Json(_)));
}
