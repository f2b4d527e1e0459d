//! For whom a system acts: both are found out, and both are recorded.

use planledger_proto::v1::*;
use serde_json::json;

use super::place::{Place, Program, client_of, last_actor, ledger_with, trusting};
use super::provider::{APP, Provider, but};
use super::signer::Signer;
use crate::support::*;

const PORTAL: &str = "5d3c7e80-98a5-4b5f-8f0e-7a1d2a0c9b11";
const PLATFORM: &str = "7b1f2a44-1c0d-4f0e-9a77-3f5f6c2e8d22";

struct Stage {
    signer: Signer,
    provider: Provider,
    place: Place,
    people: Vec<String>,
}

/// A portal that may name persons in a header, a platform that may not, and a source of rosters that
/// may not act for anybody.
async fn stage() -> Stage {
    let signer = Signer::p256("a");
    let provider = Provider::with(&[&signer]);
    let (home, people) = ledger_with(&["tove12", "ole34"]).await;
    let portal = Program {
        names_person_in_header: true,
        ..client_of(&provider, PORTAL, "portal")
    };
    let platform = client_of(&provider, PLATFORM, "platform");
    let roster = Program {
        acts_for_people: false,
        names_person_in_header: true,
        ..client_of(&provider, &new_id(), "roster")
    };
    let systems = vec![portal, platform, roster];
    let place = Place::start(&home, trusting(&provider, systems));
    Stage {
        signer,
        provider,
        place,
        people,
    }
}

