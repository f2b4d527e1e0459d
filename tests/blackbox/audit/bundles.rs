//! Bundles of evidence over the network: whole, cut off and gone on with, and altered.

use planledger_core::audit::{VerifyOptions, verify_bundle};
use planledger_core::tlog::Policy;
use planledger_proto::v1::export_bundle_request::Scope;
use planledger_proto::v1::*;

use crate::support::*;

async fn written(voice: &Voice) -> (School, String) {
    let school = School::found(voice).await;
    let course = school.course(voice, YearPlanKind::Subject).await;
    let plan_id = school.plan(voice, &course).await;
    for n in 0..5 {
        let text = format!("Læser {n} sider");
        voice.execute(write_status(&plan_id, &text)).await;
    }
    (school, plan_id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_plan_a_student_and_a_range_are_each_proved_by_their_bundle() {
    let home = Home::new();
    let server = home.start_notarised();
    let voice = server.voice().await;
    let (school, plan_id) = written(&voice).await;
    let key = voice.verifier_key().await;
    let before = voice.new_checkpoint().await;
    voice.execute(write_status(&plan_id, "Til sidst")).await;
    let events = voice.history(&plan_id).await.len() as u64;

    let mut of_plan = bundle_of(Scope::PlanId(plan_id.clone()));
    of_plan.since_size = before.size;
    let bundle = voice.export(of_plan).await.unwrap();
    assert!(bundle.contains(&plan_id));
    let report = checked_since(&bundle, &key, &before);
    assert_eq!((report.events, report.since), (events, Some(before.size)));

    let bundle = voice.export(bundle_of(Scope::StudentId(school.student.clone())));
    assert!(checked(&bundle.await.unwrap(), &key).events > events);

    let range = PositionRange { from: 2, to: 6 };
    let bundle = voice.export(bundle_of(Scope::Range(range))).await.unwrap();
    assert_eq!(checked(&bundle, &key).events, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_line_of_a_bundle_that_is_altered_or_missing_is_found() {
    let home = Home::new();
    let server = home.start_notarised();
    let voice = server.voice().await;
    let (_, plan_id) = written(&voice).await;
    let key = voice.verifier_key().await;
    let bundle = voice.export(bundle_of(Scope::PlanId(plan_id))).await;
    let bundle = bundle.unwrap();
    checked(&bundle, &key);
    let options = VerifyOptions {
        policy: Policy::of_logs(vec![key.parse().unwrap()]),
        since: None,
    };
    let refuses = |lines: &[&str]| {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        verify_bundle(&mut text.as_bytes(), &options, &mut |_, _| {}).is_err()
    };
    let lines: Vec<_> = bundle.lines().collect();
    for at in 0..lines.len() {
        let without = [&lines[..at], &lines[at + 1..]].concat();
        assert!(refuses(&without), "without line {at}");
        // Each event of the ledger's own streams is proved by itself, whatever comes before it.
        let own = |line: &str| line.starts_with("{\"ledger\"");
        let twice = [&lines[..=at], &lines[at..]].concat();
        assert!(own(lines[at]) || refuses(&twice), "with line {at} twice");
        if at + 1 < lines.len() && !(own(lines[at]) && own(lines[at + 1])) {
            let mut swapped = lines.clone();
            swapped.swap(at, at + 1);
            assert!(refuses(&swapped), "with lines {at} and {} swapped", at + 1);
        }
    }
}
