//! The program in production mode.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

use super::authority::{Authority, file};
use super::provider::{AUDIENCE, Provider, SOURCE};
use super::signer::Signer;
use crate::support::*;

const SYSTEM: &str = "5d3c7e80-98a5-4b5f-8f0e-7a1d2a0c9b11";

/// A settings file.
fn settings(dir: &Path, provider: &Provider, tls: &str) -> String {
    let url = provider.url();
    let master = dir.join("master.key");
    let text = format!(
        "master-key-file = {master:?}\n{tls}\n[identity]\n[[identity.issuers]]\nurl = \"{url}\"\naudience = \"{AUDIENCE}\"\n\
         algorithms = [\"ES256\"]\nclients = [\"app\"]\nperson = {{ claim = \"uid\", prefix = \"uni:\", source = \"{SOURCE}\" }}\n\
         system = {{ claim = \"client_id\", when = \"subject-is-client\" }}\n"
    );
    let path = file(dir, "planledger.toml", &text);
    path.to_str().unwrap().to_owned()
}

fn serve(dir: &Path, settings: &str, more: &[&str]) -> Result<Serving, String> {
    let mut command = program();
    command.args(["serve", "--config", settings, "--dir"]);
    Serving::launch(command.arg(dir.join("ledger")).args(more))
}

/// Makes the portal the first administrator, before a server has the ledger.
fn bootstrap(dir: &Path, settings: &str, provider: &Provider) {
    let ledger = dir.join("ledger");
    let url = provider.url();
    let mut arguments = vec!["access", "bootstrap", "--dir", ledger.to_str().unwrap()];
    arguments.extend(["--config", settings]);
    arguments.extend(["--system", SYSTEM, "--name", "Portal"]);
    arguments.extend(["--issuer", &url, "--client", "portal"]);
    let ran = run(&arguments);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    // It is the first one only once.
    let ran = run(&arguments);
    assert_eq!(ran.code, Some(1), "{ran:?}");
}