fn register(on_behalf_of: Option<&str>) -> Command {
    let principal = on_behalf_of.map(|id| Actor {
        actor: Some(actor::Actor::PersonId(id.to_owned())),
    });
    Command {
        on_behalf_of: principal,
        ..register_institution(&new_id(), "Skolen")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_act_claim_names_the_system_that_acts_for_the_subject() {
    let stage = stage().await;
    let claims = stage.provider.person("tove12");
    let acting = but(
        &claims,
        "act",
        json!({"sub": "platform", "act": {"sub": "portal"}}),
    );
    let voice = stage.place.with_token(&stage.signer.token(&acting)).await;
    let (tove, ole) = (&stage.people[0], &stage.people[1]);
    let recorded = (format!("system/{PLATFORM}"), format!("person/{tove}"));
    for said in [None, Some(tove.as_str())] {
        voice.execute(register(said)).await;
        assert_eq!(last_actor(&voice).await, recorded);
    }
    // The command's own word counts only if it says the same.
    let refused = voice.try_execute(register(Some(ole))).await.unwrap_err();
    assert_eq!(refused.reason, "ON_BEHALF_OF_ANOTHER");
    assert_eq!(refused.paths(), ["on_behalf_of"]);
    let commands = vec![register(None), register(Some(ole))];
    let refused = voice.try_all(commands).await.unwrap_err();
    assert_eq!(refused.paths(), ["commands[1].on_behalf_of"]);
    let outcomes = voice.stream([register(Some(ole))]).await;
    let Some(execute_stream_response::Outcome::Error(error)) = &outcomes[0].outcome else {
        panic!("{outcomes:?}");
    };
    assert_eq!(error.reason, "ON_BEHALF_OF_ANOTHER");

    let nobody = but(&claims, "act", json!({"sub": "nobody"}));
    let voice = stage.place.with_token(&stage.signer.token(&nobody)).await;
    let refused = voice.ask(GetStatusRequest::default()).await.unwrap_err();
    assert_eq!(refused.reason, "SYSTEM_UNKNOWN");
    let elsewhere = json!({"sub": "platform", "iss": "https://other.example"});
    for act in [json!({}), json!("platform"), json!({"sub": 1}), elsewhere] {
        let token = stage.signer.token(&but(&claims, "act", act));
        let voice = stage.place.with_token(&token).await;
        let refused = voice.ask(GetStatusRequest::default()).await.unwrap_err();
        assert_eq!(refused.reason, "ON_BEHALF_OF_INVALID");
    }
    let system = but(
        &stage.provider.system("portal"),
        "act",
        json!({"sub": "platform"}),
    );
    let voice = stage.place.with_token(&stage.signer.token(&system)).await;
    let refused = voice.ask(GetStatusRequest::default()).await.unwrap_err();
    assert_eq!(refused.reason, "ON_BEHALF_OF_INVALID");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_header_names_the_person_only_for_systems_that_may() {
    let stage = stage().await;
    let (tove, ole) = (&stage.people[0], &stage.people[1]);
    let token = |client| stage.signer.token(&stage.provider.system(client));
    let portal = stage
        .place
        .with_token_for(&token("portal"), Some(tove))
        .await;
    portal.execute(register(None)).await;
    let recorded = (format!("system/{PORTAL}"), format!("person/{tove}"));
    assert_eq!(last_actor(&portal).await, recorded);
    let refused = portal.try_execute(register(Some(ole))).await.unwrap_err();
    assert_eq!(refused.reason, "ON_BEHALF_OF_ANOTHER");
    // Who acts for nobody cannot say in a command that it does.
    let alone = stage.place.with_token(&token("portal")).await;
    let refused = alone.try_execute(register(Some(tove))).await.unwrap_err();
    assert_eq!(refused.reason, "ON_BEHALF_OF_ANOTHER");

    let platform = stage
        .place
        .with_token_for(&token("platform"), Some(tove))
        .await;
    let person = stage.signer.token(&stage.provider.person("tove12"));
    let person = stage.place.with_token_for(&person, Some(ole)).await;
    let roster = token("roster");
    let roster = stage.place.with_token_for(&roster, Some(tove)).await;
    let acting = but(
        &stage.provider.person("tove12"),
        "act",
        json!({"sub": "roster"}),
    );
    let claimed = stage.place.with_token(&stage.signer.token(&acting)).await;
    for voice in [platform, person, roster, claimed] {
        let refused = voice.ask(GetStatusRequest::default()).await.unwrap_err();
        assert_eq!(refused.reason, "ON_BEHALF_OF_DENIED");
        assert_eq!(refused.code, tonic::Code::PermissionDenied);
    }
    let acting = but(
        &stage.provider.person("tove12"),
        "act",
        json!({"sub": "portal"}),
    );
    let acting = stage.signer.token(&acting);
    let two = stage.place.with_token_for(&acting, Some(ole)).await;
    let refused = two.ask(GetStatusRequest::default()).await.unwrap_err();
    assert_eq!(refused.reason, "ON_BEHALF_OF_INVALID");
    let same = stage.place.with_token_for(&acting, Some(tove)).await;
    same.execute(register(None)).await;
    assert_eq!(last_actor(&same).await, recorded);
}

/// What the server says of a token of these claims.
async fn reason(stage: &Stage, claims: &serde_json::Value) -> String {
    let voice = stage.place.with_token(&stage.signer.token(claims)).await;
    let refused = voice.ask(GetStatusRequest::default()).await.unwrap_err();
    refused.reason
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_system_that_carries_a_persons_token_acts_for_the_person_and_other_clients_may_not_carry_any()
 {
    let stage = stage().await;
    let claims = stage.provider.person("tove12");
    let of = |client: &str| but(&claims, "client_id", client.into());
    let none = but(&claims, "client_id", serde_json::Value::Null);
    let recorded = format!("person/{}", stage.people[0]);
    let by_azp = but(&none, "azp", "platform".into());
    let in_platform = [of("platform"), by_azp];
    let mut voices = Vec::new();
    for claims in &in_platform {
        let voice = stage.place.with_token(&stage.signer.token(claims)).await;
        voice.execute(register(None)).await;
        let both = (format!("system/{PLATFORM}"), recorded.clone());
        assert_eq!(last_actor(&voice).await, both);
        voices.push(voice);
    }
    let alone = stage.place.with_token(&stage.signer.token(&of(APP))).await;
    alone.execute(register(None)).await;
    let both = (recorded, String::new());
    assert_eq!(last_actor(&alone).await, both);

    assert_eq!(reason(&stage, &of("roster")).await, "ON_BEHALF_OF_DENIED");
    let two = but(&of(APP), "azp", "platform".into());
    let no_text = but(&none, "client_id", json!([APP]));
    for invalid in [of("stranger"), none, two, no_text] {
        assert_eq!(reason(&stage, &invalid).await, "TOKEN_INVALID", "{invalid}");
    }
    let acting = |client: &str| but(&of(client), "act", json!({"sub": "portal"}));
    assert_eq!(reason(&stage, &acting("stranger")).await, "TOKEN_INVALID");
    let another = reason(&stage, &acting("platform")).await;
    assert_eq!(another, "ON_BEHALF_OF_INVALID");

    // Once it is revoked, what people gave it is worth nothing, however long it lasts.
    let revoke = OnSystem::RevokeSystem(RevokeSystem { reason: None });
    alone.execute(system(PLATFORM, revoke)).await;
    for voice in voices {
        let refused = voice.ask(GetStatusRequest::default()).await.unwrap_err();
        assert_eq!(refused.reason, "SYSTEM_UNKNOWN");
    }
    assert_eq!(reason(&stage, &acting("platform")).await, "SYSTEM_UNKNOWN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_token_that_a_client_asked_for_on_a_persons_account_is_never_the_clients_own() {
    let stage = stage().await;
    let claims = but(
        &stage.provider.person("nobody"),
        "client_id",
        "portal".into(),
    );
    let voice = stage.place.with_token(&stage.signer.token(&claims)).await;
    let refused = voice.ask(GetStatusRequest::default()).await.unwrap_err();
    assert_eq!(refused.reason, "PERSON_UNKNOWN");
}
