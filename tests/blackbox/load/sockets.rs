//! Connections on which nothing is said, or little.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{alone, limited, memory, peak, until};
use crate::support::*;

/// What every client of HTTP/2 sends first, and settings that set nothing.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

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
