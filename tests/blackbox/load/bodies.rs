//! Requests that never end.

use std::time::{Duration, Instant};

use planledger_proto::v1::*;
use tokio::task::JoinSet;
use tokio_stream::StreamExt;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Status};
use tonic_prost::ProstCodec;

use super::{alone, limited, memory, peak};
use crate::support::*;

/// Sends a command of so many bytes, and keeps the request open after it.
async fn unfinished(channel: tonic::transport::Channel, actor: String, bytes: usize) -> Status {
    let mut client = Grpc::new(channel);
    client.ready().await.unwrap();
    let command = write_status(&new_id(), &"a".repeat(bytes));
    let message = ExecuteRequest {
        command: Some(command),
    };
    let messages = tokio_stream::iter([message]).chain(tokio_stream::pending());
    let mut request = tonic::Request::new(messages);
    request
        .metadata_mut()
        .insert("planledger-actor", actor.parse().unwrap());
    let path = PathAndQuery::from_static("/planledger.v1.CommandService/Execute");
    let codec: ProstCodec<ExecuteRequest, ExecuteResponse> = ProstCodec::default();
    let answer = client.client_streaming(request, path, codec).await;
    answer.map(|_| ()).unwrap_err()
}

fn reason(status: &Status) -> String {
    let details = tonic_types::StatusExt::get_error_details(status);
    details
        .error_info()
        .map(|info| info.reason.clone())
        .unwrap_or_default()
}

async fn channel(serving: &Serving) -> tonic::transport::Channel {
    let endpoint = tonic::transport::Endpoint::from_shared(serving.url.clone()).unwrap();
    endpoint.connect().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_never_end_cost_bounded_memory_and_end_in_time() {
    let _alone = alone().await;
    let home = Home::new();
    let serving = limited(
        &home,
        "body-seconds = 15\nkept-mib = 100\nkept-mib-of-caller = 40",
    );
    let other = serving.voice().await;
    other.position().await;
    let before = memory(&serving);
    let began = Instant::now();
    let mut asked = JoinSet::new();
    for caller in 0..6 {
        let actor = format!("person/{}", new_id());
        for _ in 0..10 {
            let (channel, actor) = (channel(&serving).await, actor.clone());
            asked.spawn(async move { (caller, unfinished(channel, actor, 15 << 20).await) });
        }
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    // Whoever ends what they begin is served.
    let receipt = other
        .execute(register_institution(&new_id(), "Skolen"))
        .await;
    assert_eq!(receipt.position, 1);
    let (mut refused, mut late) = (0, 0);
    while let Some(ended) = asked.join_next().await {
        let (_, status) = ended.unwrap();
        match reason(&status).as_str() {
            "OVERLOADED" => refused += 1,
            "BODY_TOO_SLOW" => {
                assert_eq!(status.code(), Code::Unavailable);
                late += 1;
            }
            _ => panic!("{status:?}"),
        }
    }
    let more = peak(&serving).saturating_sub(before);
    eprintln!("60 unfinished requests of 15 MiB: {more} MiB more, {refused} refused, {late} late");
    assert!(began.elapsed() < Duration::from_secs(90));
    assert!(late >= 1 && refused >= 1, "{late} late, {refused} refused");
    assert!(more < 600, "{more} MiB more");
}
