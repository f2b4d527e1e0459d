//! `planledger import roster --rest … --since`: the changes of a OneRoster 1.2 service, page by page,
//! from one that is busy and whose tokens end.

use std::cell::Cell;
use std::fs;

use planledger_fixtures::http::{Answer, Asked, Server};
use planledger_proto::v1::*;
use serde_json::{Value, json};

use crate::support::*;

const BASE: &str = "/ims/oneroster/rostering/v1p2";
const SINCE: &str = "2026-11-20T08:00:00Z";

fn user(id: &str, family: &str, role: &str) -> Value {
    json!({"sourcedId": id, "status": "active", "enabledUser": true, "givenName": "Nora",
        "familyName": family,
        "roles": [{"roleType": "primary", "role": role, "org": {"sourcedId": "s1"}}]})
}

/// What the service holds of a collection; with a filter, what was changed.
fn records(collection: &str, is_filtered: bool) -> Vec<Value> {
    let to = |id: &str| json!({"sourcedId": id});
    match (collection, is_filtered) {
        ("users", true) => vec![user("l1", "Bæk-Lund", "teacher")],
        (_, true) => Vec::new(),
        ("orgs", false) => vec![json!({"sourcedId": "s1", "name": "Åskolen", "type": "school"})],
        ("academicSessions", false) => vec![json!({"sourcedId": "y1", "title": "2026/27",
            "type": "schoolYear", "startDate": "2026-08-10", "endDate": "2027-06-25"})],
        ("classes", false) => vec![json!({"sourcedId": "c1", "title": "7.B", "school": to("s1"),
            "terms": [to("y1")], "subjects": ["Dansk"]})],
        ("users", false) => vec![
            user("l1", "Bæk", "teacher"),
            user("e1", "Dam", "student"),
            user("e2", "Elm", "student"),
        ],
        ("enrollments", false) => ["l1", "e1", "e2"]
            .into_iter()
            .map(|id| {
                let role = if id == "l1" { "teacher" } else { "student" };
                json!({"sourcedId": format!("n{id}"), "class": to("c1"), "user": to(id), "role": role})
            })
            .collect(),
        (other, false) => panic!("{other}"),
    }
}

/// One record a page, with the number of all.
fn page(asked: &Asked, collection: &str) -> Answer {
    let all = records(collection, asked.query("filter").is_some());
    let offset: usize = asked.query("offset").unwrap().parse().unwrap();
    let one: Vec<_> = all.iter().skip(offset).take(1).collect();
    let answer = Answer::json(json!({collection: one}));
    answer.header("X-Total-Count", &all.len().to_string())
}

/// Without courses. It is busy at every fifth request, and each token is good for six pages.
fn service() -> Server {
    let (tokens, left) = (Cell::new(0), Cell::new(0));
    Server::start(move |asked| {
        if asked.path == "/token" {
            tokens.set(tokens.get() + 1);
            left.set(6);
            let token = format!("t{}", tokens.get());
            return Answer::json(json!({"access_token": token, "expires_in": 3600}));
        }
        if asked.number % 5 == 4 {
            return Answer::status(429).header("Retry-After", "0");
        }
        let token = format!("Bearer t{}", tokens.get());
        if asked.header("authorization") != Some(&token) || left.get() == 0 {
            return Answer::status(401);
        }
        left.set(left.get() - 1);
        match asked.path.strip_prefix(BASE) {
            Some("/courses") | None => Answer::status(404),
            Some(collection) => page(asked, collection.trim_start_matches('/')),
        }
    })
}

async fn teacher(voice: &Voice) -> Person {
    let request = LookupPersonRequest {
        id: "l1".to_owned(),
        ..LookupPersonRequest::default()
    };
    voice.ask(request).await.unwrap().persons.remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_changed_since_a_moment_goes_in_and_what_did_not_stays() {
    let home = Home::new();
    let (server, voice) = home.serve().await;
    let service = service();
    let secret = home.path().join("secret");
    fs::write(&secret, "hemmelig\n").unwrap();
    let (base, token) = (service.url(BASE), service.url("/token"));
    let import = |more: &[&str]| {
        let from = ["import", "roster", "--rest", &base, "--server", &server.url];
        let access = ["--client-id", "kommune", "--token-url", &token];
        let file = ["--client-secret-file", secret.to_str().unwrap(), "--json"];
        run([&from[..], &access, &file, more].concat())
    };
    let whole = import(&[]).done().json();
    assert_eq!(whole["refused"], 0, "{whole}");
    let before = service.asked();
    let sign_ins = before.iter().filter(|one| one.path == "/token").count();
    assert!(sign_ins > 1, "a token that ended was renewed");
    assert_eq!(teacher(&voice).await.name, "Nora Bæk");
    let position = voice.position().await;

    let changes = import(&["--since", SINCE]).done();
    assert!(changes.stderr.contains("changes only"), "{changes:?}");
    let asked = service.asked().split_off(before.len());
    let pages = asked.iter().filter(|one| one.path != "/token");
    for one in pages {
        // What changed names institutions, courses and sessions that did not.
        let whole = ["/orgs", "/academicSessions", "/courses"];
        let is_whole = whole.iter().any(|end| one.path.ends_with(end));
        let since = "dateLastModified%3E%272026-11-20T08%3A00%3A00Z%27";
        let filter = one.query("filter");
        assert_eq!(filter, (!is_whole).then_some(since), "{}", one.path);
    }
    let after = teacher(&voice).await;
    assert_eq!(after.name, "Nora Bæk-Lund");
    assert!(after.departure.is_none() && after.absences.is_empty());
    let institution_id = after.affiliations[0].institution_id.clone();
    let request = ListTeamsRequest {
        filter: Some(list_teams_request::Filter::InstitutionId(institution_id)),
        ..ListTeamsRequest::default()
    };
    let team = voice.ask(request).await.unwrap().teams.remove(0);
    assert_eq!((team.member_ids.len(), team.staff.len()), (2, 1));
    assert!(team.absences.is_empty() && !team.closed);
    // The new name, and that an import took place.
    assert_eq!(voice.position().await, position + 2);

    let wrong = import(&["--since", "i går"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
}
