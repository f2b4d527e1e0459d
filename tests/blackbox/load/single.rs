//! Single requests whose answers nobody reads, or that never end: they are their caller's own concern.

use std::time::{Duration, Instant};

use planledger_proto::v1::*;

use super::{alone, limited, memory, peak, until};
use crate::support::*;

const GREEDY: &str = "person/7f9c0102-0304-4506-8708-010203040506";
const STATUS: &str = "/planledger.v1.LedgerService/GetStatus";
const EXECUTE: &str = "/planledger.v1.CommandService/Execute";
const CHECK: &str = "/grpc.health.v1.Health/Check";

/// Asks on a new connection each time, as somebody else, and whether the server is well: nothing of
/// it is refused.
async fn others_are_served(serving: &Serving, times: usize) {
    for _ in 0..times {
        let voice = serving.voice().await;
        voice.ask(GetStatusRequest::default()).await.unwrap();
        let receipt = voice
            .execute(register_institution(&new_id(), "Skolen"))
            .await;
        assert!(receipt.position > 0);
        let mut checker = Raw::connect(&serving.url, 1, 65_535).await.unwrap();
        let check = checker.ask(CHECK, None).await;
        assert_eq!(checker.wait(check).await, Some(Ended::Answered));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_nobody_reads_take_no_places_from_others_and_are_given_up() {
    let _alone = alone().await;
    let home = Home::new();
    let serving = limited(&home, "reading-seconds = 5");
    let mut greedy = Vec::new();
    for _ in 0..5 {
        let mut client = Raw::connect(&serving.url, 1, 0).await.unwrap();
        for _ in 0..512 {
            client.ask(STATUS, Some(GREEDY)).await;
        }
        greedy.push(client);
    }
    others_are_served(&serving, 10).await;
    let ended = |how| -> usize { greedy.iter().map(|client| client.ended(how)).sum() };
    // Of as many as one caller may have at once the answers are given up in the end; the others
    // were refused at once.
    until(|| ended(Ended::Refused) + ended(Ended::Reset) == 5 * 512).await;
    assert!(ended(Ended::Reset) >= 256 && ended(Ended::Refused) > 0);
    // Then the caller is served again, on the same connections too.
    let again = greedy[0].ask(STATUS, Some(GREEDY)).await;
    assert_eq!(greedy[0].wait(again).await, Some(Ended::Reset));
    let mut good = Raw::connect(&serving.url, 1, 65_535).await.unwrap();
    let asked = good.ask(STATUS, Some(GREEDY)).await;
    assert_eq!(good.wait(asked).await, Some(Ended::Answered));
}

/// Begins requests on so many connections, so many on each, and sends so much of their bodies. Gives
/// how many MiB that cost while others were served.
#[allow(clippy::print_stderr, reason = "a test says what it measured")]
async fn half_sent(serving: &Serving, clients: usize, of_each: usize, body: &[u8]) -> u64 {
    let before = memory(serving);
    let mut greedy = Vec::new();
    for _ in 0..clients {
        let mut client = Raw::connect(&serving.url, 1, 65_535).await.unwrap();
        client.settled().await;
        for _ in 0..of_each {
            let stream = client.begin(EXECUTE, Some(GREEDY)).await;
            client.go_on(stream, body).await;
        }
        greedy.push(client);
    }
    others_are_served(serving, 5).await;
    let more = peak(serving).saturating_sub(before);
    let refused = || -> usize {
        let refused = greedy.iter().map(|client| client.ended(Ended::Refused));
        refused.sum()
    };
    eprintln!(
        "{} half-sent requests, {} bytes of each: {more} MiB more, {} refused, others served",
        clients * of_each,
        body.len(),
        refused()
    );
    // All of them end, the last ones because they took too long.
    until(|| refused() == clients * of_each).await;
    more
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_bodies_that_never_end_take_no_places_from_others() {
    let _alone = alone().await;
    let home = Home::new();
    let serving = limited(&home, "body-seconds = 8");
    others_are_served(&serving, 1).await;
    half_sent(&serving, 5, 512, &[]).await;
    // A message of 16 MiB less a byte, of which 32 kB come.
    let mut body = vec![0, 0, 0xff, 0xff, 0xff];
    body.resize(32_000, 7);
    let more = half_sent(&serving, 32, 64, &body).await;
    assert!(more < 300, "{more} MiB more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_checks_that_nobody_reads_or_ends_keep_no_other_from_checking() {
    let _alone = alone().await;
    let home = Home::new();
    let serving = limited(&home, "");
    let mut unread = Raw::connect(&serving.url, 1, 0).await.unwrap();
    let mut unsent = Raw::connect(&serving.url, 1, 65_535).await.unwrap();
    for _ in 0..400 {
        unread.ask(CHECK, None).await;
        let check = unsent.begin(CHECK, None).await;
        unsent.go_on(check, &EMPTY[..3]).await;
    }
    until(|| unread.ended(Ended::Refused) + unsent.ended(Ended::Refused) > 500).await;
    others_are_served(&serving, 5).await;
    // Each connection has as many as it may.
    until(|| unread.ended(Ended::Refused) == 368 && unsent.ended(Ended::Refused) >= 368).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_streams_of_commands_of_one_caller_keep_nobody_from_the_disk() {
    let _alone = alone().await;
    let home = Home::new();
    let serving = limited(&home, "");
    let greedy = serving.voice().await;
    let mut flood = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let client = greedy.client.clone();
        flood.spawn(async move {
            let commands = (0..usize::MAX).map(|_| ExecuteStreamRequest {
                command: Some(register_institution(&new_id(), "Skolen")),
            });
            let answers = client
                .commands()
                .execute_stream(tokio_stream::iter(commands))
                .await;
            let mut answers = answers.unwrap().into_inner();
            while let Ok(Some(_)) = answers.message().await {}
        });
    }
    let other = serving.voice().await;
    // The flood is under way.
    while other.position().await < 2_000 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut longest = Duration::ZERO;
    for _ in 0..20 {
        let began = Instant::now();
        other
            .execute(register_institution(&new_id(), "Skolen"))
            .await;
        longest = longest.max(began.elapsed());
    }
    eprintln!(
        "20 commands beside 100 ExecuteStreams of one caller: none refused, {longest:?} at most"
    );
    // A second on a machine that does nothing else.
    assert!(longest < Duration::from_secs(5), "{longest:?}");
}
