use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use litemap::LiteMap;
use serde::{Deserialize, Serialize};

use super::cell::{CellKey, Counts, Coverage};
use super::day::Month;
use crate::domain::person::{Person, Role};
use crate::domain::plan::{Audience, Evaluator, Plan, TalkKind};
use crate::domain::year_plan::YearPlan;
use crate::ids::{InstitutionId, PlanId, SchoolYearId, TeamId, YearPlanId};
use crate::text::Name;

/// What the overview has to know about one student.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Standing {
    /// The institutions where the person is a student, each with the grade there. The grade is
    /// empty if the roster gives none. The map is empty once the person has left.
    #[serde(skip_serializing_if = "LiteMap::is_empty")]
    pub places: LiteMap<InstitutionId, String>,
    /// The teams that the student is a member of, each with the team's institution.
    #[serde(skip_serializing_if = "LiteMap::is_empty")]
    pub teams: LiteMap<TeamId, InstitutionId>,
    /// The student's plans, without those that are withdrawn.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub plans: BTreeMap<PlanId, PlanFacts>,
}

/// What the overview has to know about one plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFacts {
    /// The year plan that the plan belongs to, even if the year plan is deleted.
    pub year_plan: YearPlanId,
    /// The team of the year plan.
    pub team: TeamId,
    /// The school year of the year plan.
    pub school_year: SchoolYearId,
    /// The subjects of the year plan.
    pub subjects: BTreeSet<Name>,
    /// Whether guardians can see the plan: it is shared, and it is visible to them.
    pub visible: bool,
    /// Whether staff have evaluated a goal of the plan, in a unit that the plan still includes.
    pub evaluated: bool,
    /// The number of talks of each kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub talks: BTreeMap<TalkKind, u64>,
    /// Whether the plan's owner has left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ownerless: bool,
    /// The month in which somebody last worked on the plan. A change of owner or of year plan does
    /// not count as work.
    pub worked_on: Month,
}

/// Two facts about a plan that neither the plan nor its year plan holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlanCircumstances {
    /// Whether the plan's owner has left.
    pub(crate) ownerless: bool,
    /// The month in which somebody last worked on the plan.
    pub(crate) worked_on: Month,
}

impl PlanFacts {
    /// The facts of a plan that is not withdrawn.
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

    /// Whether [`PlanFacts::of`] would give the same facts again. The caller knows that the year
    /// plan has not changed.
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
    plan.is_visible_to(Audience::Guardians)
}

/// Whether staff have evaluated a goal of the plan, in a unit that the plan still includes.
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

/// The institutions where a person is a student on a day, each with the grade. Empty once the person
/// has left.
pub(crate) fn places(person: &Person, day: Date) -> LiteMap<InstitutionId, String> {
    let there = !person.has_left_on(day);
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
    /// Whether the standing holds nothing. Then it is not stored.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The grade under which a team of this institution counts the student. Empty if the student
    /// does not go to the institution.
    fn grade_in(&self, institution: InstitutionId) -> String {
        self.places.get(&institution).cloned().unwrap_or_default()
    }
}

/// What a student adds to each cell, under each grade.
///
/// An institution counts its student with every plan of the school year. That includes a plan begun
/// at another institution, because a plan follows its student. A team counts its member with the
/// plans that belong to the team's year plans. A person who is not a student at any institution
/// adds nothing.
pub fn contributions(standing: &Standing) -> BTreeMap<(CellKey, String), Counts> {
    contributions_to(standing, &Touched::All)
}

/// The cells in which two standings of the same student may differ.
pub(crate) enum Touched {
    /// Any cell.
    All,
    /// Only the cells of these teams.
    Teams(BTreeSet<TeamId>),
    /// The cells of all the student's institutions, and those of these teams.
    PlansOf(BTreeSet<TeamId>),
}

impl Touched {
    /// Compares two standings. Most changes touch one team or one plan, so few cells have to be
    /// counted anew.
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

/// Does what [`contributions`] does, for the touched cells only.
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

/// Counts the student once, however many plans the student has.
fn cover(coverage: &mut Coverage, plan: &PlanFacts) {
    coverage.plan = 1;
    coverage.visible |= u64::from(plan.visible);
    coverage.evaluated |= u64::from(plan.evaluated);
    coverage.talk |= u64::from(!plan.talks.is_empty());
}
