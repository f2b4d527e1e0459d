//! Tells systemd how the service is doing (`sd_notify`, `Type=notify` in the unit). Without systemd, or
//! where the unit does not ask for it, nothing is told.

use std::time::Duration;

/// What the service manager is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// The server listens, or has finished reading its files again.
    Ready,
    /// Files are being read again.
    Reloading,
    /// The server stops.
    Stopping,
    /// The server works: to be said again before [`watchdog`] is over.
    Alive,
}

/// The variable that names the socket of the service manager.
const SOCKET: &str = "NOTIFY_SOCKET";
/// The variables of the watchdog: its time in microseconds, and whom it is for.
const WATCHDOG_TIME: &str = "WATCHDOG_USEC";
const WATCHDOG_PROCESS: &str = "WATCHDOG_PID";

/// Tells the service manager. If that fails, the manager notices by itself, so it is only logged.
pub fn tell(news: News) {
    let Some(socket) = std::env::var_os(SOCKET) else {
        return;
    };
    if let Err(error) = send(&socket, &message(news)) {
        tracing::warn!(%error, ?news, "the service manager was not told");
    }
}

/// Within which time the service manager must hear again that the server works; `None` if it does not
/// watch.
pub fn watchdog() -> Option<Duration> {
    let variable = |name| std::env::var(name).ok();
    let (time, process) = (variable(WATCHDOG_TIME), variable(WATCHDOG_PROCESS));
    asked(time?.as_str(), process.as_deref(), std::process::id())
}

/// What the two variables ask of a process.
fn asked(time: &str, process: Option<&str>, own: u32) -> Option<Duration> {
    let is_for_others = process.is_some_and(|process| process.parse() != Ok(own));
    let micros = time.parse().ok().filter(|micros| *micros > 0)?;
    (!is_for_others).then(|| Duration::from_micros(micros))
}

fn message(news: News) -> String {
    match news {
        News::Ready => "READY=1".to_owned(),
        // systemd from version 253 on compares the time with that of its signal.
        News::Reloading => format!("RELOADING=1\nMONOTONIC_USEC={}", monotonic_micros()),
        News::Stopping => "STOPPING=1".to_owned(),
        News::Alive => "WATCHDOG=1".to_owned(),
    }
}

#[cfg(unix)]
fn monotonic_micros() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    let nanos = u64::try_from(now.tv_nsec).unwrap_or_default();
    seconds * 1_000_000 + nanos / 1_000
}

#[cfg(not(unix))]
fn monotonic_micros() -> u64 {
    0
}

/// Sends a message to the socket with this name. A name that begins with `@` is one of Linux's abstract
/// names, which no file has.
#[cfg(unix)]
fn send(socket: &std::ffi::OsStr, message: &str) -> std::io::Result<()> {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    let sender = UnixDatagram::unbound()?;
    let address = match socket.as_bytes() {
        #[cfg(target_os = "linux")]
        [b'@', name @ ..] => {
            use std::os::linux::net::SocketAddrExt;
            SocketAddr::from_abstract_name(name)?
        }
        _ => SocketAddr::from_pathname(socket)?,
    };
    sender.send_to_addr(message.as_bytes(), &address).map(drop)
}

#[cfg(not(unix))]
fn send(_: &std::ffi::OsStr, _: &str) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watchdog_counts_only_for_the_process_that_it_names() {
        let minute = Some(Duration::from_secs(60));
        assert_eq!(asked("60000000", None, 7), minute);
        assert_eq!(asked("60000000", Some("7"), 7), minute);
        assert_eq!(asked("60000000", Some("8"), 7), None);
        assert_eq!(asked("0", None, 7), None);
        assert_eq!(asked("soon", None, 7), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_message_reaches_a_socket_with_a_path_or_an_abstract_name() {
        use std::os::linux::net::SocketAddrExt;
        use std::os::unix::net::{SocketAddr, UnixDatagram};

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let name = format!("planledger-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let heard = [
            (
                path.clone().into_os_string(),
                UnixDatagram::bind(&path).unwrap(),
            ),
            (
                format!("@{name}").into(),
                UnixDatagram::bind_addr(&address).unwrap(),
            ),
        ];
        for (socket, receiver) in heard {
            for news in [News::Ready, News::Reloading, News::Stopping, News::Alive] {
                send(&socket, &message(news)).unwrap();
                let mut bytes = [0; 200];
                let length = receiver.recv(&mut bytes).unwrap();
                let text = std::str::from_utf8(&bytes[..length]).unwrap();
                assert!(text.split('\n').next().unwrap().ends_with("=1"), "{text}");
            }
        }
        assert!(send("/nowhere/notify".as_ref(), "READY=1").is_err());
    }
}
