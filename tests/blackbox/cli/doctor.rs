//! `planledger ledger doctor`. Each test is a drill of the page for operators ("Doctor"): a kind of
//! damage, what the doctor says, and the way out that it names.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use planledger_core::ledger::Ledger;
use serde_json::Value as Json;
use uuid::Uuid;

use super::damaged::*;
use crate::support::*;

#[test]
fn a_sound_ledger_has_no_findings_and_is_not_changed() {
    let home = home();
    sound(&home);
    let ran = doctor(&home, &["--repair"]).done();
    assert!(!ran.stdout.contains("removed"), "{}", ran.stdout);
    let ran = doctor(&home, &[]).done();
    assert!(ran.stderr.contains("nothing is wrong"), "{}", ran.stderr);
}

#[test]
fn drill_a_flipped_bit_in_a_closed_segment() {
    let home = home();
    let whole = fs::read(segment(&home, 2)).unwrap();
    let frame = frames(&whole)[3];
    flip(&segment(&home, 2), frame + 80);
    let finding = only(&home, "SEGMENT_DAMAGED");
    let lost = number_at(&whole, frame + 28);
    assert_eq!(finding["lost"], "events");
    assert_eq!(finding["firstLost"], lost);
    assert_eq!(finding["lastLost"], lost);
    let place = format!("segment-00000002.log cannot be read from byte {frame} on");
    assert!(
        finding["what"].as_str().unwrap().starts_with(&place),
        "{finding}"
    );
    assert_eq!(finding["section"], "Damage");
    // A repair is refused, whatever else is wrong: the truth comes first.
    fs::write(home.path().join("keys/keys.tmp"), "half").unwrap();
    let before = everything(home.path());
    let ran = doctor(&home, &["--repair"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.stderr.contains("nothing was repaired: SEGMENT_DAMAGED"),
        "{}",
        ran.stderr
    );
    assert_eq!(everything(home.path()), before);
    fs::remove_file(home.path().join("keys/keys.tmp")).unwrap();
    fs::write(segment(&home, 2), whole).unwrap();
    sound(&home);
}

#[test]
fn drill_a_flipped_bit_in_a_payload_loses_that_event_only() {
    let home = home();
    let whole = fs::read(segment(&home, 2)).unwrap();
    let frames = frames(&whole);
    flip(&segment(&home, 2), frames[4] - 1);
    let finding = only(&home, "SEGMENT_DAMAGED");
    let lost = number_at(&whole, frames[3] + 28);
    assert_eq!(
        (&finding["firstLost"], &finding["lastLost"]),
        (&lost.into(), &lost.into())
    );
}

#[test]
fn drill_a_segment_is_missing_in_the_middle() {
    let home = home();
    let (first, next) = (first_of(&home, 2), first_of(&home, 3));
    let whole = fs::read(segment(&home, 2)).unwrap();
    fs::remove_file(segment(&home, 2)).unwrap();
    let finding = only(&home, "SEGMENT_MISSING");
    assert_eq!(finding["lost"], "events");
    assert_eq!(finding["firstLost"], first);
    assert_eq!(finding["lastLost"], next - 1);
    fs::write(segment(&home, 2), whole).unwrap();
    private(home.path());
    sound(&home);
}

/// Salvages what verifies into a new directory. The damaged one is not changed.
fn salvaged(home: &Home) -> (Home, Json) {
    let before = everything(home.path());
    let new = Home::new();
    let to = new.path().to_str().unwrap();
    let why = ["--reason", "Disken gik i stykker", "--actor", WHO, "--json"];
    let ran = doctor(home, &[&["--salvage", to], &why[..]].concat()).done();
    assert_eq!(
        everything(home.path()),
        before,
        "the damaged directory was changed"
    );
    (new, ran.json())
}

const WHO: &str = "system/7f9c0102-0304-4506-8708-010203040506";

#[test]
fn drill_what_no_backup_has_is_lost_and_the_rest_is_salvaged() {
    let home = home();
    let (first, next) = (first_of(&home, 2), first_of(&home, 3));
    fs::remove_file(segment(&home, 2)).unwrap();
    let bytes = fs::read(segment(&home, 3)).unwrap();
    let frame = frames(&bytes)[2];
    flip(&segment(&home, 3), frame + 80);
    let found = examine(&home, Some(1));
    assert!(found.contains_key("SEGMENT_MISSING") && found.contains_key("SEGMENT_DAMAGED"));
    let one = number_at(&bytes, frame + 28);
    let (new, said) = salvaged(&home);
    let lost = |first: u64, last: u64| serde_json::json!({"first": first, "last": last});
    assert_eq!(
        said["lost"],
        serde_json::json!([lost(first, next - 1), lost(one, one)])
    );
    assert_eq!(said["whole"], false);
    // It is a ledger like every other: it is sound, a server starts on it, and its own events follow.
    sound(&new);
    Serving::start(new.path()).stop();
    let found = examine(&new, Some(0));
    assert!(found.is_empty(), "{found:#?}");
    let report = fs::read(new.path().join("origin/report.json")).unwrap();
    let report: Json = serde_json::from_slice(&report).unwrap();
    assert_eq!(report, said);
    // Nobody salvages into a directory that has something in it.
    let to = new.path().to_str().unwrap();
    let again = ["--salvage", to, "--reason", "Igen", "--actor", WHO];
    let ran = doctor(&home, &again);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("is not empty"), "{}", ran.stderr);
}

