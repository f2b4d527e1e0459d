//! Prints dry runs and recoveries for people.

use planledger_proto::v1::proposed_item::Outcome;
use planledger_proto::v1::recovery_step::Step;
use planledger_proto::v1::{
    ErrorReason, GetRecoveryResponse, LeftOutStep, ProposalWhy, ProposeRecoveryResponse,
    ProposedItem, Recovery, RecoveryPhase, RecoveryStep,
};

use super::super::error::CliError;
use super::super::names::{Names, short};
use super::super::output;
use super::stream::{self, kind};
use crate::client::Client;

pub(super) async fn print_proposal(
    client: &Client,
    proposal: &ProposeRecoveryResponse,
) -> Result<(), CliError> {
    let mut names = Names::default();
    let mut rows = vec![
        ["what", "title", "would", "because", "id"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for item in &proposal.items {
        let would = match &item.outcome {
            Some(Outcome::Step(step)) => describe(client, &mut names, step).await?,
            Some(Outcome::Refusal(refusal)) => format!("stay: {}", refusal.message),
            None => "do something newer than this version".to_owned(),
        };
        rows.push(vec![
            kind(&item.stream),
            item.title.clone(),
            would,
            because(item),
            stream::id(&item.stream).to_owned(),
        ]);
    }
    output::table(&rows);
    output::line(format!(
        "{} can be done, {} cannot; digest {}",
        proposal.steps, proposal.refused, proposal.digest
    ));
    Ok(())
}

/// Describes what a step would do: "go from Karen Holm to Bo Lund".
async fn describe(
    client: &Client,
    names: &mut Names,
    step: &RecoveryStep,
) -> Result<String, CliError> {
    Ok(match &step.step {
        Some(Step::Owner(owner)) => {
            for person in owner.from_person_id.iter().chain([&owner.to_person_id]) {
                names.learn(client, person).await?;
            }
            let to = names.person(&owner.to_person_id);
            match &owner.from_person_id {
                Some(from) => format!("go from {} to {to}", names.person(from)),
                None => format!("go to {to}"),
            }
        }
        Some(Step::Undelete(undelete)) => match &undelete.unit_id {
            Some(unit) => format!("get unit {} back", short(unit)),
            None => "come back".to_owned(),
        },
        Some(Step::Unwithdraw(_)) => "be in use again".to_owned(),
        Some(Step::Move(to)) => format!("belong to year plan {}", short(&to.to_year_plan_id)),
        Some(Step::Relocate(to)) => {
            let institution = short(&to.to_institution_id);
            match (&to.from_team_id, &to.to_team_id) {
                (Some(from), Some(team)) if from != team => {
                    format!("move to institution {institution}, to team {}", short(team))
                }
                _ => format!("move to institution {institution}"),
            }
        }
        Some(Step::Succeed(by)) => {
            format!(
                "be succeeded by institution {}",
                short(&by.to_institution_id)
            )
        }
        Some(Step::Create(create)) => {
            names.learn(client, &create.owner_id).await?;
            let owner = names.person(&create.owner_id);
            format!("be created for {owner}: {}", create.title)
        }
        Some(Step::CopyUnit(copy)) => {
            let from = short(&copy.from_unit_id);
            format!("get a copy of unit {from} with {} goals", copy.goals)
        }
        None => "do something newer than this version".to_owned(),
    })
}

fn because(item: &ProposedItem) -> String {
    match item.why() {
        ProposalWhy::Asked => "asked for".to_owned(),
        ProposalWhy::EvaluatesMost => {
            format!("has made the most evaluations in it ({})", item.evaluations)
        }
        ProposalWhy::SharesTeam => "is on the team".to_owned(),
        ProposalWhy::NamedForTeam => "named for the team".to_owned(),
        ProposalWhy::NamedForSubject => "named for the subject".to_owned(),
        ProposalWhy::Fallback => "fallback".to_owned(),
        ProposalWhy::HangsOn => {
            let on = item.hangs_on.as_deref().unwrap_or_default();
            format!("belongs to {} {}", kind(on), short(stream::id(on)))
        }
        ProposalWhy::OfClosedInstitution => "its institution is closed".to_owned(),
        ProposalWhy::SucceededBy => {
            let team = item.hangs_on.as_deref().unwrap_or_default();
            format!("team {} carries on for its team", short(stream::id(team)))
        }
        ProposalWhy::Unspecified => "-".to_owned(),
    }
}

pub(super) fn print_summary(summary: &Recovery) {
    let undone = summary.phase() == RecoveryPhase::Undone;
    let done = summary.steps as usize - summary.left_out.len().min(summary.steps as usize);
    let (left, what) = match undone {
        true => (&summary.not_undone, "undone"),
        false => (&summary.left_out, "done"),
    };
    let count = match undone {
        true => done.saturating_sub(summary.not_undone.len()),
        false => done,
    };
    output::line(format!(
        "recovery {}: {count} of {} steps {what}, {} left out",
        summary.recovery_id,
        if undone { done } else { summary.steps as usize },
        left.len()
    ));
    for step in left {
        output::line(format!(
            "  {} {}: {}",
            kind(&step.stream),
            stream::id(&step.stream),
            reason(step.reason())
        ));
    }
}

fn reason(reason: ErrorReason) -> &'static str {
    let name = reason.as_str_name();
    name.strip_prefix("ERROR_REASON_").unwrap_or(name)
}

pub(super) async fn begun_by(
    client: &Client,
    names: &mut Names,
    recovery: &Recovery,
) -> Result<String, CliError> {
    use planledger_proto::v1::actor::Actor;
    Ok(
        match recovery
            .started_by
            .as_ref()
            .and_then(|by| by.actor.as_ref())
        {
            Some(Actor::PersonId(person)) => {
                names.learn(client, person).await?;
                names.person(person)
            }
            Some(Actor::SystemId(system)) => format!("system {}", short(system)),
            None => "-".to_owned(),
        },
    )
}

pub(super) fn phase(phase: RecoveryPhase) -> &'static str {
    match phase {
        RecoveryPhase::Running => "running",
        RecoveryPhase::Finished => "finished",
        RecoveryPhase::Undoing => "being undone",
        RecoveryPhase::Undone => "undone",
        RecoveryPhase::Unspecified => "-",
    }
}

