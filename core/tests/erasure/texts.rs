//! Every text that people write can be redacted, wherever it stands, and everything else stays.

use std::collections::BTreeMap;
use std::path::Path;

use planledger_core::domain::erasure::{ErasureCommand, Left, Target};
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::team::TeamCommand;
use planledger_core::domain::year_plan::{UnitDetails, YearPlanCommand};
use planledger_core::domain::{Actor, Aggregate, Command, Event, EventMeta};
use planledger_core::ids::{ErasureId, Position, Revision, StreamId};
use planledger_core::ledger::{Envelope, Ledger, Payload, RecordedEvent, StreamFold};
use planledger_core::text::REDACTED;
use planledger_core::verify::{Depth, verify_dir};
use planledger_fixtures::commands;
use planledger_fixtures::place::{TempLedger, copy, dump, events, files};
use planledger_fixtures::school::*;

use super::{decide, fresh, place};
use crate::audit::school::NotarisedSchool;

/// Stands in every text that the tests here write, and nowhere else.
const NAMED: &str = "Kanariefuglen";

/// A school in which people name somebody where nobody would look for it.
fn school() -> NotarisedSchool {
    let school = NotarisedSchool::new();
    let details = UnitDetails {
        title: title("Kanariefuglens eventyr"),
        subject: Some(name("Dansk")),
        description: Some(text("Her lærer Kanariefuglen at læse")),
    };
    let reason = |words: &str| why(words);
    let commands = [
        Command::YearPlan(YEAR_PLAN, commands::add_unit(UNIT, details)),
        Command::Plan(PLAN, PlanCommand::IncludeUnit(THE_UNIT)),
        Command::YearPlan(
            YEAR_PLAN,
            YearPlanCommand::DeleteUnit {
                unit: UNIT,
                reason: reason("Kanariefuglen er flyttet"),
            },
        ),
        Command::YearPlan(YEAR_PLAN, YearPlanCommand::UndeleteUnit { unit: UNIT }),
        Command::Plan(
            PLAN,
            PlanCommand::Withdraw {
                reason: reason("Kanariefuglen bad om det"),
            },
        ),
        Command::YearPlan(
            YEAR_PLAN,
            YearPlanCommand::Delete {
                reason: reason("efter aftale med Kanariefuglen"),
            },
        ),
        Command::Team(
            TEAM,
            TeamCommand::Delete {
                reason: reason("Kanariefuglen var den sidste"),
            },
        ),
    ];
    for command in commands {
        let envelope = Envelope::new(fresh(), command);
        school.ledger.execute(SYSTEM, envelope).unwrap();
    }
    school.ledger.settle();
    school
}

fn meta(event: &RecordedEvent) -> EventMeta {
    EventMeta {
        stream: event.stream,
        revision: event.revision,
        recorded_at: event.recorded_at,
        actor: event.actor,
        on_behalf_of: event.on_behalf_of,
    }
}

fn read(event: &RecordedEvent) -> Event {
    let (Payload::Json(json) | Payload::Left(json)) = &event.payload else {
        panic!("{event:?} can be read")
    };
    Event::from_json(event.event_type.unwrap().code, event.schema, json).unwrap()
}

fn left(event: &Event) -> Option<Event> {
    match event.without_text() {
        Left::Event(left) => Some(*left),
        Left::Nothing => None,
        Left::NoText => Some(event.clone()),
    }
}

/// The states that these events lead to without their texts.
fn states_without_text(events: &[RecordedEvent]) -> BTreeMap<StreamId, Aggregate> {
    let mut folds: BTreeMap<StreamId, StreamFold> = BTreeMap::new();
    for event in events {
        let fold = folds.entry(event.stream);
        let fold =
            fold.or_insert_with(|| StreamFold::resumed(event.stream, Revision::default(), None));
        fold.apply(&meta(event), left(&read(event)).as_ref());
    }
    let states = folds.into_iter();
    states
        .map(|(stream, fold)| (stream, (*fold.into_state().unwrap()).clone()))
        .collect()
}

fn assert_sound(dir: &Path) {
    let found = verify_dir(&TempLedger::options_in(dir), Depth::Full, &|_, _, _| {}).unwrap();
    let faults: Vec<_> = found.faults().collect();
    assert!(faults.is_empty(), "{faults:?}");
}

/// The files in which a text stands. What is sealed hides it, so the journal is read by [`events`] too.
fn holding(dir: &Path, wanted: &str) -> Vec<std::path::PathBuf> {
    let holds = |bytes: &[u8]| {
        let mut windows = bytes.windows(wanted.len());
        windows.any(|window| window == wanted.as_bytes())
    };
    let found = files(dir).into_iter().filter(|(_, bytes)| holds(bytes));
    found.map(|(path, _)| path).collect()
}

fn reads(ledger: &Ledger) -> String {
    let all = events(ledger).into_iter();
    let payloads = all.filter_map(|event| match event.payload {
        Payload::Json(json) | Payload::Left(json) => Some(String::from_utf8(json).unwrap()),
        Payload::Redacted | Payload::Erased => None,
    });
    payloads.collect()
}

