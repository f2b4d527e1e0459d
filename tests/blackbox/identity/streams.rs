//! Streams end when the token ends that they were asked for with.

use planledger::settings::identity::Identity;
use planledger_proto::v1::*;
use tokio_stream::StreamExt;
use tonic_types::StatusExt;

use super::place::{Asked, Place, client_of, trusting};
use super::provider::{Provider, but, now};
use super::signer::Signer;
use crate::support::*;

const SYSTEM: &str = "5d3c7e80-98a5-4b5f-8f0e-7a1d2a0c9b11";

/// A server without leeway, and a token for three seconds.
fn short() -> (Provider, Signer, Place) {
    let signer = Signer::ed25519("a");
    let provider = Provider::with(&[&signer]);
    let asked = trusting(&provider, vec![client_of(&provider, SYSTEM, "portal")]);
    let identity = Identity {
        leeway_seconds: Some(0),
        ..asked.identity.clone()
    };
    let asked = Asked { identity, ..asked };
    let place = Place::start(&Home::new(), asked);
    (provider, signer, place)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_stream_ends_with_its_token_and_says_from_where_to_go_on() {
    let (provider, signer, place) = short();
    let lasting = signer.token(&provider.system("portal"));
    let brief = signer.token(&but(&provider.system("portal"), "exp", (now() + 3).into()));
    let (lasting, brief) = (
        place.with_token(&lasting).await,
        place.with_token(&brief).await,
    );
    lasting
        .execute(register_institution(&new_id(), "Skolen"))
        .await;
    let mut follower = brief.follow(FollowEventsRequest::default()).await.unwrap();
    // The system became known first.
    assert_eq!(follower.past().await.len(), 2);
    lasting
        .execute(register_institution(&new_id(), "Skolen"))
        .await;
    assert_eq!(follower.live(1).await.len(), 1);
    let mut commands = brief.client.commands();
    let (sender, requests) = tokio::sync::mpsc::channel(4);
    let requests = tokio_stream::wrappers::ReceiverStream::new(requests);
    let answers = commands.execute_stream(requests).await.unwrap();
    let mut answers = answers.into_inner();
    let command = Some(register_institution(&new_id(), "Skolen"));
    sender.send(ExecuteStreamRequest { command }).await.unwrap();
    assert!(answers.next().await.unwrap().is_ok());
    let mut previews = brief.client.commands();
    let open = tokio_stream::pending::<PreviewStreamRequest>();
    let mut previews = previews.preview_stream(open).await.unwrap().into_inner();

    let ended = loop {
        match follower.next().await {
            Followed::Ended(refused) => break refused,
            Followed::Events(_) | Followed::Heartbeat | Followed::CaughtUp => {}
        }
    };
    assert_eq!(ended.reason, "TOKEN_EXPIRED");
    assert_eq!(
        ended.metadata["resume_position"],
        follower.resume.to_string()
    );
    let root = "planledger.v1.Command";
    let ended = Refused::new(&next(&mut answers).await.unwrap_err(), root);
    assert_eq!(
        (ended.reason.as_str(), ended.metadata.len()),
        ("TOKEN_EXPIRED", 0)
    );
    let ended = Refused::new(&next(&mut previews).await.unwrap_err(), root);
    assert_eq!(ended.reason, "TOKEN_EXPIRED");
    let refused = brief.ask(GetStatusRequest::default()).await.unwrap_err();
    assert_eq!(refused.reason, "TOKEN_EXPIRED");
    lasting.position().await;
    drop(sender);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn watching_health_ends_with_the_token_too() {
    let (provider, signer, place) = short();
    let token = signer.token(&but(&provider.system("portal"), "exp", (now() + 2).into()));
    let ca = tonic::transport::Certificate::from_pem(place.authority.pem());
    let endpoint = tonic::transport::Endpoint::from_shared(place.server.url.clone()).unwrap();
    let tls = tonic::transport::ClientTlsConfig::new().ca_certificate(ca);
    let channel = endpoint.tls_config(tls).unwrap().connect().await.unwrap();
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel);
    let mut request = tonic::Request::new(tonic_health::pb::HealthCheckRequest::default());
    let value = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", value);
    let mut answers = health.watch(request).await.unwrap().into_inner();
    let status = loop {
        match next(&mut answers).await {
            Ok(answer) => assert!(answer.is_some(), "it ends without a status"),
            Err(status) => break status,
        }
    };
    assert_eq!(
        status.get_details_error_info().unwrap().reason,
        "TOKEN_EXPIRED"
    );
}
