//! Sending the same again is safe, also after a restart.

use planledger_proto::v1::execute_stream_response::Outcome;
use planledger_proto::v1::*;

use crate::support::*;

/// The receipt of then, marked as such.
fn replayed(receipt: Receipt) -> Receipt {
    Receipt {
        replayed: true,
        ..receipt
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_same_command_again_gives_the_first_receipt_whichever_way_it_comes() {
    let (_server, voice) = Home::new().serve().await;
    let command = register_institution(&new_id(), "Skolen");
    let first = voice.execute(command.clone()).await;
    voice
        .execute(register_institution(&new_id(), "En anden"))
        .await;
    let expected = replayed(first);
    assert_eq!(voice.execute(command.clone()).await, expected);
    let again = voice.all([command.clone()]).await;
    assert_eq!(again, std::slice::from_ref(&expected));
    let answers = voice.stream([command]).await;
    assert_eq!(answers[0].outcome, Some(Outcome::Receipt(expected)));
    assert_eq!(voice.position().await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_same_command_twice_at_once_is_carried_out_once() {
    let (_server, voice) = Home::new().serve().await;
    let command = register_institution(&new_id(), "Skolen");
    let answers = voice.stream(vec![command; 50]).await;
    let receipts: Vec<_> = answers
        .into_iter()
        .map(|answer| match answer.outcome {
            Some(Outcome::Receipt(receipt)) => receipt,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(!receipts[0].replayed);
    let expected = replayed(receipts[0].clone());
    assert!(receipts[1..].iter().all(|receipt| *receipt == expected));
    assert_eq!(voice.position().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn receipts_outlive_a_restart_also_of_what_changed_nothing_and_of_a_batch() {
    let home = Home::new();
    let server = home.start();
    let actor = format!("system/{}", new_id());
    let voice = server.voice().await.actor(&actor);
    let (school, course, plan_id) = School::with_plan(&voice).await;
    // Opening it again names the plan that is there, and changes nothing.
    let unchanged = open_plan(&new_id(), &school.student, &course.year_plan);
    let write = write_status(&plan_id, "Læser med stigende lyst");
    let batch = [
        set_visibility(&plan_id, Audience::Student, true),
        show_section(&plan_id, Section::Status),
    ];
    let opened = voice.execute(unchanged.clone()).await;
    assert_eq!(opened.stream, format!("plan/{plan_id}"));
    assert!(opened.unchanged);
    let written = voice.execute(write.clone()).await;
    let batched = voice.all(batch.clone()).await;
    let position = voice.position().await;
    drop(voice);
    server.stop();

    let server = home.start();
    let voice = server.voice().await.actor(&actor);
    assert_eq!(voice.execute(write.clone()).await, replayed(written));
    assert_eq!(voice.execute(unchanged).await, replayed(opened));
    let expected: Vec<_> = batched.into_iter().map(replayed).collect();
    assert_eq!(voice.all(batch).await, expected);
    let mut other = write;
    let text = "Noget andet".to_owned();
    let changed = write_status(&plan_id, &text);
    other.command = changed.command;
    let refused = voice.try_execute(other).await.unwrap_err();
    assert_eq!(refused.reason, "COMMAND_ID_REUSED");
    assert_eq!(voice.position().await, position);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_id_with_other_content_is_refused_whatever_part_of_it_is_other() {
    let (_server, voice) = Home::new().serve().await;
    let command = register_institution(&new_id(), "Skolen");
    voice.execute(command.clone()).await;
    let same_id = |mut other: Command| {
        other.command_id.clone_from(&command.command_id);
        other
    };
    let other_revision = Command {
        expected_revision: Some(0),
        ..command.clone()
    };
    let for_somebody = Command {
        on_behalf_of: Some(Actor {
            actor: Some(actor::Actor::PersonId(new_id())),
        }),
        ..command.clone()
    };
    let others = [
        same_id(register_institution(&new_id(), "Skolen")),
        same_id(write_status(&new_id(), "Skolen")),
        other_revision,
        for_somebody,
    ];
    for other in others {
        let refused = voice.try_execute(other.clone()).await.unwrap_err();
        assert_eq!(refused.reason, "COMMAND_ID_REUSED", "{other:?}");
        assert_eq!(refused.paths(), ["command_id"]);
        assert_eq!(refused.metadata["command_id"], command.command_id);
    }
    // Somebody else is not given a receipt that is not theirs.
    let somebody = voice.person(&new_id());
    let refused = somebody.try_execute(command.clone()).await.unwrap_err();
    assert_eq!(refused.reason, "COMMAND_ID_REUSED");
    let batch = vec![register_institution(&new_id(), "Ny"), command];
    let refused = voice.try_all(batch).await.unwrap_err();
    assert_eq!(refused.reason, "COMMAND_ID_REUSED");
    assert_eq!(refused.paths(), ["commands[1].command_id"]);
    assert_eq!(voice.position().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_batch_of_which_something_was_left_out_can_be_sent_again() {
    let (_server, voice) = Home::new().serve().await;
    let id = new_id();
    voice.execute(register_institution(&id, "Skolen")).await;
    let put = |id: &str| {
        let put = PutInstitution {
            details: Some(InstitutionDetails {
                name: "Skolen".to_owned(),
                code: None,
            }),
            closed: false,
        };
        let mut command = institution(id, OnInstitution::PutInstitution(put));
        command.discard_if_unchanged = true;
        command
    };
    let batch = [put(&id), put(&new_id())];
    let first = voice.all(batch.clone()).await;
    assert!(first[0].unchanged && !first[1].unchanged);
    let again = voice.all(batch).await;
    assert_eq!(again[1], replayed(first[1].clone()));
    assert!(again[0].unchanged && !again[0].replayed);
    assert_eq!(voice.position().await, 2);
}
