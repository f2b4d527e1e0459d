//! A person who acts in the demonstration.

use planledger_core::domain::Command;
use planledger_core::domain::plan::PlanCommand;
use planledger_core::ids::{CommandId, PersonId, PlanId};
use planledger_core::ledger::Envelope;
use planledger_proto::v1::{ExecuteRequest, GetPlanRequest, PlanView, Receipt, Viewer};
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

impl Acting {
    /// Makes another person act on the same connection.
    pub(super) fn person(client: &Client, id: PersonId) -> Result<Self, CliError> {
        let acting = client.acting_as(&format!("person/{id}"));
        let client =
            acting.ok_or_else(|| CliError::Refused("an actor cannot be sent".to_owned()))?;
        Ok(Self { client, id })
    }

    /// Sends one command to the server.
    pub(super) async fn execute(&self, command: Command) -> Result<Receipt, CliError> {
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

    async fn try_execute(&self, command: Command) -> Result<Receipt, tonic::Status> {
        let envelope = Envelope::new(CommandId::from_uuid(Uuid::new_v4()), command);
        let command = Some(wire::message(&envelope));
        let response = self
            .client
            .commands()
            .execute(ExecuteRequest { command })
            .await?;
        Ok(response.into_inner().receipt.unwrap_or_default())
    }

    /// A plan as a viewer sees it, now or as of a position; `None` if the viewer sees nothing.
    pub(super) async fn plan(
        &self,
        plan: PlanId,
        viewer: Viewer,
        at: Option<u64>,
    ) -> Result<Option<PlanView>, CliError> {
        use planledger_proto::v1::{AsOf, as_of::Moment};
        let request = GetPlanRequest {
            plan_id: plan.to_string(),
            viewer: viewer.into(),
            min_position: 0,
            at: at.map(|at| AsOf {
                moment: Some(Moment::Position(at)),
            }),
        };
        match self.client.plans().get_plan(request).await {
            Ok(response) => Ok(response.into_inner().plan),
            Err(status) if status.code() == tonic::Code::NotFound => Ok(None),
            Err(status) => Err(status.into()),
        }
    }
}

/// The command for this plan.
pub(super) fn on(plan: PlanId, command: PlanCommand) -> Command {
    Command::Plan(plan, command)
}
