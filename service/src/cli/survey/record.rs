//! `survey record`, `survey correct` and `survey withdraw`.

use std::str::FromStr;

use clap::Args;
use jiff::civil::Date;
use planledger_core::ids::{
    CommandId, GoalId, IdError, InstitutionId, SchoolYearId, SurveyDiscussionId, YearPlanId,
};
use planledger_core::text::{ReasonText, Text};
use planledger_proto::v1::command::Command as Aggregate;
use planledger_proto::v1::institution_command::Operation;
use planledger_proto::v1::{
    Command, CorrectSurveyDiscussion, ExecuteRequest, GoalRef, InstitutionCommand,
    RecordSurveyDiscussion, StudentsThrough, SurveyDetails, SurveyForum, WithdrawSurveyDiscussion,
};
use uuid::Uuid;

use super::super::error::CliError;
use super::super::id::id;
use super::super::output;
use super::super::remote::Remote;
use super::{Forum, Through};
use crate::settings::File;

#[derive(Debug, Args)]
pub(in crate::cli) struct Record {
    /// The institution whose results were discussed
    #[arg(value_parser = id::<InstitutionId>())]
    institution: InstitutionId,
    #[command(flatten)]
    details: Details,
    /// Id of the new record [default: a random one]
    #[arg(long, value_name = "UUID", value_parser = id::<SurveyDiscussionId>())]
    id: Option<SurveyDiscussionId>,
    #[command(flatten)]
    send: Send,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Correct {
    /// The institution
    #[arg(value_parser = id::<InstitutionId>())]
    institution: InstitutionId,
    /// The record of the discussion
    #[arg(value_parser = id::<SurveyDiscussionId>())]
    discussion: SurveyDiscussionId,
    #[command(flatten)]
    details: Details,
    /// The reason; it is recorded
    #[arg(long, value_name = "TEXT")]
    reason: Option<ReasonText>,
    #[command(flatten)]
    send: Send,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Withdraw {
    /// The institution
    #[arg(value_parser = id::<InstitutionId>())]
    institution: InstitutionId,
    /// The record of the discussion
    #[arg(value_parser = id::<SurveyDiscussionId>())]
    discussion: SurveyDiscussionId,
    /// The reason; it is recorded
    #[arg(long, value_name = "TEXT")]
    reason: Option<ReasonText>,
    #[command(flatten)]
    send: Send,
}

/// What a record says.
#[derive(Debug, Args)]
struct Details {
    /// School year of the survey
    #[arg(long, value_name = "SCHOOL_YEAR", value_parser = id::<SchoolYearId>())]
    school_year: SchoolYearId,
    /// Where the results were discussed
    #[arg(long, value_enum)]
    forum: Forum,
    /// The day on which they were discussed
    #[arg(long, value_name = "YYYY-MM-DD")]
    on: Date,
    /// Through whom students took part [default: no students took part]
    #[arg(long, value_enum)]
    students_through: Option<Through>,
    /// What was agreed; never the answer of one student
    #[arg(long, value_name = "TEXT")]
    agreed: Text,
    /// The day on which to follow up
    #[arg(long, value_name = "YYYY-MM-DD")]
    follow_up: Option<Date>,
    /// A wellbeing goal of a year plan that an agreed aim has become; may be given more than once
    #[arg(long, value_name = "YEAR_PLAN/GOAL", value_parser = id::<Goal>())]
    goal: Vec<Goal>,
}

/// A goal of a year plan, written as two ids.
#[derive(Clone, Copy, Debug)]
struct Goal(YearPlanId, GoalId);

impl FromStr for Goal {
    type Err = IdError;

    fn from_str(value: &str) -> Result<Self, IdError> {
        let (year_plan, goal) = value.split_once('/').ok_or(IdError::Malformed)?;
        Ok(Self(year_plan.parse()?, goal.parse()?))
    }
}

impl Details {
    fn message(self) -> SurveyDetails {
        let goals = self.goal.iter().map(|Goal(year_plan, goal)| GoalRef {
            year_plan_id: year_plan.to_string(),
            goal_id: goal.to_string(),
        });
        SurveyDetails {
            school_year_id: self.school_year.to_string(),
            forum: SurveyForum::from(self.forum).into(),
            held_on: self.on.to_string(),
            students_through: self
                .students_through
                .map_or(StudentsThrough::Unspecified, StudentsThrough::from)
                .into(),
            agreed: self.agreed.to_string(),
            follow_up_on: self.follow_up.map(|day| day.to_string()),
            goals: goals.collect(),
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

impl Record {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let new = || SurveyDiscussionId::from_uuid(Uuid::new_v4());
        let id = self.id.unwrap_or_else(new);
        let record = Operation::RecordSurveyDiscussion(RecordSurveyDiscussion {
            survey_discussion_id: id.to_string(),
            details: Some(self.details.message()),
        });
        let said = format!("discussion {id} is recorded");
        self.send.send(file, self.institution, record, &said).await
    }
}

impl Correct {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let correct = Operation::CorrectSurveyDiscussion(CorrectSurveyDiscussion {
            survey_discussion_id: self.discussion.to_string(),
            details: Some(self.details.message()),
            reason: self.reason.map(|reason| reason.to_string()),
        });
        let said = format!("discussion {} is corrected", self.discussion);
        self.send.send(file, self.institution, correct, &said).await
    }
}

impl Withdraw {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let withdraw = Operation::WithdrawSurveyDiscussion(WithdrawSurveyDiscussion {
            survey_discussion_id: self.discussion.to_string(),
            reason: self.reason.map(|reason| reason.to_string()),
        });
        let said = format!("discussion {} is withdrawn", self.discussion);
        self.send
            .send(file, self.institution, withdraw, &said)
            .await
    }
}

impl Send {
    async fn send(
        self,
        file: &File,
        institution: InstitutionId,
        operation: Operation,
        said: &str,
    ) -> Result<(), CliError> {
        let client = self.remote.connect(file).await?;
        let new = || CommandId::from_uuid(Uuid::new_v4());
        let command = Command {
            command_id: self.command_id.unwrap_or_else(new).to_string(),
            command: Some(Aggregate::Institution(InstitutionCommand {
                institution_id: institution.to_string(),
                operation: Some(operation),
            })),
            ..Command::default()
        };
        let request = ExecuteRequest {
            command: Some(command),
        };
        let response = client.commands().execute(request).await?.into_inner();
        if self.json {
            return output::json(&response);
        }
        output::line(said);
        Ok(())
    }
}
