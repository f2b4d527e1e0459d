//! States of streams as the API lists them.

use jiff::civil::Date;
use planledger_core::domain::Aggregate;
use planledger_core::ids::{
    CatalogueId, IdError, InstitutionId, PersonId, Revision, SchoolYearId, StreamId, TeamId,
};

use super::catalogue::{catalogue, catalogue_item};
use super::institution::institution;
use super::person::person;
use super::proto;
use super::school_year::school_year;
use super::team::team;

/// The state of a stream as the API lists it.
pub trait Listed: PartialEq + Sized {
    /// The id of the stream, as the message says it.
    fn id(&self) -> &str;

    /// The stream that the message says this state belongs to.
    ///
    /// # Errors
    /// When the message holds no id.
    fn stream(&self) -> Result<StreamId, IdError>;

    /// Writes the message of a state as it is shown on a day. `None` if the state is of another kind
    /// of stream.
    fn of(stream: StreamId, revision: Revision, state: &Aggregate, day: Date) -> Option<Self>;
}

macro_rules! listed {
    ($($kind:ident: $id:ident in $field:ident, $show:expr;)*) => {$(
        impl Listed for proto::$kind {
            fn id(&self) -> &str {
                &self.$field
            }

            fn stream(&self) -> Result<StreamId, IdError> {
                let id: $id = self.$field.parse()?;
                Ok(id.into())
            }

            fn of(
                stream: StreamId,
                revision: Revision,
                state: &Aggregate,
                day: Date,
            ) -> Option<Self> {
                match state {
                    Aggregate::$kind(state) => {
                        Some(($show)($id::from_uuid(stream.id), revision, state, day))
                    }
                    _ => None,
                }
            }
        }
    )*};
}

listed! {
    Institution: InstitutionId in institution_id, |id, revision, state, _| institution(id, revision, state);
    SchoolYear: SchoolYearId in school_year_id, |id, revision, state, _| school_year(id, revision, state);
    Catalogue: CatalogueId in catalogue_id, |id, revision, state, _| catalogue(id, revision, state);
    Person: PersonId in person_id, person;
    Team: TeamId in team_id, |id, revision, state, _| team(id, revision, state);
}

/// Writes the messages of a catalogue's items. `None` if the state is not that of a catalogue.
pub fn catalogue_items(state: &Aggregate) -> Option<Vec<proto::CatalogueItem>> {
    let Aggregate::Catalogue(catalogue) = state else {
        return None;
    };
    let items = catalogue.listed(None, None, usize::MAX).into_iter();
    let items = items.map(|(place, item)| catalogue_item(place.id(), item));
    Some(items.collect())
}
