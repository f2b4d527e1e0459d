//! What becomes of a server whose disk fails, and of damage on it.

use std::os::unix::fs::FileExt;
use std::time::Instant;

use planledger_proto::v1::execute_stream_response::Outcome;
use planledger_proto::v1::*;

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn after_a_failed_write_nothing_is_receipted_any_more_and_reading_goes_on() {
    let home = Home::new();
    let log = Gated::open(&home);
    let server = Setup::on(&log).start(&home);
    let actor = format!("system/{}", new_id());
    let voice = server.voice().await.actor(&actor);
    let id = new_id();
    let receipt = voice.execute(register_institution(&id, "Skolen")).await;
    log.fail();
    let lost = register_institution(&new_id(), "Tabt");
    let refused = voice.try_execute(lost.clone()).await.unwrap_err();
    assert_eq!(refused.reason, "WRITER_STOPPED");
    let why = std::io::Error::from(std::io::ErrorKind::StorageFull).to_string();
    assert!(refused.message.contains(&why), "{}", refused.message);
    // For good, even if the disk works again: nobody knows what it holds.
    log.let_through();
    let later = register_institution(&new_id(), "Senere");
    let refused = voice.try_execute(later.clone()).await.unwrap_err();
    assert_eq!(refused.reason, "WRITER_STOPPED");
    let refused = voice.try_all(vec![later.clone()]).await.unwrap_err();
    assert_eq!(refused.reason, "WRITER_STOPPED");
    for answer in voice.stream([later.clone(), later.clone()]).await {
        let Some(Outcome::Error(error)) = answer.outcome else {
            panic!("{answer:?}")
        };
        assert_eq!(command_error(error).reason, "WRITER_STOPPED");
    }
    let status = voice.ask(GetStatusRequest::default()).await.unwrap();
    assert_eq!(
        (status.position, status.writable),
        (receipt.position, false)
    );
    let request = GetInstitutionRequest {
        institution_id: id,
        min_position: receipt.position,
    };
    voice.ask(request).await.unwrap();
    drop(voice);
    server.stop();

    // The process that comes after finds out what the disk holds, and takes the same commands.
    drop(log);
    let server = home.start();
    let voice = server.voice().await.actor(&actor);
    assert_eq!(voice.position().await, receipt.position);
    for command in [lost, later] {
        assert!(!voice.execute(command).await.replayed);
    }
}

/// Where nothing was written, nothing is in doubt: the server says that there is no room, is read from, and
/// goes on by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn without_room_for_a_segment_the_server_says_so_and_goes_on_when_there_is_room() {
    let home = Home::new();
    let log = Gated::open(&home);
    let server = Setup::on(&log).start(&home);
    let actor = format!("system/{}", new_id());
    let voice = server.voice().await.actor(&actor);
    let id = new_id();
    let receipt = voice.execute(register_institution(&id, "Skolen")).await;
    log.fill();
    let decided = register_institution(&new_id(), "Besluttet");
    let refused = voice.try_execute(decided.clone()).await.unwrap_err();
    assert_eq!(refused.reason, "WRITER_STOPPED");
    assert!(refused.message.contains("room"), "{}", refused.message);
    // Nobody waits for the room, also not in a stream or a batch.
    let later = register_institution(&new_id(), "Senere");
    let refused = voice.try_execute(later.clone()).await.unwrap_err();
    assert_eq!(refused.reason, "WRITER_STOPPED");
    let refused = voice.try_all(vec![later.clone()]).await.unwrap_err();
    assert_eq!(refused.reason, "WRITER_STOPPED");
    for answer in voice.stream([later.clone()]).await {
        let Some(Outcome::Error(error)) = answer.outcome else {
            panic!("{answer:?}")
        };
        assert_eq!(command_error(error).reason, "WRITER_STOPPED");
    }
    let status = voice.ask(GetStatusRequest::default()).await.unwrap();
    assert_eq!(
        (status.position, status.writable),
        (receipt.position, false)
    );
    let why = status.not_writable_because.unwrap();
    assert!(
        why.contains("segment-00000002.log cannot be begun"),
        "{why}"
    );
    let request = GetInstitutionRequest {
        institution_id: id,
        min_position: receipt.position,
    };
    voice.ask(request).await.unwrap();

    log.let_through();
    let until = Instant::now() + PATIENCE;
    let status = loop {
        let status = voice.ask(GetStatusRequest::default()).await.unwrap();
        if status.writable {
            break status;
        }
        assert!(Instant::now() < until, "it does not go on");
    };
    assert_eq!(status.not_writable_because, None);
    // What had been decided was written; what came later was not.
    assert!(voice.execute(decided).await.replayed);
    assert!(!voice.execute(later).await.replayed);
    assert_eq!(voice.position().await, receipt.position + 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn damage_is_said_and_never_read_past() {
    let home = Home::new();
    let (_server, voice) = home.serve().await;
    let (_, _, plan_id) = School::with_plan(&voice).await;
    let sound = voice.position().await;
    let damaged = voice.execute(write_status(&plan_id, "Læser")).await;
    voice.execute(write_status(&plan_id, "Læser mere")).await;

    // A frame ends with its payloads, so the byte before the last frame is of the payload before.
    let file = std::fs::File::options()
        .read(true)
        .write(true)
        .open(home.first_segment())
        .unwrap();
    let bytes = std::fs::read(home.first_segment()).unwrap();
    let frames: Vec<_> = (0..bytes.len())
        .filter(|at| bytes[*at..].starts_with(b"PLF1"))
        .collect();
    let last_byte = frames[frames.len() - 1] - 1;
    file.write_all_at(&[bytes[last_byte] ^ 1], last_byte as u64)
        .unwrap();

    let request = read_after(sound);
    let refused = voice.read_events(request).await.unwrap_err();
    assert_eq!(refused.reason, "STORAGE_DAMAGED");
    let request = GetPlanHistoryRequest {
        plan_id: plan_id.clone(),
        ..GetPlanHistoryRequest::default()
    };
    let refused = voice.ask(request).await.unwrap_err();
    assert_eq!(refused.reason, "STORAGE_DAMAGED");
    assert!(!refused.whole.contains("Læser"));
    // What does not rest on it is read as before.
    let view = voice.plan(&plan_id, Viewer::Staff).await;
    assert_eq!(view.status.unwrap().text, "Læser mere");
    let request = read_after(damaged.position);
    let (after, _) = voice.read_events(request).await.unwrap();
    assert_eq!(after.len(), 1);
}
