//! Streams of answers whose clients may read slowly or not at all. What waits for a client is bounded,
//! for each stream and for all together. Whoever makes the answers asks for a place first, and makes
//! nothing while there is none. A client that takes nothing for too long loses its stream.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_stream::Stream;

use super::limits::Limits;
use crate::wire::Failure;
use crate::wire::errors::ServiceReason;

/// The unit in which bytes of all streams are counted.
const UNIT: usize = 1 << 10;
/// How long whoever makes answers keeps what it has begun while there is no place.
const SOON: Duration = Duration::from_millis(500);

/// What may wait for clients. A clone is of the same room.
#[derive(Clone)]
pub(super) struct Room {
    all: Arc<Semaphore>,
    most: usize,
    of_stream: usize,
    patience: Duration,
}

impl Room {
    pub(super) fn new(limits: &Limits) -> Self {
        let most = (limits.unread_bytes / UNIT).clamp(1, u32::MAX as usize);
        Self {
            all: Arc::new(Semaphore::new(most)),
            most,
            of_stream: limits.unread_bytes_of_stream,
            patience: limits.reading,
        }
    }

    /// Opens a stream in which at most `items` wait.
    pub(super) fn open<T>(&self, items: usize) -> (Outlet<T>, Flow<T>) {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                queue: VecDeque::new(),
                bytes: 0,
                last: None,
                ended: false,
                left: false,
                busy: false,
                waker: None,
            }),
            taken: Notify::new(),
        });
        let outlet = Outlet {
            shared: shared.clone(),
            room: self.clone(),
            items,
        };
        (outlet, Flow { shared })
    }

    fn units(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.div_ceil(UNIT).clamp(1, self.most)).unwrap_or(u32::MAX)
    }
}

struct Shared<T> {
    state: Mutex<State<T>>,
    /// Notified when the client takes something, or leaves.
    taken: Notify,
}

struct State<T> {
    queue: VecDeque<Waiting<T>>,
    /// The bytes of the queue, and of what was taken last: that may wait in the transport.
    bytes: usize,
    last: Option<(usize, Option<OwnedSemaphorePermit>)>,
    /// Nothing more comes.
    ended: bool,
    /// The client has left.
    left: bool,
    /// What the client took last is still being worked on, so it is not the client that is slow.
    busy: bool,
    waker: Option<Waker>,
}

struct Waiting<T> {
    item: T,
    bytes: usize,
    permit: Option<OwnedSemaphorePermit>,
}

impl<T> Shared<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }
}

impl<T> State<T> {
    fn push(&mut self, waiting: Waiting<T>) {
        self.bytes += waiting.bytes;
        self.queue.push_back(waiting);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// The client has left.
    Left,
    /// The client takes nothing.
    Slow,
    /// Other streams take all the room.
    Full,
}

impl From<NoPlace> for Failure {
    fn from(why: NoPlace) -> Self {
        match why {
            // Nobody is there to read it.
            NoPlace::Left => Self::shutting_down(),
            NoPlace::Slow => Self::slow_reader(),
            NoPlace::Full => Self::overloaded(),
        }
    }
}

/// The end of a stream into which answers go. The stream ends when it is dropped.
pub(super) struct Outlet<T> {
    shared: Arc<Shared<T>>,
    room: Room,
    items: usize,
}

impl<T> Outlet<T> {
    /// Waits for a place for an answer that will have about so many bytes.
    pub(super) async fn place(&self, bytes: usize) -> Result<Place<'_, T>, NoPlace> {
        loop {
            let taken = self.shared.taken.notified();
            {
                let state = self.shared.state();
                if state.left {
                    return Err(NoPlace::Left);
                }
                let fits = state.bytes == 0 || state.bytes + bytes <= self.room.of_stream;
                if fits && state.queue.len() < self.items {
                    break;
                }
            }
            let patient = tokio::time::timeout(self.room.patience, taken).await;
            if patient.is_err() && !self.shared.state().busy {
                return Err(NoPlace::Slow);
            }
        }
        let permit = self.permit(bytes).await?;
        Ok(Place {
            outlet: self,
            permit,
        })
    }

