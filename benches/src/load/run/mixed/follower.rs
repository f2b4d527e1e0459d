//! A follower of everything, who takes up again where a subscription ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use planledger::client::Client;
use planledger_proto::v1::FollowEventsRequest;
use planledger_proto::v1::follow_events_response::Content;

use super::tally::{Tally, Work};
use crate::fault::Fault;

/// Before a subscription is taken up again.
const PAUSE: Duration = Duration::from_secs(1);

/// How far a follower is.
#[derive(Debug)]
pub(super) struct Follower {
    after: u64,
    last: AtomicU64,
    count: AtomicU64,
}

impl Follower {
    /// One who has not begun, and wants what comes after a position.
    pub(super) fn new(after: u64) -> Self {
        Self {
            after,
            last: AtomicU64::new(after),
            count: AtomicU64::new(0),
        }
    }

    /// Where the last event stands that arrived.
    pub(super) fn last(&self) -> u64 {
        self.last.load(Ordering::Relaxed)
    }

    /// Whether every event up to the last arrived, once.
    pub(super) fn is_complete(&self) -> bool {
        self.count.load(Ordering::Relaxed) == self.last() - self.after
    }

    /// Follows for ever. A subscription that ends counts as a failure.
    pub(super) async fn follow(self: Arc<Self>, client: Client, tally: Arc<Tally>) {
        loop {
            let ended = match self.subscribe(&client, &tally).await {
                Ok(()) => "the subscription ended".to_owned(),
                Err(fault) => fault.to_string(),
            };
            tally.failed(Work::Follow, ended);
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn subscribe(&self, client: &Client, tally: &Tally) -> Result<(), Fault> {
        let request = FollowEventsRequest {
            after_position: self.last(),
            filter: None,
        };
        let mut responses = client.events().follow_events(request).await?.into_inner();
        while let Some(response) = responses.message().await? {
            let Some(Content::Batch(batch)) = response.content else {
                continue;
            };
            let now = SystemTime::now();
            for event in batch.events {
                let recorded = event
                    .recorded_at
                    .and_then(|at| SystemTime::try_from(at).ok());
                // Clocks of two machines may differ.
                let took = recorded.and_then(|at| now.duration_since(at).ok());
                tally.arrived(Work::Follow, took.unwrap_or_default());
                self.count.fetch_add(1, Ordering::Relaxed);
                self.last.store(event.position, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}
