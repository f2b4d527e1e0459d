//! A person who acts in the demonstration.

use planledger_core::domain::Command;
use planledger_core::domain::plan::PlanCommand;
use planledger_core::ids::{CommandId, PersonId, PlanId};
use planledger_core::ledger::Envelope;
use tonic::Status;
use tonic_types::StatusExt;
use uuid::Uuid;

use super::super::error::CliError;
use crate::client::Client;
use crate::wire;

/// A person, and a connection on which they act.
pub(super) struct Acting {
    /// The connection, on which every request names this person.
    pub(super) client: Client,
    /// The person's id.
    pub(super) id: PersonId,
}

/// What the server says about a command that it accepted.
pub(super) struct Accepted {
    /// The stream of the command, such as `plan/UUID`.
    pub(super) stream: String,
    /// The ledger's position after the command.
    pub(super) position: u64,
    /// True if there was nothing to change.
    pub(super) unchanged: bool,
}

impl Acting {
    /// Makes another person act on the same connection.
    pub(super) fn person(client: &Client, id: PersonId) -> Result<Self, CliError> {
        let acting = client.acting_as(&format!("person/{id}"));
        let client =
            acting.ok_or_else(|| CliError::Refused("an actor cannot be sent".to_owned()))?;
        Ok(Self { client, id })
    }

    /// Sends one command to the server.
    pub(super) async fn execute(&self, command: Command) -> Result<Accepted, CliError> {
        Ok(self.try_execute(command).await?)
    }

    /// Sends several commands, one after the other. Returns the position of the last receipt.
    pub(super) async fn all(
        &self,
        commands: impl IntoIterator<Item = Command>,
    ) -> Result<u64, CliError> {
        let mut position = 0;
        for command in commands {
            position = self.execute(command).await?.position;
        }
        Ok(position)
    }

    /// Sends a command and returns the reason why the server refuses it; `None` if the server
    /// accepts it.
    pub(super) async fn refused(&self, command: Command) -> Result<Option<String>, CliError> {
        match self.try_execute(command).await {
            Ok(_) => Ok(None),
            Err(status) => match status.get_details_error_info() {
                Some(info) => Ok(Some(info.reason)),
                None => Err(status.into()),
            },
        }
    }

    async fn try_execute(&self, command: Command) -> Result<Accepted, Status> {
        let envelope = Envelope::new(CommandId::from_uuid(Uuid::new_v4()), command);
        let request = wire::execute_message(&envelope);
        let response = self.client.commands().execute(request).await?;
        let receipt = response.into_inner().receipt.unwrap_or_default();
        Ok(Accepted {
            stream: receipt.stream,
            position: receipt.position,
            unchanged: receipt.unchanged,
        })
    }
}

/// The command for this plan.
pub(super) fn on(plan: PlanId, command: PlanCommand) -> Command {
    Command::Plan(plan, command)
}
