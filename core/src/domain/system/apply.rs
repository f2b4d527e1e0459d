use super::{Proof, System, SystemDetails, SystemEvent};
use crate::domain::EventMeta;

impl System {
    pub(in crate::domain) fn created(meta: &EventMeta, event: &SystemEvent) -> Option<Self> {
        match event {
            SystemEvent::Registered(details) => {
                let mut system = Self {
                    details: details.clone(),
                    revoked: false,
                    proofs: Vec::new(),
                };
                system.take(meta, details);
                Some(system)
            }
            SystemEvent::Changed(_) | SystemEvent::Revoked { .. } => None,
        }
    }

    pub(in crate::domain) fn apply(&mut self, meta: &EventMeta, event: &SystemEvent) {
        match event {
            SystemEvent::Registered(_) => {}
            SystemEvent::Changed(details) => self.take(meta, details),
            SystemEvent::Revoked { .. } => self.revoked = true,
        }
    }

    /// Takes on details. An identity that it has already stays the one of whoever gave it.
    fn take(&mut self, meta: &EventMeta, details: &SystemDetails) {
        let proof = |identity: &super::SystemIdentity| {
            let mut known = self.proofs.iter();
            let known = known.find(|proof| proof.identity == *identity).cloned();
            known.unwrap_or_else(|| Proof {
                identity: identity.clone(),
                by: meta.actor,
                on_behalf_of: meta.on_behalf_of,
            })
        };
        self.proofs = details.identities.iter().map(proof).collect();
        self.details = details.clone();
    }
}
