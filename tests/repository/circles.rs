//! No circle among the top-level modules of a crate: whoever reads one can begin at the bottom.

use std::fmt::Write;

use crate::pages::root;
use crate::uses::{Place, Uses};

#[test]
fn no_folder_of_core_uses_one_that_uses_it() {
    check("core");
}

#[test]
fn no_folder_of_the_service_uses_one_that_uses_it() {
    check("service");
}

fn check(name: &str) {
    let uses = Uses::of_crate(&root(), name);
    assert!(uses.pairs().count() > 10, "nothing was read from {name}");
    let faults = faults(&uses);
    assert!(faults.is_empty(), "in `{name}`:\n{}", faults.join("\n"));
}

/// Every circle.
fn faults(uses: &Uses) -> Vec<String> {
    let mut faults = Vec::new();
    // Each circle once, whichever of its modules it is found from.
    let mut told: Vec<Vec<String>> = Vec::new();
    for (from, to) in uses.pairs() {
        let Some(mut circle) = uses.way(to, from) else {
            continue;
        };
        circle.rotate_right(1);
        let mut modules = circle.clone();
        modules.sort();
        if !told.contains(&modules) {
            told.push(modules);
            faults.push(describe(uses, &circle));
        }
    }
    faults
}

/// The circle, and for each step of it the lines that make it.
fn describe(uses: &Uses, circle: &[String]) -> String {
    let steps = circle.iter().zip(circle.iter().cycle().skip(1));
    let mut said = format!("a circle: {} → {}", circle.join(" → "), circle[0]);
    for (from, to) in steps {
        let places = uses.places(from, to);
        for Place { file, line, text } in places.iter().take(3) {
            write!(said, "\n  `{from}` → `{to}`: {file}:{line}: {text}").unwrap();
        }
        if places.len() > 3 {
            write!(said, "\n  … and {} more", places.len() - 3).unwrap();
        }
    }
    said
}

fn uses(pairs: &[(&str, &str)]) -> Uses {
    let mut uses = Uses::default();
    for (from, to) in pairs {
        let (file, text) = (format!("{from}.rs"), format!("use crate::{to};"));
        uses.add(
            from,
            to,
            Place {
                file,
                line: 7,
                text,
            },
        );
    }
    uses
}

#[test]
fn a_circle_is_told_once_with_the_lines_that_close_it() {
    let uses = uses(&[("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")]);
    let faults = faults(&uses);
    assert_eq!(faults.len(), 1, "{faults:?}");
    for said in ["a → b → c → a", "`c` → `a`: c.rs:7: use crate::a;"] {
        assert!(faults[0].contains(said), "{faults:?}");
    }
}
