//! Facts of a roster in words.

use crate::wire::proto::{RosterFact, RosterFactKind};

/// What stays as a person decided it.
pub(super) fn stays(fact: &RosterFact) -> String {
    let person = fact.person_id.as_deref().unwrap_or_default();
    match fact.kind() {
        RosterFactKind::Affiliation => {
            let institution = fact.institution_id.as_deref().unwrap_or_default();
            format!("the role at institution {institution}")
        }
        RosterFactKind::Guardian => format!("whether person {person} is a guardian"),
        RosterFactKind::Departure => "whether the person has left".to_owned(),
        RosterFactKind::Member => format!("whether student {person} is a member"),
        RosterFactKind::Staff => format!("whether person {person} is on the staff"),
        RosterFactKind::Closed => "whether it is closed".to_owned(),
        RosterFactKind::Name => "the name".to_owned(),
        RosterFactKind::Institution => "which institution it belongs to".to_owned(),
        RosterFactKind::SchoolYear => "which school year it belongs to".to_owned(),
        RosterFactKind::Subject => "the subject".to_owned(),
        RosterFactKind::Code => "the code".to_owned(),
        RosterFactKind::FirstDay => "the first day".to_owned(),
        RosterFactKind::LastDay => "the last day".to_owned(),
        RosterFactKind::Unspecified => "something that this version does not know".to_owned(),
    }
}

/// Which link ends. `person` is what to call the person whom the fact names.
pub(super) fn ends(fact: &RosterFact, person: &str) -> String {
    link(fact, person, "no longer ")
}

/// Which link is there. `person` is what to call the person whom the fact names.
pub(super) fn is(fact: &RosterFact, person: &str) -> String {
    link(fact, person, "")
}

fn link(fact: &RosterFact, person: &str, no_longer: &str) -> String {
    match fact.kind() {
        RosterFactKind::Affiliation => {
            let institution = fact.institution_id.as_deref().unwrap_or_default();
            let role = fact.role().as_str_name();
            let role = role.strip_prefix("ROLE_").unwrap_or(role).to_lowercase();
            format!("{no_longer}{role} at institution {institution}")
        }
        RosterFactKind::Guardian => format!("{person} is {no_longer}a guardian"),
        RosterFactKind::Member => format!("{person} is {no_longer}a member"),
        RosterFactKind::Staff => format!("{person} is {no_longer}on the staff"),
        RosterFactKind::Departure
        | RosterFactKind::Closed
        | RosterFactKind::Name
        | RosterFactKind::Institution
        | RosterFactKind::SchoolYear
        | RosterFactKind::Subject
        | RosterFactKind::Code
        | RosterFactKind::FirstDay
        | RosterFactKind::LastDay
        | RosterFactKind::Unspecified => "a link that this version does not know".to_owned(),
    }
}

/// What to call the person whom a fact names when no name is at hand.
pub(super) fn person(fact: &RosterFact) -> String {
    format!("person {}", fact.person_id.as_deref().unwrap_or_default())
}

/// The kind of a fact, for programs: "GUARDIAN".
pub(super) fn code(fact: &RosterFact) -> &'static str {
    let name = fact.kind().as_str_name();
    name.strip_prefix("ROSTER_FACT_KIND_").unwrap_or(name)
}
