use super::{GrantDetails, Granted, Grants, GrantsEvent, Revocation, Role, Scope};
use crate::domain::EventMeta;

impl GrantDetails {
    /// What the first administrator of a ledger gets: the role everywhere, without an end.
    pub const fn first_administrator() -> Self {
        Self {
            role: Role::Administrator,
            scope: Scope::Municipality,
            first_day: None,
            last_day: None,
            purpose: None,
            reason: None,
        }
    }
}

impl Grants {
    pub(in crate::domain) fn created(meta: &EventMeta, event: &GrantsEvent) -> Option<Self> {
        let mut grants = match event {
            GrantsEvent::Bootstrapped { grantee, .. } | GrantsEvent::Granted { grantee, .. } => {
                Self {
                    grantee: *grantee,
                    grants: Default::default(),
                }
            }
            GrantsEvent::Revoked { .. } => return None,
        };
        grants.apply(meta, event);
        Some(grants)
    }

    pub(in crate::domain) fn apply(&mut self, meta: &EventMeta, event: &GrantsEvent) {
        let granted = |details, bootstrap| Granted {
            details,
            by: meta.actor,
            on_behalf_of: meta.on_behalf_of,
            at: meta.recorded_at,
            bootstrap,
            revoked: None,
        };
        match event {
            GrantsEvent::Bootstrapped { grant, .. } => {
                let details = GrantDetails::first_administrator();
                self.grants.insert(*grant, granted(details, true));
            }
            GrantsEvent::Granted { grant, details, .. } => {
                self.grants.insert(*grant, granted(details.clone(), false));
            }
            GrantsEvent::Revoked { grant, reason } => {
                if let Some(found) = self.grants.get_mut(grant) {
                    found.revoked = Some(Revocation {
                        by: meta.actor,
                        on_behalf_of: meta.on_behalf_of,
                        at: meta.recorded_at,
                        reason: reason.clone(),
                    });
                }
            }
        }
    }
}
