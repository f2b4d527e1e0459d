//! See `checks/stil.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/stil.rs"]
mod stil;

fuzz_target!(|bytes: &[u8]| stil::check(bytes));
