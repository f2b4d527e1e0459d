//! What a viewer sees, read from the facts.

use jiff::civil::Date;
use planledger_core::domain::plan::{Audience, Item, PlanCommand, Section, UnitRef};
use planledger_core::domain::team::TeamCommand;
use planledger_core::domain::view::{
    ContainerView, DeletionView, EvaluationView, GoalView, PlanView, TalkView, UnitView, Viewer,
    WrittenView,
};
use planledger_core::domain::{Actor, Deletion};
use planledger_core::ids::{GoalId, PlanId, TeamId};
use planledger_core::text::Text;
use planledger_core::time::Timestamp;

use super::{Evaluation, Fact, Goal, Model};

impl Model {
    /// Who wrote the status last, and what.
    pub(super) fn status(&self, id: PlanId) -> Option<(&Fact, Text)> {
        self.plan_facts(id)
            .rev()
            .find_map(|(fact, command)| match command {
                PlanCommand::WriteStatus { text } => Some((fact, text.clone())),
                _ => None,
            })
    }

    /// Who wrote the follow-up last, what, and for which day.
    pub(super) fn follow_up(&self, id: PlanId) -> Option<(&Fact, Text, Option<Date>)> {
        self.plan_facts(id)
            .rev()
            .find_map(|(fact, command)| match command {
                PlanCommand::WriteFollowUp { text, follow_up_on } => {
                    Some((fact, text.clone(), *follow_up_on))
                }
                _ => None,
            })
    }

    /// The last fact about a plan.
    fn changed_at(&self, id: PlanId) -> Timestamp {
        let last = self.plan_facts(id).next_back();
        last.map(|(fact, _)| fact.at).unwrap()
    }

    pub(super) fn view(&self, id: PlanId, viewer: Viewer) -> Option<PlanView> {
        let (opened_at, student, first, _) = self.opening(id)?;
        if let Viewer::Audience(audience) = viewer {
            let gates = self.is_shared(id) && self.is_visible_to(id, audience);
            if !gates || self.is_withdrawn(id) {
                return None;
            }
        }
        let hangs_on = self.hangs_on(id)?;
        let year_plan = self.year_plan(hangs_on)?;
        let owner = self.owner(id)?;
        let staff = viewer == Viewer::Staff;
        let written = |section, by: Actor, at, text: Text| {
            let shown = self.section_is_shown(id, section);
            (staff || shown).then_some(WrittenView {
                text,
                by,
                at,
                shown,
            })
        };
        let status = self.status(id);
        let status =
            status.and_then(|(fact, text)| written(Section::Status, fact.by, fact.at, text));
        let follow_up = self.follow_up(id);
        let follow_up_on = follow_up.as_ref().and_then(|(.., day)| *day);
        let follow_up = follow_up
            .and_then(|(fact, text, _)| written(Section::FollowUp, fact.by, fact.at, text));
        let sections = [Section::Status, Section::Goals, Section::FollowUp];
        let sections = sections.into_iter();
        let audiences = Audience::ALL.into_iter();
        Some(PlanView {
            id,
            student,
            student_name: self.name(student),
            kind: self.year_plan(first)?.kind,
            year_plan: ContainerView {
                id: hangs_on,
                title: Some(year_plan.title.clone()),
                owner: self.year_plan_owner(hangs_on),
                deleted: told(self.year_plan_deletion(hangs_on), viewer),
            },
            team: Some(self.team_view(year_plan.team, viewer)),
            year_plan_details: Some(year_plan),
            owner,
            owner_name: self.name(owner),
            owner_departed: self.has_left(owner),
            opened_at,
            changed_at: self.changed_at(id),
            status,
            units: self.unit_views(id, viewer),
            follow_up_on: follow_up.as_ref().and(follow_up_on),
            follow_up,
            talks: self.talk_views(id, staff),
            shared: self.is_shared(id),
            visible_to: audiences
                .filter(|whom| self.is_visible_to(id, *whom))
                .collect(),
            sections: sections
                .filter(|which| self.section_is_shown(id, *which))
                .collect(),
            withdrawn: self.is_withdrawn(id),
        })
    }

