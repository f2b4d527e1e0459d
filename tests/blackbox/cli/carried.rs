//! `planledger ledger export` and `ledger import`: a ledger goes out as text and comes in again.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::*;

const WHO: &str = "system/7f9c0102-0304-4506-8708-010203040506";

/// A ledger that a server has written, its export, and its master key, kept elsewhere.
struct Exported {
    folder: TempDir,
}

impl Exported {
    fn new() -> Self {
        let home = Home::new();
        let dir = home.path().to_str().unwrap();
        let serving = Serving::start(home.path());
        let roster = samples().join("roster");
        let mut import = program();
        import.args(["import", "roster", "--server", &serving.url]);
        import.arg(roster);
        let done = output(&mut import);
        assert!(done.status.success(), "{done:?}");
        serving.stop();
        let folder = tempfile::tempdir().unwrap();
        let exported = Self { folder };
        let file = exported.file();
        let file = file.to_str().unwrap();
        run(["ledger", "export", "--dir", dir, "--out", file]).done();
        fs::copy(home.path().join("keys/master.key"), exported.key()).unwrap();
        exported
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("export.jsonl")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("master.key")
    }

    fn import(&self, to: &Path, more: &[&str]) -> Ran {
        let (file, key) = (self.file(), self.key());
        let (file, key) = (file.to_str().unwrap(), key.to_str().unwrap());
        let base = ["ledger", "import", file, "--dir", to.to_str().unwrap()];
        let why = [
            "--master-key-file",
            key,
            "--reason",
            "Ny maskine",
            "--actor",
            WHO,
        ];
        run([&base[..], &why, more].concat())
    }
}

#[test]
fn a_ledger_goes_out_as_text_and_comes_in_again() {
    let exported = Exported::new();
    let new = Home::new();
    let said = exported.import(new.path(), &["--json"]).done().json();
    assert_eq!(said["whole"], true, "{said}");
    assert_ne!(said["ledger"], said["from"]);
    let (dir, key) = (new.path().to_str().unwrap(), exported.key());
    let key = ["--dir", dir, "--master-key-file", key.to_str().unwrap()];
    run([&["ledger", "verify"], &key[..]].concat()).done();
    // What goes out of the new one is what went out of the old one, with an event more.
    let again = exported.folder.path().join("again.jsonl");
    let out = ["--out", again.to_str().unwrap()];
    run([&["ledger", "export"], &key[..], &out].concat()).done();
    let payloads = |file: &Path| -> Vec<serde_json::Value> {
        let text = fs::read_to_string(file).unwrap();
        let lines = text.lines().skip(1);
        let events = lines.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let of_ledger = |event: &serde_json::Value| {
            event["stream"]
                .as_str()
                .is_none_or(|stream| stream.starts_with("ledger/"))
        };
        events
            .filter(|event| !of_ledger(event))
            .map(|event| {
                serde_json::json!([
                    event["position"],
                    event["stream"],
                    event["revision"],
                    event["payload"]
                ])
            })
            .collect()
    };
    let before = payloads(&exported.file());
    assert!(before.len() > 20);
    assert_eq!(payloads(&again), before);
}

#[test]
fn a_changed_line_is_named_and_no_ledger_is_made() {
    let exported = Exported::new();
    let text = fs::read_to_string(exported.file()).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines[2] = lines[2].replacen("\"revision\":1", "\"revision\":7", 1);
    fs::write(exported.file(), lines.join("\n") + "\n").unwrap();
    let new = Home::new();
    let ran = exported.import(new.path(), &[]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let expected =
        "line 3: LINE_FIELD: the field revision is not what the entry says; export again";
    assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    assert_eq!(new.path().read_dir().unwrap().count(), 0);
}

#[test]
fn the_master_key_of_a_new_ledger_is_named_and_not_made() {
    let exported = Exported::new();
    fs::remove_file(exported.key()).unwrap();
    let new = Home::new();
    let ran = exported.import(new.path(), &[]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert_eq!(new.path().read_dir().unwrap().count(), 0);
}
