use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{Affiliation, Guardianship, Person, PersonCommand, PersonEvent, Role};
use crate::domain::refusing::{exists, not_found, refuse};
use crate::domain::rule_context::RuleContext;
use crate::domain::{Actor, Aggregate, Field, Reason, Refusal, Stop};
use crate::ids::{InstitutionId, PersonId};
use crate::text::Name;

const ID: &str = "person_id";

impl Person {
    /// Whether the person is a student somewhere.
    pub fn is_student(&self) -> bool {
        self.affiliations.iter().any(|at| at.role == Role::Student)
    }

    /// Whether the person is a teacher, pedagogue or leader somewhere.
    pub fn is_staff(&self) -> bool {
        self.affiliations.iter().any(|at| at.role.is_staff())
    }

    /// Whether the person is a teacher, pedagogue or leader at an institution.
    pub fn works_at(&self, institution: InstitutionId) -> bool {
        let mut places = self.affiliations.iter();
        places.any(|at| at.institution == institution && at.role.is_staff())
    }

    /// Whether somebody is the child's guardian on a day.
    pub fn guardian_on(&self, guardian: PersonId, day: Date) -> bool {
        self.guardians
            .get(&guardian)
            .is_some_and(|last| last.is_none_or(|last| day <= last))
    }
}

impl PersonCommand {
    pub(in crate::domain) fn decide(
        &self,
        ask: &RuleContext<'_>,
        id: PersonId,
    ) -> Result<Vec<PersonEvent>, Stop> {
        let state = ask.load(id)?;
        let now = match state.as_deref() {
            Some(Aggregate::Person(now)) => Some(now),
            _ => None,
        };
        let there = || {
            now.ok_or_else(|| not_found(Reason::PersonNotFound, "person", ID, id, Field::Target))
        };
        match self {
            Self::Register { name } => match now {
                None => Ok(vec![PersonEvent::Registered { name: name.clone() }]),
                Some(_) => exists("person", ID, id, Field::Target),
            },
            Self::Rename { name } if there()?.name == *name => Ok(Vec::new()),
            Self::Rename { name } => Ok(vec![PersonEvent::Renamed { name: name.clone() }]),
            Self::SetAffiliation(set) if there()?.affiliations.contains(set) => Ok(Vec::new()),
            Self::SetAffiliation(set) => {
                ask.institution(set.institution, Field::AffiliationInstitution)?;
                Ok(vec![PersonEvent::AffiliationSet(set.clone())])
            }
            Self::EndAffiliation { institution, role } => {
                let mut places = there()?.affiliations.iter();
                match places.any(|at| (at.institution, at.role) == (*institution, *role)) {
                    true => Ok(vec![PersonEvent::AffiliationEnded {
                        institution: *institution,
                        role: *role,
                    }]),
                    false => Err(not_found(
                        Reason::AffiliationNotFound,
                        "affiliation of the person with this role at institution",
                        "institution_id",
                        institution,
                        Field::Institution,
                    )),
                }
            }
            Self::SetGuardianship(set) => {
                let now = there()?;
                guardian(ask, id, set.guardian, Field::GuardianshipGuardian)?;
                Ok(match now.guardians.get(&set.guardian) {
                    Some(last_day) if *last_day == set.last_day => Vec::new(),
                    Some(_) | None => vec![PersonEvent::GuardianshipSet(set.clone())],
                })
            }
            Self::EndGuardianship { guardian, last_day } => {
                match there()?.guardians.get(guardian) {
                    Some(Some(ended)) if ended == last_day => Ok(Vec::new()),
                    Some(_) => Ok(vec![PersonEvent::GuardianshipEnded {
                        guardian: *guardian,
                        last_day: *last_day,
                    }]),
                    None => Err(not_found(
                        Reason::GuardianshipNotFound,
                        "guardianship of this student by person",
                        "guardian_id",
                        guardian,
                        Field::Guardian,
                    )),
                }
            }
            Self::Depart { on, reason } => match there()?.departed {
                None => Ok(vec![PersonEvent::Departed {
                    last_day: *on,
                    reason: reason.clone(),
                }]),
                Some(_) => {
                    let message = format!("person {id} has already left");
                    refuse(Refusal::new(Reason::AlreadyDeparted, message).with(ID, id))
                }
            },
            Self::Return => match there()?.departed {
                Some(_) => Ok(vec![PersonEvent::Returned {}]),
                None => {
                    let message = format!("person {id} has not left");
                    refuse(Refusal::new(Reason::NotDeparted, message).with(ID, id))
                }
            },
            Self::Put {
                name,
                affiliations,
                departed,
            } => put(ask, now, name, affiliations, *departed),
            Self::PutGuardians {
                guardians,
                last_day_of_others,
            } => {
                let now = there()?;
                put_guardians(ask, id, now, guardians, *last_day_of_others)
            }
        }
    }
}

