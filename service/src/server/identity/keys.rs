//! The public keys of an identity provider, kept and fetched again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::sync::{Mutex, Semaphore};

use super::fetch::{KeySet, Provider};
use super::rejection::Rejection;

/// The shortest time between two fetches, also while there are no keys at all, so that strangers who make up
/// names of keys cannot make this server ask for them all day.
pub(super) const BETWEEN_FETCHES: Duration = Duration::from_secs(60);
/// How many requests may wait while somebody fetches. More are told at once that the keys cannot be
/// had, so that strangers cannot fill the server with requests that wait.
const WAITING: usize = 64;
/// After how long known keys are fetched again, so that one that was withdrawn ends.
const FRESH: Duration = Duration::from_secs(15 * 60);
/// The most keys of a provider.
const MOST_KEYS: usize = 100;

/// One public key.
pub(super) struct Key {
    pub(super) decoding: DecodingKey,
    kind: Kind,
    /// The one way to sign that its owner uses it for, if the provider says so.
    algorithm: Option<String>,
    /// The key as the provider wrote it.
    written: serde_json::Value,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    Ed25519,
}

impl Key {
    /// Reads a key. `None` for one that signs nothing, or in a way that counts nowhere here.
    fn read(value: serde_json::Value) -> Option<(String, Self)> {
        let algorithm = value.get("alg").and_then(|alg| alg.as_str());
        let algorithm = algorithm.map(str::to_owned);
        let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
        if !matches!(
            jwk.common.public_key_use,
            None | Some(PublicKeyUse::Signature)
        ) {
            return None;
        }
        let kind = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => Kind::Rsa,
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
                Kind::P256
            }
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                Kind::Ed25519
            }
            _ => return None,
        };
        let decoding = DecodingKey::from_jwk(&jwk).ok()?;
        let key = Self {
            decoding,
            kind,
            algorithm,
            written: value,
        };
        Some((jwk.common.key_id?, key))
    }

    /// Whether the key checks tokens that are signed in this way.
    pub(super) fn checks(&self, algorithm: Algorithm) -> bool {
        let fits = match algorithm {
            Algorithm::RS256 | Algorithm::PS256 => self.kind == Kind::Rsa,
            Algorithm::ES256 => self.kind == Kind::P256,
            Algorithm::EdDSA => self.kind == Kind::Ed25519,
            _ => false,
        };
        let name = format!("{algorithm:?}");
        let ed25519 = self.kind == Kind::Ed25519 && self.algorithm.as_deref() == Some("Ed25519");
        fits && (ed25519 || self.algorithm.as_ref().is_none_or(|only| *only == name))
    }
}

type Known = HashMap<String, Arc<Key>>;

/// The keys of one provider.
pub(super) struct Keys {
    provider: Arc<Provider>,
    known: RwLock<Arc<Known>>,
    /// Held by the one who fetches.
    fetching: Arc<Mutex<Fetches>>,
    waiting: Semaphore,
    /// How often the set of keys has changed.
    changed: AtomicU64,
}

#[derive(Default)]
struct Fetches {
    /// When keys were asked for last.
    last: Option<Instant>,
    /// When they came last.
    good: Option<Instant>,
}

impl Fetches {
    /// Whether nothing was asked for lately.
    fn rested(&self) -> bool {
        self.last
            .is_none_or(|last| last.elapsed() >= BETWEEN_FETCHES)
    }
}

impl Keys {
    pub(super) fn of(provider: Provider) -> Arc<Self> {
        Arc::new(Self {
            provider: Arc::new(provider),
            known: RwLock::default(),
            fetching: Arc::default(),
            waiting: Semaphore::new(WAITING),
            changed: AtomicU64::new(0),
        })
    }

    /// The key with this id. A key that is not known is fetched, but no more than once a minute.
    pub(super) async fn find(&self, id: &str) -> Result<Arc<Key>, Rejection> {
        if let Some(key) = self.known().get(id) {
            return Ok(key.clone());
        }
        let Ok(_waiting) = self.waiting.try_acquire() else {
            return Err(Rejection::IssuerUnavailable);
        };
        let mut fetching = self.fetching.lock().await;
        if let Some(key) = self.known().get(id) {
            return Ok(key.clone());
        }
        if fetching.rested() {
            self.fetch(&mut fetching).await;
        }
        let known = self.known();
        match known.get(id) {
            Some(key) => Ok(key.clone()),
            None if known.is_empty() => Err(Rejection::IssuerUnavailable),
            None => Err(Rejection::TokenInvalid("its key is not known")),
        }
    }

