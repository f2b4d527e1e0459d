use super::{Done, Erasure, ErasureCommand, ErasureEvent, Phase, Target};
use crate::domain::grants::administrators::keep_one_without;
use crate::domain::refusing::{not_found, refuse};
use crate::domain::rule_context::RuleContext;
use crate::domain::{Actor, Aggregate, Command, Field, Reason, Refusal, Stop};
use crate::ids::{ErasureId, PersonId};
use crate::time::Timestamp;

const ID: &str = "erasure_id";

impl ErasureCommand {
    pub(in crate::domain) fn decide(
        &self,
        ask: &RuleContext<'_>,
        id: ErasureId,
    ) -> Result<Vec<ErasureEvent>, Stop> {
        let state = ask.load(id)?;
        let now = match state.as_deref() {
            Some(Aggregate::Erasure(now)) => Some(now),
            _ => None,
        };
        let there = || {
            let what = "request for a redaction or erasure";
            now.ok_or_else(|| not_found(Reason::ErasureNotFound, what, ID, id, Field::Target))
        };
        match self {
            Self::Request {
                target,
                basis,
                reason,
                retention,
            } => {
                by_a_person(ask)?;
                check_target(ask, *target)?;
                match now.map(|now| &now.phase) {
                    None | Some(Phase::Withdrawn(_)) => Ok(vec![ErasureEvent::Requested {
                        target: *target,
                        basis: basis.clone(),
                        reason: reason.clone(),
                        retention: *retention,
                    }]),
                    Some(Phase::Requested | Phase::Approved(_) | Phase::CarriedOut { .. }) => {
                        under_way(id, "it has been asked for already")
                    }
                }
            }
            Self::Approve { reason } => approve(ask, id, there()?, reason.clone()),
            Self::Withdraw { reason } => match there()?.phase {
                Phase::Requested => Ok(vec![ErasureEvent::Withdrawn {
                    reason: reason.clone(),
                }]),
                Phase::Withdrawn(_) => Ok(Vec::new()),
                Phase::Approved(_) | Phase::CarriedOut { .. } => {
                    under_way(id, "it is approved, and can no longer be taken back")
                }
            },
            Self::SettleReads(reads) => {
                let now = there()?;
                let waits = matches!(now.target, Target::Reads { .. }) && now.reads.is_none();
                Ok(match now.phase {
                    Phase::Approved(_) if waits => vec![ErasureEvent::ReadsSettled(*reads)],
                    Phase::Approved(_)
                    | Phase::Requested
                    | Phase::Withdrawn(_)
                    | Phase::CarriedOut { .. } => Vec::new(),
                })
            }
            Self::SettleText(left) => {
                let now = there()?;
                let waits = matches!(now.target, Target::Event(_)) && now.left.is_none();
                Ok(match now.phase {
                    Phase::Approved(_) if waits => vec![ErasureEvent::TextSettled(left.clone())],
                    Phase::Approved(_)
                    | Phase::Requested
                    | Phase::Withdrawn(_)
                    | Phase::CarriedOut { .. } => Vec::new(),
                })
            }
            Self::CarryOut { key } => Ok(match there()?.phase {
                // Which reads go is on record before they do.
                Phase::Approved(_) if there()?.is_settled() => {
                    vec![ErasureEvent::CarriedOut { key: *key }]
                }
                Phase::Approved(_)
                | Phase::Requested
                | Phase::Withdrawn(_)
                | Phase::CarriedOut { .. } => Vec::new(),
            }),
            Self::ApplyAgain(record) => Ok(match now {
                Some(now) if now.is_carried_out() => Vec::new(),
                Some(_) | None => vec![ErasureEvent::AppliedAgain(record.clone())],
            }),
        }
    }
}

