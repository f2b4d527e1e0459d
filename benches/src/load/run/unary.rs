//! Durable single commands, as interactive clients send them.

use clap::Args;
use planledger_benches::measure::clients::{Clients, Together};
use planledger_proto::v1::ExecuteRequest;

use super::statuses;
use crate::fault::Fault;
use crate::report::{Bar, Measurement};
use crate::target::Target;

/// 1.5 times what the peer does under the same load.
const BAR: Bar = Bar::Rate(26_500.0);

#[derive(Debug, Args)]
pub(crate) struct Unary {
    /// Clients, each with a connection of its own
    #[arg(long, default_value_t = Self::default().clients)]
    clients: usize,
    /// Commands that all clients send together
    #[arg(long, default_value_t = Self::default().commands)]
    commands: u64,
    /// Students, with a plan each
    #[arg(long, default_value_t = Self::default().students)]
    students: u64,
}

impl Default for Unary {
    fn default() -> Self {
        Self {
            clients: 64,
            commands: 200_000,
            students: 2_000,
        }
    }
}

impl Unary {
    pub(crate) async fn run(&self, target: &Target) -> Result<Measurement, Fault> {
        let school = target.school(self.students).await?;
        let mark = target.mark().await?;
        let mut clients = Clients::<Fault>::new(self.clients);
        for number in 0..self.clients as u64 {
            // Clients take turns on the plans, so that none waits for another's.
            let numbers = (number..self.commands).step_by(self.clients);
            let connection = target.connect(&school).await?.commands();
            clients.spawn(statuses(&school, numbers)?, move |command| {
                let mut connection = connection.clone();
                async move {
                    let command = Some(command);
                    connection.execute(ExecuteRequest { command }).await?;
                    Ok(())
                }
            });
        }
        let Together {
            latencies, took, ..
        } = clients.join().await?;
        let each = target.since(&mark, self.commands).await?;
        let how = format!(
            "{} clients, a connection each, {} commands on {} plans",
            self.clients, self.commands, self.students
        );
        let measured = Measurement::new("unary", how, "commands", latencies.len(), took);
        Ok(measured.with_latency(&latencies).costing(each).against(BAR))
    }
}
