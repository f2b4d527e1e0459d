//! `planledger import … --rest`: from a service instead of files.

use std::fs;

use planledger_fixtures::http::{Answer, Server};
use planledger_proto::v1::*;
use serde_json::json;

use crate::support::*;

const FRAMEWORK: &str = "00000000-0000-4000-8000-000000000001";

/// A small OneRoster and CASE service, with one class.
fn service() -> Server {
    let case = fs::read_to_string(samples().join("catalogue.case.json")).unwrap();
    Server::start(move |asked| {
        let path = asked.path.as_str();
        if path == "/token" {
            return match asked.header("authorization") {
                // "kommune:hemmelig"
                Some("Basic a29tbXVuZTpoZW1tZWxpZw==") => {
                    Answer::json(json!({"access_token": "t", "expires_in": 60}))
                }
                _ => Answer::status(401),
            };
        }
        if path.starts_with("/case/CFPackages/") {
            return Answer::text(&case);
        }
        if path == "/case/CFDocuments" {
            let document = json!({"identifier": FRAMEWORK, "title": "Fælles Mål", "version": "1"});
            return Answer::json(json!({"CFDocuments": [document]})).header("X-Total-Count", "1");
        }
        // Busy once.
        if asked.number == 1 {
            return Answer::status(429).header("Retry-After", "0");
        }
        if asked.header("authorization") != Some("Bearer t") {
            return Answer::status(401);
        }
        let collection = path.rsplit('/').next().unwrap();
        let to = |id: &str| json!({"sourcedId": id});
        let records = match collection {
            "orgs" => json!([{"sourcedId": "s1", "name": "Åskolen", "type": "school"}]),
            "academicSessions" => json!([{"sourcedId": "y1", "title": "2026/27",
                "type": "schoolYear", "startDate": "2026-08-10", "endDate": "2027-06-25"}]),
            "courses" => json!([{"sourcedId": "k1", "title": "Dansk", "schoolYear": to("y1"),
                "subjects": ["Dansk"]}]),
            "classes" => json!([{"sourcedId": "c1", "title": "7.B", "course": to("k1"),
                "school": to("s1"), "terms": [to("y1")]}]),
            "users" => json!([
                {"sourcedId": "l1", "enabledUser": "true", "orgs": [to("s1")], "role": "teacher",
                 "givenName": "Nora", "familyName": "Bæk"},
                {"sourcedId": "e1", "enabledUser": true, "orgs": [to("s1")], "role": "student",
                 "givenName": "Bo", "familyName": "Dam", "grades": ["07"]},
            ]),
            _ => json!([
                {"sourcedId": "n1", "class": to("c1"), "user": to("l1"), "role": "teacher",
                 "primary": "true"},
                {"sourcedId": "n2", "class": to("c1"), "user": to("e1"), "role": "student"},
            ]),
        };
        let total = records.as_array().unwrap().len().to_string();
        Answer::json(json!({collection: records})).header("X-Total-Count", &total)
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_roster_and_a_catalogue_come_from_a_service_and_a_second_time_nothing_is_recorded() {
    let home = Home::new();
    let (server, voice) = home.serve().await;
    let service = service();
    let secret = home.path().join("secret");
    fs::write(&secret, "hemmelig\n").unwrap();
    let (base, token) = (service.url("/v1p1"), service.url("/token"));
    let roster = |more: &[&str]| {
        let from = ["import", "roster", "--rest", &base, "--server", &server.url];
        run([&from[..], more].concat())
    };
    let signed = ["--client-id", "kommune", "--token-url", &token];
    let file = ["--client-secret-file", secret.to_str().unwrap()];
    let first = roster(&[&signed[..], &file, &["--json"]].concat())
        .done()
        .json();
    // None of guardians: the service says nothing of anybody's agents.
    assert_eq!(
        (&first["commands"], &first["refused"]),
        (&5.into(), &0.into())
    );
    let request = ListInstitutionsRequest::default();
    let institutions = voice.ask(request).await.unwrap().institutions;
    assert_eq!(institutions[0].details.as_ref().unwrap().name, "Åskolen");
    let again = roster(&[&signed[..], &file, &["--json"]].concat())
        .done()
        .json();
    assert_eq!(again["recorded"], 0);

    // Without a secret, with a wrong one, and where the address is wrong.
    assert_eq!(roster(&signed).code, Some(2));
    fs::write(&secret, "forkert").unwrap();
    let wrong = roster(&[&signed[..], &file].concat());
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains("REST_SIGN_IN_REFUSED"), "{wrong:?}");
    assert!(!wrong.stderr.contains("forkert"), "{wrong:?}");
    let nothing = run(["import", "roster", "--server", &server.url]);
    assert_eq!(nothing.code, Some(2));
    let both = run(["import", "roster", "folder", "--rest", &base]);
    assert_eq!(both.code, Some(2));

    let base = service.url("/case");
    let case = ["import", "catalogue", "--rest", &base];
    let listed = run([&case[..], &["--list"]].concat()).done().stdout;
    assert!(
        listed.contains(FRAMEWORK) && listed.contains("Fælles Mål"),
        "{listed}"
    );
    let listed = run([&case[..], &["--list", "--json"]].concat())
        .done()
        .json();
    let expected = json!([{"framework": FRAMEWORK, "title": "Fælles Mål", "publisher": null,
        "version": "1"}]);
    assert_eq!(listed, expected);
    // Which one is not said.
    assert_eq!(run(case).code, Some(2));
    let arguments = [&case[..], &["--framework", FRAMEWORK]].concat();
    let ran = run([&arguments[..], &["--server", &server.url, "--json"]].concat());
    let ran = ran.done().json();
    assert_eq!((&ran["recorded"], &ran["refused"]), (&1.into(), &0.into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_dry_run_of_what_a_service_has_says_what_it_would_do_and_writes_nothing() {
    let home = Home::new();
    let (server, voice) = home.serve().await;
    let service = service();
    let secret = home.path().join("secret");
    fs::write(&secret, "hemmelig\n").unwrap();
    let (base, token) = (service.url("/v1p1"), service.url("/token"));
    let secret = secret.to_str().unwrap();
    let import = |more: &[&str]| {
        let from = ["import", "roster", "--rest", &base, "--server", &server.url];
        let signed = ["--client-id", "kommune", "--token-url", &token];
        let file = ["--client-secret-file", secret];
        run([&from[..], &signed, &file, more].concat()).done()
    };
    let seen = import(&["--dry-run", "--json"]).json();
    assert_eq!(seen["written"], false);
    for kind in ["school_years", "institutions", "teams"] {
        assert_eq!(seen["counts"][kind]["added"], 1, "{kind}");
    }
    assert_eq!(seen["counts"]["persons"]["added"], 2);
    let first = seen["added"]["first"].as_array().unwrap();
    assert!(
        first.iter().any(|line| line["name"] == "Nora Bæk"),
        "{first:?}"
    );
    let table = import(&["--dry-run"]).stdout;
    for said in ["5: would be added", "Nora Bæk", "7.B", "users.csv:"] {
        assert!(table.contains(said), "{said}: {table}");
    }
    assert_eq!(voice.position().await, 0);
    let sources = voice.ask(ListRosterSourcesRequest::default()).await;
    assert!(sources.unwrap().sources.is_empty());

    import(&[]);
    let position = voice.position().await;
    let seen = import(&["--dry-run", "--json"]).json();
    assert_eq!(seen["counts"]["persons"]["unchanged"], 2);
    assert_eq!(seen["added"]["count"], 0);
    assert_eq!(voice.position().await, position);
}

/// A service of OneRoster 1.2 with one user, who has these profiles.
fn service_with(profiles: &'static [&'static str]) -> Server {
    Server::start(move |asked| {
        let collection = asked.path.rsplit('/').next().unwrap();
        let org = json!({"sourcedId": "s1"});
        let mut user = json!({"sourcedId": "l1", "enabledUser": true, "givenName": "Nora",
            "familyName": "Bæk", "roles": [{"roleType": "primary", "role": "teacher", "org": org}]});
        if !profiles.is_empty() {
            let profile =
                |name: &&str| json!({"profileType": "skole", "credentials": [{"username": name}]});
            user["userProfiles"] = profiles.iter().map(profile).collect();
        }
        let records = match collection {
            "orgs" => json!([{"sourcedId": "s1", "name": "Åskolen", "type": "school"}]),
            "academicSessions" => json!([{"sourcedId": "y1", "title": "2026/27",
                "type": "schoolYear", "startDate": "2026-08-10", "endDate": "2027-06-25"}]),
            "users" => json!([user]),
            _ => json!([]),
        };
        let total = records.as_array().unwrap().len().to_string();
        Answer::json(json!({collection: records})).header("X-Total-Count", &total)
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_service_that_names_no_profiles_takes_none_away_and_the_summary_says_so() {
    let (server, voice) = Home::new().serve().await;
    let import = |service: &Server, more: &[&str]| {
        let base = service.url("/v1p2");
        let from = ["import", "roster", "--rest", &base, "--server", &server.url];
        let ran = run([&from[..], &["--accept-removals"], more].concat()).done();
        ran.stderr
            .contains("accounts in other systems stay as they are")
    };
    let is_known = async || {
        let request = LookupPersonRequest {
            source: "default".to_owned(),
            id: "nora.b".to_owned(),
            min_position: 0,
        };
        voice.ask(request).await.unwrap().persons.len() == 1
    };
    assert!(!import(&service_with(&["nora.b"]), &[]));
    assert!(is_known().await);
    let silent = service_with(&[]);
    assert!(import(&silent, &["--dry-run"]) && import(&silent, &["--json"]));
    assert!(is_known().await);
    // A service that names another one does take it away.
    assert!(!import(&service_with(&["nora.c"]), &[]));
    assert!(!is_known().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn how_the_files_were_read_is_said_beside_the_result() {
    let home = Home::new();
    let (server, _) = home.serve().await;
    let folder = home.path().join("export");
    fs::create_dir(&folder).unwrap();
    for entry in fs::read_dir(samples().join("roster")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
        let bytes: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
        fs::write(folder.join(path.file_name().unwrap()), bytes).unwrap();
    }
    let path = folder.to_str().unwrap();
    let ran = run(["import", "roster", path, "--json", "--server", &server.url]).done();
    assert_eq!(ran.json()["refused"], 0);
    assert!(ran.stderr.contains("read as UTF-16"), "{ran:?}");
}
