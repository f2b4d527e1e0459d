//! Limits how many requests the server works on at once, and refuses the others.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{Bytes, http};
use tower::{Layer, Service};

use crate::wire::Failure;

/// The method that health checks call. The server always answers it, even when it is overloaded.
pub(super) const HEALTH: &str = "/grpc.health.v1.Health/Check";

/// How many requests a server works on, how large they may be, and how long it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once. The server closes further ones at once.
    pub connections: usize,
    /// Connections at once from one address, or from one network of version 6 (64 bits).
    pub connections_of_address: usize,
    /// How long a TLS handshake may take, and then the first bytes of HTTP/2.
    pub handshake: Duration,
    /// Requests of all connections that the server works on at once, streams included. The server
    /// refuses more requests with RESOURCE_EXHAUSTED, reason OVERLOADED.
    pub requests: usize,
    /// Requests of one connection at once. A client waits before it sends more.
    pub requests_of_connection: u32,
    /// Most bytes of a request's message. It must be large, because a catalogue is one command.
    pub request_bytes: usize,
    /// Most bytes of an answer's message.
    pub answer_bytes: usize,
    /// How long a read waits until the ledger has reached the read's minimum position.
    pub patience: Duration,
    /// After how long without an event the server sends a sign of life to clients that follow
    /// events. The API promises one within 15 seconds.
    pub heartbeat: Duration,
    /// How long requests may continue after the server is told to stop.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            connections_of_address: 512,
            handshake: Duration::from_secs(10),
            requests: 2_048,
            requests_of_connection: 512,
            request_bytes: 16 << 20,
            answer_bytes: 64 << 20,
            patience: Duration::from_secs(5),
            heartbeat: Duration::from_secs(10),
            grace: Duration::from_secs(20),
        }
    }
}

impl Limits {
    /// The usual limits, with no more connections than the process may open files for.
    #[must_use]
    pub fn within(room: usize) -> Self {
        let usual = Self::default();
        let connections = usual.connections.min(room);
        Self {
            connections,
            connections_of_address: usual.connections_of_address.min(connections.div_ceil(2)),
            ..usual
        }
    }
}

/// Refuses requests beyond a number at once. The server does not fail under load, and does not make
/// those requests wait.
#[derive(Clone, Debug)]
pub(super) struct Shedding(Arc<Semaphore>);

impl Shedding {
    /// Accepts this many requests at once.
    pub(super) fn beyond(requests: usize) -> Self {
        Self(Arc::new(Semaphore::new(requests)))
    }
}

impl<S> Layer<S> for Shedding {
    type Service = Shed<S>;

    fn layer(&self, inner: S) -> Shed<S> {
        Shed {
            inner,
            places: self.0.clone(),
        }
    }
}

/// A service that refuses requests beyond the number.
#[derive(Clone, Debug)]
pub(super) struct Shed<S> {
    inner: S,
    places: Arc<Semaphore>,
}

impl<S> Service<http::Request<Body>> for Shed<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if request.uri().path() == HEALTH {
            return Box::pin(self.inner.call(request));
        }
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            return Box::pin(async { Ok(Status::from(Failure::overloaded()).into_http()) });
        };
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            Ok(answer.map(|inner| {
                Body::new(Placed {
                    inner,
                    _place: place,
                })
            }))
        })
    }
}

/// An answer that keeps its place among the requests until it has been sent or the client is gone.
/// So a stream counts as a request for as long as it lasts.
struct Placed {
    inner: Body,
    _place: OwnedSemaphorePermit,
}

impl http_body::Body for Placed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
