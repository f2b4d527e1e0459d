//! Clients that do not behave.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use planledger_proto::v1::*;
use tonic::Code;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic_prost::ProstCodec;

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_no_grpc_does_no_harm() {
    let server = Home::new().start();
    let address = server.url.strip_prefix("http://").unwrap();
    let idle = TcpStream::connect(address).unwrap();
    let mut preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    preface.extend([0xff; 100]);
    for bytes in [
        &b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
        &[0; 10_000],
        "æøå\r\n".repeat(1_000).as_bytes(),
        &preface,
    ] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        // The server may have hung up before all is written.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        // It hangs up in the end, and does not wait for more.
        let _ = stream.read_to_end(&mut Vec::new());
    }
    let voice = server.voice().await;
    let receipt = voice
        .execute(register_institution(&new_id(), "Skolen"))
        .await;
    assert_eq!(receipt.position, 1);
    drop(idle);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_message_that_is_none_is_refused_by_the_transport() {
    let server = Home::new().start();
    // Field 1 of the request is a message; this sends a number in its place.
    let wrong = GetStatusRequest { min_position: 7 };
    let mut client = Grpc::new(server.channel().await);
    client.ready().await.unwrap();
    let path = PathAndQuery::from_static("/planledger.v1.CommandService/Execute");
    let codec: ProstCodec<GetStatusRequest, ExecuteResponse> = ProstCodec::default();
    let answer = client.unary(from_somebody(wrong), path, codec).await;
    assert_eq!(answer.unwrap_err().code(), Code::Internal);
    // And this asks for what there is not.
    client.ready().await.unwrap();
    let path = PathAndQuery::from_static("/planledger.v1.CommandService/Undo");
    let codec: ProstCodec<GetStatusRequest, ExecuteResponse> = ProstCodec::default();
    let request = from_somebody(GetStatusRequest::default());
    let answer = client.unary(request, path, codec).await;
    assert_eq!(answer.unwrap_err().code(), Code::Unimplemented);
    assert_eq!(server.voice().await.position().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_asks_is_found_out_before_a_message_is_read() {
    let server = Home::new().start();
    let mut client = Grpc::new(server.channel().await);
    // A message that is none, and a method that there is not.
    for path in ["Execute", "Undo"] {
        client.ready().await.unwrap();
        let path = format!("/planledger.v1.CommandService/{path}");
        let path = PathAndQuery::from_maybe_shared(path).unwrap();
        let codec: ProstCodec<GetStatusRequest, ExecuteResponse> = ProstCodec::default();
        let wrong = tonic::Request::new(GetStatusRequest { min_position: 7 });
        let answer = client.unary(wrong, path, codec).await;
        assert_eq!(answer.unwrap_err().code(), Code::Unauthenticated);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_client_that_reads_nothing_keeps_the_server_for_as_long_as_its_grace_and_no_longer() {
    let home = Home::new();
    let mut setup = Setup::default();
    setup.limits.grace = Duration::from_millis(300);
    let server = setup.start(&home);
    let voice = server.voice().await;
    let (_, _, plan_id) = School::with_plan(&voice).await;
    for n in 0..10 {
        let text = |m: usize| format!("{n} {m} {}", "æ".repeat(19_000));
        let write = (0..10).map(|m| write_status(&plan_id, &text(m)));
        voice.all(write).await;
    }
    // More than fits on the way is waiting to be read.
    let follow = FollowEventsRequest::default();
    let stuck = server.voice().await.follow(follow).await.unwrap();
    let position = voice.position().await;
    let began = Instant::now();
    server.stop();
    assert!(began.elapsed() < Duration::from_secs(5));
    drop(stuck);
    let server = home.start();
    assert_eq!(server.voice().await.position().await, position);
}
