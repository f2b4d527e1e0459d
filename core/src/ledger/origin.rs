//! From which earlier ledger the events were carried over.

use super::{Ledger, Payload, ReadError};
use crate::domain::ledger::{CarriedOver, LedgerEvent, origin_stream};
use crate::domain::{Aggregate, Event};

impl Ledger {
    /// What is on record of the earlier ledger from which the events were carried over; `None` if the ledger
    /// began by itself.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn origin(&self) -> Result<Option<CarriedOver>, ReadError> {
        let stream = origin_stream(self.inner.log.ledger_id());
        let found = self.present(stream.into())?;
        let Some(Aggregate::Ledger(state)) = found.as_ref().map(|doc| &*doc.state) else {
            return Ok(None);
        };
        if state.origin.is_none() {
            return Ok(None);
        }
        // It comes after the places that are held, and nothing comes after it.
        let newest = self.history(stream.into(), None, 1)?;
        let carried = newest.into_iter().find_map(|recorded| {
            let (Payload::Json(json) | Payload::Left(json)) = &recorded.payload else {
                return None;
            };
            let event = Event::from_json(recorded.event_type?.code, recorded.schema, json);
            match event {
                Ok(Event::Ledger(LedgerEvent::CarriedOver(carried))) => Some(carried),
                Ok(_) | Err(_) => None,
            }
        });
        Ok(carried)
    }
}
