//! See `checks/entry.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/entry.rs"]
mod entry;

fuzz_target!(|bytes: &[u8]| entry::check(bytes));
