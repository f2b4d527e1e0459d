//! One connection: its bytes, and what is known of the other end.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tokio_rustls::server::TlsStream;

use super::gate::Place;
use super::standing::Standing;
use crate::server::count::Count;
use crate::server::identity::certificate::ClientCertificate;

/// What every client of HTTP/2 sends first.
const PREFACE_BYTES: usize = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();

/// What is known of a connection. It is among the extensions of each of its requests.
#[derive(Clone, Debug, Default)]
pub struct Connection {
    /// The other end; `None` on a Unix socket.
    pub peer: Option<SocketAddr>,
    /// The certificate that the other end showed, signed by an authority for systems.
    pub certificate: Option<Arc<ClientCertificate>>,
    /// The streams that it has now.
    pub(in crate::server) streams: Arc<Count>,
    /// The health checks that it has now.
    pub(in crate::server) checks: Arc<Count>,
    /// Whether somebody has said who they are, and what goes on.
    pub(in crate::server) standing: Arc<Standing>,
}

/// The bytes of a connection.
pub(super) enum Bytes {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    #[cfg(unix)]
    Unix(tokio::net::UnixStream),
}

/// An accepted connection. It fails if the other end says nothing for too long at first, and keeps
/// its place among the connections until it ends.
pub(in crate::server) struct Conn {
    bytes: Bytes,
    about: Connection,
    /// Until when the other end must have begun, while it has not.
    opening: Option<Opening>,
    _place: Place,
}

struct Opening {
    left: usize,
    deadline: Pin<Box<Sleep>>,
}

impl Conn {
    pub(super) fn new(
        bytes: Bytes,
        mut about: Connection,
        patience: Duration,
        place: Place,
    ) -> Self {
        about.standing = place.standing.clone();
        let opening = Opening {
            left: PREFACE_BYTES,
            deadline: Box::pin(tokio::time::sleep(patience)),
        };
        Self {
            bytes,
            about,
            opening: Some(opening),
            _place: place,
        }
    }

    /// What is known of it.
    pub(in crate::server) fn about(&self) -> Connection {
        self.about.clone()
    }
}

impl AsyncRead for Conn {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        let this = &mut *self;
        let read = match &mut this.bytes {
            Bytes::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Bytes::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
            #[cfg(unix)]
            Bytes::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
        };
        let Some(opening) = &mut this.opening else {
            return read;
        };
        match read {
            Poll::Ready(Ok(())) => {
                let came = buffer.filled().len() - before;
                opening.left = opening.left.saturating_sub(came);
                if opening.left == 0 {
                    this.opening = None;
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => match opening.deadline.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(Err(Error::from(ErrorKind::TimedOut))),
                Poll::Pending => Poll::Pending,
            },
        }
    }
}

macro_rules! on {
    ($self:ident, $stream:ident => $call:expr) => {
        match &mut $self.get_mut().bytes {
            Bytes::Tcp($stream) => $call,
            Bytes::Tls($stream) => $call,
            #[cfg(unix)]
            Bytes::Unix($stream) => $call,
        }
    };
}

impl AsyncWrite for Conn {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize>> {
        on!(self, stream => Pin::new(stream).poll_write(cx, data))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[std::io::IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        on!(self, stream => Pin::new(stream).poll_write_vectored(cx, data))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.bytes {
            Bytes::Tcp(stream) => stream.is_write_vectored(),
            Bytes::Tls(stream) => stream.is_write_vectored(),
            #[cfg(unix)]
            Bytes::Unix(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        on!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        on!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}
