//! What a receipt says, and what a command may demand.

use planledger_proto::v1::*;

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_receipt_says_where_and_when_and_the_event_is_there() {
    let (_server, voice) = Home::new().serve().await;
    let id = new_id();
    let command = register_institution(&id, "Ådalens Skole");
    let receipt = voice.execute(command.clone()).await;
    assert_eq!(receipt.command_id, command.command_id);
    assert_eq!(receipt.stream, format!("institution/{id}"));
    assert_eq!((receipt.position, receipt.revision), (1, 1));
    assert_eq!(receipt.event_count, 1);
    assert!(!receipt.replayed && !receipt.unchanged);

    let events = voice.all_events().await;
    let [event] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(event.position, receipt.position);
    assert_eq!(event.stream, receipt.stream);
    assert_eq!(event.r#type, "institution.registered");
    assert_eq!(event.command_id, receipt.command_id);
    assert_eq!(event.recorded_at, receipt.recorded_at);
    let payload = r#"{"registered":{"name":"Ådalens Skole"}}"#.to_owned();
    assert_eq!(event.content, Some(event::Content::Payload(payload)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_acts_and_for_whom_stands_in_the_event() {
    let (_server, voice) = Home::new().serve().await;
    let (teacher, student) = (new_id(), new_id());
    let mut command = register_institution(&new_id(), "Skolen");
    command.on_behalf_of = Some(Actor {
        actor: Some(actor::Actor::PersonId(student.clone())),
    });
    voice.person(&teacher).execute(command).await;
    let events = voice.all_events().await;
    assert_eq!(events[0].actor, format!("person/{teacher}"));
    assert_eq!(events[0].on_behalf_of, format!("person/{student}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_command_that_changes_nothing_is_receipted_as_such_and_may_be_left_out() {
    let (_server, voice) = Home::new().serve().await;
    let id = new_id();
    voice.execute(register_institution(&id, "Skolen")).await;
    let same = || {
        let details = Some(InstitutionDetails {
            name: "Skolen".to_owned(),
            code: None,
        });
        let revise = ReviseInstitution { details };
        institution(&id, OnInstitution::ReviseInstitution(revise))
    };
    let commits = || async { voice.ask(GetStatusRequest::default()).await.unwrap() };
    let receipt = voice.execute(same()).await;
    assert!(receipt.unchanged && !receipt.replayed);
    assert_eq!(
        (receipt.position, receipt.revision, receipt.event_count),
        (1, 1, 0)
    );
    let before = commits().await;
    assert_eq!((before.position, before.commit_count), (1, 2));

    let mut discarded = same();
    discarded.discard_if_unchanged = true;
    let receipt = voice.execute(discarded).await;
    assert!(receipt.unchanged);
    assert_eq!(commits().await.commit_count, before.commit_count);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_stream_that_is_not_at_the_expected_revision_is_a_conflict_with_both_revisions() {
    let (_server, voice) = Home::new().serve().await;
    let id = new_id();
    let expecting = |revision, operation| {
        let mut command = institution(&id, operation);
        command.expected_revision = Some(revision);
        command
    };
    let close = OnInstitution::CloseInstitution(CloseInstitution { reason: None });
    let reopen = OnInstitution::ReopenInstitution(ReopenInstitution {});
    let mut register = register_institution(&id, "Skolen");
    register.expected_revision = Some(0);
    let receipt = voice.execute(register.clone()).await;
    let receipt = voice.execute(expecting(receipt.revision, close)).await;
    assert_eq!(receipt.revision, 2);

    let refused = voice.try_execute(expecting(1, reopen.clone())).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.reason, "REVISION_CONFLICT");
    let metadata = ["stream", "expected", "actual"].map(|key| refused.metadata[key].as_str());
    assert_eq!(metadata, [&format!("institution/{id}"), "1", "2"]);
    register.command_id = new_id();
    let refused = voice.try_execute(register).await.unwrap_err();
    assert_eq!(refused.metadata["expected"], "0");

    // The revision that was expected may be that of a command before it in the same batch.
    let close = OnInstitution::CloseInstitution(CloseInstitution { reason: None });
    let batch = vec![expecting(2, reopen), expecting(3, close)];
    assert_eq!(voice.all(batch.clone()).await[1].revision, 4);
    let again = batch.into_iter().map(|command| Command {
        command_id: new_id(),
        ..command
    });
    let refused = voice.try_all(again.collect()).await.unwrap_err();
    assert_eq!(refused.metadata["command_index"], "0");
    assert_eq!(refused.metadata["actual"], "4");
    assert_eq!(voice.position().await, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_command_that_was_refused_is_not_remembered() {
    let (_server, voice) = Home::new().serve().await;
    let id = new_id();
    let close = OnInstitution::CloseInstitution(CloseInstitution { reason: None });
    let close = institution(&id, close);
    let refused = voice.try_execute(close.clone()).await.unwrap_err();
    assert_eq!(refused.reason, "INSTITUTION_NOT_FOUND");
    voice.execute(register_institution(&id, "Skolen")).await;
    let receipt = voice.execute(close.clone()).await;
    assert!(!receipt.replayed);
    let mut other = register_institution(&new_id(), "Skolen");
    other.command_id = close.command_id;
    let refused = voice.try_execute(other).await.unwrap_err();
    assert_eq!(refused.reason, "COMMAND_ID_REUSED");
}
