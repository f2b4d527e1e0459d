use super::{Team, TeamDetails, TeamEvent, TeamFact};
use crate::domain::roster::note;
use crate::domain::{Deletion, EventMeta};

impl TeamEvent {
    /// The details that the team has after this event, its institution included; `None` if the
    /// event does not change them.
    pub(crate) fn details(&self) -> Option<&TeamDetails> {
        match self {
            Self::Created { details, .. } | Self::Revised(details) => Some(details),
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

    /// The fact that the event decides; `None` if it decides none.
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
            | Self::AbsentFromRoster { .. } => None,
        }
    }
}

impl Team {
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
            | TeamEvent::AbsentFromRoster { .. } => None,
        }
    }

    pub(in crate::domain) fn apply(&mut self, meta: &EventMeta, event: &TeamEvent) {
        if let Some(fact) = event.decides() {
            note(&mut self.by_hand, fact, meta.is_by_a_person());
        }
        match event {
            TeamEvent::Created { .. } => {}
            TeamEvent::Revised(details) => self.details = details.clone(),
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
            }
            TeamEvent::RecordedInRoster { source } => {
                self.absent.remove(source);
                self.sources.insert(source.clone());
            }
            TeamEvent::AbsentFromRoster { source, last_seen } => {
                self.absent.insert(source.clone(), *last_seen);
            }
        }
    }
}
