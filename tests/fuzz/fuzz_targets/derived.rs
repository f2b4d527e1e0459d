//! See `checks/derived.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/derived.rs"]
mod derived;

fuzz_target!(|bytes: &[u8]| derived::check(bytes));
