use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::cell::{CellKey, Counts, Coverage};
use super::day::Month;
use crate::domain::person::{Person, Role};
use crate::domain::plan::{Audience, Evaluator, Plan, TalkKind};
use crate::domain::year_plan::YearPlan;
use crate::ids::{InstitutionId, PlanId, SchoolYearId, TeamId, YearPlanId};
use crate::text::Name;

/// What the overview needs to know of a student.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Standing {
    /// Institutions that they are a student of, with the grade there, empty if it has none. None
    /// once they have left.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub places: BTreeMap<InstitutionId, String>,
    /// Teams that they are a member of, with each team's institution.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub teams: BTreeMap<TeamId, InstitutionId>,
    /// Their plans, except those that are withdrawn.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub plans: BTreeMap<PlanId, PlanFacts>,
}

/// What the overview needs to know of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFacts {
    /// The year plan that it hangs on, deleted or not.
    pub year_plan: YearPlanId,
    /// That one's team.
    pub team: TeamId,
    /// That one's school year.
    pub school_year: SchoolYearId,
    /// That one's subjects.
    pub subjects: BTreeSet<Name>,
    /// Whether guardians can see it: it is shared, and visible to them.
    pub visible: bool,
    /// Whether staff have evaluated a goal in it, in a unit that is not taken out.
    pub evaluated: bool,
    /// Its talks by kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub talks: BTreeMap<TalkKind, u64>,
    /// Whether its owner has left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ownerless: bool,
    /// When it was last worked on. Another owner or another year plan is no work on it.
    pub worked_on: Month,
}

/// What a plan and its year plan do not say themselves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlanCircumstances {
    /// Whether its owner has left.
    pub(crate) ownerless: bool,
    /// When it was last worked on.
    pub(crate) worked_on: Month,
}

impl PlanFacts {
    /// What a plan comes to that is not withdrawn.
    pub(crate) fn of(plan: &Plan, year_plan: &YearPlan, rest: PlanCircumstances) -> Self {
        let PlanCircumstances {
            ownerless,
            worked_on,
        } = rest;
        Self {
            year_plan: plan.year_plan,
            team: year_plan.details.team,
            school_year: year_plan.details.school_year,
            subjects: year_plan.details.subjects.clone(),
            visible: visible(plan),
            evaluated: evaluated(plan),
            talks: talks(plan),
            ownerless,
            worked_on,
        }
    }

    /// Whether it says what [`PlanFacts::of`] would, given that its year plan is as it was.
    pub(crate) fn still_holds(&self, plan: &Plan, rest: PlanCircumstances) -> bool {
        self.year_plan == plan.year_plan
            && self.ownerless == rest.ownerless
            && self.worked_on == rest.worked_on
            && self.visible == visible(plan)
            && self.evaluated == evaluated(plan)
            && self.talks == talks(plan)
    }
}

fn visible(plan: &Plan) -> bool {
    plan.shared && plan.visible_to.contains(&Audience::Guardians)
}

/// Whether staff have evaluated a goal in it, in a unit that is not taken out.
pub(crate) fn evaluated(plan: &Plan) -> bool {
    let mut by_staff = plan.evaluations.iter();
    by_staff.any(|made| made.by == Evaluator::Staff && plan.units.contains(&made.unit))
}

fn talks(plan: &Plan) -> BTreeMap<TalkKind, u64> {
    let mut talks = BTreeMap::new();
    for talk in plan.talks.values() {
        *talks.entry(talk.details.kind).or_default() += 1;
    }
    talks
}

/// Where a person is a student, with the grade. Nowhere after they have left.
pub(crate) fn places(person: &Person) -> BTreeMap<InstitutionId, String> {
    let there = person.departed.is_none();
    let places = person.affiliations.iter().filter(|_| there);
    let places = places.filter(|at| at.role == Role::Student);
    places
        .map(|at| {
            let grade = at.grade.as_ref().map(ToString::to_string);
            (at.institution, grade.unwrap_or_default())
        })
        .collect()
}

impl Standing {
    /// Whether it says nothing, and need not be kept.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// With which grade they are counted in a team of an institution.
    fn grade_in(&self, institution: InstitutionId) -> String {
        self.places.get(&institution).cloned().unwrap_or_default()
    }
}

