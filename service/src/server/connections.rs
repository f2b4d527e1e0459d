//! Serves connections: says how long each may stay, and ends those that may not stay longer.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::sync::watch;
use tokio_stream::{Stream, StreamExt};
use tonic::body::Body;
use tonic::codegen::http;
use tower::Service;

use super::deadline::{Answering, time_in, within};
use super::lapse;
use super::limits::Limits;
use super::observing::{Observed, Observing};
use super::transport::{Conn, Connection, Overdue, Standing};

/// How often the server asks a connection for a sign of life.
pub const KEEPALIVE: Duration = Duration::from_secs(30);
/// How long a connection may take to answer with a sign of life.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);
/// Bytes of one request that may wait to be read.
const WINDOW: u32 = 256 << 10;
/// Bytes of a whole connection that may wait to be read. It leaves room for several streams that
/// wait for the disk before the connection's other requests must wait too.
const CONNECTION_WINDOW: u32 = 8 * WINDOW;
/// How long a client may take to leave once it was told that its connection ends.
const FAREWELL: Duration = Duration::from_secs(2);

/// Serves every connection until `stop` is ready and all have ended.
pub(super) async fn serve<S>(
    service: S,
    incoming: impl Stream<Item = std::io::Result<Conn>>,
    limits: Limits,
    observing: Observing,
    stop: impl Future<Output = ()>,
) where
    S: Service<http::Request<Body>, Response = http::Response<Body>> + Clone + Send + 'static,
    S::Future: Send + Unpin + 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send + Sync + 'static,
{
    // Each connection has a receiver as long as it lasts.
    let (stopping, stopped) = watch::channel(());
    {
        let mut stop = pin!(stop);
        // When this goes, nobody can connect any more.
        let mut incoming = pin!(incoming);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                accepted = incoming.next() => accepted,
            };
            match accepted {
                Some(Ok(conn)) => {
                    let observed = (service.clone(), observing.clone());
                    let serving = serve_one(conn, observed, limits, stopped.clone());
                    tokio::spawn(serving);
                }
                // It is told where connections are accepted.
                Some(Err(_)) => {}
                None => break,
            }
        }
    }
    let _ = stopping.send(());
    drop(stopped);
    stopping.closed().await;
}

async fn serve_one<S>(
    conn: Conn,
    (service, observing): (S, Observing),
    limits: Limits,
    mut stopping: watch::Receiver<()>,
) where
    S: Service<http::Request<Body>, Response = http::Response<Body>> + Clone + Send + 'static,
    S::Future: Send + Unpin + 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send + Sync + 'static,
{
    let _open = observing.connection();
    let about = conn.about();
    let standing = about.standing.clone();
    let service = TowerToHyperService::new(Entering {
        service,
        about,
        observing,
    });
    let builder = builder(&limits, standing.clone());
    let mut serving = pin!(builder.serve_connection(TokioIo::new(conn), service));
    let why = tokio::select! {
        _ = &mut serving => return,
        why = standing.overdue(limits.identify, limits.idle) => Some(why),
        _ = stopping.changed() => None,
    };
    if why == Some(Overdue::Evicted) && !standing.is_known() {
        return;
    }
    // The client is told that nothing more is accepted; what it has asked is answered.
    serving.as_mut().graceful_shutdown();
    loop {
        tokio::select! {
            _ = &mut serving => return,
            () = standing.evicted() => return,
            () = tokio::time::sleep(FAREWELL) => {}
        }
        let idle = why.is_some() && standing.idle().is_some();
        if idle || !standing.is_known() {
            return;
        }
    }
}

fn builder(limits: &Limits, standing: Arc<Standing>) -> http2::Builder<Requests> {
    let mut builder = http2::Builder::new(Requests(standing));
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(limits.requests_of_connection);
    builder
}

/// Runs the requests of a connection, and counts them.
#[derive(Clone)]
struct Requests(Arc<Standing>);

impl<F> hyper::rt::Executor<F> for Requests
where
    F: Future + Send + 'static,
{
    fn execute(&self, request: F) {
        let open = self.0.begin();
        tokio::spawn(async move {
            lapse::watched(request).await;
            drop(open);
        });
    }
}

/// A service as one connection reaches it: what is known of the connection is among the extensions of
/// each request.
#[derive(Clone)]
struct Entering<S> {
    service: S,
    about: Connection,
    observing: Observing,
}

impl<S> Service<http::Request<Incoming>> for Entering<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>>,
    S::Future: Send + Unpin + 'static,
    S::Error: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Observed<Answering<S::Future>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Incoming>) -> Self::Future {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(self.about.clone());
        let time = time_in(request.headers());
        let service = &mut self.service;
        self.observing
            .watch(request, |request| within(time, service.call(request)))
    }
}
