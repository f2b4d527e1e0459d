//! The fixed words of the formats, whatever table they stand in.

use planledger_core::domain::person::Role;

use crate::import::fault::{FaultCode, Problem};

/// A word of a fixed vocabulary. Capital and small letters count as the same.
pub(super) fn word<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, Problem> {
    find(text, words).ok_or_else(|| {
        let allowed: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        Problem::new(
            FaultCode::ValueUnknown,
            format!(
                "the value is not allowed here; use one of: {}",
                allowed.join(", ")
            ),
        )
    })
}

fn find<T: Copy>(text: &str, words: &[(&str, T)]) -> Option<T> {
    let mut words = words.iter();
    let found = words.find(|(word, _)| word.eq_ignore_ascii_case(text));
    found.map(|(_, value)| *value)
}

/// `true` or `false`, and other words that can mean nothing else: what databases write, and what Danish
/// spreadsheets make of it.
pub(super) fn truth(text: &str) -> Result<bool, Problem> {
    const OTHERS: [(&str, bool); 12] = [
        ("1", true),
        ("0", false),
        ("y", true),
        ("n", false),
        ("yes", true),
        ("no", false),
        ("ja", true),
        ("nej", false),
        ("t", true),
        ("f", false),
        ("sand", true),
        ("falsk", false),
    ];
    const USUAL: [(&str, bool); 2] = [("true", true), ("false", false)];
    // Nearly every row has one of these. Only they are named to whoever writes another word.
    find(text, &USUAL)
        .or_else(|| find(text, &OTHERS))
        .map_or_else(|| word(text, &USUAL), Ok)
}

/// Whether a status says that what the row describes is gone. What is `inactive` is not in use, but it
/// is there: nobody has left because of it.
pub(super) fn is_gone(status: &str) -> Result<bool, Problem> {
    const STATUSES: [(&str, bool); 3] = [
        ("active", false),
        ("inactive", false),
        ("tobedeleted", true),
    ];
    word(status, &STATUSES)
}

/// What somebody is in the standards' words. A prefix `ext:` or a word that is not here is bad.
pub(super) fn role(text: &str) -> Result<Role, Problem> {
    const ROLES: [(&str, Role); 39] = [
        ("student", Role::Student),
        ("guardian", Role::Guardian),
        ("parent", Role::Guardian),
        ("relative", Role::Guardian),
        ("teacher", Role::Teacher),
        ("aide", Role::Pedagogue),
        ("administrator", Role::Leader),
        ("proctor", Role::Other),
        // Of OneRoster 1.2.
        ("counselor", Role::Other),
        ("principal", Role::Leader),
        ("districtAdministrator", Role::Leader),
        ("siteAdministrator", Role::Leader),
        ("systemAdministrator", Role::Other),
        // Of School Data Sync, which lists them as its default values.
        ("professor", Role::Teacher),
        ("faculty", Role::Teacher),
        ("adjunct", Role::Teacher),
        ("lecturer", Role::Teacher),
        ("instructor", Role::Teacher),
        ("substitute", Role::Teacher),
        ("teacherAssistant", Role::Pedagogue),
        ("assistant", Role::Pedagogue),
        ("paraprofessional", Role::Pedagogue),
        ("viceprincipal", Role::Leader),
        ("chair", Role::Other),
        ("researcher", Role::Other),
        ("affiliate", Role::Other),
        ("occupationalTherapist", Role::Other),
        ("physicalTherapist", Role::Other),
        ("speechTherapist", Role::Other),
        ("visionTherapist", Role::Other),
        ("specialServices", Role::Other),
        ("advisor", Role::Other),
        ("nurse", Role::Other),
        ("officeStaff", Role::Other),
        ("itAdmin", Role::Other),
        ("coach", Role::Other),
        ("alumni", Role::Other),
        ("staff", Role::Other),
        ("other", Role::Other),
    ];
    word(text, &ROLES)
}
