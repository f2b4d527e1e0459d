use super::{Catalogue, CatalogueEvent};

impl Catalogue {
    pub(in crate::domain) fn created(event: &CatalogueEvent) -> Option<Self> {
        match event {
            CatalogueEvent::Defined(details) => Some(Self {
                details: details.clone(),
                items: Default::default(),
                retired: Default::default(),
            }),
            CatalogueEvent::ItemDefined { .. } | CatalogueEvent::ItemRetired { .. } => None,
        }
    }

    pub(in crate::domain) fn apply(&mut self, event: &CatalogueEvent) {
        match event {
            CatalogueEvent::Defined(details) => self.details = details.clone(),
            CatalogueEvent::ItemDefined { item, details } => {
                self.retired.remove(item);
                self.items.insert(*item, details.clone());
            }
            CatalogueEvent::ItemRetired { item } => {
                if let Some(details) = self.items.remove(item) {
                    self.retired.insert(*item, details);
                }
            }
        }
    }
}
