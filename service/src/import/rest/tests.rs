//! What is asked of a service and what becomes of its answers. The service is small, and speaks HTTP on
//! a socket of this machine.

mod paging;
mod records;
mod refusals;
mod spool;

use std::io::{Read, Seek};

use planledger_fixtures::http::{Answer, Asked, Server};
use serde_json::{Value, json};

use super::client::{Access, Client};
use super::tables::{Changes, fetch};
use crate::import::fault::{FaultCode, ImportFault};
use crate::import::{Catalogue, Roster, sample};

const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 24);

fn access(server: &Server) -> Access {
    Access {
        token_url: server.url("/token"),
        client_id: "kommune:1".to_owned(),
        secret: "hemmelig/1".to_owned(),
        scope: "read all".to_owned(),
    }
}

fn client(server: &Server) -> Client {
    let base = server.url("/ims/oneroster/v1p1/");
    let client = Client::new(&base, Some(access(server))).unwrap();
    client.waiting(|_| {})
}

fn code(server: &Server) -> FaultCode {
    failure(server).code
}

fn failure(server: &Server) -> ImportFault {
    fetch(&mut client(server), None).err().unwrap()
}

/// The text of each table.
fn tables(client: &mut Client, changes: Option<&Changes>) -> Vec<(&'static str, String)> {
    let tables = fetch(client, changes).unwrap().tables;
    let read = |(name, mut file): (&'static str, std::fs::File)| {
        let mut text = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        (name, text)
    };
    tables.into_iter().map(read).collect()
}

fn token() -> Answer {
    Answer::json(json!({"access_token": "t0", "token_type": "bearer", "expires_in": 3600}))
}

/// The records of the sample roster, as a service gives them.
fn sample_records(collection: &str) -> Vec<Value> {
    let file = format!("{collection}.csv");
    let (_, bytes) = sample::ROSTER
        .iter()
        .find(|(name, _)| *name == file)
        .unwrap();
    let mut reader = csv::Reader::from_reader(*bytes);
    let header = reader.headers().unwrap().clone();
    let rows = reader.records().map(Result::unwrap);
    let record = |row: csv::StringRecord| {
        let mut record = serde_json::Map::new();
        for (name, cell) in header.iter().zip(&row) {
            let list = || {
                cell.split(',')
                    .map(str::trim)
                    .filter(|entry| !entry.is_empty())
            };
            let reference = |id: &str| json!({"href": "x", "sourcedId": id, "type": "x"});
            let (name, value) = match name {
                "status" if cell.is_empty() => ("status".to_owned(), json!("active")),
                "schoolYearSourcedId" => ("schoolYear".to_owned(), reference(cell)),
                "grades" | "subjects" | "subjectCodes" | "periods" => {
                    (name.to_owned(), list().collect())
                }
                "userIds" => continue,
                "enabledUser" => (name.to_owned(), json!(cell == "true")),
                _ => match (
                    name.strip_suffix("SourcedIds"),
                    name.strip_suffix("SourcedId"),
                ) {
                    (Some(name), _) => (format!("{name}s"), list().map(reference).collect()),
                    (_, Some(_)) if cell.is_empty() => continue,
                    (_, Some(name)) => (name.to_owned(), reference(cell)),
                    _ => (name.to_owned(), json!(cell)),
                },
            };
            record.insert(name, value);
        }
        Value::Object(record)
    };
    rows.map(record).collect()
}

/// How a service gives its pages.
#[derive(Clone, Copy, PartialEq)]
enum Paging {
    /// As many as it likes, and nothing else is said.
    Bare,
    Total,
    Links,
}

