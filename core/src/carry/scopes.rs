//! Whose keys a ledger needs beyond those that seal its events. Counts of an institution and of a student are sealed
//! under their keys, although the events that are counted are other people's: so each of whom an event speaks needs a
//! key, also if every event of their own is lost.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::ids::{InstitutionId, PersonId, StreamId, StreamKind};
use crate::seal::KeyScope;

/// The scopes that are spoken of.
#[derive(Default)]
pub(super) struct Spoken(BTreeSet<KeyScope>);

impl Spoken {
    /// Takes in whose stream it is.
    pub(super) fn stream(&mut self, stream: StreamId) {
        match stream.kind {
            StreamKind::Institution => {
                let institution = InstitutionId::from_uuid(stream.id);
                self.0.insert(KeyScope::Institution(institution));
            }
            StreamKind::Person => {
                self.0
                    .insert(KeyScope::Person(PersonId::from_uuid(stream.id)));
            }
            StreamKind::SchoolYear
            | StreamKind::Team
            | StreamKind::YearPlan
            | StreamKind::Plan
            | StreamKind::Catalogue
            | StreamKind::Ledger
            | StreamKind::Recovery
            | StreamKind::RosterSource
            | StreamKind::System
            | StreamKind::Grants
            | StreamKind::Erasure => {}
        }
    }

    /// Takes in the institutions and students that an event names.
    pub(super) fn payload(&mut self, json: &[u8]) {
        if let Ok(value) = serde_json::from_slice(json) {
            self.value(&value);
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let id = value.as_str();
                    match name.as_str() {
                        "institution" => {
                            let institution = id.and_then(|id| id.parse().ok());
                            self.0.extend(institution.map(KeyScope::Institution));
                        }
                        "student" => {
                            let student = id.and_then(|id| id.parse().ok());
                            self.0.extend(student.map(KeyScope::Person));
                        }
                        _ => {}
                    }
                    self.value(value);
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.value(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// All of them.
    pub(super) fn scopes(&self) -> impl Iterator<Item = KeyScope> {
        self.0.iter().copied()
    }
}
