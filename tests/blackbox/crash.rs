//! The process is killed while it works (P2).

use std::sync::{Arc, Mutex};

use planledger_proto::v1::execute_stream_response::Outcome;
use planledger_proto::v1::*;
use tonic::Streaming;

use crate::support::*;

/// Writes to a plan without end: commands over a stream, and batches beside it.
struct Load {
    voice: Voice,
    plan: String,
    sent: Arc<Mutex<Vec<Command>>>,
    batches: Arc<Mutex<Vec<Vec<Command>>>>,
}

impl Load {
    fn new(voice: Voice, plan: &str) -> Self {
        Self {
            voice,
            plan: plan.to_owned(),
            sent: Arc::default(),
            batches: Arc::default(),
        }
    }

    /// Begins; gives the answers as they come.
    async fn begin(&self) -> Streaming<ExecuteStreamResponse> {
        let (sent, plan) = (self.sent.clone(), self.plan.clone());
        let commands = std::iter::from_fn(move || {
            let command = write_status(&plan, &format!("Læser {}", new_id()));
            sent.lock().unwrap().push(command.clone());
            Some(ExecuteStreamRequest {
                command: Some(command),
            })
        });
        let mut call = self.voice.client.commands();
        let answers = call.execute_stream(tokio_stream::iter(commands)).await;
        tokio::spawn(self.batches());
        answers.unwrap().into_inner()
    }

    fn batches(&self) -> impl Future<Output = ()> + Send + 'static {
        let (voice, plan) = (self.voice.clone(), self.plan.clone());
        let batches = self.batches.clone();
        async move {
            loop {
                let write = || write_status(&plan, &format!("Samlet {}", new_id()));
                let commands: Vec<_> = (0..5).map(|_| write()).collect();
                batches.lock().unwrap().push(commands.clone());
                let mut call = voice.client.commands();
                let request = ExecuteBatchRequest { commands };
                if call.execute_batch(request).await.is_err() {
                    return;
                }
            }
        }
    }

    fn command(&self, id: &str) -> Command {
        let sent = self.sent.lock().unwrap();
        let found = sent.iter().find(|command| command.command_id == id);
        found.unwrap().clone()
    }
}

/// Reads receipts until there are this many, or until the stream ends.
async fn read_receipts(
    answers: &mut Streaming<ExecuteStreamResponse>,
    receipts: &mut Vec<Receipt>,
    most: usize,
) -> Result<(), tonic::Status> {
    while receipts.len() < most {
        match next(answers).await? {
            Some(answer) => match answer.outcome.unwrap() {
                Outcome::Receipt(receipt) => receipts.push(receipt),
                Outcome::Error(error) => panic!("{error:?}"),
            },
            None => return Ok(()),
        }
    }
    Ok(())
}

async fn plan_on(voice: &Voice) -> String {
    let (school, course) = School::with_course(voice).await;
    school.plan(voice, &course).await
}

/// Sends every receipted command again: each gives the receipt of then.
async fn assert_kept(voice: &Voice, load: &Load, receipts: &[Receipt]) {
    let commands = receipts.iter().map(|it| load.command(&it.command_id));
    let again = voice.stream(commands.collect::<Vec<_>>()).await;
    assert_eq!(again.len(), receipts.len());
    for (again, first) in again.into_iter().zip(receipts) {
        let mut first = first.clone();
        first.replayed = true;
        assert_eq!(again.outcome, Some(Outcome::Receipt(first)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_receipted_command_is_there_after_a_kill_and_gives_the_same_receipt() {
    let home = Home::new();
    let actor = format!("system/{}", new_id());
    let serving = Serving::start(home.path());
    let plan_id = plan_on(&serving.voice().await).await;
    serving.kill();
    let mut rounds: Vec<(Load, Vec<Receipt>)> = Vec::new();
    for _ in 0..3 {
        let serving = Serving::start(home.path());
        let voice = serving.voice().await.actor(&actor);
        for (load, receipts) in &rounds {
            assert_kept(&voice, load, receipts).await;
        }
        let load = Load::new(voice, &plan_id);
        let mut answers = load.begin().await;
        let mut receipts = Vec::new();
        read_receipts(&mut answers, &mut receipts, 300)
            .await
            .unwrap();
        serving.kill();
        // What had been sent before the end is a receipt like any other.
        let ended = read_receipts(&mut answers, &mut receipts, usize::MAX).await;
        assert!(ended.is_err());
        assert!(receipts.len() >= 300);
        rounds.push((load, receipts));
    }

    let serving = Serving::start(home.path());
    let voice = serving.voice().await.actor(&actor);
    let events = voice.all_events().await;
    let positions = events.iter().map(|event| event.position);
    assert!(positions.eq(1..=events.len() as u64));
    for (load, receipts) in &rounds {
        assert_kept(&voice, load, receipts).await;
        for receipt in receipts {
            let event = &events[receipt.position as usize - 1];
            assert_eq!(event.command_id, receipt.command_id);
            assert_eq!(event.revision, receipt.revision);
        }
        // No batch is there in part.
        let recorded = |command: &Command| {
            let mut events = events.iter();
            events.any(|event| event.command_id == command.command_id)
        };
        for batch in load.batches.lock().unwrap().iter() {
            let count = batch.iter().filter(|command| recorded(command)).count();
            assert!(
                count == 0 || count == batch.len(),
                "{count} of {}",
                batch.len()
            );
        }
    }
    assert_eq!(voice.position().await, events.len() as u64);
    drop(voice);
    serving.stop();
    let dir = home.path().to_str().unwrap();
    run(["ledger", "verify", "--dir", dir]).done();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_process_that_is_told_to_stop_under_load_answers_all_it_took_and_exits_with_0() {
    let home = Home::new();
    let actor = format!("system/{}", new_id());
    let serving = Serving::start(home.path());
    let voice = serving.voice().await.actor(&actor);
    let plan_id = plan_on(&voice).await;
    let begin = voice.position().await;
    let load = Load::new(voice, &plan_id);
    let mut answers = load.begin().await;
    let mut receipts = Vec::new();
    read_receipts(&mut answers, &mut receipts, 300)
        .await
        .unwrap();
    serving.terminate();
    let ended = read_receipts(&mut answers, &mut receipts, usize::MAX).await;
    let refused = Refused::new(&ended.unwrap_err(), "planledger.v1.Command");
    assert_eq!(refused.reason, "SHUTTING_DOWN");
    let (status, log) = serving.wait();
    assert_eq!(status.code(), Some(0), "{log}");

    let serving = Serving::start(home.path());
    let voice = serving.voice().await.actor(&actor);
    assert_kept(&voice, &load, &receipts).await;
    // Nothing was taken without an answer.
    let after = read_after(begin);
    let (events, _) = voice.read_events(after).await.unwrap();
    let streamed = events.iter().filter(|event| {
        let sent = load.sent.lock().unwrap();
        sent.iter()
            .any(|command| command.command_id == event.command_id)
    });
    assert_eq!(streamed.count(), receipts.len());
}
