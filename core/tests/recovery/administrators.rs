//! Two administrators who hand over and bring back the same things at the same time, with others at
//! work in between.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use planledger_core::derived::Term;
use planledger_core::domain::plan::{PlanCommand, PlanEvent};
use planledger_core::domain::recovery::{RecoveryEvent, Step};
use planledger_core::domain::team::{TeamCommand, TeamEvent};
use planledger_core::domain::year_plan::{YearPlanCommand, YearPlanEvent};
use planledger_core::domain::{Command, Event};
use planledger_core::ids::{PersonId, RecoveryId, StreamId};
use planledger_core::ledger::{Ledger, ReadError, RecordedEvent};
use planledger_core::recovery::{
    Fallback, Proposal, RecoveryRequest, RestoreItem, Rule, RunError, run, start, undo,
};
use proptest::prelude::*;

use crate::recovery::place::*;
use planledger_fixtures::school::*;
use planledger_fixtures::{ActsAs, decoded};

const ADMINISTRATORS: [PersonId; 2] = [LEADER, DEPUTY];
const STAFF: [PersonId; 4] = [TEACHER, PEDAGOGUE, STEADY, LEADER];

/// What one of the administrators does next.
#[derive(Clone, Debug)]
enum Turn {
    /// Looks at what a wish would come to.
    Look(RecoveryRequest),
    /// Begins what was looked at last, however old it is, and does it.
    Run,
    /// Looks and does it without waiting.
    RunAtOnce(RecoveryRequest),
    /// Undoes what was done last.
    Undo,
}

#[derive(Clone, Debug)]
enum Move {
    Administrator(usize, Turn),
    /// Both begin what they looked at, and do it at the same time.
    Both,
    Other(Command),
}

fn staff() -> impl Strategy<Value = PersonId> + Clone {
    prop::sample::select(STAFF.to_vec())
}

fn wishes() -> impl Strategy<Value = RecoveryRequest> {
    let contents = any::<bool>();
    let restores = (0..2_usize, contents, prop::option::of(staff()));
    prop_oneof![
        (staff(), staff()).prop_map(|(of, to)| all_to(of, to)),
        staff().prop_map(|of| by_rule(of, Rule::Team, Fallback::Leader)),
        restores.prop_map(|(index, with_contents, give_to)| {
            let team = team_back(TEAMS[index], with_contents);
            let plan = RestoreItem::Plan { plan: PLANS[index] };
            restore(vec![team, plan], give_to)
        }),
        (0..3_usize, 0..2_usize).prop_map(|(plan, to)| {
            let (plan, to) = (PLANS[plan], YEAR_PLANS[to]);
            restore(vec![RestoreItem::Move { plan, to }], None)
        }),
    ]
}

fn others() -> impl Strategy<Value = Command> {
    let which = 0..2_usize;
    let reason = None;
    prop_oneof![
        (which.clone(), staff()).prop_map(move |(index, to)| {
            let reason = reason.clone();
            Command::Plan(PLANS[index], PlanCommand::TransferOwnership { to, reason })
        }),
        (which.clone(), staff()).prop_map(|(index, to)| {
            let reason = None;
            Command::Team(TEAMS[index], TeamCommand::TransferOwnership { to, reason })
        }),
        which.clone().prop_map(|index| {
            let reason = None;
            Command::YearPlan(YEAR_PLANS[index], YearPlanCommand::Delete { reason })
        }),
        which.clone().prop_map(|index| {
            Command::Team(TEAMS[index], TeamCommand::Delete { reason: None })
        }),
        which.clone().prop_map(|index| {
            let reason = None;
            Command::Plan(PLANS[index], PlanCommand::Withdraw { reason })
        }),
        which.prop_map(|index| {
            let text = text(["Læser", "Skriver"][index]);
            Command::Plan(PLANS[index], PlanCommand::WriteStatus { text })
        }),
    ]
}

