//! Redaction and erasure, against a naive replay: whoever asks and approves, in whatever order,
//! nothing is carried out that two different people did not decide, and nothing is recorded of a
//! person afterwards.

use planledger_core::domain::erasure::{
    Erasure, ErasureCommand, ErasureEvent, EventPlace, RemovedReads, SealedRest, Target,
};
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::world::Context;
use planledger_core::domain::{Actor, Aggregate, Command, Event};
use planledger_core::ids::{ErasureId, PersonId, Position, Revision, StreamId};
use planledger_core::time::Timestamp;
use planledger_fixtures::school::*;
use planledger_fixtures::{ActsAs, IntoCommand, Memory};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseResult;

use crate::properties::acts::founded;
use crate::properties::check::check;

/// Who sends a command, for whom, and what it asks for.
type Act = (Actor, Option<Actor>, Command);

/// What became of one target, as a careful clerk would note it down.
#[derive(Default)]
struct Noted {
    asked_by: Vec<PersonId>,
    approved_by: Vec<PersonId>,
    settled: bool,
    carried_out: bool,
}

/// What an act removes from the access log.
const REMOVED: RemovedReads = RemovedReads {
    through: Position::new(7),
    records: 7,
    until: Timestamp::from_nanos(1),
    root: [8; 32],
};

/// What an act leaves of an event.
fn left() -> SealedRest {
    SealedRest {
        schema: 1,
        sealed: vec![1, 2, 3],
    }
}

fn targets() -> [Target; 3] {
    let talked_about = EventPlace {
        position: Position::new(12),
        stream: StreamId::from(PLAN),
        revision: Revision::new(3),
    };
    let before = jiff::civil::date(2025, 1, 1);
    [
        Target::Person(STUDENT),
        Target::Event(talked_about),
        Target::Reads { before },
    ]
}

fn acts() -> impl Strategy<Value = Vec<Act>> + Clone {
    let people = || {
        select(vec![
            LEADER.actor(),
            CLERK.actor(),
            TEACHER.actor(),
            SYSTEM.actor(),
        ])
    };
    let act = (
        people(),
        prop::option::weighted(0.3, people()),
        any::<Index>(),
        0..10_u8,
    );
    let act = act.prop_map(|(actor, on_behalf_of, target, what)| {
        let target = *target.get(&targets());
        let request = ErasureCommand::Request {
            target,
            basis: "Artikel 17".parse().unwrap(),
            reason: "Bedt om".parse().unwrap(),
            retention: None,
        };
        let id = ErasureId::of(target);
        let command = match what {
            0 | 1 => (id, request).into_command(),
            2 | 3 => (id, ErasureCommand::Approve { reason: None }).into_command(),
            4 => (id, ErasureCommand::Withdraw { reason: None }).into_command(),
            5 => (id, ErasureCommand::CarryOut { key: None }).into_command(),
            6 => (id, ErasureCommand::SettleReads(REMOVED)).into_command(),
            7 => (id, ErasureCommand::SettleText(left())).into_command(),
            8 => (PLAN, PlanCommand::Share).into_command(),
            _ => (PLAN, PlanCommand::Unshare).into_command(),
        };
        (actor, on_behalf_of, command)
    });
    prop::collection::vec(act, 1..30)
}

fn people_of(actor: Actor, on_behalf_of: Option<Actor>) -> Vec<PersonId> {
    let both = [Some(actor), on_behalf_of].into_iter().flatten();
    let people = both.filter_map(|actor| match actor {
        Actor::Person(person) => Some(person),
        Actor::System(_) => None,
    });
    people.collect()
}

