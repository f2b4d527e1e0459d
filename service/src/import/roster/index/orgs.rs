//! `orgs.csv`: institutions.

use std::collections::HashSet;

use planledger_core::domain::institution::InstitutionDetails;
use planledger_core::ids::InstitutionId;
use planledger_core::text::{Code, Name};

use super::super::reader::layout::{Column, ORGS};
use super::super::reader::row::Row;
use super::super::reader::source::Source;
use super::cells::{is_gone, word};
use super::references::{each_row, push_dangling};
use crate::import::fault::{Collector, FaultCode};

/// One row. Every org is an institution, whatever its type: staff may belong to the municipality
/// as a whole.
pub(crate) struct Org {
    pub(crate) details: InstitutionDetails,
    pub(crate) closed: bool,
}

impl Org {
    fn read(row: &Row<'_>, faults: &mut Collector) -> Option<Self> {
        const TYPES: [(&str, ()); 6] = [
            ("department", ()),
            ("school", ()),
            ("district", ()),
            ("local", ()),
            ("state", ()),
            ("national", ()),
        ];
        let closed = faults.ok(is_gone(row));
        let name = faults.ok(row.required(Column::Name, Name::new));
        let known = faults.ok(row.required(Column::Type, |text| word(text, &TYPES)));
        let code = faults.ok(row.optional(Column::Identifier, Code::new));
        known?;
        Some(Self {
            details: InstitutionDetails {
                name: name?,
                code: code?,
            },
            closed: closed?,
        })
    }
}

/// All institutions.
#[derive(Default)]
pub(crate) struct Orgs {
    /// In the order of the file, each with its line.
    rows: Vec<(InstitutionId, Org, u64)>,
    /// The ids of faulty rows too, so that references to them are no further faults.
    ids: HashSet<InstitutionId>,
}

impl Orgs {
    pub(super) fn read(source: &mut Source, faults: &mut Collector) -> Self {
        let mut orgs = Self::default();
        each_row(source, &ORGS, faults, |row, faults| {
            let Some(id) = faults.ok(row.id(InstitutionId::from_uuid)) else {
                return;
            };
            if !orgs.ids.insert(id) {
                faults.push(row.fault(FaultCode::IdDuplicated, Column::SourcedId));
            }
            if let Some(org) = Org::read(row, faults) {
                orgs.rows.push((id, org, row.line()));
            }
        });
        orgs
    }

    /// Whether there is such an institution.
    pub(super) fn contains(&self, id: InstitutionId) -> bool {
        self.ids.contains(&id)
    }

    /// The institutions that a row of `users.csv` names.
    pub(crate) fn of_user(&self, row: &Row<'_>, faults: &mut Collector) -> Vec<InstitutionId> {
        let mut found = Vec::new();
        for org in row.list(Column::OrgSourcedIds) {
            let org = InstitutionId::from_uuid(ORGS.id_of(org));
            if self.contains(org) {
                found.push(org);
            } else {
                push_dangling(row, Column::OrgSourcedIds, &ORGS, faults);
            }
        }
        found
    }

    /// In the order of the file, each with its line.
    pub(crate) fn rows(&self) -> &[(InstitutionId, Org, u64)] {
        &self.rows
    }
}
