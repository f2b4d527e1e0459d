//! See `checks/keys.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/keys.rs"]
mod keys;

fuzz_target!(|bytes: &[u8]| keys::check(bytes));
