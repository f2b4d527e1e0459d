//! Which tokens count, and what the others are told.

use planledger_proto::v1::{GetStatusRequest, RevokeSystem};
use serde_json::{Value, json};

use super::place::{
    Place, channel, client_of, every_method, last_actor, ledger_with, refused, trusting,
};
use super::provider::{AUDIENCE, Provider, but, now};
use super::signer::{Signer, base64, hmac, unsigned};
use crate::support::*;

const SYSTEM: &str = "5d3c7e80-98a5-4b5f-8f0e-7a1d2a0c9b11";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_token_of_each_kind_of_key_says_who_acts() {
    let (rsa, p256, ed) = (
        Signer::rsa("rsa"),
        Signer::p256("ec"),
        Signer::ed25519("ed"),
    );
    let provider = Provider::with(&[&rsa, &p256, &ed]);
    let (home, people) = ledger_with(&["tove12"]).await;
    let systems = vec![client_of(&provider, SYSTEM, "portal")];
    let place = Place::start(&home, trusting(&provider, systems));
    let person = provider.person("tove12");
    let pss = json!({"alg": "PS256", "kid": "rsa"});
    for token in [
        rsa.token(&person),
        rsa.token_with(pss, &person),
        p256.token(&person),
        ed.token(&person),
    ] {
        let voice = place.with_token(&token).await;
        voice
            .execute(register_institution(&new_id(), "Skolen"))
            .await;
        let actor = format!("person/{}", people[0]);
        assert_eq!(last_actor(&voice).await, (actor, String::new()));
    }
    let voice = place
        .with_token(&p256.token(&provider.system("portal")))
        .await;
    voice
        .execute(register_institution(&new_id(), "Skolen"))
        .await;
    let actor = format!("system/{SYSTEM}");
    assert_eq!(last_actor(&voice).await, (actor, String::new()));
    assert_eq!(provider.asked_for_keys(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_other_token_is_turned_away_with_a_reason_and_is_not_repeated() {
    let (p256, rsa, other) = (Signer::p256("ec"), Signer::rsa("rsa"), Signer::p256("ec"));
    let provider = Provider::with(&[&p256, &rsa]);
    let stranger = Provider::with(&[&p256]);
    let (home, _) = ledger_with(&["tove12", "twin", "twin"]).await;
    let place = Place::start(&home, trusting(&provider, Vec::new()));
    let good = provider.person("tove12");
    assert!(place.with_token(&p256.token(&good)).await.position().await > 0);
    let sign = |claims: &Value| p256.token(claims);
    let with = |header: Value| p256.token_with(header, &good);
    let typed = |typ: &str| with(json!({"alg": "ES256", "kid": "ec", "typ": typ}));
    let spki = format!("-----BEGIN PUBLIC KEY-----\n{}\n", base64(rsa.public()));
    let mut parts: Vec<String> = sign(&good).split('.').map(str::to_owned).collect();
    parts[1] = base64(but(&good, "uid", "uni:leder".into()).to_string());
    let changed = parts.join(".");
    let invalid = "TOKEN_INVALID";
    let cases = [
        (
            "expired",
            sign(&but(&good, "exp", (now() - 61).into())),
            "TOKEN_EXPIRED",
        ),
        (
            "early",
            sign(&but(&good, "nbf", (now() + 120).into())),
            "TOKEN_NOT_YET_VALID",
        ),
        ("no end", sign(&but(&good, "exp", Value::Null)), invalid),
        (
            "audience",
            sign(&but(&good, "aud", "https://other.example".into())),
            invalid,
        ),
        (
            "audiences",
            sign(&but(&good, "aud", json!(["a", "b"]))),
            invalid,
        ),
        (
            "no audience",
            sign(&but(&good, "aud", Value::Null)),
            invalid,
        ),
        (
            "issuer",
            sign(&but(&good, "iss", stranger.url().into())),
            "ISSUER_UNKNOWN",
        ),
        ("no issuer", sign(&but(&good, "iss", Value::Null)), invalid),
        ("none", unsigned("ec", "none", &good), invalid),
        ("None", unsigned("ec", "None", &good), invalid),
        ("no signature", unsigned("ec", "ES256", &good), invalid),
        (
            "HMAC with the public key",
            hmac("ec", &p256.public(), &good),
            invalid,
        ),
        (
            "HMAC with the public RSA key",
            hmac("rsa", &rsa.public(), &good),
            invalid,
        ),
        (
            "HMAC with the public RSA key as text",
            hmac("rsa", spki.as_bytes(), &good),
            invalid,
        ),
        ("HMAC with nothing", hmac("ec", b"", &good), invalid),
        ("another's key", other.token(&good), invalid),
        ("changed", changed, invalid),
        (
            "key of another kind",
            with(json!({"alg": "ES256", "kid": "rsa"})),
            invalid,
        ),
        (
            "way of another key",
            with(json!({"alg": "RS256", "kid": "ec"})),
            invalid,
        ),
        ("no key named", with(json!({"alg": "ES256"})), invalid),
        (
            "its own key",
            with(json!({"alg": "ES256", "kid": "x", "jwk": other.jwk()})),
            invalid,
        ),
        (
            "extension",
            with(json!({"alg": "ES256", "kid": "ec", "crit": ["x"], "x": 1})),
            invalid,
        ),
        (
            "nobody",
            sign(&but(&good, "uid", "uni:nobody".into())),
            "PERSON_UNKNOWN",
        ),
        (
            "without prefix",
            sign(&but(&good, "uid", "tove12".into())),
            "PERSON_UNKNOWN",
        ),
        (
            "no name",
            sign(&but(&good, "uid", Value::Null)),
            "PERSON_UNKNOWN",
        ),
        (
            "two persons",
            sign(&but(&good, "uid", "uni:twin".into())),
            "PERSON_UNKNOWN",
        ),
        (
            "a CPR number",
            sign(&but(&good, "uid", "uni:010203-1234".into())),
            "PERSON_UNKNOWN",
        ),
        ("system", sign(&provider.system("portal")), "SYSTEM_UNKNOWN"),
        (
            "a person with a client's id as their name",
            sign(&but(&good, "sub", "app".into())),
            invalid,
        ),
        (
            "ID token's hash",
            sign(&but(&good, "at_hash", "x".into())),
            invalid,
        ),
        (
            "ID token of Keycloak",
            sign(&but(&good, "typ", "ID".into())),
            invalid,
        ),
        (
            "refresh token of Keycloak",
            sign(&but(&good, "typ", "Refresh".into())),
            invalid,
        ),
        (
            "ID token of Cognito",
            sign(&but(&good, "token_use", "id".into())),
            invalid,
        ),
        (
            "for the client itself",
            sign(&but(&good, "client_id", AUDIENCE.into())),
            invalid,
        ),
        ("logout token", typed("logout+jwt"), invalid),
        ("event", typed("secevent+jwt"), invalid),
        ("proof of a key", typed("dpop+jwt"), invalid),
        ("no typ that is known", typed(""), invalid),
        ("no token", "bearer".to_owned(), invalid),
        ("dots", "..".to_owned(), invalid),
        ("long", "x".repeat(20_000), invalid),
    ];
    let channel = channel(&place).await;
    for (what, token, reason) in cases {
        // A header of 20,000 bytes does not even reach the server's own check.
        if token.len() > 16_000 {
            let voice = place.with_token(&token).await;
            assert!(
                voice
                    .client
                    .ledger()
                    .get_status(GetStatusRequest::default())
                    .await
                    .is_err()
            );
            continue;
        }
        let refused = refused(&place, &token).await;
        assert_eq!(refused.reason, reason, "{what}: {}", refused.message);
        assert_eq!(refused.code, tonic::Code::Unauthenticated, "{what}");
        assert_eq!(refused.retry_after, None, "{what}");
        for (path, refused) in every_method(&channel, &token).await {
            let told = refused.map(|refused| (refused.code, refused.reason));
            let expected = (tonic::Code::Unauthenticated, reason.to_owned());
            assert_eq!(told, Some(expected), "{what} at {path}");
        }
    }
    let bearer = but(&good, "typ", "Bearer".into());
    let access = but(&good, "token_use", "access".into());
    let untyped = with(json!({"alg": "ES256", "kid": "ec"}));
    let typed = ["at+jwt", "AT+JWT", "application/at+jwt", "jwt"].map(typed);
    let access = [sign(&bearer), sign(&access), untyped];
    for token in access.iter().chain(&typed) {
        place.with_token(token).await.position().await;
    }
    // Within the leeway, clocks may differ.
    for good in [
        but(&good, "exp", (now() - 30).into()),
        but(&good, "nbf", (now() + 30).into()),
    ] {
        place.with_token(&sign(&good)).await.position().await;
    }
    assert_eq!(AUDIENCE, good["aud"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn keys_that_are_not_known_are_asked_for_once_a_minute_and_the_last_good_ones_stay() {
    let (known, made_up, late) = (Signer::p256("a"), Signer::p256("b"), Signer::p256("c"));
    let provider = Provider::with(&[&known]);
    let (home, _) = ledger_with(&["tove12"]).await;
    let place = Place::start(&home, trusting(&provider, Vec::new()));
    let claims = provider.person("tove12");
    place
        .with_token(&known.token(&claims))
        .await
        .position()
        .await;
    provider.shows(late.jwk());
    for _ in 0..20 {
        assert_eq!(
            refused(&place, &made_up.token(&claims)).await.reason,
            "TOKEN_INVALID"
        );
    }
    assert_eq!(provider.asked_for_keys(), 1);
    provider.goes_down();
    for exp in [601, 602, 603] {
        let claims = but(&claims, "exp", (now() + exp).into());
        place
            .with_token(&known.token(&claims))
            .await
            .position()
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn while_no_key_was_ever_seen_the_same_may_be_tried_again() {
    let signer = Signer::p256("a");
    let provider = Provider::with(&[&signer]);
    provider.goes_down();
    let place = Place::start(&Home::new(), trusting(&provider, Vec::new()));
    let refused = refused(&place, &signer.token(&provider.person("tove12"))).await;
    assert_eq!(refused.reason, "ISSUER_UNAVAILABLE");
    assert!(refused.retry_after.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_system_that_is_revoked_is_turned_away_at_once_however_long_its_token_lasts() {
    let signer = Signer::ed25519("a");
    let provider = Provider::with(&[&signer]);
    let systems = vec![
        client_of(&provider, SYSTEM, "portal"),
        client_of(&provider, &new_id(), "office"),
    ];
    let place = Place::start(&Home::new(), trusting(&provider, systems));
    let token = |client| signer.token(&provider.system(client));
    let voice = place.with_token(&token("portal")).await;
    let office = place.with_token(&token("office")).await;
    for _ in 0..3 {
        voice.position().await;
    }
    let revoke = OnSystem::RevokeSystem(RevokeSystem { reason: None });
    office.execute(system(SYSTEM, revoke)).await;
    let refused = voice.ask(GetStatusRequest::default()).await.unwrap_err();
    assert_eq!(refused.reason, "SYSTEM_UNKNOWN");
    office.position().await;
}
