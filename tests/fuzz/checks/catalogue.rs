//! No bytes bring the catalogue reader down, and reading is repeatable.

use planledger::import::Catalogue;

pub(crate) fn check(bytes: &[u8]) {
    match (
        Catalogue::from_slice("a", bytes),
        Catalogue::from_slice("a", bytes),
    ) {
        (Ok(first), Ok(second)) => assert_eq!(first.command(), second.command()),
        (first, second) => assert_eq!(first.err(), second.err()),
    }
}