fn guardian(
    ask: &RuleContext<'_>,
    child: PersonId,
    guardian: PersonId,
    field: Field,
) -> Result<(), Stop> {
    if child == guardian {
        let message = format!("person {child} cannot be their own guardian");
        return refuse(
            Refusal::new(Reason::SelfGuardianship, message)
                .field(field)
                .with(ID, child),
        );
    }
    ask.person(guardian, field, |_| Ok(()))
}

fn put(
    ask: &RuleContext<'_>,
    now: Option<&Person>,
    name: &Name,
    affiliations: &BTreeSet<Affiliation>,
    departed: bool,
) -> Result<Vec<PersonEvent>, Stop> {
    let mut events = Vec::new();
    match now {
        None => events.push(PersonEvent::Registered { name: name.clone() }),
        Some(now) if now.name != *name => {
            events.push(PersonEvent::Renamed { name: name.clone() });
        }
        Some(_) => {}
    }
    // Each institution and role counts once, whatever grades the command gives for it. The last
    // grade counts.
    let places = |set: &BTreeSet<Affiliation>| -> BTreeMap<_, _> {
        set.iter()
            .map(|at| ((at.institution, at.role), at.clone()))
            .collect()
    };
    let wanted = places(affiliations);
    let present = now.map(|now| places(&now.affiliations)).unwrap_or_default();
    for (institution, role) in present.keys().filter(|place| !wanted.contains_key(place)) {
        events.push(PersonEvent::AffiliationEnded {
            institution: *institution,
            role: *role,
        });
    }
    for (place, affiliation) in &wanted {
        if present.get(place) != Some(affiliation) {
            ask.institution(place.0, Field::AffiliationsInstitution)?;
            events.push(PersonEvent::AffiliationSet(affiliation.clone()));
        }
    }
    let departure = now.and_then(|now| now.departed.as_ref());
    match (departure.map(|departure| departure.by), departed) {
        (None, true) => events.push(PersonEvent::Departed {
            last_day: None,
            reason: None,
        }),
        (Some(Actor::System(_)), false) => events.push(PersonEvent::Returned {}),
        // A leader may have noted a departure that the roster does not know yet. The roster does
        // not take that back.
        (Some(Actor::Person(_)), false) | (Some(_), true) | (None, false) => {}
    }
    Ok(events)
}

fn put_guardians(
    ask: &RuleContext<'_>,
    id: PersonId,
    now: &Person,
    wanted: &BTreeSet<Guardianship>,
    last_day_of_others: Date,
) -> Result<Vec<PersonEvent>, Stop> {
    let wanted: BTreeMap<_, _> = wanted
        .iter()
        .map(|set| (set.guardian, set.last_day))
        .collect();
    let mut events = Vec::new();
    for (other, last_day) in &now.guardians {
        let still_holds = last_day.is_none_or(|last| last > last_day_of_others);
        if !wanted.contains_key(other) && still_holds {
            let (guardian, last_day) = (*other, last_day_of_others);
            events.push(PersonEvent::GuardianshipEnded { guardian, last_day });
        }
    }
    for (other, last_day) in &wanted {
        guardian(ask, id, *other, Field::GuardiansGuardian)?;
        if now.guardians.get(other) != Some(last_day) {
            let set = Guardianship {
                guardian: *other,
                last_day: *last_day,
            };
            events.push(PersonEvent::GuardianshipSet(set));
        }
    }
    Ok(events)
}
