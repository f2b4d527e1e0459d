//! Reads from the command line what a transfer or a restore should do.

use std::str::FromStr;

use clap::{ArgGroup, Args};
use planledger_core::ids::{
    IdError, InstitutionId, PersonId, PlanId, StreamId, TeamId, UnitId, YearPlanId,
};
use planledger_core::text::{Name, ReasonText, Title};
use planledger_proto::v1::recovery_wish::Wish;
use planledger_proto::v1::transfer::{Fallback, Rule, What};
use planledger_proto::v1::{self as proto, RecoveryWish, restore_item};
use uuid::Uuid;

use super::super::error::CliError;
use super::super::id::id;
use super::recovery::Do;
use crate::settings::File;

/// Give teams, year plans and plans to other owners; shows first what would be done.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["from", "item"])))]
#[command(group(ArgGroup::new("rule").required(true).args(["to", "to_team", "per_team", "per_subject"])))]
pub(in crate::cli) struct Transfer {
    /// Everything that this person owns
    #[arg(long, value_name = "PERSON", value_parser = id::<PersonId>())]
    from: Option<PersonId>,
    /// Of what that person owns, only what belongs to this institution
    #[arg(long, value_name = "INSTITUTION", requires = "from", value_parser = id::<InstitutionId>())]
    institution: Option<InstitutionId>,
    /// This item: team/UUID, year_plan/UUID or plan/UUID; may be given more than once
    #[arg(long, value_name = "STREAM")]
    item: Vec<StreamId>,
    /// This person gets everything
    #[arg(long, value_name = "PERSON", value_parser = id::<PersonId>())]
    to: Option<PersonId>,
    /// Each item goes to the member of its team's staff who evaluates there most
    #[arg(long)]
    to_team: bool,
    /// The items of this team go to this person; may be given more than once
    #[arg(long, value_name = "TEAM=PERSON", value_parser = pair::<TeamId, PersonId>)]
    per_team: Vec<(TeamId, PersonId)>,
    /// The items of this subject go to this person; may be given more than once
    #[arg(long, value_name = "SUBJECT=PERSON", value_parser = subject)]
    per_subject: Vec<(Name, PersonId)>,
    /// Who gets the items for which the rule finds nobody: a person, or "leader" for a leader of
    /// the institution
    #[arg(long, value_name = "PERSON|leader", value_parser = successor, conflicts_with = "to")]
    fallback: Option<Successor>,
    /// The reason; it is recorded
    #[arg(long, value_name = "TEXT")]
    reason: Option<ReasonText>,
    #[command(flatten)]
    go: Do,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Successor {
    Leader,
    Person(PersonId),
}

impl Transfer {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let items = proto::TransferItems {
            streams: self.item.iter().map(ToString::to_string).collect(),
        };
        let institution_id = self.institution.map(|id| id.to_string());
        let what = match self.from {
            Some(person) => What::EverythingOf(proto::TransferEverything {
                person_id: person.to_string(),
                institution_id,
            }),
            None => What::Items(items),
        };
        let per_team = self.per_team.iter();
        let per_team = per_team.map(|(team, person)| proto::TransferTeamHeir {
            team_id: team.to_string(),
            person_id: person.to_string(),
        });
        let per_subject = self.per_subject.iter();
        let per_subject = per_subject.map(|(subject, person)| proto::TransferSubjectHeir {
            subject: subject.to_string(),
            person_id: person.to_string(),
        });
        let rule = match self.to {
            Some(person) => Rule::ToPersonId(person.to_string()),
            None if self.to_team => Rule::ToTeam(proto::TransferToTeam {}),
            None if self.per_subject.is_empty() => Rule::PerTeam(proto::TransferPerTeam {
                heirs: per_team.collect(),
            }),
            None => Rule::PerSubject(proto::TransferPerSubject {
                heirs: per_subject.collect(),
            }),
        };
        let fallback = self.fallback.map(|successor| match successor {
            Successor::Leader => Fallback::FallbackLeader(proto::TransferToLeader {}),
            Successor::Person(person) => Fallback::FallbackPersonId(person.to_string()),
        });
        let wish = Wish::Transfer(proto::Transfer {
            what: Some(what),
            rule: Some(rule),
            fallback,
            reason: self.reason.map(|reason| reason.to_string()),
        });
        self.go.run(file, RecoveryWish { wish: Some(wish) }).await
    }
}

/// Bring deleted or withdrawn items back; shows first what would be done.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).multiple(true)
    .args(["team", "year_plan", "unit", "plan", "move_plan", "rebuild"])))]
