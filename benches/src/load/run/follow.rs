//! Following all events while others write: what reaches each subscriber, and how long after it was sent.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use clap::Args;
use planledger_benches::measure::latency::{histogram, record};
use planledger_benches::school::School;
use planledger_proto::v1::follow_events_response::Content;
use planledger_proto::v1::{ExecuteRequest, FollowEventsRequest};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::statuses;
use crate::fault::Fault;
use crate::report::Measurement;
use crate::target::Target;

/// How long a subscriber may be without an event before the measurement is given up.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub(crate) struct Follow {
    /// Subscribers, each with a connection of its own; one measurement for each number
    #[arg(long, value_delimiter = ',', default_values_t = Self::default().subscribers)]
    subscribers: Vec<u64>,
    /// Commands a second, one event each, that are sent one after another whatever the subscribers do
    #[arg(long, default_value_t = Self::default().rate)]
    rate: u64,
    /// Seconds
    #[arg(long, default_value_t = Self::default().seconds)]
    seconds: u64,
    /// Students, with a plan each
    #[arg(long, default_value_t = Self::default().students)]
    students: u64,
}

impl Default for Follow {
    fn default() -> Self {
        Self {
            subscribers: vec![1, 20, 200],
            rate: 500,
            seconds: 5,
            students: 2_000,
        }
    }
}

/// When each position arrived.
type Arrived = Vec<(u64, Instant)>;

impl Follow {
    pub(crate) async fn run(&self, target: &Target) -> Result<Vec<Measurement>, Fault> {
        let school = target.school(self.students).await?;
        let mut measured = Vec::new();
        let mut first = 0;
        for number in &self.subscribers {
            measured.push(self.with(target, &school, *number, first).await?);
            first += self.commands();
        }
        Ok(measured)
    }

    fn commands(&self) -> u64 {
        self.rate * self.seconds
    }

    async fn with(
        &self,
        target: &Target,
        school: &School,
        number: u64,
        first: u64,
    ) -> Result<Measurement, Fault> {
        let commands = statuses(school, first..first + self.commands())?;
        let after = target.position().await?;
        let mut subscribers = Vec::new();
        for _ in 0..number {
            subscribers.push(subscribe(target, after, self.commands()).await?);
        }
        let mark = target.mark().await?;
        let connection = target.connect(school).await?.commands();
        let mut receipts = Vec::new();
        let mut pace = tokio::time::interval(Duration::from_secs(1) / self.rate.max(1) as u32);
        let start = Instant::now();
        for command in commands {
            pace.tick().await;
            let mut connection = connection.clone();
            receipts.push(tokio::spawn(async move {
                let (sent, command) = (Instant::now(), Some(command));
                let response = connection.execute(ExecuteRequest { command }).await?;
                let receipt = response.into_inner().receipt.unwrap_or_default();
                Ok::<_, Fault>((receipt.position, sent))
            }));
        }
        let mut sent = HashMap::new();
        for receipt in receipts {
            let (position, at) = receipt.await??;
            sent.insert(position, at);
        }
        let mut latencies = histogram();
        for subscriber in subscribers {
            for (position, at) in subscriber.await?? {
                let Some(sent) = sent.get(&position) else {
                    let told = format!("the event at {position} is of none of the commands");
                    return Err(Fault::Untrue(told));
                };
                record(&mut latencies, at - *sent);
            }
        }
        let took = start.elapsed();
        target.since(&mark, self.commands()).await?;
        let delivered = number * self.commands();
        let each = target.used_each(mark.used(), delivered);
        let how = format!(
            "{number} subscribers to everything, a connection each, {} commands a second for {} s",
            self.rate, self.seconds
        );
        let name = format!("follow by {number}");
        let measured = Measurement::new(name, how, "deliveries", delivered, took);
        Ok(measured.with_latency(&latencies).costing(each))
    }
}

/// A subscriber that has caught up, and ends when it has all of the events that are to come. It is a caller
/// of its own: each may have 128 streams.
async fn subscribe(
    target: &Target,
    after: u64,
    count: u64,
) -> Result<JoinHandle<Result<Arrived, Fault>>, Fault> {
    let client = target.connect_as_another().await?;
    let (ready, is_ready) = oneshot::channel();
    let running = tokio::spawn(async move {
        let request = FollowEventsRequest {
            after_position: after,
            filter: None,
        };
        let mut responses = client.events().follow_events(request).await?.into_inner();
        let mut ready = Some(ready);
        let mut arrived = Arrived::with_capacity(count as usize);
        while (arrived.len() as u64) < count {
            let response = tokio::time::timeout(PATIENCE, responses.message()).await;
            let response = response.map_err(|_| Fault::Untrue("no event came".to_owned()))??;
            let now = Instant::now();
            match response.and_then(|response| response.content) {
                Some(Content::Batch(batch)) => {
                    arrived.extend(batch.events.iter().map(|event| (event.position, now)));
                }
                Some(Content::CaughtUp(_)) => {
                    // The first time only; nobody waits for the others.
                    if let Some(ready) = ready.take() {
                        let _ = ready.send(());
                    }
                }
                Some(Content::Heartbeat(_)) => {}
                None => return Err(Fault::Untrue("a subscription ended".to_owned())),
            }
        }
        Ok(arrived)
    });
    match is_ready.await {
        Ok(()) => Ok(running),
        // It failed, and says why.
        Err(_) => match running.await? {
            Ok(_) => Err(Fault::Untrue("a subscription ended early".to_owned())),
            Err(fault) => Err(fault),
        },
    }
}
