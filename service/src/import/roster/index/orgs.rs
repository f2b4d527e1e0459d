//! `orgs.csv`: institutions.

use std::collections::HashMap;

use planledger_core::domain::institution::InstitutionDetails;
use planledger_core::ids::InstitutionId;
use planledger_core::text::{Code, Name};

use super::super::reader::layout::{Column, Format, ORGS};
use super::super::reader::row::Row;
use super::super::reader::source::Source;
use super::super::words::word;
use super::Scope;
use super::cells::is_gone;
use super::references::{each_row, push_dangling, push_passed_over};
use crate::import::fault::{Collector, FaultCode, Findings};

/// One row. Every org is an institution, whatever its type: staff may belong to the municipality
/// as a whole.
pub(crate) struct Org {
    pub(crate) details: InstitutionDetails,
    pub(crate) closed: bool,
}

impl Org {
    fn read(row: &Row<'_>, any_type: bool, faults: &mut Collector) -> Option<Self> {
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
        let known = faults.ok(row.required(Column::Type, |text| match any_type {
            true => Ok(()),
            false => word(text, &TYPES),
        }));
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
    /// Whether the row of an id can be used.
    usable: HashMap<InstitutionId, bool>,
}

impl Orgs {
    pub(super) fn read(
        source: &mut Source,
        format: &'static Format,
        findings: &mut Findings,
    ) -> Self {
        let any_type = format.is_sds;
        let mut orgs = Self::default();
        each_row(source, format.orgs, findings, |row, faults| {
            let id = faults.ok(row.id(InstitutionId::from_uuid));
            let org = Org::read(row, any_type, faults);
            let Some(id) = id else {
                return;
            };
            // Nobody can tell which of two rows is right.
            if orgs.usable.contains_key(&id) {
                faults.push(row.fault(FaultCode::IdDuplicated, Column::SourcedId));
            }
            orgs.usable.insert(id, faults.is_empty());
            if let (Some(org), true) = (org, faults.is_empty()) {
                orgs.rows.push((id, org, row.line()));
            }
        });
        let usable = &orgs.usable;
        orgs.rows.retain(|(id, _, _)| usable.get(id) == Some(&true));
        orgs
    }

    /// Checks that there is such an institution.
    pub(super) fn check(
        &self,
        id: InstitutionId,
        row: &Row<'_>,
        column: Column,
        scope: Scope,
        faults: &mut Collector,
    ) {
        match self.usable.get(&id) {
            Some(true) => {}
            None if scope.is_delta => {}
            Some(false) => push_passed_over(row, column, faults),
            None => push_dangling(row, column, &ORGS, faults),
        }
    }

    /// The institutions that a row of `users.csv` names.
    pub(crate) fn of_user(
        &self,
        row: &Row<'_>,
        scope: Scope,
        faults: &mut Collector,
    ) -> Vec<InstitutionId> {
        let found = row.list(Column::OrgSourcedIds);
        let found = found.map(|org| InstitutionId::from_uuid(ORGS.id_of(org)));
        let found: Vec<_> = found.collect();
        for org in &found {
            self.check(*org, row, Column::OrgSourcedIds, scope, faults);
        }
        found
    }

    /// In the order of the file, each with its line.
    pub(crate) fn rows(&self) -> &[(InstitutionId, Org, u64)] {
        &self.rows
    }
}
