//! Facts that a roster says and that a person may decide otherwise.

use planledger_core::domain::RosterFact;
use planledger_core::domain::institution::{InstitutionDetail, InstitutionFact};
use planledger_core::domain::person::PersonFact;
use planledger_core::domain::school_year::SchoolYearFact;
use planledger_core::domain::team::{TeamDetail, TeamFact};
use planledger_core::ids::PersonId;

use super::choice::Choice;
use super::proto::{self, RosterFactKind};

/// Writes the message of a fact.
pub(super) fn roster_fact(fact: RosterFact) -> proto::RosterFact {
    match fact {
        RosterFact::Person(fact) => person_fact(fact),
        RosterFact::Team(fact) => team_fact(fact),
        RosterFact::Institution(fact) => institution_fact(fact),
        RosterFact::SchoolYear(fact) => school_year_fact(fact),
    }
}

/// Writes the message of a fact about a person.
pub(super) fn person_fact(fact: PersonFact) -> proto::RosterFact {
    match fact {
        PersonFact::Affiliation { institution, role } => proto::RosterFact {
            institution_id: Some(institution.to_string()),
            role: Some(role.number()),
            ..of(RosterFactKind::Affiliation, None)
        },
        PersonFact::Guardian(guardian) => of(RosterFactKind::Guardian, Some(guardian)),
        PersonFact::Departure => of(RosterFactKind::Departure, None),
        PersonFact::Name => of(RosterFactKind::Name, None),
    }
}

/// Writes the message of a fact about a team.
pub(super) fn team_fact(fact: TeamFact) -> proto::RosterFact {
    match fact {
        TeamFact::Member(student) => of(RosterFactKind::Member, Some(student)),
        TeamFact::Staff(person) => of(RosterFactKind::Staff, Some(person)),
        TeamFact::Closed => of(RosterFactKind::Closed, None),
        TeamFact::Detail(detail) => of(detail_kind(detail), None),
    }
}

fn detail_kind(detail: TeamDetail) -> RosterFactKind {
    match detail {
        TeamDetail::Institution => RosterFactKind::Institution,
        TeamDetail::SchoolYear => RosterFactKind::SchoolYear,
        TeamDetail::Title => RosterFactKind::Name,
        TeamDetail::Subject => RosterFactKind::Subject,
        TeamDetail::Code => RosterFactKind::Code,
    }
}

/// Writes the message of a fact about an institution.
pub(super) fn institution_fact(fact: InstitutionFact) -> proto::RosterFact {
    match fact {
        InstitutionFact::Closed => of(RosterFactKind::Closed, None),
        InstitutionFact::Detail(InstitutionDetail::Name) => of(RosterFactKind::Name, None),
        InstitutionFact::Detail(InstitutionDetail::Code) => of(RosterFactKind::Code, None),
    }
}

/// Writes the message of a fact about a school year.
pub(super) fn school_year_fact(fact: SchoolYearFact) -> proto::RosterFact {
    let kind = match fact {
        SchoolYearFact::Title => RosterFactKind::Name,
        SchoolYearFact::FirstDay => RosterFactKind::FirstDay,
        SchoolYearFact::LastDay => RosterFactKind::LastDay,
    };
    of(kind, None)
}

fn of(kind: RosterFactKind, person: Option<PersonId>) -> proto::RosterFact {
    proto::RosterFact {
        kind: kind.into(),
        person_id: person.map(|person| person.to_string()),
        institution_id: None,
        role: None,
    }
}
