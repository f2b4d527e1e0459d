//! Bodies of requests: how long they may take to arrive, and how many bytes of them the server keeps.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body::{Frame, SizeHint};
use tokio::time::Sleep;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Bytes;

use crate::wire::Failure;

/// What stands before each message of gRPC: a flag, and the length in four bytes.
const PREFIX: usize = 5;

/// Bytes that may be kept, and those that are.
#[derive(Debug)]
pub(super) struct Store {
    kept: AtomicUsize,
    most: usize,
}

impl Store {
    pub(super) fn new(most: usize) -> Self {
        let kept = AtomicUsize::new(0);
        Self { kept, most }
    }

    fn keep(&self, bytes: usize) -> bool {
        let fits = |kept: usize| kept.checked_add(bytes).filter(|sum| *sum <= self.most);
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        self.kept.fetch_update(success, failure, fits).is_ok()
    }

    /// The same, but if nothing else is kept, any number fits.
    fn keep_or_alone(&self, bytes: usize) -> bool {
        let fits = |kept: usize| match kept {
            0 => Some(bytes),
            kept => kept.checked_add(bytes).filter(|sum| *sum <= self.most),
        };
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        self.kept.fetch_update(success, failure, fits).is_ok()
    }

    fn release(&self, bytes: usize) {
        self.kept.fetch_sub(bytes, Ordering::AcqRel);
    }

    /// Whether nothing is kept.
    pub(super) fn is_empty(&self) -> bool {
        self.kept.load(Ordering::Acquire) == 0
    }
}

/// The bytes of one request that are kept, in the caller's store and in the one of all. They are given
/// back when the last clone is dropped.
#[derive(Clone)]
pub(super) struct Kept(Arc<Held>);

struct Held {
    bytes: AtomicUsize,
    stores: [Arc<Store>; 2],
}

impl Kept {
    pub(super) fn in_stores(stores: [Arc<Store>; 2]) -> Self {
        Self(Arc::new(Held {
            bytes: AtomicUsize::new(0),
            stores,
        }))
    }

    fn keep(&self, bytes: usize) -> bool {
        self.keep_by(bytes, Store::keep)
    }

    /// The same, but if nothing else is kept, any number fits: one answer may always wait.
    pub(super) fn keep_or_alone(&self, bytes: usize) -> bool {
        self.keep_by(bytes, Store::keep_or_alone)
    }

    fn keep_by(&self, bytes: usize, keep: impl Fn(&Store, usize) -> bool) -> bool {
        let [first, second] = &self.0.stores;
        if !keep(first, bytes) {
            return false;
        }
        if !keep(second, bytes) {
            first.release(bytes);
            return false;
        }
        self.0.bytes.fetch_add(bytes, Ordering::AcqRel);
        true
    }

    /// Gives back what is kept.
    pub(super) fn release(&self) {
        let bytes = self.0.bytes.swap(0, Ordering::AcqRel);
        self.0.stores.iter().for_each(|store| store.release(bytes));
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let bytes = *self.bytes.get_mut();
        self.stores.iter().for_each(|store| store.release(bytes));
    }
}

/// The body of a request. It fails if it takes too long, or if too much is kept already.
pub(super) struct Intake {
    inner: Body,
    kept: Kept,
    /// Whether the request may have many messages, of which each is worked on when it is there.
    streams: bool,
    patience: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
    message: Message,
}

/// How far the message that is arriving has come.
#[derive(Default)]
struct Message {
    /// How much of the prefix is there.
    prefix: usize,
    length: [u8; 4],
    /// How many bytes are missing once the prefix is there.
    missing: usize,
}

impl Message {
    fn is_between(&self) -> bool {
        self.prefix == 0
    }

    /// Goes on by what arrived. Gives whether a message was completed.
    fn take(&mut self, mut data: &[u8]) -> bool {
        let mut completed = false;
        while let Some((first, rest)) = data.split_first() {
            if self.prefix < PREFIX {
                if let Some(place) = self.prefix.checked_sub(1)
                    && let Some(byte) = self.length.get_mut(place)
                {
                    *byte = *first;
                }
                self.prefix += 1;
                data = rest;
                if self.prefix == PREFIX {
                    let length = u32::from_be_bytes(self.length);
                    self.missing = usize::try_from(length).unwrap_or(usize::MAX);
                }
            } else {
                let now = self.missing.min(data.len());
                self.missing -= now;
                data = data.get(now..).unwrap_or_default();
            }
            if self.prefix == PREFIX && self.missing == 0 {
                *self = Self::default();
                completed = true;
            }
        }
        completed
    }
}

impl Intake {
    pub(super) fn new(inner: Body, kept: Kept, streams: bool, patience: Duration) -> Self {
        Self {
            inner,
            kept,
            streams,
            patience,
            deadline: None,
            message: Message::default(),
        }
    }

    fn took(&mut self, data: &[u8]) -> Result<(), Failure> {
        let completed = self.message.take(data);
        if self.streams && completed {
            // What is decoded counts where it waits.
            self.kept.release();
            self.deadline = None;
        }
        if self.streams && self.message.is_between() {
            return Ok(());
        }
        match self.kept.keep(data.len()) {
            true => Ok(()),
            false => Err(Failure::overloaded()),
        }
    }

    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        if self.streams && self.message.is_between() {
            return false;
        }
        let patience = self.patience;
        let deadline = self
            .deadline
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        deadline.as_mut().poll(context).is_ready()
    }
}

impl http_body::Body for Intake {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match Pin::new(&mut self.inner).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref().cloned()
                    && let Err(failure) = self.took(&data)
                {
                    return Poll::Ready(Some(Err(failure.into())));
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Pending if self.is_late(context) => {
                Poll::Ready(Some(Err(Failure::body_too_slow().into())))
            }
            other => other,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(length: usize) -> Vec<u8> {
        let mut bytes = vec![0];
        bytes.extend(u32::try_from(length).unwrap().to_be_bytes());
        bytes.resize(PREFIX + length, 7);
        bytes
    }

    #[test]
    fn messages_are_told_apart_however_they_arrive() {
        let bytes = [message(0), message(300), message(1)].concat();
        for size in [1, 2, 3, 7, 100, bytes.len()] {
            let mut arriving = Message::default();
            let parts = bytes.chunks(size);
            let completed = parts.filter(|part| arriving.take(part)).count();
            assert!(arriving.is_between());
            assert!((1..=3).contains(&completed));
            assert!(!arriving.take(&message(9)[..8]));
            assert!(!arriving.is_between());
        }
    }

    #[test]
    fn no_store_keeps_more_than_it_may_and_each_gets_everything_back() {
        let (all, own) = (Arc::new(Store::new(100)), Arc::new(Store::new(60)));
        let kept = Kept::in_stores([own.clone(), all.clone()]);
        assert!(kept.keep(60));
        assert!(!kept.keep(1));
        let other = Kept::in_stores([Arc::new(Store::new(60)), all.clone()]);
        assert!(!other.keep(41));
        assert!(other.keep(40));
        drop(kept.clone());
        assert!(!other.keep(1));
        drop(kept);
        assert!(own.is_empty());
        assert!(other.keep(20));
        other.release();
        assert!(all.is_empty());
        assert!(other.keep_or_alone(1_000));
        assert!(!other.keep_or_alone(1));
        other.release();
        assert!(all.is_empty());
    }
}
