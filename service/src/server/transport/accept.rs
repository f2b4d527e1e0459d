//! Accepts connections.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::conn::{Bytes, Conn, Connection};
use super::gate::{Full, Gate, Place};
use super::tls::Tls;
use crate::server::identity::certificate::ClientCertificate;

/// The first pause after the operating system could not give a connection, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));
/// How many accepted connections may wait to be served.
const WAITING: usize = 16;

/// A socket without an owner yet.
pub(super) enum Raw {
    Tcp(TcpStream, SocketAddr),
    #[cfg(unix)]
    Unix(tokio::net::UnixStream),
}

/// Where connections come from.
pub(super) trait Door: Send + 'static {
    /// The next connection.
    fn accept(&mut self) -> impl Future<Output = Result<Raw, Error>> + Send;
}

impl Door for TcpListener {
    async fn accept(&mut self) -> Result<Raw, Error> {
        let (stream, peer) = TcpListener::accept(self).await?;
        Ok(Raw::Tcp(stream, peer))
    }
}

#[cfg(unix)]
impl Door for tokio::net::UnixListener {
    async fn accept(&mut self) -> Result<Raw, Error> {
        let (stream, _) = tokio::net::UnixListener::accept(self).await?;
        Ok(Raw::Unix(stream))
    }
}

/// How connections are accepted.
pub(super) struct Accepting {
    pub(super) gate: Gate,
    pub(super) tls: Option<Arc<Tls>>,
    /// How long a handshake may take, and then the first bytes of HTTP/2.
    pub(super) patience: Duration,
}

/// What was said in the log, so that it is said once and not for each of a thousand connections.
#[derive(Default)]
struct Said {
    exhausted: bool,
    full: Option<Full>,
}

impl Accepting {
    /// Accepts connections until nobody takes them any more.
    pub(super) fn start(self, mut door: impl Door) -> mpsc::Receiver<Result<Conn, Error>> {
        let (accepted, taken) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            tokio::select! {
                () = self.run(&mut door, &accepted) => {}
                () = accepted.closed() => {}
            }
        });
        taken
    }

    async fn run(&self, door: &mut impl Door, accepted: &mpsc::Sender<Result<Conn, Error>>) {
        let mut said = Said::default();
        let mut pause = PAUSES.0;
        loop {
            match door.accept().await {
                Ok(raw) => {
                    pause = PAUSES.0;
                    if std::mem::take(&mut said.exhausted) {
                        tracing::info!("connections are accepted again");
                    }
                    if let Some(place) = self.enter(&raw, &mut said) {
                        self.take(raw, place, accepted).await;
                    }
                }
                // The other end was gone before it was accepted.
                Err(error) if is_of_the_other_end(&error) => {}
                Err(error) => {
                    if !std::mem::replace(&mut said.exhausted, true) {
                        tracing::error!(%error, "no connection can be accepted; the server goes on trying");
                    }
                    // What is missing, mostly descriptors, comes back when others end. Until then
                    // each try would fail at once.
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
        }
    }

    fn enter(&self, raw: &Raw, said: &mut Said) -> Option<Place> {
        let address = match raw {
            Raw::Tcp(_, peer) => Some(peer.ip()),
            #[cfg(unix)]
            Raw::Unix(_) => None,
        };
        let entered = self.gate.enter(address);
        let full = match &entered {
            Ok(place) => place.instead,
            Err(full) => Some(*full),
        };
        if let Some(full) = full
            && said.full != Some(full)
        {
            let of = match full {
                Full::All => "all addresses",
                Full::Address => "one address",
            };
            tracing::warn!(
                "too many connections of {of}; those are closed on which nobody said who they are or \
                 asks anything, or else new ones"
            );
        }
        said.full = full;
        entered.ok()
    }

    async fn take(&self, raw: Raw, place: Place, accepted: &mpsc::Sender<Result<Conn, Error>>) {
        let patience = self.patience;
        let (stream, peer) = match raw {
            Raw::Tcp(stream, peer) => (stream, peer),
            #[cfg(unix)]
            Raw::Unix(stream) => {
                let about = Connection::default();
                let conn = Conn::new(Bytes::Unix(stream), about, patience, place);
                let _ = accepted.send(Ok(conn)).await;
                return;
            }
        };
        // Clients wait for receipts, and receipts are small. So each is sent at once and does not
        // wait for more data to share its packet. It fails for a connection that is gone.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let mut about = Connection {
            peer: Some(peer),
            ..Connection::default()
        };
        let Some(tls) = &self.tls else {
            let conn = Conn::new(Bytes::Tcp(stream), about, patience, place);
            let _ = accepted.send(Ok(conn)).await;
            return;
        };
        let acceptor = tls.acceptor();
        let accepted = accepted.clone();
        tokio::spawn(async move {
            // A handshake that fails or takes too long ends here; the place goes with it.
            let shaken = tokio::select! {
                shaken = tokio::time::timeout(patience, acceptor.accept(stream)) => shaken,
                () = place.standing.evicted() => return,
            };
            let Ok(Ok(stream)) = shaken else {
                tracing::debug!("a TLS handshake failed");
                drop(place);
                return;
            };
            let shown = stream.get_ref().1.peer_certificates();
            about.certificate = match shown.and_then(<[_]>::first) {
                None => None,
                Some(shown) => match ClientCertificate::read(shown) {
                    Some(read) => Some(Arc::new(read)),
                    None => return,
                },
            };
            let conn = Conn::new(Bytes::Tls(Box::new(stream)), about, patience, place);
            let _ = accepted.send(Ok(conn)).await;
        });
    }
}

fn is_of_the_other_end(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionRefused
            | ErrorKind::Interrupted
            | ErrorKind::PermissionDenied
    )
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A door behind which the process may open no more files.
    struct Exhausted(Arc<AtomicUsize>);

    impl Door for Exhausted {
        async fn accept(&mut self) -> Result<Raw, Error> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Err(Error::from_raw_os_error(24))
        }
    }

    #[tokio::test]
    async fn a_server_without_descriptors_waits_instead_of_spinning() {
        let tries = Arc::new(AtomicUsize::new(0));
        let accepting = Accepting {
            gate: Gate::new(10, 10),
            tls: None,
            patience: Duration::from_secs(1),
        };
        let taken = accepting.start(Exhausted(tries.clone()));
        tokio::time::sleep(Duration::from_secs(2)).await;
        // After 0, 10, 30, 70, 150, 310, 630 and 1,270 milliseconds.
        let tries = tries.load(Ordering::Relaxed);
        assert!((3..=9).contains(&tries), "{tries} tries in two seconds");
        drop(taken);
    }
}
