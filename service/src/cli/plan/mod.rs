//! `planledger plan`: students' plans.

mod diff;
mod item;
mod revert;

use clap::{Args, Subcommand, ValueEnum};
use planledger_core::ids::{PersonId, PlanId, TeamId, YearPlanId};
use planledger_proto::v1::list_plans_request::Filter;
use planledger_proto::v1::{
    Event, GetPlanHistoryRequest, GetPlanHistoryResponse, GetPlanRequest, ListPlansRequest,
    ListPlansResponse, PlanSummary, PlanView, Viewer, YearPlanKind, as_of,
};
use tonic::Code;

use super::id::id;
use super::moment::{self, as_of, moment};
use super::names::Names;
use super::sheet::{audience, sheet};
use super::{Failure, Remote, block_on, output, timeline};
use crate::client::Client;
use crate::settings::File;

const PAGE: i32 = 1_000;

/// Look at students' plans, and bring them back to how they stood
#[derive(Debug, Subcommand)]
pub(super) enum Plan {
    /// Show a plan, now or as it was
    Show(Show),
    /// Show everything that ever happened to a plan: when, who, for whom, what and why
    Log(Log),
    /// Show what differs in a plan between two moments
    Diff(diff::Diff),
    /// Bring what is written in a plan back to how it stood at a moment
    Revert(revert::Revert),
    /// List plans of a student, owner, team or year plan
    List(List),
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// The plan
    #[arg(value_parser = id::<PlanId>())]
    plan: PlanId,
    /// Through whose eyes
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
    /// Of this student
    #[arg(long, value_name = "PERSON", value_parser = id::<PersonId>())]
    student: Option<PersonId>,
    /// Owned by this person
    #[arg(long, value_name = "PERSON", value_parser = id::<PersonId>())]
    owner: Option<PersonId>,
    /// On year plans of this team, deleted or not
    #[arg(long, value_parser = id::<TeamId>())]
    team: Option<TeamId>,
    /// On this year plan, deleted or not
    #[arg(long, value_parser = id::<YearPlanId>())]
    year_plan: Option<YearPlanId>,
}

/// Through whose eyes.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Eyes {
    Staff,
    Student,
    Guardians,
    Others,
}

impl From<Eyes> for Viewer {
    fn from(eyes: Eyes) -> Self {
        match eyes {
            Eyes::Staff => Self::Staff,
            Eyes::Student => Self::Student,
            Eyes::Guardians => Self::Guardians,
            Eyes::Others => Self::Others,
        }
    }
}

impl Plan {
    pub(super) fn run(self, file: &File) -> Result<(), Failure> {
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
    async fn run(self, file: &File) -> Result<(), Failure> {
        let client = Client::connect(&self.remote.url(file), &self.remote.actor).await?;
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
        // Of a past moment the position is part of the answer: it gives the same one for ever.
        let position = format!("as of position {}", response.position);
        match past {
            true => output::line(position),
            false => output::note(position),
        }
        if let Some(plan) = &response.plan {
            output::line(sheet(plan).trim_end());
        }
        Ok(())
    }
}

/// A plan as a viewer sees it, now or at a position; `None` if there is nothing to see.
async fn view_at(
    client: &Client,
    plan: PlanId,
    viewer: Viewer,
    position: Option<u64>,
) -> Result<Option<PlanView>, Failure> {
    let request = GetPlanRequest {
        plan_id: plan.to_string(),
        viewer: viewer.into(),
        min_position: 0,
        at: position.map(|position| as_of(as_of::Moment::Position(position))),
    };
    match client.plans().get_plan(request).await {
        Ok(response) => Ok(response.into_inner().plan),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(status.into()),
    }
}

impl Log {
    async fn run(self, file: &File) -> Result<(), Failure> {
        let client = Client::connect(&self.remote.url(file), &self.remote.actor).await?;
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

/// Everything that ever happened to a plan, oldest first, and the position that it holds for.
pub(super) async fn history(client: &Client, plan: PlanId) -> Result<(Vec<Event>, u64), Failure> {
    let mut events = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = GetPlanHistoryRequest {
            plan_id: plan.to_string(),
            page_size: PAGE,
            page_token,
            ..GetPlanHistoryRequest::default()
        };
        let page = client.plans().get_plan_history(request).await?.into_inner();
        events.extend(page.events);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok((events, page.position));
        }
    }
}

impl List {
    async fn run(self, file: &File) -> Result<(), Failure> {
        let of = &self.of;
        let filter = (of.student.map(|id| Filter::StudentId(id.to_string())))
            .or_else(|| of.owner.map(|id| Filter::OwnerId(id.to_string())))
            .or_else(|| of.team.map(|id| Filter::TeamId(id.to_string())))
            .or_else(|| of.year_plan.map(|id| Filter::YearPlanId(id.to_string())));
        let filter = filter.ok_or_else(|| Failure::Usage("say whose plans".to_owned()))?;
        let client = Client::connect(&self.remote.url(file), &self.remote.actor).await?;
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

/// All plans that a filter finds, and the position of the last page.
pub(super) async fn list(
    client: &Client,
    filter: Filter,
) -> Result<(Vec<PlanSummary>, u64), Failure> {
    let mut plans = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListPlansRequest {
            filter: Some(filter.clone()),
            page_size: PAGE,
            page_token,
            ..ListPlansRequest::default()
        };
        let page = client.plans().list_plans(request).await?.into_inner();
        plans.extend(page.plans);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok((plans, page.position));
        }
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
