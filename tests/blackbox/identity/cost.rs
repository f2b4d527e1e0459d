//! What it costs to ask who sends a request and whether they may, side by side with development mode.
//! `cargo test --release --test blackbox identity::cost -- --ignored --nocapture`

use std::sync::Arc;
use std::time::{Duration, Instant};

use planledger::server::granted::Granted;
use planledger_proto::v1::*;

use super::place::{Asked, Place, ledger_with, trusting};
use super::provider::{Provider, SOURCE};
use super::signer::Signer;
use crate::support::*;

const ROUNDS: usize = 10;
const CALLS: u32 = 200;

/// The time of one call, of many one after another.
async fn each<F: Future<Output = ()>>(call: impl Fn() -> F) -> Duration {
    let begun = Instant::now();
    for _ in 0..CALLS {
        call().await;
    }
    begun.elapsed() / CALLS
}

/// The two costs of one server: of a read, and of a command.
async fn costs(voice: &Voice, plan: &str) -> [Duration; 2] {
    let read = each(async || drop(voice.plan(plan, Viewer::Staff).await)).await;
    let write = each(async || drop(voice.execute(write_status(plan, "Læser")).await)).await;
    [read, write]
}

fn middle(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all[all.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn production_mode_beside_development_mode() {
    let signer = Signer::p256("a");
    let provider = Provider::with(&[&signer]);
    let mut medians = Vec::new();
    let mut sides: Vec<(Voice, String, Vec<[Duration; 2]>)> = Vec::new();
    let open = Home::new();
    let (_open_server, voice) = open.serve().await;
    let (school, _, plan_id) = School::with_plan(&voice).await;
    sides.push((voice.person(&school.teacher), plan_id, Vec::new()));

    let (home, _) = ledger_with(&[]).await;
    let (server, voice) = home.serve().await;
    let (school, _, plan_id) = School::with_plan(&voice).await;
    let record = RosterRecord {
        source: SOURCE.to_owned(),
        sourced_id: "tove12".to_owned(),
        enabled: true,
        ..RosterRecord::default()
    };
    let put = PutPerson {
        name: "Tove".to_owned(),
        affiliations: vec![Affiliation {
            institution_id: school.institution.clone(),
            role: Role::Teacher.into(),
            grade: None,
        }],
        departed: false,
        record: Some(record),
    };
    let put = person(&school.teacher, OnPerson::PutPerson(put));
    voice.execute(put).await;
    drop(voice);
    server.stop();
    let asked = Asked {
        authorizer: Some(Arc::new(Granted)),
        ..trusting(&provider, Vec::new())
    };
    let place = Place::start(&home, asked);
    let token = signer.token(&provider.person("tove12"));
    sides.push((place.with_token(&token).await, plan_id, Vec::new()));

    for _ in 0..ROUNDS {
        for (voice, plan_id, seen) in &mut sides {
            seen.push(costs(voice, plan_id).await);
        }
    }
    for (_, _, seen) in sides {
        let of = |which: usize| middle(seen.iter().map(|costs| costs[which]).collect());
        medians.push([of(0), of(1)]);
    }
    println!(
        "GetPlan, Execute: development {:?}, production {:?}",
        medians[0], medians[1]
    );
}
