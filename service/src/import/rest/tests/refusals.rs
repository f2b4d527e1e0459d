//! What is said of services that refuse, break off, leave something out, or never end.

use std::time::Duration;

use planledger_fixtures::http::{Answer, Asked, Server};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::address::{Address, next_link};
use super::super::client::{self, Access, Client};
use super::super::records::VERSION_1_2;
use super::super::tables::fetch;
use super::super::{pages, records};
use super::{Paging, code, failure, service, token};
use crate::import::fault::FaultCode;
use crate::import::json::MOST_VALUES;

#[test]
fn pages_without_end_and_pages_that_are_missing_are_told() {
    let serve = |answer: fn(&Asked) -> Answer| {
        Server::start(move |asked| match asked.path.as_str() {
            "/token" => token(),
            _ => answer(asked),
        })
    };
    // The same page, whatever is asked for.
    let same = serve(|_| Answer::json(json!({"orgs": [{"sourcedId": "a"}]})));
    assert_eq!(code(&same), FaultCode::RestPagesEndless);
    // Links in a circle.
    let circle = serve(|asked| {
        Answer::json(json!({"orgs": [{"sourcedId": "a"}]}))
            .header("Link", &format!("<{}?offset=0>; rel=next", asked.path))
    });
    assert_eq!(code(&circle), FaultCode::RestPagesEndless);
    assert!(circle.asked().len() < 8);
    // Fewer than it says.
    let fewer = serve(|asked| {
        let offset = asked.query("offset").unwrap();
        let records = if offset == "0" {
            json!([{"sourcedId": "a"}])
        } else {
            json!([])
        };
        Answer::json(json!({"orgs": records})).header("X-Total-Count", "5")
    });
    assert_eq!(code(&fewer), FaultCode::RestIncomplete);
    // To a server that must not get the token.
    let elsewhere = serve(|_| {
        Answer::json(json!({"orgs": [{"sourcedId": "a"}]})).header(
            "Link",
            "<https://elsewhere.example/orgs?offset=1>; rel=\"next\"",
        )
    });
    assert_eq!(code(&elsewhere), FaultCode::RestElsewhere);
}

#[test]
fn answers_that_are_not_as_the_standard_says_are_told_without_what_is_in_them() {
    let serve = |answer: Answer| {
        Server::start(move |asked| match asked.path.as_str() {
            "/token" => token(),
            _ => answer.clone(),
        })
    };
    let total = |answer: Value| Answer::json(answer).header("X-Total-Count", "1");
    for (answer, expected) in [
        (Answer::status(404), FaultCode::RestMissing),
        (Answer::status(403), FaultCode::RestRefused),
        (Answer::status(418), FaultCode::RestRefused),
        (
            Answer::status(302).header("Location", "https://elsewhere.example"),
            FaultCode::RestRefused,
        ),
        (
            Answer::text("<html>Sign in, 010203-1234"),
            FaultCode::RestAnswerInvalid,
        ),
        (total(json!({"users": []})), FaultCode::RestAnswerInvalid),
        (total(json!({"orgs": {}})), FaultCode::RestAnswerInvalid),
        (
            total(json!({"orgs": ["010203-1234"]})),
            FaultCode::RestAnswerInvalid,
        ),
        (
            total(json!({"orgs": [{"sourcedId": "a"}, ["010203-1234"]]})),
            FaultCode::RestAnswerInvalid,
        ),
        (
            total(json!({"orgs": [{"sourcedId": "a", "name": vec![0; MOST_VALUES]}]})),
            FaultCode::RestAnswerTooLarge,
        ),
    ] {
        let fault = failure(&serve(answer));
        assert_eq!(fault.code, expected, "{fault}");
        let told = format!("{fault} {fault:?}");
        assert!(!told.contains("010203") && told.contains("; "), "{told}");
    }
    let no_token = Server::start(|_| Answer::json(json!({"error": "x"})));
    assert_eq!(code(&no_token), FaultCode::RestAnswerInvalid);
}

