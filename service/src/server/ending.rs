//! Ends streams of answers when the proof of who asked for them ends.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body::Frame;
use planledger_core::ids::Position;
use planledger_core::time::Timestamp;
use tokio::time::Sleep;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{Bytes, http};

use crate::wire::Failure;

/// The position up to which a stream has brought its client. A handler that finds this among the
/// extensions of its request keeps it up to date, so that the client learns from where to go on.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress(Arc<AtomicU64>);

impl Progress {
    /// A position that stands for none.
    const NONE: u64 = 0;

    /// The client has everything up to this position.
    pub(super) fn reached(&self, position: Position) {
        // Position 0 is where a stream begins that has brought nothing, so it is kept one higher.
        let value = position.get().saturating_add(1);
        self.0.store(value, Ordering::Release);
    }

    pub(super) fn position(&self) -> Option<u64> {
        match self.0.load(Ordering::Acquire) {
            Self::NONE => None,
            value => Some(value - 1),
        }
    }
}

/// The methods that answer with a stream, as paths.
pub(super) type Streaming = Arc<HashSet<String>>;

/// An answer that ends when the proof of who asked for it ends.
pub(super) struct Until {
    inner: Option<Body>,
    end: Pin<Box<Sleep>>,
    progress: Progress,
}

/// Lets an answer last until an instant. `now` is the present one.
pub(super) fn until(
    answer: http::Response<Body>,
    now: Timestamp,
    end: Timestamp,
    progress: Progress,
) -> http::Response<Body> {
    let left = Duration::from_nanos(end.nanos().saturating_sub(now.nanos()));
    let end = Box::pin(tokio::time::sleep(left));
    answer.map(|body| {
        Body::new(Until {
            inner: Some(body),
            end,
            progress,
        })
    })
}

impl http_body::Body for Until {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.inner.is_some() && self.end.as_mut().poll(context).is_ready() {
            // Whatever feeds the stream ends with it. A frame holds whole messages, so the client has
            // everything up to the position.
            self.inner = None;
            let status = Status::from(Failure::token_expired(self.progress.position()));
            let mut trailers = http::HeaderMap::new();
            return Poll::Ready(Some(match status.add_header(&mut trailers) {
                Ok(()) => Ok(Frame::trailers(trailers)),
                Err(status) => Err(status),
            }));
        }
        match &mut self.inner {
            Some(inner) => Pin::new(inner).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }
}
