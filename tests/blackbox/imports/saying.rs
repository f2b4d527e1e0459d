//! What an import would do is said without doing it.

use planledger_proto::v1::preview_stream_response::Outcome;
use planledger_proto::v1::*;

use super::export::Export;
use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_dry_run_says_what_would_be_added_changed_and_ended_and_writes_nothing() {
    let (server, voice) = Home::new().serve().await;
    let export = Export::new();
    let first = export
        .import_with(&server, &["--dry-run", "--json"])
        .done()
        .json();
    assert_eq!(first["written"], false);
    assert_eq!(first["counts"]["persons"]["added"], 7);
    assert_eq!(first["counts"]["teams"]["added"], 2);
    assert_eq!(voice.position().await, 0);

    export.import(&server, "").done();
    let position = voice.position().await;
    let next = export
        .with("users.csv", "tc,,,true,s,teacher,tc,,Thea,Lund,,,,,,,,")
        .but("users.csv", "ta,,,true,s,teacher,ta,,Tove,Ask Bak,,,,,,,,")
        .but("users.csv", "ea,,,true,s,student,ea,,Ebbe,Rønn,,,,,,ga,04,")
        .without("enrollments.csv", "n3");
    let report = tempfile::tempdir().unwrap();
    let report = report.path().join("report.csv");
    let flags = ["--dry-run", "--json", "--report", report.to_str().unwrap()];
    let seen = next.import_with(&server, &flags).done().json();
    let persons = &seen["counts"]["persons"];
    assert_eq!(
        (&persons["added"], &persons["changed"]),
        (&1.into(), &1.into())
    );
    assert_eq!(seen["added"]["first"][0]["name"], "Thea Lund");
    assert_eq!(seen["changed"]["first"][0]["what"], "renamed");
    let dropped = seen["dropped"]["first"].as_array().unwrap();
    let words: Vec<_> = dropped
        .iter()
        .map(|line| line["what"].as_str().unwrap())
        .collect();
    assert_eq!(
        words,
        [
            "Gorm Rønn is no longer a guardian",
            "Esther Bøg is no longer a member"
        ]
    );
    assert_eq!(seen["ending"]["guardianships"]["of"], 2);
    let rows = std::fs::read_to_string(&report).unwrap();
    assert!(
        rows.starts_with("kind,file,line,column,code,text\ndropped,users.csv,"),
        "{rows}"
    );
    assert!(!rows.contains("Gorm"), "{rows}");
    assert_eq!(voice.position().await, position);

    let table = next.import_with(&server, &["--dry-run"]).done().stdout;
    for said in ["1: would be added", "2: links would end", "Thea Lund"] {
        assert!(table.contains(said), "{table}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_preview_answers_each_command_in_its_place_and_lets_later_ones_see_earlier_ones() {
    let (_server, voice) = Home::new().serve().await;
    let id = new_id();
    let commands = [
        register_institution(&id, "Skolen"),
        register_institution(&id, "Skolen"),
        Command::default(),
    ];
    let requests = commands.map(|command| PreviewStreamRequest {
        command: Some(command),
        suggestions: false,
    });
    let question = PreviewStreamRequest {
        command: None,
        suggestions: true,
    };
    let requests = requests.into_iter().chain([question]);
    let mut call = voice.client.commands();
    let answers = call.preview_stream(tokio_stream::iter(requests)).await;
    let mut answers = answers.unwrap().into_inner();
    let mut came = Vec::new();
    while let Some(answer) = next(&mut answers).await.unwrap() {
        came.push(match answer.outcome.unwrap() {
            Outcome::Preview(preview) => {
                assert!(preview.creates);
                preview.event_types.join(" ")
            }
            Outcome::Error(error) => command_error(error).reason,
            Outcome::Suggestions(found) => {
                let parts = [found.no_place_left, found.owner_elsewhere];
                let counts = parts.map(|part| part.unwrap().count);
                format!("{counts:?} may have left")
            }
        });
    }
    assert_eq!(
        came,
        [
            "institution.registered",
            "ALREADY_EXISTS",
            "REQUEST_INVALID",
            "[0, 0] may have left"
        ]
    );
    assert_eq!(voice.position().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_command_that_the_server_refuses_is_listed_and_reported() {
    let (server, _voice) = Home::new().serve().await;
    Export::new().import(&server, "").done();
    // Changes in classes that no export has brought.
    let mut changes = Export::new().but("manifest.csv", "file.enrollments,delta");
    for number in 0..30 {
        let row = format!("m{number},,,z{number},s,eb,student,false,2026-08-10,");
        changes = changes.with("enrollments.csv", &row);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.csv");
    let report = ["--json", "--report", path.to_str().unwrap()];
    let rows = || {
        let text = std::fs::read_to_string(&path).unwrap();
        let rows = text
            .lines()
            .filter(|row| row.starts_with("refused,enrollments.csv,"));
        rows.count()
    };
    let dry = changes.import_with(&server, &[&report[..], &["--dry-run"]].concat());
    let seen = dry.json();
    assert_eq!(seen["refused"]["count"], 30);
    assert_eq!(seen["refused"]["first"].as_array().unwrap().len(), 30);
    assert_eq!(rows(), 30);
    let ran = changes.import_with(&server, &report);
    let done = ran.json();
    assert_eq!(done["refused"], 30);
    let listed = done["refused_commands"].as_array().unwrap();
    assert_eq!(listed.len(), 30);
    let first = &listed[0];
    assert_eq!(first["source"], "enrollments.csv:7");
    assert!(!first["reason"].as_str().unwrap().is_empty(), "{first}");
    assert_eq!(rows(), 30);
    assert!(ran.stderr.contains("and 10 more"), "{}", ran.stderr);
}

#[test]
fn a_report_does_not_replace_what_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in Export::new().files() {
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    let users = folder.path().join("users.csv");
    let before = std::fs::read(&users).unwrap();
    let (export, report) = (folder.path().to_str().unwrap(), users.to_str().unwrap());
    let server = "http://127.0.0.1:1";
    let ran = run([
        "import", "roster", export, "--report", report, "--server", server,
    ]);
    assert!(ran.stderr.contains("--report"), "{}", ran.stderr);
    assert_eq!(std::fs::read(&users).unwrap(), before);
}
