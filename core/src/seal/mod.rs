//! Sealing. Every payload is encrypted under the key of the person whom it is about, or of the
//! institution that it belongs to (P6). What is not encrypted identifies nobody.

mod cipher;
mod key;
mod scope;
mod store;

pub use self::cipher::{
    EventKey, SealError, commitment, document_key, open, open_document, seal, seal_document,
};
pub(crate) use self::cipher::{NONCE_LEN, rest_key, seal_in_place};
pub use self::key::ScopeKey;
pub use self::scope::KeyScope;
pub use self::store::{
    KeyCount, KeyDamage, KeyGap, KeyStore, KeyStoreError, KeyStoreMode, KeyStoreOptions,
    KeyStoreSummary, MasterKey, RescueKey, Rewrapping, open_with_rescue_key, rewrap,
};