/// Asks for what an administrator may see.
fn answered(arguments: &[&str]) {
    let ran = run([&["ledger", "status"][..], arguments].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

/// Asks for what administrators of rights may not see.
fn denied(arguments: &[&str]) {
    let ran = run([&["plan", "show", SYSTEM][..], arguments].concat());
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("ACCESS_DENIED"), "{ran:?}");
}

#[test]
fn a_server_that_could_identify_nobody_does_not_start_and_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = dir.path().join("ledger");
    let ledger = ledger.to_str().unwrap();
    let signer = Signer::p256("a");
    let provider = Provider::with(&[&signer]);
    let started = |text: &str| {
        let master = dir.path().join("master.key");
        let text = format!("master-key-file = {master:?}\n{text}");
        let path = file(dir.path(), "settings.toml", &text);
        let ran = run(["serve", "--dir", ledger, "--config", path.to_str().unwrap()]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        ran.stderr
    };
    assert!(started("").contains("[identity]"));
    assert!(started("[identity]\n").contains("[tls]"));
    let tls = "[tls]\ncertificate = \"none.pem\"\nkey = \"none.key\"\n";
    assert!(started(&format!("{tls}[identity]\n")).contains("none.pem"));
    for algorithm in ["none", "HS256", "RS512"] {
        let issuer = format!(
            "[identity]\n[[identity.issuers]]\nurl = \"{}\"\naudience = \"a\"\nalgorithms = [\"{algorithm}\"]\n",
            provider.url()
        );
        assert!(started(&issuer).contains("unknown variant"), "{algorithm}");
    }
    let authority = Authority::new();
    let (certificate, key) = authority.server().write(dir.path(), "server");
    let tls = format!("[tls]\ncertificate = {certificate:?}\nkey = {key:?}\n");
    let issuer = |url: &str| {
        format!("{tls}[identity]\n[[identity.issuers]]\nurl = \"{url}\"\naudience = \"a\"\n")
    };
    assert!(started(&format!("{tls}[identity]\n")).contains("nobody could show who they are"));
    assert!(started(&issuer("http://login.example")).contains("https://"));
    assert!(started(&issuer("https://login.example")).contains("person or system"));
    let more = |more: &str| started(&format!("{}{more}\n", issuer("https://login.example")));
    // An id alone could be anybody's: each source has ids of its own.
    assert!(more("person = { claim = \"uid\" }").contains("needs source in its person"));
    // What marks a system's own token differs between providers, and must be said.
    assert!(more("system = { claim = \"azp\" }").contains("needs when in its system"));
    assert!(more("system = { when = \"sub\" }").contains("when must be { claim"));
    let person = "person = { claim = \"uid\", source = \"stil\" }";
    let subject = format!(
        "{}\nsystem = {{ when = \"subject-is-client\" }}",
        person.replace("uid", "sub")
    );
    assert!(more(&subject).contains("names a person"));
    assert!(more(&format!("clients = [\"a\"]\n{person}")).contains("is one of its clients"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_serves_over_tls_and_its_commands_show_a_token_or_a_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let signer = Signer::p256("a");
    let provider = Provider::with(&[&signer]);
    let authority = Authority::new();
    let issued = authority.server();
    let (certificate, key) = issued.write(dir.path(), "server");
    let ca = file(dir.path(), "ca.pem", &authority.pem());
    let tls = format!("[tls]\ncertificate = {certificate:?}\nkey = {key:?}\nclient-ca = {ca:?}\n");
    let settings = settings(dir.path(), &provider, &tls);
    bootstrap(dir.path(), &settings, &provider);
    let server = serve(dir.path(), &settings, &["--listen", "127.0.0.1:0"]).unwrap();
    assert!(server.url.starts_with("https://"), "{}", server.url);
    let token = signer.token(&provider.system("portal"));
    let token = file(dir.path(), "token", &token);
    let (ca, token) = (ca.to_str().unwrap(), token.to_str().unwrap());
    let to = ["--server", &server.url, "--ca-file", ca];
    answered(&[&to[..], &["--token-file", token]].concat());
    denied(&[&to[..], &["--token-file", token]].concat());
    let ran = run([&["ledger", "status"][..], &to[..]].concat());
    assert!(ran.stderr.contains("TOKEN_MISSING"), "{ran:?}");
    let files = authority.dns("portal.example").write(dir.path(), "portal");
    let shown = [
        "--cert",
        files.0.to_str().unwrap(),
        "--key",
        files.1.to_str().unwrap(),
    ];
    let ran = run([&["ledger", "status"][..], &to[..], &shown].concat());
    assert!(ran.stderr.contains("SYSTEM_UNKNOWN"), "{ran:?}");
    // Without the authority, the server is not believed.
    let ran = run(["ledger", "status", "--server", &server.url]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("no server answers"), "{ran:?}");

    // SIGHUP has the files read again at once; it does not end the process.
    let pid = Pid::from_raw(server.id().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::HUP).unwrap();
    answered(&[&to[..], &["--token-file", token]].concat());
    let log = server.stop();
    assert!(log.contains("the TLS certificate was read again"), "{log}");
}

#[test]
fn a_token_is_not_sent_where_others_could_read_it() {
    let dir = tempfile::tempdir().unwrap();
    let token = file(dir.path(), "token", "a.b.c");
    let token = token.to_str().unwrap();
    let to = ["--server", "http://192.0.2.1:1", "--token-file", token];
    let ran = run([&["ledger", "status"][..], &to[..]].concat());
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("https://"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_proxy_the_program_listens_on_a_unix_socket() {
    let dir = tempfile::tempdir().unwrap();
    let signer = Signer::p256("a");
    let provider = Provider::with(&[&signer]);
    let settings = settings(dir.path(), &provider, "");
    bootstrap(dir.path(), &settings, &provider);
    let socket = dir.path().join("api.sock");
    let path = socket.to_str().unwrap();
    let server = serve(dir.path(), &settings, &["--behind-proxy", path]).unwrap();
    assert_eq!(server.url, format!("unix:{path}"));
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let token = signer.token(&provider.system("portal"));
    let token = file(dir.path(), "token", &token);
    let token = token.to_str().unwrap();
    answered(&["--server", &server.url, "--token-file", token]);
    server.stop();
    assert!(!socket.exists());
    // What a server left that was killed is no hindrance; anything else that has the name is.
    serve(dir.path(), &settings, &["--behind-proxy", path])
        .unwrap()
        .kill();
    assert!(socket.exists());
    serve(dir.path(), &settings, &["--behind-proxy", path])
        .unwrap()
        .stop();
    std::fs::write(&socket, "").unwrap();
    assert!(serve(dir.path(), &settings, &["--behind-proxy", path]).is_err());
}

#[test]
fn in_production_the_master_key_is_kept_apart_from_the_data() {
    let dir = tempfile::tempdir().unwrap();
    let signer = Signer::p256("a");
    let provider = Provider::with(&[&signer]);
    let authority = Authority::new();
    let (certificate, key) = authority.server().write(dir.path(), "server");
    let tls = format!("[tls]\ncertificate = {certificate:?}\nkey = {key:?}\n");
    let settings = settings(dir.path(), &provider, &tls);
    let text = std::fs::read_to_string(&settings).unwrap();
    let ledger = dir.path().join("ledger");
    let started = |first: &str| {
        let (_, rest) = text.split_once('\n').unwrap();
        file(dir.path(), "planledger.toml", &format!("{first}\n{rest}"));
        let ran = run([
            "serve",
            "--config",
            &settings,
            "--listen",
            "127.0.0.1:0",
            "--dir",
            ledger.to_str().unwrap(),
        ]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        ran.stderr
    };
    let nowhere = started("");
    for way in [
        "--master-key-file",
        "planledger.master-key",
        "master-key-command",
    ] {
        assert!(nowhere.contains(way), "{nowhere}");
    }
    // The first administrator's command, which would make the ledger, asks for the same.
    let mut arguments = vec!["access", "bootstrap", "--config", &settings, "--dir"];
    arguments.extend([
        ledger.to_str().unwrap(),
        "--system",
        SYSTEM,
        "--name",
        "Portal",
    ]);
    let ran = run(&arguments);
    assert!(ran.stderr.contains("master-key-command"), "{ran:?}");
    let inside = ledger.join("keys/master.key");
    let beside = started(&format!("master-key-file = {inside:?}"));
    assert!(beside.contains("mv "), "{beside}");
    assert!(!ledger.exists());
    // Others may read the server's key.
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    let read = started(&format!("master-key-file = {:?}", dir.path().join("m.key")));
    assert!(read.contains("chmod 600"), "{read}");
}
