//! `planledger ledger forks` and `settle`, on a journal that an earlier version forked.

use planledger_core::ids::PlanId;
use planledger_proto::v1::*;
use serde_json::Value;

use crate::support::*;

/// Whoever looks after the ledger.
const ADMINISTRATOR: &str = "person/0d0d0d0d-0d0d-4d0d-8d0d-0d0d0d0d0d0d";

/// A plan whose last texts were lost for a while: what was written first was written again without
/// them.
struct Forked {
    home: Home,
    plan: String,
    student: String,
    /// Where the plan's events stood before.
    at: Vec<u64>,
    /// The second branch's only event.
    here: u64,
}

impl Forked {
    async fn new() -> Self {
        let home = Home::new();
        let (server, voice) = home.serve().await;
        let (_, _, plan) = School::with_plan(&voice).await;
        for n in 0..4 {
            voice
                .execute(write_status(&plan, &format!("Gang {n}")))
                .await;
        }
        let student = voice.plan(&plan, Viewer::Staff).await.student_id;
        drop(voice);
        server.stop();
        let at = home.positions_of(plan.parse::<PlanId>().unwrap().into());
        let [.., second_last, last] = at[..] else {
            panic!("{at:?}")
        };
        let before = at[at.len() - 3];
        assert!(before < second_last);
        let here = home.fork(before, last);
        Self {
            home,
            plan,
            student,
            at,
            here,
        }
    }

    fn run(&self, what: &str, more: &[&str]) -> Ran {
        let dir = self.home.path().to_str().unwrap();
        run([&["ledger", what, "--dir", dir], more].concat())
    }

    fn stream(&self) -> String {
        format!("plan/{}", self.plan)
    }

    /// The journal's part, and what verification says of forks.
    fn verified(&self, code: i32) -> (Value, Value) {
        let ran = self.run("verify", &["--quick", "--json"]);
        assert_eq!(ran.code, Some(code), "{ran:?}");
        let json = ran.json();
        (json["parts"][0].clone(), json["forks"].clone())
    }
}

fn settling<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let said = ["--reason", "set igennem", "--actor", ADMINISTRATOR];
    [&said, more].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_forked_plan_is_named_described_and_settled_and_stays_in_sight() {
    let forked = Forked::new().await;
    let last = *forked.at.last().unwrap();
    let (part, forks) = forked.verified(1);
    assert_eq!(part["fault"]["kind"], "FORK");
    assert_eq!(part["fault"]["position"], forked.here);
    assert_eq!(forks[0]["stream"], forked.stream());
    assert_eq!(forks[0]["first"]["to"]["position"], last);
    assert_eq!(forks[0]["second"]["from"]["position"], forked.here);
    assert_eq!(forks[0]["settledAt"], Value::Null);

    let told = forked.run("forks", &["--json"]).done().json();
    let fork = &told["forks"][0];
    assert_eq!(told["complete"], true);
    assert_eq!(fork["plan"]["studentId"], forked.student);
    assert_eq!(fork["firstBranch"].as_array().unwrap().len(), 2);
    assert_eq!(fork["secondBranch"][0]["type"], "plan.status_written");
    assert_eq!(fork["inBoth"][0], "plan.status_written");
    assert_eq!(fork["stands"]["last"]["position"], forked.here);
    let twice = &told["repeatedCommands"][0]["outcomes"];
    let positions = [&twice[0]["position"], &twice[1]["position"]];
    assert_eq!(positions, [last, forked.here]);

    let text = forked.run("forks", &[]).done().stdout;
    let revert = format!("plan revert {} --to {}", forked.plan, forked.here - 1);
    for said in [&forked.student, &revert, "ledger settle --all", "second"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains("Gang"), "{text}");

    // Seen first, then done.
    let shown = forked.run("settle", &settling(&["--all", "--dry-run"]));
    assert!(shown.done().stdout.contains(&forked.stream()));
    forked.verified(1);
    let settled = forked.run("settle", &settling(&["--all", "--yes", "--json"]));
    let settled = settled.done().json();
    assert_eq!(settled["settled"][0]["stream"], forked.stream());
    let (part, forks) = forked.verified(0);
    assert_eq!(part["fault"], Value::Null);
    assert_eq!(part["note"], "1 fork of a stream, settled");
    assert_eq!(forks[0]["settledAt"], settled["settled"][0]["position"]);
    let text = forked.run("verify", &["--quick"]).done().stdout;
    assert!(
        text.contains("continues twice") && text.contains("settled at"),
        "{text}"
    );
    let again = forked.run("settle", &settling(&["--all", "--yes"])).done();
    assert!(again.stdout.contains("nothing to settle"), "{again:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn only_what_is_forked_is_settled_and_somebody_says_why() {
    let forked = Forked::new().await;
    let other = format!("plan/{}", new_id());
    let ran = forked.run("settle", &settling(&["--stream", &other, "--yes"]));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("has no unsettled fork"), "{ran:?}");
    for missing in [
        &["--all", "--yes", "--reason", "set igennem"][..],
        &["--all", "--yes", "--actor", ADMINISTRATOR],
        &["--yes", "--reason", "set igennem", "--actor", ADMINISTRATOR],
        // Nobody can be asked.
        &settling(&["--all"]),
    ] {
        let ran = forked.run("settle", missing);
        assert_eq!(ran.code, Some(2), "{ran:?}");
    }
    forked.verified(1);
    let stream = forked.stream();
    let settle = settling(&["--stream", &stream, "--yes"]);
    forked.run("settle", &settle).done();
    forked.verified(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_journal_without_forks_has_nothing_to_tell() {
    let home = Home::new();
    let (server, voice) = home.serve().await;
    voice
        .execute(register_institution(&new_id(), "Skolen"))
        .await;
    drop(voice);
    server.stop();
    let dir = home.path().to_str().unwrap();
    let text = run(["ledger", "forks", "--dir", dir]).done();
    assert!(text.stdout.contains("no stream has a fork"), "{text:?}");
    let json = run(["ledger", "forks", "--dir", dir, "--json"])
        .done()
        .json();
    assert_eq!(json["forks"], serde_json::json!([]));
    assert_eq!(json["unsettled"], 0);
}
