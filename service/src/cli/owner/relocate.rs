//! `owner move`: moves one year plan to another institution.

use clap::Args;
use planledger_core::ids::{InstitutionId, TeamId, YearPlanId};
use planledger_core::text::ReasonText;
use planledger_proto::v1::command::Command as Aggregate;
use planledger_proto::v1::year_plan_command::Operation;
use planledger_proto::v1::{MoveYearPlan, YearPlanCommand};

use super::super::error::CliError;
use super::super::id::id;
use super::super::output;
use super::depart::Send;
use crate::settings::File;

#[derive(Debug, Args)]
pub(in crate::cli) struct Move {
    /// The year plan; its plans move with it
    #[arg(value_name = "YEAR-PLAN", value_parser = id::<YearPlanId>())]
    year_plan: YearPlanId,
    /// The institution that it moves to
    #[arg(long, value_name = "INSTITUTION", value_parser = id::<InstitutionId>())]
    to: InstitutionId,
    /// A team of that institution [default: the team that it has]
    #[arg(long, value_name = "TEAM", value_parser = id::<TeamId>())]
    team: Option<TeamId>,
    /// The reason; it is recorded
    #[arg(long, value_name = "TEXT")]
    reason: Option<ReasonText>,
    #[command(flatten)]
    send: Send,
}

impl Move {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let command = Operation::MoveYearPlan(MoveYearPlan {
            institution_id: self.to.to_string(),
            team_id: self.team.map(|team| team.to_string()),
            reason: self.reason.map(|reason| reason.to_string()),
        });
        let command = Aggregate::YearPlan(YearPlanCommand {
            year_plan_id: self.year_plan.to_string(),
            operation: Some(command),
        });
        let (_, response) = self.send.send(file, command).await?;
        if self.send.json {
            return output::json(&response);
        }
        output::line(format!(
            "year plan {} belongs to institution {} now",
            self.year_plan, self.to
        ));
        Ok(())
    }
}
