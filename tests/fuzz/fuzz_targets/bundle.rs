//! See `checks/bundle.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/bundle.rs"]
mod bundle;

fuzz_target!(|bytes: &[u8]| bundle::check(bytes));
