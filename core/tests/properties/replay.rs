//! P3 and P4: state is what the journal says, however it came about, now and at any position.

use planledger_core::domain::Command;
use planledger_core::domain::plan::{Audience, PlanCommand};
use planledger_core::domain::team::TeamCommand;
use planledger_core::domain::view::{Viewer, plan_view};
use planledger_core::ids::TeamId;
use planledger_core::ledger::{Ledger, rebuild};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseResult;

use crate::properties::acts::{Act, PLANS, STEADY, acts, founding};
use crate::properties::check::check;
use crate::properties::place::{JournalledLedger, run, run_batches};
use planledger_fixtures::Memory;
use planledger_fixtures::place::events;
use planledger_fixtures::place::{copy, dump};
use planledger_fixtures::school::*;

#[derive(Clone, Debug)]
struct Story {
    first: Vec<Act>,
    then: Vec<Act>,
    /// How often a status is written, so that streams get past their snapshots.
    writes: usize,
    /// Where among the acts a batch is asked for that comes to nothing.
    nothing_at: Index,
}

fn stories() -> impl Strategy<Value = Story> {
    (
        prop::collection::vec(acts(), 1..60),
        prop::collection::vec(acts(), 1..60),
        0_usize..150,
        any::<Index>(),
    )
        .prop_map(|(first, then, writes, nothing_at)| Story {
            first,
            then,
            writes,
            nothing_at,
        })
}

fn writes(count: usize) -> Vec<Act> {
    let acts = (0..count).map(|number| {
        let text = text(&format!("Status nummer {number}"));
        Act {
            actor: planledger_core::domain::Actor::Person(STEADY),
            command: Command::Plan(PLAN, PlanCommand::WriteStatus { text }),
        }
    });
    acts.collect()
}

/// A batch that gets a plan past more than one snapshot and is then refused: nothing of it may be
/// left, neither what it made nor what it was made from.
fn nothing() -> Vec<Act> {
    let mut batch = writes(100);
    let nowhere = TeamId::from_bytes([1; 16]);
    batch.push(Act {
        actor: SYSTEM,
        command: Command::Team(nowhere, TeamCommand::Reopen),
    });
    batch
}

#[test]
fn state_is_the_same_however_it_came_about() {
    check(8, &stories(), |story| {
        let place = JournalledLedger::new();
        let half_way = tempfile::tempdir().unwrap();
        {
            let ledger = Ledger::open(place.options()).unwrap();
            run(&ledger, founding());
            run(&ledger, story.first);
            run(&ledger, writes(story.writes / 2));
            ledger.settle();
        }
        copy(&place.derived(), &half_way.path().join("derived"));
        let ledger = Ledger::open(place.options()).unwrap();
        let acts = story.then.into_iter().chain(writes(story.writes));
        let mut batches: Vec<_> = acts.map(|act| vec![act]).collect();
        let nothing_at = story.nothing_at.index(batches.len());
        batches.insert(nothing_at, nothing());
        let answers = run_batches(&ledger, batches);
        prop_assert!(answers[nothing_at].is_err());
        // As it went along.
        let incremental = dump(&ledger);
        the_past_reads_as_the_events_say(&ledger)?;
        drop(ledger);
        // From nothing but the journal.
        rebuild(place.options()).unwrap();
        let ledger = Ledger::open(place.options()).unwrap();
        prop_assert!(dump(&ledger) == incremental, "replay differs");
        the_past_reads_as_the_events_say(&ledger)?;
        drop(ledger);
        // From what there was half way, and the rest of the journal.
        std::fs::remove_dir_all(place.derived()).unwrap();
        copy(&half_way.path().join("derived"), &place.derived());
        let ledger = Ledger::open(place.options()).unwrap();
        prop_assert!(dump(&ledger) == incremental, "catching up differs");
        Ok(())
    });
}

/// Batches change what others of the same group changed, and many are taken back.
#[test]
fn batches_leave_what_a_replay_gives_whether_they_are_carried_out_or_taken_back() {
    let batches = prop::collection::vec(prop::collection::vec(acts(), 1..5), 1..60);
    check(8, &batches, |batches| {
        let place = JournalledLedger::new();
        let ledger = Ledger::open(place.options()).unwrap();
        run(&ledger, founding());
        run_batches(&ledger, batches);
        let incremental = dump(&ledger);
        drop(ledger);
        rebuild(place.options()).unwrap();
        let ledger = Ledger::open(place.options()).unwrap();
        prop_assert!(dump(&ledger) == incremental, "replay differs");
        Ok(())
    });
}

/// Every stream at every position, and plans through several eyes now and then, are what the
/// events up to there lead to.
fn the_past_reads_as_the_events_say(ledger: &Ledger) -> TestCaseResult {
    let mut memory = Memory::default();
    let guardians = Viewer::Audience(Audience::Guardians);
    let events = events(ledger);
    let last = events.last().map(|event| event.position);
    prop_assert_eq!(last, Some(ledger.position()));
    for event in &events {
        memory.fold_recorded(event);
        let at = event.position;
        prop_assert_eq!(ledger.position_at(event.recorded_at).unwrap(), at);
        let everything = at.get() % 29 == 0 || Some(at) == last;
        let streams = memory.streams();
        for stream in streams.filter(|stream| everything || *stream == event.stream) {
            let read = ledger.read_at(at, |reading| reading.stream(stream));
            let (state, _) = read.unwrap().0.unwrap();
            prop_assert_eq!(Some(&*state), memory.state(stream), "at {}", at);
        }
        if everything {
            for id in PLANS {
                for viewer in [Viewer::Staff, guardians] {
                    let read = ledger.read_at(at, |reading| plan_view(reading, id, viewer));
                    prop_assert_eq!(read.unwrap().0, memory.view(id, viewer), "at {}", at);
                }
            }
        }
    }
    Ok(())
}