#[test]
fn drill_what_is_kept_of_the_earlier_ledger_is_missing_or_changed() {
    let (new, said) = salvaged(&home());
    assert_eq!(said["whole"], true, "{said}");
    sound(&new);
    for name in ["entries", "checkpoints.txt", "report.json"] {
        let path = new.path().join("origin").join(name);
        let whole = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let finding = only(&new, "ORIGIN_MISSING");
        assert_eq!(finding["lost"], "evidence");
        let what = finding["what"].as_str().unwrap();
        assert!(
            what.contains(&format!("origin/{name} is missing")),
            "{what}"
        );
        let next = finding["next"].as_str().unwrap();
        assert!(next.contains("put origin/ back"), "{next}");
        let mut changed = whole.clone();
        let middle = changed.len() / 2;
        changed.truncate(middle);
        fs::write(&path, changed).unwrap();
        private(new.path());
        assert_eq!(only(&new, "ORIGIN_CHANGED")["lost"], "evidence");
        let dir = new.path().to_str().unwrap();
        let ran = run(["ledger", "verify", "--dir", dir, "--quick"]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(
            ran.stderr.contains(&format!("origin/{name} was changed")),
            "{}",
            ran.stderr
        );
        // The ledger itself needs none of it.
        Serving::start(new.path()).stop();
        fs::write(&path, whole).unwrap();
    }
    sound(&new);
}

#[test]
fn drill_what_no_key_opens_any_more_is_named_and_the_rest_is_salvaged() {
    let home = home();
    let path = home.path().join("keys/keys.log");
    let mut damaged = fs::read(&path).unwrap();
    // The key of one institution in the middle, and the end.
    let slot = 256 * 9;
    let institution = Uuid::from_slice(&damaged[slot + 6..slot + 22]).unwrap();
    damaged[slot + 100] ^= 1;
    let length = damaged.len() - 100;
    damaged.truncate(length);
    fs::write(&path, damaged).unwrap();
    let finding = only(&home, "KEYS_DAMAGED");
    let next = finding["next"].as_str().unwrap();
    assert!(next.contains("--salvage"), "{next}");
    let (new, said) = salvaged(&home);
    assert_eq!(said["whole"], false);
    assert_eq!(said["keysDamaged"].as_array().unwrap().len(), 2, "{said}");
    assert_eq!(said["keysDamaged"][0]["firstByte"], slot);
    let missing = said["missing"].as_array().unwrap();
    let streams: Vec<_> = missing
        .iter()
        .map(|it| it["stream"].as_str().unwrap())
        .collect();
    assert_eq!(missing.len(), 2, "{said}");
    assert!(
        streams.contains(&format!("institution/{institution}").as_str()),
        "{said}"
    );
    assert!(missing.iter().all(|it| it["unreadable"] == true), "{said}");
    sound(&new);
    let serving = Serving::start(new.path());
    let status = run(["ledger", "status", "--json", "--server", &serving.url])
        .done()
        .json();
    let carried = &status["carriedOver"];
    assert_eq!(carried["ledgerId"], said["from"], "{status}");
    assert_eq!(carried["lost"], "2");
    assert_eq!(carried["position"], said["lastPosition"].to_string());
    let table = run(["ledger", "status", "--server", &serving.url])
        .done()
        .stdout;
    let from = format!("ledger {}", said["from"].as_str().unwrap());
    assert!(
        table.contains("carried over from") && table.contains(&from),
        "{table}"
    );
    assert!(table.contains("2 events missing"), "{table}");
    serving.stop();
}

#[test]
fn drill_the_end_of_the_last_segment_is_cut_off() {
    let home = home();
    let last = last_segment(&home);
    let first = first_of(&home, last);
    let whole = fs::read(segment(&home, last)).unwrap();
    // At the beginning of a frame nothing in the journal tells: derived state and the checkpoint do.
    fs::write(segment(&home, last), &whole[..128]).unwrap();
    let mut found = examine(&home, Some(1));
    assert_eq!(found["END_LOST"]["lost"], "eventsFrom");
    assert_eq!(found["END_LOST"]["firstLost"], first);
    let ahead = found.remove("CHECKPOINT_AHEAD").unwrap();
    assert_eq!(ahead["firstLost"], first);
    // In the middle of one the journal alone would look like a crash.
    fs::write(segment(&home, last), &whole[..whole.len() - 3]).unwrap();
    let found = examine(&home, Some(1));
    assert_eq!(found["SEGMENT_DAMAGED"]["lost"], "eventsFrom");
    fs::write(segment(&home, last), whole).unwrap();
    sound(&home);
}

#[test]
fn drill_a_write_that_was_not_finished_is_no_loss() {
    let home = home();
    let last = last_segment(&home);
    let mut bytes = fs::read(segment(&home, last)).unwrap();
    let frame = *frames(&bytes).last().unwrap();
    // The next frame, as far as it came.
    bytes.extend_from_within(frame..frame + 40);
    fs::write(segment(&home, last), bytes).unwrap();
    let found = examine(&home, Some(0));
    assert_eq!(found["TORN_TAIL"]["lost"], "nothing");
    Serving::start(home.path()).stop();
    sound(&home);
}

#[test]
fn drill_the_checkpoints_are_ahead_of_the_journal() {
    let home = home();
    let last = last_segment(&home);
    let first = first_of(&home, last);
    let whole = fs::read(segment(&home, last)).unwrap();
    // An older copy of the journal, put back without derived state.
    fs::write(segment(&home, last), &whole[..128]).unwrap();
    fs::remove_dir_all(home.path().join("derived")).unwrap();
    let found = examine(&home, Some(1));
    let ahead = &found["CHECKPOINT_AHEAD"];
    assert_eq!(
        (&ahead["lost"], &ahead["section"]),
        (&"events".into(), &"Restore".into())
    );
    assert_eq!(ahead["firstLost"], first);
    fs::write(segment(&home, last), whole).unwrap();
    Serving::start(home.path()).stop();
    sound(&home);
}

#[test]
fn drill_the_checkpoints_are_damaged() {
    let home = home();
    let path = home.path().join("checkpoints/checkpoints.txt");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, [b"\x01\n\n\n\n".to_vec(), whole.clone()].concat()).unwrap();
    assert_eq!(only(&home, "CHECKPOINTS_DAMAGED")["lost"], "evidence");
    fs::write(&path, whole).unwrap();
    sound(&home);
}

