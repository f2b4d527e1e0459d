//! What differs between two views of a plan, item by item.
//!
//! A view is taken apart into facts; two views say the same exactly when their facts are the same.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;

use super::{ContainerView, EvaluationView, GoalView, PlanView, TalkView, UnitView, WrittenView};
use crate::domain::plan::{Audience, Section, UnitRef};
use crate::domain::year_plan::{YearPlanDetails, YearPlanKind};
use crate::ids::{EvaluationId, GoalId, PersonId, PlanId, TalkId, TeamId, YearPlanId};
use crate::text::Name;
use crate::time::Timestamp;

/// One fact of a view. What holds or does not hold is a fact while it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// There is a plan that the viewer sees.
    Plan {
        /// Which.
        id: PlanId,
        /// Whose.
        student: PersonId,
        /// The student's name.
        student_name: Option<Name>,
        /// Subject or combined.
        kind: YearPlanKind,
        /// When it was opened.
        opened_at: Timestamp,
    },
    /// Who owns it.
    Owner {
        /// The person.
        id: PersonId,
        /// The person's name.
        name: Option<Name>,
        /// Whether the person has left.
        departed: bool,
    },
    /// The year plan it hangs on, and what became of that.
    YearPlan {
        /// The year plan.
        container: ContainerView<YearPlanId>,
        /// What it is.
        details: Option<YearPlanDetails>,
    },
    /// That year plan's team, and what became of it.
    Team(ContainerView<TeamId>),
    /// First gate: it is shared.
    Shared,
    /// Last gate: it is visible to this audience.
    VisibleTo(Audience),
    /// It is withdrawn.
    Withdrawn,
    /// Third gate: this section is shown.
    SectionShown(Section),
    /// The status.
    Status(WrittenView),
    /// A unit, without its goals.
    Unit(UnitView),
    /// A goal, without its evaluations.
    Goal {
        /// The unit it stands in.
        unit: UnitRef,
        /// The goal.
        goal: GoalView,
    },
    /// An evaluation.
    Evaluation {
        /// The unit.
        unit: UnitRef,
        /// The goal in it.
        goal: GoalId,
        /// The evaluation.
        evaluation: EvaluationView,
    },
    /// The follow-up.
    FollowUp(WrittenView),
    /// The day it is to be followed up.
    FollowUpOn(Date),
    /// A talk.
    Talk(TalkView),
    /// The order of the units. Only named when units that are in both views changed places.
    UnitOrder(Vec<UnitRef>),
}

/// What a fact is about. A view has at most one fact about the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum About {
    /// The plan itself.
    Plan,
    /// Its owner.
    Owner,
    /// Its year plan.
    YearPlan,
    /// Its team.
    Team,
    /// First gate.
    Shared,
    /// Last gate, for one audience.
    VisibleTo(Audience),
    /// Withdrawal.
    Withdrawn,
    /// Third gate, for one section.
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

/// One thing that differs: what was said about it and what is; at least one of them, never the
/// same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The fact of the first view; `None` if it says nothing about it.
    pub was: Option<Fact>,
    /// The fact of the second view; `None` if it says nothing about it.
    pub is: Option<Fact>,
}

impl Fact {
    /// What it is about.
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

/// What differs between two views of a plan; `None` is a plan that the viewer sees nothing of. In
/// the order of the second view; what is only in the first stands where it stood.
///
/// Empty exactly when both say the same, but for `changed_at`, which says when and not what: it also
/// moves when something changes that the viewer does not see.
pub fn diff(was: Option<&PlanView>, is: Option<&PlanView>) -> Vec<Change> {
    let before = was.map(facts).unwrap_or_default();
    let after = is.map(facts).unwrap_or_default();
    let places: HashMap<About, usize> = (after.iter().enumerate())
        .map(|(place, fact)| (fact.about(), place + 1))
        .collect();
    // Where a change stands: after which fact of the second view, then in the first view's order.
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

/// Every fact of a view, in the order of the sheet. Takes views apart field by field, so that a new
/// field cannot be forgotten here.
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

/// The order of units, if those that are in both views do not follow one another in the same order.
/// Goals never change places; evaluations and talks stand where what is said about them puts them.
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