fn approve(
    ask: &RuleContext<'_>,
    id: ErasureId,
    now: &Erasure,
    reason: Option<crate::text::ReasonText>,
) -> Result<Vec<ErasureEvent>, Stop> {
    by_a_person(ask)?;
    match now.phase {
        Phase::Requested => {}
        Phase::Approved(_) | Phase::CarriedOut { .. } => return Ok(Vec::new()),
        Phase::Withdrawn(_) => {
            let message = format!("request {id} was taken back; ask for it again");
            return refuse(Refusal::new(Reason::ErasureWithdrawn, message).with(ID, id));
        }
    }
    let approving = Done {
        by: ask.sender(),
        on_behalf_of: ask.on_behalf_of(),
        at: Timestamp::default(),
    };
    if approving.shares_a_person(&now.requested) {
        let message = "whoever asks for a redaction or erasure cannot approve it; another records \
                       officer has to";
        return refuse(Refusal::new(Reason::ErasureNeedsAnotherPerson, message).with(ID, id));
    }
    // Nobody can prove to be a person who is erased.
    if let Target::Person(person) = now.target {
        keep_one_without(ask, person)?;
    }
    Ok(vec![ErasureEvent::Approved { reason }])
}

fn under_way<T>(id: ErasureId, why: &str) -> Result<T, Stop> {
    refuse(Refusal::new(Reason::ErasureUnderWay, why).with(ID, id))
}

/// Only people destroy text.
fn by_a_person(ask: &RuleContext<'_>) -> Result<(), Stop> {
    match ask.author() {
        Actor::Person(_) => Ok(()),
        Actor::System(_) => {
            let message =
                "a person has to ask for a redaction or erasure, and another to approve it";
            refuse(Refusal::new(Reason::ErasureNeedsPerson, message))
        }
    }
}

fn check_target(ask: &RuleContext<'_>, target: Target) -> Result<(), Stop> {
    match target {
        // Which days are allowed stands with those of other commands.
        Target::Reads { .. } => Ok(()),
        Target::Person(person) => {
            if is_erased(ask, person)? {
                return refuse(erased(person));
            }
            ask.person(person, Field::Target, |_| Ok(()))
        }
        // Whether the event is there and holds a text stands in the journal, which rules do not see.
        Target::Event(_) => Ok(()),
    }
}

/// The refusal of a redaction of an event that is not there or holds no text.
pub(crate) fn not_redactable() -> Refusal {
    let message = "there is nothing to redact: the event is not at that place, cannot be read any more, \
                   or holds no text that somebody wrote";
    Refusal::new(Reason::EventNotRedactable, message).field(Field::Target)
}

/// Refuses a command for somebody who was erased, or is about to be: nothing may be sealed under a
/// key that is destroyed.
pub(in crate::domain) fn check_not_erased(
    ask: &RuleContext<'_>,
    command: &Command,
) -> Result<(), Stop> {
    let person = match command {
        Command::Person(person, _) => *person,
        Command::Plan(plan, _) => match ask.load(*plan)?.as_deref() {
            Some(Aggregate::Plan(plan)) => plan.student,
            _ => return Ok(()),
        },
        Command::Institution(..)
        | Command::SchoolYear(..)
        | Command::Team(..)
        | Command::YearPlan(..)
        | Command::Catalogue(..)
        | Command::Ledger(..)
        | Command::Recovery(..)
        | Command::RosterSource(..)
        | Command::System(..)
        | Command::Grants(..)
        | Command::Erasure(..) => return Ok(()),
    };
    match is_erased(ask, person)? {
        true => refuse(erased(person)),
        false => Ok(()),
    }
}

fn is_erased(ask: &RuleContext<'_>, person: PersonId) -> Result<bool, Stop> {
    Ok(match ask.load(ErasureId::of_person(person))?.as_deref() {
        Some(Aggregate::Erasure(act)) => act.approval().is_some(),
        _ => false,
    })
}

/// The refusal of an erasure by a retention class of somebody who is not due, with the reason why not.
pub(crate) fn not_due(target: Target, why: impl std::fmt::Display) -> Refusal {
    let message = format!(
        "the student is not due by the retention class of this request: {why}; take the request back, \
         and ask again when it is time, or without a retention class if there is another reason"
    );
    let id = ErasureId::of(target);
    Refusal::new(Reason::ErasureNotDue, message).with(ID, id)
}

/// The refusal of a command for somebody who was erased.
pub(crate) fn erased(person: PersonId) -> Refusal {
    let message = format!("person {person} is erased; nothing can be recorded of them any more");
    Refusal::new(Reason::PersonErased, message)
        .field(Field::Target)
        .with("person_id", person)
}
