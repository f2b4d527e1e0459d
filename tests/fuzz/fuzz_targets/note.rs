//! See `checks/note.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/note.rs"]
mod note;

fuzz_target!(|bytes: &[u8]| note::check(bytes));
