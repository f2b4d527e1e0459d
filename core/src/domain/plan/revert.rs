//! Bringing what is written in a plan back to how it stood: as new events, nothing is rewound.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Assessment, Evaluator, Item, Plan, PlanEvent, TalkDetails};
use crate::ids::{EvaluationId, Position, TalkId};
use crate::text::{Reason, Text};

/// What people have written in a plan, as it stood at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenContent {
    /// The status.
    pub status: Option<Text>,
    /// The follow-up, with its day.
    pub follow_up: Option<(Text, Option<Date>)>,
    /// What each evaluation said, corrections included.
    pub evaluations: BTreeMap<EvaluationId, Assessment>,
    /// What each talk's record said, corrections included.
    pub talks: BTreeMap<TalkId, TalkDetails>,
}

impl WrittenContent {
    /// What stands in a plan.
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

/// Asks for what is written to be brought back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revert {
    /// To how it stood just after this position.
    pub to: Position,
    /// How it stood then: what the plan's own stream says of it up to there.
    pub then: WrittenContent,
    /// Why.
    pub reason: Reason,
}

/// What a revert does to a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reverting {
    /// What it changes: status, follow-up, evaluations in the order in which they were made, talks.
    pub changes: Vec<Reverted>,
    /// What stands otherwise now, or did not stand then, and stays all the same: facts are not
    /// unrecorded, and nobody corrects for the other side.
    pub stays: Vec<Stay>,
}

/// Something that a revert changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reverted {
    /// The status.
    Status {
        /// What stands there now.
        was: Option<Text>,
        /// What stands there after it; nothing if there was none then.
        becomes: Option<Text>,
    },
    /// The follow-up and its day.
    FollowUp {
        /// What stands there now.
        was: Option<(Text, Option<Date>)>,
        /// What stands there after it; nothing if there was none then.
        becomes: Option<(Text, Option<Date>)>,
    },
    /// An evaluation that was corrected since.
    Evaluation {
        /// Which.
        id: EvaluationId,
        /// What it says now.
        was: Assessment,
        /// What it says after it.
        becomes: Assessment,
    },
    /// A talk whose record was corrected since.
    Talk {
        /// Which.
        id: TalkId,
        /// What it says now.
        was: TalkDetails,
        /// What it says after it.
        becomes: TalkDetails,
    },
}

/// Something that a revert leaves as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stay {
    /// An evaluation or a talk.
    pub item: Item,
    /// Why.
    pub why: Stays,
}

/// Why a revert leaves something as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stays {
    /// It was recorded since: a fact is not unrecorded.
    RecordedSince,
    /// It was corrected since, by the side that made it, and the actor is not on that side.
    OfAnotherSide,
    /// It is a talk that was corrected since, and the actor is no teacher, pedagogue or leader.
    HeldByStaff,
}

/// What the actor of a revert may correct.
#[derive(Clone, Copy, Debug)]
pub(super) struct RevertRights {
    /// Evaluations of this side.
    pub(super) side: Option<Evaluator>,
    /// Talks.
    pub(super) talks: bool,
}

impl Revert {
    /// What it does to a plan in the hand of its actor.
    pub(super) fn compare(&self, plan: &Plan, hand: RevertRights) -> Reverting {
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
                Some(_) if hand.side != Some(made.by) => Stays::OfAnotherSide,
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
                Some(_) if !hand.talks => Stays::HeldByStaff,
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

    /// The events that do it: first that and why it was done, then what was done. None if there is
    /// nothing to change.
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
    fn event(self, reason: &Reason) -> PlanEvent {
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
