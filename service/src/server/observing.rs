//! Watches each request from outside: gives it an id, puts the id into what is logged for it and into
//! its answer, and counts what became of it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use http_body::{Frame, SizeHint};
use tonic::body::Body;
use tonic::codegen::{Bytes, http};
use tonic::{Code, Status};
use tracing::Span;

use super::counts::{Counts, Open};
use super::ending::Streaming;
use super::entrance::is_streaming;
use super::request_id;

/// The trailer or header with the gRPC code of an answer.
const CODE: &str = "grpc-status";

/// Watches the requests of a server.
#[derive(Clone)]
pub(super) struct Observing {
    counts: Arc<Counts>,
    /// The methods that answer with a stream.
    streaming: Streaming,
}

/// A request that is being watched. Whatever becomes of it, it is counted once.
struct Request {
    counts: Arc<Counts>,
    method: &'static str,
    streams: bool,
    began: Instant,
    span: Span,
    ended: bool,
    _open: Open,
}

impl Observing {
    pub(super) fn new(counts: Arc<Counts>, streaming: Streaming) -> Self {
        Self { counts, streaming }
    }

    /// A connection that there is until this is dropped.
    pub(super) fn connection(&self) -> Open {
        self.counts.connection()
    }

    /// Watches a request, and what `ask` makes of it.
    pub(super) fn watch<F>(
        &self,
        request: http::Request<Body>,
        ask: impl FnOnce(http::Request<Body>) -> F,
    ) -> Observed<F> {
        let id = request_id::of(request.headers());
        let path = request.uri().path();
        let method = self.counts.method(path);
        let text = id.to_str().unwrap_or_default();
        let span = tracing::info_span!("request", request_id = text, method);
        let watched = Request {
            counts: self.counts.clone(),
            method,
            streams: is_streaming(&self.streaming, path),
            began: Instant::now(),
            span,
            ended: false,
            _open: self.counts.request(),
        };
        let answer = watched.span.in_scope(|| ask(request));
        Observed {
            answer,
            id,
            request: Some(watched),
        }
    }
}

impl Request {
    /// It ended with this code.
    fn end(&mut self, code: Code) {
        if self.ended {
            return;
        }
        self.ended = true;
        let took = self.began.elapsed();
        let single = (!self.streams).then_some(took);
        self.counts.answered(self.method, code, single);
        let _entered = self.span.enter();
        tracing::debug!(
            ?code,
            seconds = took.as_secs_f64(),
            "a request was answered"
        );
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        // Nobody waits for the answer any more.
        self.end(Code::Cancelled);
    }
}

/// An answer that is being worked on.
pub(super) struct Observed<F> {
    answer: F,
    id: http::HeaderValue,
    request: Option<Request>,
}

impl<F, E> Future for Observed<F>
where
    F: Future<Output = Result<http::Response<Body>, E>> + Unpin,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let answer = match &this.request {
            Some(request) => {
                let _entered = request.span.enter();
                Pin::new(&mut this.answer).poll(context)
            }
            None => Pin::new(&mut this.answer).poll(context),
        };
        let mut answer = match answer {
            Poll::Ready(Ok(answer)) => answer,
            other => return other,
        };
        let id = this.id.clone();
        answer.headers_mut().insert(request_id::HEADER, id);
        let Some(mut request) = this.request.take() else {
            return Poll::Ready(Ok(answer));
        };
        if let Some(code) = code_in(answer.headers()) {
            request.end(code);
        }
        Poll::Ready(Ok(answer.map(|inner| Body::new(Told { inner, request }))))
    }
}

/// The gRPC code that headers or trailers have.
fn code_in(headers: &http::HeaderMap) -> Option<Code> {
    let value = headers.get(CODE)?;
    Some(Code::from_bytes(value.as_bytes()))
}

/// An answer that is being sent.
struct Told {
    inner: Body,
    request: Request,
}

impl http_body::Body for Told {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        let frame = {
            let _entered = this.request.span.enter();
            Pin::new(&mut this.inner).poll_frame(context)
        };
        match &frame {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(code) = frame.trailers_ref().and_then(code_in) {
                    this.request.end(code);
                }
            }
            Poll::Ready(Some(Err(status))) => this.request.end(status.code()),
            Poll::Ready(None) | Poll::Pending => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
