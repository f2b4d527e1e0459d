//! Durable batches of whole classes, as a roster brings them: new people, and few commands with
//! many events.

use clap::Args;
use planledger::wire;
use planledger_benches::measure::clients::{Clients, Together, warm_up};
use planledger_benches::school::School;
use planledger_proto::v1::ExecuteBatchRequest;

use crate::fault::Fault;
use crate::report::{Bar, Measurement};
use crate::target::Target;

/// What the peer does with 8 clients and 1,000 events at a time.
const BAR: Bar = Bar::Rate(424_000.0);
/// Students of a full class, and the events that its roster makes.
const CLASS: u64 = 25;
const EVENTS: u64 = 79;

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Clients, each with a connection of its own
    #[arg(long, default_value_t = Self::default().clients)]
    clients: u64,
    /// Batches that each client sends
    #[arg(long, default_value_t = Self::default().batches)]
    batches: u64,
    /// Classes of a batch, 79 events each
    #[arg(long, default_value_t = Self::default().classes)]
    classes: u64,
}

impl Default for Import {
    fn default() -> Self {
        Self {
            clients: 8,
            batches: 25,
            classes: 13,
        }
    }
}

impl Import {
    pub(crate) async fn run(&self, target: &Target) -> Result<Measurement, Fault> {
        let classes = self.clients * self.batches * self.classes;
        let (seed, _) = uuid::Uuid::new_v4().as_u64_pair();
        let school = School::new(seed, classes * CLASS);
        target.record(&school, school.schools()?).await?;
        let mark = target.mark().await?;
        let mut clients = Clients::<Fault>::new(self.clients as usize);
        let mut number = 0;
        let mut commands = 0;
        for client in 0..self.clients {
            let mut batches = Vec::new();
            for batch in 0..self.batches {
                let first = (client * self.batches + batch) * self.classes;
                let mut request = ExecuteBatchRequest::default();
                for class in first..first + self.classes {
                    for command in school.roster(class)? {
                        let envelope = school.envelope(number, command);
                        request.commands.push(wire::message(&envelope));
                        number += 1;
                    }
                }
                commands = request.commands.len();
                batches.push(request);
            }
            let connection = target.connect_as(school.importer()).await?.commands();
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
        let each = target.since(&mark, classes * EVENTS).await?;
        let how = format!(
            "{} clients, {} batches of {} classes: {commands} commands with {} events",
            self.clients,
            self.clients * self.batches,
            self.classes,
            self.classes * EVENTS
        );
        let warm = self.batches - warm_up(self.batches);
        let events = self.clients * warm * self.classes * EVENTS;
        let measured = Measurement::new("import", how, "events", events, took);
        Ok(measured.with_latency(&latencies).costing(each).against(BAR))
    }
}
