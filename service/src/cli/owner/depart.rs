//! `owner leave` and `owner return`: records that a person has left or is back.

use clap::Args;
use jiff::civil::Date;
use planledger_core::ids::{CommandId, PersonId};
use planledger_core::text::ReasonText;
use planledger_proto::v1::command::Command as Aggregate;
use planledger_proto::v1::person_command::Operation;
use planledger_proto::v1::{
    Command, DepartPerson, ExecuteRequest, ExecuteResponse, ListOwnedRequest, PersonCommand,
    ReturnPerson,
};
use uuid::Uuid;

use super::super::error::CliError;
use super::super::id::id;
use super::super::output;
use super::super::remote::Remote;
use crate::client::Client;
use crate::settings::File;

#[derive(Debug, Args)]
pub(in crate::cli) struct Leave {
    /// The person who has left
    #[arg(value_parser = id::<PersonId>())]
    person: PersonId,
    /// The person's last day; it is recorded as a note only [default: none]
    #[arg(long, value_name = "YYYY-MM-DD")]
    on: Option<Date>,
    /// The reason; it is recorded
    #[arg(long, value_name = "TEXT")]
    reason: Option<ReasonText>,
    #[command(flatten)]
    send: Send,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Return {
    /// The person who is back
    #[arg(value_parser = id::<PersonId>())]
    person: PersonId,
    #[command(flatten)]
    send: Send,
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

impl Leave {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let command = Operation::DepartPerson(DepartPerson {
            last_day: self.on.map(|day| day.to_string()),
            reason: self.reason.map(|reason| reason.to_string()),
        });
        let (client, response) = self.send.send(file, self.person, command).await?;
        if self.send.json {
            return output::json(&response);
        }
        output::line(format!("person {} has left", self.person));
        let position = response.receipt.map_or(0, |receipt| receipt.position);
        let request = ListOwnedRequest {
            person_id: self.person.to_string(),
            min_position: position,
            page_size: 1,
            ..ListOwnedRequest::default()
        };
        let owned = client.ownership().list_owned(request).await?.into_inner();
        let counts = owned.counts.unwrap_or_default();
        output::line(format!(
            "these have no present owner now: {} teams, {} year plans, {} plans",
            counts.teams, counts.year_plans, counts.plans
        ));
        Ok(())
    }
}

impl Return {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let command = Operation::ReturnPerson(ReturnPerson {});
        let (_, response) = self.send.send(file, self.person, command).await?;
        if self.send.json {
            return output::json(&response);
        }
        output::line(format!("person {} is back", self.person));
        Ok(())
    }
}

impl Send {
    async fn send(
        &self,
        file: &File,
        person: PersonId,
        operation: Operation,
    ) -> Result<(Client, ExecuteResponse), CliError> {
        let client = Client::connect(&self.remote.url(file), &self.remote.actor).await?;
        let id = self.command_id.map_or_else(Uuid::new_v4, |id| id.uuid());
        let command = Command {
            command_id: id.to_string(),
            command: Some(Aggregate::Person(PersonCommand {
                person_id: person.to_string(),
                operation: Some(operation),
            })),
            ..Command::default()
        };
        let request = ExecuteRequest {
            command: Some(command),
        };
        let response = client.commands().execute(request).await?.into_inner();
        Ok((client, response))
    }
}