/// Notes down what was recorded of a target, and fails where it must not have been recorded.
fn noted(memory: &Memory, target: Target) -> Result<Noted, TestCaseError> {
    let mut noted = Noted::default();
    for recorded in memory.recorded() {
        let meta = &recorded.meta;
        let people = people_of(meta.actor, meta.on_behalf_of);
        match &recorded.event {
            Event::Plan(_) if target == Target::Person(STUDENT) => {
                prop_assert!(noted.approved_by.is_empty(), "something after the approval");
            }
            Event::Erasure(event) if meta.stream == StreamId::from(ErasureId::of(target)) => {
                match event {
                    ErasureEvent::Requested { target: asked, .. } => {
                        prop_assert_eq!(*asked, target);
                        prop_assert!(noted.approved_by.is_empty(), "asked again when approved");
                        prop_assert!(!people.is_empty(), "no person asked");
                        noted.asked_by = people;
                    }
                    ErasureEvent::Approved { .. } => {
                        prop_assert!(!noted.asked_by.is_empty(), "nobody had asked");
                        prop_assert!(noted.approved_by.is_empty(), "approved twice");
                        prop_assert!(!people.is_empty(), "no person approved");
                        let shared = people.iter().any(|one| noted.asked_by.contains(one));
                        prop_assert!(!shared, "one person asked and approved");
                        noted.approved_by = people;
                    }
                    ErasureEvent::Withdrawn { .. } => {
                        prop_assert!(noted.approved_by.is_empty(), "withdrawn after approval");
                        noted.asked_by = Vec::new();
                    }
                    ErasureEvent::ReadsSettled(removed) => {
                        prop_assert_eq!(*removed, REMOVED);
                        prop_assert!(matches!(target, Target::Reads { .. }), "of the ledger");
                        prop_assert!(!noted.approved_by.is_empty(), "nobody had approved");
                        prop_assert!(!noted.settled && !noted.carried_out, "settled too late");
                        noted.settled = true;
                    }
                    ErasureEvent::CarriedOut { .. } => {
                        let of_ledger = !matches!(target, Target::Reads { .. });
                        prop_assert!(noted.settled || of_ledger, "gone before it is on record");
                        prop_assert!(!noted.approved_by.is_empty(), "nobody had approved");
                        prop_assert!(!noted.carried_out, "carried out twice");
                        noted.carried_out = true;
                    }
                    ErasureEvent::TextSettled(found) => {
                        prop_assert_eq!(found, &left());
                        prop_assert!(matches!(target, Target::Event(_)), "of an event");
                        prop_assert!(!noted.approved_by.is_empty(), "nobody had approved");
                        prop_assert!(!noted.settled && !noted.carried_out, "settled too late");
                        noted.settled = true;
                    }
                    ErasureEvent::AppliedAgain(_) => prop_assert!(false, "nothing was put back"),
                }
            }
            _ => {}
        }
    }
    Ok(noted)
}

fn holds(acts: Vec<Act>) -> TestCaseResult {
    let mut memory = founded();
    for (actor, on_behalf_of, command) in acts {
        let context = Context {
            on_behalf_of,
            ..Context::new(actor, Memory::NOW)
        };
        // Refusals are seen elsewhere.
        let _ = memory.execute_in(&context, &command);
        for target in targets() {
            let noted = noted(&memory, target)?;
            let act: Option<&Erasure> = match memory.state(ErasureId::of(target)) {
                Some(Aggregate::Erasure(act)) => Some(act),
                Some(_) => panic!("another kind"),
                None => None,
            };
            let approved = !noted.approved_by.is_empty();
            prop_assert_eq!(act.is_some_and(Erasure::is_proved), approved);
            prop_assert_eq!(act.is_some_and(Erasure::is_carried_out), noted.carried_out);
        }
    }
    Ok(())
}

#[test]
fn two_people_decide_what_is_destroyed_whoever_asks_for_what() {
    check(400, &acts(), holds);
}

#[test]
fn acts_at_random_come_to_an_end_now_and_then() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut carried_out = 0;
    for _ in 0..600 {
        let mut memory = founded();
        for (actor, on_behalf_of, command) in acts().new_tree(&mut runner).unwrap().current() {
            let context = Context {
                on_behalf_of,
                ..Context::new(actor, Memory::NOW)
            };
            let _ = memory.execute_in(&context, &command);
        }
        let noted = targets().map(|target| noted(&memory, target).unwrap());
        carried_out += noted.iter().filter(|noted| noted.carried_out).count();
    }
    assert!(carried_out >= 20, "{carried_out}");
}
