//! Reading every event, as followers that begin anew do.

use std::time::Instant;

use clap::Args;
use planledger_proto::v1::ReadEventsRequest;

use super::batch::Batch;
use crate::fault::Fault;
use crate::report::{Bar, Measurement};
use crate::target::Target;

/// What the peer does.
const BAR: Bar = Bar::Rate(758_000.0);

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// Only what is recorded after this position
    #[arg(long, default_value_t = 0)]
    after: u64,
}

impl Replay {
    /// Reads what the ledger holds; records batches first if that is nothing.
    pub(crate) async fn run(&self, target: &Target) -> Result<Measurement, Fault> {
        if target.position().await? == 0 {
            Batch::default().run(target).await?;
        }
        read(target, self.after, "replay").await
    }
}

/// Reads everything after a position.
pub(crate) async fn read(
    target: &Target,
    after: u64,
    name: &'static str,
) -> Result<Measurement, Fault> {
    let client = target
        .connect(&planledger_benches::school::School::new(0, 1))
        .await?;
    let expected = target.position().await? - after;
    let request = ReadEventsRequest {
        after_position: after,
        ..ReadEventsRequest::default()
    };
    let used = target.used();
    let start = Instant::now();
    let mut events = client.events();
    let mut responses = events.read_events(request).await?.into_inner();
    let (mut count, mut bytes) = (0, 0);
    while let Some(response) = responses.message().await? {
        count += response.events.len() as u64;
        bytes += prost::Message::encoded_len(&response);
    }
    let took = start.elapsed();
    let each = target.used_each(used.as_ref(), count);
    if count != expected {
        let told = format!("{count} of {expected} events were read");
        return Err(Fault::Untrue(told));
    }
    let how = format!("one client, {count} events in {} MiB", bytes >> 20);
    let measured = Measurement::new(name, how, "events", count, took);
    Ok(measured.costing(each).against(BAR))
}
