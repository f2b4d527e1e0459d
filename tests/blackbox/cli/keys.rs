//! `planledger keys`, and where the master key comes from.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::support::*;

/// The private half of a rescue key, as `openssl` writes it: 32 times the byte 9.
const PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VuBCIEIAkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJ\n\
    -----END PRIVATE KEY-----\n";

fn secret(path: PathBuf, text: &str) -> PathBuf {
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path
}

/// A ledger with one institution.
async fn ledger() -> Home {
    let home = Home::new();
    let server = Serving::start(home.path());
    let voice = server.voice().await;
    voice
        .execute(register_institution(&new_id(), "Skolen"))
        .await;
    drop(voice);
    server.stop();
    home
}

fn keys(home: &Home, arguments: &[&str]) -> Ran {
    let dir = home.path().to_str().unwrap();
    run([&["keys"][..], arguments, &["--dir", dir]].concat())
}

fn is_sound(home: &Home, master: &Path) {
    let dir = home.path().to_str().unwrap();
    let master = master.to_str().unwrap();
    run([
        "ledger",
        "rebuild",
        "--dir",
        dir,
        "--master-key-file",
        master,
    ])
    .done();
    run([
        "ledger",
        "verify",
        "--dir",
        dir,
        "--master-key-file",
        master,
    ])
    .done();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_ledger_moves_to_a_new_master_key_and_the_old_one_opens_nothing() {
    let home = ledger().await;
    let safe = tempfile::tempdir().unwrap();
    let next = safe.path().join("new.key");
    let file = next.to_str().unwrap();
    let journal = fs::read(home.first_segment()).unwrap();
    let shown = keys(&home, &["show", "--json"]).done().json();
    assert_eq!(shown["keys"], 2);
    assert!(shown["rescueRecipient"].is_null());
    let rewrap = ["rewrap", "--new-master-key-file", file, "--json"];
    let ran = keys(&home, &rewrap).done();
    assert_eq!(ran.json()["keys"], 2);
    assert_eq!(
        fs::metadata(&next).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(fs::read(home.first_segment()).unwrap(), journal);
    // Whoever does not know whether it came to its end runs it again.
    let ran = keys(&home, &rewrap).done();
    assert!(ran.stderr.contains("already"), "{ran:?}");
    // The old key is still beside the data, and of no use.
    let ran = keys(&home, &["show"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("another master key"), "{ran:?}");
    is_sound(&home, &next);
    let serving = Serving::start_with(home.path(), &["--master-key-file", file]);
    assert_eq!(serving.voice().await.position().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_lost_master_key_is_made_up_for_by_the_rescue_key_from_the_safe() {
    let home = ledger().await;
    let safe = tempfile::tempdir().unwrap();
    let rescue = secret(safe.path().join("rescue.pem"), PEM);
    let next = safe.path().join("new.key");
    let recover = [
        "recover",
        "--rescue-key-file",
        rescue.to_str().unwrap(),
        "--new-master-key-file",
        next.to_str().unwrap(),
    ];
    // Nobody has been named yet.
    let ran = keys(&home, &recover);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("wrapped for nobody"), "{ran:?}");
    let (_, recipient) = ran.stderr.split_once("its public half is ").unwrap();
    let recipient = &recipient[..64];
    let weak = keys(&home, &["add-rescue-recipient", &"00".repeat(32)]);
    assert_eq!(weak.code, Some(2), "{weak:?}");
    assert!(weak.stderr.contains("low order"), "{weak:?}");
    keys(&home, &["add-recovery-recipient", recipient]).done();
    let shown = keys(&home, &["show", "--json"]).done().json();
    assert_eq!(shown["rescueRecipient"], recipient);
    let log = Serving::start(home.path()).stop();
    assert!(
        log.contains(recipient),
        "the recipient is not logged: {log}"
    );

    fs::remove_file(home.path().join("keys/master.key")).unwrap();
    let ran = keys(&home, &["show"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    keys(&home, &recover).done();
    is_sound(&home, &next);
    let file = next.to_str().unwrap();
    let serving = Serving::start_with(home.path(), &["--master-key-file", file]);
    assert_eq!(serving.voice().await.position().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_file_and_folder_of_a_ledger_is_its_owners_alone() {
    let home = Home::new();
    let dir = home.path().join("ledger");
    let server = Serving::start(&dir);
    let voice = server.voice().await;
    voice
        .execute(register_institution(&new_id(), "Skolen"))
        .await;
    drop(voice);
    server.stop();
    let mut folders = vec![dir];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        let mode = fs::metadata(&folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{folder:?}");
        for item in fs::read_dir(&folder).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{path:?}");
            seen += 1;
        }
    }
    assert!(seen > 8, "{seen} files");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_server_dumps_its_memory() {
    let home = Home::new();
    let server = Serving::start(home.path());
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let words: Vec<_> = core.unwrap().split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"]);
}

/// Runs the program with variables in its environment.
fn run_with(variables: &[(&str, &Path)], arguments: &[&str]) -> Ran {
    let mut command = program();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = output(command.envs(variables.iter().copied()).args(arguments));
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Commands at the directory find the key as the server does.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_master_key_comes_as_a_credential_or_from_a_command() {
    let home = ledger().await;
    let dir = home.path().to_str().unwrap();
    let credentials = tempfile::tempdir().unwrap();
    let key = home.path().join("keys/master.key");
    let credential = credentials.path().join("planledger.master-key");
    fs::rename(&key, &credential).unwrap();
    // As systemd gives it to the user of a service: by an access list.
    fs::set_permissions(&credential, Permissions::from_mode(0o440)).unwrap();
    let show = ["keys", "show", "--dir", dir];
    let variable = [("CREDENTIALS_DIRECTORY", credentials.path())];
    run_with(&variable, &show).done();
    fs::set_permissions(&credential, Permissions::from_mode(0o444)).unwrap();
    assert_eq!(run_with(&variable, &show).code, Some(2));
    assert_eq!(run(show).code, Some(2));

    let settings = home.path().join("planledger.toml");
    let set = |command: &str| {
        let credential = credential.to_str().unwrap();
        let text = format!("master-key-command = [{command}, {credential:?}]\n");
        fs::write(&settings, text).unwrap();
        let config = ["--config", settings.to_str().unwrap()];
        run([&show[..], &config].concat())
    };
    set("\"/bin/cat\"").done();
    let failed = set("\"/bin/ls\", \"--none\"");
    assert_eq!(failed.code, Some(2), "{failed:?}");
    assert!(failed.stderr.contains("/bin/ls"), "{failed:?}");
}