    /// A place for an answer of about so many bytes, if there is one at once beside the `given` places of the same size
    /// that are not used yet.
    pub(super) fn place_now(&self, given: usize, bytes: usize) -> Option<Place<'_, T>> {
        {
            let state = self.shared.state();
            let fits = state.bytes + (given + 1) * bytes <= self.room.of_stream;
            if state.left || !fits || state.queue.len() + given >= self.items {
                return None;
            }
        }
        let units = self.room.units(bytes);
        let permit = self.room.all.clone().try_acquire_many_owned(units).ok()?;
        Some(Place {
            outlet: self,
            permit,
        })
    }

    /// Waits until there is a place for something small. Somebody else may be given it meanwhile.
    pub(super) async fn has_room(&self) -> Result<(), NoPlace> {
        let is_here = {
            let state = self.shared.state();
            let fits = state.bytes <= self.room.of_stream && state.queue.len() < self.items;
            !state.left && fits
        };
        match is_here && self.room.all.available_permits() > 0 {
            true => Ok(()),
            false => self.place(0).await.map(drop),
        }
    }

    /// The same as [`Outlet::place`]. If there is none soon, whoever makes the answers forgets what it can make again.
    pub(super) async fn place_or(
        &self,
        bytes: usize,
        forget: impl FnOnce(),
    ) -> Result<Place<'_, T>, NoPlace> {
        if let Ok(place) = tokio::time::timeout(SOON, self.place(bytes)).await {
            return place;
        }
        forget();
        self.place(bytes).await
    }

    async fn permit(&self, bytes: usize) -> Result<OwnedSemaphorePermit, NoPlace> {
        let units = self.room.units(bytes);
        if let Ok(permit) = self.room.all.clone().try_acquire_many_owned(units) {
            return Ok(permit);
        }
        let permit = self.room.all.clone().acquire_many_owned(units);
        tokio::select! {
            permit = tokio::time::timeout(self.room.patience, permit) => match permit {
                Ok(Ok(permit)) => Ok(permit),
                // The first means that it is closed, which nobody does.
                Ok(Err(_)) | Err(_) => match self.shared.state().bytes {
                    0 => Err(NoPlace::Full),
                    _ => Err(NoPlace::Slow),
                },
            },
            () = self.left() => Err(NoPlace::Left),
        }
    }

    /// Is ready when the client has left.
    pub(super) async fn left(&self) {
        loop {
            let taken = self.shared.taken.notified();
            if self.shared.state().left {
                return;
            }
            taken.await;
        }
    }
}

impl<T> Drop for Outlet<T> {
    fn drop(&mut self) {
        self.shared.end();
    }
}

/// Answers, or the status of the error that ends them.
pub(super) type Answers<T> = Outlet<Result<T, tonic::Status>>;

impl<T> Outlet<T> {
    /// Ends the stream with a last item, which needs no place.
    pub(super) fn finish(self, last: T) {
        let mut state = self.shared.state();
        state.push(Waiting {
            item: last,
            bytes: 0,
            permit: None,
        });
    }

    /// Ends the stream because of a failure. What a slow client has not taken is thrown away.
    pub(super) fn fail(self, failure: Failure, last: impl FnOnce(tonic::Status) -> T) {
        if failure.reason == ServiceReason::SlowReader.code() {
            let mut state = self.shared.state();
            state.queue.clear();
            state.last = None;
            state.bytes = 0;
        }
        self.finish(last(failure.into()));
    }
}

/// A place for one answer.
pub(super) struct Place<'o, T> {
    outlet: &'o Outlet<T>,
    permit: OwnedSemaphorePermit,
}

impl<T> Place<'_, T> {
    /// Puts the answer there. It may have fewer bytes than was said, or more.
    pub(super) fn send(mut self, item: T, bytes: usize) {
        let room = &self.outlet.room;
        let units = room.units(bytes) as usize;
        let has = self.permit.num_permits();
        if let Some(spare) = has.checked_sub(units).filter(|spare| *spare > 0) {
            drop(self.permit.split(spare));
        } else if let Ok(more) = u32::try_from(units - has.min(units))
            && more > 0
            // What exceeds all bounds alone cannot be made smaller any more.
            && let Ok(more) = room.all.clone().try_acquire_many_owned(more)
        {
            self.permit.merge(more);
        }
        self.outlet.shared.state().push(Waiting {
            item,
            bytes,
            permit: Some(self.permit),
        });
    }
}

/// The end of a stream from which the transport takes answers.
pub(super) struct Flow<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Flow<T> {
    /// Says when what was taken last is being worked on.
    pub(super) fn busy(&self) -> Busy<T> {
        Busy(self.shared.clone())
    }
}

/// Notes whether what was taken last is being worked on.
pub(super) struct Busy<T>(Arc<Shared<T>>);

impl<T> Busy<T> {
    pub(super) fn set(&self, busy: bool) {
        self.0.state().busy = busy;
    }
}