    fn team_view(&self, id: TeamId, viewer: Viewer) -> ContainerView<TeamId> {
        let (title, owner) = self
            .team_facts(id)
            .find_map(|(_, command)| match command {
                TeamCommand::Put { details, owner, .. } => Some((details.title.clone(), *owner)),
                _ => None,
            })
            .unwrap();
        ContainerView {
            id,
            title: Some(title),
            owner,
            deleted: told(self.team_deletion(id), viewer),
        }
    }

    fn unit_views(&self, id: PlanId, viewer: Viewer) -> Vec<UnitView> {
        let staff = viewer == Viewer::Staff;
        let included = self.included(id);
        let mut units = included.clone();
        for made in self.evaluations(id) {
            if staff && !units.contains(&made.unit) {
                units.push(made.unit);
            }
        }
        let view = |unit: UnitRef| UnitView {
            unit,
            details: self.unit(unit),
            deleted: told(self.unit_deletion(unit), viewer),
            included: included.contains(&unit),
            goals: self.goal_views(id, unit, staff),
        };
        units.into_iter().map(view).collect()
    }

    fn goal_views(&self, id: PlanId, unit: UnitRef, staff: bool) -> Vec<GoalView> {
        let goals = self.goals(unit.year_plan).into_iter();
        let goals = goals.filter(|(_, goal)| goal.unit == unit.unit);
        let section = self.section_is_shown(id, Section::Goals);
        let views = goals.filter_map(|(goal_id, goal)| {
            let shown = self
                .item_is_shown(id, Item::Goal(goal_id))
                .unwrap_or(section);
            (staff || shown).then(|| self.goal_view(id, unit, goal_id, &goal, shown, staff))
        });
        views.collect()
    }

    fn goal_view(
        &self,
        plan: PlanId,
        unit: UnitRef,
        id: GoalId,
        goal: &Goal,
        shown: bool,
        staff: bool,
    ) -> GoalView {
        let (wording, scale) = goal.revisions.last().unwrap().clone();
        let made = self.evaluations(plan).into_iter();
        let made = made.filter(|made| (made.unit, made.goal) == (unit, id));
        let evaluations = made.map(|made| {
            // What is said of an evaluation by itself counts, but not past a hidden goal.
            let own = self.item_is_shown(plan, Item::Evaluation(made.id));
            evaluation_view(made, goal, shown && own != Some(false))
        });
        GoalView {
            id,
            kind: goal.kind,
            area: goal.area,
            wording,
            scale,
            revision: goal.revisions.len() as u32,
            retired: goal.retired,
            shown,
            evaluations: evaluations.filter(|made| staff || made.shown).collect(),
        }
    }

    fn talk_views(&self, id: PlanId, staff: bool) -> Vec<TalkView> {
        let mut talks: Vec<_> = self
            .talks(id)
            .into_iter()
            .map(|talk| TalkView {
                id: talk.id,
                held_by: match (talk.by, talk.details.held_by.is_empty()) {
                    (Actor::Person(person), true) => [person].into(),
                    _ => talk.details.held_by.clone(),
                },
                details: talk.details,
                by: talk.by,
                at: talk.at,
                corrected_at: talk.corrected_at,
                shown: self.item_is_shown(id, Item::Talk(talk.id)) == Some(true),
            })
            .filter(|talk| staff || talk.shown)
            .collect();
        talks.sort_by_key(|talk| (talk.details.held_on, talk.at));
        talks
    }
}

fn evaluation_view(made: Evaluation, goal: &Goal, shown: bool) -> EvaluationView {
    let (_, scale) = &goal.revisions[made.goal_revision - 1];
    let level = made.assessment.level.map(usize::from);
    EvaluationView {
        id: made.id,
        goal_revision: made.goal_revision as u32,
        by: made.by,
        actor: made.actor,
        at: made.at,
        level_title: level.map(|level| scale.levels[level].clone()),
        assessment: made.assessment,
        corrected_at: made.corrected_at,
        shown,
    }
}

/// Staff learn everything of a deletion, everybody else when it was.
fn told(deletion: Option<Deletion>, viewer: Viewer) -> Option<DeletionView> {
    deletion.map(|deletion| DeletionView::of(&deletion, viewer))
}
