//! `planledger audit replay`: what a server shows, against what its events lead to.

use planledger_proto::v1::*;

use super::place::written_in;
use crate::support::*;

fn replay(url: &str, more: &[&str]) -> Ran {
    run([&["audit", "replay", "--server", url], more].concat())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn everything_that_is_shown_is_compared_and_is_what_the_events_lead_to() {
    let (server, voice) = Home::new().serve().await;
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
    assert!(one.stdout.contains("compared 1 plans"), "{}", one.stdout);
}

/// Damage to derived state is noticed by the server itself, so it takes one that lies.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_shown_otherwise_than_the_events_lead_to_is_named() {
    let home = Home::new();
    let (server, voice) = home.serve().await;
    let (school, course, plan_id) = written_in(&voice, 2).await;
    drop(voice);
    server.stop();
    let other = home.copied();
    let (server, voice) = home.serve().await;
    voice.execute(write_status(&plan_id, "Noget andet")).await;
    school.plan_of(&voice, &school.classmate, &course).await;
    voice.execute(course.delete()).await;
    let close = OnTeam::CloseTeam(CloseTeam { reason: None });
    voice.execute(team(&school.team, close)).await;
    replay(&server.url, &[]).done();

    // The same ledger until then, and as long, but with another end.
    let showing = other.start();
    let liar = showing.voice().await;
    for nth in liar.position().await..voice.position().await {
        let text = format!("Noget helt andet: {nth}");
        liar.execute(write_status(&plan_id, &text)).await;
    }
    let lying = Lying::start(&server.url, &showing.url).await;
    let url = lying.url.clone();
    let asked = tokio::task::spawn_blocking(move || replay(&url, &[]));
    let ran = asked.await.unwrap();
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for shown in [
        format!("{plan_id} as VIEWER_STAFF does not match"),
        format!("team/{} does not match", school.team),
        format!("year_plan/{} does not match", course.year_plan),
    ] {
        assert!(ran.stdout.contains(&shown), "{shown}: {}", ran.stdout);
    }
    assert!(ran.stderr.contains("do not match the events"));
    for text in ["Noget andet", "Noget helt andet"] {
        assert!(!ran.stdout.contains(text) && !ran.stderr.contains(text));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn while_somebody_writes_it_says_how_far_it_got() {
    let (server, voice) = Home::new().serve().await;
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
