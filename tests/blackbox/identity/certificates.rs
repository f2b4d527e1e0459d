//! Certificates: of systems, and of the server itself.

use std::time::Duration;

use planledger::client::Target;
use planledger_core::domain::system::SystemIdentity;
use planledger_proto::v1::*;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::authority::{Authority, Issued, file, secret};
use super::place::{Asked, Place, Program, client_of, connect, identity_text, system, trusting};
use super::provider::{Provider, but};
use super::signer::{Signer, base64};
use tonic::Code;

use crate::support::*;

const SPIFFE: &str = "spiffe://city.example/portal";

fn fingerprint(issued: &Issued) -> String {
    let sum = Sha256::digest(&issued.der);
    let pairs: Vec<_> = sum.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

fn knowing(systems: Vec<Program>) -> Asked {
    Asked {
        systems,
        ..Asked::default()
    }
}

async fn actor(voice: &Voice) -> String {
    voice
        .execute(register_institution(&new_id(), "Skolen"))
        .await;
    super::place::last_actor(voice).await.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_system_is_known_by_the_names_in_its_certificate() {
    let (one, two) = (new_id(), new_id());
    let by_spiffe = system(&one, SystemIdentity::Spiffe(identity_text(SPIFFE)));
    let by_dns = SystemIdentity::Dns(identity_text("platform.example"));
    let by_dns = system(&two, by_dns);
    let place = Place::start(&Home::new(), knowing(vec![by_spiffe, by_dns]));
    let show = async |issued: Issued| {
        let files = issued.write(place.path(), &new_id());
        place.with_certificate(files).await.unwrap()
    };
    let ours = &place.authority;
    let portal = show(ours.spiffe(SPIFFE)).await;
    assert_eq!(actor(&portal).await, format!("system/{one}"));
    let platform = show(ours.dns("Platform.example")).await;
    assert_eq!(actor(&platform).await, format!("system/{two}"));
    for unknown in [
        ours.spiffe("spiffe://city.example/other"),
        ours.dns("other.example"),
    ] {
        let voice = show(unknown).await;
        let refused = voice.ask(GetStatusRequest::default()).await.unwrap_err();
        assert_eq!(refused.reason, "SYSTEM_UNKNOWN");
    }
    // The right name from somebody who may not give it does not even connect.
    let files = Authority::new()
        .spiffe(SPIFFE)
        .write(place.path(), "forged");
    let voice = place.with_certificate(files).await;
    if let Ok(voice) = voice {
        let status = voice
            .client
            .ledger()
            .get_status(GetStatusRequest::default())
            .await;
        let code = status.unwrap_err().code();
        // By TLS 1.3 the client may write before it learns that it was turned away.
        let cut = [Code::Unavailable, Code::Unknown, Code::Cancelled];
        assert!(cut.contains(&code), "{code:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_system_is_known_by_the_fingerprint_of_its_certificate_and_a_token_may_be_bound_to_it() {
    let signer = Signer::p256("a");
    let provider = Provider::with(&[&signer]);
    let (one, two) = (new_id(), new_id());
    // The authority is made with the place, so the certificate comes from another one first.
    let home = Home::new();
    let first = Place::start(&home, Asked::default());
    let issued = first.authority.dns("portal.example");
    let ca = first.authority.pem();
    let files = issued.write(first.path(), "portal");
    let files = (
        file(
            home.path(),
            "portal.pem",
            &std::fs::read_to_string(files.0).unwrap(),
        ),
        secret(
            home.path(),
            "portal.key",
            &std::fs::read_to_string(files.1).unwrap(),
        ),
    );
    first.server.stop();
    let shown = fingerprint(&issued).parse().unwrap();
    let by_fingerprint = system(&one, SystemIdentity::Fingerprint(shown));
    let asked = trusting(
        &provider,
        vec![by_fingerprint, client_of(&provider, &two, "portal")],
    );
    let place = Place::start(&home, asked);
    // It trusts the authority of before from now on.
    let both = format!("{}{ca}", place.authority.pem());
    file(place.path(), "ca.pem", &both);
    let mut voice = None;
    for _ in 0..100 {
        if let Ok(found) = place.with_certificate(files.clone()).await
            && found.ask_quietly().await
        {
            voice = Some(found);
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(actor(&voice.unwrap()).await, format!("system/{one}"));
    // A token says who acts, whatever the certificate says.
    let bound = json!({"x5t#S256": base64(Sha256::digest(&issued.der))});
    let token = signer.token(&but(&provider.system("portal"), "cnf", bound));
    let token = file(home.path(), "token", &token);
    let target = Target {
        token_file: Some(token),
        identity: Some(files),
        ..place.target()
    };
    let voice = connect(&target).await.unwrap();
    assert_eq!(actor(&voice).await, format!("system/{two}"));
    // Whoever has the token without the certificate has nothing.
    let stolen = Target {
        identity: None,
        ..target
    };
    let voice = connect(&stolen).await.unwrap();
    let refused = voice.ask(GetStatusRequest::default()).await.unwrap_err();
    assert_eq!(refused.reason, "TOKEN_INVALID");
    // A token that is bound in a way that is not checked here is not good without it.
    for other in [
        json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
        json!({"x5t#S256": 1}),
        json!("x"),
    ] {
        let token = signer.token(&but(&provider.system("portal"), "cnf", other));
        let voice = place.with_token(&token).await;
        let refused = voice.ask(GetStatusRequest::default()).await.unwrap_err();
        assert_eq!(refused.reason, "TOKEN_INVALID");
    }
}

impl Voice {
    /// Whether it is answered at all.
    async fn ask_quietly(&self) -> bool {
        let asked = self
            .client
            .ledger()
            .get_status(GetStatusRequest::default())
            .await;
        asked.is_ok()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_servers_certificate_changes_without_ending_connections() {
    let signer = Signer::p256("a");
    let provider = Provider::with(&[&signer]);
    let asked = trusting(&provider, vec![client_of(&provider, &new_id(), "portal")]);
    let place = Place::start(&Home::new(), asked);
    let token = signer.token(&provider.system("portal"));
    let old = place.with_token(&token).await;
    old.position().await;
    let mut follower = old.follow(FollowEventsRequest::default()).await.unwrap();
    follower.past().await;

    let other = Authority::new();
    let trusting_other = Target {
        ca_file: Some(file(place.path(), "other.pem", &other.pem())),
        token_file: Some(file(place.path(), "token", &token)),
        ..place.target()
    };
    assert!(connect(&trusting_other).await.is_err());
    let issued = other.server();
    std::fs::write(&place.tls.certificate, &issued.certificate).unwrap();
    std::fs::write(&place.tls.key, &issued.key).unwrap();
    let connected = async || {
        for _ in 0..100 {
            if let Ok(voice) = connect(&trusting_other).await {
                return voice;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the new certificate is not shown");
    };
    let new = connected().await;
    new.position().await;
    assert!(
        connect(&Target {
            token_file: None,
            ..place.target()
        })
        .await
        .is_err()
    );
    // What was connected before goes on.
    old.execute(register_institution(&new_id(), "Skolen")).await;
    assert_eq!(follower.live(1).await.len(), 1);

    // A file that is no certificate changes nothing.
    std::fs::write(
        &place.tls.certificate,
        "-----BEGIN CERTIFICATE-----\nAAAA\n",
    )
    .unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    connected().await.position().await;
}
