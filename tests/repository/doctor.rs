//! The page for operators tells what the doctor says, and each drill on it is a test.

use std::collections::BTreeSet;
use std::fs;

use planledger_core::doctor::Section;

use crate::pages::{page, quoted, root, table};

const PAGE: &str = "service/OPERATING.md";

/// Every code that the doctor can say, from its source.
fn codes() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in ["finding.rs", "keys.rs"] {
        let text = fs::read_to_string(root().join("core/src/doctor").join(file)).unwrap();
        let texts = text.split('"').skip(1).step_by(2);
        let is_code = |text: &&str| {
            text.len() > 3
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        };
        found.extend(texts.filter(is_code).map(str::to_owned));
    }
    found
}

#[test]
fn the_page_of_operators_has_every_section_that_the_doctor_names() {
    let page = page(PAGE);
    for section in Section::ALL {
        let heading = format!("\n## {}\n", section.heading());
        assert!(page.contains(&heading), "{PAGE}: {heading}");
    }
}

#[test]
fn every_finding_is_on_the_page_of_operators_and_every_drill_there_is_a_test() {
    let header = "| The doctor says | What happened | What is lost | What to do | Drill |";
    let rows = table(&page(PAGE), header);
    let files = ["doctor.rs", "drills.rs"].map(|file| root().join("tests/blackbox/cli").join(file));
    let tests = files.map(|file| fs::read_to_string(file).unwrap()).concat();
    let mut told = BTreeSet::new();
    for row in &rows {
        let said = quoted(&row[0]);
        assert!(!quoted(&row[4]).is_empty(), "{PAGE}: no drill of {said:?}");
        for drill in quoted(&row[4]) {
            let (_, rest) = tests
                .split_once(&format!("fn {drill}()"))
                .unwrap_or_else(|| panic!("{PAGE}: there is no drill {drill}"));
            let body = rest.split("\n#[test]").next().unwrap();
            for code in &said {
                assert!(
                    body.contains(&format!("\"{code}\"")),
                    "{drill} drills no {code}"
                );
            }
        }
        for code in said {
            assert!(
                told.insert(code.to_owned()),
                "{PAGE}: {code} stands there twice"
            );
        }
    }
    assert_eq!(told, codes(), "{PAGE}, \"Doctor\"");
}
