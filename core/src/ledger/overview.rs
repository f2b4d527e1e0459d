//! Keeps the counts of the overview while events are folded. A change of a stream changes what is
//! known of the students whom the stream is about, and with it the counts.

use std::sync::Arc;

use jiff::civil::Date;
use litemap::LiteMap;

use super::fold::Fold;
use super::ownerless::AsOwner;
use crate::derived::{Doc, DocKey, StoreError, Term};
use crate::domain::person::{NoOwner, Person};
use crate::domain::plan::Plan;
use crate::domain::team::Team;
use crate::domain::year_plan::YearPlan;
use crate::domain::{Aggregate, World};
use crate::ids::{PersonId, PlanId, StreamId, TeamId, YearPlanId};
use crate::overview::{
    Cell, CellKey, Counts, Day, Month, PlanCircumstances, PlanFacts, Standing, Touched,
    contributions_to, evaluated, places,
};

impl Fold {
    /// Counts what one command changed in a stream. The change counts on the day of the event that
    /// was folded in last.
    pub(super) fn count(
        &mut self,
        stream: StreamId,
        before: Option<&Aggregate>,
        after: &Aggregate,
    ) -> Result<(), StoreError> {
        match (before, after) {
            (before, Aggregate::Person(after)) => {
                let earlier = match before {
                    Some(Aggregate::Person(before)) => places(before, self.day()),
                    _ => LiteMap::new(),
                };
                let now = places(after, self.day());
                let id = PersonId::from_uuid(stream.id);
                if earlier != now {
                    // The first event of a person comes before any team or plan can name the
                    // person. So a new person has no standing yet, and none needs to be read.
                    let known = match before {
                        Some(_) => self.standing(id)?,
                        None => Arc::default(),
                    };
                    self.update_standing_from(id, &known, |standing| standing.places = now)?;
                }
                match before {
                    Some(Aggregate::Person(before))
                        if AsOwner::of(before) != AsOwner::of(after) =>
                    {
                        self.count_owner(id, after, self.day())
                    }
                    // A person who is new owns nothing yet.
                    _ => Ok(()),
                }
            }
            (Some(Aggregate::Team(before)), Aggregate::Team(after)) => {
                let team = TeamId::from_uuid(stream.id);
                self.count_team(team, Some(before), after)?;
                match before.staff.keys().eq(after.staff.keys()) {
                    true => Ok(()),
                    false => self.count_owners_of(team),
                }
            }
            (_, Aggregate::Team(after)) => {
                self.count_team(TeamId::from_uuid(stream.id), None, after)
            }
            (Some(Aggregate::YearPlan(before)), Aggregate::YearPlan(after)) => {
                let (was, now) = (&before.details, &after.details);
                let alike = was.subjects == now.subjects
                    && was.team == now.team
                    && was.institution == now.institution;
                match alike {
                    true => Ok(()),
                    false => self.count_year_plan(YearPlanId::from_uuid(stream.id), after),
                }
            }
            (before, Aggregate::Plan(after)) => {
                let before = match before {
                    Some(Aggregate::Plan(before)) => Some(before),
                    _ => None,
                };
                self.count_plan(PlanId::from_uuid(stream.id), before, after)
            }
            (
                _,
                Aggregate::YearPlan(_)
                | Aggregate::Institution(_)
                | Aggregate::SchoolYear(_)
                | Aggregate::Catalogue(_)
                | Aggregate::Ledger(_)
                | Aggregate::Recovery(_)
                | Aggregate::RosterSource(_)
                | Aggregate::System(_)
                | Aggregate::Grants(_)
                | Aggregate::Erasure(_),
            ) => Ok(()),
        }
    }

    fn count_team(
        &mut self,
        id: TeamId,
        before: Option<&Team>,
        after: &Team,
    ) -> Result<(), StoreError> {
        let institution = after.details.institution;
        let moved = before.is_some_and(|before| before.details.institution != institution);
        let earlier = before.map(|before| &before.members);
        let was_in = |student| earlier.is_some_and(|members| members.contains(student));
        for student in &after.members {
            if moved || !was_in(student) {
                self.update_standing(*student, |standing| {
                    standing.teams.insert(id, institution);
                })?;
            }
        }
        for student in earlier.into_iter().flatten() {
            if !after.members.contains(student) {
                self.update_standing(*student, |standing| {
                    standing.teams.remove(&id);
                })?;
            }
        }
        Ok(())
    }

