//! `owner list`, `owner successors` and `owner deletion`: shows what is owned, who could own it,
//! and what a deletion would leave behind.

use clap::Args;
use planledger_core::ids::{InstitutionId, PersonId, StreamId, StreamKind};
use planledger_proto::v1::list_plans_request::Filter;
use planledger_proto::v1::{
    ListOwnedRequest, ListOwnedResponse, ListOwnerlessRequest, ListOwnerlessResponse,
    ListSuccessorsRequest, OwnedItem, OwnerlessReason, PreviewDeletionRequest, Successor, as_of,
};

use super::super::error::CliError;
use super::super::id::id;
use super::super::moment::{self, as_of, moment};
use super::super::names::Names;
use super::super::output;
use super::super::plan::read;
use super::super::remote::Remote;
use super::stream::{self, kind};
use crate::client::Client;
use crate::settings::File;

/// Number of items asked for on each page.
const PAGE: i32 = 1_000;

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// List what this person owns
    #[arg(value_parser = id::<PersonId>(), required_unless_present = "ownerless")]
    person: Option<PersonId>,
    /// List what has no present owner at this institution
    #[arg(long, value_name = "INSTITUTION", conflicts_with_all = ["person", "at"])]
    #[arg(value_parser = id::<InstitutionId>())]
    ownerless: Option<InstitutionId>,
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    #[arg(help = format!("At a past moment: {}", moment::HELP))]
    at: Option<as_of::Moment>,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let client = self.remote.connect(file).await?;
        match (self.person, self.ownerless) {
            (Some(person), _) => {
                let found = owned(&client, person, self.at).await?;
                if self.json {
                    return output::json(&found);
                }
                if self.at.is_some() {
                    output::line(format!("as of position {}", found.position));
                }
                print(&client, &found.items, false).await
            }
            (None, Some(institution)) => {
                let found = ownerless(&client, institution).await?;
                if self.json {
                    return output::json(&found);
                }
                print(&client, &found.items, true).await
            }
            (None, None) => Err(CliError::Usage(
                "name a person, or use --ownerless".to_owned(),
            )),
        }
    }
}

/// Reads everything that a person owns, and the position of the last page.
async fn owned(
    client: &Client,
    person: PersonId,
    at: Option<as_of::Moment>,
) -> Result<ListOwnedResponse, CliError> {
    let mut all = ListOwnedResponse::default();
    loop {
        let request = ListOwnedRequest {
            person_id: person.to_string(),
            at: at.map(as_of),
            page_size: PAGE,
            page_token: std::mem::take(&mut all.next_page_token),
            ..ListOwnedRequest::default()
        };
        let page = client.ownership().list_owned(request).await?.into_inner();
        let items = std::mem::take(&mut all.items);
        all = page;
        all.items.splice(..0, items);
        if all.next_page_token.is_empty() {
            return Ok(all);
        }
    }
}

async fn ownerless(
    client: &Client,
    institution: InstitutionId,
) -> Result<ListOwnerlessResponse, CliError> {
    let mut all = ListOwnerlessResponse::default();
    loop {
        let request = ListOwnerlessRequest {
            institution_id: institution.to_string(),
            page_size: PAGE,
            page_token: std::mem::take(&mut all.next_page_token),
            ..ListOwnerlessRequest::default()
        };
        let page = client.ownership().list_ownerless(request).await?;
        let items = std::mem::take(&mut all.items);
        all = page.into_inner();
        all.items.splice(..0, items);
        if all.next_page_token.is_empty() {
            return Ok(all);
        }
    }
}

async fn print(client: &Client, items: &[OwnedItem], with_owner: bool) -> Result<(), CliError> {
    let mut heading = vec!["what", "title", "state", "students", "last activity", "id"];
    if with_owner {
        heading.insert(2, "last owner");
        heading.insert(3, "why");
    }
    let mut rows = vec![heading.into_iter().map(str::to_owned).collect::<Vec<_>>()];
    let mut names = Names::default();
    for item in items {
        let mut row = vec![
            kind(&item.stream),
            item.title.clone(),
            state(item),
            item.students.to_string(),
            output::instant(item.last_activity_at.as_ref()),
            stream::id(&item.stream).to_owned(),
        ];
        if with_owner {
            let owner = match &item.owner_id {
                Some(owner) => {
                    names.learn(client, owner).await?;
                    names.person(owner)
                }
                None => "-".to_owned(),
            };
            row.insert(2, owner);
            row.insert(3, why(item));
        }
        rows.push(row);
    }
    match items.is_empty() {
        true => output::line("nothing"),
        false => output::table(&rows),
    }
    Ok(())
}

