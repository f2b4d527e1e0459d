//! The outside witness, a process of its own: see tests/witness.

use std::cell::Cell;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use super::program::{output, start};

/// Keeps what servers promised.
pub(crate) struct Outside {
    dir: TempDir,
    seed: u64,
    /// Whether the test sends commands of its own.
    others: Cell<bool>,
}

/// What came of a check.
#[derive(Debug)]
pub(crate) struct Checked {
    /// Everything that was compared is as it has to be.
    pub(crate) good: bool,
    /// What the witness found, or why it could not look.
    pub(crate) said: String,
    /// Commands that had a receipt before, and those of them that are not there.
    pub(crate) receipted: u64,
    pub(crate) missing: u64,
}

impl Outside {
    pub(crate) fn new(seed: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let others = Cell::new(false);
        Self { dir, seed, others }
    }

    /// From now on there may be commands that it did not send.
    pub(crate) fn expect_others(&self) {
        self.others.set(true);
    }

    /// The file of commands and receipts.
    pub(crate) fn kept(&self) -> PathBuf {
        self.dir.path().join("kept")
    }

    fn command(&self, what: &str, url: &str) -> Command {
        let mut witness = Command::new(env!("CARGO_BIN_EXE_outside-witness"));
        witness.args([what, "--server", url, "--seed", &self.seed.to_string()]);
        witness.arg("--kept").arg(self.kept());
        witness.stdout(Stdio::piped()).stderr(Stdio::piped());
        witness
    }

    /// Puts a server under load; gives what it said.
    pub(crate) fn load(&self, url: &str, more: &[&str]) -> String {
        let output = output(self.command("load", url).args(more));
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        said(&output)
    }

    /// Begins to put a server under load.
    pub(crate) fn begin_load(&self, url: &str, more: &[&str]) -> Child {
        start(self.command("load", url).args(more))
    }

    /// Holds a server to everything that was receipted.
    pub(crate) fn check(&self, url: &str) -> Checked {
        let mut check = self.command("check", url);
        if self.others.get() {
            check.arg("--others");
        }
        let output = output(&mut check);
        let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let number = |name: &str| found[name].as_u64().unwrap_or_default();
        Checked {
            receipted: number("receipted"),
            missing: number("receipts_missing"),
            good: output.status.code() == Some(0),
            said: said(&output),
        }
    }
}

fn said(output: &Output) -> String {
    let parts = [&output.stdout, &output.stderr];
    parts.map(|part| String::from_utf8_lossy(part)).concat()
}