    /// Fetches the keys behind the request if they are not fresh any more, unless somebody is
    /// fetching them. The keys that are known stay until others have come.
    pub(super) fn refresh(self: &Arc<Self>) {
        let Ok(fetching) = self.fetching.clone().try_lock_owned() else {
            return;
        };
        let stale = fetching.good.is_none_or(|good| good.elapsed() >= FRESH);
        if stale && fetching.rested() {
            let keys = self.clone();
            tokio::spawn(async move {
                let mut fetching = fetching;
                keys.fetch(&mut fetching).await;
            });
        }
    }

    /// How often the set of keys has changed.
    pub(super) fn version(&self) -> u64 {
        self.changed.load(Ordering::Acquire)
    }

    fn known(&self) -> Arc<Known> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    async fn fetch(&self, fetches: &mut Fetches) {
        fetches.last = Some(Instant::now());
        let provider = self.provider.clone();
        let fetched = tokio::task::spawn_blocking(move || provider.keys()).await;
        let issuer = &self.provider.url;
        match fetched {
            Ok(Ok(set)) => {
                fetches.good = Some(Instant::now());
                self.replace(set);
            }
            Ok(Err(error)) => {
                tracing::warn!(%issuer, %error, "the keys of an issuer were not fetched; the last good ones count");
            }
            // The runtime is stopping, or the fetch panicked, which the log tells already.
            Err(_) => {}
        }
    }

