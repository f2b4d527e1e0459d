//! Ledgers that are damaged in tests, what the doctor says of them, and what a repair does.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use planledger::notary::KeyFiles;
use planledger_core::domain::{Actor, Command};
use planledger_core::ids::{CommandId, InstitutionId, LedgerId, SystemId};
use planledger_core::journal::{OsDisk, SegmentLog, SegmentOptions};
use planledger_core::ledger::{Envelope, Ledger};
use planledger_core::notary::Notary;
use planledger_core::time::Timestamp;
use planledger_fixtures::commands::put_institution;
use planledger_fixtures::school::institution_details;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::support::*;

/// A ledger with a journal of several segments, a checkpoint, tiles and derived state.
pub(super) fn home() -> Home {
    static MADE: OnceLock<Home> = OnceLock::new();
    copied(MADE.get_or_init(make))
}

/// Another one, of the same size.
pub(super) fn other_home() -> Home {
    static MADE: OnceLock<Home> = OnceLock::new();
    copied(MADE.get_or_init(make))
}

fn copied(home: &Home) -> Home {
    let home = home.copied();
    private(home.path());
    home
}

fn make() -> Home {
    let home = Home::new();
    let options = home.options();
    let disk = Arc::new(OsDisk::new(home.path().join("journal")).unwrap());
    let small = SegmentOptions {
        segment_bytes: 8 << 10,
        ..SegmentOptions::default()
    };
    let id = LedgerId::from_uuid(Uuid::new_v4());
    let log = SegmentLog::create(disk, id, Timestamp::from_nanos(1), small).unwrap();
    let ledger = Ledger::open_on(options, Arc::new(log)).unwrap();
    let actor = Actor::System(SystemId::from_uuid(Uuid::new_v4()));
    for _ in 0..60 {
        let institution = InstitutionId::from_uuid(Uuid::new_v4());
        let put = put_institution(institution_details("Skolen"), false);
        let command = Command::Institution(institution, put);
        let envelope = Envelope::new(CommandId::from_uuid(Uuid::new_v4()), command);
        ledger.execute(actor, envelope).unwrap();
    }
    let signer = KeyFiles::in_ledger(home.path()).load(&ledger, None);
    let notary = Notary::open(ledger.clone(), home.path(), signer.unwrap()).unwrap();
    notary.checkpoint().unwrap();
    home
}

/// As the program makes them: nobody else may enter.
pub(super) fn private(dir: &Path) {
    for path in everything(dir).into_keys() {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode & 0o700)).unwrap();
    }
}

/// Every file and folder but the lock, with what is in it.
pub(super) fn everything(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(everything(&path));
            found.insert(path, Vec::new());
        } else if path.file_name().unwrap() != "lock" {
            let bytes = fs::read(&path).unwrap();
            found.insert(path, bytes);
        }
    }
    found
}

pub(super) fn doctor(home: &Home, more: &[&str]) -> Ran {
    let dir = home.path().to_str().unwrap();
    run([&["ledger", "doctor", "--dir", dir], more].concat())
}

/// What the doctor says, by code. It changes nothing.
pub(super) fn examine(home: &Home, code: Option<i32>) -> BTreeMap<String, Json> {
    let before = everything(home.path());
    let ran = doctor(home, &["--json"]);
    assert_eq!(ran.code, code, "{ran:?}");
    assert_eq!(everything(home.path()), before, "it has changed something");
    let json = ran.json();
    assert_eq!(json["sound"], code == Some(0), "{json}");
    let findings = json["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| {
            (
                finding["code"].as_str().unwrap().to_owned(),
                finding.clone(),
            )
        })
        .collect()
}

/// The one finding that weighs more than a note, notes and what could not be checked apart.
pub(super) fn only(home: &Home, code: &str) -> Json {
    let mut found = examine(home, Some(1));
    let finding = found.remove(code).unwrap_or_else(|| panic!("{found:#?}"));
    found.retain(|code, finding| finding["weight"] != "note" && code != "NOT_CHECKED");
    assert!(found.is_empty(), "{code}, and {found:#?}");
    finding
}

pub(super) fn sound(home: &Home) {
    assert_eq!(examine(home, Some(0)), BTreeMap::new());
}

/// Repairs; gives the names of what was removed. Nothing of the truth has changed, and afterwards a
/// server starts and everything is sound.
pub(super) fn repaired(home: &Home) -> Vec<String> {
    let truth = || {
        let mut all = everything(home.path());
        all.retain(|path, _| {
            let inside = path.strip_prefix(home.path()).unwrap();
            let of = |folder: &str| inside.starts_with(folder);
            let is_made_again = path
                .extension()
                .is_some_and(|it| it == "idx" || it == "tmp");
            (of("journal") || of("keys") || of("checkpoints") || of("erasures")) && !is_made_again
        });
        all
    };
    let before = truth();
    let json = doctor(home, &["--json", "--repair"]).done().json();
    assert_eq!(truth(), before, "a repair has touched the truth");
    let removed = json["removed"].as_array().unwrap().iter();
    let names = removed.map(|it| {
        let path = Path::new(it["path"].as_str().unwrap());
        path.file_name().unwrap().to_str().unwrap().to_owned()
    });
    let names = names.collect();
    Serving::start(home.path()).stop();
    sound(home);
    names
}

pub(super) fn segment(home: &Home, number: u64) -> PathBuf {
    home.path().join(format!("journal/segment-{number:08}.log"))
}

pub(super) fn number_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// The first position of a segment, as its header says.
pub(super) fn first_of(home: &Home, number: u64) -> u64 {
    number_at(&fs::read(segment(home, number)).unwrap(), 32)
}

pub(super) fn last_segment(home: &Home) -> u64 {
    let number = (1..).take_while(|number| segment(home, *number).exists());
    let number = number.last().unwrap();
    assert!(number > 3, "the journal has {number} segments");
    number
}

/// Where the frames of a file begin.
pub(super) fn frames(bytes: &[u8]) -> Vec<usize> {
    let places = 0..bytes.len();
    places
        .filter(|at| bytes[*at..].starts_with(b"PLF1"))
        .collect()
}

pub(super) fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// The largest file below a folder.
pub(super) fn largest(folder: &Path) -> PathBuf {
    let files = everything(folder).into_iter();
    files.max_by_key(|(_, bytes)| bytes.len()).unwrap().0
}
