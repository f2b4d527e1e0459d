//! Durable single commands one after another, when a script says so: for counting what the server
//! asks of the system for each of them.

use std::io::{BufRead, Write};

use clap::Args;
use planledger_proto::v1::ExecuteRequest;

use super::statuses;
use crate::fault::Fault;
use crate::target::Target;

/// Students, with a plan each: with so few all keys are made before the commands are sent.
const STUDENTS: u64 = 25;

/// Found a school, print `ready`, wait for a line, send commands one after another, print `done`
#[derive(Debug, Args)]
pub(crate) struct Sequence {
    /// Commands sent
    #[arg(long, default_value_t = 50)]
    commands: u64,
}

impl Sequence {
    pub(crate) async fn run(&self, target: &Target) -> Result<(), Fault> {
        let school = target.school(STUDENTS).await?;
        let mark = target.mark().await?;
        say("ready")?;
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        let mut connection = target.connect(&school).await?.commands();
        for command in statuses(&school, 0..self.commands)? {
            let command = Some(command);
            connection.execute(ExecuteRequest { command }).await?;
        }
        target.since(&mark, self.commands).await?;
        say("done")
    }
}

fn say(word: &str) -> Result<(), Fault> {
    let mut out = std::io::stdout();
    writeln!(out, "{word}")?;
    Ok(out.flush()?)
}
