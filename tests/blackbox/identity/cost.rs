//! What it costs to ask who sends a request and whether they may, side by side with development mode.
//! `cargo test --release --test blackbox identity::cost -- --ignored --nocapture`

use std::sync::Arc;
use std::time::{Duration, Instant};

use planledger::server::Limits;
use planledger::server::auth::Authorizer;
use planledger::server::granted::Granted;
use planledger_proto::v1::*;
use tokio::task::JoinSet;

use super::place::{Asked, Place, connect, ledger_with, trusting};
use super::provider::{Provider, SOURCE};
use super::signer::Signer;
use crate::support::*;

const ROUNDS: usize = 20;
const CALLS: u32 = 200;
const AT_ONCE: u32 = 32;

/// The time of one call, of many one after another.
async fn each<F: Future<Output = ()>>(call: impl Fn() -> F) -> Duration {
    let begun = Instant::now();
    for _ in 0..CALLS {
        call().await;
    }
    begun.elapsed() / CALLS
}

/// The time of one call when many clients make them at once.
async fn each_of_many<F>(voice: &Voice, call: impl Fn(Voice) -> F) -> Duration
where
    F: Future<Output = ()> + Send + 'static,
{
    let begun = Instant::now();
    let clients: JoinSet<()> = (0..AT_ONCE).map(|_| call(voice.clone())).collect();
    clients.join_all().await;
    begun.elapsed() / (CALLS * AT_ONCE)
}

/// The costs of one server: of a read and of a command, one after another and many at once.
async fn costs(voice: &Voice, plan: &str) -> [Duration; 4] {
    let reading = async |voice: &Voice, plan: &str| drop(voice.plan(plan, Viewer::Staff).await);
    let writing =
        async |voice: &Voice, plan: &str| drop(voice.execute(write_status(plan, "Læser")).await);
    [
        each(|| reading(voice, plan)).await,
        each(|| writing(voice, plan)).await,
        each_of_many(voice, |voice| {
            let plan = plan.to_owned();
            async move {
                for _ in 0..CALLS {
                    drop(voice.plan(&plan, Viewer::Staff).await);
                }
            }
        })
        .await,
        each_of_many(voice, |voice| {
            let plan = plan.to_owned();
            async move {
                for _ in 0..CALLS {
                    voice.execute(write_status(&plan, "Læser")).await;
                }
            }
        })
        .await,
    ]
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
    seen: Vec<[Duration; 4]>,
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
    let setup = Setup {
        limits: Limits::default().without_rates(),
        ..Setup::default()
    };
    let server = setup.start(&home);
    let voice = server.voice().await;
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
        // Otherwise the rate of one person would be what is measured.
        limits: Some(Limits::default().without_rates()),
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
    let names = [
        "GetPlan",
        "Execute",
        "GetPlan, 32 at once",
        "Execute, 32 at once",
    ];
    for side in &sides {
        println!("{}", side.name);
        for (which, name) in names.into_iter().enumerate() {
            let time = side.of(which);
            let times = time.as_secs_f64() / same_transport.of(which).as_secs_f64();
            println!("    {name}: {time:?} a call ({times:.2})");
        }
    }
}