fn moves() -> impl Strategy<Value = Move> {
    let turn = prop_oneof![
        3 => wishes().prop_map(Turn::Look),
        3 => Just(Turn::Run),
        2 => wishes().prop_map(Turn::RunAtOnce),
        1 => Just(Turn::Undo),
    ];
    prop_oneof![
        4 => (0..2_usize, turn).prop_map(|(who, turn)| Move::Administrator(who, turn)),
        2 => Just(Move::Both),
        3 => others().prop_map(Move::Other),
    ]
}

#[derive(Default)]
struct Administrator {
    seen: Option<(RecoveryRequest, Proposal)>,
    last: Option<RecoveryId>,
}

struct Office {
    place: FaultyLedger,
    ledger: Ledger,
    administrators: [Administrator; 2],
    recoveries: u8,
}

impl Office {
    /// Begins what somebody looked at, if it still would be that.
    fn begin(&mut self, who: usize) -> Option<RecoveryId> {
        let (wish, proposal) = self.administrators[who].seen.clone()?;
        self.recoveries += 1;
        let id = RecoveryId::from_bytes([self.recoveries; 16]);
        let actor = ADMINISTRATORS[who].actor();
        match start(
            &self.ledger,
            (actor, None),
            id,
            &wish,
            &BTreeSet::new(),
            proposal.digest,
        ) {
            Ok(_) => self.administrators[who].last = Some(id),
            Err(RunError::Refused(_)) => return None,
            Err(error) => panic!("{error}"),
        }
        Some(id)
    }

    fn takes(&mut self, chosen: Move) {
        match chosen {
            Move::Other(command) => drop(self.place.tries(&self.ledger, SYSTEM, command)),
            Move::Both => {
                // The one begins after the other has, and before the other has done any of it.
                let begun = [0, 1].map(|who| self.begin(who));
                let ledger = &self.ledger;
                std::thread::scope(|scope| {
                    for id in begun.into_iter().flatten() {
                        scope.spawn(move || run(ledger, id, &mut |_| {}).unwrap());
                    }
                });
            }
            Move::Administrator(who, Turn::Look(wish)) => {
                let found = dry_run(&self.ledger, &wish).ok();
                self.administrators[who].seen = found.map(|proposal| (wish, proposal));
            }
            Move::Administrator(who, Turn::RunAtOnce(wish)) => {
                self.takes(Move::Administrator(who, Turn::Look(wish)));
                self.takes(Move::Administrator(who, Turn::Run));
            }
            Move::Administrator(who, Turn::Run) => {
                if let Some(id) = self.begin(who) {
                    run(&self.ledger, id, &mut |_| {}).unwrap();
                }
            }
            Move::Administrator(who, Turn::Undo) => {
                let actor = ADMINISTRATORS[who].actor();
                if let Some(id) = self.administrators[who].last
                    && undo(&self.ledger, (actor, None), id, None).is_ok()
                {
                    run(&self.ledger, id, &mut |_| {}).unwrap();
                }
            }
        }
    }
}

/// Every change of hands was from whoever it belonged to at that moment, and every move from where
/// it hung: nobody's change was passed over.
fn assert_nothing_lost(events: &[RecordedEvent]) {
    let mut owner: BTreeMap<StreamId, Option<PersonId>> = BTreeMap::new();
    let mut hangs = BTreeMap::new();
    for recorded in events {
        let stream = recorded.stream;
        let (from, to) = match decoded(recorded).1 {
            Event::Team(TeamEvent::Created { owner: to, .. }) => {
                owner.insert(stream, to);
                continue;
            }
            Event::YearPlan(YearPlanEvent::Created { owner: to, .. }) => {
                owner.insert(stream, Some(to));
                continue;
            }
            Event::Plan(PlanEvent::Opened {
                owner: to,
                year_plan,
                ..
            }) => {
                owner.insert(stream, Some(to));
                hangs.insert(stream, year_plan);
                continue;
            }
            Event::Plan(PlanEvent::MovedToYearPlan { from, to, .. }) => {
                assert_eq!(hangs.insert(stream, to), Some(from));
                continue;
            }
            Event::Team(TeamEvent::OwnershipTransferred { from, to, .. }) => (from, Some(to)),
            Event::Team(TeamEvent::OwnershipGivenUp { from, .. }) => (Some(from), None),
            Event::YearPlan(YearPlanEvent::OwnershipTransferred { from, to, .. })
            | Event::Plan(PlanEvent::OwnershipTransferred { from, to, .. }) => {
                (Some(from), Some(to))
            }
            _ => continue,
        };
        assert_ne!(from, to);
        assert_eq!(owner.insert(stream, to), Some(from), "{stream}");
    }
}