#[test]
fn drill_the_key_store_is_missing_damaged_or_another_ledgers() {
    let home = home();
    let path = home.path().join("keys/keys.log");
    let whole = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert_eq!(only(&home, "KEYS_MISSING")["lost"], "nothingCanBeRead");
    let mut damaged = whole.clone();
    damaged[256 * 3 + 60] ^= 1;
    fs::write(&path, &damaged).unwrap();
    private(home.path());
    let finding = only(&home, "KEYS_DAMAGED");
    assert!(
        finding["what"].as_str().unwrap().contains("slot 3"),
        "{finding}"
    );
    let other = Home::new();
    drop(Ledger::open(other.options()).unwrap());
    fs::copy(other.path().join("keys/keys.log"), &path).unwrap();
    private(home.path());
    only(&home, "KEYS_FOREIGN");
    fs::write(&path, whole).unwrap();
    sound(&home);
}

#[test]
fn drill_the_master_key_is_missing_or_another_one() {
    let home = home();
    let path = home.path().join("keys/master.key");
    let whole = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let finding = only(&home, "NO_MASTER_KEY");
    assert_eq!(finding["lost"], "nothingCanBeRead");
    fs::write(&path, format!("{}\n", "7".repeat(64))).unwrap();
    private(home.path());
    only(&home, "WRONG_MASTER_KEY");
    fs::write(&path, whole).unwrap();
    sound(&home);
}

