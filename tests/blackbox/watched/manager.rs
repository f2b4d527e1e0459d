//! What systemd is told.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use crate::support::*;

/// The next message.
fn heard(manager: &UnixDatagram) -> String {
    let mut bytes = [0; 500];
    let length = manager.recv(&mut bytes).unwrap();
    String::from_utf8(bytes[..length].to_vec()).unwrap()
}

#[test]
fn the_service_manager_hears_when_the_server_is_ready_lives_and_stops() {
    let home = Home::new();
    let path = home.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut serve = program();
    serve
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "200000");
    serve.args(["serve", "--dev", "--listen", "127.0.0.1:0", "--dir"]);
    let serving = Serving::launch(serve.arg(home.path().join("ledger"))).unwrap();
    assert_eq!(heard(&manager), "READY=1");
    for _ in 0..3 {
        assert_eq!(heard(&manager), "WATCHDOG=1");
    }
    serving.terminate();
    let stopping = (0..100)
        .map(|_| heard(&manager))
        .find(|said| said != "WATCHDOG=1");
    assert_eq!(stopping.as_deref(), Some("STOPPING=1"));
    let (status, log) = serving.wait();
    assert_eq!(status.code(), Some(0), "{log}");
}

#[test]
fn nobody_is_told_of_a_watchdog_that_is_somebody_elses() {
    let home = Home::new();
    let path = home.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    let mut serve = program();
    serve.env("NOTIFY_SOCKET", &path);
    serve.env("WATCHDOG_USEC", "1000").env("WATCHDOG_PID", "1");
    serve.args(["serve", "--dev", "--listen", "127.0.0.1:0", "--dir"]);
    let serving = Serving::launch(serve.arg(home.path().join("ledger"))).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(heard(&manager), "READY=1");
    serving.stop();
    manager
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    assert_eq!(heard(&manager), "STOPPING=1");
}
