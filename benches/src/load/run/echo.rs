//! Calls that do nothing: the same transport, clients and messages, and no ledger. What is left of
//! its rate is what the ledger takes.

use clap::Args;
use planledger::client::Client;
use planledger_benches::measure::clients::{Clients, Together};
use planledger_benches::school::School;
use planledger_proto::v1::ExecuteRequest;

use super::statuses;
use super::stream::pipeline;
use crate::fault::Fault;
use crate::report::Measurement;
use crate::target::Own;

#[derive(Debug, Args)]
pub(crate) struct Echo {
    /// Clients, each with a connection of its own
    #[arg(long, default_value_t = Self::default().clients)]
    clients: usize,
    /// Calls that all clients make together
    #[arg(long, default_value_t = Self::default().calls)]
    calls: u64,
    /// Commands over one stream
    #[arg(long, default_value_t = Self::default().commands)]
    commands: u64,
    /// Commands on their way at once
    #[arg(long, default_value_t = Self::default().window)]
    window: usize,
}

impl Default for Echo {
    fn default() -> Self {
        Self {
            clients: 64,
            calls: 300_000,
            commands: 600_000,
            window: 1_024,
        }
    }
}

impl Echo {
    pub(crate) async fn run(&self) -> Result<Vec<Measurement>, Fault> {
        let server = Own::start(None, None)?;
        let school = School::new(0, 2_000);
        let actor = school.actor().to_string();
        let mut clients = Clients::<Fault>::new(self.clients);
        for number in 0..self.clients as u64 {
            let calls: Vec<_> = (number..self.calls).step_by(self.clients).collect();
            let connection = Client::connect(server.url(), &actor).await?.commands();
            clients.spawn(calls, move |_| {
                let mut connection = connection.clone();
                async move {
                    connection.execute(ExecuteRequest::default()).await?;
                    Ok(())
                }
            });
        }
        let used = server.used();
        let Together {
            latencies, took, ..
        } = clients.join().await?;
        let each = server.used_each(used.as_ref(), self.calls);
        let how = format!(
            "{} clients, a connection each, {} empty calls",
            self.clients, self.calls
        );
        let unary = Measurement::new("echo", how, "calls", latencies.len(), took);
        let client = Client::connect(server.url(), &actor).await?;
        let commands = statuses(&school, 0..self.commands)?;
        let used = server.used();
        let (pipelined, took) = pipeline(&client, commands, self.window, true).await?;
        let stream_each = server.used_each(used.as_ref(), self.commands);
        let how = format!(
            "one stream, {} on their way, {} commands that nobody carries out",
            self.window, self.commands
        );
        let stream = Measurement::new("echo of a stream", how, "commands", pipelined.len(), took);
        Ok(vec![
            unary.with_latency(&latencies).costing(each),
            stream.with_latency(&pipelined).costing(stream_each),
        ])
    }
}
