//! An identity provider: real HTTP, real keys.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use planledger::settings::identity::{
    Algorithm, Issuer, PersonClaim, PersonKey, Subject, SystemClaim, When,
};
use planledger_fixtures::http::{Answer, Server};
use serde_json::{Value, json};

use super::signer::Signer;

/// What tokens for the server under test name as their audience.
pub(super) const AUDIENCE: &str = "https://ledger.example";
/// The source of the rosters that know people by the ids in tokens.
pub(super) const SOURCE: &str = "stil";
/// The client with which people sign in themselves.
pub(super) const APP: &str = "app";

pub(super) struct Provider {
    server: Server,
    down: Arc<AtomicBool>,
    keys: Arc<Mutex<Vec<Value>>>,
}

impl Provider {
    /// A provider that shows these keys.
    pub(super) fn with(signers: &[&Signer]) -> Self {
        let keys: Vec<_> = signers.iter().map(|signer| signer.jwk()).collect();
        let keys = Arc::new(Mutex::new(keys));
        let down = Arc::new(AtomicBool::new(false));
        let (shown, off) = (keys.clone(), down.clone());
        let server = Server::start(move |asked| {
            if off.load(Ordering::SeqCst) {
                return Answer::status(503);
            }
            let issuer = format!("http://{}", asked.host);
            match asked.path.as_str() {
                "/.well-known/openid-configuration" => Answer::json(json!({
                    "issuer": issuer,
                    "jwks_uri": format!("{issuer}/keys"),
                })),
                "/keys" => Answer::json(json!({"keys": *shown.lock().unwrap()})),
                _ => Answer::status(404),
            }
        });
        Self { server, down, keys }
    }

    pub(super) fn url(&self) -> String {
        self.server.url("")
    }

    /// How often its keys were asked for.
    pub(super) fn asked_for_keys(&self) -> usize {
        let asked = self.server.asked();
        asked.iter().filter(|asked| asked.path == "/keys").count()
    }

    pub(super) fn goes_down(&self) {
        self.down.store(true, Ordering::SeqCst);
    }

    /// Shows another key as well.
    pub(super) fn shows(&self, jwk: Value) {
        self.keys.lock().unwrap().push(jwk);
    }

    /// The settings of a server that trusts it.
    pub(super) fn issuer(&self) -> Issuer {
        Issuer {
            url: self.url(),
            audience: AUDIENCE.to_owned(),
            algorithms: vec![
                Algorithm::RS256,
                Algorithm::PS256,
                Algorithm::ES256,
                Algorithm::EdDSA,
            ],
            ca_file: None,
            clients: vec![APP.to_owned()],
            person: Some(PersonClaim {
                claim: "uid".to_owned(),
                prefix: "uni:".to_owned(),
                holds: PersonKey::ExternalId,
                source: Some(SOURCE.to_owned()),
            }),
            system: Some(SystemClaim {
                claim: "client_id".to_owned(),
                when: Some(When::Subject(Subject::SubjectIsClient)),
            }),
        }
    }

    /// What a good token for a person says.
    pub(super) fn person(&self, uid: &str) -> Value {
        json!({
            "iss": self.url(),
            "aud": AUDIENCE,
            "sub": "b1946ac9",
            "client_id": APP,
            "uid": format!("uni:{uid}"),
            "exp": now() + 600,
            "nbf": now() - 10,
        })
    }

    /// What a good token for a system says.
    pub(super) fn system(&self, client: &str) -> Value {
        json!({
            "iss": self.url(),
            "aud": [AUDIENCE, "https://other.example"],
            "sub": client,
            "client_id": client,
            "exp": now() + 600,
        })
    }
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

/// The same claims but for one.
pub(super) fn but(claims: &Value, name: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}
