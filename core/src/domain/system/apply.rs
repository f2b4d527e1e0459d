use super::{System, SystemEvent};

impl System {
    pub(in crate::domain) fn created(event: &SystemEvent) -> Option<Self> {
        match event {
            SystemEvent::Registered(details) => Some(Self {
                details: details.clone(),
                revoked: false,
            }),
            SystemEvent::Changed(_) | SystemEvent::Revoked { .. } => None,
        }
    }

    pub(in crate::domain) fn apply(&mut self, event: &SystemEvent) {
        match event {
            SystemEvent::Registered(_) => {}
            SystemEvent::Changed(details) => self.details = details.clone(),
            SystemEvent::Revoked { .. } => self.revoked = true,
        }
    }
}
