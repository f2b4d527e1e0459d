//! See `checks/payload.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/payload.rs"]
mod payload;

fuzz_target!(|bytes: &[u8]| payload::check(bytes));
