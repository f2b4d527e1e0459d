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
use crate::system::today;

#[derive(Debug, Args)]
pub(in crate::cli) struct Leave {
    /// The person who has left or will leave
    #[arg(value_parser = id::<PersonId>())]
    person: PersonId,
    /// The person's last day; the departure counts from the end of that day in Denmark, also if it
    /// is still to come [default: it counts at once]
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
pub(super) struct Send {
    /// Id of the command; to send a command again after a lost answer, give the id that it had
    #[arg(long, value_name = "UUID")]
    #[arg(value_parser = id::<CommandId>())]
    command_id: Option<CommandId>,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl Leave {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let command = Operation::DepartPerson(DepartPerson {
            last_day: self.on.map(|day| day.to_string()),
            reason: self.reason.map(|reason| reason.to_string()),
        });
        let (client, response) = self.send.send(file, of(self.person, command)).await?;
        if self.send.json {
            return output::json(&response);
        }
        let coming = self.on.filter(|last| *last >= today());
        output::line(match coming {
            Some(last) => format!("person {} leaves on {last}", self.person),
            None => format!("person {} has left", self.person),
        });
        let position = response.receipt.map_or(0, |receipt| receipt.position);
        let request = ListOwnedRequest {
            person_id: self.person.to_string(),
            min_position: position,
            page_size: 1,
            ..ListOwnedRequest::default()
        };
        let owned = client.ownership().list_owned(request).await?.into_inner();
        let counts = owned.counts.unwrap_or_default();
        let what = match coming {
            Some(_) => "these need a new owner by then",
            None => "these have no present owner now",
        };
        output::line(format!(
            "{what}: {} teams, {} year plans, {} plans",
            counts.teams, counts.year_plans, counts.plans
        ));
        Ok(())
    }
}

impl Return {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let command = Operation::ReturnPerson(ReturnPerson {});
        let (_, response) = self.send.send(file, of(self.person, command)).await?;
        if self.send.json {
            return output::json(&response);
        }
        output::line(format!("person {} is back", self.person));
        Ok(())
    }
}

pub(super) fn of(person: PersonId, operation: Operation) -> Aggregate {
    Aggregate::Person(PersonCommand {
        person_id: person.to_string(),
        operation: Some(operation),
    })
}

impl Send {
    pub(super) async fn send(
        &self,
        file: &File,
        command: Aggregate,
    ) -> Result<(Client, ExecuteResponse), CliError> {
        let client = self.remote.connect(file).await?;
        let id = self.command_id.map_or_else(Uuid::new_v4, |id| id.uuid());
        let command = Command {
            command_id: id.to_string(),
            command: Some(command),
            ..Command::default()
        };
        let request = ExecuteRequest {
            command: Some(command),
        };
        let response = client.commands().execute(request).await?.into_inner();
        Ok((client, response))
    }
}
