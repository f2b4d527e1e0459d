//! `planledger audit verify`: what it says that a file proves, what it says that it does not, and
//! which fault it names.

use planledger_proto::v1::*;
use serde_json::{Value, json};

use super::place::{Files, written};
use crate::support::*;

/// A bundle of a plan, on a machine where no server is any more.
struct Evidence {
    files: Files,
    key: String,
    plan_id: String,
    checkpoint: Checkpoint,
    events: Vec<Event>,
    ledger: String,
}

impl Evidence {
    async fn of_a_plan(more: &[&str]) -> Self {
        let (server, voice) = Home::new().serve_notarised().await;
        let (_, plan_id) = written(&voice, 4).await;
        let files = Files::new();
        let what = [&["--plan", &plan_id], more].concat();
        files.export(&server.url, "bundle", &what).done();
        let status = voice.ask(GetStatusRequest::default()).await.unwrap();
        Self {
            key: voice.verifier_key().await,
            checkpoint: voice.new_checkpoint().await,
            events: voice.history(&plan_id).await,
            ledger: status.ledger_id,
            plan_id,
            files,
        }
    }

    fn verify(&self, name: &str, more: &[&str]) -> Ran {
        self.files
            .verify(name, &[&["--key", &self.key], more].concat())
    }

    /// The fault of a bundle with other lines: its line, position and kind, which both forms of the
    /// answer name.
    fn fault(&self, lines: &[String]) -> (u64, u64, String) {
        self.files.write("altered", &(lines.join("\n") + "\n"));
        let json = self.verify("altered", &["--json"]);
        assert_eq!(json.code, Some(1), "{json:?}");
        let fault = json.json();
        assert_eq!(fault["sound"], false);
        let number = |field: &str| fault[field].as_u64().unwrap();
        let (line, position) = (number("line"), number("position"));
        let kind = fault["kind"].as_str().unwrap();
        let text = self.verify("altered", &[]);
        assert_eq!((text.code, text.stdout.as_str()), (Some(1), ""));
        let at = match position {
            0 => format!("has a fault: line {line}: {kind}: "),
            _ => format!("has a fault: line {line}: {kind} at position {position}: "),
        };
        assert!(text.stderr.contains(&at), "{at}: {}", text.stderr);
        assert!(!text.stderr.contains("sider"), "no texts: {}", text.stderr);
        (line, position, kind.to_owned())
    }
}

fn lines(bundle: &str) -> Vec<String> {
    bundle.lines().map(str::to_owned).collect()
}

/// A line with another value in it.
fn changed(line: &str, field: &[&str], change: impl Fn(&Value) -> Value) -> String {
    let mut line: Value = line.parse().unwrap();
    let pointer = format!("/{}", field.join("/"));
    let value = line.pointer_mut(&pointer).unwrap();
    *value = change(value);
    line.to_string()
}

/// Base64 in which one bit in the middle is another.
fn flipped(text: &Value) -> Value {
    flipped_at(text, text.as_str().unwrap().len() / 2)
}

