//! Works out who becomes the new owner of each item of a transfer.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::owned::owned;
use super::proposal::{Proposed, Why, absent};
use super::request::{Fallback, Rule, Transfer, What};
use super::school::{Ownable, RosterQueries};
use crate::domain::recovery::Step;
use crate::domain::{Aggregate, Field, Reason, Refusal, RequestField, Stop, can_own};
use crate::ids::{InstitutionId, PersonId, PlanId, StreamId, YearPlanId};
use crate::ledger::ReadError;

/// The new owner of an item, and why this person.
pub(super) type Successor = (PersonId, Why);

impl RosterQueries<'_, '_> {
    pub(super) fn transfer(&self, request: &Transfer) -> Result<Vec<Proposed>, Stop> {
        let streams = match &request.what {
            What::Everything { of, institution } => {
                if self.person(*of, |_| ())?.is_none() {
                    let field = Field::Request(RequestField::TransferFrom);
                    return Err(unknown(*of, field).into());
                }
                let all = owned(self.reading, *of)?;
                let mut streams = Vec::with_capacity(all.len());
                for stream in all {
                    let thing = self.thing(stream)?;
                    if thing.is_some_and(|thing| {
                        institution.is_none_or(|wanted| wanted == thing.place.institution)
                    }) {
                        streams.push(stream);
                    }
                }
                streams
            }
            What::Items(streams) => streams.iter().copied().collect(),
        };
        if let (What::Everything { of, .. }, Rule::To(to)) = (&request.what, &request.rule)
            && of == to
        {
            let message = format!("person {to} cannot be both the old and the new owner");
            let refusal = Refusal::new(Reason::AlreadyOwner, message);
            let refusal = refusal.field(Field::Request(RequestField::TransferTo));
            return Err(refusal.with("person_id", to).into());
        }
        for (person, field) in named(request) {
            can_own(&self.world(), person, None, field)?;
        }
        let mut leaders = BTreeMap::new();
        let mut items = Vec::with_capacity(streams.len());
        for stream in streams {
            let item = match self.thing(stream)? {
                Some(thing) => self.propose_owner(request, stream, &thing, &mut leaders)?,
                None => Proposed {
                    stream,
                    step: Err(absent(stream)),
                    why: Why::Asked,
                },
            };
            items.push(item);
        }
        Ok(items)
    }

    /// Proposes who owns an item from now on.
    pub(super) fn propose_owner(
        &self,
        request: &Transfer,
        stream: StreamId,
        thing: &Ownable,
        leaders: &mut BTreeMap<InstitutionId, Vec<PersonId>>,
    ) -> Result<Proposed, ReadError> {
        let mut successor = Stop::verdict(self.successor(&request.rule, stream, thing))?;
        // If everything is to go to one person, nobody else takes that person's place unasked.
        if successor.is_err() && !matches!(request.rule, Rule::To(_)) {
            let fallback = match request.fallback {
                Fallback::Nobody => None,
                Fallback::To(person) => Some(person),
                Fallback::Leader => {
                    let all = match leaders.entry(thing.place.institution) {
                        Entry::Occupied(known) => known.into_mut(),
                        Entry::Vacant(new) => new.insert(self.leaders(thing.place.institution)?),
                    };
                    // The items of one institution have different owners, so each item looks for
                    // its own leader.
                    let mut all = all.iter().copied();
                    all.find(|leader| Some(*leader) != thing.owner)
                }
            };
            if let Some(person) = fallback {
                successor = Stop::verdict(self.fit(person, thing, Why::Fallback))?;
            }
        }
        let (step, why) = match successor {
            Ok((to, why)) => (owner_step(stream, thing, to), why),
            Err(refusal) => (Err(refusal), Why::Asked),
        };
        Ok(Proposed { stream, step, why })
    }

