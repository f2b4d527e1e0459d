//! Made logs, and monitors that follow them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use planledger_core::tlog::SignedCheckpoint;
use planledger_fixtures::made_log::{MadeLog, plan};
use planledger_fixtures::publishing::{Publishing, Served};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::*;

pub(super) const ORIGIN: &str = "log.example/made";
pub(super) const NAME: &str = "monitor.example/1";

/// A made log with its published checkpoint, and a place for monitors of it.
pub(super) struct Place {
    dir: TempDir,
    /// The log, and the note that it publishes.
    pub(super) log: Arc<Mutex<(MadeLog, String)>>,
    publishing: Publishing,
}

impl Place {
    pub(super) fn new(log: MadeLog) -> Self {
        Self::serving(log, |_, served| served)
    }

    /// `change` gets every path and what would be served.
    pub(super) fn serving(
        log: MadeLog,
        change: impl Fn(&str, Served) -> Served + Send + Sync + 'static,
    ) -> Self {
        let note = log.signed().note.to_string();
        let log = Arc::new(Mutex::new((log, note)));
        let served = Arc::clone(&log);
        let publishing = Publishing::start(move |path| {
            let log = served.lock().unwrap();
            let file = match path {
                "checkpoint" => Some(log.1.clone().into_bytes()),
                path => log.0.file(path),
            };
            change(path, file.into())
        });
        Self {
            dir: tempfile::tempdir().unwrap(),
            log,
            publishing,
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Changes the log, and publishes its newest checkpoint.
    pub(super) fn grow(&self, change: impl FnOnce(&mut MadeLog)) -> SignedCheckpoint {
        let mut log = self.log.lock().unwrap();
        change(&mut log.0);
        let signed = log.0.signed();
        log.1 = signed.note.to_string();
        signed
    }

    pub(super) fn policy(&self) -> String {
        let path = self.path("policy");
        if !path.exists() {
            let key = self.log.lock().unwrap().0.verifier();
            let text = format!("log {key} {}\nquorum none\n", self.publishing.url());
            fs::write(&path, text).unwrap();
        }
        path.to_str().unwrap().to_owned()
    }

    /// Follows the log once, in the folder of this name.
    pub(super) fn once(&self, name: &str) -> Ran {
        self.once_with(name, &[])
    }

    pub(super) fn once_with(&self, name: &str, more: &[&str]) -> Ran {
        let given = self.following(name);
        run(given.iter().map(String::as_str).chain(more.iter().copied()))
    }

    /// What starts a monitor that follows the log once, in the folder of this name.
    pub(super) fn following(&self, name: &str) -> Vec<String> {
        let (dir, policy) = (self.path(name), self.policy());
        let dir = dir.to_str().unwrap();
        let given = [
            "monitor", "--once", "--poll", "20", "--name", NAME, "--dir", dir, "--policy", &policy,
        ];
        given.map(str::to_owned).to_vec()
    }

    /// The last checkpoint that a monitor has cosigned.
    pub(super) fn cosigned(&self, name: &str) -> Option<SignedCheckpoint> {
        let note = fs::read(of_kind(&self.path(name), ".checkpoint")?).unwrap();
        Some(SignedCheckpoint::parse(&note).unwrap())
    }

    /// What a monitor has kept as evidence.
    pub(super) fn evidence(&self, name: &str) -> Option<Value> {
        let json = fs::read_to_string(of_kind(&self.path(name), ".fault.json")?).unwrap();
        Some(json.parse().unwrap())
    }

    /// Asserts that a monitor finds this, says it, keeps the evidence, and never cosigns it.
    #[track_caller]
    pub(super) fn assert_accused(&self, name: &str, kind: &str, position: u64) -> Value {
        let before = self.cosigned(name).map(|signed| signed.checkpoint);
        for _ in 0..2 {
            let ran = self.once(name);
            assert_eq!(ran.code, Some(1), "{ran:?}");
            let says = format!("{kind} at position {position}: ");
            assert!(ran.stderr.contains(&says), "{says} {}", ran.stderr);
        }
        let after = self.cosigned(name).map(|signed| signed.checkpoint);
        assert_eq!(after, before);
        let evidence = self.evidence(name).unwrap();
        assert_eq!(
            (&evidence["kind"], &evidence["position"]),
            (&kind.into(), &position.into())
        );
        let shown = self.log.lock().unwrap().1.clone();
        assert_eq!(evidence["checkpoint"], shown);
        evidence
    }

    /// Asserts that a monitor does not get further, and accuses nobody.
    #[track_caller]
    pub(super) fn assert_waits(&self, name: &str) -> String {
        let ran = self.once(name);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert_eq!(self.evidence(name), None);
        ran.stderr
    }
}

pub(super) fn of_kind(dir: &Path, end: &str) -> Option<PathBuf> {
    let files = fs::read_dir(dir).ok()?.map(|file| file.unwrap().path());
    let mut kept = files.filter(|file| file.to_str().unwrap().ends_with(end));
    kept.next()
}

/// A sound log of some plans.
pub(super) fn sound(events: u64) -> MadeLog {
    let mut log = MadeLog::new(ORIGIN);
    more(&mut log, events);
    log
}

pub(super) fn more(log: &mut MadeLog, events: u64) {
    for n in 0..events {
        log.event(plan(n % 17));
    }
    log.checkpoint();
}

pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}
