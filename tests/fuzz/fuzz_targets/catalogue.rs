//! See `checks/catalogue.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/catalogue.rs"]
mod catalogue;

fuzz_target!(|bytes: &[u8]| catalogue::check(bytes));
