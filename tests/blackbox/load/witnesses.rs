//! Witnesses that do not answer.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use planledger_proto::v1::*;
use tokio::task::JoinSet;

use super::alone;
use crate::support::*;

fn threads(serving: &Serving) -> usize {
    let tasks = fs::read_dir(format!("/proc/{}/task", serving.id()));
    tasks.unwrap().count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_for_a_witness_holds_no_threads_and_no_reads_up() {
    let _alone = alone().await;
    let home = Home::new();
    let serving = Serving::start(home.path());
    let (_, _, plan_id) = School::with_plan(&serving.voice().await).await;
    let request = GetVerifierKeysRequest::default();
    let log = serving.voice().await.ask(request).await.unwrap().current;
    serving.stop();
    let witness = Watching::start(
        &home.path().with_extension("witness"),
        "one.example",
        &[&log],
    );
    let key = witness.key.clone();
    witness.kill();
    // In its place, somebody takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let policy = home.path().with_extension("policy");
    let text = format!(
        "log {log}\nwitness one {key} http://{address}\ngroup council 1 one\nquorum council\n"
    );
    fs::write(&policy, text).unwrap();
    let policy = policy.to_str().unwrap();
    let more = ["--witness-policy", policy, "--checkpoint-seconds", "3600"];
    let serving = Serving::start_with(home.path(), &more);
    let voice = serving.voice().await;
    voice.plan(&plan_id, Viewer::Staff).await;
    let before = threads(&serving);
    let mut asked = JoinSet::new();
    for _ in 0..100 {
        let voice = serving.voice().await;
        asked.spawn(async move {
            let request = GetCheckpointRequest {
                create: true,
                ..GetCheckpointRequest::default()
            };
            voice.client.audit().get_checkpoint(request).await.is_ok()
        });
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let began = Instant::now();
    voice.plan(&plan_id, Viewer::Staff).await;
    voice
        .execute(register_institution(&new_id(), "Skolen"))
        .await;
    assert!(began.elapsed() < Duration::from_secs(5));
    let more = threads(&serving).saturating_sub(before);
    eprintln!("100 requests that wait for a witness: {more} threads more");
    assert!(more < 20, "{more} threads more");
}
