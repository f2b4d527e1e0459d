//! No command writes a memory dump when it crashes: those at the directory hold the master key.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::*;

/// Runs a command at a directory whose master key a script prints. Gives what the script, a child of the
/// program, found as the limits of memory dumps.
fn limits_of(home: &Home, arguments: &[&str]) -> String {
    let found = home.path().join("limits");
    let key = fs::read_to_string(home.path().join("keys/master.key")).unwrap();
    let script = format!(
        "ulimit -Sc > {found:?}; ulimit -Hc >> {found:?}; echo {}",
        key.trim()
    );
    let settings = home.path().join("planledger.toml");
    let text = format!("master-key-command = [\"/bin/sh\", \"-c\", {script:?}]\n");
    fs::write(&settings, text).unwrap();
    let program = program();
    // The limits are as wide as they may be before the program changes them.
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", "ulimit -c \"$(ulimit -Hc)\"; exec \"$@\"", "sh"])
        .arg(program.get_program())
        .args(arguments)
        .arg("--config")
        .arg(&settings)
        .arg("--dir")
        .arg(home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let ran = output(&mut shell);
    assert!(ran.status.success(), "{arguments:?}: {ran:?}");
    let limits = fs::read_to_string(&found).unwrap();
    fs::remove_file(&found).unwrap();
    limits
}

#[test]
fn no_command_that_holds_the_master_key_can_leave_a_memory_dump() {
    let widest = output(
        Command::new("/bin/sh")
            .args(["-c", "ulimit -Hc"])
            .stdout(Stdio::piped()),
    );
    assert_ne!(
        widest.stdout, b"0\n",
        "this machine allows none, so nothing is shown here"
    );
    let home = Home::new();
    let serving = Serving::start(home.path());
    serving.stop();
    for arguments in [
        &["ledger", "verify"][..],
        &["ledger", "rebuild"],
        &["erasure", "reapply"],
        &["keys", "show"],
    ] {
        assert_eq!(limits_of(&home, arguments), "0\n0\n", "{arguments:?}");
    }
}