#[test]
fn every_text_of_a_ledger_can_be_redacted_and_everything_else_stays() {
    let school = school();
    let before = events(&school.ledger);
    let expected = states_without_text(&before);
    let with_text: Vec<Position> = before
        .iter()
        .filter(|event| read(event).without_text() != Left::NoText)
        .map(|event| event.position)
        .collect();
    let first = before
        .iter()
        .filter(|event| event.revision == Revision::new(1));
    let first = first
        .filter(|event| with_text.contains(&event.position))
        .count();
    assert!(
        with_text.len() >= 15 && first >= 8,
        "{first} of {with_text:?}"
    );
    for position in &with_text {
        decide(&school.ledger, place(&school.ledger, *position));
    }
    let done = school.ledger.carry_out_erasures().unwrap();
    assert_eq!(done.len(), with_text.len());
    let after = events(&school.ledger);
    for (was, is) in before.iter().zip(&after) {
        assert_eq!(meta(was), meta(is));
        let redacted = with_text.contains(&is.position);
        assert_eq!(matches!(is.payload, Payload::Left(_)), redacted, "{is:?}");
        assert_eq!(Some(read(is)), left(&read(was)));
    }
    for (stream, state) in &expected {
        let (found, _) = school.ledger.read(|now| now.stream(*stream)).unwrap();
        let (found, _) = found.unwrap_or_else(|| panic!("{stream} is there"));
        assert_eq!(*found, *state, "{stream}");
    }
    assert!(!reads(&school.ledger).contains(NAMED));
    // Whoever works on goes on from what is there.
    let revised = YearPlanCommand::Undelete;
    let envelope = Envelope::new(fresh(), Command::YearPlan(YEAR_PLAN, revised));
    school.ledger.execute(SYSTEM, envelope).unwrap();
    school.ledger.settle();
    let state = dump(&school.ledger);
    let place = school.close();
    assert_sound(place.path());

    // The journal alone says all of it (P3).
    for gone in [&["derived"][..], &["derived", "erasures"]] {
        let dir = tempfile::tempdir().unwrap();
        copy(place.path(), dir.path());
        for folder in gone {
            std::fs::remove_dir_all(dir.path().join(folder)).unwrap();
        }
        let again = TempLedger::open_in(dir.path());
        again.settle();
        assert_eq!(dump(&again), state, "{gone:?}");
        assert_eq!(events(&again)[..after.len()], after[..]);
        // The past too.
        let last = after.last().unwrap().position;
        let (was, _) = again.read_at(last, |then| then.stream(PLAN)).unwrap();
        let was = was.map(|(state, _)| (*state).clone());
        assert_eq!(was.as_ref(), expected.get(&PLAN.into()), "{gone:?}");
    }
}

/// The reasons of a request stand beside the journal as well.
#[test]
fn what_was_said_of_an_act_can_be_redacted_too_and_the_act_stays_proved() {
    let mut school = NotarisedSchool::new();
    let written = school.write(PLAN, "stod i den forkerte plan").position;
    let target = place(&school.ledger, written);
    let id = ErasureId::of(target);
    let request = ErasureCommand::Request {
        target,
        basis: "Artikel 17".parse().unwrap(),
        reason: "Kanariefuglen har bedt om det".parse().unwrap(),
        retention: None,
    };
    for (who, command) in [
        (LEADER, request),
        (CLERK, ErasureCommand::Approve { reason: why(NAMED) }),
    ] {
        let envelope = Envelope::new(fresh(), Command::Erasure(id, command));
        school.ledger.execute(Actor::Person(who), envelope).unwrap();
    }
    school.ledger.carry_out_erasures().unwrap();
    school.ledger.settle();
    assert_eq!(
        holding(school.place.path(), NAMED).len(),
        1,
        "the file of acts"
    );
    let said: Vec<Position> = events(&school.ledger)
        .into_iter()
        .filter(|event| event.stream == id.into() && read(event).without_text() != Left::NoText)
        .map(|event| event.position)
        .collect();
    assert_eq!(said.len(), 2);
    for position in said {
        decide(&school.ledger, place(&school.ledger, position));
    }
    school.ledger.carry_out_erasures().unwrap();
    school.ledger.settle();
    let (state, _) = school.ledger.read(|now| now.stream(id)).unwrap();
    let Some((Aggregate::Erasure(act), _)) = state.map(|(state, at)| ((*state).clone(), at)) else {
        panic!("it is an act")
    };
    assert!(act.is_proved() && act.is_carried_out());
    assert_eq!(act.reason.as_str(), REDACTED);
    assert!(!reads(&school.ledger).contains(NAMED));
    let place = school.close();
    assert_eq!(
        holding(place.path(), NAMED),
        Vec::<std::path::PathBuf>::new()
    );
    assert_sound(place.path());
    drop(place.open());
}

/// A person's key opens what is left of the person's events, so it goes with the person.
#[test]
fn what_is_left_of_a_persons_event_goes_with_the_person() {
    let mut school = NotarisedSchool::new();
    let written = school.write(PLAN, "stod i den forkerte plan").position;
    decide(&school.ledger, place(&school.ledger, written));
    school.ledger.carry_out_erasures().unwrap();
    decide(&school.ledger, Target::Person(STUDENT));
    school.ledger.carry_out_erasures().unwrap();
    let found = events(&school.ledger);
    assert_eq!(found[written.get() as usize - 1].payload, Payload::Erased);
    let place = school.close();
    assert_sound(place.path());
    std::fs::remove_dir_all(place.path().join("derived")).unwrap();
    drop(place.open());
}
