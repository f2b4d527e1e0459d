//! In which roles and relations somebody may do what is asked.

use super::decide::{Facts, Question};
use super::{Relation, Role, Scope, may};
use crate::actor::Actor;
use crate::domain::Aggregate;
use crate::domain::grants::Granted;
use crate::domain::person::{Person, Role as Place};
use crate::domain::team::{StaffRole, Team};
use crate::domain::view::guards;
use crate::ids::{GrantId, GrantsId, PersonId, StreamId, SystemId};
use crate::read_error::ReadError;

/// A role and relation that allow what is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Capacity {
    pub(super) role: Role,
    pub(super) relation: Relation,
    pub(super) grant: Option<GrantId>,
}

/// The first capacity of a person that allows it. What is cheap to find out is looked at first, and
/// nothing is looked at that the table would not allow anyway.
pub(super) fn of_person<F: Facts + ?Sized>(
    ask: &Question<'_, F>,
    id: PersonId,
    person: &Person,
) -> Result<Option<Capacity>, ReadError> {
    let staff = staff_roles(person);
    if let Some(found) = by_oneself(ask, id, person, &staff) {
        return Ok(Some(found));
    }
    if let Some(found) = at_work(ask, id, person, &staff) {
        return Ok(Some(found));
    }
    if !staff.is_empty()
        && let Some(found) = by_team(ask, id)?
    {
        return Ok(Some(found));
    }
    if let Some(found) = by_child(ask, id)? {
        return Ok(Some(found));
    }
    by_grant(ask, Actor::Person(id), Relation::Granted)
}

/// The capacity of a system that allows it.
pub(super) fn of_system<F: Facts + ?Sized>(
    ask: &Question<'_, F>,
    id: SystemId,
    relation: Relation,
) -> Result<Option<Capacity>, ReadError> {
    by_grant(ask, Actor::System(id), relation)
}

impl<F: Facts + ?Sized> Question<'_, F> {
    /// This role in this relation, if it allows what is asked.
    fn through(&self, role: Role, relation: Relation) -> Option<Capacity> {
        may(role, relation, self.action).then_some(Capacity {
            role,
            relation,
            grant: None,
        })
    }

    /// Whether any role in this relation would allow what is asked.
    fn any_through(&self, relation: Relation) -> bool {
        Role::ALL
            .into_iter()
            .any(|role| may(role, relation, self.action))
    }

    fn team(&self, id: StreamId) -> Result<Option<Team>, ReadError> {
        Ok(match self.facts.aggregate(id)?.as_deref() {
            Some(Aggregate::Team(team)) => Some(team.clone()),
            Some(_) | None => None,
        })
    }
}

/// The roles of somebody who works at a school and whose account there is not closed.
fn staff_roles(person: &Person) -> Vec<Role> {
    if person.is_curtailed() {
        return Vec::new();
    }
    let places = person.affiliations.iter();
    places.filter_map(|at| staff_role(at.role)).collect()
}

const fn staff_role(place: Place) -> Option<Role> {
    match place {
        Place::Teacher => Some(Role::Teacher),
        Place::Pedagogue => Some(Role::Pedagogue),
        Place::Leader => Some(Role::Leader),
        Place::Student | Place::Guardian | Place::Other => None,
    }
}

fn by_oneself<F: Facts + ?Sized>(
    ask: &Question<'_, F>,
    id: PersonId,
    person: &Person,
    staff: &[Role],
) -> Option<Capacity> {
    let student = person.is_student().then_some(Role::Student);
    let guardian = person.affiliations.iter();
    let guardian = guardian.filter(|at| at.role == Place::Guardian);
    let guardian = guardian.map(|_| Role::Guardian);
    let roles = student.into_iter().chain(guardian);
    let mut roles = roles.chain(staff.iter().copied());
    let relation = match ask.thing.is_oneself(Actor::Person(id)) {
        true => &[Relation::Known, Relation::Oneself][..],
        false => &[Relation::Known][..],
    };
    roles.find_map(|role| {
        let mut relations = relation.iter();
        relations.find_map(|relation| ask.through(role, *relation))
    })
}

fn at_work<F: Facts + ?Sized>(
    ask: &Question<'_, F>,
    id: PersonId,
    person: &Person,
    staff: &[Role],
) -> Option<Capacity> {
    if staff.is_empty() {
        return None;
    }
    let mut here = person.affiliations.iter();
    let here = here.find_map(|at| {
        let role = staff_role(at.role)?;
        let here = ask.thing.institutions.contains(&at.institution);
        here.then(|| ask.through(role, Relation::Workplace))?
    });
    here.or_else(|| {
        let owns = ask.thing.owners.contains(&id);
        let mut roles = staff.iter().filter(|_| owns);
        roles.find_map(|role| ask.through(*role, Relation::Owner))
    })
}

