//! Who looks as if they had left: against a naive look at all states, after every command and after a
//! rebuild. What was dismissed does not come back for the same evidence.

use std::collections::{BTreeMap, BTreeSet};

use planledger_core::domain::person::{
    Evidence, Person, PersonCommand, Role, RosterRecord, UserIds,
};
use planledger_core::domain::{Aggregate, Command};
use planledger_core::ids::{InstitutionId, PersonId, Position};
use planledger_core::ledger::{Ledger, rebuild};
use planledger_core::recovery::leavers;
use planledger_core::text::{ExternalId, SourceName};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use crate::properties::acts::{Act, acts, container_acts, founding};
use crate::properties::check::check;
use crate::properties::ownership::{INSTITUTIONS, is_there, ownership};
use crate::properties::place::{JournalledLedger, run};
use planledger_fixtures::Memory;
use planledger_fixtures::place::{START, events_after};
use planledger_fixtures::school::*;

/// A roster gives people a place or takes the last one, and a leader decides about that.
fn places() -> impl Strategy<Value = Act> + Clone {
    (0_usize..2, 0_usize..2, 0_usize..5).prop_map(|(who, institution, what)| {
        let person = [STUDENT, PEDAGOGUE][who];
        let institution = INSTITUTIONS[institution];
        let role = [Role::Student, Role::Pedagogue][who];
        let put = |affiliations| PersonCommand::Put {
            name: name("Navnet"),
            affiliations,
            departed: false,
            record: Some(RosterRecord {
                source: SourceName::new("Kommune A").unwrap(),
                sourced_id: ExternalId::new("x1").unwrap(),
                user_ids: UserIds::default(),
                enabled: true,
            }),
        };
        let command = match what {
            0 => PersonCommand::DecideSuggestion {
                evidence: Evidence::NoPlaceLeft {
                    institution,
                    since: START.day_in_denmark(),
                },
                confirmed: false,
                last_day: None,
                reason: None,
            },
            1 | 2 => put([affiliation(institution, role)].into()),
            _ => put(BTreeSet::new()),
        };
        Act {
            actor: SYSTEM,
            command: Command::Person(person, command),
        }
    })
}

type Found = BTreeMap<PersonId, Vec<Evidence>>;

fn listed(ledger: &Ledger, institution: InstitutionId) -> Found {
    let mut all = Found::new();
    // Pages of two, one after the other, give everybody once.
    loop {
        let after = all.keys().next_back().copied();
        let (found, _) = ledger
            .read(|reading| leavers(reading, institution, after, 2))
            .unwrap();
        let last = found.len() < 2;
        all.extend(
            found
                .into_iter()
                .map(|found| (found.person, found.evidence)),
        );
        if last {
            return all;
        }
    }
}

/// The newest absence of somebody whom every source has lost.
fn absence(person: &Person) -> Option<Evidence> {
    let lost = |source| person.absent.contains_key(source);
    let newest = person
        .absent
        .iter()
        .max_by_key(|(source, day)| (*day, *source));
    let (source, last_seen) = newest.filter(|_| person.records.keys().all(lost))?;
    Some(Evidence::AbsentFromRoster {
        source: source.clone(),
        last_seen: *last_seen,
    })
}

fn expected(memory: &Memory, institution: InstitutionId) -> Found {
    let mut found = Found::new();
    for stream in memory.streams() {
        let Some(Aggregate::Person(person)) = memory.state(stream) else {
            continue;
        };
        let id = PersonId::from_uuid(stream.id);
        let owned = memory
            .streams()
            .filter_map(|thing| ownership(memory, thing));
        let owned = owned.filter(|(owner, at)| *owner == Some(id) && at.institution == institution);
        let lost: Vec<_> = owned.filter(|(_, at)| !is_there(memory, id, *at)).collect();
        let on_team = |team| match memory.state(team) {
            Some(Aggregate::Team(team)) => team.staff.contains_key(&id),
            _ => false,
        };
        let mut places = person.affiliations.iter();
        let here = places.any(|at| at.institution == institution);
        let mut jobs = person.affiliations.iter().filter(|at| at.role.is_staff());
        let works = jobs.clone().next().is_some();
        let works_here = jobs.any(|at| at.institution == institution);
        let elsewhere = works && !works_here && lost.iter().any(|(_, at)| !on_team(at.team));
        let elsewhere = elsewhere.then_some(Evidence::OwnerElsewhere { institution });
        let last = person.last_place.as_ref();
        let last = last.filter(|it| it.institution == institution);
        let asked_here = here || last.is_some() || !lost.is_empty();
        let absence = absence(person).filter(|_| asked_here);
        let place = last.filter(|_| !person.records.is_empty());
        let without_place = place.map(|it| Evidence::NoPlaceLeft {
            institution,
            since: it.ended,
        });
        let found_here = [absence, elsewhere, without_place];
        let mut evidence: Vec<_> = found_here.into_iter().flatten().collect();
        let decided = |it: &_| person.confirmed.contains(it) || person.dismissed.contains(it);
        evidence.retain(|it| person.departed.is_none() && !decided(it));
        if !evidence.is_empty() {
            found.insert(id, evidence);
        }
    }
    found
}

fn assert_suggestions(
    ledger: &Ledger,
    memory: &Memory,
    dismissed: &BTreeSet<(PersonId, Evidence)>,
) -> TestCaseResult {
    for institution in INSTITUTIONS {
        let found = listed(ledger, institution);
        prop_assert_eq!(&found, &expected(memory, institution));
        for (person, evidence) in found {
            for it in evidence {
                prop_assert!(!dismissed.contains(&(person, it)));
            }
        }
    }
    Ok(())
}

#[test]
fn who_may_have_left_is_what_the_states_say_and_what_was_dismissed_stays_away() {
    let stories = prop::collection::vec(
        prop_oneof![2 => acts(), 2 => container_acts(), 1 => places()],
        1..60,
    );
    check(24, &stories, |story| {
        let place = JournalledLedger::new();
        let (ledger, log) = place.open();
        run(&ledger, founding());
        let (mut memory, mut dismissed) = (Memory::default(), BTreeSet::new());
        let mut at = Position::ZERO;
        for act in [None].into_iter().chain(story.into_iter().map(Some)) {
            run(&ledger, act.into_iter().collect());
            for event in events_after(&ledger, at) {
                memory.fold_recorded(&event);
                at = event.position;
                if let Some(Aggregate::Person(person)) = memory.state(event.stream) {
                    let id = PersonId::from_uuid(event.stream.id);
                    dismissed.extend(person.dismissed.iter().map(|it| (id, it.clone())));
                }
            }
            assert_suggestions(&ledger, &memory, &dismissed)?;
        }
        drop(ledger);
        drop(log);
        rebuild(place.options()).unwrap();
        let (ledger, _) = place.open();
        assert_suggestions(&ledger, &memory, &dismissed)
    });
}
