//! An event as it is appended: sealed, hashed and linked like the ledger does it.

use planledger_core::domain::plan::PlanEvent;
use planledger_core::domain::{Actor, Event};
use planledger_core::entry::{self, Entry};
use planledger_core::ids::{CommandId, KeyId, PersonId, PlanId, Position, Revision, StreamId};
use planledger_core::journal::{CommandRecord, Commit, NewEntry};
use planledger_core::seal::{self, ScopeKey};
use planledger_core::time::Timestamp;

pub(crate) const STARTED: u64 = 1_800_000_000_000_000_000;

pub(crate) fn key() -> ScopeKey {
    ScopeKey::new(KeyId::from_bytes([1; 16]), [7; 32])
}

fn stream() -> StreamId {
    PlanId::from_bytes([2; 16]).into()
}

/// A status, as long as a remark is.
pub(crate) fn event() -> Event {
    let text = "Læser flydende og med glæde, fortæller sammenhængende om det læste og lytter til \
                andre. Næste skridt er at skrive længere.";
    Event::Plan(PlanEvent::StatusWritten {
        text: text.parse().unwrap(),
    })
}

/// Seals an event as number `number` of its stream and of the journal.
pub(crate) fn sealed(key: &ScopeKey, number: u64, plain: &[u8]) -> NewEntry {
    let revision = Revision::new(number);
    let nonce = [6; 24];
    let event_key = key.new_event_key(stream(), revision, &nonce);
    let event_type = event().event_type();
    let mut entry = Entry {
        stream: stream(),
        revision,
        previous_link: [3; 32],
        event_type: event_type.code,
        schema: event_type.schema,
        command: CommandId::from_bytes([4; 16]),
        actor: Actor::Person(PersonId::from_bytes([5; 16])),
        on_behalf_of: None,
        recorded_at: Timestamp::from_nanos(STARTED + number),
        key: key.id,
        key_commitment: seal::commitment(&event_key),
        nonce,
        sealed_len: (plain.len() + entry::TAG_LEN) as u32,
        sealed_hash: [0; 32],
    };
    let prefix = entry.encode();
    let sealed = seal::seal(&event_key, &entry.nonce, entry::prefix(&prefix), plain).unwrap();
    entry.sealed_hash = entry::sealed_hash(&sealed);
    NewEntry::new(Position::new(number - 1), entry.encode(), sealed)
}

/// A commit of one event, number `number` of the journal.
pub(crate) fn commit(key: &ScopeKey, number: u64, plain: &[u8]) -> Commit {
    Commit {
        recorded_at: Timestamp::from_nanos(STARTED + number),
        commands: vec![CommandRecord {
            id: CommandId::from_bytes([4; 16]),
            digest: [8; 16],
            stream: stream(),
            revision: Revision::new(number),
            entries: 1,
        }],
        entries: vec![sealed(key, number, plain)],
    }
}
