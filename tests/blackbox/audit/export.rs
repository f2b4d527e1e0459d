//! `planledger audit export`: taking evidence away, also over a line that breaks.

use serde_json::Value;

use super::place::{Files, key_of, written};
use crate::support::*;

/// A plan whose bundle takes several answers to send.
async fn long_plan(voice: &Voice) -> (School, String) {
    let (school, plan_id) = written(voice, 1).await;
    let texts = (0..24).map(|n| format!("{n}: {}", "å".repeat(9_500)));
    let writes = texts.map(|text| write_status(&plan_id, &text));
    voice.all(writes).await;
    (school, plan_id)
}

fn positions(bundle: &str) -> Vec<u64> {
    let lines = bundle.lines().map(|line| line.parse::<Value>().unwrap());
    let events = lines.filter_map(|line| line["event"]["position"].as_u64());
    events.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_plan_a_student_and_a_stretch_of_the_journal_are_each_taken_away_in_one_file() {
    let (server, voice) = Home::new().serve_notarised().await;
    let (school, plan_id) = written(&voice, 3).await;
    let files = Files::new();
    let key = key_of(&server.url);
    for (name, what, count) in [
        ("plan", &["--plan", &plan_id][..], 5),
        ("student", &["--student", &school.student], 8),
        ("range", &["--from", "2", "--to", "5"], 4),
        ("one", &["--from", "3", "--to", "3"], 1),
    ] {
        let ran = files.export(&server.url, name, what).done();
        let path = files.path(name);
        assert_eq!(ran.stdout, format!("{count} events in {path}\n"));
        assert_eq!(ran.stderr, "");
        assert_eq!(positions(&files.read(name)).len(), count);
        files.verify(name, &["--key", &key]).done();
        assert!(!files.is_there(&format!("{name}.partial")));
        let other = format!("{name}.json");
        let ran = files.export(&server.url, &other, &[what, &["--json"]].concat());
        let json = ran.done().json();
        let expected = serde_json::json!({ "file": files.path(&other), "events": count });
        assert_eq!(json, expected);
        assert_eq!(files.read(&other), files.read(name));
    }
    let size = voice.position().await;
    files.export(&server.url, "rest", &["--from", "4"]).done();
    assert_eq!(positions(&files.read("rest")), Vec::from_iter(4..=size));

    // What is there is evidence, and is not written over.
    let before = files.read("plan");
    let again = files.export(&server.url, "plan", &["--student", &school.student]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains("already exists"), "{again:?}");
    assert_eq!(files.read("plan"), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn growth_from_an_earlier_checkpoint_is_asked_for_by_its_file_or_its_size() {
    let (server, voice) = Home::new().serve_notarised().await;
    let (_, plan_id) = written(&voice, 3).await;
    let files = Files::new();
    let key = key_of(&server.url);
    let kept = run(["audit", "checkpoint", "--new", "--server", &server.url]).done();
    files.write("kept", &kept.stdout);
    let size = voice.position().await.to_string();
    voice.execute(write_status(&plan_id, "Siden")).await;
    let path = files.path("kept");
    for (name, since) in [("by-file", &path), ("by-size", &size)] {
        let what = ["--plan", &plan_id, "--since", since];
        files.export(&server.url, name, &what).done();
        let ran = files
            .verify(name, &["--key", &key, "--since", &path])
            .done();
        let grew = format!("the log grew from your checkpoint of {size} events");
        assert!(ran.stdout.contains(&grew), "{}", ran.stdout);
    }
    files.write("none", "this is no checkpoint");
    for (since, says) in [
        (files.path("nowhere"), "nowhere"),
        (files.path("none"), "none"),
        ("1000000".to_owned(), "POSITION_AHEAD"),
    ] {
        let what = ["--plan", &plan_id, "--since", &since];
        let ran = files.export(&server.url, "refused", &what);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
    }
    assert!(!files.is_there("refused"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn over_a_line_that_breaks_an_export_comes_further_each_time_and_ends_in_the_same_file() {
    let (server, voice) = Home::new().serve_notarised().await;
    let (school, plan_id) = long_plan(&voice).await;
    let files = Files::new();
    let key = key_of(&server.url);
    for (name, what) in [
        ("plan", &["--plan", &plan_id][..]),
        ("student", &["--student", &school.student]),
        ("range", &["--from", "3", "--integrity-only"]),
    ] {
        let whole = format!("whole-{name}");
        files.export(&server.url, &whole, what).done();
        let whole = files.read(&whole);
        let partial = format!("{name}.partial");
        // One answer comes through, and the next does not.
        let (mut kept, mut breaks) = (String::new(), 0);
        while kept.len() + 290_000 < whole.len() {
            let proxy = Proxy::cutting(&server.url, 300_000).await;
            let ran = files.export(&proxy.url, name, what);
            assert_eq!(ran.code, Some(1), "{ran:?}");
            assert!(ran.stderr.contains("error: "), "{}", ran.stderr);
            assert!(!files.is_there(name), "it has its name when it is whole");
            assert_eq!(ran.stdout, "");
            let now = files.read(&partial);
            assert!(whole.starts_with(&now) && now.len() > kept.len());
            kept = now;
            breaks += 1;
        }
        assert!(breaks > 1);
        // Whatever is recorded meanwhile is not in it.
        voice.execute(write_status(&plan_id, &new_id())).await;
        let ran = files.export(&server.url, name, what).done();
        let last = positions(&kept).last().copied().unwrap();
        let note = format!("continuing the unfinished export after position {last}\n");
        assert_eq!(ran.stderr, note);
        assert!(files.read(name) == whole, "{name}");
        assert!(!files.is_there(&partial));
        files.verify(name, &["--key", &key]).done();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_file_that_was_cut_off_anywhere_is_gone_on_with_to_the_same_bytes() {
    let (server, voice) = Home::new().serve_notarised().await;
    let (_, plan_id) = written(&voice, 3).await;
    let files = Files::new();
    let what = ["--plan", &plan_id];
    files.export(&server.url, "whole", &what).done();
    let whole = files.read("whole");
    let ends: Vec<_> = whole.match_indices('\n').map(|(at, _)| at + 1).collect();
    let first_event = whole.find("{\"event\"").unwrap();
    let of_event = |end: &&usize| **end > first_event;
    let event_ends: Vec<_> = ends.iter().filter(of_event).copied().collect();
    let [first, second, .., last, end] = event_ends[..] else {
        panic!("{event_ends:?}")
    };
    let garbage = format!("{}\0\0\0\0", &whole[..second]);
    let cut = |at: usize| whole[..at].to_owned();
    for (part, goes_on) in [
        (String::new(), false),
        (cut(20), false),
        // Nothing of the plan is there yet, so nothing is lost by beginning anew.
        (cut(ends[0]), false),
        (cut(first_event), false),
        (cut(first - 1), false),
        (cut(first), true),
        (cut(first + 1), true),
        (cut(second - 10), true),
        (garbage, true),
        (cut(last), true),
        (cut(end - 2), true),
        (cut(end), true),
        ("not a bundle\n".to_owned(), false),
    ] {
        files.write("parts.partial", &part);
        let ran = files.export(&server.url, "parts", &what).done();
        let went_on = ran.stderr.contains("continuing");
        assert_eq!(went_on, goes_on, "{} bytes: {}", part.len(), ran.stderr);
        assert!(files.read("parts") == whole, "{} bytes", part.len());
        std::fs::remove_file(files.path("parts")).unwrap();
    }
}

/// Two bundles beside each other were written to one file while they were not whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_left_of_another_bundle_is_not_gone_on_with() {
    let (server, voice) = Home::new().serve_notarised().await;
    let (school, plan_id) = long_plan(&voice).await;
    let before = voice.new_checkpoint().await.size.to_string();
    voice.execute(write_status(&plan_id, "Siden")).await;
    let files = Files::new();
    let key = key_of(&server.url);
    let break_off = |name: &'static str, what: Vec<String>| {
        let (files, url) = (&files, &server.url);
        async move {
            let proxy = Proxy::cutting(url, 300_000).await;
            let what: Vec<_> = what.iter().map(String::as_str).collect();
            let ran = files.export(&proxy.url, name, &what);
            assert_eq!(ran.code, Some(1), "{ran:?}");
            assert!(!files.read(&format!("{name}.partial")).is_empty());
        }
    };
    let owned = |what: &[&str]| what.iter().map(|word| (*word).to_owned()).collect();
    let plan = ["--plan", &plan_id];
    let student = ["--student", &school.student];
    break_off("ida.plan", owned(&plan)).await;
    break_off("ida.student", owned(&student)).await;
    for (name, what) in [("ida.plan", plan), ("ida.student", student)] {
        let ran = files.export(&server.url, name, &what).done();
        assert!(ran.stderr.contains("continuing"), "{}", ran.stderr);
        files.verify(name, &["--key", &key]).done();
    }

    // The same name, and something else is asked for.
    for (name, what) in [
        ("a", &student[..]),
        ("b", &["--plan", &plan_id, "--integrity-only"]),
        ("c", &["--plan", &plan_id, "--since", &before]),
        ("d", &["--from", "1"]),
    ] {
        break_off(name, owned(&plan)).await;
        let ran = files.export(&server.url, name, what).done();
        assert_eq!(ran.stderr, "", "begun anew");
        let expected = format!("{name}-expected");
        files.export(&server.url, &expected, what).done();
        assert!(files.read(name) == files.read(&expected));
        files.verify(name, &["--key", &key]).done();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_cannot_be_taken_away_leaves_no_file() {
    let home = Home::new();
    let (server, voice) = home.serve_notarised().await;
    let (_, plan_id) = written(&voice, 1).await;
    let files = Files::new();
    let nobody = new_id();
    for (what, code, says) in [
        (&[][..], 2, "--plan"),
        (&["--plan", &plan_id, "--student", &nobody], 2, "--student"),
        (&["--to", "5"], 2, "--from"),
        (&["--plan", &plan_id, "--to", "5"], 2, "--from"),
        (&["--from", "0"], 2, "--from"),
        (&["--plan", "abc"], 2, "--plan"),
        (&["--plan", &nobody], 1, "PLAN_NOT_FOUND"),
        (&["--student", &nobody], 1, "PERSON_NOT_FOUND"),
        (&["--from", "1", "--to", "1000000"], 1, "POSITION_AHEAD"),
        (&["--from", "5", "--to", "4"], 1, "REQUEST_INVALID"),
        (&["--plan", &plan_id, "--as", "nobody"], 1, "ACTOR_INVALID"),
    ] {
        let ran = files.export(&server.url, "file", what);
        assert_eq!(ran.code, Some(code), "{ran:?}");
        assert!(ran.stderr.contains(says), "{says}: {}", ran.stderr);
        assert_eq!(ran.stdout, "");
        assert!(!files.is_there("file") && !files.is_there("file.partial"));
    }
    server.stop();
    let without = home.start();
    let ran = files.export(&without.url, "file", &["--plan", &plan_id]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("NOTARY_DISABLED"), "{}", ran.stderr);
    let url = without.url.clone();
    without.stop();
    let ran = files.export(&url, "file", &["--plan", &plan_id]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("no server answers"), "{}", ran.stderr);
    assert!(!files.is_there("file") && !files.is_there("file.partial"));
}
