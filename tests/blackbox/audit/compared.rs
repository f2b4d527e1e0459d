//! `planledger audit compare` and `audit misbehaviour`: two people put their files together.

use super::place::{Files, key_of, written};
use crate::support::*;

/// A ledger of which a copy went on by itself, under the same key: two histories.
struct TwoStories {
    files: Files,
    key: String,
    origin: String,
}

impl TwoStories {
    async fn new() -> Self {
        let home = Home::new();
        let server = Serving::start(home.path());
        let (school, plan_id) = written(&server.voice().await, 3).await;
        let key = key_of(&server.url);
        let files = Files::new();
        let keep = |server: &Serving, name: &str| {
            let shown = run(["audit", "checkpoint", "--new", "--server", &server.url]).done();
            files.write(name, &shown.stdout);
        };
        keep(&server, "first.checkpoint");
        server.stop();
        let copy = home.copied();
        for (home, name, text) in [
            (&home, "one", "Læser med lyst"),
            (&copy, "two", "Læser nødigt"),
        ] {
            let server = Serving::start(home.path());
            let voice = server.voice().await;
            voice.execute(write_status(&plan_id, text)).await;
            keep(&server, &format!("{name}.checkpoint"));
            files
                .export(&server.url, name, &["--plan", &plan_id])
                .done();
            let student = ["--student", &school.student, "--integrity-only"];
            files
                .export(&server.url, &format!("{name}.student"), &student)
                .done();
            server.stop();
        }
        let origin = files.read("one.checkpoint");
        let origin = origin.lines().next().unwrap().to_owned();
        Self { files, key, origin }
    }

    fn compare(&self, names: &[&str], more: &[&str]) -> Ran {
        let paths: Vec<_> = names.iter().map(|name| self.files.path(name)).collect();
        let paths: Vec<_> = paths.iter().map(String::as_str).collect();
        let whom = ["--key", &self.key];
        run([&["audit", "compare"], paths.as_slice(), &whom, more].concat())
    }

    fn check(&self, name: &str, key: &str, more: &[&str]) -> Ran {
        let path = self.files.path(name);
        run([&["audit", "misbehaviour", &path, "--key", key], more].concat())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn files_of_one_history_do_not_contradict_each_other_and_it_is_said_what_that_is_worth() {
    let found = TwoStories::new().await;
    let names = ["first.checkpoint", "one", "one.student", "one.checkpoint"];
    let ran = found.compare(&names, &[]).done();
    assert_eq!(ran.stderr, "");
    let says = format!(" checkpoints and 2 records of heads of {}\n", found.origin);
    assert!(ran.stdout.contains(&says), "{}", ran.stdout);
    assert!(
        ran.stdout
            .ends_with("no contradiction; that is no proof that there is none\n"),
        "{}",
        ran.stdout
    );
    let out = found.files.path("nothing");
    let json = found
        .compare(&names, &["--json", "--out", &out])
        .done()
        .json();
    assert_eq!(json["contradictions"], serde_json::json!([]));
    assert_eq!(json["proof"], serde_json::Value::Null);
    assert!(json["events"].as_u64().unwrap() > 0);
    assert!(!found.files.is_there("nothing"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn two_stories_are_found_and_the_proof_needs_nothing_but_the_key() {
    let found = TwoStories::new().await;
    for name in ["one", "two"] {
        found.files.verify(name, &["--key", &found.key]).done();
    }
    for (names, kind) in [
        (["one", "two"], "POSITION"),
        (["one.student", "two"], "POSITION"),
        (["one.checkpoint", "two.checkpoint"], "ROOTS"),
    ] {
        let out = format!("{}.proof", names.concat());
        let path = found.files.path(&out);
        let ran = found.compare(&names, &["--out", &path]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(
            ran.stderr.contains("the files contradict each other"),
            "{}",
            ran.stderr
        );
        assert!(
            ran.stdout.contains(&format!("✗ {kind}: ")),
            "{}",
            ran.stdout
        );
        assert!(
            ran.stdout.contains(&format!("signed by {}", found.key)),
            "{}",
            ran.stdout
        );
        // No text of the plan is in the proof.
        assert!(!found.files.read(&out).contains("Læser"));
        let said = found.check(&out, &found.key, &[]).done();
        let proved = format!("Proved: the log {} contradicts itself\n", found.origin);
        assert!(said.stdout.starts_with(&proved), "{}", said.stdout);
        let json = found.check(&out, &found.key, &["--json"]).done().json();
        assert_eq!(json["signedBy"], serde_json::json!([found.key]));
        // Nothing is written over.
        let again = found.compare(&names, &["--out", &path]);
        assert_eq!(again.code, Some(1));
        assert!(again.stderr.contains("already exists"), "{}", again.stderr);
    }
    let proof = found.files.read("onetwo.proof");
    // The first digit of the size that is signed.
    let size = proof.find("\\n").unwrap() + 2;
    let (before, behind) = proof.split_at(size);
    for (altered, says) in [
        (format!("{before}1{behind}"), "does not fit the text"),
        (
            proof.replacen("planledger-misbehaviour/1", "planledger-misbehaviour/2", 1),
            "only form",
        ),
        (proof.replace("\n", " \n"), "only form"),
        (String::new(), "not a proof of misbehaviour"),
        (found.files.read("one"), "not a proof of misbehaviour"),
    ] {
        found.files.write("altered", &altered);
        let refused = found.check("altered", &found.key, &[]);
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""));
        assert!(refused.stderr.contains(says), "{says}: {}", refused.stderr);
    }
    let other = key_of_another_ledger();
    let refused = found.check("onetwo.proof", &other, &[]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.stderr.contains("not signed by a known key"),
        "{}",
        refused.stderr
    );
}

fn key_of_another_ledger() -> String {
    let home = Home::new();
    let server = Serving::start(home.path());
    let key = key_of(&server.url);
    server.stop();
    key
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_file_that_is_no_evidence_is_named_and_its_text_cannot_pass_for_a_report() {
    let found = TwoStories::new().await;
    let hostile = "x\u{202e}\u{1b}[2K\nno contradiction\n7\n";
    found.files.write("hostile", hostile);
    let refused = found.compare(&["one", "hostile"], &[]);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""));
    assert!(
        refused.stderr.contains("hostile: line 1: CHECKPOINT"),
        "{}",
        refused.stderr
    );
    assert!(!refused.stderr.contains('\u{1b}'));
    let alone = found.compare(&["one"], &[]);
    assert_eq!(alone.code, Some(2), "{alone:?}");
    let missing = found.compare(&["one", "missing"], &[]);
    assert_eq!(missing.code, Some(1), "{missing:?}");
    assert!(missing.stderr.contains("missing: "), "{}", missing.stderr);
}
