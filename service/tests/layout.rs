//! How the service's files may depend on each other, read from the source itself.
//!
//! The README's table says that `src/wire` alone turns the library's values into messages of the
//! API and back. A file that names both could do so in passing, so no file outside of `wire` may
//! name both.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where something is not as expected"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Words that everybody shares: what they are does not depend on rules or messages.
const WORDS: &[&str] = &["ids", "text", "time"];

/// Every module of the service with its source, without comments and without its tests.
fn modules() -> BTreeMap<String, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut modules = BTreeMap::new();
    let mut folders = vec![source.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(&source).unwrap().with_extension("");
            let parts: Vec<_> = name.iter().map(|part| part.to_str().unwrap()).collect();
            let name = parts.join("::");
            let name = name.strip_suffix("::mod").unwrap_or(&name);
            if parts.contains(&"tests") || ["lib", "main"].contains(&name) {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            let code = text.lines().filter(|line| !line.trim().starts_with("//"));
            modules.insert(name.to_owned(), code.collect::<Vec<_>>().join("\n"));
        }
    }
    assert!(modules.len() > 80, "{} files", modules.len());
    modules
}

/// The paths that a `use` names: `a::{b, c::d}` names `a::b` and `a::c::d`.
fn paths(tree: &str) -> Vec<String> {
    let Some((before, inside)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or(tree).trim();
        return vec![path.strip_suffix("::self").unwrap_or(path).to_owned()];
    };
    let inside = inside.trim_end().strip_suffix('}').unwrap();
    let mut all = Vec::new();
    let (mut depth, mut from) = (0, 0);
    for (at, character) in inside.char_indices().chain([(inside.len(), ',')]) {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let part = inside[from..at].trim();
                if !part.is_empty() {
                    all.extend(paths(&format!("{}{part}", before.trim())));
                }
                from = at + 1;
            }
            _ => {}
        }
    }
    all
}

/// Everything that a source names with a path: its imports, and paths in its code.
fn named(code: &str) -> Vec<String> {
    let is_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
    let mut all = Vec::new();
    // How far an item is seen is nothing that the file borrows.
    let code = code.replace("pub(in crate::", "pub(in ");
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        let line = line.trim().trim_start_matches("pub ");
        if let Some(import) = line.strip_prefix("use ") {
            let mut import = import.to_owned();
            while !import.contains(';') {
                import.push_str(lines.next().unwrap_or(";").trim());
            }
            all.extend(paths(import.trim_end_matches(';')));
        }
    }
    all.extend(code.split(|c| !is_path(c)).map(str::to_owned));
    all.retain(|path| match path.contains("::") {
        true => !path.ends_with(':'),
        false => path == "planledger_core",
    });
    all
}

/// Whether a source names the library, beyond the words that everybody shares.
fn names_library(code: &str) -> bool {
    named(code).iter().any(|path| {
        let path = path.trim_start_matches(':');
        let inside = path.strip_prefix("planledger_core::");
        let room = inside.map(|inside| inside.split("::").next().unwrap_or_default());
        // The whole library under another name would hide what the paths lead to.
        path == "planledger_core" || room.is_some_and(|room| !WORDS.contains(&room))
    })
}

/// Whether a source names messages of the API.
fn names_api(code: &str) -> bool {
    let of_wire = |path: &String| format!("::{path}::").contains("::wire::proto::");
    code.contains("planledger_proto") || named(code).iter().any(of_wire)
}

#[test]
fn only_wire_knows_both_the_library_and_the_api() {
    let mut both = BTreeSet::new();
    for (module, code) in modules() {
        let in_wire = module == "wire" || module.starts_with("wire::");
        if !in_wire && names_library(&code) && names_api(&code) {
            both.insert(module);
        }
    }
    assert_eq!(both, BTreeSet::new());
}

#[test]
fn a_file_is_caught_however_it_names_the_library_and_the_api() {
    for library in [
        "use planledger_core::ledger::Ledger;",
        "use planledger_core::{ids::PlanId, domain::Reason};",
        "use planledger_core as library;",
        "use planledger_core::{\n    self as library,\n};",
        "fn of(state: &::planledger_core::domain::Aggregate) {}",
    ] {
        assert!(names_library(library), "{library}");
    }
    for word in [
        "use planledger_core::ids::{PlanId, Position};",
        "use planledger_core::{ids::PlanId, text::Text, time::Timestamp};",
    ] {
        assert!(!names_library(word), "{word}");
    }
    for api in [
        "use planledger_proto::v1::Plan;",
        "use planledger_proto as api;",
        "use crate::wire::{self, proto};",
        "use crate::wire::proto::Plan;",
        "fn of(plan: wire::proto::Plan) {}",
    ] {
        assert!(names_api(api), "{api}");
    }
    assert!(!names_api("use crate::wire::{self, Failure, request};"));
}

#[test]
fn the_services_of_the_server_leave_the_library_to_its_queries() {
    for (module, code) in modules() {
        let in_rpc = module.starts_with("server::rpc");
        assert!(!(in_rpc && names_library(&code)), "{module}");
        assert!(in_rpc || !code.contains("Service for Api {"), "{module}");
    }
}

#[test]
fn only_wire_says_what_an_error_of_the_library_is_for_callers() {
    for (module, code) in modules() {
        if !module.starts_with("wire::errors") {
            let made = ["Status::new(", "Status::with_", "Status::internal("];
            let found = made.iter().find(|made| code.contains(**made));
            assert_eq!(found, None, "{module}");
        }
    }
}

/// The module that a path stands in, as seen from another; `None` outside of the service.
fn target(modules: &BTreeMap<String, String>, from: &str, path: &str) -> Option<String> {
    let mut at: Vec<&str> = from.split("::").collect();
    let mut parts = path.split("::").peekable();
    match parts.next()? {
        "crate" => at.clear(),
        "self" => {}
        "super" => {
            at.pop();
            while parts.next_if_eq(&"super").is_some() {
                at.pop();
            }
        }
        _ => return None,
    }
    for part in parts {
        at.push(part);
        if !modules.contains_key(&at.join("::")) {
            at.pop();
            break;
        }
    }
    Some(at.join("::")).filter(|found| !found.is_empty() && found != from)
}

/// Modules that lead back to themselves.
fn circle(uses: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let mut left: BTreeSet<_> = uses.keys().cloned().collect();
    loop {
        let before = left.len();
        let leads_on = |module: &String| uses[module].iter().any(|to| left.contains(to));
        let keep: BTreeSet<_> = left.iter().filter(|it| leads_on(it)).cloned().collect();
        let led_to = |module: &String| keep.iter().any(|from| uses[from].contains(module));
        left = keep.iter().filter(|it| led_to(it)).cloned().collect();
        if left.len() == before {
            return left;
        }
    }
}

#[test]
fn no_file_of_the_server_or_the_command_line_borrows_from_one_that_borrows_from_it() {
    let modules = modules();
    for room in ["server", "cli"] {
        let inside = modules
            .iter()
            .filter(|(name, _)| name.split("::").next() == Some(room));
        let uses: BTreeMap<String, BTreeSet<String>> = inside
            .map(|(name, code)| {
                let named = named(code).into_iter();
                let to = named.filter_map(|path| target(&modules, name, &path));
                (name.clone(), to.collect())
            })
            .collect();
        assert_eq!(circle(&uses), BTreeSet::new(), "{room}");
    }
}
