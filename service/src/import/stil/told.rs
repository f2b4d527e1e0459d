//! What is said of an import as a whole.

use std::collections::BTreeMap;

/// What is told of an import in general, and never with what a file holds.
#[derive(Default)]
pub(super) struct Told {
    /// Groups that are no teams, by their type.
    pub(super) groups: BTreeMap<&'static str, u64>,
    pub(super) unknown_roles: u64,
    pub(super) several_years: bool,
    pub(super) no_year: bool,
    pub(super) is_larger: bool,
    /// The numbers of the institutions.
    pub(super) institutions: Vec<String>,
}

impl Told {
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = vec![format!(
            "read as an export of STIL (UNI-Login){}",
            if self.is_larger {
                " that holds more than the small one does"
            } else {
                ""
            }
        )];
        for (kind, count) in &self.groups {
            notes.push(format!(
                "{count} groups of type {kind} are no teams, passed over"
            ));
        }
        if self.unknown_roles > 0 {
            let count = self.unknown_roles;
            notes.push(format!(
                "{count} roles of employees are not known, read as other staff"
            ));
        }
        if self.several_years {
            notes.push(
                "sources of the export name several school years: the last one counts".into(),
            );
        }
        if self.no_year {
            notes.push("no source of an export names a school year: its teams have none".into());
        }
        notes
    }
}
