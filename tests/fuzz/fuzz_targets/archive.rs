//! See `checks/archive.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/archive.rs"]
mod archive;

fuzz_target!(|bytes: &[u8]| archive::check(bytes));
