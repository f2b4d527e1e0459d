//! The table: every cell is held against a written file, and the page that people read against the code.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use planledger_core::access::{Action, Relation, Role, may, page};

const EXPECTED: &str = include_str!("expected.txt");
const SECURITY: &str = include_str!("../../../SECURITY.md");

/// The cells that the file allows.
fn expected() -> BTreeSet<(Action, Role, Relation)> {
    let mut action = None;
    let mut cells = BTreeSet::new();
    for line in EXPECTED.lines().filter(|line| !line.starts_with('#')) {
        let Some(row) = line.strip_prefix("  ") else {
            action = Some(Action::from_name(line).unwrap_or_else(|| panic!("{line}")));
            continue;
        };
        let mut words = row.split(' ');
        let name = words.next().unwrap();
        let role = Role::ALL.into_iter().find(|role| role.name() == name);
        for word in words {
            let mut all = Relation::ALL.into_iter();
            let relation = all.find(|relation| relation.name() == word);
            let cell = (action.unwrap(), role.expect(name), relation.expect(word));
            assert!(cells.insert(cell), "{line} is there twice");
        }
    }
    cells
}

/// The file as the code would have it.
fn printed() -> String {
    let mut text = String::new();
    for action in Action::ALL {
        writeln!(text, "{}", action.name()).unwrap();
        for role in Role::ALL {
            let relations = Relation::ALL.into_iter();
            let relations = relations.filter(|relation| may(role, *relation, *action));
            let names: Vec<_> = relations.map(Relation::name).collect();
            if !names.is_empty() {
                writeln!(text, "  {} {}", role.name(), names.join(" ")).unwrap();
            }
        }
    }
    text
}

#[test]
fn every_cell_of_the_table_is_as_the_file_has_it() {
    let expected = expected();
    let mut wrong = Vec::new();
    let mut cells = 0;
    for action in Action::ALL {
        for role in Role::ALL {
            for relation in Relation::ALL {
                cells += 1;
                let allowed = may(role, relation, *action);
                if allowed != expected.contains(&(*action, role, relation)) {
                    wrong.push((action.name(), role.name(), relation.name(), allowed));
                }
            }
        }
    }
    assert_eq!(cells, Action::ALL.len() * 12 * 9);
    assert!(wrong.is_empty(), "{wrong:?}\n{}", printed());
}

#[test]
fn every_action_has_a_line_in_the_file() {
    let lines: Vec<_> = EXPECTED
        .lines()
        .filter(|line| !line.starts_with([' ', '#']))
        .collect();
    let actions: Vec<_> = Action::ALL.iter().map(|action| action.name()).collect();
    assert_eq!(lines, actions);
}

#[test]
fn the_page_that_people_read_has_the_table() {
    assert!(
        SECURITY.contains(&page()),
        "SECURITY.md needs this table:\n{}",
        page()
    );
}

/// What nobody may do who only reads, whatever else changes in the table.
#[test]
fn auditors_write_nothing_and_the_integrity_auditor_reads_no_text() {
    let writes = |action: Action| {
        !["read_", "list_", "lookup_", "export_"]
            .iter()
            .any(|read| action.name().starts_with(read))
    };
    let texts = [
        Action::ReadPlanAsStaff,
        Action::ReadPlanAsStudent,
        Action::ReadPlanAsGuardians,
        Action::ReadPlanAsOthers,
        Action::ReadRecords,
        Action::ReadEvents,
        Action::ReadRoster,
        Action::LookupPerson,
        Action::ExportDisclosed,
    ];
    for relation in Relation::ALL {
        for action in Action::ALL.iter().filter(|action| writes(**action)) {
            for role in [Role::Auditor, Role::IntegrityAuditor, Role::Portal] {
                assert!(
                    !may(role, relation, *action),
                    "{} {}",
                    role.name(),
                    action.name()
                );
            }
        }
        for action in texts {
            assert!(
                !may(Role::IntegrityAuditor, relation, action),
                "{}",
                action.name()
            );
            // Who decides about access reads no plan.
            if action != Action::ReadRoster && action != Action::LookupPerson {
                assert!(
                    !may(Role::Administrator, relation, action),
                    "{}",
                    action.name()
                );
            }
        }
        for role in Role::ALL {
            assert!(!may(role, relation, Action::KeepLedger), "{}", role.name());
        }
    }
}
