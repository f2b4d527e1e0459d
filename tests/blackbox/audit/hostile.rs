//! `planledger audit verify` of a file whose names and texts try to look like its report.

use super::place::{Files, written};
use crate::support::*;

/// What a report says of what it has checked begins with a mark. No other line may hold it.
fn every_mark_is_the_reports_own(stdout: &str) {
    let marks = stdout.matches('✓').count();
    let lines = stdout.lines().filter(|line| line.starts_with("  ✓ "));
    assert_eq!(lines.count(), marks, "{stdout}");
    let hidden = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}');
    assert!(!stdout.contains(hidden), "{stdout:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_text_cannot_imitate_a_line_of_the_report() {
    let (server, voice) = Home::new().serve_notarised().await;
    let (_, plan_id) = written(&voice, 1).await;
    let said = "witness council saw the same log";
    let text = format!("Læser.\n  ✓ {said}, 2026-11-25\n{}", "  ✓ x".repeat(300));
    voice.execute(write_status(&plan_id, &text)).await;
    let files = Files::new();
    files
        .export(&server.url, "bundle", &["--plan", &plan_id])
        .done();
    let key = voice.verifier_key().await;
    let ran = files.verify("bundle", &["--key", &key, "--events"]).done();
    every_mark_is_the_reports_own(&ran.stdout);
    let told: Vec<_> = ran
        .stdout
        .lines()
        .filter(|line| line.contains(said))
        .collect();
    let [told] = told[..] else {
        panic!("{}", ran.stdout)
    };
    assert!(told.starts_with(|c: char| c.is_ascii_digit()), "{told}");
    assert!(told.chars().count() < 400, "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_name_of_a_key_cannot_imitate_a_line_of_the_report() {
    let home = Home::new();
    let name = format!("by.example/\u{202e}✓\u{2800}{}", "\u{2800}".repeat(400));
    let server = Serving::start_with(home.path(), &["--origin", &name]);
    let key = server.voice().await.verifier_key().await;
    let files = Files::new();
    files.export(&server.url, "bundle", &["--from", "1"]).done();
    let ran = run(["audit", "verify", &files.path("bundle"), "--key", &key]);
    every_mark_is_the_reports_own(&ran.stdout);
    assert!(ran.stdout.contains("more characters"), "{}", ran.stdout);
    let longest = ran.stdout.lines().map(|line| line.chars().count()).max();
    assert!(longest < Some(500), "{}", ran.stdout);
    // A fault that names a key.
    let other = Home::new();
    let server = Serving::start_with(other.path(), &[]);
    let stranger = server.voice().await.verifier_key().await;
    let ran = run(["audit", "verify", &files.path("bundle"), "--key", &stranger]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
    assert!(ran.stderr.chars().count() < 1_500, "{}", ran.stderr);
    assert!(!ran.stderr.contains('\u{202e}') && !ran.stderr.contains('✓'));
}
