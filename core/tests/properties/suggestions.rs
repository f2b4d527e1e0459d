//! Who looks as if they had left: against a naive look at all states and events, after every command and
//! after a rebuild. What was dismissed does not come back for the same evidence.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use planledger_core::domain::person::{
    Evidence, Person, PersonCommand, PersonEvent, Role, RosterRecord,
};
use planledger_core::domain::{Aggregate, Command, Event};
use planledger_core::ids::{InstitutionId, PersonId, Position, StreamId, StreamKind};
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

/// A roster gives people a place or takes the last one, has them in a class or in none any more, and a
/// leader decides about that.
pub(crate) fn places() -> impl Strategy<Value = Act> + Clone {
    let which = (0_usize..2, 0_usize..2, 0_usize..2, 0_usize..14);
    which.prop_map(|(who, institution, source, what)| {
        let person = [STUDENT, PEDAGOGUE][who];
        let institution = INSTITUTIONS[institution];
        let role = [Role::Student, Role::Pedagogue][who];
        let source = SourceName::new(["Kommune A", "Kommune B"][source]).unwrap();
        let since = START.day_in_denmark();
        let decide = |evidence, confirmed| PersonCommand::DecideSuggestion {
            evidence,
            confirmed,
            last_day: None,
            reason: None,
        };
        let put = |affiliations, enrolled| PersonCommand::Put {
            name: name("Navnet"),
            affiliations,
            departed: false,
            record: Some(RosterRecord {
                source: source.clone(),
                sourced_id: ExternalId::new("x1").unwrap(),
                user_ids: Default::default(),
                enabled: true,
                enrolled,
                profiles: None,
            }),
        };
        let place = || [affiliation(institution, role)].into();
        let command = match what {
            0 => decide(Evidence::NoPlaceLeft { institution, since }, false),
            1 => decide(Evidence::NoEnrolmentLeft { since }, institution == SCHOOL),
            2 => PersonCommand::Return,
            3 => PersonCommand::NoteAbsence {
                source: source.clone(),
                last_seen: since,
            },
            4 | 5 => put(place(), None),
            6..=8 => put(place(), Some(true)),
            9..=11 => put(place(), Some(false)),
            _ => put(BTreeSet::new(), None),
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

/// The day on which the last source that had somebody in a class stopped having them in one, of
/// everybody of whom no source says now that they are in one.
fn unenrolled(memory: &Memory) -> BTreeMap<PersonId, Date> {
    let mut in_class: BTreeMap<PersonId, BTreeMap<SourceName, bool>> = BTreeMap::new();
    let mut said = BTreeMap::new();
    let mut since = BTreeMap::new();
    for recorded in memory.recorded() {
        let id = PersonId::from_uuid(recorded.meta.stream.id);
        let (source, now) = match &recorded.event {
            Event::Person(
                PersonEvent::RecordedInRoster(record)
                | PersonEvent::Registered {
                    record: Some(record),
                    ..
                },
            ) => {
                let before = said.get(&(id, record.source.clone())).copied();
                let now = record.enrolled.or(before).unwrap_or(false);
                said.insert((id, record.source.clone()), now);
                (&record.source, now)
            }
            Event::Person(PersonEvent::AbsentFromRoster { source, .. }) => (source, false),
            _ => continue,
        };
        let sources = in_class.entry(id).or_default();
        let was = sources.values().any(|enrolled| *enrolled);
        sources.insert(source.clone(), now);
        if sources.values().any(|enrolled| *enrolled) {
            since.remove(&id);
        } else if was {
            since.insert(id, recorded.meta.recorded_at.day_in_denmark());
        }
    }
    since
}

/// Which of the two institutions asks about last places at one of them.
fn asking(memory: &Memory, institution: InstitutionId) -> InstitutionId {
    let successor = |of: InstitutionId| match memory.state(of) {
        Some(Aggregate::Institution(found)) => found.succeeded_by.filter(|by| *by != of),
        _ => None,
    };
    match successor(institution) {
        Some(next) if successor(next).is_none() => next,
        Some(_) | None => institution,
    }
}

fn expected(memory: &Memory, institution: InstitutionId) -> Found {
    let mut found = Found::new();
    let unenrolled = unenrolled(memory);
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
        let last = last.filter(|it| asking(memory, it.institution) == institution);
        let asked_here = here || last.is_some() || !lost.is_empty();
        let lost_by_all = absence(person);
        let mut roles = person.affiliations.iter().map(|at| at.role);
        let counts = roles.any(|role| role == Role::Student || role.is_staff());
        let day = unenrolled
            .get(&id)
            .filter(|_| here && counts && lost_by_all.is_none());
        let without_enrolment = day.map(|since| Evidence::NoEnrolmentLeft { since: *since });
        let absence = lost_by_all.filter(|_| asked_here);
        let place = last.filter(|_| !person.records.is_empty());
        let without_place = place.map(|it| Evidence::NoPlaceLeft {
            institution: it.institution,
            since: it.ended,
        });
        let found_here = [absence, elsewhere, without_place, without_enrolment];
        let mut evidence: Vec<_> = found_here.into_iter().flatten().collect();
        let decided = |it: &_| person.confirmed.contains(it) || person.dismissed.contains(it);
        evidence.retain(|it| person.departed.is_none() && !decided(it));
        if !evidence.is_empty() {
            found.insert(id, evidence);
        }
    }
    found
}

/// Nobody decides that an owner works elsewhere unless the list says so, also for whoever is on the
/// staff of what they own.
fn assert_only_listed_owners_can_be_decided_about(
    memory: &Memory,
    institution: InstitutionId,
    listed: &Found,
) -> TestCaseResult {
    let evidence = Evidence::OwnerElsewhere { institution };
    let is_person = |stream: &StreamId| stream.kind == StreamKind::Person;
    for stream in memory.streams().filter(is_person) {
        let person = PersonId::from_uuid(stream.id);
        let decide = PersonCommand::DecideSuggestion {
            evidence: evidence.clone(),
            confirmed: false,
            last_day: None,
            reason: None,
        };
        let decided = memory.decide(SYSTEM, &Command::Person(person, decide));
        let is_listed = listed
            .get(&person)
            .is_some_and(|found| found.contains(&evidence));
        prop_assert_eq!(decided.is_ok(), is_listed);
    }
    Ok(())
}

fn assert_suggestions(
    ledger: &Ledger,
    memory: &Memory,
    dismissed: &BTreeSet<(PersonId, Evidence)>,
) -> TestCaseResult {
    for institution in INSTITUTIONS {
        let found = listed(ledger, institution);
        prop_assert_eq!(&found, &expected(memory, institution));
        assert_only_listed_owners_can_be_decided_about(memory, institution, &found)?;
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
        prop_oneof![2 => acts(), 2 => container_acts(), 2 => places()],
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
                    // Whoever works there again may be an owner elsewhere again.
                    let last = memory.recorded().last().map(|last| &last.event);
                    if let Some(Event::Person(PersonEvent::AffiliationSet(at))) = last
                        && at.role.is_staff()
                    {
                        let institution = at.institution;
                        dismissed.remove(&(id, Evidence::OwnerElsewhere { institution }));
                    }
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
