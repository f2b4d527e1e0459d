use std::time::Duration;

use planledger_core::domain::Command;
use planledger_core::domain::system::{SystemCommand, SystemDetails, SystemIdentity, SystemKind};
use planledger_core::ids::{Position, Revision, SystemId};
use planledger_core::ledger::{Envelope, ExecuteError, Ledger, OpenError, Receipt, rebuild};
use planledger_core::verify::{Depth, verify_dir};
use planledger_fixtures::place::{TempLedger, command_id, dump, events_after};
use planledger_fixtures::school::SYSTEM;

use crate::ledger::support::{institution, put_institution};

#[test]
fn a_receipt_says_where_the_command_ended_up() {
    let place = TempLedger::new();
    let ledger = place.open();
    let first = ledger
        .execute(SYSTEM, put_institution(1, 1, "Nørrebro Skole"))
        .unwrap();
    assert_eq!(
        (first.position, first.revision),
        (Position::new(1), Revision::new(1))
    );
    assert_eq!((first.events, first.replayed), (1, false));
    assert_eq!(first.stream, institution(1).into());
    let second = ledger
        .execute(SYSTEM, put_institution(2, 1, "Østerbro Skole"))
        .unwrap();
    assert_eq!(
        (second.position, second.revision),
        (Position::new(2), Revision::new(2))
    );
    assert!(second.recorded_at > first.recorded_at);
    assert!(ledger.wait_for(second.position, Duration::ZERO));
    assert_eq!(ledger.position(), second.position);
}

#[test]
fn the_same_command_again_gives_the_first_receipt_also_after_a_restart() {
    let place = TempLedger::new();
    let ledger = place.open();
    let first = ledger.execute(SYSTEM, put_institution(1, 1, "A")).unwrap();
    let again = ledger.execute(SYSTEM, put_institution(1, 1, "A")).unwrap();
    assert_eq!(
        (again.position, again.recorded_at),
        (first.position, first.recorded_at)
    );
    assert!(again.replayed);
    drop(ledger);
    let ledger = place.open();
    let again = ledger.execute(SYSTEM, put_institution(1, 1, "A")).unwrap();
    assert_eq!(
        (again.position, again.recorded_at),
        (first.position, first.recorded_at)
    );
    assert!(again.replayed);
    let other = ledger
        .execute(SYSTEM, put_institution(1, 1, "B"))
        .unwrap_err();
    assert_eq!(
        other,
        ExecuteError::IdReused {
            index: 0,
            command: command_id(1)
        }
    );
    assert_eq!(ledger.position(), Position::new(1));
}

#[test]
fn a_wrong_expectation_is_a_conflict_that_names_both_revisions() {
    let place = TempLedger::new();
    let ledger = place.open();
    ledger.execute(SYSTEM, put_institution(1, 1, "A")).unwrap();
    let mut envelope = put_institution(2, 1, "B");
    envelope.expected_revision = Some(Revision::ZERO);
    let conflict = ledger.execute(SYSTEM, envelope.clone()).unwrap_err();
    let stream = institution(1).into();
    let (expected, actual) = (Revision::ZERO, Revision::new(1));
    assert_eq!(
        conflict,
        ExecuteError::Conflict {
            index: 0,
            stream,
            expected,
            actual
        }
    );
    envelope.expected_revision = Some(Revision::new(1));
    ledger.execute(SYSTEM, envelope).unwrap();
}

#[test]
fn a_batch_is_carried_out_whole_or_not_at_all() {
    let place = TempLedger::new();
    let ledger = place.open();
    let mut conflicting = put_institution(3, 2, "C");
    conflicting.expected_revision = Some(Revision::new(9));
    let batch = vec![
        put_institution(1, 1, "A"),
        put_institution(2, 2, "B"),
        conflicting,
    ];
    let error = ledger.execute_batch(SYSTEM, batch).unwrap_err();
    assert!(
        matches!(error, ExecuteError::Conflict { index: 2, .. }),
        "{error:?}"
    );
    assert_eq!(ledger.position(), Position::ZERO);
    assert_eq!(dump(&ledger), []);
    // The ids are free again.
    let batch = vec![put_institution(1, 1, "A"), put_institution(2, 2, "B")];
    let receipts = ledger.execute_batch(SYSTEM, batch.clone()).unwrap();
    assert_eq!(receipts.len(), 2);
    let again = ledger.execute_batch(SYSTEM, batch).unwrap();
    assert!(again.iter().all(|receipt| receipt.replayed));
    let mixed = vec![put_institution(2, 2, "B"), put_institution(9, 9, "C")];
    let error = ledger.execute_batch(SYSTEM, mixed).unwrap_err();
    assert_eq!(
        error,
        ExecuteError::IdReused {
            index: 0,
            command: command_id(2)
        }
    );
    assert_eq!(ledger.position(), Position::new(2));
}

