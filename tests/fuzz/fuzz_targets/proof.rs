//! See `checks/proof.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/proof.rs"]
mod proof;

fuzz_target!(|bytes: &[u8]| proof::check(bytes));