/// The teams that the thing belongs to, and those of its student. A closed team is no longer in use
/// and gives nobody a right; a deleted one does, since deleting it takes nothing away.
fn by_team<F: Facts + ?Sized>(
    ask: &Question<'_, F>,
    id: PersonId,
) -> Result<Option<Capacity>, ReadError> {
    if !ask.any_through(Relation::Team) {
        return Ok(None);
    }
    let role_in = |team: &Team| {
        let role = team.staff.get(&id).filter(|_| !team.closed)?;
        let role = match role {
            StaffRole::Teacher => Role::Teacher,
            StaffRole::Pedagogue => Role::Pedagogue,
        };
        ask.through(role, Relation::Team)
    };
    if let Some(team) = ask.thing.team
        && let Some(team) = ask.team(team.into())?
        && let Some(found) = role_in(&team)
    {
        return Ok(Some(found));
    }
    let Some(student) = ask.thing.who() else {
        return Ok(None);
    };
    let own = ask.facts.teams_of(id)?;
    for team in ask.facts.teams_of(student)? {
        if own.contains(&team)
            && let Some(team) = ask.team(team)?
            && team.members.contains(&student)
            && let Some(found) = role_in(&team)
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The team that the person is a member of, and the children of whom the person is a guardian.
fn by_child<F: Facts + ?Sized>(
    ask: &Question<'_, F>,
    id: PersonId,
) -> Result<Option<Capacity>, ReadError> {
    let team = match ask.thing.team.filter(|_| ask.thing.student.is_none()) {
        Some(team) => ask.team(team.into())?,
        None => None,
    };
    let member = team.as_ref().filter(|team| team.members.contains(&id));
    if let Some(found) = member.and_then(|_| ask.through(Role::Student, Relation::Member)) {
        return Ok(Some(found));
    }
    let in_question = |child| match &team {
        Some(team) => team.members.contains(&child),
        None => ask.thing.who() == Some(child),
    };
    let guardian = ask.through(Role::Guardian, Relation::Child);
    let known = ask.through(Role::Guardian, Relation::Known);
    if guardian.is_none() && known.is_none() {
        return Ok(None);
    }
    for child in ask.facts.children_of(id)? {
        let state = ask.facts.aggregate(child)?;
        if let Some(Aggregate::Person(person)) = state.as_deref()
            && guards(ask.facts, id, person, ask.today)?
            && let Some(found) = known.or(guardian.filter(|_| {
                let child = PersonId::from_uuid(child.id);
                in_question(child) && !person.has_left_on(ask.today)
            }))
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn by_grant<F: Facts + ?Sized>(
    ask: &Question<'_, F>,
    grantee: Actor,
    relation: Relation,
) -> Result<Option<Capacity>, ReadError> {
    let state = ask.facts.aggregate(GrantsId::of(grantee).into())?;
    let Some(Aggregate::Grants(all)) = state.as_deref() else {
        return Ok(None);
    };
    if all.grantee != grantee {
        return Ok(None);
    }
    for (id, grant) in &all.grants {
        if !counts(ask, grant) {
            continue;
        }
        let role = grant.details.role;
        let oneself = ask.thing.is_oneself(grantee);
        let known = ask.through(role, Relation::Known);
        let oneself = ask.through(role, Relation::Oneself).filter(|_| oneself);
        let found = match (known.or(oneself), ask.through(role, relation)) {
            (Some(found), _) => Some(found),
            (None, Some(found)) if covers(ask, grant)? => Some(found),
            (None, Some(_) | None) => None,
        };
        if let Some(found) = found {
            let grant = Some(*id);
            return Ok(Some(Capacity { grant, ..found }));
        }
    }
    Ok(None)
}

/// Whether a grant covers the thing. A guardian by grant reads the year plans of the child's teams, as a
/// guardian by roster does. To others a grant for a student gives nothing on a team.
fn covers<F: Facts + ?Sized>(ask: &Question<'_, F>, grant: &Granted) -> Result<bool, ReadError> {
    let (role, scope) = (grant.details.role, grant.details.scope);
    if ask.thing.is_in(ask.facts, scope)? {
        return Ok(true);
    }
    let (Role::Guardian, Scope::Student(child)) = (role, scope) else {
        return Ok(false);
    };
    let team = match ask.thing.team.filter(|_| ask.thing.who().is_none()) {
        Some(team) => ask.team(team.into())?,
        None => None,
    };
    Ok(team.is_some_and(|team| team.members.contains(&child)))
}

/// Whether a grant holds today, for what the request is for.
fn counts<F: Facts + ?Sized>(ask: &Question<'_, F>, grant: &Granted) -> bool {
    let only_for = grant.details.purpose;
    let fits = only_for.is_none_or(|only_for| ask.purpose == Some(only_for));
    fits && grant.holds_on(ask.today)
}
