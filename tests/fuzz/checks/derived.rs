//! No bytes bring the readers of derived documents down, and what decodes encodes to the same
//! bytes. States are sealed here, so that what is in them is reached: as they stand, and packed.
//!
//! The input is a kind of document and the kind of its stream, a byte each, and its bytes.

use std::sync::{Arc, LazyLock};

use planledger_core::derived::testing::{compress, decode, decode_cursor, encode, encode_cursor};
use planledger_core::derived::{Doc, DocKey, Term};
use planledger_core::ids::{InstitutionId, LedgerId, PersonId, Revision, StreamId, StreamKind};
use planledger_core::journal::FaultyDisk;
use planledger_core::overview::CellKey;
use planledger_core::seal::{
    KeyScope, KeyStore, KeyStoreMode, KeyStoreOptions, MasterKey, ScopeKey, document_key,
    seal_document,
};
use planledger_core::time::Timestamp;

const HEAD: usize = 48;

/// Keys of everything that a state may belong to: all ids are the same here.
static KEYS: LazyLock<(KeyStore, ScopeKey)> = LazyLock::new(|| {
    let keys = KeyStore::open(&KeyStoreOptions {
        disk: Arc::new(FaultyDisk::new()),
        ledger: LedgerId::from_bytes([1; 16]),
        master: MasterKey::from_bytes([7; 32]),
        rescue: None,
        mode: KeyStoreMode::Create,
    })
    .expect("a new key store");
    let entropy = |bytes: &mut [u8]| {
        bytes.fill(5);
        Ok(())
    };
    let scope = KeyScope::Institution(InstitutionId::from_bytes([0x11; 16]));
    let key = keys.active_or_new(scope, Timestamp::from_nanos(1), &entropy);
    let key = key.expect("a new key");
    (keys, key)
});

pub(crate) fn check(bytes: &[u8]) {
    let Some((&[kind, stream], bytes)) = bytes.split_first_chunk::<2>() else {
        return;
    };
    let stream = StreamId {
        kind: StreamKind::ALL[usize::from(stream) % StreamKind::ALL.len()],
        id: InstitutionId::from_bytes([0x11; 16]).uuid(),
    };
    match kind % 6 {
        0 => {
            if let Some(cursor) = decode_cursor(bytes) {
                assert_eq!(encode_cursor(&cursor), bytes);
            }
        }
        1 => list(
            &DocKey::Postings(Term::Owner(PersonId::from_bytes([0x11; 16]))),
            bytes,
        ),
        2 => list(&DocKey::Commands(7), bytes),
        3 => state(&DocKey::Stream(stream), bytes),
        4 => state(&DocKey::Snapshot(stream, Revision::new(64)), bytes),
        _ => {
            counts(bytes);
            counts(&compress(bytes));
        }
    }
}

fn list(key: &DocKey, bytes: &[u8]) {
    let (keys, _) = &*KEYS;
    if let Ok(doc) = decode(key, bytes, keys) {
        let written = encode(key, &doc, keys).expect("lists are not sealed");
        assert_eq!(written.unwrap_or_default(), bytes);
    }
}

/// Counts of the overview, sealed: what is taken for a packed document.
fn counts(packed: &[u8]) {
    let (keys, scope) = &*KEYS;
    let key = DocKey::Cell(CellKey {
        institution: InstitutionId::from_bytes([0x11; 16]),
        team: None,
        school_year: None,
    });
    assert!(decode(&key, packed, keys).is_err(), "nobody guesses a seal");
    let head = scope.id.as_bytes();
    let name = [key.to_bytes().as_slice(), head].concat();
    let sealed = seal_document(&document_key(scope), &name, packed).expect("it is short");
    if let Ok(doc) = decode(&key, &[head, sealed.as_slice()].concat(), keys) {
        let written = encode(&key, &doc, keys).expect("its key is there");
        let written = written.expect("counts are stored");
        let read = decode(&key, &written, keys).expect("what was written is read");
        assert_eq!(read, doc);
    }
}

/// As it stands, and sealed: a head, and then what is taken for a packed state or for MessagePack.
fn state(key: &DocKey, bytes: &[u8]) {
    let (keys, _) = &*KEYS;
    assert!(decode(key, bytes, keys).is_err(), "nobody guesses a seal");
    let Some((head, text)) = bytes.split_at_checked(HEAD) else {
        return;
    };
    sealed(key, head, text);
    sealed(key, head, &compress(text));
}

fn sealed(key: &DocKey, head: &[u8], packed: &[u8]) {
    let (keys, scope) = &*KEYS;
    let head = [head, scope.id.as_bytes()].concat();
    let name = [key.to_bytes(), head.clone()].concat();
    let sealed = seal_document(&document_key(scope), &name, packed).expect("it is short");
    let Ok(doc) = decode(key, &[head, sealed].concat(), keys) else {
        return;
    };
    assert!(matches!(&doc, Doc::Stream(found) if found.state.kind() == stream_kind(key)));
    // It may belong to somebody who has no key here.
    if let Ok(written) = encode(key, &doc, keys) {
        let written = written.expect("a state is stored");
        assert_eq!(
            decode(key, &written, keys).expect("what was written is read"),
            doc
        );
    }
}

fn stream_kind(key: &DocKey) -> StreamKind {
    match key {
        DocKey::Stream(stream) | DocKey::Snapshot(stream, _) => stream.kind,
        DocKey::Postings(_)
        | DocKey::Commands(_)
        | DocKey::Standing(_)
        | DocKey::Cell(_)
        | DocKey::PastCell(..) => panic!("it has no stream"),
    }
}
