//! See `checks/cpr.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/cpr.rs"]
mod cpr;

fuzz_target!(|bytes: &[u8]| cpr::check(bytes));
