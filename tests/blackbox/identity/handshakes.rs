//! Which versions of TLS and which protocol on top of it the server takes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{
    AlertDescription, ClientConfig, ClientConnection, Error, ProtocolVersion, RootCertStore,
};

use super::place::{Asked, Place};
use crate::support::*;

/// What came of a handshake.
#[derive(Debug, PartialEq)]
struct Shaken {
    version: Option<ProtocolVersion>,
    protocol: Option<Vec<u8>>,
}

fn address(place: &Place) -> SocketAddr {
    let (_, address) = place.server.url.split_once("://").unwrap();
    address.parse().unwrap()
}

fn handshake(
    place: &Place,
    version: &'static rustls::SupportedProtocolVersion,
    protocols: &[&str],
) -> Result<Shaken, Error> {
    let mut roots = RootCertStore::empty();
    let pem = place.authority.pem();
    roots
        .add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = TcpStream::connect(address(place)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    while client.is_handshaking() {
        if let Err(error) = client.complete_io(&mut stream) {
            let inner = error.into_inner().and_then(|inner| inner.downcast().ok());
            return Err(*inner.expect("the server says why"));
        }
    }
    Ok(Shaken {
        version: client.protocol_version(),
        protocol: client.alpn_protocol().map(<[u8]>::to_vec),
    })
}

/// The first message of a client that knows TLS up to this version, as its bytes.
fn hello(minor: u8) -> Vec<u8> {
    let suites = [0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x13, 0xc0, 0x14, 0x00, 0x2f];
    // Signatures, groups and formats of points that the server knows.
    let extensions = [
        &[0, 13, 0, 6, 0, 4, 4, 3, 8, 4][..],
        &[0, 10, 0, 6, 0, 4, 0, 29, 0, 23],
        &[0, 11, 0, 2, 1, 0],
    ]
    .concat();
    let mut body = vec![3, minor];
    body.extend([7; 32]);
    body.extend([0, 0, suites.len() as u8]);
    body.extend(suites);
    body.extend([1, 0, 0, extensions.len() as u8]);
    body.extend(extensions);
    let length = body.len() as u8;
    let mut message = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    message.extend(body);
    message
}

/// How the answer of the server begins.
fn answer(place: &Place, hello: &[u8]) -> [u8; 7] {
    let mut stream = TcpStream::connect(address(place)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(hello).unwrap();
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_1_2_and_1_3_are_taken_and_nothing_before_them() {
    let place = Place::start(&Home::new(), Asked::default());
    for (version, number) in [
        (&TLS12, ProtocolVersion::TLSv1_2),
        (&TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let shaken = handshake(&place, version, &["h2"]).unwrap();
        let expected = Shaken {
            version: Some(number),
            protocol: Some(b"h2".to_vec()),
        };
        assert_eq!(shaken, expected);
    }
    // An alert: fatal, and that the version is not taken.
    for minor in [0, 1, 2] {
        let said = answer(&place, &hello(minor));
        let [21, 3, _, 0, 2, 2, 70] = said else {
            panic!("TLS 1.{minor}: {said:?}")
        };
    }
    // With TLS 1.2 the same message begins a handshake.
    let said = answer(&place, &hello(3));
    assert_eq!((said[0], said[5]), (22, 2), "{said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_protocol_but_http_2_is_taken() {
    let place = Place::start(&Home::new(), Asked::default());
    for version in [&TLS12, &TLS13] {
        for protocols in [&["http/1.1"][..], &["h3", "http/1.1"], &["h2c"]] {
            let refused = handshake(&place, version, protocols);
            let alert = Error::AlertReceived(AlertDescription::NoApplicationProtocol);
            assert_eq!(refused, Err(alert), "{protocols:?}");
        }
        let shaken = handshake(&place, version, &["http/1.1", "h2"]).unwrap();
        assert_eq!(shaken.protocol, Some(b"h2".to_vec()));
    }
}
