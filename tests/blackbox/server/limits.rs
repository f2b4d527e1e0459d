//! What the server takes on, and what becomes of more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use planledger::server::Limits;
use planledger_proto::v1::execute_stream_response::Outcome;
use planledger_proto::v1::*;
use tokio::task::JoinSet;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::support::*;

fn limited(limits: Limits, home: &Home) -> Running {
    let setup = Setup {
        limits: Limits {
            grace: Duration::from_secs(5),
            ..limits
        },
        ..Setup::default()
    };
    setup.start(home)
}

fn register() -> Command {
    register_institution(&new_id(), "Skolen")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_beyond_the_limit_is_shed_at_once_and_taken_on_when_there_is_room() {
    let home = Home::new();
    let limits = Limits {
        requests: 3,
        ..Limits::default()
    };
    let server = limited(limits, &home);
    let (busy, voice) = (server.voice().await, server.voice().await);
    // A stream is a request for as long as it goes on, read or not.
    let mut followers = Vec::new();
    for _ in 0..3 {
        let follow = FollowEventsRequest::default();
        let mut follower = busy.follow(follow).await.unwrap();
        follower.past().await;
        followers.push(follower);
    }
    for _ in 0..10 {
        let refused = voice.try_execute(register()).await.unwrap_err();
        assert_eq!(refused.reason, "OVERLOADED");
        assert_eq!(refused.code, Code::ResourceExhausted);
        let refused = voice.follow(FollowEventsRequest::default()).await;
        assert_eq!(refused.err().unwrap().reason, "OVERLOADED");
    }
    let mut health = HealthClient::new(server.channel().await);
    health.check(HealthCheckRequest::default()).await.unwrap();

    drop(followers.pop());
    let command = register();
    let receipt = loop {
        match voice.try_execute(command.clone()).await {
            Ok(receipt) => break receipt,
            Err(refused) => tokio::time::sleep(refused.retry_after.unwrap()).await,
        }
    };
    // What was shed was not recorded.
    assert_eq!(receipt.position, 1);
    assert!(!receipt.replayed);
    for follower in &mut followers {
        assert_eq!(follower.live(1).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn one_connection_gets_its_share_and_no_more() {
    let home = Home::new();
    let limits = Limits {
        requests_of_connection: 2,
        ..Limits::default()
    };
    let server = limited(limits, &home);
    let (greedy, other) = (server.voice().await, server.voice().await);
    let follow = FollowEventsRequest::default();
    let first = greedy.follow(follow.clone()).await.unwrap();
    let mut second = greedy.follow(follow).await.unwrap();
    second.past().await;
    let waiting = tokio::spawn(async move { greedy.execute(register()).await });
    for position in 1..=50 {
        assert_eq!(other.execute(register()).await.position, position);
    }
    assert!(!waiting.is_finished());
    drop(first);
    assert_eq!(waiting.await.unwrap().position, 51);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_message_over_the_limit_is_refused_and_the_connection_goes_on() {
    let home = Home::new();
    let limits = Limits {
        request_bytes: 100_000,
        ..Limits::default()
    };
    let server = limited(limits, &home);
    let voice = server.voice().await;
    let large = write_status(&new_id(), &"a".repeat(100_001));
    let mut call = voice.client.commands();
    let request = ExecuteRequest {
        command: Some(large.clone()),
    };
    let status = call.execute(request).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    assert_eq!(voice.execute(register()).await.position, 1);

    // In a stream, what came before it is answered.
    let requests = [register(), large, register()].map(|command| ExecuteStreamRequest {
        command: Some(command),
    });
    let answers = call.execute_stream(tokio_stream::iter(requests)).await;
    let mut answers = answers.unwrap().into_inner();
    let first = next(&mut answers).await.unwrap().unwrap();
    assert!(matches!(first.outcome, Some(Outcome::Receipt(_))));
    let status = next(&mut answers).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    assert_eq!(voice.execute(register()).await.position, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_catalogue_of_many_goals_fits_into_a_message_and_one_more_byte_than_allowed_does_not() {
    let (_server, voice) = Home::new().serve().await;
    let text = "a".repeat(16 << 20);
    let mut call = voice.client.commands();
    let request = ExecuteRequest {
        command: Some(write_status(&new_id(), &text)),
    };
    let status = call.execute(request).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    // A little less is read, and then told what is wrong with it.
    let almost = write_status(&new_id(), &text[1_000..]);
    let refused = voice.try_execute(almost).await.unwrap_err();
    let field = ("plan.write_status.text".to_owned(), "TOO_LONG".to_owned());
    assert_eq!(refused.fields, [field]);
    assert_eq!(voice.position().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn streams_wait_for_their_turn_and_a_command_of_somebody_else_gets_its_own_soon() {
    // Many times as many as may wait of one caller, and more than wait of all.
    const STREAMS: usize = 12;
    const EACH: usize = 1_024;
    let (log, server) = Gated::start();
    let one = format!("person/{}", new_id());
    let voice = server.voice().await.actor(&one);
    log.shut();
    let mut streaming = JoinSet::new();
    for _ in 0..STREAMS {
        // What waits on a connection holds up what comes behind it there, so each has its own.
        let voice = server.voice().await.actor(&one);
        let commands: Vec<_> = (0..EACH).map(|_| register()).collect();
        streaming.spawn(async move { voice.stream(commands).await });
    }
    log.wait_for_write();
    // The caller's share is taken when a single command of its own has to wait too long.
    let mut own = JoinSet::new();
    let refused = loop {
        let voice = voice.clone();
        own.spawn(async move { voice.try_execute(register()).await });
        let answer = tokio::time::timeout(Duration::from_secs(7), own.join_next()).await;
        if let Ok(Some(answer)) = answer {
            break answer.unwrap().unwrap_err();
        }
    };
    assert_eq!(refused.reason, "RATE_LIMITED");
    assert!(refused.retry_after.is_some());
    assert_eq!(refused.code, Code::ResourceExhausted);
    let other = server.voice().await;
    let single = tokio::spawn(async move { other.execute(register()).await.position });
    // So that it is there before the disk is.
    tokio::time::sleep(Duration::from_secs(1)).await;
    log.let_through();
    let position = single.await.unwrap();
    assert!(
        position <= 4 * EACH as u64,
        "it came to position {position}"
    );
    let mut receipts = 0;
    while let Some(answers) = streaming.join_next().await {
        for answer in answers.unwrap() {
            assert!(matches!(answer.outcome, Some(Outcome::Receipt(_))));
            receipts += 1;
        }
    }
    assert_eq!(receipts, STREAMS * EACH);
    let mut singles = 1;
    while let Some(answer) = own.join_next().await {
        singles += u64::from(answer.unwrap().is_ok());
    }
    assert_eq!(voice.position().await, (STREAMS * EACH) as u64 + singles);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_stream_that_waits_for_the_disk_does_not_keep_its_connection_from_anything_else() {
    let (log, server) = Gated::start();
    let voice = server.voice().await;
    let (_, _, plan_id) = School::with_plan(&voice).await;
    log.shut();
    // More than the server reads ahead, and more than one stream may have on its way.
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = sent.clone();
    let commands: Vec<_> = (0..2_000)
        .map(|n| write_status(&plan_id, &format!("{n} {}", "æ".repeat(2_000))))
        .collect();
    let commands = commands.into_iter().inspect(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let streaming = tokio::spawn({
        let voice = voice.clone();
        async move { voice.stream(commands).await }
    });
    log.wait_for_write();
    // Asks on the same connection until nothing has been sent for a while.
    let (mut before, mut quiet) = (0, 0);
    while quiet < 200 {
        voice.position().await;
        let now = sent.load(Ordering::Relaxed);
        quiet = if now == before { quiet + 1 } else { 0 };
        before = now;
    }
    assert!(before < 2_000, "the stream should stand still");
    log.let_through();
    assert_eq!(streaming.await.unwrap().len(), 2_000);
}
