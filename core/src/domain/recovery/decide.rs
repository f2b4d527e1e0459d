use super::{MOST_STEPS, Phase, RecoveryCommand, RecoveryEvent};
use crate::domain::refusing::{exists, not_found, refuse};
use crate::domain::rule_context::RuleContext;
use crate::domain::{Aggregate, Field, Reason, Refusal, Stop};
use crate::ids::RecoveryId;

const ID: &str = "recovery_id";

/// The refusal of a recovery that would have more steps than allowed.
pub(crate) fn too_many(count: usize) -> Refusal {
    let message = format!("a recovery has at most {MOST_STEPS} steps; this one has {count}");
    Refusal::new(Reason::TooManySteps, message)
}

impl RecoveryCommand {
    pub(in crate::domain) fn decide(
        &self,
        ask: &RuleContext<'_>,
        id: RecoveryId,
    ) -> Result<Vec<RecoveryEvent>, Stop> {
        let state = ask.load(id)?;
        let now = match state.as_deref() {
            Some(Aggregate::Recovery(now)) => Some(now),
            _ => None,
        };
        let there = || {
            now.ok_or_else(|| {
                not_found(Reason::RecoveryNotFound, "recovery", ID, id, Field::Target)
            })
        };
        match self {
            Self::Start { steps, .. }
                if now.is_none() && !(1..=MOST_STEPS).contains(&steps.len()) =>
            {
                refuse(match steps.len() {
                    0 => Refusal::new(
                        Reason::NothingToDo,
                        "the recovery has no steps, so there is nothing to do",
                    ),
                    count => too_many(count),
                })
            }
            Self::Start {
                steps,
                on_behalf_of,
                reason,
            } => match now {
                None => Ok(vec![RecoveryEvent::Started {
                    steps: steps.clone(),
                    on_behalf_of: *on_behalf_of,
                    reason: reason.clone(),
                }]),
                Some(_) => exists("recovery", ID, id, Field::Target),
            },
            Self::Finish { left_out } => Ok(match there()?.phase {
                Phase::Running => vec![RecoveryEvent::Finished {
                    left_out: left_out.clone(),
                }],
                Phase::Finished | Phase::Undoing { .. } | Phase::Undone { .. } => Vec::new(),
            }),
            Self::Undo {
                on_behalf_of,
                reason,
            } => match there()?.phase {
                Phase::Finished => Ok(vec![RecoveryEvent::UndoStarted {
                    by: ask.sender(),
                    on_behalf_of: *on_behalf_of,
                    reason: reason.clone(),
                }]),
                Phase::Running => {
                    let message =
                        format!("recovery {id} is still running; wait until it has finished");
                    refuse(Refusal::new(Reason::RecoveryRunning, message).with(ID, id))
                }
                Phase::Undoing { .. } | Phase::Undone { .. } => {
                    let message = format!("recovery {id} is already undone");
                    refuse(Refusal::new(Reason::AlreadyUndone, message).with(ID, id))
                }
            },
            Self::FinishUndo { left_out } => Ok(match there()?.phase {
                Phase::Undoing { .. } => vec![RecoveryEvent::Undone {
                    left_out: left_out.clone(),
                }],
                Phase::Running | Phase::Finished | Phase::Undone { .. } => Vec::new(),
            }),
        }
    }
}
