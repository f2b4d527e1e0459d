//! An owner leaves, in a large city: what they own, handing it over and taking that back, and the
//! overview of the whole city. Works on whatever roster the ledger holds, and gives every student
//! plans first.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use clap::Args;
use planledger::client::Client;
use planledger_benches::measure::latency::{histogram, record};
use planledger_benches::school::School;
use planledger_core::domain::Command;
use planledger_core::domain::person::PersonCommand;
use planledger_core::domain::plan::{Audience, PlanCommand};
use planledger_core::domain::year_plan::{YearPlanCommand, YearPlanDetails, YearPlanKind};
use planledger_core::ids::{IdError, PersonId, PlanId, YearPlanId};
use planledger_proto::v1::recovery_wish::Wish;
use planledger_proto::v1::transfer::{Rule, What};
use planledger_proto::v1::{
    GetOverviewRequest, ListInstitutionsRequest, ListOwnedRequest, ListOwnerlessRequest,
    ListTeamsRequest, OverviewBy, ProposeRecoveryRequest, Recovery, RecoveryWish,
    RunRecoveryRequest, Team, Transfer, TransferItems, UndoRecoveryRequest, list_teams_request,
    run_recovery_response, undo_recovery_response,
};
use uuid::Uuid;

use crate::fault::Fault;
use crate::report::{Bar, Measurement};
use crate::target::Target;

const OWNED: Bar = Bar::P99(50_000.0);
/// Five seconds for 500 items.
const HANDED_OVER: Bar = Bar::Rate(100.0);
const OVERVIEW: Bar = Bar::P99(100_000.0);

const PAGE: i32 = 1_000;
/// Owners whose property is listed: those who own most.
const OWNERS: usize = 20;

#[derive(Debug, Args)]
pub(crate) struct Leaving {
    /// Plans that each student gets
    #[arg(long, default_value_t = 3)]
    plans: u64,
    /// Things that are handed over at once
    #[arg(long, default_value_t = 500)]
    items: usize,
    /// Reads of each sort
    #[arg(long, default_value_t = 200)]
    reads: u64,
}

/// A city as the ledger has it.
#[derive(Default)]
struct City {
    /// Teams by institution.
    teams: BTreeMap<String, Vec<Team>>,
    /// How much everybody owns.
    owned: BTreeMap<PersonId, usize>,
    plans: u64,
}

impl Leaving {
    pub(crate) async fn run(&self, target: &Target) -> Result<Vec<Measurement>, Fault> {
        let school = School::new(0, 1);
        let client = target.connect(&school).await?;
        let mut city = City::read(&client).await?;
        for (at, institution) in city
            .teams
            .keys()
            .cloned()
            .collect::<Vec<_>>()
            .iter()
            .enumerate()
        {
            let commands = city.give_plans(institution, self.plans)?;
            eprintln!("school {}: {} commands", at + 1, commands.len());
            target.record(&school, commands).await?;
        }
        let size = format!("{} institutions, {} plans", city.teams.len(), city.plans);
        let mut measured = vec![self.list_owned(&client, &city, &size).await?];
        for by in [OverviewBy::Institution, OverviewBy::Grade, OverviewBy::Team] {
            measured.push(self.overview(&client, by, &size).await?);
        }
        measured.extend(self.hand_over(target, &school, &client, &city).await?);
        Ok(measured)
    }

    async fn list_owned(
        &self,
        client: &Client,
        city: &City,
        size: &str,
    ) -> Result<Measurement, Fault> {
        let mut owners: Vec<_> = city.owned.iter().collect();
        owners.sort_by_key(|(_, owned)| std::cmp::Reverse(**owned));
        owners.truncate(OWNERS);
        let most = owners.first().map_or(0, |(_, owned)| **owned);
        let mut latencies = histogram();
        let start = Instant::now();
        for nth in 0..self.reads {
            let (owner, expected) = owners
                .get(nth as usize % owners.len().max(1))
                .ok_or_else(|| Fault::Untrue("nobody owns anything".to_owned()))?;
            let before = Instant::now();
            let found = all_owned(client, owner).await?;
            record(&mut latencies, before.elapsed());
            if found < **expected {
                let told = format!("{found} things were listed, and {expected} are there");
                return Err(Fault::Untrue(told));
            }
        }
        let took = start.elapsed();
        let how = format!("everything that one person owns, at most {most} things; {size}");
        let measured = Measurement::new("owned", how, "lists", self.reads, took);
        Ok(measured.with_latency(&latencies).against(OWNED))
    }

