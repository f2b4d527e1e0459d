//! A way to a server that lets through only so much, so that a client stands still or is cut off
//! half-way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::voice::PATIENCE;

/// A proxy that counts what clients send.
pub(crate) struct Proxy {
    pub(crate) url: String,
    flow: Arc<Flow>,
    accepting: AbortHandle,
}

struct Flow {
    to: String,
    /// How many bytes may go to the server.
    allowed: u64,
    sent: AtomicU64,
    /// How many bytes may come back on a connection before it is cut off.
    allowed_back: u64,
    used_up: Notify,
}

impl Proxy {
    /// Lets `allowed` bytes through to a server, and everything back.
    pub(crate) async fn start(url: &str, allowed: u64) -> Self {
        Self::carrying(url, allowed, u64::MAX).await
    }

    /// Lets everything through to a server, and cuts each connection off after `back` bytes of what
    /// it answers.
    pub(crate) async fn cutting(url: &str, back: u64) -> Self {
        Self::carrying(url, u64::MAX, back).await
    }

    async fn carrying(url: &str, allowed: u64, allowed_back: u64) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let flow = Arc::new(Flow {
            to: url.strip_prefix("http://").unwrap().to_owned(),
            allowed,
            sent: AtomicU64::new(0),
            allowed_back,
            used_up: Notify::new(),
        });
        let accepting = tokio::spawn({
            let flow = flow.clone();
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(flow.clone().carry(client));
                }
            }
        });
        Self {
            url: format!("http://{address}"),
            flow,
            accepting: accepting.abort_handle(),
        }
    }

    /// How much was sent.
    pub(crate) fn sent(&self) -> u64 {
        self.flow.sent.load(Ordering::SeqCst)
    }

    /// Waits until nothing more is let through.
    pub(crate) async fn used_up(&self) {
        let waiting = timeout(PATIENCE, self.flow.used_up.notified());
        waiting.await.expect("that much is sent");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Flow {
    async fn carry(self: Arc<Self>, client: TcpStream) {
        let server = TcpStream::connect(&self.to).await.unwrap();
        let (mut from_client, mut to_client) = client.into_split();
        let (from_server, mut to_server) = server.into_split();
        let mut from_server = from_server.take(self.allowed_back);
        let back = async move {
            // Ends with the server or with what is allowed, and then so does the connection.
            let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
            if from_server.limit() == 0 {
                // What was let through arrives: the client is the one that hangs up.
                let _ = to_client.shutdown().await;
                std::future::pending::<()>().await;
            }
        };
        let forth = async move {
            let mut buffer = vec![0; 4_096];
            loop {
                let read = from_client.read(&mut buffer).await.unwrap_or(0);
                if read == 0 {
                    return;
                }
                let before = self.sent.fetch_add(read as u64, Ordering::SeqCst);
                if before + read as u64 > self.allowed {
                    self.used_up.notify_one();
                    return std::future::pending().await;
                }
                if to_server.write_all(&buffer[..read]).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = back => {}
            () = forth => {}
        }
    }
}
