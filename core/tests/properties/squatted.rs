//! No sequence of client commands, batches and ids, chosen with full knowledge of the algorithm, changes
//! what an act of the ledger's own does, or when.
//!
//! Two ledgers are told the same story. In one, clients send their commands under the ids of the ledger's
//! own commands: of those that come next, of all that were there, now and in earlier versions. In the
//! other, the same commands come under ids that mean nothing; those that the first ledger refused for
//! their ids do not come at all. Everything else has to be the same, event by event.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use planledger_core::domain::erasure::{ErasureCommand, ErasureEvent, Target};
use planledger_core::domain::ledger::{LedgerEvent, NotedReads};
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::team::TeamCommand;
use planledger_core::domain::{Actor, Aggregate, Command, Event};
use planledger_core::ids::{CommandId, ErasureId, PersonId, Position, RecoveryId, StreamId};
use planledger_core::ledger::{Envelope, ExecuteError, Ledger, Payload, Receipt};
use planledger_core::notary::Notary;
use planledger_core::recovery::{end_early, propose, run_until, start, undo};
use planledger_core::tlog::{Algorithm, Signer};
use planledger_fixtures::own_ids::{of_erasure, of_notary, of_recovery};
use planledger_fixtures::place::{events_after, numbered};
use planledger_fixtures::school::*;
use planledger_fixtures::{IntoCommand, decoded};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::properties::check::check;
use crate::recovery::place::{DEPUTY, FaultyLedger, PLANS, STEADY, TEAMS, all_to, events};

const RECOVERIES: [RecoveryId; 2] = [
    RecoveryId::from_bytes([0xE1; 16]),
    RecoveryId::from_bytes([0xE2; 16]),
];
/// The most steps that a recovery has here: two teams, two year plans, three plans.
const STEPS: u32 = 7;
const ERASED: PersonId = CLASSMATE;

/// What happens next.
#[derive(Clone, Debug)]
enum Turn {
    /// A client sends a batch: each command with an id, out of those there are.
    Client(Actor, Vec<(Index, Index)>),
    Own(Act),
}

/// An act of the ledger's own, or what leads to one.
#[derive(Clone, Copy, Debug)]
enum Act {
    Checkpoint,
    NoteReads,
    /// Everything of one person goes to another, and back the next time.
    Begin(usize),
    /// Carries a recovery out, and stops when so many steps were tried.
    Run(usize, u32),
    EndEarly(usize),
    Undo(usize, PersonId),
    /// Two people decide an erasure.
    Decide,
    CarryOut,
    Reopen,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> + Clone {
    let people = [LEADER, DEPUTY, TEACHER, STUDENT].map(Actor::Person);
    let sent = prop::collection::vec((any::<Index>(), any::<Index>()), 1..4);
    let which = || 0..RECOVERIES.len();
    let act = prop_oneof![
        4 => Just(Act::Checkpoint),
        2 => Just(Act::NoteReads),
        3 => which().prop_map(Act::Begin),
        4 => (which(), select(vec![0, 1, 3, 6, 99])).prop_map(|(id, most)| Act::Run(id, most)),
        1 => which().prop_map(Act::EndEarly),
        3 => (which(), select(vec![LEADER, DEPUTY])).prop_map(|(id, who)| Act::Undo(id, who)),
        1 => Just(Act::Decide),
        1 => Just(Act::CarryOut),
        1 => Just(Act::Reopen),
    ];
    let turn = prop_oneof![
        3 => (select(people.to_vec()), sent).prop_map(|(who, sent)| Turn::Client(who, sent)),
        2 => act.prop_map(Turn::Own),
    ];
    prop::collection::vec(turn, 1..40)
}

/// One of the two ledgers.
struct World {
    place: FaultyLedger,
    open: Option<(Ledger, Notary)>,
    noted: u64,
}

fn signer() -> Signer {
    Signer::new("planledger.example/test", Algorithm::Ed25519, [0x5E; 32]).unwrap()
}

impl World {
    fn new() -> Self {
        let (place, ledger) = FaultyLedger::with_school();
        let notary = Notary::open(ledger.clone(), place.path(), signer()).unwrap();
        Self {
            place,
            open: Some((ledger, notary)),
            noted: 0,
        }
    }

    fn ledger(&self) -> &Ledger {
        &self.open.as_ref().unwrap().0
    }

