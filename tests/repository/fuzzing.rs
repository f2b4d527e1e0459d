//! Fuzz targets need a nightly compiler, so nothing here builds them. What they check is compiled and run by
//! ordinary tests; these hold that none is forgotten.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The names in a folder, without what follows a dot.
fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_fuzz_target_has_a_check_seeds_and_a_bounded_test() {
    let targets = names("tests/fuzz/fuzz_targets");
    assert!(!targets.is_empty());
    assert_eq!(targets, names("tests/fuzz/checks"));
    assert_eq!(targets, names("tests/fuzz/seeds"));
    let manifest = read("tests/fuzz/Cargo.toml");
    let bounded = read("core/tests/fuzz/mod.rs") + &read("service/tests/fuzz.rs");
    for target in &targets {
        let bin = format!("name = \"{target}\"\npath = \"fuzz_targets/{target}.rs\"");
        assert!(manifest.contains(&bin), "tests/fuzz/Cargo.toml: {target}");
        let check = format!("tests/fuzz/checks/{target}.rs\";");
        assert!(bounded.contains(&check), "no bounded test of {target}");
    }
}

#[test]
fn a_fuzz_target_holds_nothing_that_an_ordinary_test_does_not_compile() {
    for target in names("tests/fuzz/fuzz_targets") {
        let text = read(&format!("tests/fuzz/fuzz_targets/{target}.rs"));
        let whole = format!("fuzz_target!(|bytes: &[u8]| {target}::check(bytes));\n");
        assert!(text.ends_with(&whole), "{target}");
        assert!(!text.contains("fn "), "{target}");
    }
}
