//! See `checks/add_checkpoint.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/add_checkpoint.rs"]
mod add_checkpoint;

fuzz_target!(|bytes: &[u8]| add_checkpoint::check(bytes));
