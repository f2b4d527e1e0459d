//! Decides commands for a plan. The match over every command and the rules that it asks stand in one
//! file, because the order of the checks decides which refusal a sender gets, and it is read from top
//! to bottom.

use super::revert::RevertRights;
use super::{Item, Plan, PlanCommand, PlanEvent, Revert, Reverting, UnitRef};
use crate::domain::refusing::{exists, not_found, refuse};
use crate::domain::rule_context::{RuleContext, asking};
use crate::domain::world::{Context, World};
use crate::domain::year_plan::Place;
use crate::domain::year_plan::{YearPlan, YearPlanKind};
use crate::domain::{Aggregate, Field, Reason, Refusal, Stop};
use crate::ids::{PersonId, PlanId, YearPlanId};

const ID: &str = "plan_id";

type Decided = (PlanId, Vec<PlanEvent>);

impl PlanCommand {
    pub(in crate::domain) fn decide(
        &self,
        ask: &RuleContext<'_>,
        id: PlanId,
    ) -> Result<Decided, Stop> {
        let state = ask.load(id)?;
        let now = present(state.as_deref());
        match self {
            Self::Open {
                student,
                year_plan,
                owner,
            } => open(ask, id, now, *student, *year_plan, *owner),
            Self::IncludeUnit(_)
            | Self::ExcludeUnit(_)
            | Self::ShowSection { .. }
            | Self::HideSection { .. }
            | Self::ShowItem { .. }
            | Self::HideItem { .. }
            | Self::WriteStatus { .. }
            | Self::WriteFollowUp { .. }
            | Self::ClearStatus
            | Self::ClearFollowUp
            | Self::RecordEvaluation { .. }
            | Self::CorrectEvaluation { .. }
            | Self::RecordTalk { .. }
            | Self::CorrectTalk { .. }
            | Self::Share
            | Self::Unshare
            | Self::SetVisibility { .. }
            | Self::Withdraw { .. }
            | Self::Restore
            | Self::TransferOwnership { .. }
            | Self::HandOver { .. }
            | Self::HandBack { .. }
            | Self::MoveToYearPlan { .. }
            | Self::Move { .. }
            | Self::Revert(_) => {
                let plan = there(now, id)?;
                Ok((id, ExistingPlan { ask, id, plan }.decide(self)?))
            }
        }
    }
}

impl Revert {
    /// What the revert would change in a plan if this actor asked for it. Nothing is done. The
    /// decision uses the same comparison.
    ///
    /// # Errors
    /// As for [`crate::domain::decide()`].
    pub fn weigh<W: World + ?Sized>(
        &self,
        world: &W,
        context: &Context,
        id: PlanId,
    ) -> Result<Reverting, Stop> {
        asking(world, context, |ask| {
            let state = ask.load(id)?;
            let plan = there(present(state.as_deref()), id)?;
            ExistingPlan { ask, id, plan }.reverting(self)
        })
    }
}

fn present(state: Option<&Aggregate>) -> Option<&Plan> {
    match state {
        Some(Aggregate::Plan(now)) => Some(now),
        _ => None,
    }
}

fn there(now: Option<&Plan>, id: PlanId) -> Result<&Plan, Stop> {
    now.ok_or_else(|| not_found(Reason::PlanNotFound, "plan", ID, id, Field::Target))
}

fn open(
    ask: &RuleContext<'_>,
    id: PlanId,
    now: Option<&Plan>,
    student: PersonId,
    year_plan: YearPlanId,
    owner: Option<PersonId>,
) -> Result<Decided, Stop> {
    // This comes first, so that whoever asks again finds the plan, whatever has happened to the
    // student and the year plan (P1).
    if let Some(existing) = ask.plan_of(student, year_plan)? {
        let withdrawn = match ask.load(existing)?.as_deref() {
            Some(Aggregate::Plan(plan)) => plan.withdrawn,
            _ => false,
        };
        return match withdrawn {
            false => Ok((existing, Vec::new())),
            true => refuse(
                Refusal::new(
                    Reason::PlanWithdrawn,
                    format!(
                        "the student already has plan {existing} for this year plan, but it is \
                        withdrawn; restore that plan"
                    ),
                )
                .with(ID, existing),
            ),
        };
    }
    ask.student(student, Field::Student)?;
    let (kind, default_owner) = with_year_plan(ask, year_plan, Field::YearPlan, |found| {
        Ok((found.details.kind, found.owner, found.deleted.is_some()))
    })
    .and_then(|(kind, owner, deleted)| match deleted {
        false => Ok((kind, owner)),
        true => refuse(deleted_year_plan(year_plan, Field::YearPlan)),
    })?;
    if now.is_some() {
        return exists("plan", ID, id, Field::Target);
    }
    let owner = match owner {
        Some(owner) => {
            ask.new_owner(owner, Field::Owner)?;
            owner
        }
        None => default_owner,
    };
    Ok((
        id,
        vec![PlanEvent::Opened {
            student,
            kind,
            year_plan,
            owner,
        }],
    ))
}