pub(in crate::cli) struct Restore {
    /// A deleted team to bring back; may be given more than once
    #[arg(long, value_name = "TEAM", value_parser = id::<TeamId>())]
    team: Vec<TeamId>,
    /// A deleted year plan to bring back; may be given more than once
    #[arg(long, value_name = "YEAR-PLAN", value_parser = id::<YearPlanId>())]
    year_plan: Vec<YearPlanId>,
    /// A deleted unit to bring back; may be given more than once
    #[arg(long, value_name = "YEAR-PLAN/UNIT", value_parser = unit)]
    unit: Vec<(YearPlanId, UnitId)>,
    /// A withdrawn plan to bring back; may be given more than once
    #[arg(long, value_name = "PLAN", value_parser = id::<PlanId>())]
    plan: Vec<PlanId>,
    /// Attach a plan to another year plan; may be given more than once
    #[arg(long = "move", id = "move_plan", value_name = "PLAN=YEAR-PLAN")]
    #[arg(value_parser = pair::<PlanId, YearPlanId>)]
    move_plan: Vec<(PlanId, YearPlanId)>,
    /// Make a new year plan from the content in this year plan's plans, and attach those plans to
    /// it
    #[arg(long, value_name = "YEAR-PLAN", value_parser = id::<YearPlanId>())]
    rebuild: Option<YearPlanId>,
    /// Id of the rebuilt year plan [default: a new one]
    #[arg(long, value_name = "YEAR-PLAN", requires = "rebuild", value_parser = id::<YearPlanId>())]
    rebuild_as: Option<YearPlanId>,
    /// Title of the rebuilt year plan [default: the old one's]
    #[arg(long, value_name = "TEXT", requires = "rebuild")]
    rebuild_title: Option<Title>,
    /// Team of the rebuilt year plan [default: the old one's]
    #[arg(long, value_name = "TEAM", requires = "rebuild", value_parser = id::<TeamId>())]
    rebuild_team: Option<TeamId>,
    /// Institution of the rebuilt year plan [default: the old one's]
    #[arg(long, value_name = "INSTITUTION", requires = "rebuild", value_parser = id::<InstitutionId>())]
    at: Option<InstitutionId>,
    /// Also bring back the year plans of each team and the units of each year plan
    #[arg(long)]
    with_contents: bool,
    /// Who owns the teams and year plans afterwards, and plans of a rebuilt year plan whose owner has
    /// left [default: the owner before]
    #[arg(long, value_name = "PERSON", value_parser = id::<PersonId>())]
    give_to: Option<PersonId>,
    /// The reason; it is recorded
    #[arg(long, value_name = "TEXT")]
    reason: Option<ReasonText>,
    #[command(flatten)]
    go: Do,
}

impl Restore {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let with_contents = self.with_contents;
        let mut items = Vec::new();
        items.extend(self.team.iter().map(|team| {
            restore_item::Item::Team(proto::RestoreTeam {
                team_id: team.to_string(),
                with_contents,
            })
        }));
        items.extend(self.year_plan.iter().map(|year_plan| {
            restore_item::Item::YearPlan(proto::RestoreYearPlan {
                year_plan_id: year_plan.to_string(),
                with_contents,
            })
        }));
        items.extend(self.unit.iter().map(|(year_plan, unit)| {
            restore_item::Item::Unit(proto::RestoreUnit {
                year_plan_id: year_plan.to_string(),
                unit_id: unit.to_string(),
            })
        }));
        let plans = self.plan.iter();
        items.extend(plans.map(|plan| restore_item::Item::PlanId(plan.to_string())));
        items.extend(self.move_plan.iter().map(|(plan, to)| {
            restore_item::Item::Move(proto::RestoreMove {
                plan_id: plan.to_string(),
                year_plan_id: to.to_string(),
            })
        }));
        items.extend(self.rebuild.map(|from| {
            let year_plan_id = self.rebuild_as;
            let year_plan_id = year_plan_id.map_or_else(Uuid::new_v4, |id| id.uuid());
            restore_item::Item::Rebuild(proto::RebuildYearPlan {
                from_year_plan_id: from.to_string(),
                year_plan_id: year_plan_id.to_string(),
                title: self.rebuild_title.as_ref().map(ToString::to_string),
                team_id: self.rebuild_team.as_ref().map(ToString::to_string),
                owner_id: None,
                institution_id: self.at.as_ref().map(ToString::to_string),
            })
        }));
        let items = items.into_iter();
        let wish = Wish::Restore(proto::Restore {
            items: items
                .map(|item| proto::RestoreItem { item: Some(item) })
                .collect(),
            give_to_person_id: self.give_to.map(|person| person.to_string()),
            reason: self.reason.map(|reason| reason.to_string()),
        });
        self.go.run(file, RecoveryWish { wish: Some(wish) }).await
    }
}

/// Reads two ids with an equals sign between them. The error never repeats the argument, because it
/// may be a CPR number.
pub(super) fn pair<A, B>(text: &str) -> Result<(A, B), String>
where
    A: FromStr<Err = IdError>,
    B: FromStr<Err = IdError>,
{
    let (one, other) = text.split_once('=').ok_or("must have the form ID=ID")?;
    Ok((
        one.parse().map_err(|error: IdError| error.to_string())?,
        other.parse().map_err(|error: IdError| error.to_string())?,
    ))
}

fn unit(text: &str) -> Result<(YearPlanId, UnitId), String> {
    let (year_plan, unit) = text
        .split_once('/')
        .ok_or("must have the form YEAR-PLAN/UNIT")?;
    Ok((
        year_plan
            .parse()
            .map_err(|error: IdError| error.to_string())?,
        unit.parse().map_err(|error: IdError| error.to_string())?,
    ))
}

fn subject(text: &str) -> Result<(Name, PersonId), String> {
    let (subject, person) = text
        .rsplit_once('=')
        .ok_or("must have the form SUBJECT=PERSON")?;
    Ok((
        Name::new(subject).map_err(|error| error.to_string())?,
        person.parse().map_err(|error: IdError| error.to_string())?,
    ))
}

pub(super) fn successor(text: &str) -> Result<Successor, String> {
    match text {
        "leader" => Ok(Successor::Leader),
        person => {
            let person = person.parse().map_err(|error: IdError| error.to_string())?;
            Ok(Successor::Person(person))
        }
    }
}
