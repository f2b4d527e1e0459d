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
