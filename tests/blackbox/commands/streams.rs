//! Commands over one stream, pipelined.

use planledger_proto::v1::execute_stream_response::Outcome;
use planledger_proto::v1::*;

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn thousands_of_commands_on_their_way_at_once_are_answered_in_order() {
    let (_server, voice) = Home::new().serve().await;
    let commands: Vec<_> = (0..3_000)
        .map(|n| register_institution(&new_id(), &format!("Skole {n}")))
        .collect();
    let answers = voice.stream(commands.clone()).await;
    assert_eq!(answers.len(), commands.len());
    for (answer, (position, command)) in answers.into_iter().zip((1..).zip(commands)) {
        assert_eq!(answer.command_id, command.command_id);
        let Some(Outcome::Receipt(receipt)) = answer.outcome else {
            panic!("{answer:?}")
        };
        assert_eq!(receipt.command_id, command.command_id);
        assert_eq!(receipt.position, position);
    }
    // Many commands shared a write, or pipelining would be of no use.
    assert_eq!(voice.position().await, 3_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_command_that_fails_is_answered_in_its_place_and_keeps_no_other_back() {
    let (_server, voice) = Home::new().serve().await;
    let id = new_id();
    let close = || {
        let close = OnInstitution::CloseInstitution(CloseInstitution { reason: None });
        institution(&id, close)
    };
    let mut conflict = close();
    conflict.expected_revision = Some(9);
    let first = register_institution(&id, "Skolen");
    let mut reused = close();
    reused.command_id.clone_from(&first.command_id);
    let commands = [
        close(),
        first.clone(),
        write_status(&new_id(), ""),
        conflict,
        close(),
        close(),
        reused,
        first,
        Command::default(),
    ];
    let answers = voice.stream(commands.clone()).await;
    let came = answers.into_iter().zip(&commands).map(|(answer, command)| {
        assert_eq!(answer.command_id, command.command_id);
        match answer.outcome.unwrap() {
            Outcome::Receipt(receipt) => format!("{} {}", receipt.position, receipt.replayed),
            Outcome::Error(error) => command_error(error).reason,
        }
    });
    let expected = [
        "INSTITUTION_NOT_FOUND",
        "1 false",
        "REQUEST_INVALID",
        "REVISION_CONFLICT",
        "2 false",
        "ALREADY_CLOSED",
        "COMMAND_ID_REUSED",
        "1 true",
        "REQUEST_INVALID",
    ];
    assert_eq!(came.collect::<Vec<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_answer_comes_while_the_stream_is_still_open() {
    let (_server, voice) = Home::new().serve().await;
    let (send, requests) = tokio::sync::mpsc::channel(1);
    let mut call = voice.client.commands();
    let requests = tokio_stream::wrappers::ReceiverStream::new(requests);
    let mut answers = call.execute_stream(requests).await.unwrap().into_inner();
    for position in 1..=3 {
        let command = Some(register_institution(&new_id(), "Skolen"));
        send.send(ExecuteStreamRequest { command }).await.unwrap();
        let answer = next(&mut answers).await.unwrap().unwrap();
        let Some(Outcome::Receipt(receipt)) = answer.outcome else {
            panic!("{answer:?}")
        };
        assert_eq!(receipt.position, position);
    }
    drop(send);
    assert!(next(&mut answers).await.unwrap().is_none());
}
