//! What rosters say of a person's accounts.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::few::Few;
use crate::text::{Code, ExternalId, SourceName};

/// What one source says of a person's account there. It is kept so that the person can be found by
/// the ids of other systems.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterRecord {
    /// The source.
    pub source: SourceName,
    /// The id of the person in the roster of the source.
    pub sourced_id: ExternalId,
    /// Other ids of the person, such as a user name, a UNI-Login or a school identity provider's id.
    #[serde(default, skip_serializing_if = "Few::is_empty")]
    pub user_ids: Few<UserId>,
    /// Whether the person may log in to the systems of the source. `false` is no departure: the
    /// person is there, and keeps every role and place.
    pub enabled: bool,
    /// Whether the source has the person in a class. `None` if it does not say: then what it said
    /// before holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrolled: Option<bool>,
    /// Every profile of the person: accounts in other systems. They are kept apart from `user_ids`
    /// because a roster may hold the person and say nothing of profiles. `None` if it does not: then
    /// what the source said before holds. A record that is kept never has an empty set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profiles: Option<Few<UserProfile>>,
}

impl RosterRecord {
    /// This record, after what the source said before. What it does not say now still holds.
    pub(super) fn after(&self, before: Option<&Self>) -> Self {
        let known = before.and_then(|before| before.enrolled);
        let profiles = self.profiles.as_ref();
        let profiles = profiles.or_else(|| before.and_then(|before| before.profiles.as_ref()));
        Self {
            enrolled: self.enrolled.or(known),
            profiles: profiles.filter(|all| !all.is_empty()).cloned(),
            ..self.clone()
        }
    }

    /// This record with these profiles and without the `gone` ones. All others stay.
    pub(super) fn with_profiles(
        &self,
        profiles: &BTreeSet<UserProfile>,
        gone: &BTreeSet<ExternalId>,
    ) -> Self {
        let known = self.profiles.iter().flatten();
        let staying = known.filter(|known| {
            let mut new = profiles.iter();
            !gone.contains(&known.sourced_id) && new.all(|new| new.sourced_id != known.sourced_id)
        });
        let all: Few<_> = staying.chain(profiles).cloned().collect();
        Self {
            profiles: (!all.is_empty()).then_some(all),
            ..self.clone()
        }
    }

    /// Every id by which the source knows the person.
    pub fn ids(&self) -> impl Iterator<Item = &ExternalId> {
        let others = self.user_ids.iter().map(|user| &user.id);
        let profiles = self.profiles.iter().flatten();
        let names = profiles.map(|profile| &profile.user_name);
        [&self.sourced_id].into_iter().chain(others).chain(names)
    }
}

/// An account of a person in another system. OneRoster 1.2 calls it a user profile.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UserProfile {
    /// The id of the profile itself in the roster. It tells a changed profile from a new one. Nobody is
    /// looked up by it.
    pub sourced_id: ExternalId,
    /// The system, as the source writes it; `None` if the source says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Code>,
    /// The user name of the person there.
    pub user_name: ExternalId,
}

/// An id of a person in a system other than the roster itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UserId {
    /// The system or the kind of id, as the source writes it; `None` if the source says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Code>,
    /// The id.
    pub id: ExternalId,
}
