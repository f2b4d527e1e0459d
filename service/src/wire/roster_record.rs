//! What rosters say of a person's accounts.

use planledger_core::domain::person::{RosterRecord, UserId, UserProfile};
use planledger_core::text::CprContext;

use super::fields::Fields;
use super::proto;
use super::scalar::string;

pub(super) fn read_record(
    fields: &mut Fields,
    record: proto::RosterRecord,
) -> Option<RosterRecord> {
    let source = fields.text("source", &record.source);
    // Many systems number persons with ten digits.
    let sourced_id = fields.in_context(CprContext::OrganisationId, |fields| {
        fields.text("sourced_id", &record.sourced_id)
    });
    let user_ids = fields.set("user_ids", record.user_ids, |fields, user| {
        let kind = fields.optional_text("kind", user.kind.as_deref());
        let id = fields.text("id", &user.id);
        Some(UserId {
            kind: kind?,
            id: id?,
        })
    });
    let profiles = fields.optional(record.profiles, |fields, all| {
        fields.within("profiles", |fields| {
            fields.set("profiles", all.profiles, read_profile)
        })
    });
    Some(RosterRecord {
        source: source?,
        sourced_id: sourced_id?,
        user_ids: user_ids?.into(),
        enabled: record.enabled,
        enrolled: record.enrolled,
        profiles: profiles?.map(Into::into),
    })
}

pub(super) fn read_profile(
    fields: &mut Fields,
    profile: proto::RosterProfile,
) -> Option<UserProfile> {
    // It names a row of a roster, and no person.
    let sourced_id = fields.in_context(CprContext::OrganisationId, |fields| {
        fields.text("sourced_id", &profile.sourced_id)
    });
    let kind = fields.optional_text("kind", profile.kind.as_deref());
    let user_name = fields.text("user_name", &profile.user_name);
    Some(UserProfile {
        sourced_id: sourced_id?,
        kind: kind?,
        user_name: user_name?,
    })
}

pub(super) fn write_record(record: &RosterRecord) -> proto::RosterRecord {
    let user_ids = record.user_ids.iter().map(|user| proto::RosterUserId {
        kind: string(user.kind.as_ref()),
        id: user.id.to_string(),
    });
    proto::RosterRecord {
        source: record.source.to_string(),
        sourced_id: record.sourced_id.to_string(),
        user_ids: user_ids.collect(),
        enabled: record.enabled,
        enrolled: record.enrolled,
        profiles: record.profiles.as_ref().map(|all| proto::RosterProfiles {
            profiles: all.iter().map(write_profile).collect(),
        }),
    }
}

pub(super) fn write_profile(profile: &UserProfile) -> proto::RosterProfile {
    proto::RosterProfile {
        sourced_id: profile.sourced_id.to_string(),
        kind: string(profile.kind.as_ref()),
        user_name: profile.user_name.to_string(),
    }
}
