//! Gives each request its share of the server, and watches how its body arrives.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http;
use tower::{Layer, Service};

use super::answer::{Single, Streamed};
use super::ending::Streaming;
use super::entrance::{HEALTH, is_streaming};
use super::intake::Intake;
use super::limits::Limits;
use super::shares::{Kind, Shares};

/// How long the body of a health check may take to arrive. It has a few bytes.
const CHECK_BODY: Duration = Duration::from_secs(5);

/// Stands behind the entrance, so that it knows who asks.
#[derive(Clone)]
pub(super) struct Fair {
    shares: Shares,
    streaming: Streaming,
    body: Duration,
    reading: Duration,
}

impl Fair {
    /// `streaming` are the methods that answer with a stream.
    pub(super) fn new(limits: &Limits, streaming: Streaming) -> Self {
        Self {
            shares: Shares::new(limits),
            streaming,
            body: limits.body,
            reading: limits.reading,
        }
    }

    fn kind(&self, path: &str) -> Kind {
        match path {
            HEALTH => Kind::Check,
            path if is_streaming(&self.streaming, path) => Kind::Stream,
            _ => Kind::Single,
        }
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

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        let kind = self.fair.kind(request.uri().path());
        let admitted = match self.fair.shares.admit(request.extensions(), kind) {
            Ok(admitted) => admitted,
            Err(failure) => return Box::pin(async { Ok(Status::from(failure).into_http()) }),
        };
        request.extensions_mut().insert(admitted.writing());
        let (streams, patience) = match kind {
            Kind::Single => (false, self.fair.body),
            Kind::Stream => (true, self.fair.body),
            Kind::Check => (false, self.fair.body.min(CHECK_BODY)),
        };
        let kept = admitted.kept.clone();
        let request = request.map(|body| Body::new(Intake::new(body, kept, streams, patience)));
        let answer = self.inner.call(request);
        let reading = self.fair.reading;
        Box::pin(async move {
            let answer = answer.await?;
            Ok(answer.map(|inner| match streams {
                true => Body::new(Streamed::new(inner, admitted, reading)),
                false => Body::new(Single::new(inner, admitted, reading)),
            }))
        })
    }
}
