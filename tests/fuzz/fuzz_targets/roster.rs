//! See `checks/roster.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/roster.rs"]
mod roster;

fuzz_target!(|bytes: &[u8]| roster::check(bytes));