/// What a student adds to which cell, under which grade.
///
/// At each institution that they go to, a student counts with every plan of the school year, also one
/// that was begun elsewhere: a plan follows its student. In a team a member counts with the plans that
/// hang on the team's year plans. Who is a student nowhere adds nothing.
pub fn contributions(standing: &Standing) -> BTreeMap<(CellKey, String), Counts> {
    contributions_to(standing, &Touched::All)
}

/// Cells in which two standings of a student may count differently.
pub(crate) enum Touched {
    /// Any.
    All,
    /// Those of these teams.
    Teams(BTreeSet<TeamId>),
    /// Those of institutions, and of these teams.
    PlansOf(BTreeSet<TeamId>),
}

impl Touched {
    /// Most changes are of one team, or of one plan.
    pub(crate) fn by(before: &Standing, after: &Standing) -> Self {
        if before.places != after.places {
            return Self::All;
        }
        let mut teams = BTreeSet::new();
        for (one, other) in [(before, after), (after, before)] {
            let differing = one.teams.iter();
            let differing = differing.filter(|(team, at)| other.teams.get(*team) != Some(*at));
            teams.extend(differing.map(|(team, _)| *team));
        }
        if before.plans == after.plans {
            return Self::Teams(teams);
        }
        for (one, other) in [(before, after), (after, before)] {
            let differing = one.plans.iter();
            let differing =
                differing.filter(|(plan, facts)| other.plans.get(*plan) != Some(*facts));
            teams.extend(differing.map(|(_, facts)| facts.team));
        }
        Self::PlansOf(teams)
    }

    fn institutions(&self) -> bool {
        match self {
            Self::All | Self::PlansOf(_) => true,
            Self::Teams(_) => false,
        }
    }

    fn team(&self, team: &TeamId) -> bool {
        match self {
            Self::All => true,
            Self::Teams(teams) | Self::PlansOf(teams) => teams.contains(team),
        }
    }
}

/// The same, as far as some cells go.
pub(crate) fn contributions_to(
    standing: &Standing,
    touched: &Touched,
) -> BTreeMap<(CellKey, String), Counts> {
    let mut all = BTreeMap::new();
    let places = standing.places.iter().filter(|_| touched.institutions());
    for (institution, grade) in places {
        add(&mut all, *institution, None, grade, standing.plans.values());
    }
    if standing.places.is_empty() {
        return all;
    }
    let teams = standing.teams.iter().filter(|(team, _)| touched.team(team));
    for (team, institution) in teams {
        let plans = standing.plans.values().filter(|plan| plan.team == *team);
        let grade = standing.grade_in(*institution);
        add(&mut all, *institution, Some(*team), &grade, plans);
    }
    all
}

fn add<'a>(
    all: &mut BTreeMap<(CellKey, String), Counts>,
    institution: InstitutionId,
    team: Option<TeamId>,
    grade: &str,
    plans: impl Iterator<Item = &'a PlanFacts>,
) {
    let key = |school_year| CellKey {
        institution,
        team,
        school_year,
    };
    let there = (key(None), grade.to_owned());
    all.entry(there).or_default().students += 1;
    for plan in plans {
        let of_year = (key(Some(plan.school_year)), grade.to_owned());
        let counts: &mut Counts = all.entry(of_year).or_default();
        cover(&mut counts.any, plan);
        for subject in &plan.subjects {
            cover(counts.subjects.entry(subject.clone()).or_default(), plan);
        }
        counts.ownerless += u64::from(plan.ownerless);
        *counts.worked_on.entry(plan.worked_on).or_default() += 1;
        for (kind, talks) in &plan.talks {
            *counts.talks.entry(*kind).or_default() += talks;
        }
    }
}

/// A student counts once, however many plans there are.
fn cover(coverage: &mut Coverage, plan: &PlanFacts) {
    coverage.plan = 1;
    coverage.visible |= u64::from(plan.visible);
    coverage.evaluated |= u64::from(plan.evaluated);
    coverage.talk |= u64::from(!plan.talks.is_empty());
}
