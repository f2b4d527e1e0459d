//! Brings what is written in a plan back to how it was. This is done with new events; no recorded
//! event is undone.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Assessment, Evaluator, Item, Plan, PlanEvent, TalkDetails};
use crate::ids::{EvaluationId, Position, TalkId};
use crate::text::{ReasonText, Text};

/// What people have written in a plan, as it stood at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenContent {
    /// The status; `None` if there was none.
    pub status: Option<Text>,
    /// The follow-up, with its day; `None` if there was none.
    pub follow_up: Option<(Text, Option<Date>)>,
    /// What each evaluation said, corrections included.
    pub evaluations: BTreeMap<EvaluationId, Assessment>,
    /// What each talk's record said, corrections included.
    pub talks: BTreeMap<TalkId, TalkDetails>,
}

impl WrittenContent {
    /// What is written in a plan now.
    pub fn of(plan: &Plan) -> Self {
        let evaluations = plan.evaluations.iter();
        let talks = plan.talks.iter();
        Self {
            status: plan.status.as_ref().map(|written| written.text.clone()),
            follow_up: (plan.follow_up.as_ref())
                .map(|written| (written.text.clone(), plan.follow_up_on)),
            evaluations: evaluations
                .map(|made| (made.id, made.assessment.clone()))
                .collect(),
            talks: talks
                .map(|(id, talk)| (*id, talk.details.clone()))
                .collect(),
        }
    }
}

/// Asks to bring what is written in a plan back to how it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revert {
    /// The plan is brought back to how it was just after this position.
    pub to: Position,
    /// What was written in the plan then, according to the plan's own stream up to that position.
    pub then: WrittenContent,
    /// The reason, which everybody who asks for a revert must give.
    pub reason: ReasonText,
}

/// What a revert changes in a plan, and what it leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reverting {
    /// What the revert changes: status, follow-up, then evaluations in the order in which they were
    /// made, then talks.
    pub changes: Vec<Reverted>,
    /// What differs from then and still stays. A recorded evaluation or talk is never removed, and
    /// the actor corrects nothing that only others may correct.
    pub stays: Vec<Stay>,
}

/// Something that a revert changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reverted {
    /// The status.
    Status {
        /// The status now.
        was: Option<Text>,
        /// The status after the revert; `None` if there was none then.
        becomes: Option<Text>,
    },
    /// The follow-up and its day.
    FollowUp {
        /// The follow-up now.
        was: Option<(Text, Option<Date>)>,
        /// The follow-up after the revert; `None` if there was none then.
        becomes: Option<(Text, Option<Date>)>,
    },
    /// An evaluation that was corrected after that position.
    Evaluation {
        /// The id of the evaluation.
        id: EvaluationId,
        /// What the evaluation says now.
        was: Assessment,
        /// What the evaluation says after the revert.
        becomes: Assessment,
    },
    /// A talk whose record was corrected after that position.
    Talk {
        /// The id of the talk.
        id: TalkId,
        /// What the record says now.
        was: TalkDetails,
        /// What the record says after the revert.
        becomes: TalkDetails,
    },
}

/// Something that a revert leaves as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stay {
    /// The evaluation or talk that stays.
    pub item: Item,
    /// Why it stays.
    pub why: Stays,
}

/// Why a revert leaves something as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stays {
    /// It was recorded after that position. What was recorded is not removed.
    RecordedSince,
    /// It is an evaluation that was corrected after that position, and only the side that made it
    /// may correct it. The actor is not on that side.
    OfAnotherSide,
    /// It is a talk that was corrected after that position, and the actor is no teacher, pedagogue
    /// or leader.
    HeldByStaff,
}

/// What the actor of a revert may correct.
#[derive(Clone, Copy, Debug)]
pub(super) struct RevertRights {
    /// The side whose evaluations the actor may correct; `None` if the actor may correct no
    /// evaluation.
    pub(super) side: Option<Evaluator>,
    /// Whether the actor may correct talks.
    pub(super) talks: bool,
}

impl Revert {
    /// What the revert changes in a plan, given what its actor may correct.
    pub(super) fn compare(&self, plan: &Plan, rights: RevertRights) -> Reverting {
        let then = &self.then;
        let WrittenContent {
            status,
            follow_up,
            evaluations: _,
            talks: _,
        } = WrittenContent::of(plan);
        let mut found = Reverting::default();
        if status != then.status {
            found.changes.push(Reverted::Status {
                was: status,
                becomes: then.status.clone(),
            });
        }
        if follow_up != then.follow_up {
            found.changes.push(Reverted::FollowUp {
                was: follow_up,
                becomes: then.follow_up.clone(),
            });
        }
        for made in &plan.evaluations {
            let stays = match then.evaluations.get(&made.id) {
                None => Stays::RecordedSince,
                Some(becomes) if *becomes == made.assessment => continue,
                Some(_) if rights.side != Some(made.by) => Stays::OfAnotherSide,
                Some(becomes) => {
                    found.changes.push(Reverted::Evaluation {
                        id: made.id,
                        was: made.assessment.clone(),
                        becomes: becomes.clone(),
                    });
                    continue;
                }
            };
            found.stay(Item::Evaluation(made.id), stays);
        }
        for (id, talk) in &plan.talks {
            let stays = match then.talks.get(id) {
                None => Stays::RecordedSince,
                Some(becomes) if *becomes == talk.details => continue,
                Some(_) if !rights.talks => Stays::HeldByStaff,
                Some(becomes) => {
                    found.changes.push(Reverted::Talk {
                        id: *id,
                        was: talk.details.clone(),
                        becomes: becomes.clone(),
                    });
                    continue;
                }
            };
            found.stay(Item::Talk(*id), stays);
        }
        found
    }

    /// The events of the revert. The first says that the plan was reverted and why; the others make
    /// the changes. There are no events if nothing changes.
    pub(super) fn events(&self, reverting: Reverting) -> Vec<PlanEvent> {
        if reverting.changes.is_empty() {
            return Vec::new();
        }
        let marker = PlanEvent::Reverted {
            to: self.to,
            reason: self.reason.clone(),
        };
        let changes = reverting.changes.into_iter();
        std::iter::once(marker)
            .chain(changes.map(|change| change.event(&self.reason)))
            .collect()
    }
}

impl Reverting {
    fn stay(&mut self, item: Item, why: Stays) {
        self.stays.push(Stay { item, why });
    }
}

impl Reverted {
    fn event(self, reason: &ReasonText) -> PlanEvent {
        let reason = Some(reason.clone());
        match self {
            Self::Status { becomes, .. } => match becomes {
                Some(text) => PlanEvent::StatusWritten { text },
                None => PlanEvent::StatusCleared {},
            },
            Self::FollowUp { becomes, .. } => match becomes {
                Some((text, follow_up_on)) => PlanEvent::FollowUpWritten { text, follow_up_on },
                None => PlanEvent::FollowUpCleared {},
            },
            Self::Evaluation { id, becomes, .. } => PlanEvent::EvaluationCorrected {
                evaluation: id,
                assessment: becomes,
                reason,
            },
            Self::Talk { id, becomes, .. } => PlanEvent::TalkCorrected {
                talk: id,
                details: becomes,
                reason,
            },
        }
    }
}
