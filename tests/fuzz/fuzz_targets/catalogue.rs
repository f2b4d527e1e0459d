//! No bytes bring the catalogue reader down, and reading is repeatable.

#![no_main]

use libfuzzer_sys::fuzz_target;
use planledger::import::Catalogue;

fuzz_target!(|bytes: &[u8]| {
    match (
        Catalogue::from_slice("a", bytes),
        Catalogue::from_slice("a", bytes),
    ) {
        (Ok(first), Ok(second)) => assert_eq!(first.command(), second.command()),
        (first, second) => assert_eq!(first.err(), second.err()),
    }
});
