//! Durable single commands over one stream, as systems that synchronise send them.

use std::sync::Arc;
use std::sync::mpsc as blocking;
use std::time::{Duration, Instant};

use clap::Args;
use hdrhistogram::Histogram;
use planledger::client::Client;
use planledger_benches::measure::clients::warm_up;
use planledger_benches::measure::latency::{histogram, record};
use planledger_proto::v1::execute_stream_response::Outcome;
use planledger_proto::v1::{self as proto, ExecuteStreamRequest};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use super::statuses;
use crate::fault::Fault;
use crate::report::{Bar, Measurement};
use crate::target::Target;

const BAR: Bar = Bar::Rate(100_000.0);

#[derive(Debug, Args)]
pub(crate) struct Stream {
    /// Commands on their way at once
    #[arg(long, default_value_t = Self::default().window)]
    window: usize,
    /// Commands sent
    #[arg(long, default_value_t = Self::default().commands)]
    commands: u64,
    /// Students, with a plan each
    #[arg(long, default_value_t = Self::default().students)]
    students: u64,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            window: 1_024,
            commands: 400_000,
            students: 2_000,
        }
    }
}

impl Stream {
    pub(crate) async fn run(&self, target: &Target) -> Result<Measurement, Fault> {
        let school = target.school(self.students).await?;
        let mark = target.mark().await?;
        let client = target.connect(&school).await?;
        let commands = statuses(&school, 0..self.commands)?;
        let (latencies, took) = pipeline(&client, commands, self.window, false).await?;
        let each = target.since(&mark, self.commands).await?;
        let how = format!(
            "one stream, {} on their way, {} commands on {} plans",
            self.window, self.commands, self.students
        );
        let measured = Measurement::new("stream", how, "commands", latencies.len(), took);
        Ok(measured.with_latency(&latencies).costing(each).against(BAR))
    }
}

/// Sends commands over one stream, `window` of them on their way at once; latencies from handing
/// one over to its answer. `empty` answers are those of a server that does nothing.
pub(super) async fn pipeline(
    client: &Client,
    commands: Vec<proto::Command>,
    window: usize,
    empty: bool,
) -> Result<(Histogram<u64>, Duration), Fault> {
    let cold = warm_up(commands.len() as u64);
    let all = commands.len() as u64;
    let room = Arc::new(Semaphore::new(window));
    let (requests, outgoing) = mpsc::channel(window);
    let (sent, sent_at) = blocking::channel();
    let sender = tokio::spawn({
        let room = room.clone();
        async move {
            for command in commands {
                // Closed, or nobody reads any more: the call is over and says why.
                let Ok(permit) = room.acquire().await else {
                    return;
                };
                permit.forget();
                let command = Some(command);
                let handed_over = sent.send(Instant::now()).is_ok()
                    && requests
                        .send(ExecuteStreamRequest { command })
                        .await
                        .is_ok();
                if !handed_over {
                    return;
                }
            }
        }
    });
    let mut commands = client.commands();
    let call = commands.execute_stream(ReceiverStream::new(outgoing));
    let mut responses = call.await?.into_inner();
    let mut latencies = histogram();
    let mut answered = 0;
    let mut start = Instant::now();
    while let Some(response) = responses.message().await? {
        match response.outcome {
            Some(Outcome::Receipt(_)) => {}
            None if empty => {}
            Some(Outcome::Error(error)) => return Err(Fault::Untrue(error.message)),
            None => return Err(Fault::Untrue("an answer was empty".to_owned())),
        }
        room.add_permits(1);
        answered += 1;
        if let Ok(at) = sent_at.try_recv()
            && answered > cold
        {
            record(&mut latencies, at.elapsed());
        }
        if answered == cold {
            start = Instant::now();
        }
    }
    let took = start.elapsed();
    sender.await?;
    match answered == all {
        true => Ok((latencies, took)),
        false => Err(Fault::Untrue(format!("{answered} of {all} were answered"))),
    }
}
