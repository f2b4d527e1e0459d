//! What it costs to ask who sends a request and whether they may, side by side with development mode.
//! `cargo test --release --test blackbox identity::cost -- --ignored --nocapture`

use std::sync::Arc;
use std::time::{Duration, Instant};

use planledger::server::auth::Authorizer;
use planledger::server::granted::Granted;
use planledger_proto::v1::*;

use super::place::{Asked, Place, connect, ledger_with, trusting};
use super::provider::{Provider, SOURCE};
use super::signer::Signer;
use crate::support::*;

const ROUNDS: usize = 20;
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

/// A server with a plan, what was seen of its costs, and what it needs.
struct Side {
    name: &'static str,
    voice: Voice,
    plan: String,
    seen: Vec<[Duration; 2]>,
    _running: Box<dyn std::any::Any>,
}

impl Side {
    fn of(&self, which: usize) -> Duration {
        middle(self.seen.iter().map(|costs| costs[which]).collect())
    }
}

/// Development mode without TLS.
async fn plain() -> Side {
    let home = Home::new();
    let (server, voice) = home.serve().await;
    let (school, _, plan) = School::with_plan(&voice).await;
    Side {
        name: "development mode",
        voice: voice.person(&school.teacher),
        plan,
        seen: Vec::new(),
        _running: Box::new(server),
    }
}

/// A server with TLS that believes everybody, or one in production mode. Their ledgers are alike.
async fn with_tls(signer: &Signer, provider: &Provider, believes: bool) -> Side {
    let (home, _) = ledger_with(&[]).await;
    let (server, voice) = home.serve().await;
    let (school, _, plan) = School::with_plan(&voice).await;
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
        authorizer: (!believes).then(|| Arc::new(Granted) as Arc<dyn Authorizer>),
        believes,
        ..trusting(provider, Vec::new())
    };
    let place = Place::start(&home, asked);
    let (name, voice) = match believes {
        true => {
            let voice = connect(&place.target()).await.unwrap();
            ("development mode over TLS", voice.person(&school.teacher))
        }
        false => {
            let token = signer.token(&provider.person("tove12"));
            ("production mode", place.with_token(&token).await)
        }
    };
    Side {
        name,
        voice,
        plan,
        seen: Vec::new(),
        _running: Box::new(place),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn production_mode_beside_development_mode() {
    let signer = Signer::p256("a");
    let provider = Provider::with(&[&signer]);
    let mut sides = [
        plain().await,
        with_tls(&signer, &provider, true).await,
        with_tls(&signer, &provider, false).await,
    ];
    for side in &mut sides {
        costs(&side.voice, &side.plan).await;
    }
    for _ in 0..ROUNDS {
        for side in &mut sides {
            let costs = costs(&side.voice, &side.plan).await;
            side.seen.push(costs);
        }
    }
    let [_, same_transport, _] = &sides;
    for side in &sides {
        let [read, write] = [side.of(0), side.of(1)];
        let [times_read, times_write] = [0, 1]
            .map(|which| side.of(which).as_secs_f64() / same_transport.of(which).as_secs_f64());
        println!(
            "{}: GetPlan {read:?} ({times_read:.2}), Execute {write:?} ({times_write:.2})",
            side.name
        );
    }
}
