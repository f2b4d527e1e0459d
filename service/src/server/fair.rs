//! Gives each request its share of the server, and watches how its body arrives.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body::{Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{Bytes, http};
use tower::{Layer, Service};

use super::entrance::REFLECTION;
use super::intake::Intake;
use super::limits::Limits;
use super::shares::{Admitted, Shares};

/// Stands behind the entrance, so that it knows who asks.
#[derive(Clone)]
pub(super) struct Fair {
    shares: Shares,
    streaming: Arc<HashSet<String>>,
    patience: Duration,
}

impl Fair {
    /// `streaming` are the methods that answer with a stream.
    pub(super) fn new(limits: &Limits, streaming: HashSet<String>) -> Self {
        Self {
            shares: Shares::new(limits),
            streaming: Arc::new(streaming),
            patience: limits.body,
        }
    }

    fn streams(&self, path: &str) -> bool {
        self.streaming.contains(path) || path.starts_with(REFLECTION)
    }
}

impl<S> Layer<S> for Fair {
    type Service = Sharing<S>;

    fn layer(&self, inner: S) -> Sharing<S> {
        Sharing {
            inner,
            fair: self.clone(),
        }
    }
}

/// A service of which each caller has a share.
#[derive(Clone)]
pub(super) struct Sharing<S> {
    inner: S,
    fair: Fair,
}

impl<S> Service<http::Request<Body>> for Sharing<S>
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
        let streams = self.fair.streams(request.uri().path());
        let admitted = match self.fair.shares.admit(request.extensions(), streams) {
            Ok(admitted) => admitted,
            Err(failure) => return Box::pin(async { Ok(Status::from(failure).into_http()) }),
        };
        let (kept, patience) = (admitted.kept.clone(), self.fair.patience);
        let request = request.map(|body| Body::new(Intake::new(body, kept, streams, patience)));
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            Ok(answer.map(|inner| {
                Body::new(Shared {
                    inner,
                    _admitted: admitted,
                })
            }))
        })
    }
}

/// An answer that has its share until it has been sent or the client is gone.
struct Shared {
    inner: Body,
    _admitted: Admitted,
}

impl http_body::Body for Shared {
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