/// A page of at most three records.
fn page(asked: &Asked, records: &[Value], paging: Paging) -> Answer {
    let collection = asked.path.rsplit('/').next().unwrap();
    let offset: usize = asked.query("offset").unwrap().parse().unwrap();
    let end = (offset + 3).min(records.len());
    let part = records.get(offset..end).unwrap_or_default();
    let mut answer = Answer::json(json!({collection: part}));
    if paging == Paging::Total {
        answer = answer.header("X-Total-Count", &records.len().to_string());
    }
    if paging == Paging::Links {
        let path = |at: usize| format!("{}?limit=3&offset={at}", asked.path);
        let mut link = format!("<{}>; rel=\"first\"", path(0));
        if end < records.len() {
            // As behind a proxy: another scheme.
            link += &format!(", <http://{}{}>; rel=\"next\"", asked.host, path(end));
        }
        answer = answer.header("Link", &link);
    }
    answer
}

/// A service with the sample roster.
fn service(paging: Paging) -> Server {
    Server::start(move |asked| match asked.path.as_str() {
        "/token" => token(),
        path => page(
            asked,
            &sample_records(path.rsplit('/').next().unwrap()),
            paging,
        ),
    })
}

#[test]
fn a_roster_over_rest_gives_the_same_commands_as_its_files_however_the_pages_come() {
    let mut files = Roster::from_files(sample::roster(), TODAY).unwrap();
    let expected: Vec<_> = files.commands().map(|item| item.unwrap().command).collect();
    for paging in [Paging::Bare, Paging::Total, Paging::Links] {
        let server = service(paging);
        let mut roster = Roster::fetch(&mut client(&server), None, TODAY).unwrap();
        let commands = roster.commands().map(|item| item.unwrap().command);
        assert_eq!(commands.collect::<Vec<_>>(), expected);
        let asked = server.asked();
        let sign_ins: Vec<_> = asked.iter().filter(|one| one.path == "/token").collect();
        assert_eq!(sign_ins.len(), 1);
        // "kommune%3A1:hemmelig%2F1"
        assert_eq!(
            sign_ins[0].header("authorization"),
            Some("Basic a29tbXVuZSUzQTE6aGVtbWVsaWclMkYx")
        );
        assert_eq!(
            sign_ins[0].body,
            "grant_type=client_credentials&scope=read+all"
        );
        let others = asked.iter().filter(|one| one.path != "/token");
        for one in others {
            assert_eq!(
                one.header("authorization"),
                Some("Bearer t0"),
                "{}",
                one.path
            );
        }
    }
}

#[test]
fn changes_are_asked_for_with_a_filter_and_the_tables_say_that_they_are_changes() {
    let server = service(Paging::Total);
    let since = Changes::since("2026-11-01T08:00:00Z").unwrap();
    let tables = tables(&mut client(&server), Some(&since));
    let (_, manifest) = tables
        .iter()
        .find(|(name, _)| *name == "manifest.csv")
        .unwrap();
    assert!(manifest.contains("file.users,delta"), "{manifest}");
    let asked = server.asked();
    let pages = asked.iter().filter(|one| one.path != "/token");
    for one in pages {
        // What others name is asked for whole.
        let filter = match one.path.rsplit('/').next().unwrap() {
            "orgs" | "academicSessions" | "courses" => None,
            _ => Some("dateLastModified%3E%272026-11-01T08%3A00%3A00Z%27"),
        };
        assert_eq!(one.query("filter"), filter, "{}", one.path);
        let sorted = (one.query("sort"), one.query("orderBy"));
        assert_eq!(sorted, (Some("sourcedId"), Some("asc")));
    }
    for text in ["", "i går", "2026-13-01", "2026-11-01' OR 'x"] {
        assert_eq!(Changes::since(text), None, "{text}");
    }
}

