//! See `checks/sealed.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/sealed.rs"]
mod sealed;

fuzz_target!(|bytes: &[u8]| sealed::check(bytes));
