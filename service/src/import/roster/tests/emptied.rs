//! A row that is passed over ends nothing, not even something that is said.

use std::collections::BTreeSet;

use planledger_fixtures::Memory;
use proptest::prelude::*;

use super::super::Roster;
use super::export::Export;
use super::mutated::{Case, Link, TERMS, import_roster, links};
use crate::import::fault::PassedOverKind;

/// A cell: its file, its row below the header from 0, and its place.
type Cell = (&'static str, usize, usize);

fn table(export: &Export, file: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(&export.0[file][..]);
    let rows = reader.records().map(Result::unwrap);
    rows.map(|row| row.iter().map(str::to_owned).collect())
        .collect()
}

fn cells(export: &Export) -> Vec<Cell> {
    // A word of the manifest is about the whole export.
    let files = export.0.keys().filter(|file| **file != "manifest.csv");
    let of_file = |file: &&'static str| {
        let (file, table) = (*file, table(export, file));
        let rows = table.len() - 1;
        let places = table[0].len();
        (0..rows).flat_map(move |row| (0..places).map(move |place| (file, row, place)))
    };
    files.flat_map(of_file).collect()
}

fn emptied(export: &Export, cells: &[Cell]) -> Export {
    let mut changed = export.clone();
    for (file, row, place) in cells {
        let mut rows = table(&changed, file);
        rows[row + 1][*place].clear();
        let mut out = csv::Writer::from_writer(Vec::new());
        rows.iter().for_each(|row| out.write_record(row).unwrap());
        changed.0.insert(file, out.into_inner().unwrap());
    }
    changed
}

/// Whether each of these rows is a bad one. They stand on the second line and below.
fn are_bad(roster: &Roster, cells: &[Cell]) -> bool {
    cells.iter().all(|(file, row, _)| {
        let line = Some(*row as u64 + 2);
        let mut passed = roster.passed_over().iter();
        passed.any(|passed| {
            let fault = &passed.fault;
            passed.kind == PassedOverKind::Bad && fault.file == *file && fault.row == line
        })
    })
}

/// What ends in the ledger although the whole export does not end it.
fn lost(before: &BTreeSet<Link>, after: &BTreeSet<Link>, memory: &Memory) -> Vec<Link> {
    let now = links(memory);
    let kept = before.intersection(after);
    kept.filter(|link| !now.contains(*link)).copied().collect()
}

/// What ends if these cells are emptied. `None` if a row of them is used all the same, or refuses the
/// whole export.
fn ends(case: &Case, cells: &[Cell]) -> Option<Vec<Link>> {
    let roster = emptied(&case.export, cells).open_on(TERMS).ok()?;
    if !are_bad(&roster, cells) {
        return None;
    }
    let mut memory = case.memory.clone();
    import_roster(&mut memory, roster);
    Some(lost(&case.before, &case.after, &memory))
}

#[test]
fn a_row_that_lacks_a_cell_and_is_passed_over_ends_nothing() {
    for (name, case) in &Case::all() {
        let mut passed_over = 0;
        for cell in cells(&case.export) {
            let Some(lost) = ends(case, &[cell]) else {
                continue;
            };
            passed_over += 1;
            assert!(lost.is_empty(), "{name}, {cell:?}: {lost:#?}");
        }
        assert!(passed_over > 20, "{name}: {passed_over}");
    }
}

#[test]
fn rows_that_lack_cells_and_are_passed_over_end_nothing() {
    let cases: Vec<(&str, Case, Vec<Cell>)> = Case::all()
        .into_iter()
        .map(|(name, case)| {
            let cells = cells(&case.export);
            (name, case, cells)
        })
        .collect();
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(400)
    };
    let chosen = prop::collection::vec(any::<prop::sample::Index>(), 2..5);
    proptest!(config, |(chosen in chosen)| {
        for (name, case, cells) in &cases {
            let chosen: Vec<Cell> = chosen.iter().map(|at| *at.get(cells)).collect();
            let lost = ends(case, &chosen).unwrap_or_default();
            prop_assert!(lost.is_empty(), "{name}, {chosen:?}: {lost:#?}");
        }
    });
}

/// Each value of an export of STIL is emptied. What it says is passed over, row or value, ends nothing.
#[test]
fn a_value_that_an_export_of_stil_lacks_and_that_is_passed_over_ends_nothing() {
    const FULL: &str = include_str!("../../stil/tests/full-7.xml");
    let open = |text: &str| Roster::from_stil(text.as_bytes(), TERMS);
    let whole = open(FULL).unwrap();
    let told = whole.passed_over().len();
    let mut memory = Memory::default();
    import_roster(&mut memory, whole);
    let before = links(&memory);
    let mut passed_over = 0;
    // An employee without a known role is other staff, which a note says.
    let is_role = |from: usize| FULL[..from].ends_with("Role>");
    // Nobody can tell that an employee without a login is the parent of the same name.
    let is_parent_at_work = |from: usize| {
        FULL[from..].starts_with("troels12")
            && FULL[from..].contains("</c:Employee>")
            && !FULL[from..].contains("ContactPerson")
    };
    let told_apart = |from: usize| !is_role(from) && !is_parent_at_work(from);
    for (from, to) in values(FULL)
        .into_iter()
        .filter(|(from, _)| told_apart(*from))
    {
        let changed = [&FULL[..from], &FULL[to..]].concat();
        let Ok(roster) = open(&changed) else {
            continue;
        };
        if roster.passed_over().len() <= told {
            continue;
        }
        passed_over += 1;
        let mut memory = memory.clone();
        import_roster(&mut memory, roster);
        let mut lost = lost(&before, &before, &memory);
        // Whoever is not named gets a sign, which ends nothing.
        lost.retain(|link| !matches!(link, Link::Seen(_)));
        let (line, value) = (FULL[..from].lines().count(), &FULL[from..to]);
        assert!(lost.is_empty(), "line {line}, {value}: {lost:#?}");
    }
    assert!(passed_over > 10, "{passed_over}");
}

/// Where the values of elements and attributes begin and end.
fn values(text: &str) -> Vec<(usize, usize)> {
    let mut values = Vec::new();
    let mut from = None;
    for (at, character) in text.char_indices() {
        match (character, from) {
            ('>', _) => from = Some(at + 1),
            ('<' | '"', Some(start)) => {
                let value = text[start..at].trim();
                if !value.is_empty() && !value.contains('=') {
                    values.push((start, at));
                }
                from = (character == '"').then_some(at + 1);
            }
            ('"', None) => from = Some(at + 1),
            _ => {}
        }
    }
    values
}
