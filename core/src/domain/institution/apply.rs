use super::{Institution, InstitutionEvent};

impl Institution {
    pub(in crate::domain) fn created(event: &InstitutionEvent) -> Option<Self> {
        match event {
            InstitutionEvent::Registered(details) => Some(Self {
                details: details.clone(),
                closed: false,
            }),
            InstitutionEvent::Revised(_)
            | InstitutionEvent::Closed { .. }
            | InstitutionEvent::Reopened {} => None,
        }
    }

    pub(in crate::domain) fn apply(&mut self, event: &InstitutionEvent) {
        match event {
            InstitutionEvent::Registered(_) => {}
            InstitutionEvent::Revised(details) => self.details = details.clone(),
            InstitutionEvent::Closed { .. } => self.closed = true,
            InstitutionEvent::Reopened {} => self.closed = false,
        }
    }
}
