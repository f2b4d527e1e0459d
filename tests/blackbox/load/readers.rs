//! Clients that ask for a lot and read nothing of it.

use std::time::Duration;

use planledger::client::Client;
use planledger_proto::v1::*;
use tonic::{Code, Status, Streaming};

use super::{alone, fill, limited, memory, peak};
use crate::support::*;

fn metadata(status: &Status, name: &str) -> Option<String> {
    let details = tonic_types::StatusExt::get_error_details(status);
    details.error_info()?.metadata.get(name).cloned()
}

fn reason(status: &Status) -> String {
    let details = tonic_types::StatusExt::get_error_details(status);
    details
        .error_info()
        .map(|info| info.reason.clone())
        .unwrap_or_default()
}

async fn read(client: &Client, after: u64) -> Streaming<ReadEventsResponse> {
    let request = ReadEventsRequest {
        after_position: after,
        ..ReadEventsRequest::default()
    };
    client
        .events()
        .read_events(request)
        .await
        .unwrap()
        .into_inner()
}

/// How far a stream came that nobody read for too long, and how it ended. A slow machine may not have
/// given up on all of them yet.
async fn evicted(streams: Vec<Streaming<ReadEventsResponse>>) -> (u64, Status) {
    for mut stream in streams {
        tokio::time::sleep(Duration::from_secs(4)).await;
        let mut seen = 0;
        loop {
            match stream.message().await {
                Ok(Some(response)) => {
                    for event in response.events {
                        assert_eq!(event.position, seen + 1);
                        seen = event.position;
                    }
                }
                Ok(None) => break,
                Err(status) => return (seen, status),
            }
        }
    }
    panic!("the whole ledger was on its way to everybody");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_do_not_read_cost_little() {
    let _alone = alone().await;
    let home = Home::new();
    let serving = limited(&home, "reading-seconds = 5");
    fill(&serving, 24).await;
    let other = serving.voice().await;
    let last = other.position().await;
    let before = memory(&serving);
    let mut streams = Vec::new();
    for _ in 0..12 {
        let voice = serving.voice().await;
        for _ in 0..5 {
            streams.push(read(&voice.client, 0).await);
        }
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let more = peak(&serving).saturating_sub(before);
    eprintln!("60 unread ReadEvents: {more} MiB more");
    assert!(more < 600, "{more} MiB more");
    // Whoever reads is served meanwhile.
    let mut reader = read(&other.client, 0).await;
    let mut position = 0;
    while let Some(response) = reader.message().await.unwrap() {
        position = response.resume_position;
    }
    assert_eq!(position, last);
    drop(streams);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_read_is_told_where_to_go_on() {
    let _alone = alone().await;
    let home = Home::new();
    let serving = limited(&home, "reading-seconds = 2");
    fill(&serving, 24).await;
    let other = serving.voice().await;
    let last = other.position().await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        let voice = serving.voice().await;
        streams.push(read(&voice.client, 0).await);
    }
    let (seen, status) = evicted(streams).await;
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(reason(&status), "SLOW_READER");
    assert_eq!(metadata(&status, "resume_position"), Some(seen.to_string()));
    assert!(seen < last);
    let mut rest = read(&other.client, seen).await;
    let next = rest.message().await.unwrap().unwrap();
    assert_eq!(next.events[0].position, seen + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn followers_that_do_not_read_cost_little() {
    let _alone = alone().await;
    let home = Home::new();
    let serving = limited(&home, "reading-seconds = 5");
    fill(&serving, 8).await;
    let before = memory(&serving);
    let mut streams = Vec::new();
    for _ in 0..20 {
        let voice = serving.voice().await;
        for _ in 0..40 {
            let request = FollowEventsRequest::default();
            streams.push(voice.client.events().follow_events(request).await.unwrap());
        }
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let more = peak(&serving).saturating_sub(before);
    eprintln!("800 unread followers: {more} MiB more");
    assert!(more < 1_000, "{more} MiB more");
    let voice = serving.voice().await;
    assert!(
        voice
            .execute(register_institution(&new_id(), "Skolen"))
            .await
            .position
            > 1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_whose_answers_nobody_reads_cost_little() {
    let _alone = alone().await;
    let home = Home::new();
    let serving = limited(&home, "reading-seconds = 5");
    fill(&serving, 1).await;
    let before = memory(&serving);
    let mut streams = Vec::new();
    for _ in 0..12 {
        let voice = serving.voice().await;
        // Each has an answer to it that is small; the commands are large.
        let commands = (0..usize::MAX).map(|number| ExecuteStreamRequest {
            command: Some(super::large(number)),
        });
        let mut client = voice.client.commands();
        let answers = client.execute_stream(tokio_stream::iter(commands)).await;
        streams.push(answers.unwrap().into_inner());
    }
    tokio::time::sleep(Duration::from_secs(4)).await;
    let more = peak(&serving).saturating_sub(before);
    eprintln!("12 ExecuteStreams, unread: {more} MiB more");
    assert!(more < 300, "{more} MiB more");
    let voice = serving.voice().await;
    assert!(
        voice
            .execute(register_institution(&new_id(), "Skolen"))
            .await
            .position
            > 1
    );
}
