//! A package over REST is kept in a file, and only pieces of it are in memory.

use std::io::Read;

use planledger_fixtures::footprint;
use planledger_fixtures::http::{Answer, Server};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::client::Client;
use crate::import::catalogue::FILE_LIMIT;
use crate::import::fault::FaultCode;
use crate::import::{Catalogue, sample};

const DOCUMENT: Uuid = Uuid::from_u128(0x1111_1111_1111_4111_8111_1111_1111_1111);

fn client(url: &str) -> Client {
    Client::new(url, None).unwrap().waiting(|_| {})
}

fn sample() -> (Value, Uuid) {
    let package: Value = serde_json::from_slice(sample::CATALOGUE).unwrap();
    let id = package["CFDocument"]["identifier"].as_str().unwrap();
    let id = id.parse().unwrap();
    (package, id)
}

#[test]
fn what_came_of_an_answer_that_broke_off_is_forgotten() {
    let (package, id) = sample();
    let server = Server::start(move |asked| match asked.number {
        0 => Answer::json(format!("{package}{package}")).cut(),
        _ => Answer::json(&package),
    });
    let fetched = Catalogue::fetch(&mut client(&server.url("/case")), id).unwrap();
    let expected = Catalogue::from_slice("x", sample::CATALOGUE).unwrap();
    assert_eq!(fetched.command(), expected.command());
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn an_answer_that_goes_into_a_file_has_its_limit() {
    let server = Server::start(|_| Answer::text("0123456789"));
    let get = |limit| {
        let mut client = client(&server.url("/case"));
        let url = client.url("x");
        client.get_file(&url, "CFPackages", limit)
    };
    let mut text = String::new();
    get(10).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "0123456789");
    let fault = get(9).unwrap_err();
    assert_eq!(fault.code, FaultCode::RestAnswerTooLarge);
    assert_eq!(fault.file, "CFPackages over REST");
    assert_eq!(FILE_LIMIT, 64 << 20);
}

/// Where the process that is measured finds the package.
const MEASURED: &str = "PLANLEDGER_MEASURED_SERVICE";

/// The package is served by one process and read by another, whose memory is measured. Most of it is
/// notes, which are not taken in.
#[test]
fn a_package_of_20_mib_is_never_in_memory_as_a_whole() {
    if let Ok(url) = std::env::var(MEASURED) {
        let mut client = client(&url);
        // What asking takes once.
        let _ = client.get(&client.url("nothing"), "CFPackages", 1 << 10);
        let (catalogue, more) =
            footprint::more_mib(|| Catalogue::fetch(&mut client, DOCUMENT).unwrap());
        assert_eq!(catalogue.summary().items, 20);
        assert!(more < 12, "{more}");
        return;
    }
    let notes = "a".repeat(1 << 20);
    let item = |number: usize| json!({"identifier": format!("mål-{number}"), "fullStatement": "Kan regne", "notes": notes});
    let items: Vec<Value> = (0..20).map(item).collect();
    let document = json!({"identifier": DOCUMENT, "title": "Mål"});
    let package =
        json!({"CFDocument": document, "CFItems": items, "CFAssociations": []}).to_string();
    assert!(package.len() > 20 << 20);
    let server = Server::start(move |asked| match asked.path.ends_with("/nothing") {
        true => Answer::text("{}"),
        false => Answer::text(&package),
    });
    let name = "import::rest::tests::spool::a_package_of_20_mib_is_never_in_memory_as_a_whole";
    footprint::in_its_own_process(name, MEASURED, server.url("/case"));
}
