//! Bundles of evidence over the network: whole, cut off and gone on with, and altered.

use planledger_core::audit::{Bytes, VerifyOptions, verify_bundle};
use planledger_core::domain::EventType;
use planledger_core::entry::Entry;
use planledger_core::tlog::Policy;
use planledger_proto::v1::export_bundle_request::Scope;
use planledger_proto::v1::*;
use serde_json::Value;

use super::place::written;
use crate::support::*;

/// A bundle's lines as JSON, by what they are.
fn lines(bundle: &str) -> Vec<(String, Value)> {
    let read = |line: &str| {
        let Value::Object(line) = serde_json::from_str(line).unwrap() else {
            panic!("{line}")
        };
        line.into_iter().next().unwrap()
    };
    bundle.lines().map(read).collect()
}

/// Positions of a bundle's events.
fn positions(bundle: &str) -> Vec<u64> {
    let lines = lines(bundle).into_iter();
    let events = lines.filter(|(kind, _)| kind == "event");
    events
        .map(|(_, line)| line["position"].as_u64().unwrap())
        .collect()
}

async fn positions_of(voice: &Voice, streams: &[String]) -> Vec<u64> {
    let events = voice.all_events().await.into_iter();
    let of_them = events.filter(|event| streams.contains(&event.stream));
    of_them.map(|event| event.position).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_plan_is_proved_by_its_bundle_whole_and_from_an_earlier_checkpoint_on() {
    let (_server, voice) = Home::new().serve_notarised().await;
    let (_, plan_id) = written(&voice, 5).await;
    let key = voice.verifier_key().await;
    let before = voice.new_checkpoint().await;
    voice.execute(write_status(&plan_id, "Til sidst")).await;
    let request = ExportBundleRequest {
        since_size: before.size,
        ..bundle_of(Scope::PlanId(plan_id.clone()))
    };
    let bundle = voice.export(request).await.unwrap();
    let stream = format!("plan/{plan_id}");
    let all = positions_of(&voice, std::slice::from_ref(&stream)).await;
    assert_eq!(positions(&bundle), all);
    let report = checked_since(&bundle, &key, &before);
    assert_eq!(report.since, Some(before.size));
    assert_eq!(
        (report.events, report.opened),
        (all.len() as u64, all.len() as u64)
    );
    let [of_plan] = report.streams.as_slice() else {
        panic!("{report:?}")
    };
    assert_eq!(of_plan.stream.to_string(), stream);
    // Every event but the record of heads itself.
    let through = of_plan.complete_through.unwrap().get();
    assert!(through >= *all.last().unwrap());
    // Its texts are there sealed, and are disclosed by their keys and by nothing else.
    assert!(!bundle.contains("Til sidst"));
    let read = texts(&bundle, &key);
    assert!(
        read.iter().any(|text| text.contains("Til sidst")),
        "{read:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_student_is_proved_with_every_plan_and_without_the_classmates() {
    let (_server, voice) = Home::new().serve_notarised().await;
    let (school, plan_id) = written(&voice, 2).await;
    let course = school.course(&voice, YearPlanKind::Combined).await;
    let second = school.plan(&voice, &course).await;
    let other = school.plan_of(&voice, &school.classmate, &course).await;
    let key = voice.verifier_key().await;
    let scope = Scope::StudentId(school.student.clone());
    let bundle = voice.export(bundle_of(scope)).await.unwrap();
    let streams = [
        format!("person/{}", school.student),
        format!("plan/{plan_id}"),
        format!("plan/{second}"),
    ];
    assert_eq!(positions(&bundle), positions_of(&voice, &streams).await);
    let report = checked(&bundle, &key);
    let found = report.streams.iter().map(|of| of.stream.to_string());
    let mut found: Vec<_> = found.collect();
    found.sort();
    let mut streams = streams.to_vec();
    streams.sort();
    assert_eq!(found, streams);
    let complete = report.streams.iter().map(|of| of.complete_through);
    assert!(complete.into_iter().all(|through| through.is_some()));
    assert!(
        texts(&bundle, &key)
            .iter()
            .any(|text| text.contains(STUDENT))
    );
    let of_other = positions_of(&voice, &[format!("plan/{other}")]).await;
    assert!(!of_other.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_range_is_proved_with_every_event_of_it_and_up_to_the_newest() {
    let (_server, voice) = Home::new().serve_notarised().await;
    written(&voice, 3).await;
    let key = voice.verifier_key().await;
    let size = voice.new_checkpoint().await.size;
    for (from, to) in [(1, 1), (2, 6), (7, size), (1, size), (size, size)] {
        let scope = Scope::Range(PositionRange { from, to });
        let bundle = voice.export(bundle_of(scope)).await.unwrap();
        assert_eq!(positions(&bundle), Vec::from_iter(from..=to));
        assert_eq!(checked(&bundle, &key).events, to + 1 - from);
    }
    let scope = Scope::Range(PositionRange { from: 4, to: 0 });
    let bundle = voice.export(bundle_of(scope)).await.unwrap();
    assert_eq!(positions(&bundle), Vec::from_iter(4..=size));
    checked(&bundle, &key);
}

/// Whether an event is a record of heads. Its entry says so.
fn is_record_of_heads(line: &Value) -> bool {
    let entry: Bytes = serde_json::from_value(line["entry"].clone()).unwrap();
    let entry = Entry::decode(&entry.array().unwrap()).unwrap();
    let known = EventType::from_code(entry.event_type).unwrap();
    known.name == "ledger.heads_recorded"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn for_integrity_only_a_bundle_proves_the_same_and_holds_no_key_to_any_text() {
    let (_server, voice) = Home::new().serve_notarised().await;
    let (school, plan_id) = written(&voice, 2).await;
    let key = voice.verifier_key().await;
    let range = PositionRange { from: 1, to: 0 };
    for scope in [
        Scope::PlanId(plan_id),
        Scope::StudentId(school.student),
        Scope::Range(range),
    ] {
        let readable = voice.export(bundle_of(scope.clone())).await.unwrap();
        let integrity = ExportBundleRequest {
            disclosure: BundleDisclosure::Integrity.into(),
            ..bundle_of(scope)
        };
        let bundle = voice.export(integrity).await.unwrap();
        for ((kind, line), (_, readable)) in lines(&bundle).iter().zip(lines(&readable)) {
            // The ledger's own events are of keys and hashes, and are about nobody.
            if kind == "event" {
                assert_eq!(
                    line.get("key").is_some(),
                    is_record_of_heads(line),
                    "{line}"
                );
                assert!(readable.get("key").is_some(), "{readable}");
                assert_eq!(line["entry"], readable["entry"]);
                assert_eq!(line["sealed"], readable["sealed"]);
            }
        }
        assert_eq!(texts(&bundle, &key), [""; 0]);
        let (report, full) = (checked(&bundle, &key), checked(&readable, &key));
        assert_eq!((report.opened, report.redacted), (0, 0));
        assert_eq!(report.events, full.events);
        assert_eq!(report.streams, full.streams);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_bundle_that_broke_off_is_gone_on_with_to_the_same_bytes_whatever_was_recorded_since() {
    let (_server, voice) = Home::new().serve_notarised().await;
    let (school, plan_id) = written(&voice, 0).await;
    // Enough for several answers.
    for n in 0..20 {
        let text = format!("{n}: {}", "æ".repeat(9_500));
        voice.execute(write_status(&plan_id, &text)).await;
    }
    let key = voice.verifier_key().await;
    for scope in [
        Scope::PlanId(plan_id.clone()),
        Scope::StudentId(school.student.clone()),
        Scope::Range(PositionRange { from: 2, to: 40 }),
    ] {
        let request = bundle_of(scope);
        let gone_on_with = |part: &str, checkpoint_size| {
            let after_position = *positions(part).last().unwrap();
            let resume = Some(ResumeBundle {
                checkpoint_size,
                after_position,
            });
            let request = ExportBundleRequest {
                resume,
                ..request.clone()
            };
            let (part, voice) = (part.to_owned(), &voice);
            async move { part + &voice.export(request).await.unwrap() }
        };
        let checkpoint_size = voice.new_checkpoint().await.size;
        let whole = voice.export(request.clone()).await.unwrap();
        assert_eq!(checked(&whole, &key).checkpoint.size, checkpoint_size);
        let mut answers = voice.begin_export(request.clone()).await.unwrap();
        let first = next(&mut answers).await.unwrap().unwrap();
        assert!(first.written_events < first.total_events);
        // Here the connection breaks.
        drop(answers);
        voice.execute(write_status(&plan_id, &new_id())).await;
        assert!(voice.new_checkpoint().await.size > checkpoint_size);
        let again = gone_on_with(&first.lines, checkpoint_size).await;
        assert!(again == whole, "{:?}", request.scope);
        let lines: Vec<_> = whole.split_inclusive('\n').collect();
        for kept in [lines.len() / 2, lines.len() - 2, lines.len() - 1] {
            let again = gone_on_with(&lines[..kept].concat(), checkpoint_size).await;
            assert!(again == whole, "{:?} after {kept} lines", request.scope);
        }
    }
}

/// The end of a range, and not another count, when everything of it is there already.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_a_bundle_that_is_whole_but_for_its_end_only_the_end_is_given() {
    let (_server, voice) = Home::new().serve_notarised().await;
    written(&voice, 3).await;
    let key = voice.verifier_key().await;
    let checkpoint_size = voice.new_checkpoint().await.size;
    let request = bundle_of(Scope::Range(PositionRange { from: 2, to: 6 }));
    let whole = voice.export(request.clone()).await.unwrap();
    let end = whole.lines().last().unwrap().to_owned() + "\n";
    checked(&whole, &key);
    for after_position in [6, 7, checkpoint_size] {
        let resume = ResumeBundle {
            checkpoint_size,
            after_position,
        };
        let request = ExportBundleRequest {
            resume: Some(resume),
            ..request.clone()
        };
        assert_eq!(voice.export(request).await.unwrap(), end);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_line_of_a_bundle_that_is_altered_or_missing_is_found() {
    let (_server, voice) = Home::new().serve_notarised().await;
    let (_, plan_id) = written(&voice, 5).await;
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
