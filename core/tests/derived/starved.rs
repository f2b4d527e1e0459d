//! A process that runs out of descriptors for a while: in a process of its own, because every thread
//! of it goes without.

use std::process::{Command, Stdio};

use crate::derived::case::{Care, What};
use crate::derived::many::{check, reference};

#[test]
fn a_process_without_descriptors_does_nothing_wrong_and_goes_on_when_it_has_some() {
    let run = Command::new("sh")
        .args(["-c", "ulimit -n 128; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "derived::starved::in_a_process_of_its_own"])
        .args(["--ignored", "--nocapture", "--test-threads", "1"])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    println!("{said}");
    assert!(run.status.success());
    assert!(said.contains("1 passed"));
}

#[test]
#[ignore = "starves its process; run by the test above"]
fn in_a_process_of_its_own() {
    let care = Care {
        verify_one_in: 4,
        past: 1,
        points_on: 3,
        again_one_in: 3,
        asked_one_in: 3,
    };
    check("starved", 60, vec![What::Starved], reference(), care);
}