fn flipped_at(text: &Value, at: usize) -> Value {
    let text = text.as_str().unwrap();
    let letter = if &text[at..=at] == "A" { "B" } else { "A" };
    json!(format!("{}{letter}{}", &text[..at], &text[at + 1..]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_a_sound_file_it_says_what_it_proves_and_that_a_fork_cannot_be_ruled_out() {
    let found = Evidence::of_a_plan(&[]).await;
    let ran = found.verify("bundle", &[]).done();
    assert_eq!(ran.stderr, "");
    let (proved, limits) = ran
        .stdout
        .split_once("This file does not prove:\n")
        .unwrap();
    let count = found.events.len();
    let Evidence { key, plan_id, .. } = &found;
    for says in [
        "Proved:\n".to_owned(),
        format!(
            "✓ {key} signed a checkpoint of {} events of ledger {}",
            found.checkpoint.size, found.ledger
        ),
        format!("✓ that checkpoint covers {count} events of plan {plan_id}: unchanged, in order"),
        format!("✓ plan/{plan_id} is complete up to position "),
        format!(": {count} events, and none is missing"),
        format!("✓ {count} texts are the original ones"),
    ] {
        assert!(proved.contains(&says), "{says}: {proved}");
    }
    for says in [
        "– that everybody was shown the same log: without a witness, the server may have shown \
         a different log to others\n",
        "– that the log was not rewritten before you first looked: keep this checkpoint, and \
         give it with --since next time\n",
        "– that the times of the events are right: they come from the server's clock\n",
    ] {
        assert!(limits.contains(says), "{says}: {limits}");
    }
    let json = found.verify("bundle", &["--json"]).done().json();
    assert_eq!(json["sound"], true);
    assert_eq!(json["key"], *key);
    assert_eq!(json["ledger"], found.ledger);
    assert_eq!(json["size"], found.checkpoint.size);
    assert_eq!(
        (&json["events"], &json["opened"]),
        (&json!(count), &json!(count))
    );
    assert_eq!(json["since"], Value::Null);
    assert_eq!(json["witnesses"], json!([]));
    let stream = &json["streams"][0];
    assert_eq!(stream["stream"], format!("plan/{plan_id}"));
    assert_eq!(stream["events"], count);
    let not_proved = json["notProved"].as_array().unwrap();
    for limit in not_proved {
        assert!(limits.contains(limit.as_str().unwrap()), "{limit}");
    }

    // What happened, as far as it is disclosed.
    let told = found.verify("bundle", &["--events"]).done();
    for event in &found.events {
        let (_, what) = event.r#type.split_once('.').unwrap();
        let what = what.replace('_', " ");
        let told = told
            .stdout
            .lines()
            .any(|line| line.starts_with(&format!("{} ", event.position)) && line.contains(&what));
        assert!(told, "{}: {what}", event.position);
    }
    assert!(told.stdout.contains("Læser 3 sider"), "{}", told.stdout);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn without_keys_a_file_proves_as_much_and_says_that_nothing_can_be_read() {
    let found = Evidence::of_a_plan(&["--integrity-only"]).await;
    let ran = found.verify("bundle", &["--events"]).done();
    assert!(ran.stdout.contains(": unchanged, in order"));
    assert!(ran.stdout.contains("none is missing"));
    assert!(
        ran.stdout
            .contains("– what the texts say: this file has no keys")
    );
    assert!(
        !ran.stdout.contains("texts are the original"),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains("sider"), "{}", ran.stdout);
    assert_eq!(
        found.verify("bundle", &["--json"]).done().json()["opened"],
        0
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_was_tampered_with_is_named_by_line_position_and_kind() {
    let found = Evidence::of_a_plan(&[]).await;
    let all = lines(&found.files.read("bundle"));
    let header = &all[0];
    let first = all
        .iter()
        .position(|line| line.starts_with("{\"event\""))
        .unwrap();
    let heads = all
        .iter()
        .position(|line| line.starts_with("{\"heads\""))
        .unwrap();
    let (at, last) = (first + 2, all.len() - 2);
    let position = |line: usize| {
        let line: Value = all[line].parse().unwrap();
        line["event"]["position"].as_u64().unwrap()
    };
    let with = |at: usize, line: String| {
        let mut lines = all.clone();
        lines[at] = line;
        lines
    };
    let without = |at: usize, count: u64| {
        let mut lines = all.clone();
        lines.remove(at);
        *lines.last_mut().unwrap() = json!({ "end": { "events": count } }).to_string();
        lines
    };
    let in_event = |field: &'static str| with(at, changed(&all[at], &["event", field], flipped));
    let mut swapped = all.clone();
    swapped.swap(at, at + 1);
    let mut extended = all.clone();
    extended.push(header.clone());
    let count = found.events.len() as u64;
    let number = |line: usize| line as u64 + 1;
    let sealed_as = |other: usize| {
        let line: Value = all[other].parse().unwrap();
        with(
            at,
            changed(&all[at], &["event", "sealed"], |_| {
                line["event"]["sealed"].clone()
            }),
        )
    };
    let other_size = |text: &Value| {
        let size = found.checkpoint.size;
        let text = text.as_str().unwrap();
        json!(text.replacen(&format!("\n{size}\n"), &format!("\n{}\n", size + 1), 1))
    };
    for (what, lines, line, place, kind) in [
        (
            "a text",
            in_event("sealed"),
            number(at),
            position(at),
            "PAYLOAD",
        ),
        (
            "another's text",
            sealed_as(at + 1),
            number(at),
            position(at),
            "PAYLOAD",
        ),
        (
            "an entry",
            in_event("entry"),
            number(at),
            position(at),
            "LEAF",
        ),
        ("a key", in_event("key"), number(at), position(at), "KEY"),
        (
            "a proof",
            with(at, changed(&all[at], &["event", "path", "0"], flipped)),
            number(at),
            position(at),
            "LEAF",
        ),
        (
            "the order",
            swapped,
            number(at),
            position(at + 1),
            "REVISION",
        ),
        ("the end", without(last, count - 1), number(last), 0, "HEAD"),
        (
            "an event's absence",
            without(at, count - 1),
            number(at),
            position(at + 1),
            "REVISION",
        ),
        (
            "the heads",
            // In the hash of the first one.
            with(
                heads,
                changed(&all[heads], &["heads", "heads"], |it| flipped_at(it, 60)),
            ),
            number(heads),
            0,
            "HEAD",
        ),
        (
            "the size",
            with(0, changed(header, &["header", "checkpoint"], other_size)),
            0,
            0,
            "LEAF",
        ),
        ("a cut", all[..last].to_vec(), number(last), 0, "MISSING"),
        (
            "something behind the end",
            extended,
            number(last + 2),
            0,
            "FORMAT",
        ),
    ] {
        let (at_line, at_position, of_kind) = found.fault(&lines);
        assert_eq!(of_kind, kind, "{what}");
        // 0 is whichever it is.
        if place > 0 {
            assert_eq!(at_position, place, "{what}");
        }
        if line > 0 {
            assert_eq!(at_line, line, "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_is_believed_has_to_be_said_once_and_rightly() {
    let found = Evidence::of_a_plan(&[]).await;
    let other = Evidence::of_a_plan(&[]).await;
    let files = &found.files;
    let stranger = files.verify("bundle", &["--key", &other.key]);
    assert_eq!(stranger.code, Some(1), "{stranger:?}");
    assert!(stranger.stderr.contains("SIGNATURE"), "{}", stranger.stderr);
    assert_eq!(stranger.stdout, "");
    let json = files.verify("bundle", &["--key", &other.key, "--json"]);
    assert_eq!(
        (json.code, json.json()["kind"].as_str()),
        (Some(1), Some("SIGNATURE"))
    );

    // Another key in the log's own name: what a forger would publish.
    let name = found.key.split('+').next().unwrap();
    let home = Home::new();
    let server = Serving::start_with(home.path(), &["--origin", name]);
    let forged = super::place::key_of(&server.url);
    server.stop();
    assert!(forged.starts_with(&format!("{name}+")) && forged != found.key);
    let ran = files.verify("bundle", &["--key", &forged]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("SIGNATURE"), "{}", ran.stderr);

    files.write("policy", &format!("log {}\nquorum none\n", found.key));
    files.write("broken", &format!("log {}\nquorum council\n", found.key));
    let (policy, broken) = (files.path("policy"), files.path("broken"));
    files.verify("bundle", &["--policy", &policy]).done();
    let cut = &found.key[..found.key.len() - 1];
    for (whom, says) in [
        (&[][..], "--key"),
        (&["--key", &found.key, "--policy", &policy], "--policy"),
        (&["--key", cut], "--key"),
        (&["--policy", &broken], "line 2"),
        (&["--policy", &files.path("nowhere")], "nowhere"),
        (&["--key", &found.key, "--json", "--events"], "--events"),
    ] {
        let ran = files.verify("bundle", whom);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
        assert!(ran.stderr.contains(says), "{says}: {}", ran.stderr);
    }
    files.write("text", "Kære revisor\n");
    files.write("empty", "");
    for (name, says) in [
        ("nowhere", "nowhere"),
        ("text", "line 1: FORMAT"),
        ("empty", "line 1: MISSING"),
    ] {
        let ran = found.verify(name, &[]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
        assert!(ran.stderr.contains(says), "{says}: {}", ran.stderr);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn whoever_kept_a_checkpoint_is_shown_growth_and_finds_a_fork() {
    let home = Home::new();
    let files = Files::new();
    let (server, voice) = home.serve_notarised().await;
    let (_, plan_id) = written(&voice, 2).await;
    let key = voice.verifier_key().await;
    let keep = |url: &str, name: &str| {
        let kept = run(["audit", "checkpoint", "--new", "--server", url]).done();
        files.write(name, &kept.stdout);
        files.path(name)
    };
    let before = keep(&server.url, "before");
    drop(voice);
    server.stop();
    let forked = home.copied();
    let (server, liar) = (home.start_notarised(), forked.start_notarised());
    let (voice, lies) = (server.voice().await, liar.voice().await);
    voice.execute(write_status(&plan_id, "Som det var")).await;
    lies.execute(write_status(&plan_id, "Som det ikke var"))
        .await;
    let seen = keep(&server.url, "seen");
    lies.execute(write_status(&plan_id, "Og mere")).await;
    let export = |url: &str, name: &str, since: Option<&str>| {
        let what = ["--plan", &plan_id];
        let since = since.map(|since| ["--since", since]);
        let what = [&what[..], since.as_ref().map_or(&[], |it| &it[..])].concat();
        files.export(url, name, &what).done();
    };
    let verify = |name: &str, since: &str| files.verify(name, &["--key", &key, "--since", since]);

    export(&server.url, "grown", Some(&before));
    let ran = verify("grown", &before).done();
    assert!(ran.stdout.contains("the log grew from your checkpoint of "));
    assert!(
        !ran.stdout.contains("before you first looked"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("a different log to others"),
        "{}",
        ran.stdout
    );
    let grown = verify("grown", &before);
    assert_eq!(grown.code, Some(0));
    // Of the size that was kept there is nothing to prove.
    verify("grown", &seen).done();

    // The other story grew from what both have in common, and not from what was seen.
    export(&liar.url, "forked", Some(&before));
    verify("forked", &before).done();
    files.verify("forked", &["--key", &key]).done();
    export(&liar.url, "fork", Some(&seen));
    let later = keep(&liar.url, "later");
    export(&server.url, "without", None);
    let other = Evidence::of_a_plan(&[]).await;
    files.write("elsewhere", &other.checkpoint.note);
    files.write("no-checkpoint", "Kære revisor\n");
    for (name, since, says) in [
        (
            "fork",
            &seen,
            "GROWTH: the log did not grow from the checkpoint",
        ),
        ("grown", &later, "GROWTH: the earlier checkpoint has"),
        (
            "without",
            &before,
            "MISSING: the bundle does not prove that the log grew",
        ),
        (
            "forked",
            &seen,
            "MISSING: the bundle does not prove that the log grew",
        ),
        (
            "grown",
            &files.path("elsewhere"),
            "SIGNATURE: the earlier checkpoint",
        ),
        ("grown", &files.path("no-checkpoint"), "no-checkpoint"),
        ("grown", &files.path("nowhere"), "nowhere"),
    ] {
        let ran = verify(name, since);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
        assert!(ran.stderr.contains(says), "{says}: {}", ran.stderr);
    }
}
