//! Reads that wait for no disk.

use planledger_core::access::Facts;
use planledger_core::derived::Term;
use planledger_core::domain::Aggregate;
use planledger_core::ids::{PersonId, Position, StreamKind};
use planledger_core::ledger::{Ledger, ReadError, Reading};
use planledger_fixtures::place::TempLedger;
use planledger_fixtures::school::SYSTEM;
use uuid::Uuid;

use crate::ledger::support::{institution, put_institution};

type Seen = (Option<u64>, usize, usize);

/// The revision of an institution, how many there are, and the teams of somebody who does not exist.
fn look(reading: &Reading<'_>) -> Result<Seen, ReadError> {
    let found = reading.stream(institution(1))?;
    let all = reading.find(Term::All(StreamKind::Institution))?;
    let nobody = PersonId::from_uuid(Uuid::from_u128(7));
    let none = reading.stream(nobody)?.is_none();
    assert!(none);
    Ok((
        found.map(|(_, revision)| revision.get()),
        all.len(),
        reading.teams_of(nobody)?.len(),
    ))
}

#[test]
fn what_is_in_memory_is_read_there_and_everything_else_is_left_to_others() {
    let place = TempLedger::new();
    let ledger = place.open();
    assert_eq!(
        ledger.read_in_memory(look).unwrap().unwrap().0,
        (None, 0, 0)
    );
    ledger.execute(SYSTEM, put_institution(1, 1, "A")).unwrap();
    // It may still be on its way to sled, or be there: it is in memory.
    for _ in 0..2 {
        let in_memory = ledger.read_in_memory(look).unwrap();
        assert_eq!(in_memory, Some(ledger.read(look).unwrap()));
        assert_eq!(in_memory.unwrap().0, (Some(1), 1, 0));
        ledger.settle();
    }
    drop(ledger);
    let ledger = place.open();
    assert_eq!(ledger.read_in_memory(look).unwrap(), None);
    // An error that follows from what is not known is none.
    let refused = ledger.read_in_memory(|reading| look(reading).map_err(|_| ReadError::Closed));
    assert_eq!(refused.unwrap(), None);
    let read = ledger.read(look).unwrap();
    assert_eq!(ledger.read_in_memory(look).unwrap(), Some(read));
    ledger.execute(SYSTEM, put_institution(2, 1, "B")).unwrap();
    assert_eq!(
        ledger.read_in_memory(look).unwrap().unwrap().0,
        (Some(2), 1, 0)
    );
}

/// A state of the past is made from the nearest one that was made lately. It is what a fold from the
/// first event gives, in whatever order and however often the past is read.
#[test]
fn the_past_stays_the_same_however_it_is_read() {
    const EVENTS: u64 = 400;
    let place = TempLedger::new();
    let ledger = place.open();
    let name = |nth: u64| format!("Skole {nth}");
    for nth in 1..=EVENTS {
        let command = put_institution(nth, 1, &name(nth));
        ledger.execute(SYSTEM, command).unwrap();
    }
    ledger.settle();
    let at = |ledger: &Ledger, nth: u64| {
        let read = ledger.read_at(Position::new(nth), |then| then.stream(institution(1)));
        let (state, revision) = read.unwrap().0.unwrap();
        let Aggregate::Institution(found) = &*state else {
            panic!("an institution")
        };
        assert_eq!(revision.get(), nth);
        assert_eq!(found.details.name.as_str(), name(nth));
        state
    };
    for nth in (0..3 * EVENTS).map(|nth| nth * 149 % EVENTS + 1) {
        at(&ledger, nth);
    }
    let seen: Vec<_> = (1..=EVENTS).map(|nth| at(&ledger, nth)).collect();
    drop(ledger);
    // Nothing is in memory, and each is read once.
    let ledger = place.open();
    for nth in (1..=EVENTS).rev() {
        assert_eq!(at(&ledger, nth), seen[nth as usize - 1]);
    }
}
