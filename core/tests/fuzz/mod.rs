//! The checks that fuzzing makes for ever, made here on a few inputs. The checks are in
//! `tests/fuzz/checks`, what they have in common in `tests/fuzz/bounded.rs`.

#[path = "../../../tests/fuzz/bounded.rs"]
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
    add_checkpoint: 500, "../../../tests/fuzz/checks/add_checkpoint.rs";
    bundle: 100, "../../../tests/fuzz/checks/bundle.rs";
    cpr: 2_000, "../../../tests/fuzz/checks/cpr.rs";
    derived: 1_000, "../../../tests/fuzz/checks/derived.rs";
    entry: 2_000, "../../../tests/fuzz/checks/entry.rs";
    frame: 1_000, "../../../tests/fuzz/checks/frame.rs";
    keys: 500, "../../../tests/fuzz/checks/keys.rs";
    misbehaviour: 200, "../../../tests/fuzz/checks/misbehaviour.rs";
    note: 500, "../../../tests/fuzz/checks/note.rs";
    payload: 2_000, "../../../tests/fuzz/checks/payload.rs";
    policy: 500, "../../../tests/fuzz/checks/policy.rs";
    proof: 500, "../../../tests/fuzz/checks/proof.rs";
    sealed: 500, "../../../tests/fuzz/checks/sealed.rs";
    segment: 500, "../../../tests/fuzz/checks/segment.rs";
}
