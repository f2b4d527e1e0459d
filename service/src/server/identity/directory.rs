//! Who is known to this ledger: which person a roster's id means, and which system a proof.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use planledger_core::access::system_of;
use planledger_core::derived::Term;
use planledger_core::domain::Aggregate;
use planledger_core::domain::system::SystemIdentity;
use planledger_core::ids::{PersonId, Position, StreamId, SystemId};
use planledger_core::ledger::{Ledger, ReadError, Reading};
use planledger_core::text::{ExternalId, SourceName};

use super::super::in_request;

/// Different proofs whose answers are remembered until a system changes.
const REMEMBERED: usize = 1_024;

/// How an identity provider names a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedPerson {
    /// By the id in this ledger.
    Id(PersonId),
    /// By an id that an import of rosters recorded.
    External {
        /// The source that knows the person by it.
        source: SourceName,
        /// The id.
        id: ExternalId,
    },
}

/// A system that the ledger knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownSystem {
    /// Its id.
    pub id: SystemId,
    /// Whether it may act no more.
    pub revoked: bool,
    /// Whether it may act on behalf of people.
    pub may_act_for_people: bool,
    /// Whether it may name the person for whom it acts in a header of its requests.
    pub may_name_person_in_header: bool,
}

/// Knows persons and systems.
#[tonic::async_trait]
pub trait Directory: Send + Sync + 'static {
    /// The person who is meant; `None` if nobody is, or more than one.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    async fn person(&self, named: &NamedPerson) -> Result<Option<PersonId>, ReadError>;

    /// The system that proved itself in these ways, also if it is revoked; `None` if none did, or more
    /// than one. It is asked at every request, so that a system that is revoked is turned away at once.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    async fn system(&self, shown: &[SystemIdentity]) -> Result<Option<KnownSystem>, ReadError>;
}

/// Persons and systems from the ledger.
pub struct LedgerDirectory {
    ledger: Ledger,
    systems: Mutex<Answers>,
}

/// Which systems proofs belong to at one position, and as long as no system changes after it.
#[derive(Default)]
struct Answers {
    position: Position,
    systems: HashMap<Vec<SystemIdentity>, Option<KnownSystem>>,
}

impl Answers {
    /// Remembers an answer of a position, unless a system changed after it. Answers from before the last
    /// change are forgotten.
    fn put(
        &mut self,
        (position, changed): (Position, Position),
        shown: Vec<SystemIdentity>,
        system: Option<KnownSystem>,
    ) {
        if position < changed || position < self.position {
            return;
        }
        if self.position < changed || self.systems.len() >= REMEMBERED {
            self.systems.clear();
            self.position = position;
        }
        self.systems.insert(shown, system);
    }
}

impl LedgerDirectory {
    /// Persons and systems of this ledger.
    pub fn new(ledger: Ledger) -> Self {
        let systems = Mutex::default();
        Self { ledger, systems }
    }

    /// What is known of a proof, if no system has changed since.
    fn recall(&self, shown: &[SystemIdentity]) -> Option<Option<KnownSystem>> {
        let changed = self.ledger.systems_changed();
        let known = self.systems.lock().unwrap_or_else(PoisonError::into_inner);
        (known.position >= changed)
            .then(|| known.systems.get(shown).copied())
            .flatten()
    }
}

#[tonic::async_trait]
impl Directory for LedgerDirectory {
    async fn person(&self, named: &NamedPerson) -> Result<Option<PersonId>, ReadError> {
        let ledger = self.ledger.clone();
        let named = named.clone();
        let reading = move || ledger.read(|reading| find(reading, &named));
        match in_request::spawn_blocking(reading).await {
            Ok(found) => Ok(found?.0),
            // The server is stopping, or the read panicked, which the log tells already.
            Err(_) => Ok(None),
        }
    }

    async fn system(&self, shown: &[SystemIdentity]) -> Result<Option<KnownSystem>, ReadError> {
        if let Some(known) = self.recall(shown) {
            return Ok(known);
        }
        let ledger = self.ledger.clone();
        let sought = shown.to_owned();
        let reading = move || ledger.read(|reading| known(reading, &sought));
        let (found, position) = match in_request::spawn_blocking(reading).await {
            Ok(found) => found?,
            Err(_) => return Ok(None),
        };
        let mut answers = self.systems.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = self.ledger.systems_changed();
        answers.put((position, changed), shown.to_owned(), found);
        Ok(found)
    }
}

/// The system that proved itself in these ways.
fn known(
    reading: &Reading<'_>,
    shown: &[SystemIdentity],
) -> Result<Option<KnownSystem>, ReadError> {
    let found = system_of(reading, shown)?;
    Ok(found.map(|(id, system)| KnownSystem {
        id,
        revoked: system.revoked,
        may_act_for_people: system.details.may_act_for_people,
        may_name_person_in_header: system.details.may_name_person_in_header,
    }))
}

/// The one person who is meant.
fn find(reading: &Reading<'_>, named: &NamedPerson) -> Result<Option<PersonId>, ReadError> {
    let (source, id) = match named {
        NamedPerson::Id(id) => {
            let found = reading.stream(StreamId::from(*id))?;
            return Ok(found.is_some().then_some(*id));
        }
        NamedPerson::External { source, id } => (source, id),
    };
    let mut found = None;
    for stream in reading.find(Term::external_id(id))?.iter() {
        let Some((state, _)) = reading.stream(*stream)? else {
            continue;
        };
        let Aggregate::Person(person) = &*state else {
            continue;
        };
        let is_meant = person
            .records
            .values()
            .any(|record| record.source == *source && record.ids().any(|known| known == id));
        if is_meant && found.replace(PersonId::from_uuid(stream.id)).is_some() {
            return Ok(None);
        }
    }
    Ok(found)
}
