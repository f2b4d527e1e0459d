//! Connections: where they come from, who may have how many, and what protects them.
//!
//! Without TLS the server listens on loopback addresses in development mode, or on a Unix socket for
//! a proxy; nowhere else can whoever is on the way read and change what is sent.

mod accept;
mod conn;
mod descriptors;
mod gate;
mod standing;
mod tls;
#[cfg(unix)]
mod unix;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio_stream::wrappers::ReceiverStream;

use self::accept::Accepting;
pub(super) use self::conn::Conn;
pub use self::conn::Connection;
pub use self::descriptors::make_room;
use self::gate::Gate;
pub(super) use self::standing::{Overdue, Standing};
use self::tls::Hangups;
pub use self::tls::{Tls, TlsError};
use super::limits::Limits;

/// Where the server listens.
pub(super) struct Listening {
    door: Door,
    tls: Option<Arc<Tls>>,
}

enum Door {
    Tcp(TcpListener, SocketAddr),
    #[cfg(unix)]
    Unix(unix::Socket),
}

/// What goes on beside the connections; it ends when this is dropped.
pub(super) struct Kept {
    watching: Option<AbortHandle>,
    #[cfg(unix)]
    _socket: Option<unix::Socket>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.watching.iter().for_each(AbortHandle::abort);
    }
}

impl Listening {
    /// Listens on an address; with TLS if there is a certificate.
    pub(super) async fn on(address: SocketAddr, tls: Option<Arc<Tls>>) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self {
            door: Door::Tcp(listener, address),
            tls,
        })
    }

    /// Listens on a Unix socket.
    #[cfg(unix)]
    pub(super) fn behind_proxy(path: &Path) -> io::Result<Self> {
        Ok(Self {
            door: Door::Unix(unix::Socket::bind(path)?),
            tls: None,
        })
    }

    /// Listens on a Unix socket, which this system does not have.
    #[cfg(not(unix))]
    pub(super) fn behind_proxy(_: &Path) -> io::Result<Self> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    /// The address; 0.0.0.0 port 0 for a Unix socket.
    pub(super) fn address(&self) -> SocketAddr {
        match &self.door {
            Door::Tcp(_, address) => *address,
            #[cfg(unix)]
            Door::Unix(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        }
    }

    /// How clients write where the server listens.
    pub(super) fn url(&self) -> String {
        match &self.door {
            Door::Tcp(_, address) => match &self.tls {
                Some(_) => format!("https://{address}"),
                None => format!("http://{address}"),
            },
            #[cfg(unix)]
            Door::Unix(socket) => format!("unix:{}", socket.path.display()),
        }
    }

    /// Accepts connections until the receiver is dropped.
    pub(super) fn accept(
        self,
        limits: &Limits,
    ) -> io::Result<(ReceiverStream<io::Result<Conn>>, Kept)> {
        let watching = match &self.tls {
            Some(tls) => {
                let watch = tls.clone().watch(Hangups::listen()?);
                Some(tokio::spawn(watch).abort_handle())
            }
            None => None,
        };
        let accepting = Accepting {
            gate: Gate::new(limits.connections, limits.connections_of_address),
            tls: self.tls,
            patience: limits.handshake,
        };
        let (taken, kept) = match self.door {
            Door::Tcp(listener, _) => (
                accepting.start(listener),
                Kept {
                    watching,
                    #[cfg(unix)]
                    _socket: None,
                },
            ),
            #[cfg(unix)]
            Door::Unix(mut socket) => {
                let listener = socket.take().ok_or(io::ErrorKind::NotConnected)?;
                let kept = Kept {
                    watching,
                    _socket: Some(socket),
                };
                (accepting.start(listener), kept)
            }
        };
        Ok((ReceiverStream::new(taken), kept))
    }
}
