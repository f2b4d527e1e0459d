//! Builds the views.

use super::{
    CollectedView, ContainerView, DeletionView, EvaluationView, GoalView, PlanView, TalkView,
    UnitView, Viewer, WrittenView, YearPlanGoalView, YearPlanUnitView, YearPlanView,
};
use crate::domain::plan::{Audience, Evaluation, Item, Plan, Section, UnitRef, Written};
use crate::domain::team::Team;
use crate::domain::world::World;
use crate::domain::year_plan::{Goal, GoalKind, Unit, YearPlan};
use crate::domain::{Aggregate, Deletion};
use crate::ids::{GoalId, PersonId, PlanId, TeamId, YearPlanId};
use crate::read_error::ReadError;

/// A plan as a viewer sees it; `None` if there is no such plan, or the viewer may see nothing of
/// it.
///
/// # Errors
/// [`ReadError`] when a state cannot be read.
pub fn plan_view<W: World + ?Sized>(
    world: &W,
    id: PlanId,
    viewer: Viewer,
) -> Result<Option<PlanView>, ReadError> {
    let state = world.aggregate(id.into())?;
    let Some(Aggregate::Plan(plan)) = state.as_deref() else {
        return Ok(None);
    };
    match viewer {
        Viewer::Audience(audience) if !plan.is_visible_to(audience) => Ok(None),
        Viewer::Staff | Viewer::Audience(_) => View {
            world,
            plan,
            viewer,
        }
        .plan(id)
        .map(Some),
    }
}

/// Every plan of a student that the viewer sees, in the order given. `None` if there is no such
/// person. Others get the same answer about a student of whom they see no plan: neither a name nor
/// that there is such a person. Guardians and the student know of whom they ask, and get the name.
///
/// # Errors
/// [`ReadError`] when a state cannot be read.
pub fn collected_view<W: World + ?Sized>(
    world: &W,
    student: PersonId,
    plans: &[PlanId],
    viewer: Viewer,
) -> Result<Option<CollectedView>, ReadError> {
    let state = world.aggregate(student.into())?;
    let Some(Aggregate::Person(person)) = state.as_deref() else {
        return Ok(None);
    };
    let mut views = Vec::new();
    for plan in plans {
        views.extend(plan_view(world, *plan, viewer)?);
    }
    match viewer {
        Viewer::Audience(Audience::Others) if views.is_empty() => return Ok(None),
        Viewer::Staff | Viewer::Audience(_) => {}
    }
    Ok(Some(CollectedView {
        student,
        student_name: Some(person.name.clone()),
        plans: views,
    }))
}

/// A year plan as a viewer sees it. Staff see everything. Students and all others see only
/// reflection goals in the units, and no deleted units. `None` if there is no such year plan.
///
/// # Errors
/// [`ReadError`] when a state cannot be read.
pub fn year_plan_view<W: World + ?Sized>(
    world: &W,
    id: YearPlanId,
    viewer: Viewer,
) -> Result<Option<YearPlanView>, ReadError> {
    let state = world.aggregate(id.into())?;
    let Some(Aggregate::YearPlan(plan)) = state.as_deref() else {
        return Ok(None);
    };
    let units = plan.units.iter().filter(|unit| match viewer {
        Viewer::Staff => true,
        Viewer::Audience(_) => unit.deleted.is_none(),
    });
    Ok(Some(YearPlanView {
        id,
        details: plan.details.clone(),
        owner: plan.owner,
        units: units.map(|unit| plan.unit_view(unit, viewer)).collect(),
        deleted: told(plan.deleted.as_ref(), viewer),
        team: team_container(world, plan.details.team, viewer)?,
    }))
}

fn team_container<W: World + ?Sized>(
    world: &W,
    id: TeamId,
    viewer: Viewer,
) -> Result<Option<ContainerView<TeamId>>, ReadError> {
    let state = world.aggregate(id.into())?;
    Ok(match state.as_deref() {
        Some(Aggregate::Team(Team {
            details,
            owner,
            deleted,
            ..
        })) => Some(ContainerView {
            id,
            title: Some(details.title.clone()),
            owner: *owner,
            deleted: told(deleted.as_ref(), viewer),
        }),
        _ => None,
    })
}

/// What the viewer learns of a deletion, if there is one.
fn told(deletion: Option<&Deletion>, viewer: Viewer) -> Option<DeletionView> {
    deletion.map(|deletion| DeletionView::of(deletion, viewer))
}

