//! `planledger audit` and `planledger witness`: real processes from one end to the other.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use planledger_proto::v1::*;

use crate::support::*;

async fn written(voice: &Voice) -> (School, String) {
    let school = School::found(voice).await;
    let course = school.course(voice, YearPlanKind::Subject).await;
    let plan_id = school.plan(voice, &course).await;
    for n in 0..30 {
        let text = format!("{n} {}", "Læser lidt. ".repeat(200));
        voice.execute(write_status(&plan_id, &text)).await;
    }
    (school, plan_id)
}

fn export(url: &str, plan_id: &str, out: &Path) -> Ran {
    let out = out.to_str().unwrap();
    run([
        "audit", "export", "--plan", plan_id, "--out", out, "--server", url,
    ])
}

fn key_of(url: &str) -> String {
    let ran = run(["audit", "key", "--server", url]).done();
    ran.stdout.trim().to_owned()
}

/// `planledger witness` as a process of its own.
struct Watching {
    child: Child,
    key: String,
    url: String,
}

impl Watching {
    fn start(dir: &Path, name: &str, log: &str) -> Self {
        let mut command = program();
        command.args(["witness", "--listen", "127.0.0.1:0", "--name", name]);
        command.args(["--log-key", log, "--dir"]).arg(dir);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (mut key, mut said) = (String::new(), String::new());
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut key).unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let url = loop {
            let from = said.len();
            assert!(stderr.read_line(&mut said).unwrap() > 0, "{said}");
            if let Some((_, url)) = said[from..].trim_end().split_once("listening on ") {
                break url.to_owned();
            }
        };
        // Whatever else it says must not fill the pipe up.
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        let key = key.trim().to_owned();
        Self { child, key, url }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_that_was_cut_off_is_gone_on_with_and_is_checked_without_a_server() {
    let home = Home::new();
    let files = tempfile::tempdir().unwrap();
    let server = Serving::start(home.path());
    let (_, plan_id) = written(&server.voice().await).await;
    let key = key_of(&server.url);
    let (whole, parts) = (files.path().join("whole"), files.path().join("parts"));
    export(&server.url, &plan_id, &whole).done();
    let mut cut_off = 0;
    for back in [20_000, 40_000] {
        let proxy = Proxy::cutting(&server.url, back).await;
        let ran = export(&proxy.url, &plan_id, &parts);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(!parts.exists(), "not under its name until it is whole");
        cut_off += 1;
    }
    assert_eq!(cut_off, 2);
    export(&server.url, &plan_id, &parts).done();
    let bundle = std::fs::read(&whole).unwrap();
    assert_eq!(std::fs::read(&parts).unwrap(), bundle);
    let again = export(&server.url, &plan_id, &parts);
    assert_eq!(again.code, Some(1), "what is there is not overwritten");
    server.stop();

    let verify =
        |file: &Path, key: &str| run(["audit", "verify", file.to_str().unwrap(), "--key", key]);
    let ran = verify(&whole, &key).done();
    assert!(ran.stdout.contains("Proved:"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("witness"),
        "says what it cannot: {}",
        ran.stdout
    );
    let json = run([
        "audit",
        "verify",
        whole.to_str().unwrap(),
        "--key",
        &key,
        "--json",
    ]);
    json.done().json();

    // Another key of the same name, and one letter of one text.
    let mut other = key.clone();
    other.replace_range(
        other.len() - 2..,
        if key.ends_with("AA") { "BA" } else { "AA" },
    );
    assert_ne!(verify(&whole, &other).code, Some(0));
    let altered = files.path().join("altered");
    let text = String::from_utf8(bundle).unwrap();
    let at = text.rfind("\"sealed\":\"").unwrap() + 30;
    let letter = if text.as_bytes()[at] == b'A' {
        "B"
    } else {
        "A"
    };
    let text = format!("{}{letter}{}", &text[..at], &text[at + 1..]);
    std::fs::write(&altered, text).unwrap();
    let ran = verify(&altered, &key);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let told = ran.stdout + &ran.stderr;
    assert!(
        told.contains("PAYLOAD") && told.contains("position"),
        "{told}"
    );
    let no_key = run(["audit", "verify", whole.to_str().unwrap()]);
    assert_eq!(no_key.code, Some(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_the_old_key_still_checks_what_the_new_one_signs() {
    let home = Home::new();
    let files = tempfile::tempdir().unwrap();
    let server = Serving::start(home.path());
    let (_, plan_id) = written(&server.voice().await).await;
    let old = key_of(&server.url);
    server.stop();
    let dir = home.path().to_str().unwrap();
    let ran = run(["audit", "rotate-key", "--dir", dir]).done();
    let new = ran.stdout.trim();
    let server = Serving::start(home.path());
    assert_eq!(key_of(&server.url), new);
    assert_ne!(new, old);
    let file = files.path().join("after");
    export(&server.url, &plan_id, &file).done();
    for key in [old.as_str(), new] {
        run(["audit", "verify", file.to_str().unwrap(), "--key", key]).done();
    }
    run(["audit", "replay", "--server", &server.url]).done();
    server.stop();
    run(["ledger", "verify", "--dir", dir]).done();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn witnesses_cosign_what_grows_and_a_policy_wants_as_many_as_it_says() {
    let home = Home::new();
    let files = tempfile::tempdir().unwrap();
    let server = Serving::start(home.path());
    let (_, plan_id) = written(&server.voice().await).await;
    let key = key_of(&server.url);
    server.stop();
    let witness = |name: &str| Watching::start(&files.path().join(name), name, &key);
    let (one, two) = (witness("one.example"), witness("two.example"));
    let policy = files.path().join("policy");
    let text = format!(
        "log {key}\nwitness one {} {}\nwitness two {} {}\ngroup both all one two\nquorum both\n",
        one.key, one.url, two.key, two.url
    );
    std::fs::write(&policy, text).unwrap();
    let policy = policy.to_str().unwrap();
    let serve = || Serving::start_with(home.path(), &["--witness-policy", policy]);
    let verify = |file: &Path| {
        run([
            "audit",
            "verify",
            file.to_str().unwrap(),
            "--policy",
            policy,
        ])
    };

    let server = serve();
    let file = files.path().join("cosigned");
    export(&server.url, &plan_id, &file).done();
    let ran = verify(&file).done();
    for name in ["witness one saw", "witness two saw"] {
        assert!(ran.stdout.contains(name), "{}", ran.stdout);
    }
    // One that is away does not stop the server; what it did not sign does not count.
    drop(two);
    let voice = server.voice().await;
    voice
        .execute(write_status(&plan_id, "Uden den anden"))
        .await;
    let file = files.path().join("half");
    export(&server.url, &plan_id, &file).done();
    let ran = verify(&file);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    // It comes back with what it knew.
    let _two = Watching::start(&files.path().join("two.example"), "two.example", &key);
    server.stop();
}
