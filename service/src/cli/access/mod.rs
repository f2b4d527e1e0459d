//! `planledger access`: who may do what. Grants roles, registers systems, and says why somebody may or
//! may not do something.

mod bootstrap;
mod explain;
mod grant;
mod list;
mod log;
mod names;
mod subject;
mod system;
mod systems;

use clap::{Args, Subcommand};
use planledger_core::domain::Command;
use planledger_core::ids::CommandId;
use planledger_core::ledger::Envelope;
use uuid::Uuid;

use super::error::CliError;
use super::id::id;
use super::output;
use super::remote::{Remote, block_on};
use crate::client::Client;
use crate::settings::File;
use crate::wire;

#[derive(Debug, Subcommand)]
pub(super) enum Access {
    /// Make the first administrator of a ledger, at its directory and while no server runs
    Bootstrap(bootstrap::Bootstrap),
    /// Give a role to a person or system
    Grant(grant::Grant),
    /// Take a grant back
    Revoke(grant::Revoke),
    /// List grants
    List(list::List),
    /// Say by which grant and relation somebody may do something, or why not
    Explain(explain::Explain),
    /// Review who holds what, and what looks as if it should end
    Review(list::Review),
    /// Say who has read the plans of a student
    Log(log::Log),
    /// Copy everything that is held on a person, for the person, a guardian or the records officers
    Subject(subject::Subject),
    /// Register, list and revoke systems
    #[command(subcommand)]
    System(system::System),
}

impl Access {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        match self {
            Self::Bootstrap(bootstrap) => bootstrap.run(file),
            Self::Grant(grant) => block_on(grant.run(file)),
            Self::Revoke(revoke) => block_on(revoke.run(file)),
            Self::List(list) => block_on(list.run(file)),
            Self::Explain(explain) => block_on(explain.run(file)),
            Self::Review(review) => block_on(review.run(file)),
            Self::Log(log) => block_on(log.run(file)),
            Self::Subject(subject) => block_on(subject.run(file)),
            Self::System(system) => block_on(system.run(file)),
        }
    }
}

/// The flags for sending a command.
#[derive(Debug, Args)]
struct Send {
    /// Id of the command; to send a command again after a lost answer, give the id that it had
    #[arg(long, value_name = "UUID")]
    #[arg(value_parser = id::<CommandId>())]
    command_id: Option<CommandId>,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Send {
    async fn connect(&self, file: &File) -> Result<Client, CliError> {
        self.remote.connect(file).await
    }

    async fn send(&self, client: &Client, command: Command, said: &str) -> Result<(), CliError> {
        let new = || CommandId::from_uuid(Uuid::new_v4());
        let envelope = Envelope::new(self.command_id.unwrap_or_else(new), command);
        let request = wire::execute_message(&envelope);
        let response = client.commands().execute(request).await?.into_inner();
        if self.json {
            return output::json(&response);
        }
        output::line(said);
        Ok(())
    }
}