#[test]
fn users_of_version_1_2_bring_their_roles_as_a_table() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/token" => token(),
        "/ims/oneroster/rostering/v1p2/courses" => Answer::status(404),
        "/ims/oneroster/rostering/v1p2/users" => Answer::json(json!({"users": [{
            "sourcedId": "u1", "status": "active", "dateLastModified": "2026-11-01T00:00:00Z",
            "enabledUser": true, "givenName": "Åse", "familyName": "Ærø", "password": "x",
            "email": "x@example.invalid", "grades": ["07", "08"],
            "userIds": [{"type": "UNI", "identifier": "aase1"}],
            "username": "aase",
            "userProfiles": [
                {"profileId": "https://a.example/1", "profileType": "skole", "vendorId": "A",
                 "credentials": [
                    {"type": "SSO", "username": "aase.a", "password": "hemmelig"},
                    {"type": "lokal", "username": "aase.b"},
                 ]},
                {"profileId": "https://a.example/2", "profileType": "skole", "vendorId": "B"},
            ],
            "agents": [{"sourcedId": "g1"}, {"sourcedId": "g2"}],
            "roles": [
                {"roleType": "primary", "role": "teacher", "org": {"sourcedId": "s1"}},
                {"roleType": "secondary", "role": "parent", "org": {"sourcedId": "s2"},
                 "endDate": "2027-06-25"},
            ],
        }]}))
        .header("X-Total-Count", "1"),
        path => Answer::json(json!({path.rsplit('/').next().unwrap(): []})),
    });
    let base = server.url("/ims/oneroster/rostering/v1p2");
    let mut client = Client::new(&base, None).unwrap();
    let tables = tables(&mut client, None);
    let table = |wanted: &str| {
        let found = tables.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, text)| text.as_str())
    };
    assert_eq!(
        table("roles.csv").unwrap(),
        "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,\
         userProfileSourcedId\n\
         u1:1,active,2026-11-01T00:00:00Z,u1,primary,teacher,,,s1,\n\
         u1:2,active,2026-11-01T00:00:00Z,u1,secondary,parent,,2027-06-25,s2,\n"
    );
    assert_eq!(
        table("userProfiles.csv").unwrap(),
        "sourcedId,userSourcedId,profileType,vendorId,username\n\
         u1:1,u1,skole,A,aase.a\n\
         u1:2,u1,skole,A,aase.b\n"
    );
    assert!(tables.iter().all(|(_, text)| !text.contains("hemmelig")));
    let users = table("users.csv").unwrap();
    assert!(users.contains(",aase,"), "{users}");
    assert!(
        users.contains("Åse,Ærø") && users.contains("{UNI:aase1}"),
        "{users}"
    );
    assert!(users.contains("\"g1,g2\",\"07,08\""), "{users}");
    assert!(!users.contains("example.invalid"), "{users}");
    let manifest = table("manifest.csv").unwrap();
    assert!(manifest.contains("oneroster.version,1.2"), "{manifest}");
    assert!(manifest.contains("file.courses,absent"), "{manifest}");
    assert!(manifest.contains("file.userProfiles,bulk"), "{manifest}");
    assert_eq!(table("courses.csv"), None);
}

#[test]
fn a_busy_server_is_asked_again_when_it_says_so() {
    let server = Server::start(|asked| match (asked.path.as_str(), asked.number) {
        ("/token", 0) => Answer::status(503).header("Retry-After", "2"),
        ("/token", _) => token(),
        (_, 2) => Answer::status(429).header("Retry-After", "7"),
        (_, 3) => Answer::status(500),
        (_, 4) => Answer::status(502).header("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT"),
        (path, _) => page(
            asked,
            &sample_records(path.rsplit('/').next().unwrap()),
            Paging::Total,
        ),
    });
    assert!(Roster::fetch(&mut client(&server), None, TODAY).is_ok());
    // A server that asks for hours is not waited for.
    let slow = Server::start(|_| Answer::status(503).header("Retry-After", "7200"));
    assert_eq!(code(&slow), FaultCode::RestBusy);
    assert_eq!(slow.asked().len(), 1);
    let never = Server::start(|asked| match asked.path.as_str() {
        "/token" => token(),
        _ => Answer::status(500),
    });
    assert_eq!(code(&never), FaultCode::RestBusy);
    assert_eq!(never.asked().len(), 7);
    // A connection that breaks off in the middle of an answer.
    let broken = Server::start(|asked| match (asked.path.as_str(), asked.number) {
        ("/token", _) => token(),
        (_, 1) => Answer::json(json!({"orgs": []})).cut(),
        (path, _) => page(
            asked,
            &sample_records(path.rsplit('/').next().unwrap()),
            Paging::Total,
        ),
    });
    assert!(Roster::fetch(&mut client(&broken), None, TODAY).is_ok());
}

