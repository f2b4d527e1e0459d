use std::collections::BTreeSet;

use super::{Team, TeamDetail, TeamDetails, TeamEvent, TeamFact};
use crate::domain::roster::{Values, leave_values, note, note_values, values_by_hand};
use crate::domain::{Deletion, EventMeta};
use crate::ids::InstitutionId;

impl Values for TeamDetails {
    type Part = TeamDetail;

    const PARTS: &'static [TeamDetail] = &[
        TeamDetail::Institution,
        TeamDetail::SchoolYear,
        TeamDetail::Title,
        TeamDetail::Subject,
        TeamDetail::Code,
    ];

    fn take(&mut self, part: TeamDetail, other: &Self) {
        match part {
            TeamDetail::Institution => self.institution = other.institution,
            TeamDetail::SchoolYear => self.school_year = other.school_year,
            TeamDetail::Title => self.title = other.title.clone(),
            TeamDetail::Subject => self.subject = other.subject.clone(),
            TeamDetail::Code => self.code = other.code.clone(),
        }
    }
}

impl TeamFact {
    /// The detail that the fact is about; `None` if it is about something else.
    fn detail(self) -> Option<TeamDetail> {
        match self {
            Self::Detail(detail) => Some(detail),
            Self::Member(_) | Self::Staff(_) | Self::Closed => None,
        }
    }
}

impl TeamEvent {
    /// The institution that the team belongs to after this event; `None` if the event does not say
    /// one.
    pub(crate) fn institution(&self) -> Option<InstitutionId> {
        match self {
            Self::Created { details, .. } | Self::Revised(details) => Some(details.institution),
            Self::Moved { to, .. } => Some(*to),
            Self::MemberAdded { .. }
            | Self::MemberRemoved { .. }
            | Self::StaffAdded { .. }
            | Self::StaffRemoved { .. }
            | Self::Closed { .. }
            | Self::Reopened {}
            | Self::Deleted { .. }
            | Self::Undeleted {}
            | Self::OwnershipTransferred { .. }
            | Self::OwnershipGivenUp { .. }
            | Self::LeftToRoster { .. }
            | Self::RecordedInRoster { .. }
            | Self::AbsentFromRoster { .. } => None,
        }
    }

    /// The fact that the event decides; `None` if it decides none, or details.
    fn decides(&self) -> Option<TeamFact> {
        match self {
            Self::MemberAdded { student } | Self::MemberRemoved { student } => {
                Some(TeamFact::Member(*student))
            }
            Self::StaffAdded { person, .. } | Self::StaffRemoved { person } => {
                Some(TeamFact::Staff(*person))
            }
            Self::Closed { .. } | Self::Reopened {} => Some(TeamFact::Closed),
            Self::Created { .. }
            | Self::Revised(_)
            | Self::Deleted { .. }
            | Self::Undeleted {}
            | Self::OwnershipTransferred { .. }
            | Self::OwnershipGivenUp { .. }
            | Self::LeftToRoster { .. }
            | Self::RecordedInRoster { .. }
            | Self::AbsentFromRoster { .. }
            | Self::Moved { .. } => None,
        }
    }
}

impl Team {
    /// What a person decided and the roster has not said yet. An import leaves it alone.
    pub fn decided_by_hand(&self) -> BTreeSet<TeamFact> {
        let details = values_by_hand(&self.details, self.roster_details.as_deref());
        let details = details.map(TeamFact::Detail);
        self.by_hand.iter().copied().chain(details).collect()
    }

    pub(in crate::domain) fn created(event: &TeamEvent) -> Option<Self> {
        match event {
            TeamEvent::Created { details, owner } => Some(Self {
                details: details.clone(),
                owner: *owner,
                former_owners: Default::default(),
                members: Default::default(),
                staff: Default::default(),
                closed: false,
                deleted: None,
                by_hand: Default::default(),
                roster_details: None,
                sources: Default::default(),
                absent: Default::default(),
            }),
            TeamEvent::Revised(_)
            | TeamEvent::MemberAdded { .. }
            | TeamEvent::MemberRemoved { .. }
            | TeamEvent::StaffAdded { .. }
            | TeamEvent::StaffRemoved { .. }
            | TeamEvent::Closed { .. }
            | TeamEvent::Reopened {}
            | TeamEvent::Deleted { .. }
            | TeamEvent::Undeleted {}
            | TeamEvent::OwnershipTransferred { .. }
            | TeamEvent::OwnershipGivenUp { .. }
            | TeamEvent::LeftToRoster { .. }
            | TeamEvent::RecordedInRoster { .. }
            | TeamEvent::AbsentFromRoster { .. }
            | TeamEvent::Moved { .. } => None,
        }
    }

    pub(in crate::domain) fn apply(&mut self, meta: &EventMeta, event: &TeamEvent) {
        if let Some(fact) = event.decides() {
            note(&mut self.by_hand, fact, meta.is_by_a_person());
        }
        match event {
            TeamEvent::Created { .. } => {}
            TeamEvent::Revised(details) => {
                let by_a_person = meta.is_by_a_person();
                note_values(
                    &mut self.details,
                    &mut self.roster_details,
                    details,
                    by_a_person,
                );
            }
            TeamEvent::MemberAdded { student } => {
                self.members.insert(*student);
            }
            TeamEvent::MemberRemoved { student } => {
                self.members.remove(student);
            }
            TeamEvent::StaffAdded { person, role } => {
                self.staff.insert(*person, *role);
            }
            TeamEvent::StaffRemoved { person } => {
                self.staff.remove(person);
            }
            TeamEvent::Closed { .. } => self.closed = true,
            TeamEvent::Reopened {} => self.closed = false,
            TeamEvent::Deleted { reason } => self.deleted = Some(Deletion::of(meta, reason)),
            TeamEvent::Undeleted {} => self.deleted = None,
            TeamEvent::OwnershipTransferred { to, .. } => {
                self.former_owners.extend(self.owner.replace(*to));
            }
            TeamEvent::OwnershipGivenUp { .. } => self.former_owners.extend(self.owner.take()),
            TeamEvent::LeftToRoster { facts } => {
                self.by_hand.retain(|fact| !facts.contains(fact));
                let parts = facts.iter().filter_map(|fact| fact.detail());
                leave_values(&self.details, &mut self.roster_details, parts);
            }
            TeamEvent::RecordedInRoster { source } => {
                self.absent.remove(source);
                self.sources.insert(source.clone());
            }
            TeamEvent::AbsentFromRoster { source, last_seen } => {
                self.absent.insert(source.clone(), *last_seen);
            }
            TeamEvent::Moved { to, .. } => {
                let moved = TeamDetails {
                    institution: *to,
                    ..self.details.clone()
                };
                note_values(&mut self.details, &mut self.roster_details, &moved, true);
            }
        }
    }
}