pub(super) async fn print(client: &Client, found: &GetRecoveryResponse) -> Result<(), CliError> {
    let recovery = found.recovery.clone().unwrap_or_default();
    let mut names = Names::default();
    output::line(format!(
        "recovery {}, {}: begun {} by {}",
        recovery.recovery_id,
        phase(recovery.phase()),
        output::instant(recovery.started_at.as_ref()),
        begun_by(client, &mut names, &recovery).await?
    ));
    if let Some(reason) = &recovery.reason {
        output::line(format!("because: {reason}"));
    }
    let mut rows = vec![
        ["what", "would", "result", "id"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for (at, step) in (0_u32..).zip(&found.steps) {
        let left = |steps: &[LeftOutStep]| {
            steps
                .iter()
                .find(|left| left.step == at)
                .map(|left| reason(left.reason()))
        };
        let came = match (
            left(&recovery.left_out),
            left(&recovery.not_undone),
            recovery.phase(),
        ) {
            (Some(reason), _, _) => format!("left out: {reason}"),
            (None, Some(reason), _) => format!("done, not undone: {reason}"),
            (None, None, RecoveryPhase::Undone) => "done, and undone".to_owned(),
            (None, None, RecoveryPhase::Running) => "open".to_owned(),
            (None, None, _) => "done".to_owned(),
        };
        rows.push(vec![
            kind(&step.stream),
            describe(client, &mut names, step).await?,
            came,
            stream::id(&step.stream).to_owned(),
        ]);
    }
    output::table(&rows);
    Ok(())
}
