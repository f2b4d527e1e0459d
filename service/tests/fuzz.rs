//! The checks that fuzzing makes for ever of what reads files, made here on a few inputs. The checks are in
//! `tests/fuzz/checks`, what they have in common in `tests/fuzz/bounded.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops where something is not as expected"
)]
#![allow(
    clippy::duplicate_mod,
    reason = "fuzzing builds each check alone, with what it shares with others"
)]

#[path = "../../tests/fuzz/bounded.rs"]
mod bounded;

macro_rules! targets {
    ($($target:ident: $cases:literal, $file:literal;)*) => {$(
        #[path = $file]
        mod $target;

        #[test]
        fn $target() {
            bounded::run(stringify!($target), $cases, $target::check);
        }
    )*};
}

targets! {
    archive: 200, "../../tests/fuzz/checks/archive.rs";
    catalogue: 200, "../../tests/fuzz/checks/catalogue.rs";
    roster: 200, "../../tests/fuzz/checks/roster.rs";
    stil: 200, "../../tests/fuzz/checks/stil.rs";
}
