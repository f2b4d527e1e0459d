//! What it costs a reader that every read is on record, side by side with a server that records none.
//! `cargo test --release --test blackbox access::cost -- --ignored --nocapture`

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use planledger_proto::v1::*;

use crate::support::*;

const ROUNDS: usize = 20;
const READERS: usize = 8;
const CALLS: usize = 50;

struct Side {
    name: &'static str,
    voice: Voice,
    plan: String,
    took: Vec<Duration>,
    _server: Running,
}

impl Side {
    async fn new(name: &'static str, reads: Option<Strict>) -> Self {
        let home = Home::new();
        let setup = Setup {
            reads,
            ..Setup::default()
        };
        let server = setup.start(&home);
        let voice = server.voice().await;
        let (school, _, plan) = School::with_plan(&voice).await;
        for n in 0..200 {
            let text = format!("Gang {n}: læser højt for de små");
            voice.execute(write_status(&plan, &text)).await;
        }
        Self {
            name,
            voice: voice.person(&school.teacher),
            plan,
            took: Vec::new(),
            _server: server,
        }
    }

    async fn round(&mut self) {
        let mut readers = JoinSet::new();
        for _ in 0..READERS {
            let (voice, plan) = (self.voice.clone(), self.plan.clone());
            readers.spawn(async move {
                let mut took = Vec::with_capacity(CALLS);
                for _ in 0..CALLS {
                    let begun = Instant::now();
                    voice.plan(&plan, Viewer::Staff).await;
                    took.push(begun.elapsed());
                }
                took
            });
        }
        while let Some(took) = readers.join_next().await {
            self.took.extend(took.unwrap());
        }
    }

    /// Of a thousand calls the one at this place.
    fn at(&self, of_thousand: usize) -> Duration {
        let mut all = self.took.clone();
        all.sort();
        all[all.len() * of_thousand / 1_000]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn reads_on_record_beside_reads_that_are_not() {
    let mut sides = [
        Side::new("off", None).await,
        Side::new("on", Some(Strict(false))).await,
        Side::new("strict", Some(Strict(true))).await,
    ];
    for side in &mut sides {
        side.round().await;
        side.took.clear();
    }
    for _ in 0..ROUNDS {
        for side in &mut sides {
            side.round().await;
        }
    }
    let ratio = |side: &Side, at| side.at(at).as_secs_f64() / sides[0].at(at).as_secs_f64();
    for side in &sides {
        println!(
            "GetPlan, access log {}: p50 {:?} ({:.2}), p99 {:?} ({:.2})",
            side.name,
            side.at(500),
            ratio(side, 500),
            side.at(990),
            ratio(side, 990)
        );
    }
}
