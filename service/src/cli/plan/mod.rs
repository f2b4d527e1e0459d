//! `planledger plan`: shows students' plans and reverts them.

mod diff;
mod item;
pub(super) mod read;
mod revert;

use clap::{Args, Subcommand};
use planledger_core::ids::{PersonId, PlanId, TeamId, YearPlanId};
use planledger_proto::v1::list_plans_request::Filter;
use planledger_proto::v1::{
    GetPlanHistoryResponse, GetPlanRequest, ListPlansResponse, PlanSummary, Viewer, YearPlanKind,
    as_of,
};

use self::read::{Eyes, history, list};
use super::error::CliError;
use super::id::id;
use super::moment::{self, as_of, moment};
use super::names::Names;
use super::remote::{Remote, block_on};
use super::sheet::{audience, sheet};
use super::{output, timeline};
use crate::settings::File;

/// Show students' plans, and revert them to an earlier moment
#[derive(Debug, Subcommand)]
pub(super) enum Plan {
    /// Show a plan, as it is now or as it was
    Show(Show),
    /// Show the whole history of a plan: when, who, for whom, what and why
    Log(Log),
    /// Show what differs in a plan between two moments
    Diff(diff::Diff),
    /// Revert the text of a plan to an earlier moment
    Revert(revert::Revert),
    /// List plans of a student, owner, team or year plan
    List(List),
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// The plan
    #[arg(value_parser = id::<PlanId>())]
    plan: PlanId,
    /// Who looks at the plan
    #[arg(long, value_enum, default_value_t = Eyes::Staff)]
    viewer: Eyes,
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    #[arg(help = format!("As of {}", moment::HELP))]
    at: Option<as_of::Moment>,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Log {
    /// The plan
    #[arg(value_parser = id::<PlanId>())]
    plan: PlanId,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Of {
    /// Plans of this student
    #[arg(long, value_name = "PERSON", value_parser = id::<PersonId>())]
    student: Option<PersonId>,
    /// Plans that this person owns
    #[arg(long, value_name = "PERSON", value_parser = id::<PersonId>())]
    owner: Option<PersonId>,
    /// Plans of this team's year plans, deleted or not
    #[arg(long, value_parser = id::<TeamId>())]
    team: Option<TeamId>,
    /// Plans of this year plan, deleted or not
    #[arg(long, value_parser = id::<YearPlanId>())]
    year_plan: Option<YearPlanId>,
}

impl Plan {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        match self {
            Self::Show(show) => block_on(show.run(file)),
            Self::Log(log) => block_on(log.run(file)),
            Self::Diff(diff) => block_on(diff.run(file)),
            Self::Revert(revert) => block_on(revert.run(file)),
            Self::List(list) => block_on(list.run(file)),
        }
    }
}

impl Show {
    async fn run(self, file: &File) -> Result<(), CliError> {
        let client = self.remote.connect(file).await?;
        let past = self.at.is_some();
        let request = GetPlanRequest {
            plan_id: self.plan.to_string(),
            viewer: Viewer::from(self.viewer).into(),
            min_position: 0,
            at: self.at.map(as_of),
        };
        let response = client.plans().get_plan(request).await?.into_inner();
        if self.json {
            return output::json(&response);
        }
        // For a past moment the position is part of the answer, because the same position always
        // gives the same answer.
        let position = format!("as of position {}", response.position);
        match past {
            true => output::line(position),
            false => output::note(position),
        }
        if let Some(plan) = &response.plan {
            output::lines(&sheet(plan));
        }
        Ok(())
    }
}

impl Log {
    async fn run(self, file: &File) -> Result<(), CliError> {
        let client = self.remote.connect(file).await?;
        let (events, position) = history(&client, self.plan).await?;
        if self.json {
            return output::json(&GetPlanHistoryResponse {
                events,
                next_page_token: String::new(),
                position,
            });
        }
        let names = Names::of_events(&client, &events).await?;
        output::table(&timeline::rows(&events, &names));
        Ok(())
    }
}

impl List {
    async fn run(self, file: &File) -> Result<(), CliError> {
        let of = &self.of;
        let filter = (of.student.map(|id| Filter::StudentId(id.to_string())))
            .or_else(|| of.owner.map(|id| Filter::OwnerId(id.to_string())))
            .or_else(|| of.team.map(|id| Filter::TeamId(id.to_string())))
            .or_else(|| of.year_plan.map(|id| Filter::YearPlanId(id.to_string())));
        let filter = filter.ok_or_else(|| {
            CliError::Usage(
                "name whose plans to list: give --student, --owner, --team or --year-plan"
                    .to_owned(),
            )
        })?;
        let client = self.remote.connect(file).await?;
        let (plans, position) = list(&client, filter).await?;
        if self.json {
            return output::json(&ListPlansResponse {
                plans,
                next_page_token: String::new(),
                position,
            });
        }
        let heading = ["plan", "student", "kind", "owner", "changed", "visible to"];
        let mut rows = vec![heading.map(str::to_owned).to_vec()];
        let mut names = Names::default();
        for plan in &plans {
            names.learn(&client, &plan.student_id).await?;
            names.learn(&client, &plan.owner_id).await?;
            rows.push(row(plan, &names));
        }
        output::table(&rows);
        Ok(())
    }
}

fn row(plan: &PlanSummary, names: &Names) -> Vec<String> {
    let kind = match plan.kind() {
        YearPlanKind::Combined => "combined",
        YearPlanKind::Subject | YearPlanKind::Unspecified => "subject",
    };
    let visible: Vec<_> = plan.visible_to().map(audience).collect();
    let visible = match (plan.withdrawn, plan.shared) {
        (true, _) => "withdrawn".to_owned(),
        (false, false) => "staff".to_owned(),
        (false, true) => [&["staff"], visible.as_slice()].concat().join(", "),
    };
    vec![
        plan.plan_id.clone(),
        names.person(&plan.student_id),
        kind.to_owned(),
        names.person(&plan.owner_id),
        output::instant(plan.changed_at.as_ref()),
        visible,
    ]
}