    /// Notes in every plan of a year plan what the year plan says about it.
    fn count_year_plan(&mut self, id: YearPlanId, after: &YearPlan) -> Result<(), StoreError> {
        for stream in self.list(Term::PlansOfYearPlan(id))?.iter() {
            let Some(doc) = self.stream(*stream)? else {
                continue;
            };
            if let Aggregate::Plan(plan) = &*doc.state {
                let ownerless = self.is_ownerless(plan.owner, after)?;
                self.update_standing(plan.student, |standing| {
                    if let Some(facts) = standing.plans.get_mut(&PlanId::from_uuid(stream.id)) {
                        facts.ownerless = ownerless;
                        facts.subjects.clone_from(&after.details.subjects);
                        facts.team = after.details.team;
                    }
                })?;
            }
        }
        Ok(())
    }

    /// Notes in every plan of a team whose staff has changed whether it has an owner.
    fn count_owners_of(&mut self, team: TeamId) -> Result<(), StoreError> {
        for stream in self.list(Term::YearPlansOfTeam(team))?.iter() {
            let doc = self.stream(*stream)?;
            if let Some(Aggregate::YearPlan(year_plan)) = doc.as_deref().map(|doc| &*doc.state) {
                self.count_year_plan(YearPlanId::from_uuid(stream.id), year_plan)?;
            }
        }
        Ok(())
    }

    /// Notes in every plan of a person whether the person is still an owner there.
    pub(super) fn count_owner(
        &mut self,
        owner: PersonId,
        now: &Person,
        day: Date,
    ) -> Result<(), StoreError> {
        for stream in self.list(Term::Owner(owner))?.iter() {
            let Some(doc) = self.stream(*stream)? else {
                continue;
            };
            let Aggregate::Plan(plan) = &*doc.state else {
                continue;
            };
            let Some(year_plan) = self.stream(plan.year_plan.into())? else {
                continue;
            };
            let Aggregate::YearPlan(year_plan) = &*year_plan.state else {
                continue;
            };
            let place = year_plan.details.place();
            let on_team = self.is_on_staff(owner, place.team)?;
            let reason = now.no_owner_at(place.institution, on_team, day);
            let ownerless = reason.is_some_and(NoOwner::is_certain);
            self.update_standing(plan.student, |standing| {
                if let Some(facts) = standing.plans.get_mut(&PlanId::from_uuid(stream.id)) {
                    facts.ownerless = ownerless;
                }
            })?;
        }
        Ok(())
    }

    /// Whether a plan on a year plan certainly has no owner who is still there.
    fn is_ownerless(&self, owner: PersonId, year_plan: &YearPlan) -> Result<bool, StoreError> {
        let reason = self.no_owner(Some(owner), year_plan.details.place(), self.day())?;
        Ok(reason.is_some_and(NoOwner::is_certain))
    }

    fn count_plan(
        &mut self,
        id: PlanId,
        before: Option<&Plan>,
        after: &Plan,
    ) -> Result<(), StoreError> {
        let worked_on = self.month(after);
        if let Some(before) = before
            && self.month(before) == worked_on
            && counts_alike(before, after)
        {
            return Ok(());
        }
        let standing = self.standing(after.student)?;
        let known = standing.plans.get(&id);
        let year_plan = self.stream(after.year_plan.into())?;
        let year_plan = match year_plan.as_deref().map(|doc| &*doc.state) {
            Some(Aggregate::YearPlan(year_plan)) => Some(year_plan),
            Some(_) | None => None,
        };
        let ownerless = match year_plan {
            Some(year_plan) => self.is_ownerless(after.owner, year_plan)?,
            None => false,
        };
        let rest = PlanCircumstances {
            ownerless,
            worked_on,
        };
        match (known, after.withdrawn) {
            (None, true) => return Ok(()),
            (Some(known), false) if known.still_holds(after, rest) => return Ok(()),
            (Some(_), _) | (None, false) => {}
        }
        let facts = match year_plan {
            Some(year_plan) if !after.withdrawn => Some(PlanFacts::of(after, year_plan, rest)),
            Some(_) | None => None,
        };
        self.update_standing(after.student, |standing| match facts {
            Some(facts) => drop(standing.plans.insert(id, facts)),
            None => drop(standing.plans.remove(&id)),
        })
    }