impl YearPlan {
    /// A unit as a viewer sees it in the year plan. A goal that the year plan does not have is left
    /// out.
    fn unit_view(&self, unit: &Unit, viewer: Viewer) -> YearPlanUnitView {
        let goals = unit.goals.iter();
        let goals = goals.filter_map(|id| Some((*id, self.goals.get(id)?)));
        let goals = goals.filter(|(_, goal)| match viewer {
            Viewer::Staff => true,
            Viewer::Audience(_) => goal.is_shown_in_unit(),
        });
        YearPlanUnitView {
            id: unit.id,
            details: unit.details.clone(),
            goals: goals.map(|(id, goal)| goal.view(id, viewer)).collect(),
            deleted: told(unit.deleted.as_ref(), viewer),
        }
    }
}

impl Goal {
    /// The goal as a viewer sees it in the year plan. Earlier words were taken back, or said before
    /// the unit was meant to be read, so they are for staff only.
    fn view(&self, id: GoalId, viewer: Viewer) -> YearPlanGoalView {
        let earlier = match viewer {
            Viewer::Staff => 0,
            Viewer::Audience(_) => self.revisions.len().saturating_sub(1),
        };
        YearPlanGoalView {
            id,
            kind: self.kind,
            area: self.area,
            first_revision: u32::try_from(earlier).unwrap_or(u32::MAX).saturating_add(1),
            revisions: self.revisions.iter().skip(earlier).cloned().collect(),
            retired: self.retired,
        }
    }

    /// Subject goals are never shown in the unit.
    fn is_shown_in_unit(&self) -> bool {
        match self.kind {
            GoalKind::Reflection => !self.retired,
            GoalKind::Subject => false,
        }
    }
}

struct View<'a, W: ?Sized> {
    world: &'a W,
    plan: &'a Plan,
    viewer: Viewer,
}

