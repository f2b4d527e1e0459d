//! School years.

use planledger_core::domain::school_year::{DefinedSchoolYear, SchoolYear, SchoolYearCommand};
use planledger_core::ids::{Revision, SchoolYearId};

use super::fields::Fields;
use super::instant::write_date;
use super::proto;
use super::proto::school_year_command::Operation;
use super::roster_fact::school_year_fact;

pub(super) fn read(
    fields: &mut Fields,
    command: proto::SchoolYearCommand,
) -> Option<(SchoolYearId, SchoolYearCommand)> {
    let id = fields.id("school_year_id", &command.school_year_id);
    let name = command.operation.as_ref().map_or("operation", operation);
    let operation = fields.message(name, command.operation, read_operation);
    Some((id?, operation?))
}

/// The name of the message field that holds an operation.
pub(super) const fn operation(operation: &Operation) -> &'static str {
    match operation {
        Operation::DefineSchoolYear(_) => "define_school_year",
        Operation::PutSchoolYear(_) => "put_school_year",
    }
}

fn read_operation(fields: &mut Fields, operation: Operation) -> Option<SchoolYearCommand> {
    match operation {
        Operation::DefineSchoolYear(m) => fields
            .message("details", m.details, read_details)
            .map(SchoolYearCommand::Define),
        Operation::PutSchoolYear(m) => fields
            .message("details", m.details, read_details)
            .map(SchoolYearCommand::Put),
    }
}

fn read_details(fields: &mut Fields, details: proto::SchoolYearDetails) -> Option<SchoolYear> {
    let title = fields.text("title", &details.title);
    let first_day = fields.date("first_day", &details.first_day);
    let last_day = fields.date("last_day", &details.last_day);
    Some(SchoolYear {
        title: title?,
        first_day: first_day?,
        last_day: last_day?,
    })
}

pub(super) fn write(id: SchoolYearId, command: &SchoolYearCommand) -> proto::SchoolYearCommand {
    let operation = match command {
        SchoolYearCommand::Define(details) => {
            Operation::DefineSchoolYear(proto::DefineSchoolYear {
                details: Some(write_details(details)),
            })
        }
        SchoolYearCommand::Put(details) => Operation::PutSchoolYear(proto::PutSchoolYear {
            details: Some(write_details(details)),
        }),
    };
    proto::SchoolYearCommand {
        school_year_id: id.to_string(),
        operation: Some(operation),
    }
}

fn write_details(details: &SchoolYear) -> proto::SchoolYearDetails {
    proto::SchoolYearDetails {
        title: details.title.to_string(),
        first_day: write_date(details.first_day),
        last_day: write_date(details.last_day),
    }
}

/// A school year as it is now.
pub fn school_year(
    id: SchoolYearId,
    revision: Revision,
    school_year: &DefinedSchoolYear,
) -> proto::SchoolYear {
    let decided_by_hand = school_year
        .decided_by_hand()
        .into_iter()
        .map(school_year_fact);
    proto::SchoolYear {
        school_year_id: id.to_string(),
        revision: revision.get(),
        details: Some(write_details(&school_year.year)),
        decided_by_hand: decided_by_hand.collect(),
    }
}