/// Everything is in the list of its owner and in no other.
fn assert_in_one_hand(ledger: &Ledger) {
    let (lists, _) = ledger
        .read(|reading| {
            let persons = STAFF.into_iter().chain([DEPUTY]);
            let lists = persons
                .map(|person| Ok::<_, ReadError>((person, reading.find(Term::Owner(person))?)));
            lists.collect::<Result<Vec<_>, _>>()
        })
        .unwrap();
    let listed: Vec<_> = lists
        .iter()
        .flat_map(|(person, list)| list.iter().map(|stream| (*stream, Some(*person))))
        .collect();
    let once: BTreeMap<_, _> = listed.iter().copied().collect();
    assert_eq!(once.len(), listed.len(), "nothing is in two hands");
    let expected = everything().into_iter().zip(owners(ledger));
    assert_eq!(once, expected.collect());
}

/// A step is done by one command, which its recovery alone sends: once, or not at all.
fn assert_steps_are_done_once(events: &[RecordedEvent]) {
    let mut commands = BTreeSet::new();
    let mut steps = 0;
    for recorded in events {
        if let Event::Recovery(RecoveryEvent::Started { steps: begun, .. }) = decoded(recorded).1 {
            steps += begun.len();
            assert!(
                begun
                    .iter()
                    .all(|step: &Step| everything().contains(&step.stream()))
            );
        }
        let founding = recorded.command.as_bytes().ends_with(&[0x55; 8]);
        if !founding && recorded.stream.kind != planledger_core::ids::StreamKind::Recovery {
            assert!(commands.insert(recorded.command), "done twice");
        }
    }
    assert!(
        commands.len() <= 2 * steps,
        "each is done and undone at most"
    );
}

#[test]
fn two_administrators_lose_nothing_and_nothing_is_in_two_hands() {
    let config = ProptestConfig {
        cases: 24,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    // How many recoveries were begun, and how many found that somebody was in the way.
    let (begun, met) = (Cell::new(0), Cell::new(0));
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let stories = prop::collection::vec(moves(), 1..30);
    runner
        .run(&stories, |story| {
            let (place, ledger) = FaultyLedger::with_school();
            let mut office = Office {
                place,
                ledger,
                administrators: Default::default(),
                recoveries: 0,
            };
            // Both have looked at all that one person owns.
            let looked = [
                all_to(TEACHER, STEADY),
                by_rule(TEACHER, Rule::Team, Fallback::Leader),
            ];
            for (who, wish) in looked.into_iter().enumerate() {
                office.takes(Move::Administrator(who, Turn::Look(wish)));
            }
            let mut earlier = events(&office.ledger);
            for chosen in story {
                office.takes(chosen);
                let now = events(&office.ledger);
                assert_eq!(
                    now[..earlier.len()],
                    earlier,
                    "what is recorded stays as it is"
                );
                assert_nothing_lost(&now);
                assert_in_one_hand(&office.ledger);
                assert_steps_are_done_once(&now);
                earlier = now;
            }
            for recorded in &earlier {
                match decoded(recorded).1 {
                    Event::Recovery(RecoveryEvent::Started { .. }) => begun.set(begun.get() + 1),
                    Event::Recovery(
                        RecoveryEvent::Finished { left_out } | RecoveryEvent::Undone { left_out },
                    ) if !left_out.is_empty() => met.set(met.get() + 1),
                    _ => {}
                }
            }
            Ok(())
        })
        .unwrap();
    let (begun, met) = (begun.get(), met.get());
    assert!(begun > 24 && met > 4, "{begun} begun, {met} met others");
}
