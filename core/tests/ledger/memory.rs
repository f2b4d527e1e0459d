//! Reads that wait for no disk.

use planledger_core::access::Facts;
use planledger_core::derived::Term;
use planledger_core::ids::{PersonId, StreamKind};
use planledger_core::ledger::{ReadError, Reading};
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