impl<T> Clone for Busy<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Stream for Flow<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut state = self.shared.state();
        // The transport asks for more when it has sent what it had.
        if let Some((bytes, permit)) = state.last.take() {
            state.bytes -= bytes;
            drop(permit);
            self.shared.taken.notify_waiters();
        }
        match state.queue.pop_front() {
            Some(waiting) => {
                state.last = Some((waiting.bytes, waiting.permit));
                self.shared.taken.notify_waiters();
                Poll::Ready(Some(waiting.item))
            }
            None if state.ended => Poll::Ready(None),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Flow<T> {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.left = true;
        state.queue.clear();
        state.last = None;
        state.bytes = 0;
        self.shared.taken.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use tokio_stream::StreamExt;

    use super::*;

    fn room(all: usize, of_stream: usize) -> Room {
        Room::new(&Limits {
            unread_bytes: all,
            unread_bytes_of_stream: of_stream,
            reading: Duration::from_millis(50),
            ..Limits::default()
        })
    }

    async fn send(outlet: &Outlet<u32>, item: u32, bytes: usize) -> Result<(), NoPlace> {
        outlet.place(bytes).await?.send(item, bytes);
        Ok(())
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_loses_its_stream_and_its_room() {
        let room = room(100 * UNIT, 10 * UNIT);
        let (outlet, mut flow) = room.open(100);
        for item in 0..10 {
            send(&outlet, item, UNIT).await.unwrap();
        }
        assert_eq!(room.all.available_permits(), 90);
        assert_eq!(send(&outlet, 10, UNIT).await, Err(NoPlace::Slow));
        outlet.fail(NoPlace::Slow.into(), |_| 99);
        assert_eq!(room.all.available_permits(), 100);
        assert_eq!(flow.next().await, Some(99));
        assert_eq!(flow.next().await, None);
    }

    #[tokio::test]
    async fn what_was_taken_counts_until_more_is_asked_for() {
        let room = room(100 * UNIT, 2 * UNIT);
        let (outlet, mut flow) = room.open(100);
        send(&outlet, 1, 2 * UNIT).await.unwrap();
        assert_eq!(flow.next().await, Some(1));
        assert_eq!(send(&outlet, 2, UNIT).await, Err(NoPlace::Slow));
        let (taken, sent) = tokio::join!(flow.next(), send(&outlet, 2, UNIT));
        assert_eq!((taken, sent), (Some(2), Ok(())));
    }

    #[tokio::test]
    async fn there_is_room_until_as_many_wait_as_may_or_the_client_leaves() {
        let room = room(100 * UNIT, 100 * UNIT);
        let (outlet, mut flow) = room.open(2);
        for item in 0..2 {
            assert_eq!(outlet.has_room().await, Ok(()));
            send(&outlet, item, UNIT).await.unwrap();
        }
        assert_eq!(outlet.has_room().await, Err(NoPlace::Slow));
        let (taken, there) = tokio::join!(flow.next(), outlet.has_room());
        assert_eq!((taken, there), (Some(0), Ok(())));
        drop(flow);
        assert_eq!(outlet.has_room().await, Err(NoPlace::Left));
    }

    #[tokio::test]
    async fn a_place_at_once_is_one_beside_those_that_are_not_used_yet() {
        // The stream's bytes, its items, and the room of all streams end it.
        for (all, of_stream, items) in [(100, 4, 100), (100, 100, 3), (4, 100, 100)] {
            let room = room(all * UNIT, of_stream * UNIT);
            let (outlet, flow) = room.open(items);
            send(&outlet, 1, 2 * UNIT).await.unwrap();
            let first = outlet.place_now(0, UNIT).unwrap();
            let second = outlet.place_now(1, UNIT).unwrap();
            assert!(
                outlet.place_now(2, UNIT).is_none(),
                "{all} {of_stream} {items}"
            );
            first.send(2, UNIT);
            assert!(
                outlet.place_now(1, UNIT).is_none(),
                "{all} {of_stream} {items}"
            );
            drop((second, flow));
            assert!(outlet.place_now(0, UNIT).is_none(), "the client has left");
        }
    }

    #[tokio::test]
    async fn all_streams_together_take_no_more_than_the_room_and_one_large_answer_fits() {
        let room = room(4 * UNIT, 10 * UNIT);
        let (greedy, mut flow) = room.open(100);
        send(&greedy, 1, 50 * UNIT).await.unwrap();
        let (other, _flow) = room.open(100);
        assert_eq!(send(&other, 1, UNIT).await, Err(NoPlace::Full));
        assert_eq!(flow.next().await, Some(1));
        let (taken, sent) = tokio::join!(flow.next(), async {
            let sent = send(&other, 1, UNIT).await;
            drop(greedy);
            sent
        });
        assert_eq!((taken, sent), (None, Ok(())));
        drop(flow);
    }

    #[tokio::test]
    async fn a_client_that_waits_for_the_server_is_not_slow_and_one_that_left_is_noticed() {
        let room = room(100 * UNIT, UNIT);
        let (outlet, flow) = room.open(100);
        send(&outlet, 1, UNIT).await.unwrap();
        flow.busy().set(true);
        let waiting = tokio::time::timeout(Duration::from_millis(300), send(&outlet, 2, UNIT));
        assert!(waiting.await.is_err());
        drop(flow);
        assert_eq!(send(&outlet, 2, UNIT).await, Err(NoPlace::Left));
        outlet.left().await;
        assert_eq!(room.all.available_permits(), 100);
    }
}
