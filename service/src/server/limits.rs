//! How much the server takes on at once, and what becomes of more.

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

/// Asked to find out whether a server lives, so it is answered however much there is to do.
const HEALTH: &str = "/grpc.health.v1.Health/Check";

/// How much a server takes on, and how long it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests that are worked on at once, streams included, of all connections; more are shed
    /// with RESOURCE_EXHAUSTED, reason OVERLOADED.
    pub requests: usize,
    /// Requests of one connection; its client waits before it sends more.
    pub requests_of_connection: u32,
    /// Bytes of a request's message; a catalogue is one command.
    pub request_bytes: usize,
    /// Bytes of an answer's message.
    pub answer_bytes: usize,
    /// How long a read waits for its minimum position.
    pub patience: Duration,
    /// How long nothing is sent to who follows events before a sign of life; the API promises one
    /// within 15 seconds.
    pub heartbeat: Duration,
    /// How long requests may go on once the server is told to stop.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
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

/// Sheds what is beyond a number of requests, instead of falling over or letting it wait.
#[derive(Clone, Debug)]
pub(super) struct Shedding(Arc<Semaphore>);

impl Shedding {
    /// Works on this many requests at once.
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

/// A service that sheds.
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

/// An answer that takes up a place until it has been sent, or its client is gone: a stream is a
/// request for as long as it goes on.
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
