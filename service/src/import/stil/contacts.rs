//! Contact persons of students: which of them are guardians.
//!
//! Whoever has custody of a student is a guardian. Nobody is one by a name, an address or a relation, and
//! where an export does not say enough, the guardians that the ledger has stay.

use std::collections::HashSet;

use planledger_core::ids::PersonId;

use super::member::{Member, Who};
use super::tables::Tables;
use crate::import::fault::{FaultCode, ImportFault, PassedOver, PassedOverKind, Problem};
use crate::import::roster::{Relationships, person_id};

/// Whether a contact person has custody of the student.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Custody {
    Yes,
    No,
    /// There is something else than yes or no.
    Unclear,
    #[default]
    NotSaid,
}

/// A contact person of a student.
#[derive(Default)]
pub(super) struct Contact {
    pub(super) who: Who,
    custody: Custody,
    /// The line on which the contact person begins.
    line: u64,
}

impl Contact {
    /// `custody` is what the export says of it.
    pub(super) fn new(custody: Option<&str>, line: u64) -> Self {
        let custody = match custody.map(str::trim) {
            // As XML writes truth.
            Some("true" | "1") => Custody::Yes,
            Some("false" | "0") => Custody::No,
            Some("") | None => Custody::NotSaid,
            Some(_) => Custody::Unclear,
        };
        Self {
            who: Who::default(),
            custody,
            line,
        }
    }

    /// Why nobody can tell whether or whom the contact person makes a guardian.
    fn problem(&self) -> Option<(Problem, &'static str)> {
        let has_login = !self.who.user.is_empty();
        let code = match self.custody {
            Custody::No => return None,
            Custody::Yes if has_login => return None,
            Custody::Yes => {
                let problem = Problem::new(
                    FaultCode::ValueMissing,
                    "the contact person has custody and no UNI-Login (UserId), so nobody can tell who \
                     it is; the student's other guardians go in, and whoever else guards the student \
                     stays; give the person a UNI-Login, or add the guardian by hand",
                );
                return Some((problem, "UserId"));
            }
            Custody::Unclear => FaultCode::ValueUnknown,
            Custody::NotSaid => FaultCode::ValueMissing,
        };
        let message = match has_login {
            true => {
                "childCustody is neither true nor false, so whether the contact person is a guardian \
                 stays as it is; correct it in the system that the export comes from"
            }
            false => {
                "childCustody is neither true nor false, and the contact person has no UNI-Login \
                 (UserId), so nobody can tell who it is; the student's other guardians go in, and \
                 whoever else guards the student stays; correct it in the system that the export comes \
                 from"
            }
        };
        Some((Problem::new(code, message), "childCustody"))
    }
}

/// What all exports say of who guards whom.
#[derive(Default)]
pub(super) struct Contacts {
    relationships: Relationships,
    /// Children and those who, as some export says, do not have custody of them.
    denied: Vec<(PersonId, PersonId)>,
    /// The students of the export that is being read.
    here: Vec<PersonId>,
    has_contacts: bool,
    /// The students of exports that name contact persons, and those of the others.
    of_speaking: HashSet<PersonId>,
    of_silent: HashSet<PersonId>,
    /// How many exports name contact persons, and how many do not.
    speaking: u64,
    silent: u64,
    passed_over: Vec<PassedOver>,
    /// Contact persons without a login who do not have custody.
    without_custody: u64,
}

/// What is known of guardians at the end.
pub(super) struct Guarding {
    /// `None` if no export names contact persons.
    pub(super) relationships: Option<Relationships>,
    pub(super) passed_over: Vec<PassedOver>,
    /// How many contact persons do not have custody.
    pub(super) without_custody: u64,
    pub(super) notes: Vec<String>,
}

impl Contacts {
    /// Takes the contact persons of a student at an institution. `file` is the name of the export.
    pub(super) fn take(
        &mut self,
        student: &Member,
        institution: &str,
        file: &str,
        tables: &mut Tables,
    ) {
        self.has_contacts |= !student.contacts.is_empty();
        // The row of a student without a login is passed over.
        if student.who.user.is_empty() {
            return;
        }
        let child = person_id(&student.who.user);
        self.here.push(child);
        for contact in &student.contacts {
            if let Some((problem, field)) = contact.problem() {
                let fault = ImportFault::new(problem, file.to_owned());
                let fault = fault.row(contact.line).field(field);
                let kind = PassedOverKind::Part;
                self.passed_over.push(PassedOver { kind, fault });
            }
            let user = contact.who.user.as_str();
            let person = (!user.is_empty()).then(|| person_id(user));
            // Whoever is named is there, guardian or not.
            person
                .into_iter()
                .for_each(|person| self.relationships.name(person));
            match (contact.custody, person) {
                (Custody::Yes, Some(person)) => {
                    self.relationships.add(child, person);
                    tables.guardian(&contact.who, institution, contact.line);
                }
                (Custody::No, Some(person)) => self.denied.push((child, person)),
                (Custody::No, None) => self.without_custody += 1,
                (Custody::Unclear | Custody::NotSaid, Some(person)) => {
                    self.relationships.leave(child, person);
                }
                (Custody::Yes | Custody::Unclear | Custody::NotSaid, None) => {
                    self.relationships.leave_all(child);
                }
            }
        }
    }

    pub(super) fn end_file(&mut self) {
        let students = std::mem::take(&mut self.here);
        match std::mem::take(&mut self.has_contacts) {
            true => {
                self.speaking += 1;
                self.of_speaking.extend(students);
            }
            false => {
                self.silent += 1;
                self.of_silent.extend(students);
            }
        }
    }

    pub(super) fn finish(mut self) -> Guarding {
        let without_custody = self.without_custody + self.denied.len() as u64;
        let mut notes = Vec::new();
        let mut note = |count: u64, text: &str| {
            if count > 0 {
                notes.push(format!("{count} {text}"));
            }
        };
        if self.speaking > 0 {
            let mut contradicted = 0;
            for (child, person) in &self.denied {
                // Nobody can tell which of two exports is right.
                if self.relationships.deny(*child, *person) {
                    contradicted += 1;
                }
            }
            for child in self.of_silent.difference(&self.of_speaking) {
                self.relationships.leave_all(*child);
            }
            note(
                without_custody,
                "contact persons do not have custody and are no guardians",
            );
            note(
                contradicted,
                "contact persons have custody in one place and not in another: whether they are \
                 guardians stays as it is",
            );
            note(
                self.silent,
                "exports name no contact persons: the guardians of their students stay as they are",
            );
        }
        notes.insert(
            0,
            match self.speaking > 0 {
                true => "contact persons who have custody are read as guardians".to_owned(),
                false => {
                    "no export names contact persons, so nothing says who guards whom: guardians \
                          stay as they are"
                        .to_owned()
                }
            },
        );
        Guarding {
            relationships: (self.speaking > 0).then_some(self.relationships),
            passed_over: self.passed_over,
            without_custody,
            notes,
        }
    }
}