#[test]
fn a_token_that_ended_is_renewed_once() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/token" => token(),
        _ if asked.number == 3 => Answer::status(401),
        path => page(
            asked,
            &sample_records(path.rsplit('/').next().unwrap()),
            Paging::Total,
        ),
    });
    assert!(Roster::fetch(&mut client(&server), None, TODAY).is_ok());
    let asked = server.asked();
    assert_eq!(asked.iter().filter(|one| one.path == "/token").count(), 2);
    let refuses = Server::start(|asked| match asked.path.as_str() {
        "/token" => token(),
        _ => Answer::status(401),
    });
    assert_eq!(code(&refuses), FaultCode::RestSignInRefused);
    let knows_nobody = Server::start(|_| Answer::status(401));
    assert_eq!(code(&knows_nobody), FaultCode::RestSignInRefused);
}

#[test]
fn a_catalogue_over_rest_is_the_same_as_its_file() {
    let package: Value = serde_json::from_slice(sample::CATALOGUE).unwrap();
    let id = package["CFDocument"]["identifier"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/ims/case/v1p1/CFPackages/{id}");
    let server = Server::start(move |asked| match asked.path == path {
        true => Answer::json(&package),
        false => Answer::status(404),
    });
    let expected = Catalogue::from_slice("x", sample::CATALOGUE).unwrap();
    for version in ["v1p1", "v1p0"] {
        let base = server.url(&format!("/ims/case/{version}"));
        let mut client = Client::new(&base, None).unwrap().waiting(|_| {});
        let fetched = Catalogue::fetch(&mut client, id.parse().unwrap());
        match version {
            "v1p1" => assert_eq!(fetched.unwrap().command(), expected.command()),
            _ => assert_eq!(
                fetched.err().unwrap().faults()[0].code,
                FaultCode::RestMissing
            ),
        }
    }
}

#[test]
fn a_service_lists_its_frameworks_page_by_page() {
    let server = Server::start(|asked| {
        let documents: Vec<Value> = (0..7)
            .map(|number| match number {
                3 => json!({"identifier": "no uuid", "title": "x"}),
                4 => json!({"identifier": uuid::Uuid::from_u128(14), "title": "a\u{1b}[31m"}),
                _ => json!({
                    "identifier": uuid::Uuid::from_u128(10 + number),
                    "title": format!("Mål {number}"),
                    "creator": "Ministeriet",
                    "version": "2019",
                }),
            })
            .collect();
        page(asked, &documents, Paging::Links)
    });
    let mut client = Client::new(&server.url("/ims/case/v1p0"), None)
        .unwrap()
        .waiting(|_| {});
    let listed = Catalogue::list(&mut client).unwrap();
    let told = listed.iter().map(|framework| {
        let title = framework.title.as_ref().map(|title| title.as_str());
        (framework.id.as_u128(), title)
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            (10, Some("Mål 0")),
            (11, Some("Mål 1")),
            (12, Some("Mål 2")),
            (14, None),
            (15, Some("Mål 5")),
            (16, Some("Mål 6")),
        ]
    );
    let first = &listed[0];
    assert_eq!(first.publisher.as_ref().unwrap().as_str(), "Ministeriet");
    assert_eq!(first.version.as_ref().unwrap().as_str(), "2019");
    let asked = server.asked();
    assert!(
        asked
            .iter()
            .all(|one| one.path == "/ims/case/v1p0/CFDocuments")
    );
    assert_eq!(asked[0].query("sort"), Some("identifier"));
}
