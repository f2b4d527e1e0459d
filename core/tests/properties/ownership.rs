//! Who owns what, and what nobody owns who is still there: against a naive look at all states, after
//! every command, at every position that has passed, and after a rebuild.

use std::collections::{BTreeMap, BTreeSet};

use planledger_core::domain::Aggregate;
use planledger_core::ids::{InstitutionId, PersonId, Position, StreamId};
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

const INSTITUTIONS: [InstitutionId; 2] = [SCHOOL, OTHER_SCHOOL];
type Owners = BTreeMap<PersonId, Vec<StreamId>>;

/// The owner of something, and where it belongs.
fn ownership(memory: &Memory, stream: StreamId) -> Option<(Option<PersonId>, InstitutionId)> {
    match memory.state(stream)? {
        Aggregate::Team(team) => Some((team.owner, team.details.institution)),
        Aggregate::YearPlan(plan) => Some((Some(plan.owner), plan.details.institution)),
        Aggregate::Plan(plan) => {
            let (_, institution) = ownership(memory, plan.year_plan.into())?;
            Some((Some(plan.owner), institution))
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

fn without_owner(memory: &Memory, institution: InstitutionId) -> Vec<StreamId> {
    let has_left = |person: PersonId| match memory.state(person) {
        Some(Aggregate::Person(person)) => person.departed.is_some(),
        _ => false,
    };
    let streams = memory.streams();
    let without = streams.filter(|stream| {
        let found = ownership(memory, *stream);
        found.is_some_and(|(owner, at)| at == institution && owner.is_none_or(has_left))
    });
    without.collect()
}

fn assert_ownerless(ledger: &Ledger, memory: &Memory) -> TestCaseResult {
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
