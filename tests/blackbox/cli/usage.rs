//! Wrong usage, and what is asked for.

use crate::support::*;

#[test]
fn wrong_usage_is_exit_code_2_and_says_nothing_on_standard_output() {
    let id = new_id();
    let cases: &[&[&str]] = &[
        &[],
        &["fly"],
        &["serve", "--fly"],
        // Other users of the machine see flags.
        &["serve", "--dev", "--master-key", "ab"],
        &["import"],
        &["import", "roster"],
        &["plan", "show"],
        &["plan", "show", "010203-1234"],
        &["plan", "show", &id, "--viewer", "rektor"],
        &["plan", "show", &id, "--at", "22/2"],
        &["plan", "list"],
        &["plan", "list", "--student", &id, "--owner", &id],
        &["ledger", "status", "--server", "not a url"],
        &["ledger", "status", "--server", "127.0.0.1:50051"],
        &["ledger", "status", "--server", "ftp://127.0.0.1:50051"],
        &["ledger", "status", "--cert", "portal.pem"],
        &["ledger", "status", "--token-file", "there/is/none"],
        &["ledger", "status", "--log", "loud"],
        &["serve", "--dev", "--listen", "localhost"],
    ];
    for arguments in cases {
        let ran = run(*arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?} {ran:?}");
        assert_eq!(ran.stdout, "", "{arguments:?}");
        assert!(!ran.stderr.is_empty(), "{arguments:?}");
        assert!(!ran.stderr.contains("010203"), "{arguments:?}");
    }
}

#[test]
fn help_and_version_are_what_was_asked_for() {
    for arguments in [&["--help"][..], &["--version"], &["import", "--help"]] {
        let ran = run(arguments).done();
        assert!(!ran.stdout.is_empty());
        assert_eq!(ran.stderr, "");
    }
    for command in ["serve", "demo", "import", "plan", "ledger"] {
        assert!(run(["--help"]).stdout.contains(command), "{command}");
    }
}

#[test]
fn a_server_that_does_not_answer_is_exit_code_1_and_named() {
    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let id = new_id();
    for arguments in [
        &["ledger", "status", "--json"][..],
        &["plan", "show", &id, "--json"],
        &["plan", "list", "--student", &id],
    ] {
        let ran = run([arguments, &["--server", &url]].concat());
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert_eq!(ran.stdout, "");
        assert!(ran.stderr.contains(&url), "{}", ran.stderr);
    }
}
