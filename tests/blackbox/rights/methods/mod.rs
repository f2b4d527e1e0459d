//! One row for each method: who may, who may not, and that a refusal does not tell whether the thing
//! exists.

mod reading;
mod streaming;
mod writing;

use std::collections::BTreeSet;

use planledger_proto::v1::*;
use tonic::{Code, Status};

use super::World;
use crate::support::*;

/// The methods that answer with a stream, each of which has a test of its own here.
const STREAMS: [&str; 9] = [
    "execute_stream",
    "preview_stream",
    "read_events",
    "follow_events",
    "list_roster_members",
    "list_roster_links",
    "run_recovery",
    "undo_recovery",
    "export_bundle",
];

struct Rows<'w> {
    voice: Voice,
    world: &'w World,
    seen: BTreeSet<&'static str>,
    /// What is not as the rows say, all of it.
    wrong: Vec<String>,
}

/// Everything that a caller sees of a refusal. The details name ids and numbers in any order, so only
/// their length is taken as it is.
fn seen(status: &Status) -> (Refused, usize) {
    let message = <ExecuteRequest as prost::Name>::full_name();
    let refused = Refused {
        whole: String::new(),
        ..Refused::new(status, &message)
    };
    (refused, status.details().len())
}

impl Rows<'_> {
    /// Those who may get no `ACCESS_DENIED`. Those who may not get one, and the same for what is not
    /// there.
    async fn row<Q: Ask>(
        &mut self,
        name: &'static str,
        [there, missing]: [Q; 2],
        may: &[&String],
        may_not: &[&String],
    ) {
        assert!(self.seen.insert(name), "{name} has two rows");
        for who in may {
            let answer = self.voice.person(who).ask(there.clone()).await;
            let refused = answer.err().map(|refused| refused.reason);
            if refused.as_deref() == Some("ACCESS_DENIED") {
                self.wrong.push(format!("{name}: {who} may not"));
            }
        }
        let nobody = self.voice.actor(&format!("system/{}", new_id()));
        let stranger = self.voice.person(&new_id());
        let others = may_not.iter().map(|who| self.voice.person(who));
        for voice in others.chain([nobody, stranger]) {
            let known = there.clone().send(&voice.client).await.map(drop);
            let absent = missing.clone().send(&voice.client).await.map(drop);
            match (known, absent) {
                (Err(known), Err(absent)) if known.code() == Code::PermissionDenied => {
                    if seen(&known) != seen(&absent) {
                        self.wrong.push(format!("{name} tells what exists"));
                    }
                }
                (known, _) => self.wrong.push(format!("{name}: not denied, {known:?}")),
            }
        }
    }
}

/// A request twice: about a thing that is there, and about one that is not.
fn both<Q>(there: &str, request: impl Fn(String) -> Q) -> [Q; 2] {
    [request(there.to_owned()), request(new_id())]
}

/// A request that names nothing.
fn same<Q: Clone>(request: Q) -> [Q; 2] {
    [request.clone(), request]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_method_has_a_row_and_a_refusal_tells_nothing() {
    let world = World::found().await;
    let server = world.serve();
    let voice = server.voice().await;
    let mut rows = Rows {
        voice,
        world: &world,
        seen: BTreeSet::new(),
        wrong: Vec::new(),
    };
    reading::plans(&mut rows).await;
    reading::roster(&mut rows).await;
    reading::catalogues_and_counts(&mut rows).await;
    writing::ownership(&mut rows).await;
    writing::evidence(&mut rows).await;
    writing::rights(&mut rows).await;
    writing::commands(&mut rows).await;
    assert_eq!(rows.wrong, Vec::<String>::new());
    let rows = rows.seen.into_iter().chain(STREAMS);
    let rows: BTreeSet<_> = rows.map(str::to_owned).collect();
    let all: BTreeSet<_> = methods().into_iter().collect();
    assert_eq!(rows, all);
}