    fn replace(&self, set: KeySet) {
        let issuer = &self.provider.url;
        let keys = set.keys.into_iter().take(MOST_KEYS).filter_map(Key::read);
        let known: Known = keys.map(|(id, key)| (id, Arc::new(key))).collect();
        if known.is_empty() {
            tracing::warn!(%issuer, "an issuer names no key that signs; the last good ones count");
            return;
        }
        let mut old = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let is_there = |(id, key): (&String, &Arc<Key>)| {
            old.get(id).is_some_and(|old| old.written == key.written)
        };
        // Another key under the same id makes what the old one signed worthless.
        let same = old.len() == known.len() && known.iter().all(is_there);
        if !same {
            tracing::info!(%issuer, keys = known.len(), "the keys of an issuer were fetched");
            self.changed.fetch_add(1, Ordering::AcqRel);
        }
        *old = Arc::new(known);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex as Lock;

    use planledger_fixtures::http::{Answer, Server};
    use serde_json::json;

    use super::*;

    fn key(kid: &str) -> serde_json::Value {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid})
    }

    /// A provider that shows these keys, and none with status 503.
    fn provider(keys: Arc<Lock<Option<Vec<serde_json::Value>>>>) -> Server {
        Server::start(move |asked| {
            let issuer = format!("http://{}", asked.host);
            match &*keys.lock().unwrap() {
                None => Answer::status(503),
                Some(_) if asked.path != "/keys" => {
                    Answer::json(json!({"issuer": issuer, "jwks_uri": format!("{issuer}/keys")}))
                }
                Some(keys) => Answer::json(json!({"keys": keys})),
            }
        })
    }

    /// Lets time pass.
    async fn age(keys: &Keys, by: Duration) {
        let mut fetches = keys.fetching.lock().await;
        let Fetches { last, good } = &mut *fetches;
        for instant in [last, good] {
            *instant = instant.and_then(|instant| instant.checked_sub(by));
        }
    }

    fn asked(server: &Server) -> usize {
        let asked = server.asked();
        asked.iter().filter(|asked| asked.path == "/keys").count()
    }

    #[tokio::test]
    async fn a_new_key_is_found_after_a_minute_and_a_withdrawn_one_ends_when_keys_are_fetched_again()
     {
        let shown = Arc::new(Lock::new(Some(vec![key("a")])));
        let server = provider(shown.clone());
        let keys = Keys::of(Provider::new(&server.url(""), Vec::new()));
        assert!(keys.find("a").await.is_ok());
        *shown.lock().unwrap() = Some(vec![key("b")]);
        for _ in 0..10 {
            assert!(keys.find("b").await.is_err());
        }
        assert_eq!(asked(&server), 1);
        let before = keys.version();
        age(&keys, BETWEEN_FETCHES).await;
        assert!(keys.find("b").await.is_ok());
        assert!(keys.find("a").await.is_err());
        assert_eq!(asked(&server), 2);
        assert!(keys.version() > before);

        // Another key under the same id is another set of keys.
        let mut other = key("b");
        other["x"] = "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw".into();
        *shown.lock().unwrap() = Some(vec![other]);
        let before = keys.version();
        age(&keys, FRESH).await;
        keys.refresh();
        while keys.version() == before {
            tokio::task::yield_now().await;
        }

        // A provider that is down or shows nothing of use takes no key away.
        for useless in [
            None,
            Some(Vec::new()),
            Some(vec![json!({"kty": "oct", "k": "AA", "kid": "c"})]),
        ] {
            *shown.lock().unwrap() = useless;
            age(&keys, FRESH).await;
            assert!(keys.find("c").await.is_err());
            assert!(keys.find("b").await.is_ok());
        }
    }

    #[tokio::test]
    async fn a_provider_that_shows_no_keys_is_asked_once_a_minute_too() {
        let shown = Arc::new(Lock::new(None));
        let server = provider(shown.clone());
        let keys = Keys::of(Provider::new(&server.url(""), Vec::new()));
        let unavailable = Some(Rejection::IssuerUnavailable);
        for _ in 0..10 {
            assert_eq!(keys.find("a").await.err(), unavailable);
        }
        assert_eq!(server.asked().len(), 1);
        age(&keys, BETWEEN_FETCHES / 2).await;
        assert_eq!(keys.find("a").await.err(), unavailable);
        assert_eq!(server.asked().len(), 1);
        *shown.lock().unwrap() = Some(vec![key("a")]);
        age(&keys, BETWEEN_FETCHES / 2).await;
        assert!(keys.find("a").await.is_ok());
    }

    #[tokio::test]
    async fn only_so_many_requests_wait_while_somebody_fetches() {
        let server = provider(Arc::new(Lock::new(Some(vec![key("a")]))));
        let keys = Keys::of(Provider::new(&server.url(""), Vec::new()));
        let fetching = keys.fetching.clone().lock_owned().await;
        let waiting: Vec<_> = (0..WAITING)
            .map(|_| {
                let keys = keys.clone();
                tokio::spawn(async move { keys.find("a").await.is_ok() })
            })
            .collect();
        while keys.waiting.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let unavailable = Some(Rejection::IssuerUnavailable);
        assert_eq!(keys.find("a").await.err(), unavailable);
        drop(fetching);
        for request in waiting {
            assert!(request.await.unwrap());
        }
    }

    #[tokio::test]
    async fn keys_that_are_known_are_fetched_again_behind_requests() {
        let shown = Arc::new(Lock::new(Some(vec![key("a")])));
        let server = provider(shown.clone());
        let keys = Keys::of(Provider::new(&server.url(""), Vec::new()));
        assert!(keys.find("a").await.is_ok());
        keys.refresh();
        *shown.lock().unwrap() = Some(vec![key("b")]);
        age(&keys, FRESH).await;
        keys.refresh();
        while keys.find("a").await.is_ok() {
            tokio::task::yield_now().await;
        }
        assert_eq!(asked(&server), 2);
    }

    #[test]
    fn a_key_checks_only_what_its_kind_and_its_owner_say() {
        let read = |value| Key::read(value).map(|(_, key)| key);
        let any = read(key("a")).unwrap();
        assert!(any.checks(Algorithm::EdDSA));
        assert!(!any.checks(Algorithm::ES256) && !any.checks(Algorithm::HS256));
        let mut only = key("a");
        only["alg"] = "ES256".into();
        assert!(!read(only).unwrap().checks(Algorithm::EdDSA));
        let mut encrypting = key("a");
        encrypting["use"] = "enc".into();
        assert!(read(encrypting).is_none());
        assert!(read(json!({"kty": "oct", "k": "AAAA", "kid": "a", "alg": "HS256"})).is_none());
        let mut nameless = key("a");
        nameless.as_object_mut().unwrap().remove("kid");
        assert!(read(nameless).is_none());
    }
}
