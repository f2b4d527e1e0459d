//! What was sealed opens with its key and as what it was sealed, and as nothing else.
//!
//! The input is a key and nonce, the place and value of a change, then half associated data and
//! half text; and it is taken for something sealed itself.

use planledger_core::ids::KeyId;
use planledger_core::seal::{
    EventKey, ScopeKey, SealError, document_key, open, open_document, seal, seal_document,
};

pub(crate) fn check(bytes: &[u8]) {
    let Some((key, rest)) = bytes.split_first_chunk::<32>() else {
        return;
    };
    let Some((nonce, rest)) = rest.split_first_chunk::<24>() else {
        return;
    };
    let Some((&[at, change], rest)) = rest.split_first_chunk::<2>() else {
        return;
    };
    let (associated, text) = rest.split_at(rest.len() / 2);
    let event_key = EventKey::from_bytes(*key);
    let sealed = seal(&event_key, nonce, associated, text).expect("it is short");
    assert_eq!(
        open(&event_key, nonce, associated, &sealed).as_deref(),
        Ok(text)
    );
    let document_key = document_key(&ScopeKey::new(KeyId::from_bytes([1; 16]), *key));
    let document = seal_document(&document_key, associated, text).expect("it is short");
    let opened = open_document(&document_key, associated, &document);
    assert_eq!(opened.as_deref(), Ok(text));
    if change != 0 {
        let changed = |bytes: &[u8]| {
            let mut changed = bytes.to_vec();
            let at = usize::from(at) % changed.len();
            changed[at] ^= change;
            changed
        };
        let result = open(&event_key, nonce, associated, &changed(&sealed));
        assert!(matches!(
            result,
            Err(SealError::Forged | SealError::Redacted)
        ));
        let result = open_document(&document_key, associated, &changed(&document));
        assert!(result.is_err());
        let mut other = associated.to_vec();
        other.push(change);
        assert_eq!(
            open(&event_key, nonce, &other, &sealed),
            Err(SealError::Forged)
        );
    }
    assert!(open(&event_key, nonce, associated, text).is_err());
    assert!(open_document(&document_key, associated, text).is_err());
}
