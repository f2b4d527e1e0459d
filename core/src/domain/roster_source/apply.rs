use super::{ImportMode, RosterSource, RosterSourceEvent};

impl RosterSource {
    pub(in crate::domain) fn created(event: &RosterSourceEvent) -> Option<Self> {
        match event {
            RosterSourceEvent::Registered { name } => Some(Self {
                name: name.clone(),
                last_import: None,
                last_bulk: None,
            }),
            RosterSourceEvent::Imported(_) => None,
        }
    }

    pub(in crate::domain) fn apply(&mut self, event: &RosterSourceEvent) {
        match event {
            RosterSourceEvent::Registered { .. } => {}
            RosterSourceEvent::Imported(import) => {
                self.last_import = Some(*import);
                match import.mode {
                    ImportMode::Bulk => self.last_bulk = Some(*import),
                    ImportMode::Delta => {}
                }
            }
        }
    }
}