impl<W: World + ?Sized> View<'_, W> {
    fn plan(&self, id: PlanId) -> Result<PlanView, ReadError> {
        let plan = self.plan;
        let (student_name, _) = self.person(plan.student)?;
        let (owner_name, owner_departed) = self.person(plan.owner)?;
        let state = self.world.aggregate(plan.year_plan.into())?;
        let year_plan = match state.as_deref() {
            Some(Aggregate::YearPlan(found)) => Some(found),
            _ => None,
        };
        let team = match year_plan {
            Some(found) => team_container(self.world, found.details.team, self.viewer)?,
            None => None,
        };
        let status = self.written(Section::Status, plan.status.as_ref());
        let follow_up = self.written(Section::FollowUp, plan.follow_up.as_ref());
        Ok(PlanView {
            id,
            student: plan.student,
            student_name,
            kind: plan.kind,
            year_plan: ContainerView {
                id: plan.year_plan,
                title: year_plan.map(|found| found.details.title.clone()),
                owner: year_plan.map(|found| found.owner),
                deleted: year_plan.and_then(|found| told(found.deleted.as_ref(), self.viewer)),
            },
            team,
            year_plan_details: year_plan.map(|found| found.details.clone()),
            owner: plan.owner,
            owner_name,
            owner_departed,
            opened_at: plan.opened_at,
            changed_at: plan.changed_at,
            status,
            units: self.units()?,
            follow_up_on: follow_up.as_ref().and(plan.follow_up_on),
            follow_up,
            talks: self.talks(),
            shared: plan.shared,
            visible_to: plan.visible_to.clone(),
            sections: plan.sections.clone(),
            withdrawn: plan.withdrawn,
        })
    }

    fn person(&self, id: PersonId) -> Result<(Option<crate::text::Name>, bool), ReadError> {
        let state = self.world.aggregate(id.into())?;
        Ok(match state.as_deref() {
            Some(Aggregate::Person(person)) => {
                let left = person.has_left_on(self.world.day());
                (Some(person.name.clone()), left)
            }
            _ => (None, false),
        })
    }

    /// Whether the viewer sees something. Staff see everything; others see what is shown.
    fn sees(&self, shown: bool) -> bool {
        match self.viewer {
            Viewer::Staff => true,
            Viewer::Audience(_) => shown,
        }
    }

    fn written(&self, section: Section, written: Option<&Written>) -> Option<WrittenView> {
        let shown = self.plan.sections.contains(&section);
        let Written { text, by, at } = written.filter(|_| self.sees(shown))?;
        Some(WrittenView {
            text: text.clone(),
            by: *by,
            at: *at,
            shown,
        })
    }

    /// The included units. Staff also see excluded units that were evaluated, after the others.
    fn units(&self) -> Result<Vec<UnitView>, ReadError> {
        let mut units: Vec<UnitRef> = self.plan.units.clone();
        let taken_in = units.len();
        if self.sees(false) {
            for evaluation in &self.plan.evaluations {
                if !units.contains(&evaluation.unit) {
                    units.push(evaluation.unit);
                }
            }
        }
        let views = units.into_iter().enumerate();
        views
            .map(|(index, unit)| self.unit(unit, index < taken_in))
            .collect()
    }

    fn unit(&self, unit: UnitRef, included: bool) -> Result<UnitView, ReadError> {
        let state = self.world.aggregate(unit.year_plan.into())?;
        let found = match state.as_deref() {
            Some(Aggregate::YearPlan(year_plan)) => {
                year_plan.unit(unit.unit).map(|found| (year_plan, found))
            }
            _ => None,
        };
        let goals = match found {
            Some((year_plan, found)) => self.goals(unit, year_plan, found),
            None => Vec::new(),
        };
        Ok(UnitView {
            unit,
            details: found.map(|(_, found)| found.details.clone()),
            deleted: found.and_then(|(_, found)| told(found.deleted.as_ref(), self.viewer)),
            included,
            goals,
        })
    }

    fn goals(&self, unit: UnitRef, year_plan: &YearPlan, found: &Unit) -> Vec<GoalView> {
        let goals = found
            .goals
            .iter()
            .filter_map(|id| Some((*id, year_plan.goals.get(id)?)));
        goals
            .filter_map(|(id, goal)| self.goal(unit, id, goal))
            .collect()
    }

    fn goal(&self, unit: UnitRef, id: GoalId, goal: &Goal) -> Option<GoalView> {
        let section = self.plan.sections.contains(&Section::Goals);
        let shown = self.plan.item_shown(Item::Goal(id)).unwrap_or(section);
        let present = goal.present().filter(|_| self.sees(shown))?;
        let made = self.plan.evaluations.iter();
        let made = made.filter(|made| (made.unit, made.goal) == (unit, id));
        Some(GoalView {
            id,
            kind: goal.kind,
            area: goal.area,
            wording: present.wording.clone(),
            scale: present.scale.clone(),
            revision: goal.revision(),
            retired: goal.retired,
            shown,
            evaluations: made
                .filter_map(|made| self.evaluation(goal, made, shown))
                .collect(),
        })
    }

    fn evaluation(
        &self,
        goal: &Goal,
        made: &Evaluation,
        goal_shown: bool,
    ) -> Option<EvaluationView> {
        let own = self.plan.item_shown(Item::Evaluation(made.id));
        let section = self.plan.sections.contains(&Section::Goals);
        // To show a goal by itself also shows its evaluations, and to hide it hides them.
        let goal_by_itself = self.plan.item_shown(Item::Goal(made.goal));
        let shown = goal_shown && own.unwrap_or(goal_by_itself.unwrap_or(section));
        if !self.sees(shown) {
            return None;
        }
        let levels = goal.at(made.goal_revision).map(|at| &at.scale.levels);
        let level = made.assessment.level.map(usize::from);
        Some(EvaluationView {
            id: made.id,
            goal_revision: made.goal_revision,
            by: made.by,
            actor: made.actor,
            at: made.at,
            assessment: made.assessment.clone(),
            level_title: level.and_then(|level| levels?.get(level).cloned()),
            corrected_at: made.corrected_at,
            shown,
        })
    }

    fn talks(&self) -> Vec<TalkView> {
        let mut talks: Vec<_> = self
            .plan
            .talks
            .iter()
            .map(|(id, talk)| TalkView {
                id: *id,
                details: talk.details.clone(),
                held_by: talk.details.holders(talk.by),
                by: talk.by,
                at: talk.at,
                corrected_at: talk.corrected_at,
                shown: self.plan.item_shown(Item::Talk(*id)).unwrap_or(false),
            })
            .filter(|talk| self.sees(talk.shown))
            .collect();
        talks.sort_by_key(|talk| (talk.details.held_on, talk.at));
        talks
    }
}
