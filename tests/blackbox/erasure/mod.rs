//! Erasure over the network, as two records officers do it: asked for, approved, carried out, and
//! finished by the next start if the process was killed.

mod afterwards;
mod canaries;
mod program;
mod reads;
mod retention;
mod secrets;
mod texts;

use planledger_proto::v1::as_of::Moment;
use planledger_proto::v1::*;

use crate::support::*;

async fn erasures(voice: &Voice, min_position: u64) -> Vec<Erasure> {
    let request = ListErasuresRequest {
        min_position,
        ..ListErasuresRequest::default()
    };
    voice.ask(request).await.unwrap().erasures
}

/// Waits until the act of an approval is on record as carried out.
async fn carried_out(voice: &Voice, approval: &Receipt) -> Erasure {
    let wait = async {
        let mut position = approval.position;
        loop {
            // Another event than the one that says so may be the next.
            position += 1;
            let mut found = erasures(voice, position).await.into_iter();
            let act = found.find(|one| format!("erasure/{}", one.erasure_id) == approval.stream);
            let act = act.unwrap();
            if act.state() == ErasureState::CarriedOut {
                return act;
            }
        }
    };
    wait.await
}

/// What stands in the place of a redacted text.
const REDACTED: &str = planledger_core::text::REDACTED;

fn unreadable(why: Unreadable) -> Option<event::Content> {
    Some(event::Content::Unreadable(why.into()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn two_people_erase_a_student_and_every_reader_is_told_that_the_texts_are_gone() {
    let home = Home::new();
    let server = home.start();
    let voice = server.voice().await;
    let (school, _, plan) = School::with_plan(&voice).await;
    let (one, other) = (voice.person(&school.teacher), voice.person(&school.leader));
    one.execute(request_erasure(erasure_of(&school.student)))
        .await;
    let asked = &erasures(&voice, 0).await[0];
    assert_eq!(asked.state(), ErasureState::Requested);
    assert_eq!(asked.plan_count, Some(1));
    assert!(asked.event_count.unwrap() > 1);
    let receipt = other
        .execute(approve_erasure(erasure_of(&school.student)))
        .await;
    let done = carried_out(&voice, &receipt).await;
    assert_eq!(done.event_count, None);
    let stream = format!("plan/{plan}");
    let events = voice.all_events().await;
    let gone: Vec<_> = events
        .iter()
        .filter(|event| event.stream == stream)
        .collect();
    assert!(!gone.is_empty());
    for event in gone {
        assert_eq!(event.content, unreadable(Unreadable::Erased));
    }
    let person = GetPersonRequest {
        person_id: school.student.clone(),
        ..GetPersonRequest::default()
    };
    let refused = voice.ask(person).await.unwrap_err();
    assert_eq!(refused.reason, "PERSON_ERASED");
    let refused = voice
        .try_plan(&plan, Viewer::Staff, None)
        .await
        .unwrap_err();
    assert_eq!(refused.reason, "PERSON_ERASED");
    let refused = voice.try_plan(
        &plan,
        Viewer::Staff,
        Some(Moment::Position(receipt.position)),
    );
    assert_eq!(refused.await.unwrap_err().reason, "PERSON_ERASED");
    assert!(!voice.history(&plan).await.is_empty());
    // Who was erased is still so after a restart.
    drop((one, other, voice, server));
    let server = home.start();
    let voice = server.voice().await;
    let again = &erasures(&voice, 0).await[0];
    assert_eq!(again.state(), ErasureState::CarriedOut);
}

/// The process is killed as soon as the approval is answered, wherever the carrying out has come to.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_a_killed_server_had_begun_the_next_one_finishes() {
    let home = Home::new();
    let serving = Serving::start(home.path());
    let voice = serving.voice().await;
    let (school, _, plan) = School::with_plan(&voice).await;
    let (one, other) = (voice.person(&school.teacher), voice.person(&school.leader));
    one.execute(request_erasure(erasure_of(&school.student)))
        .await;
    let receipt = other
        .execute(approve_erasure(erasure_of(&school.student)))
        .await;
    serving.kill();
    drop((one, other, voice));
    let serving = Serving::start(home.path());
    let voice = serving.voice().await;
    carried_out(&voice, &receipt).await;
    for event in voice.history(&plan).await {
        assert_eq!(event.content, unreadable(Unreadable::Erased));
    }
    drop(voice);
    serving.stop();
    let dir = home.path().to_str().unwrap();
    run(["ledger", "verify", "--dir", dir]).done();
}
