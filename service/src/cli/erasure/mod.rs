//! `planledger erasure`: asks for redactions and erasures, approves them, and lists them.

mod list;
mod reapply;

use clap::{Args, Subcommand};
use planledger_core::ids::{CommandId, PersonId};
use planledger_core::text::ReasonText;
use planledger_proto::v1::erasure_command::Operation;
use planledger_proto::v1::erasure_target::Target;
use planledger_proto::v1::{self as proto, ReadEventsRequest};
use uuid::Uuid;

use super::error::CliError;
use super::id::id;
use super::output;
use super::remote::{Remote, block_on};
use crate::client::Client;
use crate::settings::File;

#[derive(Debug, Subcommand)]
pub(super) enum Erasure {
    /// Ask for the erasure of a person or the redaction of an event
    Request(Request),
    /// Approve what somebody else has asked for; the server then carries it out
    Approve(Decide),
    /// Take a request back that nobody has approved
    Withdraw(Decide),
    /// List requests and what became of them
    List(list::List),
    /// Show one request: who decided what and when, on which basis and why
    Show(list::Show),
    /// Carry out again what an older copy of the ledger has undone, while no server runs
    Reapply(reapply::Reapply),
}

impl Erasure {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        match self {
            Self::Request(request) => block_on(request.run(file)),
            Self::Approve(decide) => block_on(decide.run(file, true)),
            Self::Withdraw(decide) => block_on(decide.run(file, false)),
            Self::List(list) => block_on(list.run(file)),
            Self::Show(show) => block_on(show.run(file)),
            Self::Reapply(reapply) => reapply.run(file),
        }
    }
}

/// What an act is about.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct About {
    /// Erase this person: the person's own record and all plans
    #[arg(long, value_name = "UUID", value_parser = id::<PersonId>())]
    person: Option<PersonId>,
    /// Redact the text of the event at this position
    #[arg(long, value_name = "POSITION")]
    event: Option<u64>,
}

impl About {
    async fn target(&self, client: &Client) -> Result<Target, CliError> {
        if let Some(person) = self.person {
            return Ok(Target::PersonId(person.to_string()));
        }
        let position = self.event.unwrap_or_default();
        let missing = || CliError::Refused(format!("there is no event at position {position}"));
        let request = ReadEventsRequest {
            after_position: position.checked_sub(1).ok_or_else(missing)?,
            max_count: 1,
            ..ReadEventsRequest::default()
        };
        let mut found = client.events().read_events(request).await?.into_inner();
        while let Some(page) = found.message().await? {
            if let Some(event) = page.events.first() {
                return place(event, position).ok_or_else(missing);
            }
        }
        Err(missing())
    }
}

fn place(event: &proto::Event, position: u64) -> Option<Target> {
    let place = proto::EventPlace {
        position,
        stream: event.stream.clone(),
        revision: event.revision,
    };
    (event.position == position).then_some(Target::Event(place))
}

#[derive(Debug, Args)]
pub(super) struct Request {
    #[command(flatten)]
    about: About,
    /// The law that asks for it or allows it; it is recorded. Do not write any names
    #[arg(long, value_name = "TEXT")]
    basis: ReasonText,
    /// The reason; it is recorded. Do not write any names
    #[arg(long, value_name = "TEXT")]
    reason: ReasonText,
    #[command(flatten)]
    send: Send,
}

impl Request {
    async fn run(self, file: &File) -> Result<(), CliError> {
        let client = self.send.remote.connect(file).await?;
        let target = self.about.target(&client).await?;
        let operation = Operation::RequestErasure(proto::RequestErasure {
            basis: self.basis.to_string(),
            reason: self.reason.to_string(),
        });
        let said = "it is asked for; another records officer has to approve it";
        self.send.send(&client, target, operation, said).await
    }
}

#[derive(Debug, Args)]
pub(super) struct Decide {
    #[command(flatten)]
    about: About,
    /// The reason; it is recorded. Do not write any names
    #[arg(long, value_name = "TEXT")]
    reason: Option<ReasonText>,
    #[command(flatten)]
    send: Send,
}

impl Decide {
    async fn run(self, file: &File, approve: bool) -> Result<(), CliError> {
        let client = self.send.remote.connect(file).await?;
        let target = self.about.target(&client).await?;
        let reason = self.reason.map(|reason| reason.to_string());
        let (operation, said) = match approve {
            true => (
                Operation::ApproveErasure(proto::ApproveErasure { reason }),
                "it is approved, and is being carried out",
            ),
            false => (
                Operation::WithdrawErasure(proto::WithdrawErasure { reason }),
                "the request is taken back",
            ),
        };
        self.send.send(&client, target, operation, said).await
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
    async fn send(
        &self,
        client: &Client,
        target: Target,
        operation: Operation,
        said: &str,
    ) -> Result<(), CliError> {
        let new = || CommandId::from_uuid(Uuid::new_v4());
        let command_id = self.command_id.unwrap_or_else(new);
        let message = proto::ErasureCommand {
            target: Some(proto::ErasureTarget {
                target: Some(target),
            }),
            operation: Some(operation),
        };
        let request = proto::ExecuteRequest {
            command: Some(proto::Command {
                command_id: command_id.to_string(),
                command: Some(proto::command::Command::Erasure(message)),
                ..proto::Command::default()
            }),
        };
        let response = client.commands().execute(request).await?.into_inner();
        if self.json {
            return output::json(&response);
        }
        output::line(said);
        Ok(())
    }
}
