//! Who somebody in an export is.

use super::contacts::Contact;
use super::element::{Naming, Part};

/// What says who somebody is.
#[derive(Default)]
pub(super) struct Who {
    /// The UNI-Login. Nobody is known by anything else.
    pub(super) user: String,
    login_name: String,
    first: String,
    family: String,
    alias_first: String,
    alias_family: String,
}

impl Who {
    pub(super) fn set(&mut self, name: Naming, text: &str) {
        let place = match name {
            Naming::UserId => &mut self.user,
            Naming::LoginName => &mut self.login_name,
            Naming::FirstName => &mut self.first,
            Naming::FamilyName => &mut self.family,
            Naming::AliasFirstName => &mut self.alias_first,
            Naming::AliasFamilyName => &mut self.alias_family,
        };
        // A login may stand in two places. One that is empty takes nothing from the other.
        if place.is_empty() {
            text.clone_into(place);
        }
    }

    /// Given and family name. Whose name is protected may have another one, which is to be shown.
    pub(super) fn names(&self) -> (&str, &str) {
        if !self.alias_first.is_empty() || !self.alias_family.is_empty() {
            return (&self.alias_first, &self.alias_family);
        }
        match self.first.is_empty() && self.family.is_empty() {
            true => (&self.login_name, ""),
            false => (&self.first, &self.family),
        }
    }
}

/// A person at an institution.
#[derive(Default)]
pub(super) struct Member {
    pub(super) who: Who,
    pub(super) level: String,
    pub(super) parts: Vec<Part>,
    /// What an employee is, in OneRoster's words.
    pub(super) jobs: Vec<&'static str>,
    pub(super) groups: Vec<(Part, String)>,
    pub(super) contacts: Vec<Contact>,
    /// The line on which the person begins.
    pub(super) line: u64,
}

impl Member {
    /// A person of whom nothing is known yet, who begins on this line.
    pub(super) fn on(line: u64) -> Self {
        Self {
            line,
            ..Self::default()
        }
    }

    /// What the person is, each once.
    pub(super) fn roles(&self) -> Vec<&'static str> {
        let mut roles = Vec::new();
        for part in &self.parts {
            let found: &[&'static str] = match part {
                Part::Student => &["student"],
                Part::Employee if self.jobs.is_empty() => &["other"],
                Part::Employee => &self.jobs,
                Part::Extern => &["other"],
            };
            for role in found {
                if !roles.contains(role) {
                    roles.push(*role);
                }
            }
        }
        roles
    }

    /// What the person is in a team. Only teachers and pedagogues are on its staff.
    pub(super) fn role_in(&self, part: Part) -> &'static str {
        match part {
            Part::Student => "student",
            Part::Employee => {
                let found = ["teacher", "aide", "administrator"];
                let mut found = found.into_iter().filter(|role| self.jobs.contains(role));
                found.next().unwrap_or("proctor")
            }
            Part::Extern => "proctor",
        }
    }
}
