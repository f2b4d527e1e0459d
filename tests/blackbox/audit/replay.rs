//! `planledger audit replay`: what a server shows, against what its events lead to.

use std::path::Path;

use planledger_core::ids::{PlanId, StreamId, TeamId, YearPlanId};
use planledger_proto::v1::*;

use super::place::written_in;
use crate::support::*;

fn replay(url: &str, more: &[&str]) -> Ran {
    run([&["audit", "replay", "--server", url], more].concat())
}

/// Puts the documents with these names in derived state back to what they were in another copy.
fn put_back(dir: &Path, from: &Path, names: &[Vec<u8>]) {
    let [old, new] = [from, dir].map(|dir| sled::open(dir.join("derived")).unwrap());
    for name in names {
        let now = new.get(name).unwrap().expect("it is there");
        let before = old.get(name).unwrap().expect("it was there");
        assert_ne!(now, before);
        new.insert(name.as_slice(), before).unwrap();
    }
    new.flush().unwrap();
    // Derived state that somebody else has is set aside and derived anew.
    drop((old, new));
    await_starting();
}

fn state(stream: impl Into<StreamId>) -> Vec<u8> {
    [&[1], stream.into().to_bytes().as_slice()].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn everything_that_is_shown_is_compared_and_is_what_the_events_lead_to() {
    let home = Home::new();
    let server = home.start();
    let voice = server.voice().await;
    let (_, course, plan_id) = written_in(&voice, 3).await;
    voice.execute(course.delete()).await;
    let ran = replay(&server.url, &["--json"]).done().json();
    let position = voice.position().await;
    assert_eq!(
        (&ran["position"], &ran["events"]),
        (&position.into(), &position.into())
    );
    assert_eq!(ran["plans"], 1);
    assert_eq!(ran["differing"].as_array().unwrap().len(), 0);
    assert_eq!(ran["othersDiffering"].as_array().unwrap().len(), 0);
    assert_eq!(ran["othersComplete"], true);
    // An institution and what belongs to it, a school year, six persons, a team, a year plan and
    // its plans.
    assert_eq!(ran["others"], 2 + 1 + 6 + 1 + 2);
    let one = replay(&server.url, &["--plan", &plan_id]).done();
    assert!(
        one.stdout.contains("1 plans were compared"),
        "{}",
        one.stdout
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_shown_otherwise_than_the_events_lead_to_is_named() {
    let home = Home::new();
    let server = home.start();
    let voice = server.voice().await;
    let (school, course, plan_id) = written_in(&voice, 2).await;
    drop(voice);
    server.stop();
    let earlier = home.copied();
    let server = home.start();
    let voice = server.voice().await;
    voice.execute(write_status(&plan_id, "Noget andet")).await;
    school.plan_of(&voice, &school.classmate, &course).await;
    voice.execute(course.delete()).await;
    let close = OnTeam::CloseTeam(CloseTeam { reason: None });
    voice.execute(team(&school.team, close)).await;
    replay(&server.url, &[]).done();
    drop(voice);
    server.stop();

    let plan: PlanId = plan_id.parse().unwrap();
    let team: TeamId = school.team.parse().unwrap();
    let year_plan: YearPlanId = course.year_plan.parse().unwrap();
    let plans_on_it = [&[2, 8], year_plan.as_bytes().as_slice()].concat();
    for (name, shown) in [
        (
            state(plan),
            format!("{plan_id} as VIEWER_STAFF is not what"),
        ),
        (state(team), format!("team/{team} is not what")),
        (
            state(year_plan),
            format!("year_plan/{year_plan} is not what"),
        ),
        (plans_on_it, format!("year_plan/{year_plan} is not what")),
    ] {
        let altered = home.copied();
        put_back(altered.path(), earlier.path(), &[name]);
        let server = altered.start();
        let ran = replay(&server.url, &[]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.stdout.contains(&shown), "{shown}: {}", ran.stdout);
        assert!(ran.stderr.contains("not what the events lead to"));
        assert!(!ran.stdout.contains("Noget andet") && !ran.stderr.contains("Noget andet"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn while_somebody_writes_it_says_how_far_it_got() {
    let home = Home::new();
    let server = home.start();
    let voice = server.voice().await;
    let (_, _, plan_id) = written_in(&voice, 1).await;
    let url = server.url.clone();
    let asked = std::thread::spawn(move || replay(&url, &["--json"]));
    for nth in 0.. {
        if asked.is_finished() {
            break;
        }
        let text = format!("Endnu en: {nth}");
        voice.execute(write_status(&plan_id, &text)).await;
    }
    let ran = asked.join().unwrap().done().json();
    assert_eq!(ran["othersComplete"], false);
    assert_eq!(ran["differing"].as_array().unwrap().len(), 0);
    assert_eq!(ran["othersDiffering"].as_array().unwrap().len(), 0);
}
