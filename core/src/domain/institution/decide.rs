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
            Self::Succeed { from, to } => succeed(ask, id, there()?, *from, *to),
            Self::SucceedBack { from, to } => succeed_back(ask, there()?, *from, *to),
            Self::Put { details, closed } => return Ok(put(ask, now, details, *closed)),
        };
        Ok(events?.into())
    }
}

fn succeed(
    ask: &RuleContext<'_>,
    id: InstitutionId,
    now: &Institution,
    from: Option<InstitutionId>,
    to: InstitutionId,
) -> Result<Vec<InstitutionEvent>, Stop> {
    if !needs_successor(now, from, Some(to))? {
        return Ok(Vec::new());
    }
    if !now.closed {
        let message =
            format!("institution {id} is in use; close it before another one succeeds it");
        return refuse(Refusal::new(Reason::NotClosed, message).with(ID, id));
    }
    ask.open_institution(to, Field::NewInstitution)?;
    Ok(vec![InstitutionEvent::Succeeded { by: Some(to) }])
}

fn succeed_back(
    ask: &RuleContext<'_>,
    now: &Institution,
    from: InstitutionId,
    to: Option<InstitutionId>,
) -> Result<Vec<InstitutionEvent>, Stop> {
    if !needs_successor(now, Some(from), to)? {
        return Ok(Vec::new());
    }
    if let Some(earlier) = to {
        ask.institution(earlier, Field::NewInstitution)?;
    }
    Ok(vec![InstitutionEvent::Succeeded { by: to }])
}

/// Whether the institution has to get another successor. Refused if it has another one than expected.
fn needs_successor(
    now: &Institution,
    from: Option<InstitutionId>,
    to: Option<InstitutionId>,
) -> Result<bool, Stop> {
    if now.succeeded_by == to {
        return Ok(false);
    }
    if now.succeeded_by == from {
        return Ok(true);
    }
    let message =
        "another institution has succeeded this one in the meantime, or it is in use again";
    let refusal = Refusal::new(Reason::MovedMeanwhile, message);
    refuse(match now.succeeded_by {
        Some(successor) => refusal.with(ID, successor),
        None => refusal,
    })
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
