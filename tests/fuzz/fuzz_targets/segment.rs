//! See `checks/segment.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/frame.rs"]
#[allow(dead_code, reason = "only its seals are needed")]
mod frame;
#[path = "../checks/segment.rs"]
mod segment;

fuzz_target!(|bytes: &[u8]| segment::check(bytes));
