//! Rows of `roles.csv` and `relationships.csv` about somebody who is not in `users.csv`. Both tables are
//! read before the users, so that the row of a user says everything of the person. What is left over is
//! found by reading them once more.

use csv::StringRecord;
use planledger_core::ids::PersonId;

use super::super::reader::layout::{Column, Layout, USERS};
use super::super::reader::row::Row;
use super::super::reader::source::Source;
use super::super::reader::table::Table;
use super::Scope;
use super::cells::reference;
use super::references::{dangling, says_gone};
use super::users::Users;
use crate::import::fault::{Collector, FaultCode, Findings, Problem};

/// Passes over the rows of a table about persons who are not there. The rows on the lines
/// `passed_over`, which are in order, are told already.
pub(super) fn pass_over(
    source: &mut Source,
    layout: &'static Layout,
    passed_over: &[u64],
    users: &Users,
    scope: Scope,
    findings: &mut Findings,
) {
    // What is wrong with the table as such is told already.
    if !findings.of_files.is_empty() {
        return;
    }
    let Some(mut table) = Table::open(source, layout, &mut Collector::default()) else {
        return;
    };
    let mut record = StringRecord::new();
    while let Some(next) = table.next_row(&mut record) {
        let row = match next {
            Ok(row) => row,
            Err(unreadable) if unreadable.ends_table => return,
            Err(_) => continue,
        };
        if is_stray(&row, users) && passed_over.binary_search(&row.line()).is_err() {
            let fault = row.fault(problem(scope), Column::UserSourcedId);
            // An export of changes may hold a part of what changed.
            findings.bad(layout.file, vec![fault], !scope.is_delta);
        }
    }
}

fn is_stray(row: &Row<'_>, users: &Users) -> bool {
    let person = reference(row, Column::UserSourcedId, &USERS).map(PersonId::from_uuid);
    person.is_ok_and(|person| users.get(person).is_none()) && !says_gone(row)
}

fn problem(scope: Scope) -> Problem {
    match scope.is_delta {
        true => Problem::new(
            FaultCode::ReferenceDangling,
            "this export of changes has no row of users.csv for this person, and what somebody is is \
             taken with that row; export the row of the user too",
        ),
        false => dangling(&USERS),
    }
}
