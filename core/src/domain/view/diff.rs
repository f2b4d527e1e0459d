//! The differences between two views of a plan, item by item.
//!
//! A view is taken apart into facts. Two views are the same exactly when their facts are the same.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use serde::Serialize;

use super::{ContainerView, EvaluationView, GoalView, PlanView, TalkView, UnitView, WrittenView};
use crate::domain::plan::{Audience, Section, UnitRef};
use crate::domain::year_plan::{YearPlanDetails, YearPlanKind};
use crate::ids::{EvaluationId, GoalId, PersonId, PlanId, TalkId, TeamId, YearPlanId};
use crate::text::Name;
use crate::time::Timestamp;

/// One fact of a view. A gate or mark is a fact only while it is open or set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Fact {
    /// There is a plan that the viewer may see.
    Plan {
        /// The id of the plan.
        id: PlanId,
        /// The student whose plan it is.
        student: PersonId,
        /// The student's name.
        student_name: Option<Name>,
        /// Whether it is a subject plan or a combined plan.
        kind: YearPlanKind,
        /// When it was opened.
        opened_at: Timestamp,
    },
    /// The owner of the plan.
    Owner {
        /// The id of the owner.
        id: PersonId,
        /// The name of the owner.
        name: Option<Name>,
        /// Whether the owner has left.
        departed: bool,
    },
    /// The year plan that the plan belongs to, and whether it is deleted.
    YearPlan {
        /// The id, title, owner and deletion of the year plan.
        container: ContainerView<YearPlanId>,
        /// The details of the year plan; `None` if they are not known.
        details: Option<YearPlanDetails>,
    },
    /// The team of that year plan, and whether it is deleted.
    Team(ContainerView<TeamId>),
    /// The first gate is open: the plan is shared.
    Shared,
    /// The last gate is open: the plan is visible to this audience.
    VisibleTo(Audience),
    /// The plan is withdrawn.
    Withdrawn,
    /// The third gate is open: this section is shown.
    SectionShown(Section),
    /// The status.
    Status(WrittenView),
    /// A unit, without its goals.
    Unit(UnitView),
    /// A goal, without its evaluations.
    Goal {
        /// The unit that the goal belongs to.
        unit: UnitRef,
        /// The goal itself, without its evaluations.
        goal: GoalView,
    },
    /// An evaluation.
    Evaluation {
        /// The unit that the goal belongs to.
        unit: UnitRef,
        /// The goal that was evaluated.
        goal: GoalId,
        /// The evaluation itself.
        evaluation: EvaluationView,
    },
    /// The follow-up.
    FollowUp(WrittenView),
    /// The day on which to follow up.
    FollowUpOn(Date),
    /// A talk.
    Talk(TalkView),
    /// The order of the units. It is a change only when units that are in both views have changed
    /// places.
    UnitOrder(Vec<UnitRef>),
}

/// What a fact is about. A view has at most one fact about each of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum About {
    /// The plan itself.
    Plan,
    /// Its owner.
    Owner,
    /// Its year plan.
    YearPlan,
    /// The team of its year plan.
    Team,
    /// The first gate.
    Shared,
    /// The last gate, for one audience.
    VisibleTo(Audience),
    /// Whether the plan is withdrawn.
    Withdrawn,
    /// The third gate, for one section.
    SectionShown(Section),
    /// The status.
    Status,
    /// A unit.
    Unit(UnitRef),
    /// A goal in a unit.
    Goal(UnitRef, GoalId),
    /// An evaluation.
    Evaluation(EvaluationId),
    /// The follow-up.
    FollowUp,
    /// The day of the follow-up.
    FollowUpOn,
    /// A talk.
    Talk(TalkId),
    /// The order of the units.
    UnitOrder,
}

/// One difference between two views. At least one of the two facts is there, and they are never the
/// same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The fact of the first view; `None` if the first view has no such fact.
    pub was: Option<Fact>,
    /// The fact of the second view; `None` if the second view has no such fact.
    pub is: Option<Fact>,
}

impl Fact {
    /// What the change is about.
    pub const fn about(&self) -> About {
        match self {
            Self::Plan { .. } => About::Plan,
            Self::Owner { .. } => About::Owner,
            Self::YearPlan { .. } => About::YearPlan,
            Self::Team(_) => About::Team,
            Self::Shared => About::Shared,
            Self::VisibleTo(audience) => About::VisibleTo(*audience),
            Self::Withdrawn => About::Withdrawn,
            Self::SectionShown(section) => About::SectionShown(*section),
            Self::Status(_) => About::Status,
            Self::Unit(unit) => About::Unit(unit.unit),
            Self::Goal { unit, goal } => About::Goal(*unit, goal.id),
            Self::Evaluation { evaluation, .. } => About::Evaluation(evaluation.id),
            Self::FollowUp(_) => About::FollowUp,
            Self::FollowUpOn(_) => About::FollowUpOn,
            Self::Talk(talk) => About::Talk(talk.id),
            Self::UnitOrder(_) => About::UnitOrder,
        }
    }
}

