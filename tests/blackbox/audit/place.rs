//! What auditors look at here: a school with one plan that was written in.

use tempfile::TempDir;

use crate::support::*;

/// A student's plan in whose status was written so many times.
pub(super) async fn written(voice: &Voice, times: usize) -> (School, String) {
    let (school, _, plan_id) = written_in(voice, times).await;
    (school, plan_id)
}

/// The same, with the year plan that it hangs on.
pub(super) async fn written_in(voice: &Voice, times: usize) -> (School, Course, String) {
    let (school, course, plan_id) = School::with_plan(voice).await;
    for n in 0..times {
        let text = format!("Læser {n} sider");
        voice.execute(write_status(&plan_id, &text)).await;
    }
    (school, course, plan_id)
}

/// The key of a server, as `planledger audit key` prints it.
pub(super) fn key_of(url: &str) -> String {
    let ran = run(["audit", "key", "--server", url]).done();
    ran.stdout.trim().to_owned()
}

/// Where an auditor keeps files.
pub(super) struct Files {
    dir: TempDir,
}

impl Files {
    pub(super) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    pub(super) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(super) fn is_there(&self, name: &str) -> bool {
        self.dir.path().join(name).exists()
    }

    /// `planledger audit export` into a file.
    pub(super) fn export(&self, url: &str, name: &str, what: &[&str]) -> Ran {
        let out = self.path(name);
        run([&["audit", "export", "--server", url, "--out", &out], what].concat())
    }

    /// `planledger audit verify` of a file.
    pub(super) fn verify(&self, name: &str, whom: &[&str]) -> Ran {
        run([&["audit", "verify", &self.path(name)], whom].concat())
    }
}
