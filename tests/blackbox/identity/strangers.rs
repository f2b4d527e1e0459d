//! Without an identity there is no entry, whatever is asked.

use planledger::settings::identity::{Identity, Reflection};
use planledger_proto::v1::GetStatusRequest;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use super::place::{Asked, Place, connect};
use super::provider::Provider;
use super::signer::Signer;
use crate::support::*;

const HEALTH: &str = "/grpc.health.v1.Health/Check";
const REFLECTION: [&str; 2] = [
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

async fn channel(place: &Place) -> Channel {
    let ca = Certificate::from_pem(place.authority.pem());
    let endpoint = Endpoint::from_shared(place.server.url.clone()).unwrap();
    let tls = ClientTlsConfig::new().ca_certificate(ca);
    endpoint.tls_config(tls).unwrap().connect().await.unwrap()
}

/// Calls a method with a number where all of them expect something else.
async fn call(channel: &Channel, path: &str) -> Result<(), Status> {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let codec = ProstCodec::<u64, ()>::default();
    let path = path.parse::<PathAndQuery>().unwrap();
    let answers = grpc
        .server_streaming(Request::new(7_u64), path, codec)
        .await?;
    answers.into_inner().message().await.map(drop)
}

fn reason(status: &Status) -> String {
    assert_eq!(status.code(), Code::Unauthenticated);
    Refused::new(status, "planledger.v1.Command").reason
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_method_turns_away_whoever_shows_nothing() {
    let signer = Signer::p256("one");
    let provider = Provider::with(&[&signer]);
    let asked = super::place::trusting(&provider, Vec::new());
    let place = Place::start(&Home::new(), asked);
    let channel = channel(&place).await;
    let mut paths = paths();
    assert!(paths.len() > METHODS.len());
    paths.extend(REFLECTION.map(str::to_owned));
    paths.push("/grpc.health.v1.Health/Watch".to_owned());
    paths.push("/planledger.v1.PlanService/NoSuchMethod".to_owned());
    paths.push("/no.such.Service/Method".to_owned());
    for path in paths {
        let status = call(&channel, &path).await.unwrap_err();
        assert_eq!(reason(&status), "TOKEN_MISSING", "{path}");
    }
    // Health alone is free. The number is no name of a service.
    let status = call(&channel, HEALTH).await.err();
    assert!(status.is_none_or(|status| status.code() != Code::Unauthenticated));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_metadata_of_development_mode_means_nothing() {
    let signer = Signer::p256("one");
    let provider = Provider::with(&[&signer]);
    let asked = super::place::trusting(&provider, Vec::new());
    let place = Place::start(&Home::new(), asked);
    let mut target = place.target();
    target.actor = Some(format!("system/{}", new_id()));
    let voice = connect(&target).await.unwrap();
    let refused = voice.ask(GetStatusRequest::default()).await.unwrap_err();
    assert_eq!(refused.reason, "TOKEN_MISSING");
    let refused = voice.follow(Default::default()).await.err().unwrap();
    assert_eq!(refused.reason, "TOKEN_MISSING");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn reflection_is_for_everybody_if_the_settings_say_so() {
    let identity = Identity {
        reflection: Reflection::Public,
        ..Identity::default()
    };
    let asked = Asked {
        identity,
        ..Asked::default()
    };
    let place = Place::start(&Home::new(), asked);
    let channel = channel(&place).await;
    for path in REFLECTION {
        let status = call(&channel, path).await.err();
        assert!(status.is_none_or(|status| status.code() != Code::Unauthenticated));
    }
    let status = call(&channel, "/planledger.v1.LedgerService/GetStatus").await;
    assert_eq!(reason(&status.unwrap_err()), "TOKEN_MISSING");
}
