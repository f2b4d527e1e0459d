//! `planledger erasure`: asks for redactions and erasures, approves them, and lists them.

mod list;
mod propose;
mod reapply;

use clap::{Args, Subcommand};
use jiff::civil::Date;
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
    /// Ask for the erasure of a person, the redaction of an event, or the removal of old reads
    Request(Request),
    /// Ask for the erasure of whoever is due by retention classes
    Propose(propose::Propose),
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
            Self::Propose(propose) => block_on(propose.run(file)),
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
    /// Remove the months of the access log that ended before this day; say the first day to keep
    #[arg(long, value_name = "YYYY-MM-DD")]
    reads_before: Option<Date>,
}

impl About {
    async fn target(&self, client: &Client) -> Result<Target, CliError> {
        if let Some(person) = self.person {
            return Ok(Target::PersonId(person.to_string()));
        }
        if let Some(day) = self.reads_before {
            return Ok(Target::ReadsBefore(day.to_string()));
        }
        event_at(client, self.event.unwrap_or_default()).await
    }
}

async fn event_at(client: &Client, position: u64) -> Result<Target, CliError> {
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

fn place(event: &proto::Event, position: u64) -> Option<Target> {
    let place = proto::EventPlace {
        position,
        stream: event.stream.clone(),
        revision: event.revision,
    };
    (event.position == position).then_some(Target::Event(place))
}

/// What several acts are about.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct AboutSome {
    /// The erasure of this person; may be given more than once
    #[arg(long, value_name = "UUID", value_parser = id::<PersonId>())]
    person: Vec<PersonId>,
    /// The redaction of the event at this position; may be given more than once
    #[arg(long, value_name = "POSITION")]
    event: Vec<u64>,
    /// The removal of the months of the access log that ended before this day
    #[arg(long, value_name = "YYYY-MM-DD")]
    reads_before: Vec<Date>,
}

impl AboutSome {
    /// What each of them is about, in the order in which they were given.
    async fn targets(&self, client: &Client) -> Result<Vec<Target>, CliError> {
        let people = self.person.iter();
        let mut targets: Vec<_> = people.map(|id| Target::PersonId(id.to_string())).collect();
        for position in &self.event {
            targets.push(event_at(client, *position).await?);
        }
        let days = self.reads_before.iter();
        targets.extend(days.map(|day| Target::ReadsBefore(day.to_string())));
        Ok(targets)
    }
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
            retention: None,
        });
        let said = "it is asked for; another records officer has to approve it";
        self.send.send(&client, target, operation, said).await
    }
}

#[derive(Debug, Args)]
pub(super) struct Decide {
    #[command(flatten)]
    about: AboutSome,
    /// The reason; it is recorded. Do not write any names
    #[arg(long, value_name = "TEXT")]
    reason: Option<ReasonText>,
    #[command(flatten)]
    send: Send,
}

impl Decide {
    async fn run(self, file: &File, approve: bool) -> Result<(), CliError> {
        let client = self.send.remote.connect(file).await?;
        let targets = self.about.targets(&client).await?;
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
        match <[Target; 1]>::try_from(targets) {
            Ok([target]) => self.send.send(&client, target, operation, said).await,
            Err(targets) => self.send.send_all(&client, targets, &operation, said).await,
        }
    }
}

/// A command on an act, with a new id if it has none.
fn command(id: Option<CommandId>, target: Target, operation: Operation) -> proto::Command {
    let id = id.unwrap_or_else(|| CommandId::from_uuid(Uuid::new_v4()));
    let message = proto::ErasureCommand {
        target: Some(proto::ErasureTarget {
            target: Some(target),
        }),
        operation: Some(operation),
    };
    proto::Command {
        command_id: id.to_string(),
        command: Some(proto::command::Command::Erasure(message)),
        ..proto::Command::default()
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
        let request = proto::ExecuteRequest {
            command: Some(command(self.command_id, target, operation)),
        };
        let response = client.commands().execute(request).await?.into_inner();
        if self.json {
            return output::json(&response);
        }
        output::line(said);
        Ok(())
    }

    /// Sends the same for several acts: for all of them, or, if one is refused, for none.
    async fn send_all(
        &self,
        client: &Client,
        targets: Vec<Target>,
        operation: &Operation,
        said: &str,
    ) -> Result<(), CliError> {
        if self.command_id.is_some() {
            let what =
                "--command-id is the id of one command: give one --person or --event with it";
            return Err(CliError::Usage(what.to_owned()));
        }
        let count = targets.len();
        let commands = targets.into_iter();
        let commands = commands.map(|target| command(None, target, operation.clone()));
        let request = proto::ExecuteBatchRequest {
            commands: commands.collect(),
        };
        let response = client.commands().execute_batch(request).await?.into_inner();
        if self.json {
            return output::json(&response);
        }
        output::line(format!("{count} of {count}: {said}"));
        Ok(())
    }
}