    fn month(&mut self, plan: &Plan) -> Month {
        self.calendar.day(plan.worked_on_at()).month()
    }

    pub(super) fn standing(&self, student: PersonId) -> Result<Arc<Standing>, StoreError> {
        match self.get(&DocKey::Standing(student))? {
            Doc::Standing(standing) => Ok(standing),
            Doc::Absent => Ok(Arc::default()),
            _ => Err(StoreError::Malformed("an overview")),
        }
    }

    /// Changes the standing of a student, and every count that depends on the standing.
    fn update_standing(
        &mut self,
        student: PersonId,
        change: impl FnOnce(&mut Standing),
    ) -> Result<(), StoreError> {
        let before = self.standing(student)?;
        self.update_standing_from(student, &before, change)
    }

    /// Does the same as [`Fold::update_standing`] when the caller has already read the standing.
    pub(super) fn update_standing_from(
        &mut self,
        student: PersonId,
        before: &Standing,
        change: impl FnOnce(&mut Standing),
    ) -> Result<(), StoreError> {
        let mut after = before.clone();
        change(&mut after);
        if after == *before {
            return Ok(());
        }
        let day = match self.counting_on {
            Some(day) => day,
            None => self.calendar.day(self.cursor.recorded_at),
        };
        let touched = Touched::by(before, &after);
        let less = contributions_to(before, &touched);
        let more = contributions_to(&after, &touched);
        for (key, counts) in &less {
            let now = more.get(key);
            if now != Some(counts) {
                self.recount(day, key, Some(counts), now)?;
            }
        }
        for (key, counts) in &more {
            if !less.contains_key(key) {
                self.recount(day, key, None, Some(counts))?;
            }
        }
        self.put(DocKey::Standing(student), Doc::Standing(Arc::new(after)));
        Ok(())
    }

    fn recount(
        &mut self,
        day: Day,
        (key, grade): &(CellKey, String),
        before: Option<&Counts>,
        after: Option<&Counts>,
    ) -> Result<(), StoreError> {
        let (mut cell, new) = self.cell(day, *key)?;
        if let (Some(team), None, true) = (key.team, key.school_year, new) {
            let there = CellKey { team: None, ..*key };
            let (mut institution, _) = self.cell(day, there)?;
            Arc::make_mut(&mut institution).teams.insert(team);
            self.put(DocKey::Cell(there), Doc::Cell(institution));
        }
        let sound = Arc::make_mut(&mut cell).change(grade, before, after);
        debug_assert!(sound, "a count of the overview would become negative");
        if !sound {
            // A wrong count must not stop anybody from writing a plan.
            tracing::error!(
                "a count of the overview is wrong; rebuild derived state and report it"
            );
        }
        self.put(DocKey::Cell(*key), Doc::Cell(cell));
        Ok(())
    }

    /// Takes the cell out for a change on `day`, and says whether the cell is new. If the cell was last
    /// changed on an earlier day, a copy of it as it was then is kept under that day.
    fn cell(&mut self, day: Day, key: CellKey) -> Result<(Arc<Cell>, bool), StoreError> {
        match self.take_out(&DocKey::Cell(key))? {
            // Days only increase, because the instants of events only increase.
            Doc::Cell(cell) if cell.day < day => {
                let earlier = DocKey::PastCell(key, cell.day);
                let today = Cell {
                    day,
                    before: Some(cell.day),
                    ..Cell::clone(&cell)
                };
                self.put(earlier, Doc::Cell(cell));
                Ok((Arc::new(today), false))
            }
            Doc::Cell(cell) => Ok((cell, false)),
            Doc::Absent => Ok((Arc::new(Cell::new(day)), true)),
            _ => Err(StoreError::Malformed("an overview")),
        }
    }
}

/// Whether a plan counts the same before and after a change, apart from the month in which it was
/// last worked on. The two states of the plan are enough to say so: most events change nothing that
/// is counted. Evaluations are only ever added, and their goal and author never change. So one
/// evaluation decides whether the plan counts as evaluated.
fn counts_alike(before: &Plan, after: &Plan) -> bool {
    before.owner == after.owner
        && before.year_plan == after.year_plan
        && before.withdrawn == after.withdrawn
        && before.shared == after.shared
        && before.visible_to == after.visible_to
        && before.units == after.units
        && (before.evaluations.len() == after.evaluations.len()
            || evaluated(before)
            || !evaluated(after))
        && before.talks == after.talks
}