/// The differences between two views of a plan. `None` stands for a plan of which the viewer sees
/// nothing. The differences come in the order of the second view. A fact that only the first view
/// has comes at the place that it had there.
///
/// The answer is empty exactly when both views say the same. `changed_at` does not count: it says
/// when something changed, not what, and it also moves when something changes that the viewer does
/// not see.
pub fn diff(was: Option<&PlanView>, is: Option<&PlanView>) -> Vec<Change> {
    let before = was.map(facts).unwrap_or_default();
    let after = is.map(facts).unwrap_or_default();
    let places: HashMap<About, usize> = (after.iter().enumerate())
        .map(|(place, fact)| (fact.about(), place + 1))
        .collect();
    // For each change its place: after which fact of the second view, then the order of the first
    // view.
    let mut changes: Vec<((usize, usize), Change)> = Vec::new();
    let mut kept = HashMap::new();
    let mut place = 0;
    for (index, fact) in before.into_iter().enumerate() {
        match places.get(&fact.about()) {
            Some(found) => {
                place = *found;
                kept.insert(fact.about(), fact);
            }
            None => changes.push((
                (place, index + 1),
                Change {
                    was: Some(fact),
                    is: None,
                },
            )),
        }
    }
    for (index, fact) in after.into_iter().enumerate() {
        let was = kept.remove(&fact.about());
        if was.as_ref() != Some(&fact) {
            let is = Some(fact);
            changes.push(((index + 1, 0), Change { was, is }));
        }
    }
    changes.sort_by_key(|(place, _)| *place);
    let order = unit_order(was, is);
    changes
        .into_iter()
        .map(|(_, change)| change)
        .chain(order)
        .collect()
}

/// Every fact of a view, in the order in which a plan is shown. The views are taken apart field by
/// field, so that a new field cannot be forgotten here.
fn facts(view: &PlanView) -> Vec<Fact> {
    let PlanView {
        id,
        student,
        student_name,
        kind,
        year_plan,
        team,
        year_plan_details,
        owner,
        owner_name,
        owner_departed,
        opened_at,
        changed_at: _,
        status,
        units,
        follow_up,
        follow_up_on,
        talks,
        shared,
        visible_to,
        sections,
        withdrawn,
    } = view;
    let mut facts = vec![
        Fact::Plan {
            id: *id,
            student: *student,
            student_name: student_name.clone(),
            kind: *kind,
            opened_at: *opened_at,
        },
        Fact::Owner {
            id: *owner,
            name: owner_name.clone(),
            departed: *owner_departed,
        },
        Fact::YearPlan {
            container: year_plan.clone(),
            details: year_plan_details.clone(),
        },
    ];
    facts.extend(team.clone().map(Fact::Team));
    facts.extend(shared.then_some(Fact::Shared));
    facts.extend(visible_to.iter().copied().map(Fact::VisibleTo));
    facts.extend(withdrawn.then_some(Fact::Withdrawn));
    facts.extend(sections.iter().copied().map(Fact::SectionShown));
    facts.extend(status.clone().map(Fact::Status));
    for unit in units {
        unit_facts(unit, &mut facts);
    }
    facts.extend(follow_up.clone().map(Fact::FollowUp));
    facts.extend(follow_up_on.map(Fact::FollowUpOn));
    facts.extend(talks.iter().cloned().map(Fact::Talk));
    facts
}

fn unit_facts(view: &UnitView, facts: &mut Vec<Fact>) {
    let unit = view.unit;
    facts.push(Fact::Unit(UnitView {
        goals: Vec::new(),
        ..view.clone()
    }));
    for found in &view.goals {
        let goal = GoalView {
            evaluations: Vec::new(),
            ..found.clone()
        };
        facts.push(Fact::Goal { unit, goal });
        let evaluations = found.evaluations.iter().cloned();
        facts.extend(evaluations.map(|evaluation| Fact::Evaluation {
            unit,
            goal: found.id,
            evaluation,
        }));
    }
}

/// The order of the units, if the units that are in both views come in a different order. Goals
/// never change places. The place of an evaluation or a talk follows from what it says.
fn unit_order(was: Option<&PlanView>, is: Option<&PlanView>) -> Option<Change> {
    let order = |view: &PlanView| view.units.iter().map(|unit| unit.unit).collect::<Vec<_>>();
    let (was, is) = (order(was?), order(is?));
    let common = |units: &[UnitRef], other: &[UnitRef]| {
        let other: HashSet<_> = other.iter().copied().collect();
        let units = units.iter().copied();
        units
            .filter(|unit| other.contains(unit))
            .collect::<Vec<_>>()
    };
    (common(&was, &is) != common(&is, &was)).then_some(Change {
        was: Some(Fact::UnitOrder(was)),
        is: Some(Fact::UnitOrder(is)),
    })
}
