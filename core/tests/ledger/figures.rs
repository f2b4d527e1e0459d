//! What a ledger counts for whoever watches it.

use planledger_fixtures::place::TempLedger;
use planledger_fixtures::school::SYSTEM;

use crate::ledger::support::put_institution;

#[test]
fn a_ledger_counts_its_receipts_its_groups_and_its_syncs() {
    let place = TempLedger::new();
    let ledger = place.open();
    for number in 1..=3 {
        ledger
            .execute(SYSTEM, put_institution(number, number, "A"))
            .unwrap();
    }
    // A batch is one group of two commands.
    let batch = vec![put_institution(4, 4, "A"), put_institution(5, 5, "A")];
    ledger.execute_batch(SYSTEM, batch).unwrap();
    // Neither of these writes anything.
    ledger.execute(SYSTEM, put_institution(1, 1, "A")).unwrap();
    ledger
        .execute(SYSTEM, put_institution(1, 1, "B"))
        .unwrap_err();
    let figures = ledger.figures();
    assert_eq!((figures.receipts, figures.repeated), (5, 1));
    assert_eq!(figures.groups.count(), 4);
    assert_eq!(figures.groups.sum, 5);
    assert_eq!(figures.groups.counts[..2], [3, 1]);
    let syncs = figures.syncs.unwrap();
    assert_eq!(syncs.count(), 4);
    assert!(syncs.sum > 0);
    assert_eq!((figures.waiting, figures.waiting_bytes), (0, 0));
}
