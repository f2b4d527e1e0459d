//! Connections on which nothing is said, or little.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{alone, limited, memory, peak, until};
use crate::support::*;

/// What every client of HTTP/2 sends first, and settings that set nothing.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// Who asks, and what.
const ACTOR: &str = "person/7f9c0102-0304-4506-8708-010203040506";
const STATUS: &str = "/planledger.v1.LedgerService/GetStatus";

fn connect(serving: &Serving, count: usize) -> Vec<TcpStream> {
    let address = serving.url.strip_prefix("http://").unwrap();
    (0..count)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect()
}

/// Whether the other end has hung up.
fn is_over(stream: &mut TcpStream) -> bool {
    stream
        .set_read_timeout(Some(Duration::from_millis(1)))
        .unwrap();
    let mut bytes = [0; 1_024];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_silent_sockets_and_slow_ones_leave_room_for_others() {
    let _alone = alone().await;
    planledger::server::transport::make_room();
    let home = Home::new();
    let serving = limited(&home, "handshake-seconds = 3");
    let voice = serving.voice().await;
    voice.position().await;
    let before = memory(&serving);
    let mut silent = connect(&serving, 2_000);
    let mut slow = connect(&serving, 20);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(5) {
        for (at, stream) in slow.iter_mut().enumerate() {
            // A byte now and then keeps nobody's place.
            let _ = stream.write_all(&PREFACE[at..=at]);
        }
        assert!(
            voice
                .execute(register_institution(&new_id(), "Skolen"))
                .await
                .position
                > 0
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let more = peak(&serving).saturating_sub(before);
    eprintln!("2,000 silent sockets: {more} MiB more");
    assert!(more < 100, "{more} MiB more");
    until(|| silent.iter_mut().chain(&mut slow).all(is_over)).await;
    serving.voice().await.position().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_send_the_preface_and_nothing_more_cost_little() {
    let _alone = alone().await;
    planledger::server::transport::make_room();
    let home = Home::new();
    let serving = limited(&home, "connections-of-address = 400");
    let voice = serving.voice().await;
    voice.position().await;
    let before = memory(&serving);
    let mut begun = connect(&serving, 600);
    for stream in &mut begun {
        let _ = stream.write_all(PREFACE);
    }
    // Those beyond what one address may have are hung up on, and no others.
    until(|| {
        let over = begun
            .iter_mut()
            .filter_map(|stream| is_over(stream).then_some(()));
        over.count() >= 200
    })
    .await;
    let more = peak(&serving).saturating_sub(before);
    eprintln!("600 clients with a preface only: {more} MiB more");
    assert!(more < 100, "{more} MiB more");
    assert!(
        voice
            .execute(register_institution(&new_id(), "Skolen"))
            .await
            .position
            > 0
    );
}

/// Clients that say how they want to talk, answer every ping, and never ask anything: as many from each
/// of ten addresses.
async fn strangers(serving: &Serving, of_each: usize) -> Vec<Raw> {
    let mut strangers = Vec::new();
    for address in 2..12 {
        for _ in 0..of_each {
            strangers.extend(Raw::connect(&serving.url, address, 65_535).await);
        }
    }
    strangers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_on_ten_addresses_take_no_places_from_anybody_and_have_to_go() {
    let _alone = alone().await;
    planledger::server::transport::make_room();
    let home = Home::new();
    let serving = limited(&home, "identify-seconds = 10");
    let mut known = Raw::connect(&serving.url, 1, 65_535).await.unwrap();
    let request = known.ask(STATUS, Some(ACTOR)).await;
    assert_eq!(known.wait(request).await, Some(Ended::Answered));
    let before = memory(&serving);
    let mut strangers = strangers(&serving, 420).await;
    // One more than there are places for, so some went already; who comes now is let in and served.
    for address in 20..40 {
        let mut client = Raw::connect(&serving.url, address, 65_535).await.unwrap();
        let request = client.ask(STATUS, Some(ACTOR)).await;
        assert_eq!(client.wait(request).await, Some(Ended::Answered));
    }
    let here = strangers.iter().filter(|stranger| !stranger.is_over());
    eprintln!(
        "4,200 clients with a preface only: {} MiB more, {} of them here, a new client is served",
        peak(&serving).saturating_sub(before),
        here.count()
    );
    // Whoever said who they are stays.
    let request = known.ask(STATUS, Some(ACTOR)).await;
    assert_eq!(known.wait(request).await, Some(Ended::Answered));
    let began = Instant::now();
    until(|| {
        strangers.retain(|stranger| !stranger.is_over());
        strangers.is_empty()
    })
    .await;
    eprintln!("all of them had to go after {:?}", began.elapsed());
    assert!(!known.is_over());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_on_which_nothing_is_asked_for_long_is_told_to_go() {
    let _alone = alone().await;
    let home = Home::new();
    let serving = limited(&home, "identify-seconds = 1\nidle-seconds = 3");
    let mut idle = Raw::connect(&serving.url, 1, 65_535).await.unwrap();
    let mut busy = Raw::connect(&serving.url, 1, 65_535).await.unwrap();
    let request = idle.ask(STATUS, Some(ACTOR)).await;
    assert_eq!(idle.wait(request).await, Some(Ended::Answered));
    busy.ask("/planledger.v1.EventService/FollowEvents", Some(ACTOR))
        .await;
    until(|| idle.is_over()).await;
    assert!(idle.is_told_to_go());
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!busy.is_told_to_go() && !busy.is_over());
    let request = busy.ask(STATUS, Some(ACTOR)).await;
    assert_eq!(busy.wait(request).await, Some(Ended::Answered));
}
