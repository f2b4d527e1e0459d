//! Who owns what, and what nobody owns who is still there: against a naive look at all states, after
//! every command, at every position that has passed, and after a rebuild.

use std::collections::{BTreeMap, BTreeSet};

use planledger_core::domain::Aggregate;
use planledger_core::domain::person::Evidence;
use planledger_core::domain::year_plan::Place;
use planledger_core::ids::{InstitutionId, PersonId, Position, StreamId, TeamId};
use planledger_core::ledger::{Ledger, rebuild};
use planledger_core::recovery::{owned, ownerless};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use crate::properties::acts::{acts, container_acts, founding};
use crate::properties::check::check;
use crate::properties::place::{JournalledLedger, run};
use planledger_fixtures::Memory;
use planledger_fixtures::place::events_after;
use planledger_fixtures::school::*;

pub(super) const INSTITUTIONS: [InstitutionId; 2] = [SCHOOL, OTHER_SCHOOL];
type Owners = BTreeMap<PersonId, Vec<StreamId>>;

/// The owner of something, and where it belongs.
pub(super) fn ownership(memory: &Memory, stream: StreamId) -> Option<(Option<PersonId>, Place)> {
    match memory.state(stream)? {
        Aggregate::Team(team) => {
            let place = Place {
                institution: team.details.institution,
                team: TeamId::from_uuid(stream.id),
            };
            Some((team.owner, place))
        }
        Aggregate::YearPlan(plan) => Some((Some(plan.owner), plan.details.place())),
        Aggregate::Plan(plan) => {
            let (_, place) = ownership(memory, plan.year_plan.into())?;
            Some((Some(plan.owner), place))
        }
        _ => None,
    }
}

fn owners(memory: &Memory) -> Owners {
    let mut owners = Owners::new();
    for stream in memory.streams() {
        if let Some((Some(owner), _)) = ownership(memory, stream) {
            owners.entry(owner).or_default().push(stream);
        }
    }
    owners
}

/// Whether somebody is staff of the institution or of the team, has not left, and is still in a
/// roster or never was.
pub(super) fn is_there(memory: &Memory, id: PersonId, place: Place) -> bool {
    let Some(Aggregate::Person(person)) = memory.state(id) else {
        return true;
    };
    let mut works = person.affiliations.iter().filter(|at| at.role.is_staff());
    let works_there = match memory.state(place.team) {
        Some(Aggregate::Team(team)) if team.staff.contains_key(&id) => works.next().is_some(),
        _ => {
            works.clone().next().is_some() && {
                let institution = place.institution;
                let elsewhere = Evidence::OwnerElsewhere { institution };
                works.any(|at| at.institution == institution)
                    || person.dismissed.contains(&elsewhere)
            }
        }
    };
    let last_seen = person.absent.values().max();
    let sure = person.dismissed.iter().any(|evidence| match evidence {
        Evidence::AbsentFromRoster {
            last_seen: on,
            source,
        } => {
            let mut newest = person
                .absent
                .iter()
                .filter(|(_, day)| Some(*day) == last_seen);
            newest.next_back() == Some((source, on))
        }
        Evidence::OwnerElsewhere { .. }
        | Evidence::NoPlaceLeft { .. }
        | Evidence::NoEnrolmentLeft { .. } => false,
    });
    let known = person.records.keys().chain(person.absent.keys());
    let sources: BTreeSet<_> = known.collect();
    let missing = !sources.is_empty() && sources.len() == person.absent.len();
    person.departed.is_none() && works_there && (sure || !missing)
}

fn without_owner(memory: &Memory, institution: InstitutionId) -> Vec<StreamId> {
    let streams = memory.streams();
    let without = streams.filter(|stream| {
        let found = ownership(memory, *stream);
        found.is_some_and(|(owner, at)| {
            at.institution == institution && owner.is_none_or(|owner| !is_there(memory, owner, at))
        })
    });
    without.collect()
}

/// The lists of what has no present owner are what a look at all states gives.
pub(super) fn assert_ownerless(ledger: &Ledger, memory: &Memory) -> TestCaseResult {
    for institution in INSTITUTIONS {
        let (found, _) = ledger
            .read(|reading| ownerless(reading, institution))
            .unwrap();
        prop_assert_eq!(&*found, &without_owner(memory, institution));
    }
    Ok(())
}

#[test]
fn what_is_owned_and_what_is_not_is_what_the_states_say() {
    let stories = prop::collection::vec(prop_oneof![acts(), container_acts()], 1..50);
    check(24, &stories, |story| {
        let place = JournalledLedger::new();
        let (ledger, log) = place.open();
        run(&ledger, founding());
        let (mut memory, mut then) = (Memory::default(), Vec::new());
        let mut persons = BTreeSet::from([NOBODY]);
        let mut at = Position::ZERO;
        for act in [None].into_iter().chain(story.into_iter().map(Some)) {
            run(&ledger, act.into_iter().collect());
            for event in events_after(&ledger, at) {
                memory.fold_recorded(&event);
                at = event.position;
                then.push((at, event.recorded_at, owners(&memory)));
            }
            assert_ownerless(&ledger, &memory)?;
            persons.extend(owners(&memory).into_keys());
        }
        for (index, (position, instant, owners)) in then.iter().enumerate() {
            // A command's events are of one instant, and all of them are before what follows.
            let is_last = then.get(index + 1).is_none_or(|next| next.1 != *instant);
            if is_last {
                prop_assert_eq!(ledger.position_at(*instant).unwrap(), *position);
            }
            for person in &persons {
                let read = ledger.read_at(*position, |reading| owned(reading, *person));
                let expected = owners.get(person).cloned().unwrap_or_default();
                prop_assert_eq!(read.unwrap().0, expected, "{} at {}", person, position);
            }
        }
        drop(ledger);
        drop(log);
        rebuild(place.options()).unwrap();
        let (ledger, _) = place.open();
        assert_ownerless(&ledger, &memory)
    });
}