#[test]
fn only_encrypted_addresses_are_taken_and_no_secret_is_shown() {
    for wrong in [
        "",
        "roster.example/v1p1",
        "http://roster.example/v1p1",
        "ftp://roster.example",
        "https://me:secret@roster.example/v1p1",
        "https://roster.example/v1p1?limit=1",
    ] {
        let fault = Client::new(wrong, None).err().unwrap();
        assert_eq!(fault.code, FaultCode::RestAddressInvalid, "{wrong}");
        assert!(!fault.to_string().contains("secret@"), "{fault}");
    }
    assert!(Client::new("https://roster.example:8443/ims/oneroster/v1p1/", None).is_ok());
    let access = Access {
        token_url: "http://roster.example/token".to_owned(),
        client_id: "id".to_owned(),
        secret: "hemmelig".to_owned(),
        scope: String::new(),
    };
    assert!(!format!("{access:?}").contains("hemmelig"));
    let fault = Client::new("https://roster.example", Some(access))
        .err()
        .unwrap();
    assert_eq!(fault.code, FaultCode::RestAddressInvalid);
}

#[test]
fn a_server_that_nobody_runs_is_told_after_some_tries() {
    let server = service(Paging::Bare);
    let base = server.url("/ims/oneroster/v1p1");
    drop(server);
    let mut client = Client::new(&base, None).unwrap().waiting(|_| {});
    let fault = fetch(&mut client, None).err().unwrap();
    assert!(
        [FaultCode::RestBusy, FaultCode::RestUnreachable].contains(&fault.code),
        "{fault}"
    );
}

#[test]
fn all_waits_together_are_bounded() {
    let mut client = Client::new("https://roster.example", None)
        .unwrap()
        .waiting(|_| {});
    let mut waited = Duration::ZERO;
    let wait = Duration::from_secs(300);
    while client.pause(1, Some(wait)).is_ok() {
        waited += wait;
    }
    assert_eq!(waited, Duration::from_secs(3_600));
}

#[test]
fn links_to_the_next_page_are_found_among_others() {
    for (header, expected) in [
        (
            "<https://a/x?offset=3>; rel=\"next\"",
            Some("https://a/x?offset=3"),
        ),
        (
            "</x?a=1,2>; rel=first, </x?b=1,2>; title=\"n\"; rel=\"last next\"",
            Some("/x?b=1,2"),
        ),
        ("<x>; rel=prev", None),
        ("<x>; rel=\"nextish\"", None),
        ("", None),
    ] {
        assert_eq!(next_link(header), expected, "{header}");
    }
    let address = Address::parse("https://a.example/ims/oneroster/v1p1").unwrap();
    for (link, expected) in [
        (
            "https://a.example/x?offset=3",
            Some("https://a.example/x?offset=3"),
        ),
        ("http://a.example/x", Some("https://a.example/x")),
        ("/x?offset=3", Some("https://a.example/x?offset=3")),
        ("https://b.example/x", None),
        ("https://a.example.b.example/x", None),
        ("https://a.example:8443/x", None),
        ("https://me@a.example/x", None),
        ("//b.example/x", None),
    ] {
        assert_eq!(address.follow(link).as_deref(), expected, "{link}");
    }
}

/// Any JSON, not too deep.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    let names = prop::sample::select(vec![
        "sourcedId",
        "orgs",
        "roles",
        "userIds",
        "type",
        "identifier",
        "grades",
        "agents",
        "org",
    ]);
    leaf.prop_recursive(3, 24, 4, move |inner| {
        let object = prop::collection::vec((names.clone(), inner.clone()), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            object.prop_map(|pairs| {
                let pairs = pairs
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value));
                Value::Object(pairs.collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_answer_makes_the_client_panic(value in value(), text in "\\PC{0,40}") {
        let body = json!({"users": value}).to_string();
        let _ = pages::records(body.as_bytes(), "users", &mut |_, element| {
            if let Some(Value::Object(record)) = element {
                for collection in &VERSION_1_2 {
                    collection.cells(&record);
                }
                drop((records::roles(&record), records::profiles(&record)));
            }
            Ok(())
        });
        let _ = pages::records(text.as_bytes(), "users", &mut |_, _| Ok(()));
        drop(client::token(body.as_bytes()));
        let _ = client::retry_after(&text);
        let _ = next_link(&text);
        if let Ok(address) = Address::parse(&format!("https://a.example/{text}")) {
            drop(address.follow(&text));
        }
    }
}