    /// Chooses the new owner of an item by the rule.
    fn successor(&self, rule: &Rule, stream: StreamId, thing: &Ownable) -> Result<Successor, Stop> {
        let none = |what: String| Err(Refusal::new(Reason::NoSuccessor, what).into());
        match rule {
            Rule::To(person) => self.fit(*person, thing, Why::Asked),
            Rule::Team => {
                let mut found = self.suggestions(stream, thing)?.into_iter();
                match found.find(|found| found.on_team) {
                    Some(found) if found.evaluations > 0 => {
                        let evaluations = found.evaluations;
                        Ok((found.person, Why::EvaluatesMost { evaluations }))
                    }
                    Some(found) => Ok((found.person, Why::SharesTeam)),
                    None => none(format!(
                        "nobody else is on the staff of team {}",
                        thing.place.team
                    )),
                }
            }
            Rule::PerTeam(persons) => match persons.get(&thing.place.team) {
                Some(person) => self.fit(*person, thing, Why::NamedForTeam),
                None => none(format!(
                    "the request names no new owner for team {}",
                    thing.place.team
                )),
            },
            Rule::PerSubject(persons) => {
                let mut subjects = thing.subjects.iter();
                match subjects.find_map(|subject| persons.get(subject)) {
                    Some(person) => self.fit(*person, thing, Why::NamedForSubject),
                    None => none(
                        "the request names no new owner for the subjects of this year plan"
                            .to_owned(),
                    ),
                }
            }
        }
    }

    /// Checks that the rules allow a person as the next owner of an item.
    pub(super) fn fit(
        &self,
        person: PersonId,
        thing: &Ownable,
        why: Why,
    ) -> Result<Successor, Stop> {
        if thing.owner == Some(person) {
            let message = format!("person {person} is already the owner");
            let refusal = Refusal::new(Reason::AlreadyOwner, message);
            return Err(refusal.with("person_id", person).into());
        }
        can_own(&self.world(), person, Some(thing.place), Field::NewOwner)?;
        Ok((person, why))
    }
}

/// Every person whom the request names as a new owner, with the request's field.
fn named(request: &Transfer) -> Vec<(PersonId, Field)> {
    let fallback = match request.fallback {
        Fallback::To(person) => Some((person, Field::Request(RequestField::TransferFallback))),
        Fallback::Nobody | Fallback::Leader => None,
    };
    let by_rule: Vec<_> = match &request.rule {
        Rule::To(person) => vec![(*person, Field::Request(RequestField::TransferTo))],
        Rule::Team => Vec::new(),
        Rule::PerTeam(persons) => {
            let persons = persons.values();
            persons
                .map(|person| {
                    (
                        *person,
                        Field::Request(RequestField::TransferSuccessorOfTeam),
                    )
                })
                .collect()
        }
        Rule::PerSubject(persons) => {
            let persons = persons.values();
            persons
                .map(|person| {
                    (
                        *person,
                        Field::Request(RequestField::TransferSuccessorOfSubject),
                    )
                })
                .collect()
        }
    };
    by_rule.into_iter().chain(fallback).collect()
}

pub(super) fn owner_step(stream: StreamId, thing: &Ownable, to: PersonId) -> Result<Step, Refusal> {
    match (&*thing.state, thing.owner) {
        (Aggregate::Team(_), from) => Ok(Step::TeamOwner {
            team: thing.place.team,
            from,
            to,
        }),
        (Aggregate::YearPlan(_), Some(from)) => Ok(Step::YearPlanOwner {
            year_plan: YearPlanId::from_uuid(stream.id),
            from,
            to,
        }),
        (Aggregate::Plan(_), Some(from)) => Ok(Step::PlanOwner {
            plan: PlanId::from_uuid(stream.id),
            from,
            to,
        }),
        _ => Err(absent(stream)),
    }
}

fn unknown(person: PersonId, field: Field) -> Refusal {
    let message = format!("there is no person {person}");
    Refusal::new(Reason::PersonNotFound, message)
        .field(field)
        .with("person_id", person)
}
