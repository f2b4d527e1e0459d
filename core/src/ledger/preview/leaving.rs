//! Who would look as if they had left once the commands of a preview are carried out, although no
//! command says so: whoever has no place any more, and owners who work elsewhere.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Over, Preview};
use crate::derived::Term;
use crate::domain::owning::owner_elsewhere;
use crate::domain::person::{Evidence, Person};
use crate::domain::succeeding::successor_of;
use crate::domain::team::Team;
use crate::domain::{Aggregate, World};
use crate::ids::{InstitutionId, PersonId, StreamId, StreamKind, TeamId, YearPlanId};
use crate::ledger::ReadError;
use crate::ledger::ownerless::AsOwner;
use crate::text::Name;

/// Somebody who would look as if they had left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeseenLeaver {
    /// The institution that would ask.
    pub institution: InstitutionId,
    /// The person.
    pub person: PersonId,
    /// The name.
    pub name: Name,
    /// Why it would look so: [`Evidence::NoPlaceLeft`] or [`Evidence::OwnerElsewhere`].
    pub evidence: Evidence,
}

impl Preview {
    /// Who would look as if they had left after the commands so far, because no place is left or
    /// because they work at other institutions than the one of what they own. Sorted by institution and
    /// person. It is what `recovery::leavers` would then find at all institutions, of this evidence.
    ///
    /// # Errors
    /// [`ReadError`] when something cannot be read.
    pub fn leavers(&self) -> Result<Vec<ForeseenLeaver>, ReadError> {
        let overlay = &self.overlay;
        let (found, _) = self.ledger.read(|reading| {
            let over = Over { reading, overlay };
            let institutions = over.institutions()?;
            let mut found = over.without_place(&institutions)?;
            found.extend(over.elsewhere(&institutions)?);
            found.sort_by(|a, b| {
                let key = |it: &ForeseenLeaver| (it.institution, it.person);
                key(a).cmp(&key(b))
            });
            Ok::<_, ReadError>(found)
        })?;
        Ok(found)
    }
}

impl Over<'_, '_> {
    /// The institutions that there are now. One that the commands would register lists nobody yet.
    fn institutions(&self) -> Result<Vec<InstitutionId>, ReadError> {
        let all = self.reading.find(Term::All(StreamKind::Institution))?;
        let all = all.iter().map(|stream| InstitutionId::from_uuid(stream.id));
        Ok(all.collect())
    }

    fn state(&self, stream: impl Into<StreamId>) -> Result<Option<Arc<Aggregate>>, ReadError> {
        self.aggregate(stream.into())
    }

    fn without_place(
        &self,
        institutions: &[InstitutionId],
    ) -> Result<Vec<ForeseenLeaver>, ReadError> {
        let changed = self.overlay.changed.keys();
        let changed = changed.filter(|stream| stream.kind == StreamKind::Person);
        let mut persons: BTreeSet<StreamId> = changed.copied().collect();
        for institution in institutions {
            persons.extend(
                self.reading
                    .find_asked_about(*institution, None, usize::MAX)?,
            );
        }
        let mut found = Vec::new();
        for stream in persons {
            if let Some(Aggregate::Person(person)) = self.state(stream)?.as_deref()
                && let Some(evidence) = person.suggested_without_place()
                && let Some(place) = &person.last_place
            {
                let id = PersonId::from_uuid(stream.id);
                let asks = successor_of(self, place.institution)?;
                found.push(leaver(id, person, asks, evidence));
            }
        }
        Ok(found)
    }

    fn elsewhere(&self, institutions: &[InstitutionId]) -> Result<Vec<ForeseenLeaver>, ReadError> {
        let mut owners = BTreeSet::new();
        for thing in self.doubtful_things(institutions)? {
            owners.extend(owner_elsewhere(self, thing, self.day())?);
        }
        let mut found = Vec::new();
        for (id, institution) in owners {
            if let Some(Aggregate::Person(person)) = self.state(id)?.as_deref()
                && let Some(evidence) = person.suggests_elsewhere(institution)
            {
                found.push(leaver(id, person, institution, evidence));
            }
        }
        Ok(found)
    }

    /// Every team, year plan and plan whose owner may work elsewhere: those that have no present owner
    /// now, and those of which the commands would change something that decides it.
    fn doubtful_things(
        &self,
        institutions: &[InstitutionId],
    ) -> Result<BTreeSet<StreamId>, ReadError> {
        let mut things = BTreeSet::new();
        for institution in institutions {
            things.extend(self.reading.find(Term::Ownerless(*institution))?.iter());
        }
        for (stream, (now, _)) in &self.overlay.changed {
            let was = self.reading.aggregate(*stream)?;
            match (was.as_deref(), &**now) {
                (was, Aggregate::Team(now)) => {
                    things.insert(*stream);
                    let has_changed = |was: &Team| !was.staff.keys().eq(now.staff.keys());
                    if matches!(was, Some(Aggregate::Team(was)) if has_changed(was)) {
                        self.add_year_plans(TeamId::from_uuid(stream.id), &mut things)?;
                    }
                }
                (_, Aggregate::YearPlan(_)) => {
                    self.add_year_plan(*stream, &mut things)?;
                }
                (_, Aggregate::Plan(_)) => {
                    things.insert(*stream);
                }
                // Somebody who is new owns nothing yet, apart from what the commands would change.
                (Some(Aggregate::Person(was)), Aggregate::Person(now))
                    if AsOwner::of(was) != AsOwner::of(now) =>
                {
                    let owner = PersonId::from_uuid(stream.id);
                    things.extend(self.reading.find(Term::Owner(owner))?.iter());
                }
                (_, Aggregate::Person(_))
                | (_, Aggregate::Institution(_))
                | (_, Aggregate::SchoolYear(_))
                | (_, Aggregate::Catalogue(_))
                | (_, Aggregate::Ledger(_))
                | (_, Aggregate::Recovery(_))
                | (
                    _,
                    Aggregate::RosterSource(_)
                    | Aggregate::System(_)
                    | Aggregate::Grants(_)
                    | Aggregate::Erasure(_),
                ) => {}
            }
        }
        Ok(things)
    }

    fn add_year_plans(
        &self,
        team: TeamId,
        things: &mut BTreeSet<StreamId>,
    ) -> Result<(), ReadError> {
        let year_plans = self.reading.find(Term::YearPlansOfTeam(team))?;
        let mut year_plans = year_plans.iter();
        year_plans.try_for_each(|year_plan| self.add_year_plan(*year_plan, things))
    }

    fn add_year_plan(
        &self,
        year_plan: StreamId,
        things: &mut BTreeSet<StreamId>,
    ) -> Result<(), ReadError> {
        things.insert(year_plan);
        let plans = Term::PlansOfYearPlan(YearPlanId::from_uuid(year_plan.id));
        things.extend(self.reading.find(plans)?.iter());
        Ok(())
    }
}

fn leaver(
    id: PersonId,
    person: &Person,
    institution: InstitutionId,
    evidence: Evidence,
) -> ForeseenLeaver {
    ForeseenLeaver {
        institution,
        person: id,
        name: person.name.clone(),
        evidence,
    }
}
