//! A preview says of every command what its execution then says, and changes nothing.

use std::collections::BTreeSet;

use planledger_core::domain::Command;
use planledger_core::domain::person::{Guardianship, PersonCommand};
use planledger_core::ledger::{Envelope, ExecuteError, Foreseen, Ledger, Preview, PreviewError};
use proptest::prelude::*;

use crate::properties::acts::{Act, acts, founding};
use crate::properties::check::check;
use crate::properties::place::{JournalledLedger, fresh_id, run};
use planledger_fixtures::place::{START, dump, events, files};
use planledger_fixtures::school::*;

fn preview(ledger: &Ledger, acts: &[Act]) -> Vec<Result<Foreseen, PreviewError>> {
    let mut preview = Preview::new(ledger.clone());
    let asked = acts.iter().map(|act| {
        let envelope = Envelope::new(fresh_id(), act.command.clone());
        preview.next(act.actor, &envelope)
    });
    asked.collect()
}

#[test]
fn a_preview_says_what_the_execution_then_does_and_changes_nothing() {
    let stories = prop::collection::vec(acts(), 1..80);
    check(12, &stories, |story| {
        let place = JournalledLedger::new();
        let ledger = Ledger::open(place.options()).unwrap();
        run(&ledger, founding());
        ledger.settle();
        let (position, derived) = (ledger.position(), dump(&ledger));
        let journal = files(&place.path().join("journal"));
        let foreseen = preview(&ledger, &story);
        prop_assert_eq!(ledger.position(), position);
        prop_assert!(dump(&ledger) == derived, "derived state changed");
        let after = files(&place.path().join("journal"));
        prop_assert!(after == journal, "the journal changed");

        let done = run(&ledger, story);
        let recorded = events(&ledger);
        for (foreseen, done) in foreseen.into_iter().zip(done) {
            match (foreseen, done) {
                (Ok(foreseen), Ok(receipt)) => {
                    prop_assert_eq!(foreseen.stream, receipt.stream);
                    prop_assert_eq!(foreseen.events.len(), receipt.events as usize);
                    prop_assert_eq!(foreseen.kept, receipt.kept);
                    prop_assert_eq!(foreseen.dropped, receipt.dropped);
                    let last = receipt.position.get() as usize;
                    let types = &recorded[last - receipt.events as usize..last];
                    let types = types.iter().filter_map(|event| event.event_type);
                    prop_assert_eq!(foreseen.events, types.collect::<Vec<_>>());
                }
                (
                    Err(PreviewError::Refused(foreseen)),
                    Err(ExecuteError::Refused { refusal, .. }),
                ) => {
                    prop_assert_eq!(foreseen, refusal);
                }
                (foreseen, done) => prop_assert!(false, "{foreseen:?}, then {done:?}"),
            }
        }
        Ok(())
    });
}

#[test]
fn a_previewed_command_sees_what_the_commands_before_it_would_do() {
    let place = JournalledLedger::new();
    let ledger = Ledger::open(place.options()).unwrap();
    let foreseen = preview(&ledger, &founding());
    assert!(foreseen.iter().all(Result::is_ok), "{foreseen:?}");
    assert_eq!(ledger.position().get(), 0);
}

#[test]
fn it_counts_the_guardianships_that_a_command_speaks_for_also_if_it_leaves_some_unsaid() {
    let place = JournalledLedger::new();
    let ledger = Ledger::open(place.options()).unwrap();
    run(&ledger, founding());
    let act = |command| Act {
        actor: SYSTEM,
        command: Command::Person(STUDENT, command),
    };
    let guardian = |guardian| Guardianship {
        guardian,
        last_day: None,
    };
    let last_day_of_others = START.day_in_denmark();
    let put = PersonCommand::PutGuardians {
        guardians: [GUARDIAN, PEDAGOGUE].map(guardian).into(),
        last_day_of_others,
    };
    run(&ledger, vec![act(put)]);
    let none = PersonCommand::PutSomeGuardians {
        guardians: BTreeSet::new(),
        unsaid: BTreeSet::new(),
        last_day_of_others,
    };
    let foreseen = preview(&ledger, &[act(none)]).remove(0).unwrap();
    assert_eq!((foreseen.links, foreseen.dropped.len()), (2, 2));
}
