//! Single answers: they go out in pieces, each counts until it is sent, and a client that does not
//! take one loses it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body::{Frame, SizeHint};
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{Bytes, http};

use super::lapse::must_be_taken_until;
use super::shares::Admitted;
use crate::wire::Failure;

/// How many bytes of an answer the transport gets at once. What it has, it keeps until it can send it.
const PIECE: usize = 16 << 10;
/// How many times as long as it may take nothing a client may take for all of an answer, and how
/// long a stream that nobody reads stays after it was told that it ends.
const LONGEST: u32 = 10;

/// The instant after so much time; `None` if nobody lives to see it.
fn after(time: Duration) -> Option<Instant> {
    Instant::now().checked_add(time)
}

/// A single answer, until it has been sent.
pub(super) struct Single {
    inner: Body,
    /// What was not handed to the transport yet.
    rest: Bytes,
    admitted: Arc<Admitted>,
    patience: Duration,
    /// Until when all of it must be taken, once it is under way.
    latest: Option<Instant>,
    refused: bool,
}

impl Single {
    /// `patience` is how long the client may take nothing of it.
    pub(super) fn new(inner: Body, admitted: Admitted, patience: Duration) -> Self {
        Self {
            inner,
            rest: Bytes::new(),
            admitted: Arc::new(admitted),
            patience,
            latest: None,
            refused: false,
        }
    }

    fn next_piece(&mut self) -> Frame<Bytes> {
        let bytes = self.rest.split_to(self.rest.len().min(PIECE));
        let admitted = self.admitted.clone();
        Frame::data(Bytes::from_owner(Piece {
            bytes,
            _admitted: admitted,
        }))
    }

    fn refuse(&mut self) -> Result<Frame<Bytes>, Status> {
        self.refused = true;
        let status = Status::from(Failure::overloaded());
        let mut trailers = http::HeaderMap::new();
        status.add_header(&mut trailers)?;
        Ok(Frame::trailers(trailers))
    }
}

/// A piece of an answer. Its share goes when the transport has sent it.
struct Piece {
    bytes: Bytes,
    _admitted: Arc<Admitted>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl http_body::Body for Single {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.latest.is_none() {
            self.latest = after(self.patience.saturating_mul(LONGEST));
        }
        let latest = self.latest;
        must_be_taken_until(
            after(self.patience).map(|soon| latest.map_or(soon, |it| it.min(soon))),
        );
        if self.refused {
            return Poll::Ready(None);
        }
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(self.next_piece())));
        }
        let frame = match Pin::new(&mut self.inner).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => frame,
            Poll::Pending => {
                must_be_taken_until(None);
                return Poll::Pending;
            }
            other => return other,
        };
        let data = match frame.into_data() {
            Ok(data) => data,
            Err(other) => return Poll::Ready(Some(Ok(other))),
        };
        if !self.admitted.answers_with(data.len()) {
            return Poll::Ready(Some(self.refuse()));
        }
        self.rest = data;
        Poll::Ready(Some(Ok(self.next_piece())))
    }

    fn is_end_stream(&self) -> bool {
        self.refused || (self.rest.is_empty() && self.inner.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// A stream of answers, which has its share until it ends or the client is gone.
pub(super) struct Streamed {
    inner: Body,
    _admitted: Admitted,
    patience: Duration,
}

impl Streamed {
    /// `patience` is how long the client may take nothing of it until it is told that it ends.
    pub(super) fn new(inner: Body, admitted: Admitted, patience: Duration) -> Self {
        Self {
            inner,
            _admitted: admitted,
            patience,
        }
    }
}

impl http_body::Body for Streamed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(context);
        must_be_taken_until(match &frame {
            Poll::Pending => None,
            Poll::Ready(_) => after(self.patience.saturating_mul(LONGEST)),
        });
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
