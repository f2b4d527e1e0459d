//! Flags go over environment, environment over the settings file.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::*;

/// A settings file, variables and flags, each of them or not.
struct Case {
    file: Option<PathBuf>,
    variables: Vec<(&'static str, String)>,
    arguments: Vec<String>,
}

fn ran(case: &Case) -> Ran {
    let mut program = program();
    program.args(&case.arguments);
    program.envs(case.variables.iter().cloned());
    if let Some(file) = &case.file {
        program.arg("--config").arg(file);
    }
    program.stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = output(&mut program);
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs with the setting in the file, then in the environment as well, then as a flag too, and
/// expects each to win over those before it.
fn each_wins(
    arguments: &[&str],
    (in_file, variable, flag): (&str, &'static str, &str),
    values: [&str; 3],
    code: i32,
) {
    let home = Home::new();
    let file = home.path().join("planledger.toml");
    std::fs::write(&file, format!("{in_file} = \"{}\"\n", values[0])).unwrap();
    let mut case = Case {
        file: Some(file),
        variables: Vec::new(),
        arguments: arguments.iter().map(|it| (*it).to_owned()).collect(),
    };
    for (index, value) in values.into_iter().enumerate() {
        match index {
            0 => {}
            1 => case.variables.push((variable, value.to_owned())),
            _ => case.arguments.extend([flag.to_owned(), value.to_owned()]),
        }
        let ran = ran(&case);
        assert_eq!(ran.code, Some(code), "{ran:?}");
        for other in values {
            assert_eq!(
                ran.stderr.contains(other),
                other == value,
                "{value}: {}",
                ran.stderr
            );
        }
    }
}

#[test]
fn the_directory_is_taken_from_the_flag_over_the_environment_over_the_file() {
    let values = ["/nowhere/file", "/nowhere/variable", "/nowhere/flag"];
    let setting = ("dir", "PLANLEDGER_DIR", "--dir");
    each_wins(&["ledger", "verify"], setting, values, 1);
}

#[test]
fn so_is_the_server() {
    let values = [
        "http://127.0.0.1:1",
        "http://127.0.0.1:2",
        "http://127.0.0.1:3",
    ];
    let setting = ("server", "PLANLEDGER_SERVER", "--server");
    each_wins(&["ledger", "status"], setting, values, 1);
}

#[test]
fn so_is_the_address_to_listen_on() {
    let values = ["192.0.2.1:10", "192.0.2.2:20", "192.0.2.3:30"];
    let setting = ("listen", "PLANLEDGER_LISTEN", "--listen");
    each_wins(&["serve", "--dev"], setting, values, 2);
}

#[test]
fn so_is_the_file_with_the_master_key() {
    let home = Home::new();
    std::fs::create_dir(home.path().join("journal")).unwrap();
    let dir = home.path().to_str().unwrap();
    let values = [
        "/nowhere/file.key",
        "/nowhere/variable.key",
        "/nowhere/flag.key",
    ];
    let setting = (
        "master-key-file",
        "PLANLEDGER_MASTER_KEY_FILE",
        "--master-key-file",
    );
    each_wins(&["ledger", "verify", "--dir", dir], setting, values, 2);
}

#[test]
fn a_settings_file_with_a_mistake_is_wrong_usage_and_the_mistake_is_named() {
    let home = Home::new();
    let file = home.path().join("planledger.toml");
    for (text, said) in [
        ("lisen = \"127.0.0.1:1\"", "lisen"),
        ("listen = \"here\"", "listen"),
        ("dir = ", "planledger.toml"),
        ("dir = 7", "dir"),
    ] {
        std::fs::write(&file, text).unwrap();
        for flag in [true, false] {
            let mut program = program();
            program.args(["ledger", "status"]);
            match flag {
                true => program.arg("--config").arg(&file),
                false => program.env("PLANLEDGER_CONFIG", &file),
            };
            program.stdout(Stdio::piped()).stderr(Stdio::piped());
            let output = output(&mut program);
            assert_eq!(output.status.code(), Some(2), "{text}");
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert!(
                stderr.contains(said) && stderr.contains("planledger.toml"),
                "{stderr}"
            );
        }
    }
    let ran = run(["ledger", "status", "--config", "/nowhere/planledger.toml"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("/nowhere/planledger.toml"),
        "{}",
        ran.stderr
    );
}

/// A word that is no key is refused, so the refusal shows that the setting was read.
fn reads_the_rescue_recipient(program: &mut Command) {
    program.stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = output(program);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("rescue-recipient must be"), "{stderr}");
}

#[test]
fn the_rescue_recipient_is_also_read_under_its_former_name() {
    for (name, variable) in [
        ("rescue-recipient", "PLANLEDGER_RESCUE_RECIPIENT"),
        ("recovery-recipient", "PLANLEDGER_RECOVERY_RECIPIENT"),
    ] {
        let home = Home::new();
        let dir = home.path().join("ledger");
        let serve = || {
            let mut serve = program();
            serve.args(["serve", "--dev", "--listen", "127.0.0.1:0", "--dir"]);
            serve.arg(&dir);
            serve
        };
        reads_the_rescue_recipient(serve().args([&format!("--{name}"), "no-key"]));
        reads_the_rescue_recipient(serve().env(variable, "no-key"));
        let file = home.path().join("planledger.toml");
        std::fs::write(&file, format!("{name} = \"no-key\"\n")).unwrap();
        reads_the_rescue_recipient(serve().arg("--config").arg(&file));

        // The header of the key store keeps the recipient of a new ledger.
        let key = "5a".repeat(32);
        Serving::start_with(&dir, &[&format!("--{name}"), &key]).stop();
        let keys = std::fs::read(dir.join("keys/keys.log")).unwrap();
        assert_eq!(keys[56..89], [[1].as_slice(), &[0x5a; 32]].concat());
    }
}
