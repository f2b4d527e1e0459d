//! Durable batches, as bulk imports send them.

use clap::Args;
use planledger_benches::measure::clients::{Clients, Together};
use planledger_proto::v1::ExecuteBatchRequest;

use super::statuses;
use crate::fault::Fault;
use crate::report::{Bar, Measurement};
use crate::target::Target;

/// What the peer does under the same load.
const BAR: Bar = Bar::Rate(424_000.0);

#[derive(Debug, Args)]
pub(crate) struct Batch {
    /// Clients, each with a connection of its own
    #[arg(long, default_value_t = Self::default().clients)]
    clients: u64,
    /// Batches that each client sends
    #[arg(long, default_value_t = Self::default().batches)]
    batches: u64,
    /// Commands of a batch, one event each
    #[arg(long, default_value_t = Self::default().size)]
    size: u64,
    /// Students, with a plan each
    #[arg(long, default_value_t = Self::default().students)]
    students: u64,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            clients: 8,
            batches: 50,
            size: 1_000,
            students: 2_000,
        }
    }
}

impl Batch {
    pub(crate) async fn run(&self, target: &Target) -> Result<Measurement, Fault> {
        let school = target.school(self.students).await?;
        let mark = target.mark().await?;
        let mut clients = Clients::<Fault>::new(self.clients as usize);
        for client in 0..self.clients {
            let first = client * self.batches;
            let batches = (first..first + self.batches).map(|batch| {
                let numbers = batch * self.size..(batch + 1) * self.size;
                let commands = statuses(&school, numbers)?;
                Ok(ExecuteBatchRequest { commands })
            });
            let batches = batches.collect::<Result<Vec<_>, Fault>>()?;
            let connection = target.connect(&school).await?.commands();
            clients.spawn(batches, move |batch| {
                let mut connection = connection.clone();
                async move {
                    connection.execute_batch(batch).await?;
                    Ok(())
                }
            });
        }
        let Together {
            latencies, took, ..
        } = clients.join().await?;
        let sent = self.clients * self.batches * self.size;
        let each = target.since(&mark, sent).await?;
        let how = format!(
            "{} clients, {} batches of {} commands with one event each, on {} plans",
            self.clients,
            self.clients * self.batches,
            self.size,
            self.students
        );
        let events = latencies.len() * self.size;
        let measured = Measurement::new("batch", how, "events", events, took);
        Ok(measured.with_latency(&latencies).costing(each).against(BAR))
    }
}
