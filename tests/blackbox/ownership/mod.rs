//! Who owns what, and what is done when an owner leaves.

mod errors;
mod listing;
mod program;
mod restore;
mod story;
mod transfer;

pub(crate) use self::errors::OF_RECOVERIES;

use planledger_proto::v1::*;

use crate::support::*;

/// Notes that somebody has left.
fn depart(who: &str) -> Command {
    let depart = DepartPerson {
        last_day: None,
        reason: None,
    };
    person(who, OnPerson::DepartPerson(depart))
}

fn delete_team(id: &str) -> Command {
    team(id, OnTeam::DeleteTeam(DeleteTeam { reason: None }))
}

/// The steps of a dry run as "stream: what".
fn told(proposal: &ProposeRecoveryResponse) -> Vec<String> {
    use proposed_item::Outcome;
    use recovery_step::Step;
    let told = |item: &ProposedItem| match item.outcome.as_ref().unwrap() {
        Outcome::Step(step) => {
            assert_eq!(step.stream, item.stream);
            match step.step.as_ref().unwrap() {
                Step::Owner(owner) => owner.to_person_id.clone(),
                Step::Undelete(undelete) => match &undelete.unit_id {
                    Some(unit) => format!("unit {unit}"),
                    None => "undelete".to_owned(),
                },
                Step::Unwithdraw(_) => "unwithdraw".to_owned(),
                Step::Move(to) => format!("to {}", to.to_year_plan_id),
                Step::Relocate(to) => format!("at {}", to.to_institution_id),
                Step::Succeed(by) => format!("succeeded by {}", by.to_institution_id),
                Step::Create(create) => format!("create {}", create.title),
                Step::CopyUnit(copy) => format!("copy {}", copy.from_unit_id),
            }
        }
        Outcome::Refusal(refusal) => {
            assert!(!refusal.message.is_empty());
            refusal.reason().as_str_name().to_owned()
        }
    };
    let items = proposal.items.iter();
    items
        .map(|item| format!("{}: {}", item.stream, told(item)))
        .collect()
}
