//! See `checks/policy.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/policy.rs"]
mod policy;

fuzz_target!(|bytes: &[u8]| policy::check(bytes));