    async fn overview(
        &self,
        client: &Client,
        by: OverviewBy,
        size: &str,
    ) -> Result<Measurement, Fault> {
        let mut latencies = histogram();
        let mut rows = 0;
        let start = Instant::now();
        for _ in 0..self.reads {
            let request = GetOverviewRequest {
                by: by.into(),
                page_size: PAGE,
                untouched_months: 3,
                ..GetOverviewRequest::default()
            };
            let before = Instant::now();
            let answer = client.overview().get_overview(request).await?.into_inner();
            record(&mut latencies, before.elapsed());
            rows = answer.rows.len();
        }
        let took = start.elapsed();
        let (name, what) = match by {
            OverviewBy::Team => ("overview by team", "teams, the first page of them"),
            OverviewBy::Grade => ("overview by grade", "grades"),
            OverviewBy::Institution | OverviewBy::Unspecified => ("overview", "institutions"),
        };
        let how = format!("of everything: {rows} {what}; {size}");
        let measured = Measurement::new(name, how, "overviews", self.reads, took);
        Ok(measured.with_latency(&latencies).against(OVERVIEW))
    }

    /// Owners leave one institution until there is enough to hand over; somebody gets it all.
    async fn hand_over(
        &self,
        target: &Target,
        school: &School,
        client: &Client,
        city: &City,
    ) -> Result<Vec<Measurement>, Fault> {
        let (institution, leaving, heir) = self.who_leaves(city)?;
        let depart = leaving.iter().map(|person| {
            let (on, reason) = (None, None);
            Command::Person(*person, PersonCommand::Depart { on, reason })
        });
        target.record(school, depart.collect()).await?;
        let mut streams = ownerless(client, &institution).await?;
        let before = streams.len();
        streams.truncate(self.items);
        let count = streams.len() as u64;
        let wish = RecoveryWish {
            wish: Some(Wish::Transfer(Transfer {
                what: Some(What::Items(TransferItems { streams })),
                rule: Some(Rule::ToPersonId(heir.to_string())),
                fallback: None,
                reason: None,
            })),
        };
        let start = Instant::now();
        let request = ProposeRecoveryRequest {
            wish: Some(wish.clone()),
            page_size: PAGE,
            ..ProposeRecoveryRequest::default()
        };
        let proposal = client.ownership().propose_recovery(request).await?;
        let proposal = proposal.into_inner();
        let seen = start.elapsed();
        if u64::from(proposal.steps) != count {
            let told = format!("{} of {count} can be handed over", proposal.steps);
            return Err(Fault::Untrue(told));
        }
        let id = Uuid::new_v4().to_string();
        let start = Instant::now();
        let done = run(client, &id, wish, proposal.digest).await?;
        let handed = start.elapsed();
        let left = ownerless(client, &institution).await?.len() as u64;
        if !done.left_out.is_empty() || left != before as u64 - count {
            let told = format!("{left} of {before} things have no owner after {count} were given");
            return Err(Fault::Untrue(told));
        }
        let start = Instant::now();
        let undone = undo(client, id).await?;
        let taken_back = start.elapsed();
        if !undone.not_undone.is_empty() {
            return Err(Fault::Untrue("not all was taken back".to_owned()));
        }
        let owners = leaving.len();
        let how = |what| format!("{what} {count} things of {owners} owners, to one");
        let measured = [
            ("dry run", how("a dry run of handing over"), seen),
            ("transfer", how("handing over, each durable,"), handed),
            ("undo", how("taking back"), taken_back),
        ];
        let measured = measured.map(|(name, how, took)| {
            Measurement::new(name, how, "things", count, took).against(HANDED_OVER)
        });
        Ok(measured.into())
    }

    /// Owners of one institution who own enough together, and somebody there who stays.
    fn who_leaves(&self, city: &City) -> Result<(String, BTreeSet<PersonId>, PersonId), Fault> {
        for (institution, teams) in &city.teams {
            let owners: BTreeSet<PersonId> = teams
                .iter()
                .filter_map(|team| team.owner_id.as_ref()?.parse().ok())
                .collect();
            let (mut leaving, mut things) = (BTreeSet::new(), 0);
            for owner in &owners {
                if things >= self.items {
                    return Ok((institution.clone(), leaving, *owner));
                }
                leaving.insert(*owner);
                things += city.owned.get(owner).copied().unwrap_or(0);
            }
        }
        let told = format!("no institution has {} things to hand over", self.items);
        Err(Fault::Untrue(told))
    }
}

impl City {
    async fn read(client: &Client) -> Result<Self, Fault> {
        let mut city = Self::default();
        let request = ListInstitutionsRequest {
            page_size: PAGE,
            ..ListInstitutionsRequest::default()
        };
        let institutions = client.roster().list_institutions(request).await?;
        for institution in institutions.into_inner().institutions {
            let id = institution.institution_id;
            let mut teams = Vec::new();
            let mut page_token = String::new();
            loop {
                let request = ListTeamsRequest {
                    filter: Some(list_teams_request::Filter::InstitutionId(id.clone())),
                    page_size: PAGE,
                    page_token,
                    ..ListTeamsRequest::default()
                };
                let page = client.roster().list_teams(request).await?.into_inner();
                teams.extend(page.teams);
                page_token = page.next_page_token;
                if page_token.is_empty() {
                    break;
                }
            }
            city.teams.insert(id, teams);
        }
        Ok(city)
    }

