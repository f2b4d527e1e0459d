//! A server that stops keeps its promises.

use planledger_proto::v1::execute_stream_response::Outcome;
use planledger_proto::v1::*;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;

use crate::support::*;

fn register() -> Command {
    register_institution(&new_id(), "Skolen")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_was_handed_in_before_a_stop_gets_its_receipt() {
    let home = Home::new();
    let log = Gated::open(&home);
    let mut server = Setup::on(&log).start(&home);
    let actor = format!("system/{}", new_id());
    let voice = server.voice().await.actor(&actor);
    log.shut();
    let commands: Vec<_> = (0..20).map(|_| register()).collect();
    // Ten alone, ten over a stream that stays open.
    let (alone, streamed) = commands.split_at(10);
    let mut single = JoinSet::new();
    for command in alone.iter().cloned() {
        let voice = voice.clone();
        single.spawn(async move { voice.execute(command).await });
    }
    let (send, requests) = mpsc::channel(10);
    let mut call = voice.client.commands();
    let call = call.execute_stream(ReceiverStream::new(requests)).await;
    let mut answers = call.unwrap().into_inner();
    for command in streamed.iter().cloned() {
        let command = Some(command);
        send.send(ExecuteStreamRequest { command }).await.unwrap();
    }
    log.wait_for_write();
    // The server has read all of them once a read behind them on the same connection is answered,
    // and has handed them in once it has answered another.
    for _ in 0..50 {
        voice.position().await;
    }
    server.tell_to_stop();
    log.let_through();

    let mut receipts = Vec::new();
    while let Some(receipt) = single.join_next().await {
        receipts.push(receipt.unwrap());
    }
    let refused = loop {
        match next(&mut answers).await {
            Ok(Some(answer)) => match answer.outcome.unwrap() {
                Outcome::Receipt(receipt) => receipts.push(receipt),
                Outcome::Error(error) => panic!("{error:?}"),
            },
            Ok(None) => panic!("the client has not ended the stream"),
            Err(status) => break Refused::new(&status, "planledger.v1.Command"),
        }
    };
    assert_eq!(refused.reason, "SHUTTING_DOWN");
    assert_eq!(receipts.len(), 20);
    drop((voice, send, answers));
    server.stop();
    drop(log);

    let server = home.start();
    let voice = server.voice().await.actor(&actor);
    assert_eq!(voice.position().await, 20);
    for command in commands {
        let again = voice.execute(command).await;
        let first = receipts.iter().find(|it| it.command_id == again.command_id);
        let mut first = first.unwrap().clone();
        first.replayed = true;
        assert_eq!(again, first);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_read_that_waits_for_a_position_is_not_waited_for() {
    let (mut server, voice) = Home::new().serve().await;
    let waiting = tokio::spawn({
        let voice = voice.clone();
        let min_position = 1_000;
        async move { voice.ask(GetStatusRequest { min_position }).await }
    });
    // It waits on the server once another request behind it is answered.
    for _ in 0..20 {
        voice.position().await;
    }
    server.tell_to_stop();
    let refused = waiting.await.unwrap().unwrap_err();
    assert_eq!(refused.reason, "SHUTTING_DOWN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_stopped_server_lets_the_next_one_have_its_directory() {
    let home = Home::new();
    for round in 1..=5 {
        let (server, voice) = home.serve().await;
        assert_eq!(voice.execute(register()).await.position, round);
        drop(voice);
        server.stop();
    }
}
