//! Several at once.

use std::collections::BTreeSet;

use planledger_proto::v1::*;
use tokio::task::JoinSet;

use crate::support::*;

const MANY: usize = 20;

/// Sends one command on each of many connections, at once.
async fn race(server: &Running, commands: Vec<Command>) -> Vec<Result<Receipt, Refused>> {
    let mut racing = JoinSet::new();
    for command in commands {
        let voice = server.voice().await;
        racing.spawn(async move { voice.try_execute(command).await });
    }
    racing.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_many_who_expect_the_same_revision_one_wins_and_all_others_are_told_so() {
    let server = Home::new().start();
    let id = new_id();
    server
        .voice()
        .await
        .execute(register_institution(&id, "Skolen"))
        .await;
    let commands = (0..MANY).map(|n| {
        let details = Some(InstitutionDetails {
            name: format!("Skole {n}"),
            code: None,
        });
        let revise = ReviseInstitution { details };
        let mut command = institution(&id, OnInstitution::ReviseInstitution(revise));
        command.expected_revision = Some(1);
        command
    });
    let came = race(&server, commands.collect()).await;
    let (won, lost): (Vec<_>, Vec<_>) = came.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, MANY - 1));
    for refused in lost {
        let refused = refused.unwrap_err();
        assert_eq!(refused.reason, "REVISION_CONFLICT");
        assert_eq!(refused.metadata["actual"], "2");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn however_many_open_a_students_plan_at_once_there_is_one() {
    let (server, voice) = Home::new().serve().await;
    let (school, course) = School::with_course(&voice).await;
    let open = (0..MANY).map(|_| open_plan(&new_id(), &school.student, &course.year_plan));
    let came = race(&server, open.collect()).await;
    let receipts: Vec<_> = came.into_iter().map(Result::unwrap).collect();
    let streams: BTreeSet<_> = receipts.iter().map(|it| it.stream.clone()).collect();
    assert_eq!(streams.len(), 1);
    let opened = receipts.iter().filter(|receipt| !receipt.unchanged);
    assert_eq!(opened.count(), 1);
    let request = ListPlansRequest {
        filter: Some(list_plans_request::Filter::StudentId(school.student)),
        ..ListPlansRequest::default()
    };
    assert_eq!(voice.ask(request).await.unwrap().plans.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn one_command_sent_by_a_client_on_many_connections_at_once_is_carried_out_once() {
    let server = Home::new().start();
    let command = register_institution(&new_id(), "Skolen");
    let actor = format!("system/{}", new_id());
    let mut racing = JoinSet::new();
    for _ in 0..MANY {
        let (voice, command) = (server.voice().await.actor(&actor), command.clone());
        racing.spawn(async move { voice.execute(command).await });
    }
    let receipts = racing.join_all().await;
    let first = receipts.iter().filter(|receipt| !receipt.replayed);
    assert_eq!(first.count(), 1);
    assert!(receipts.iter().all(|receipt| receipt.position == 1));
    assert_eq!(server.voice().await.position().await, 1);
}