    /// A year plan for each team whose members have too few plans, and a plan for each of those;
    /// two of three are shared and visible to guardians.
    fn give_plans(&mut self, institution: &str, wanted: u64) -> Result<Vec<Command>, Fault> {
        let untrue = |error: IdError| Fault::Untrue(error.to_string());
        let mut commands = Vec::new();
        let mut plans_of: BTreeMap<&str, u64> = BTreeMap::new();
        for team in self.teams.get(institution).into_iter().flatten() {
            let details = team.details.clone().unwrap_or_default();
            let (Some(owner), Some(year)) = (&team.owner_id, &details.school_year_id) else {
                continue;
            };
            let owner: PersonId = owner.parse().map_err(untrue)?;
            let members: Vec<_> = team.member_ids.iter().map(String::as_str).collect();
            let lacking = members.into_iter().filter(|member| {
                let plans = plans_of.get(member).copied().unwrap_or(0);
                plans < wanted
            });
            let lacking: Vec<_> = lacking.collect();
            let owned = self.owned.entry(owner).or_default();
            *owned += 1;
            if lacking.is_empty() {
                continue;
            }
            let year_plan = YearPlanId::from_uuid(Uuid::new_v4());
            let subject = details.subject.unwrap_or_else(|| "Klassen".to_owned());
            let text = |error: planledger_core::text::TextError| Fault::Untrue(error.to_string());
            let create = YearPlanCommand::Create {
                details: YearPlanDetails {
                    kind: YearPlanKind::Subject,
                    institution: institution.parse().map_err(untrue)?,
                    team: team.team_id.parse().map_err(untrue)?,
                    school_year: year.parse().map_err(untrue)?,
                    title: details.title.parse().map_err(text)?,
                    subjects: BTreeSet::from([subject.parse().map_err(text)?]),
                },
                owner,
            };
            commands.push(Command::YearPlan(year_plan, create));
            *owned += 1 + lacking.len();
            for (nth, member) in lacking.into_iter().enumerate() {
                *plans_of.entry(member).or_default() += 1;
                let plan = PlanId::from_uuid(Uuid::new_v4());
                let open = PlanCommand::Open {
                    student: member.parse().map_err(untrue)?,
                    year_plan,
                    owner: None,
                };
                commands.push(Command::Plan(plan, open));
                self.plans += 1;
                if nth % 3 > 0 {
                    let visible = PlanCommand::SetVisibility {
                        audience: Audience::Guardians,
                        visible: true,
                    };
                    commands.push(Command::Plan(plan, PlanCommand::Share));
                    commands.push(Command::Plan(plan, visible));
                }
            }
        }
        Ok(commands)
    }
}

async fn all_owned(client: &Client, owner: &PersonId) -> Result<usize, Fault> {
    let (mut found, mut page_token) = (0, String::new());
    loop {
        let request = ListOwnedRequest {
            person_id: owner.to_string(),
            page_size: PAGE,
            page_token,
            ..ListOwnedRequest::default()
        };
        let page = client.ownership().list_owned(request).await?.into_inner();
        found += page.items.len();
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(found);
        }
    }
}

async fn ownerless(client: &Client, institution: &str) -> Result<Vec<String>, Fault> {
    let (mut found, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListOwnerlessRequest {
            institution_id: institution.to_owned(),
            page_size: PAGE,
            page_token,
            ..ListOwnerlessRequest::default()
        };
        let page = client
            .ownership()
            .list_ownerless(request)
            .await?
            .into_inner();
        found.extend(page.items.into_iter().map(|item| item.stream));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(found);
        }
    }
}

async fn run(
    client: &Client,
    id: &str,
    wish: RecoveryWish,
    digest: String,
) -> Result<Recovery, Fault> {
    use run_recovery_response::Update;
    let request = RunRecoveryRequest {
        recovery_id: id.to_owned(),
        wish: Some(wish),
        digest,
        on_behalf_of: None,
    };
    let mut updates = client.ownership().run_recovery(request).await?.into_inner();
    while let Some(message) = updates.message().await? {
        if let Some(Update::Summary(summary)) = message.update {
            return Ok(summary);
        }
    }
    Err(Fault::Untrue("a transfer came to no end".to_owned()))
}

async fn undo(client: &Client, recovery_id: String) -> Result<Recovery, Fault> {
    use undo_recovery_response::Update;
    let request = UndoRecoveryRequest {
        recovery_id,
        ..UndoRecoveryRequest::default()
    };
    let mut updates = client
        .ownership()
        .undo_recovery(request)
        .await?
        .into_inner();
    while let Some(message) = updates.message().await? {
        if let Some(Update::Summary(summary)) = message.update {
            return Ok(summary);
        }
    }
    Err(Fault::Untrue("taking back came to no end".to_owned()))
}