/// Commands are kept 128 to a document. Batches cross the ends of documents here, refused ones are
/// taken back in the middle of one, and the ledger is opened again at all sorts of places.
#[test]
fn every_receipt_is_found_again_whatever_was_refused_between() {
    let place = TempLedger::new();
    let mut ledger = place.open();
    let mut sent = Vec::new();
    let mut next = 1;
    for (round, size) in [1, 50, 129, 3, 200, 1, 127, 1].into_iter().enumerate() {
        let numbers = next..next + size;
        next = numbers.end;
        let batch: Vec<_> = numbers
            .map(|n| put_institution(n, n % 5, &format!("Skole {n}")))
            .collect();
        let mut refused = batch.clone();
        let mut conflicting = put_institution(next, 1, "refused");
        conflicting.expected_revision = Some(Revision::new(9_999));
        refused.push(conflicting);
        ledger.execute_batch(SYSTEM, refused).unwrap_err();
        let receipts = ledger.execute_batch(SYSTEM, batch.clone()).unwrap();
        sent.extend(batch.into_iter().zip(receipts));
        if round % 3 == 1 {
            drop(ledger);
            ledger = place.open();
        }
    }
    for (envelope, first) in sent {
        let again = ledger.execute(SYSTEM, envelope).unwrap();
        let replayed = Receipt {
            replayed: true,
            ..first
        };
        assert_eq!(again, replayed);
    }
    let before = dump(&ledger);
    drop(ledger);
    rebuild(place.options()).unwrap();
    assert_eq!(dump(&place.open()), before);
}

#[test]
fn events_are_read_in_order_and_can_be_resumed() {
    let place = TempLedger::new();
    let ledger = place.open();
    for n in 1..=5 {
        ledger
            .execute(SYSTEM, put_institution(n, n % 2, &format!("Skole {n}")))
            .unwrap();
    }
    let positions = |after| {
        let events = events_after(&ledger, Position::new(after)).into_iter();
        events.map(|event| event.position.get()).collect::<Vec<_>>()
    };
    assert_eq!(positions(0), [1, 2, 3, 4, 5]);
    assert_eq!(positions(3), [4, 5]);
    assert!(positions(5).is_empty());
    let history = ledger.history(institution(1).into(), None, 2).unwrap();
    let found: Vec<_> = history.iter().map(|event| event.position.get()).collect();
    assert_eq!(found, [5, 3]);
    let earlier = ledger
        .history(institution(1).into(), Some(Position::new(3)), 10)
        .unwrap();
    assert_eq!(
        earlier
            .iter()
            .map(|event| event.position.get())
            .collect::<Vec<_>>(),
        [1]
    );
}

#[test]
fn a_second_ledger_in_the_same_directory_is_refused() {
    let place = TempLedger::new();
    let ledger = place.open();
    let Err(error) = Ledger::open(place.options()) else {
        panic!("it opened twice")
    };
    assert!(matches!(error, OpenError::Locked { .. }));
    assert!(
        error
            .to_string()
            .contains("in use by another planledger process"),
        "{error}"
    );
    // Whoever takes the file for a leftover and removes it lets nobody in.
    std::fs::remove_file(place.path().join("lock")).unwrap();
    let second = Ledger::open(place.options());
    assert!(matches!(second, Err(OpenError::Locked { .. })));
    let looked = verify_dir(&place.options(), Depth::Integrity, &|_, _, _| {});
    assert!(matches!(looked, Err(OpenError::Locked { .. })));
    drop(ledger);
    place.open();
}

#[test]
fn many_threads_get_distinct_positions() {
    let place = TempLedger::new();
    let ledger = place.open();
    let mut positions = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8u64)
            .map(|thread| {
                let ledger = &ledger;
                scope.spawn(move || {
                    (0..50u64)
                        .map(|n| {
                            let id = thread * 1_000 + n + 1;
                            let envelope = put_institution(id, n % 5, &format!("Skole {id}"));
                            ledger.execute(SYSTEM, envelope).unwrap().position.get()
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect::<Vec<_>>()
    });
    positions.sort_unstable();
    assert_eq!(positions, (1..=400).collect::<Vec<_>>());
}

#[test]
fn the_ledger_knows_after_which_position_no_system_has_changed() {
    let place = TempLedger::new();
    let ledger = place.open();
    ledger
        .execute(SYSTEM, put_institution(1, 1, "Nørrebro Skole"))
        .unwrap();
    assert_eq!(ledger.systems_changed(), Position::ZERO);
    for (n, is_revoked) in [(2, false), (4, true)] {
        let changed = ledger.execute(SYSTEM, on_system(n, is_revoked)).unwrap();
        assert_eq!(ledger.systems_changed(), changed.position);
        ledger
            .execute(SYSTEM, put_institution(n + 1, 1, "Østerbro Skole"))
            .unwrap();
        assert_eq!(ledger.systems_changed(), changed.position);
    }
    let end = ledger.position();
    drop(ledger);
    // What was there before nobody remembers.
    assert_eq!(place.open().systems_changed(), end);
}

fn on_system(command: u64, is_revoked: bool) -> Envelope {
    let details = SystemDetails {
        name: "Portal".parse().unwrap(),
        kind: SystemKind::Other,
        identities: [SystemIdentity::Dns("portal.example".parse().unwrap())].into(),
        may_act_for_people: false,
        may_name_person_in_header: false,
    };
    let on_it = match is_revoked {
        false => SystemCommand::Register(details),
        true => SystemCommand::Revoke { reason: None },
    };
    let command_of = Command::System(SystemId::from_uuid(uuid::Uuid::from_u128(9)), on_it);
    Envelope::new(command_id(command), command_of)
}
