//! A caller's share of what waits for the writer. There is one writer, so whoever hands in a lot makes
//! others wait: for a caller, only so much may wait that a command of somebody else is taken soon.

use std::sync::Arc;
use std::time::Duration;

use planledger_core::ledger::limits::WAITING_REQUESTS;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::Limits;
use crate::wire::Failure;

/// How many bytes of a command count as a command.
const BYTES: usize = 8 << 10;
/// How many commands of a batch count as one: they are decided and written together.
const TOGETHER: usize = 8;
/// The largest share of a caller.
const LARGEST: usize = WAITING_REQUESTS / 4;

/// What waits of the command streams of all callers.
#[derive(Clone)]
pub(super) struct Streams(Arc<Semaphore>);

impl Streams {
    /// As much as the writer takes, but for what single requests need: so those are never refused
    /// because of streams.
    pub(super) fn beside(limits: &Limits) -> Self {
        let rest = WAITING_REQUESTS.saturating_sub(limits.requests);
        Self(Arc::new(Semaphore::new(rest.max(LARGEST))))
    }
}

/// The share of one caller. A clone is of the same.
#[derive(Clone)]
pub(super) struct Writing {
    own: Arc<Semaphore>,
    most: u32,
    streams: Streams,
    patience: Duration,
}

/// A place for something that waits for the writer, until it is dropped.
pub(super) struct Turn {
    _own: OwnedSemaphorePermit,
    _streams: Option<OwnedSemaphorePermit>,
}

impl Writing {
    pub(super) fn new(limits: &Limits, streams: &Streams) -> Self {
        let most = limits.commands_of_caller.clamp(1, LARGEST);
        Self {
            own: Arc::new(Semaphore::new(most)),
            most: u32::try_from(most).unwrap_or(u32::MAX),
            streams: streams.clone(),
            patience: limits.patience,
        }
    }

    /// Whether nothing waits.
    pub(super) fn is_idle(&self) -> bool {
        self.own.available_permits() >= self.most as usize
    }

    /// A place for the commands of a single request, which have so many bytes together.
    ///
    /// # Errors
    /// `RATE_LIMITED` if what the caller handed in before is not written in time.
    pub(super) async fn single(&self, commands: usize, bytes: usize) -> Result<Turn, Failure> {
        let own = tokio::time::timeout(self.patience, self.own(commands, bytes)).await;
        let own = own.unwrap_or_else(|_| Err(Failure::too_many_commands(self.most)))?;
        Ok(Turn {
            _own: own,
            _streams: None,
        })
    }

    /// A place for a command of a stream. The stream waits for it.
    pub(super) async fn of_stream(&self, bytes: usize) -> Result<Turn, Failure> {
        let own = self.own(1, bytes).await?;
        let units = u32::try_from(own.num_permits()).unwrap_or(u32::MAX);
        let streams = take(&self.streams.0, units).await?;
        Ok(Turn {
            _own: own,
            _streams: Some(streams),
        })
    }

    async fn own(&self, commands: usize, bytes: usize) -> Result<OwnedSemaphorePermit, Failure> {
        let units = commands.div_ceil(TOGETHER).max(bytes.div_ceil(BYTES));
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        take(&self.own, units.clamp(1, self.most)).await
    }
}

async fn take(of: &Arc<Semaphore>, units: u32) -> Result<OwnedSemaphorePermit, Failure> {
    // It would fail if it were closed, which nobody does.
    let taken = of.clone().acquire_many_owned(units).await;
    taken.map_err(|_| Failure::shutting_down())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits {
            commands_of_caller: 4,
            patience: Duration::from_millis(20),
            ..Limits::default()
        }
    }

    async fn waits(turn: impl Future<Output = Result<Turn, Failure>>) -> bool {
        let moment = Duration::from_millis(100);
        tokio::time::timeout(moment, turn).await.is_err()
    }

    #[tokio::test]
    async fn streams_of_a_caller_wait_and_single_requests_are_told_to() {
        let limits = limits();
        let streams = Streams::beside(&limits);
        let (one, other) = (
            Writing::new(&limits, &streams),
            Writing::new(&limits, &streams),
        );
        let mut turns = Vec::new();
        for _ in 0..4 {
            turns.push(one.of_stream(10).await.ok());
        }
        assert!(waits(one.of_stream(10)).await);
        let refused = one.single(1, 10).await.err().unwrap();
        assert_eq!(refused.reason, "RATE_LIMITED");
        assert!(refused.retry_after.is_some());
        // That is nobody else's concern.
        assert!(other.single(1, 10).await.is_ok() && other.of_stream(10).await.is_ok());
        turns.pop();
        assert!(one.single(1, 10).await.is_ok());
        assert!(!one.is_idle());
        turns.clear();
        assert!(one.is_idle());
    }

    #[tokio::test]
    async fn what_is_large_counts_more_and_the_largest_fits_alone() {
        let limits = limits();
        let streams = Streams::beside(&limits);
        let writing = Writing::new(&limits, &streams);
        let large = writing.single(1_000, 15 << 20).await.unwrap();
        assert!(waits(writing.of_stream(0)).await);
        drop(large);
        let half = writing.single(2 * TOGETHER, 1).await.unwrap();
        let rest = writing.single(1, 2 * BYTES).await.unwrap();
        assert!(waits(writing.of_stream(0)).await);
        drop((half, rest));
    }

    #[tokio::test]
    async fn streams_of_all_leave_room_for_single_requests() {
        let limits = Limits {
            commands_of_caller: WAITING_REQUESTS,
            ..Limits::default()
        };
        let streams = Streams::beside(&limits);
        let mut turns = Vec::new();
        let room = WAITING_REQUESTS - limits.requests;
        while turns.len() * LARGEST < room {
            let caller = Writing::new(&limits, &streams);
            turns.push(caller.of_stream(usize::MAX).await.ok());
        }
        let caller = Writing::new(&limits, &streams);
        assert!(waits(caller.of_stream(1)).await);
        assert!(caller.single(1, 1).await.is_ok());
    }
}
