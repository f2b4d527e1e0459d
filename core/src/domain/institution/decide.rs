use std::collections::BTreeSet;

use super::survey::SurveyRules;
use super::{
    Institution, InstitutionCommand, InstitutionDetails, InstitutionEvent, InstitutionFact,
};
use crate::domain::refusing::{exists, not_found, refuse};
use crate::domain::roster::{Decided, Import};
use crate::domain::rule_context::RuleContext;
use crate::domain::{Aggregate, Field, Reason, Refusal, Stop};
use crate::ids::InstitutionId;

const ID: &str = "institution_id";

impl InstitutionCommand {
    pub(in crate::domain) fn decide(
        &self,
        ask: &RuleContext<'_>,
        id: InstitutionId,
    ) -> Result<Decided<InstitutionEvent, InstitutionFact>, Stop> {
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
        let survey = |now| SurveyRules { ask, id, now };
        let events = match self {
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
            Self::RecordSurveyDiscussion {
                discussion,
                details,
            } => survey(there()?).record(*discussion, details),
            Self::CorrectSurveyDiscussion {
                discussion,
                details,
                reason,
            } => survey(there()?).correct(*discussion, details, reason.as_ref()),
            Self::WithdrawSurveyDiscussion { discussion, reason } => {
                survey(there()?).withdraw(*discussion, reason.as_ref())
            }
            Self::Put { details, closed } => return Ok(put(ask, now, details, *closed)),
        };
        Ok(events?.into())
    }
}

fn put(
    ask: &RuleContext<'_>,
    now: Option<&Institution>,
    details: &InstitutionDetails,
    closed: bool,
) -> Decided<InstitutionEvent, InstitutionFact> {
    let mut import = Import::new(ask);
    match now {
        None => import.record(InstitutionEvent::Registered(details.clone())),
        Some(now) => {
            let said = now.roster_details.as_deref();
            let next = import.values(
                &now.details,
                said,
                details,
                |_| true,
                InstitutionFact::Detail,
            );
            if let Some(next) = next {
                import.record(InstitutionEvent::Revised(next));
            }
        }
    }
    let nothing = BTreeSet::new();
    let by_hand = now.map_or(&nothing, |now| &now.by_hand);
    let fact = InstitutionFact::Closed;
    match (now.is_some_and(|now| now.closed), closed) {
        (false, true) => {
            import.differs(fact, by_hand, InstitutionEvent::Closed { reason: None });
        }
        (true, false) => import.differs(fact, by_hand, InstitutionEvent::Reopened {}),
        (true, true) | (false, false) => import.agrees(fact, by_hand),
    }
    import.finish(|facts| InstitutionEvent::LeftToRoster { facts })
}