/// Says why something has no present owner.
fn why(item: &OwnedItem) -> String {
    let said = match item.ownerless_reason() {
        OwnerlessReason::Unspecified => "-",
        OwnerlessReason::NoOwner => "no owner",
        OwnerlessReason::Departed => "has left",
        OwnerlessReason::NotStaff => "no longer staff",
        OwnerlessReason::Elsewhere => "no longer staff here",
        OwnerlessReason::AbsentFromRoster => {
            let last_seen = item.last_seen_in_roster.as_deref().unwrap_or("?");
            return format!("not in the roster since {last_seen} (not confirmed)");
        }
        OwnerlessReason::Leaving => {
            let last_day = item.owner_leaving_on.as_deref().unwrap_or("?");
            return format!("leaves on {last_day}");
        }
    };
    said.to_owned()
}

fn state(item: &OwnedItem) -> String {
    let mut states = Vec::new();
    match (&item.deletion, item.deleted_by_owner) {
        (Some(_), true) => states.push("deleted by its owner"),
        (Some(_), false) => states.push("deleted"),
        (None, _) => {}
    }
    if item.withdrawn {
        states.push("withdrawn");
    }
    if item.ownerless {
        states.push("without an owner");
    }
    if item.owner_leaving_on.is_some() {
        states.push("owner leaves");
    }
    match states.is_empty() {
        true => "in use".to_owned(),
        false => states.join(", "),
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Successors {
    /// The team, year plan or plan: team/UUID, year_plan/UUID or plan/UUID
    stream: StreamId,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Successors {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let client = self.remote.connect(file).await?;
        let request = ListSuccessorsRequest {
            stream: self.stream.to_string(),
            min_position: 0,
        };
        let found = client.ownership().list_successors(request).await?;
        let found = found.into_inner();
        if self.json {
            return output::json(&found);
        }
        suggest(&client, &found.successors).await
    }
}

async fn suggest(client: &Client, successors: &[Successor]) -> Result<(), CliError> {
    if successors.is_empty() {
        output::line("nobody at the institution could take it over");
        return Ok(());
    }
    let heading = ["person", "evaluations there", "on the team", "id"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    let mut names = Names::default();
    for found in successors {
        names.learn(client, &found.person_id).await?;
        let on_team = if found.on_team { "yes" } else { "no" };
        rows.push(vec![
            names.person(&found.person_id),
            found.evaluations.to_string(),
            on_team.to_owned(),
            found.person_id.clone(),
        ]);
    }
    output::table(&rows);
    Ok(())
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Deletion {
    /// The team or year plan: team/UUID or year_plan/UUID
    stream: StreamId,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Deletion {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let client = self.remote.connect(file).await?;
        let request = PreviewDeletionRequest {
            stream: self.stream.to_string(),
            min_position: 0,
        };
        let found = client.ownership().preview_deletion(request).await?;
        let found = found.into_inner();
        if self.json {
            return output::json(&found);
        }
        output::line(format!(
            "{} plans of {} students belong to it; all of them stay, and people can still work on \
            them",
            found.plan_ids.len(),
            found.students
        ));
        let filter = match self.stream.kind {
            StreamKind::Team => Filter::TeamId(self.stream.id.to_string()),
            _ => Filter::YearPlanId(self.stream.id.to_string()),
        };
        let (plans, _) = read::list(&client, filter).await?;
        let mut rows = vec![["student", "plan"].map(str::to_owned).to_vec()];
        let mut names = Names::default();
        for plan in plans {
            names.learn(&client, &plan.student_id).await?;
            rows.push(vec![names.person(&plan.student_id), plan.plan_id]);
        }
        if rows.len() > 1 {
            output::table(&rows);
        }
        if found.last_owner {
            output::line(
                "nobody else is on the staff of the team: transfer it to somebody before you \
                delete it",
            );
        }
        suggest(&client, &found.successors).await
    }
}