fn deleted_year_plan(id: YearPlanId, field: Field) -> Refusal {
    let message = format!("year plan {id} is deleted; undelete it first");
    Refusal::new(Reason::YearPlanDeleted, message)
        .field(field)
        .with("year_plan_id", id)
}

pub(super) fn with_year_plan<T>(
    ask: &RuleContext<'_>,
    id: YearPlanId,
    field: Field,
    look: impl FnOnce(&YearPlan) -> Result<T, Stop>,
) -> Result<T, Stop> {
    match ask.load(id)?.as_deref() {
        Some(Aggregate::YearPlan(found)) => look(found),
        _ => Err(not_found(
            Reason::YearPlanNotFound,
            "year plan",
            "year_plan_id",
            id,
            field,
        )),
    }
}

/// A plan that exists. The rules below do not ask whether its team, year plan or units are deleted,
/// except where a new year plan or unit is chosen (P1).
pub(super) struct ExistingPlan<'a> {
    pub(super) ask: &'a RuleContext<'a>,
    id: PlanId,
    pub(super) plan: &'a Plan,
}

impl ExistingPlan<'_> {
    // This function is longer than a screen because it has one arm for each command. Which refusal a
    // sender gets depends on the order of the checks in an arm, so each arm is read as a whole.
    fn decide(&self, command: &PlanCommand) -> Result<Vec<PlanEvent>, Stop> {
        let plan = self.plan;
        if !matches!(
            command,
            PlanCommand::Restore
                | PlanCommand::TransferOwnership { .. }
                | PlanCommand::HandOver { .. }
                | PlanCommand::HandBack { .. }
        ) {
            self.check_not_withdrawn()?;
        }
        let unless = |already: bool, event: PlanEvent| match already {
            true => Ok(Vec::new()),
            false => Ok(vec![event]),
        };
        match command {
            PlanCommand::Open { .. } => exists("plan", ID, self.id, Field::Target),
            PlanCommand::IncludeUnit(unit) if plan.units.contains(unit) => Ok(Vec::new()),
            PlanCommand::IncludeUnit(unit) => self.include(*unit),
            PlanCommand::ExcludeUnit(unit) => {
                self.check_included(*unit, Field::UnitRef)?;
                Ok(vec![PlanEvent::UnitExcluded(*unit)])
            }
            PlanCommand::ShowSection { section } => unless(
                plan.sections.contains(section),
                PlanEvent::SectionShown { section: *section },
            ),
            PlanCommand::HideSection { section } => unless(
                !plan.sections.contains(section),
                PlanEvent::SectionHidden { section: *section },
            ),
            PlanCommand::ShowItem { item } => {
                self.check_item(*item, Field::Item)?;
                unless(
                    plan.item_shown(*item) == Some(true),
                    PlanEvent::ItemShown { item: *item },
                )
            }
            PlanCommand::HideItem { item } => {
                self.check_item(*item, Field::Item)?;
                unless(
                    plan.item_shown(*item) == Some(false),
                    PlanEvent::ItemHidden { item: *item },
                )
            }
            PlanCommand::WriteStatus { text } => unless(
                plan.status
                    .as_ref()
                    .is_some_and(|status| status.text == *text),
                PlanEvent::StatusWritten { text: text.clone() },
            ),
            PlanCommand::WriteFollowUp { text, follow_up_on } => unless(
                plan.follow_up
                    .as_ref()
                    .is_some_and(|written| written.text == *text)
                    && plan.follow_up_on == *follow_up_on,
                PlanEvent::FollowUpWritten {
                    text: text.clone(),
                    follow_up_on: *follow_up_on,
                },
            ),
            PlanCommand::ClearStatus => unless(plan.status.is_none(), PlanEvent::StatusCleared {}),
            PlanCommand::ClearFollowUp => {
                unless(plan.follow_up.is_none(), PlanEvent::FollowUpCleared {})
            }
            PlanCommand::RecordEvaluation {
                evaluation,
                unit,
                goal,
                assessment,
            } => self.record_evaluation(*evaluation, *unit, *goal, assessment),
            PlanCommand::CorrectEvaluation {
                evaluation,
                assessment,
                reason,
            } => {
                if !self.correct_evaluation(*evaluation, assessment)? {
                    return Ok(Vec::new());
                }
                Ok(vec![PlanEvent::EvaluationCorrected {
                    evaluation: *evaluation,
                    assessment: assessment.clone(),
                    reason: reason.clone(),
                }])
            }
            PlanCommand::RecordTalk { talk, details } => {
                self.check_holds_talks()?;
                if plan.talks.contains_key(talk) {
                    return exists("talk", "talk_id", talk, Field::Talk);
                }
                self.check_holders(&details.held_by)?;
                Ok(vec![PlanEvent::TalkRecorded {
                    talk: *talk,
                    details: details.clone(),
                }])
            }
            PlanCommand::CorrectTalk {
                talk,
                details,
                reason,
            } => {
                self.check_holds_talks()?;
                let field = Field::Talk;
                let found = plan.talks.get(talk).ok_or_else(|| {
                    not_found(
                        Reason::TalkNotFound,
                        "talk in this plan with id",
                        "talk_id",
                        talk,
                        field,
                    )
                })?;
                if found.details.held_by != details.held_by {
                    self.check_holders(&details.held_by)?;
                }
                let (talk, details, reason) = (*talk, details.clone(), reason.clone());
                unless(
                    found.details == details,
                    PlanEvent::TalkCorrected {
                        talk,
                        details,
                        reason,
                    },
                )
            }
            PlanCommand::Share => unless(plan.shared, PlanEvent::Shared {}),
            PlanCommand::Unshare => unless(!plan.shared, PlanEvent::Unshared {}),
            PlanCommand::SetVisibility { audience, visible } => unless(
                plan.visible_to.contains(audience) == *visible,
                PlanEvent::VisibilitySet {
                    audience: *audience,
                    visible: *visible,
                },
            ),
            PlanCommand::Withdraw { reason } => Ok(vec![PlanEvent::Withdrawn {
                reason: reason.clone(),
            }]),
            PlanCommand::Restore if plan.withdrawn => Ok(vec![PlanEvent::Restored {}]),
            PlanCommand::Restore => {
                let message = format!("plan {} is not withdrawn", self.id);
                refuse(Refusal::new(Reason::NotWithdrawn, message).with(ID, self.id))
            }
            PlanCommand::TransferOwnership { to, reason } => {
                let from = plan.owner;
                let place = self.place()?;
                self.ask
                    .next_owner(Some(from), *to, place, Field::NewOwner)?;
                let (to, reason) = (*to, reason.clone());
                Ok(vec![PlanEvent::OwnershipTransferred { from, to, reason }])
            }
            PlanCommand::HandOver { from, to, reason } => {
                let already = !self.needs_transfer(*from, *to)?;
                if !already {
                    let place = self.place()?;
                    self.ask.successor(*to, place, Field::NewOwner)?;
                }
                let (from, to, reason) = (*from, *to, reason.clone());
                unless(
                    already,
                    PlanEvent::OwnershipTransferred { from, to, reason },
                )
            }
            PlanCommand::HandBack { from, to, reason } => {
                let already = !self.needs_transfer(*from, *to)?;
                let (from, to, reason) = (*from, *to, reason.clone());
                unless(
                    already,
                    PlanEvent::OwnershipTransferred { from, to, reason },
                )
            }
            PlanCommand::MoveToYearPlan { to, reason } => {
                self.check_move(*to)?;
                let (from, to, reason) = (plan.year_plan, *to, reason.clone());
                Ok(vec![PlanEvent::MovedToYearPlan { from, to, reason }])
            }
            PlanCommand::Move { to, .. } if plan.year_plan == *to => Ok(Vec::new()),
            PlanCommand::Move { from, to, reason } => {
                if plan.year_plan != *from {
                    let message = format!(
                        "the plan was moved to year plan {} in the meantime",
                        plan.year_plan
                    );
                    let refusal = Refusal::new(Reason::MovedMeanwhile, message);
                    return refuse(refusal.with("year_plan_id", plan.year_plan));
                }
                self.check_move(*to)?;
                let (from, to, reason) = (*from, *to, reason.clone());
                Ok(vec![PlanEvent::MovedToYearPlan { from, to, reason }])
            }
            PlanCommand::Revert(revert) => Ok(revert.events(self.reverting(revert)?)),
        }
    }

    /// The institution and team of the plan, which are those of its year plan.
    fn place(&self) -> Result<Place, Stop> {
        with_year_plan(self.ask, self.plan.year_plan, Field::Target, |year_plan| {
            Ok(year_plan.details.place())
        })
    }

    fn needs_transfer(&self, from: PersonId, to: PersonId) -> Result<bool, Stop> {
        self.ask
            .needs_transfer(Some(self.plan.owner), Some(from), Some(to))
    }

    fn check_not_withdrawn(&self) -> Result<(), Stop> {
        if !self.plan.withdrawn {
            return Ok(());
        }
        let message = format!("plan {} is withdrawn; restore it first", self.id);
        refuse(Refusal::new(Reason::PlanWithdrawn, message).with(ID, self.id))
    }

    fn reverting(&self, revert: &Revert) -> Result<Reverting, Stop> {
        self.check_not_withdrawn()?;
        let rights = RevertRights {
            side: self.side()?,
            talks: self.holds_talks()?,
        };
        Ok(revert.compare(self.plan, rights))
    }

    fn include(&self, unit: UnitRef) -> Result<Vec<PlanEvent>, Stop> {
        const FIELD: Field = Field::UnitRefUnit;
        if unit.year_plan != self.plan.year_plan {
            let message = format!(
                "the plan belongs to year plan {}; choose a unit of that year plan",
                self.plan.year_plan
            );
            return refuse(
                Refusal::new(Reason::UnitOfAnotherYearPlan, message)
                    .field(Field::UnitRefYearPlan)
                    .with("year_plan_id", self.plan.year_plan),
            );
        }
        with_year_plan(
            self.ask,
            unit.year_plan,
            Field::UnitRefYearPlan,
            |year_plan| {
                let missing =
                    || not_found(Reason::UnitNotFound, "unit", "unit_id", unit.unit, FIELD);
                match year_plan.unit(unit.unit).ok_or_else(missing)?.deleted {
                    None => Ok(vec![PlanEvent::UnitIncluded(unit)]),
                    Some(_) => {
                        let message = format!("unit {} is deleted; undelete it first", unit.unit);
                        let refusal = Refusal::new(Reason::UnitDeleted, message).field(FIELD);
                        refuse(refusal.with("unit_id", unit.unit))
                    }
                }
            },
        )
    }

    pub(super) fn check_included(&self, unit: UnitRef, field: Field) -> Result<(), Stop> {
        if self.plan.units.contains(&unit) {
            return Ok(());
        }
        let message = format!(
            "the plan does not include unit {}; include the unit first",
            unit.unit
        );
        let refusal = Refusal::new(Reason::UnitNotIncluded, message).field(field);
        refuse(refusal.with("unit_id", unit.unit))
    }

    fn check_item(&self, item: Item, field: Field) -> Result<(), Stop> {
        match item {
            Item::Goal(goal) => {
                for unit in &self.plan.units {
                    let found = with_year_plan(self.ask, unit.year_plan, field, |year_plan| {
                        Ok(year_plan
                            .goals
                            .get(&goal)
                            .is_some_and(|goal| goal.unit == unit.unit))
                    })?;
                    if found {
                        return Ok(());
                    }
                }
                let what = "goal in the units of this plan with id";
                Err(not_found(
                    Reason::GoalNotFound,
                    what,
                    "goal_id",
                    goal,
                    field,
                ))
            }
            Item::Evaluation(id) => self.evaluation(id, field).map(drop),
            Item::Talk(talk) => match self.plan.talks.contains_key(&talk) {
                true => Ok(()),
                false => {
                    let what = "talk in this plan with id";
                    Err(not_found(
                        Reason::TalkNotFound,
                        what,
                        "talk_id",
                        talk,
                        field,
                    ))
                }
            },
        }
    }

    fn check_move(&self, to: YearPlanId) -> Result<(), Stop> {
        const FIELD: Field = Field::YearPlan;
        if to == self.plan.year_plan {
            let message = format!("the plan already belongs to year plan {to}");
            let refusal = Refusal::new(Reason::AlreadyThere, message).field(FIELD);
            return refuse(refusal.with("year_plan_id", to));
        }
        with_year_plan(self.ask, to, FIELD, |year_plan| {
            if year_plan.deleted.is_some() {
                return refuse(deleted_year_plan(to, FIELD));
            }
            if year_plan.details.kind != self.plan.kind {
                let message = match self.plan.kind {
                    YearPlanKind::Subject => "a subject plan can only move to a subject year plan",
                    YearPlanKind::Combined => {
                        "a combined plan can only move to a combined year plan"
                    }
                };
                return refuse(Refusal::new(Reason::PlanKindMismatch, message).field(FIELD));
            }
            Ok(())
        })?;
        match self.ask.plan_of(self.plan.student, to)? {
            None => Ok(()),
            Some(other) => {
                let message = format!("the student already has plan {other} for that year plan");
                let refusal = Refusal::new(Reason::PlanExistsForYearPlan, message).field(FIELD);
                refuse(refusal.with(ID, other))
            }
        }
    }
}
