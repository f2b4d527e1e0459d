//! Another server is started on the same directory.

use std::fs;

use super::story::*;
use super::told::{Row, Told};
use crate::support::*;

#[test]
fn a_second_server_is_turned_away_also_without_the_file_of_the_lock() {
    let story = Story::begin_on(60, "journal/");
    let server = story.start_watched();
    let load = ["--seconds", "3", "--rate", "2000", "--patience", "2"];
    let load = story.outside.begin_load(&server.serving.url, &load);
    let second = || story.start().map(drop).unwrap_err();
    let mut said = second();
    assert!(
        said.contains("is in use by another planledger process"),
        "{said}"
    );
    for folder in ["lock", "derived/lock"] {
        // The second one may not be there.
        let _ = fs::remove_file(story.home.path().join(folder));
        said = second();
        assert!(
            said.contains("is in use by another planledger process"),
            "{said}"
        );
    }
    // Nor by another name of the same directory.
    let elsewhere = Home::new();
    let link = elsewhere.path().join("link");
    std::os::unix::fs::symlink(story.home.path(), &link).unwrap();
    let ran = run(["ledger", "rebuild", "--dir", link.to_str().unwrap()]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("is in use"), "{ran:?}");
    let loaded = load.wait_with_output().unwrap();
    assert!(loaded.status.success(), "{loaded:?}");
    Told::well(&server);
    server.serving.stop_within(STOP).unwrap();
    let row = Row {
        number: 60,
        fault: "a second server, also after the file `lock` was removed",
        says: "the second: `… is in use by another planledger process`, exit code 1".to_owned(),
        goes_on: "yes: the first notices nothing",
    };
    row.holds(&story.check().unwrap());
}
