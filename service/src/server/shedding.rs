//! Refuses requests beyond a number.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http_body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{Bytes, http};
use tower::{Layer, Service};

use super::ending::Streaming;
use super::entrance::{HEALTH, is_streaming};
use crate::wire::Failure;

/// Refuses requests beyond a number at once. The server does not fail under load, and does not make
/// those requests wait.
#[derive(Clone, Debug)]
pub(super) struct Shedding {
    places: Arc<Semaphore>,
    streaming: Streaming,
}

impl Shedding {
    /// Accepts this many requests at once. `streaming` are the methods that answer with a stream.
    pub(super) fn beyond(requests: usize, streaming: Streaming) -> Self {
        Self {
            places: Arc::new(Semaphore::new(requests)),
            streaming,
        }
    }
}

impl<S> Layer<S> for Shedding {
    type Service = Shed<S>;

    fn layer(&self, inner: S) -> Shed<S> {
        Shed {
            inner,
            shedding: self.clone(),
        }
    }
}

/// A service that refuses requests beyond the number.
#[derive(Clone, Debug)]
pub(super) struct Shed<S> {
    inner: S,
    shedding: Shedding,
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
        let path = request.uri().path();
        if path == HEALTH {
            // Those take no place from anything else: see the shares.
            return Box::pin(self.inner.call(request));
        }
        let streams = is_streaming(&self.shedding.streaming, path);
        let Ok(place) = self.shedding.places.clone().try_acquire_owned() else {
            return Box::pin(async { Ok(Status::from(Failure::overloaded()).into_http()) });
        };
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            if !streams {
                // There is nothing left to do for it. Until the client has it, it counts in the
                // caller's share.
                drop(place);
                return Ok(answer);
            }
            Ok(answer.map(|inner| {
                Body::new(Placed {
                    inner,
                    _place: place,
                })
            }))
        })
    }
}

/// A stream of answers that keeps its place among the requests for as long as it lasts.
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
