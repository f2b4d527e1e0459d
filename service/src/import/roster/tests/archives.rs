//! Folders and archives as programs make them, and how those that are damaged are told.

use std::io::Write;

use super::super::Roster;
use super::TODAY;
use super::export::{Export, describe, export};

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn zip_faults(bytes: Vec<u8>) -> Vec<String> {
    let faults = Roster::from_zip(bytes, TODAY).err().unwrap();
    faults.faults().iter().map(describe).collect()
}

#[test]
fn an_archive_may_have_a_folder_on_top_capital_letters_and_what_macos_adds() {
    let Export(files) = export();
    let named = |name: &dyn Fn(&str) -> String| {
        let junk = [
            (
                "__MACOSX/Export/._users.csv".to_owned(),
                &b"\0\x05\x16\x07"[..],
            ),
            ("readme.txt".to_owned(), b"x"),
        ];
        let tables = files.iter().map(|(file, bytes)| (name(file), &bytes[..]));
        let all: Vec<_> = tables.chain(junk).collect();
        zip(&all
            .iter()
            .map(|(name, bytes)| (name.as_str(), *bytes))
            .collect::<Vec<_>>())
    };
    for (bytes, in_folder) in [
        (named(&str::to_owned), false),
        (named(&str::to_uppercase), false),
        (named(&|file| format!("Export 2026/{file}")), true),
        (named(&|file| format!("a/b/{}", file.to_lowercase())), true),
    ] {
        let mut roster = Roster::from_zip(bytes, TODAY).unwrap();
        let commands = roster.commands().map(|item| item.unwrap().command);
        assert_eq!(commands.collect::<Vec<_>>(), export().bodies());
        assert_eq!(roster.notes().len(), usize::from(in_folder));
        assert_eq!(roster.rows("users.csv"), Some(9));
        assert_eq!(roster.rows("demographics.csv"), None);
    }
}

#[test]
fn a_folder_may_hold_the_tables_in_one_folder_and_in_capital_letters() {
    let home = tempfile::tempdir().unwrap();
    let inner = home.path().join("Export");
    std::fs::create_dir(&inner).unwrap();
    std::fs::create_dir(home.path().join("__MACOSX")).unwrap();
    for (name, bytes) in &export().0 {
        std::fs::write(inner.join(name.to_uppercase()), bytes).unwrap();
    }
    let mut roster = Roster::open(home.path(), TODAY).unwrap();
    let commands = roster.commands().map(|item| item.unwrap().command);
    assert_eq!(commands.collect::<Vec<_>>(), export().bodies());
    assert_eq!(
        roster.notes(),
        ["the tables stand in a folder of their own"]
    );
    std::fs::create_dir(home.path().join("Old")).unwrap();
    std::fs::write(home.path().join("Old/users.csv"), b"x").unwrap();
    let faults = Roster::open(home.path(), TODAY).err().unwrap();
    assert!(describe(&faults.faults()[0]).starts_with("FOLDERS_SEVERAL"));
}

#[test]
fn archives_that_were_cut_and_tables_that_stand_twice_are_told() {
    let good = export().zip("");
    // Without the list of its files: cut anywhere after its first bytes.
    for end in [good.len() - 1, good.len() - 30, good.len() / 2, 60] {
        assert_eq!(
            zip_faults(good[..end].to_vec()),
            ["FILE_CUT_SHORT the zip file"],
            "{end}"
        );
    }
    assert_eq!(
        zip_faults(b"no zip at all".to_vec()),
        ["ARCHIVE_INVALID the zip file"]
    );
    // The last file was cut before it was packed.
    let Export(files) = export();
    let users = &files["users.csv"];
    let mut cut: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(name, bytes)| (*name, &bytes[..]))
        .collect();
    cut.retain(|(name, _)| *name != "users.csv");
    cut.push(("users.csv", &users[..users.len() - 15]));
    assert_eq!(zip_faults(zip(&cut)), ["FILE_CUT_SHORT users.csv:10"]);
    let mut twice: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(name, bytes)| (*name, &bytes[..]))
        .collect();
    twice.push(("Users.csv", users));
    assert_eq!(zip_faults(zip(&twice)), ["FILE_DUPLICATED users.csv"]);
    twice.pop();
    // Of two files of one very name, only the last would be read.
    for other in ["users.csX", "readme.tXt"] {
        let mut same = twice.clone();
        same.push((other, b"x"));
        same.push(("readme.txt", b"x"));
        let mut bytes = zip(&same);
        for at in 0..bytes.len() - other.len() {
            if bytes[at..].starts_with(other.as_bytes()) {
                bytes[at + other.len() - 3..][..3].make_ascii_lowercase();
                let end = &mut bytes[at + other.len() - 1];
                *end = if other.starts_with("users") {
                    b'v'
                } else {
                    *end
                };
            }
        }
        assert_eq!(zip_faults(bytes), ["FILE_DUPLICATED the zip file"]);
    }
    twice.push(("2025/users.csv", users));
    assert_eq!(zip_faults(zip(&twice)), ["FOLDERS_SEVERAL the zip file"]);
}