#[test]
fn drill_derived_state_is_gone() {
    let home = home();
    fs::remove_dir_all(home.path().join("derived")).unwrap();
    assert!(examine(&home, Some(0)).contains_key("NO_DERIVED_STATE"));
    Serving::start(home.path()).stop();
    sound(&home);
}

#[test]
fn drill_derived_state_is_damaged() {
    let home = home();
    let file = largest(&home.path().join("derived"));
    let len = fs::metadata(&file).unwrap().len();
    fs::write(&file, vec![0xaa; len as usize]).unwrap();
    assert_eq!(only(&home, "DERIVED_WRONG")["lost"], "nothing");
    assert_eq!(repaired(&home), ["derived"]);
}

#[test]
fn drill_a_tile_is_damaged() {
    let home = home();
    flip(&largest(&home.path().join("tlog/tile")), 40);
    assert_eq!(only(&home, "TILES_WRONG")["lost"], "nothing");
    assert_eq!(repaired(&home), ["tlog"]);
}

#[test]
fn drill_an_index_is_damaged() {
    let home = home();
    let index = home.path().join("journal/segment-00000002.idx");
    let len = fs::metadata(&index).unwrap().len() as usize;
    flip(&index, len / 2);
    assert_eq!(only(&home, "INDEXES_WRONG")["lost"], "nothing");
    let removed = repaired(&home);
    assert!(
        removed.contains(&"segment-00000002.idx".to_owned()),
        "{removed:?}"
    );
}

#[test]
fn drill_interrupted_writes_have_left_files() {
    let home = home();
    let left = [
        "keys/keys.tmp",
        "journal/segment-00000099.log.tmp",
        "tlog/size.tmp",
    ];
    for name in left {
        fs::write(home.path().join(name), "half").unwrap();
    }
    private(home.path());
    only(&home, "LEFTOVER");
    let mut removed = repaired(&home);
    removed.sort_unstable();
    assert_eq!(
        removed,
        ["keys.tmp", "segment-00000099.log.tmp", "size.tmp"]
    );
}

#[test]
fn drill_the_acts_are_damaged() {
    let home = home();
    let path = home.path().join("erasures");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("acts.txt"), "not an act\n").unwrap();
    private(home.path());
    assert_eq!(only(&home, "ACTS_DAMAGED")["lost"], "evidence");
    fs::remove_file(path.join("acts.txt")).unwrap();
    sound(&home);
}

#[test]
fn drill_a_server_has_the_ledger_open() {
    let home = home();
    let serving = Serving::start(home.path());
    let ran = doctor(&home, &["--json"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(ran.json()["findings"][0]["code"], "IN_USE");
    let ran = doctor(&home, &["--repair"]);
    assert!(
        ran.stderr.contains("nothing was repaired: IN_USE"),
        "{}",
        ran.stderr
    );
    serving.stop();
    sound(&home);
}

#[test]
fn drill_others_may_enter_or_a_folder_is_a_link() {
    let home = home();
    let journal = home.path().join("journal");
    fs::set_permissions(&journal, fs::Permissions::from_mode(0o755)).unwrap();
    let finding = only(&home, "OPEN_TO_OTHERS");
    assert!(
        finding["what"].as_str().unwrap().ends_with("(mode 0755)"),
        "{finding}"
    );
    private(home.path());
    let elsewhere = Home::new();
    let moved = elsewhere.path().join("journal");
    fs::rename(&journal, &moved).unwrap();
    symlink(&moved, &journal).unwrap();
    let ran = doctor(&home, &["--json"]);
    assert_eq!(ran.json()["findings"][0]["code"], "LINK", "{ran:?}");
    fs::remove_file(&journal).unwrap();
    let finding = only(&home, "JOURNAL_MISSING");
    assert_eq!(
        (&finding["lost"], &finding["firstLost"]),
        (&"eventsFrom".into(), &1.into())
    );
    fs::rename(&moved, &journal).unwrap();
    sound(&home);
}

#[test]
fn drill_there_is_no_ledger_and_none_is_made() {
    let home = Home::new();
    only(&home, "NO_LEDGER");
    assert_eq!(home.path().read_dir().unwrap().count(), 0);
}
