//! The kill test, for a short time: see tests/kills.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::*;

fn kills(program: &Path, more: &[&str]) -> Output {
    let mut kills = Command::new(env!("CARGO_BIN_EXE_kills"));
    kills.arg("--program").arg(program).args(more);
    output(kills.stdout(std::process::Stdio::piped()))
}

#[test]
fn a_server_that_is_killed_under_load_again_and_again_loses_nothing() {
    let program = Path::new(env!("CARGO_BIN_EXE_planledger-under-test"));
    let output = kills(program, &["--times", "12", "--ledger", "6"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

/// A server whose journal has lost its end each time that it starts.
#[test]
fn a_server_that_lost_what_it_had_receipted_is_found_out() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("forgets");
    let real = env!("CARGO_BIN_EXE_planledger-under-test");
    let script = format!(
        r#"#!/bin/bash
set -e
last=
for word in "$@"; do
  if [ "$last" = --dir ] && [ -d "$word/journal" ]; then
    log=$(ls "$word"/journal/segment-*.log | tail -n 1)
    size=$(stat -c %s "$log")
    if [ "$size" -gt 200000 ]; then
      truncate -s $((size - 4000)) "$log"
      rm -rf "$word/derived"
    fi
  fi
  last=$word
done
exec {real} "$@"
"#
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o700)).unwrap();
    let output = kills(&program, &["--times", "6", "--ledger", "6"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}
