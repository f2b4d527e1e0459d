use super::{Institution, InstitutionCommand, InstitutionEvent};
use crate::domain::refusing::{exists, not_found, refuse};
use crate::domain::rule_context::RuleContext;
use crate::domain::{Aggregate, Field, Reason, Refusal, Stop};
use crate::ids::InstitutionId;

const ID: &str = "institution_id";

impl InstitutionCommand {
    pub(in crate::domain) fn decide(
        &self,
        ask: &RuleContext<'_>,
        id: InstitutionId,
    ) -> Result<Vec<InstitutionEvent>, Stop> {
        let state = ask.load(id)?;
        let now = match state.as_deref() {
            Some(Aggregate::Institution(now)) => Some(now),
            _ => None,
        };
        let there = || {
            now.ok_or_else(|| {
                not_found(
                    Reason::InstitutionNotFound,
                    "institution",
                    ID,
                    id,
                    Field::Target,
                )
            })
        };
        match self {
            Self::Register(details) => match now {
                None => Ok(vec![InstitutionEvent::Registered(details.clone())]),
                Some(_) => exists("institution", ID, id, Field::Target),
            },
            Self::Revise(details) if there()?.details == *details => Ok(Vec::new()),
            Self::Revise(details) => Ok(vec![InstitutionEvent::Revised(details.clone())]),
            Self::Close { .. } if there()?.closed => {
                let message = format!("institution {id} is already closed");
                refuse(Refusal::new(Reason::AlreadyClosed, message).with(ID, id))
            }
            Self::Close { reason } => Ok(vec![InstitutionEvent::Closed {
                reason: reason.clone(),
            }]),
            Self::Reopen if there()?.closed => Ok(vec![InstitutionEvent::Reopened {}]),
            Self::Reopen => {
                let message = format!("institution {id} is not closed");
                refuse(Refusal::new(Reason::NotClosed, message).with(ID, id))
            }
            Self::Put { details, closed } => {
                let mut events = Vec::new();
                match now {
                    None => events.push(InstitutionEvent::Registered(details.clone())),
                    Some(now) if now.details != *details => {
                        events.push(InstitutionEvent::Revised(details.clone()));
                    }
                    Some(_) => {}
                }
                match (now.is_some_and(Institution::is_closed), closed) {
                    (false, true) => events.push(InstitutionEvent::Closed { reason: None }),
                    (true, false) => events.push(InstitutionEvent::Reopened {}),
                    (true, true) | (false, false) => {}
                }
                Ok(events)
            }
        }
    }
}

impl Institution {
    fn is_closed(&self) -> bool {
        self.closed
    }
}