    /// What came of an act, without what is random.
    fn act(&mut self, act: Act) -> String {
        let (ledger, notary) = self.open.as_ref().unwrap();
        match act {
            Act::Checkpoint => {
                format!("{:?}", notary.checkpoint().map(|made| made.checkpoint.size))
            }
            Act::NoteReads => {
                self.noted += 1;
                let noted = NotedReads {
                    records: Position::new(self.noted),
                    root: [5; 32],
                };
                format!("{:?}", notary.note_access_log(noted))
            }
            Act::Begin(id) => {
                let ends = [(TEACHER, STEADY), (STEADY, TEACHER)];
                let (of, to) = ends[id];
                let wish = all_to(of, to);
                let proposed = ledger.read(|reading| propose(reading, &wish, &BTreeSet::new()));
                let Ok((proposal, _)) = proposed else {
                    return "nothing to propose".to_owned();
                };
                let leader = (Actor::Person(LEADER), None);
                let begun = start(
                    ledger,
                    leader,
                    RECOVERIES[id],
                    &wish,
                    &BTreeSet::new(),
                    proposal.digest,
                );
                format!(
                    "{:?}",
                    begun.map(|begun| (begun.steps, begun.receipt.map(told)))
                )
            }
            Act::Run(id, most) => {
                let ran = run_until(ledger, RECOVERIES[id], &mut |progress| match progress.tried
                    < most
                {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                });
                format!("{:?}", ran.map(|ended| (ended.phase, ended.left_out)))
            }
            Act::EndEarly(id) => {
                let ended = end_early(ledger, RECOVERIES[id]);
                format!("{:?}", ended.map(|ended| (ended.phase, ended.left_out)))
            }
            Act::Undo(id, who) => {
                let undone = undo(ledger, (Actor::Person(who), None), RECOVERIES[id], None);
                format!("{:?}", undone.map(told))
            }
            Act::Decide => {
                let request = ErasureCommand::Request {
                    target: Target::Person(ERASED),
                    basis: "Artikel 17".parse().unwrap(),
                    reason: "Bedt om".parse().unwrap(),
                    retention: None,
                };
                let approve = ErasureCommand::Approve { reason: None };
                let decided = [(LEADER, request), (CLERK, approve)].map(|(who, command)| {
                    let command = (ErasureId::of_person(ERASED), command);
                    let receipt = self.place.tries(ledger, who, command);
                    receipt.map(told)
                });
                format!("{decided:?}")
            }
            Act::CarryOut => format!("{:?}", ledger.carry_out_erasures()),
            Act::Reopen => {
                self.open = None;
                let ledger = self.place.open();
                let notary = Notary::open(ledger.clone(), self.place.path(), signer()).unwrap();
                self.open = Some((ledger, notary));
                String::new()
            }
        }
    }
}

/// Where a receipt says that a command is.
fn told(receipt: Receipt) -> (Position, u64, u32, bool) {
    let Receipt {
        position,
        revision,
        events,
        replayed,
        ..
    } = receipt;
    (position, revision.get(), events, replayed)
}

/// The ids of everything that the ledger itself may do next or has done, now and in earlier versions.
fn ids(ledger: &Ledger, noted: u64) -> Vec<CommandId> {
    let mut ids = Vec::from(of_notary("key", 0));
    let position = ledger.position().get();
    for next in 0..4 {
        ids.extend(of_notary("heads", position + next));
        ids.extend(of_notary("access log", noted + next));
        for purpose in 1..=4 {
            ids.extend(of_erasure(ErasureId::of_person(ERASED), purpose, next));
        }
    }
    for id in RECOVERIES {
        for purpose in ["start", "finish", "undo", "finish undo"] {
            ids.extend(of_recovery(id, purpose, 0));
        }
        for step in 0..STEPS {
            ids.extend(of_recovery(id, "step", step));
            ids.extend(of_recovery(id, "undo step", step));
        }
    }
    ids.extend(events(ledger).iter().map(|event| event.command));
    ids
}

/// What clients send: what changes nothing, what changes that on which the ledger acts, and the very
/// commands of the steps.
fn commands(ledger: &Ledger) -> Vec<Command> {
    let mut commands = vec![(PLANS[0], PlanCommand::Share).into_command()];
    for plan in PLANS {
        let to = PEDAGOGUE;
        let transfer = PlanCommand::TransferOwnership { to, reason: None };
        let write = PlanCommand::WriteStatus {
            text: text("Under et andet id"),
        };
        commands.extend([
            (plan, transfer).into_command(),
            (plan, write).into_command(),
        ]);
    }
    let delete = TeamCommand::Delete { reason: None };
    commands.extend([delete, TeamCommand::Undelete].map(|on| (TEAMS[1], on).into_command()));
    for id in RECOVERIES {
        let (found, _) = ledger.read(|reading| reading.stream(id)).unwrap();
        if let Some((state, _)) = found
            && let Aggregate::Recovery(recovery) = &*state
        {
            for step in &recovery.steps {
                commands.push(step.command(recovery.reason.as_ref()));
                commands.push(step.undoing(None));
            }
        }
    }
    commands
}

/// What the events say, without what is random or follows from the ids that clients chose.
fn said(
    ledger: &Ledger,
    after: Position,
) -> Vec<(StreamId, u64, Actor, Option<CommandId>, String)> {
    let events = events_after(ledger, after).into_iter();
    let said = events.map(|event| {
        let what = match &event.payload {
            Payload::Json(_) => match decoded(&event).1 {
                Event::Ledger(LedgerEvent::HeadsRecorded { through, .. }) => {
                    format!("heads through {through}")
                }
                Event::Erasure(ErasureEvent::CarriedOut { .. }) => "carried out".to_owned(),
                other => format!("{other:?}"),
            },
            gone @ (Payload::Left(_) | Payload::Redacted | Payload::Erased) => format!("{gone:?}"),
        };
        let own = event.command.is_of_ledger().then_some(event.command);
        (event.stream, event.revision.get(), event.actor, own, what)
    });
    said.collect()
}

/// How often something happened that the test is about.
#[derive(Default)]
struct Tally {
    reserved: usize,
    taken: usize,
    own: usize,
}

fn holds(turns: Vec<Turn>) -> Result<Tally, TestCaseError> {
    let (mut squatted, mut innocent) = (World::new(), World::new());
    let (mut tally, mut fresh) = (Tally::default(), 0);
    let before = squatted.ledger().position();
    prop_assert_eq!(innocent.ledger().position(), before);
    for turn in turns {
        let known = ids(squatted.ledger(), squatted.noted);
        let position = squatted.ledger().position();
        match turn {
            Turn::Client(who, sent) => {
                let all = commands(squatted.ledger());
                let batch: Vec<_> = sent
                    .iter()
                    .map(|(what, id)| Envelope::new(*id.get(&known), what.get(&all).clone()))
                    .collect();
                let chosen = squatted.ledger().execute_batch(who, batch.clone());
                let again = |receipts: &Vec<Receipt>| receipts.iter().any(|one| one.replayed);
                match &chosen {
                    Err(ExecuteError::IdReserved { .. }) => {
                        tally.reserved += 1;
                        continue;
                    }
                    Err(ExecuteError::IdReused { .. }) => continue,
                    Ok(receipts) if again(receipts) => continue,
                    Ok(_) => tally.taken += 1,
                    Err(_) => {}
                }
                prop_assert!(!batch.iter().any(|sent| sent.id.is_of_ledger()), "taken");
                let plain = batch.into_iter().map(|sent| {
                    fresh += 1;
                    let id = CommandId::from_bytes(numbered(0x66, fresh));
                    Envelope { id, ..sent }
                });
                let plain = innocent.ledger().execute_batch(who, plain.collect());
                let told = |outcome: Result<Vec<Receipt>, ExecuteError>| {
                    let told = outcome.map(|all| all.into_iter().map(told).collect::<Vec<_>>());
                    format!("{told:?}")
                };
                prop_assert_eq!(told(chosen), told(plain));
            }
            Turn::Own(act) => {
                let outcomes = (squatted.act(act), innocent.act(act));
                prop_assert_eq!(&outcomes.0, &outcomes.1, "{:?}", act);
                prop_assert!(
                    !outcomes.0.contains("IdReused"),
                    "{:?}: {}",
                    act,
                    outcomes.0
                );
                // What the ledger did was known beforehand to whoever knows the algorithm.
                for event in events_after(squatted.ledger(), position) {
                    if event.command.is_of_ledger() {
                        prop_assert!(known.contains(&event.command), "{:?}: {:?}", act, event);
                        tally.own += 1;
                    }
                }
            }
        }
        let (one, other) = (squatted.ledger(), innocent.ledger());
        prop_assert_eq!(said(one, position), said(other, position));
    }
    prop_assert_eq!(
        said(squatted.ledger(), before),
        said(innocent.ledger(), before)
    );
    Ok(tally)
}

#[test]
fn clients_that_know_every_id_change_nothing_of_what_the_ledger_does_itself() {
    check(24, &turns(), |turns| holds(turns).map(drop));
}

#[test]
fn stories_at_random_have_ids_that_are_taken_and_refused_and_acts_of_the_ledgers_own() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut all = Tally::default();
    for _ in 0..12 {
        let turns = turns().new_tree(&mut runner).unwrap().current();
        let tally = holds(turns).unwrap();
        all.reserved += tally.reserved;
        all.taken += tally.taken;
        all.own += tally.own;
    }
    assert!(all.reserved >= 20, "{}", all.reserved);
    assert!(all.taken >= 10, "{}", all.taken);
    assert!(all.own >= 30, "{}", all.own);
}
