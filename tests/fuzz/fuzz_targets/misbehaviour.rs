//! See `checks/misbehaviour.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/misbehaviour.rs"]
mod misbehaviour;

fuzz_target!(|bytes: &[u8]| misbehaviour::check(bytes));
