//! How many connections there may be, and how long they may take to begin.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use planledger::server::Limits;

use super::place::{Asked, Place, client_of, trusting};
use super::provider::Provider;
use super::signer::Signer;
use crate::support::*;

fn address(url: &str) -> SocketAddr {
    let (_, address) = url.split_once("://").unwrap();
    address.parse().unwrap()
}

/// How long it takes until the server ends a connection on which nothing is said.
fn ended(mut stream: TcpStream) -> Duration {
    let began = Instant::now();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_says_nothing_is_sent_away_with_and_without_tls() {
    let limits = Limits {
        handshake: Duration::from_millis(300),
        ..Setup::default().limits
    };
    let asked = Asked {
        limits: Some(limits),
        ..Asked::default()
    };
    let place = Place::start(&Home::new(), asked);
    let setup = Setup {
        limits,
        ..Setup::default()
    };
    let plain = setup.start(&Home::new());
    for url in [&place.server.url, &plain.url] {
        let stream = TcpStream::connect(address(url)).unwrap();
        let took = tokio::task::spawn_blocking(move || ended(stream))
            .await
            .unwrap();
        assert!(
            (Duration::from_millis(250)..Duration::from_secs(10)).contains(&took),
            "{took:?}"
        );
    }
    // Who has begun may be silent for longer.
    let voice = plain.voice().await;
    voice.position().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    voice.position().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_sockets_of_one_address_leave_room_for_others_and_go() {
    let signer = Signer::p256("a");
    let provider = Provider::with(&[&signer]);
    let limits = Limits {
        connections_of_address: 20,
        handshake: Duration::from_secs(2),
        ..Setup::default().limits
    };
    let mut asked = trusting(&provider, vec![client_of(&provider, &new_id(), "portal")]);
    asked.limits = Some(limits);
    let place = Place::start(&Home::new(), asked);
    let voice = place
        .with_token(&signer.token(&provider.system("portal")))
        .await;
    voice.position().await;
    let address = address(&place.server.url);
    let silent: Vec<_> = (0..200)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    // Whoever is connected notices nothing.
    voice.position().await;
    let began = Instant::now();
    for stream in silent {
        tokio::task::spawn_blocking(move || ended(stream))
            .await
            .unwrap();
    }
    assert!(began.elapsed() < Duration::from_secs(20));
    // Their places are free again.
    let voice = place
        .with_token(&signer.token(&provider.system("portal")))
        .await;
    voice.position().await;
}
