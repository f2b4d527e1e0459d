//! Why it looks as if somebody had left.

use planledger_core::domain::person::Evidence;

use super::fields::Fields;
use super::instant::write_date;
use super::proto;
use super::proto::departure_evidence::Evidence as Shown;

pub(super) fn read_evidence(
    fields: &mut Fields,
    evidence: proto::DepartureEvidence,
) -> Option<Evidence> {
    let name = match &evidence.evidence {
        Some(Shown::AbsentFromRoster(_)) => "absent_from_roster",
        Some(Shown::OwnerElsewhere(_)) => "owner_elsewhere",
        Some(Shown::NoPlaceLeft(_)) => "no_place_left",
        Some(Shown::NoEnrolmentLeft(_)) => "no_enrolment_left",
        None => "evidence",
    };
    fields.message(name, evidence.evidence, |fields, evidence| match evidence {
        Shown::AbsentFromRoster(m) => {
            let source = fields.text("source", &m.source);
            let last_seen = fields.date("last_seen", &m.last_seen);
            Some(Evidence::AbsentFromRoster {
                source: source?,
                last_seen: last_seen?,
            })
        }
        Shown::OwnerElsewhere(m) => {
            let institution = fields.id("institution_id", &m.institution_id)?;
            Some(Evidence::OwnerElsewhere { institution })
        }
        Shown::NoPlaceLeft(m) => {
            let institution = fields.id("institution_id", &m.institution_id);
            let since = fields.date("since", &m.since);
            Some(Evidence::NoPlaceLeft {
                institution: institution?,
                since: since?,
            })
        }
        Shown::NoEnrolmentLeft(m) => {
            let since = fields.date("since", &m.since)?;
            Some(Evidence::NoEnrolmentLeft { since })
        }
    })
}

/// Why it looks as if a person had left.
pub(super) fn write_evidence(evidence: &Evidence) -> proto::DepartureEvidence {
    let shown = match evidence {
        Evidence::AbsentFromRoster { source, last_seen } => {
            Shown::AbsentFromRoster(proto::AbsenceEvidence {
                source: source.to_string(),
                last_seen: write_date(*last_seen),
            })
        }
        Evidence::OwnerElsewhere { institution } => {
            Shown::OwnerElsewhere(proto::OwnerElsewhereEvidence {
                institution_id: institution.to_string(),
            })
        }
        Evidence::NoPlaceLeft { institution, since } => {
            Shown::NoPlaceLeft(proto::NoPlaceLeftEvidence {
                institution_id: institution.to_string(),
                since: write_date(*since),
            })
        }
        Evidence::NoEnrolmentLeft { since } => {
            Shown::NoEnrolmentLeft(proto::NoEnrolmentLeftEvidence {
                since: write_date(*since),
            })
        }
    };
    proto::DepartureEvidence {
        evidence: Some(shown),
    }
}
