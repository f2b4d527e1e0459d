//! A preview says of every command what its execution then says, and changes nothing.

use std::collections::BTreeSet;

use planledger_core::domain::Command;
use planledger_core::domain::person::{Evidence, Guardianship, PersonCommand};
use planledger_core::ids::{InstitutionId, PersonId};
use planledger_core::ledger::{Envelope, ExecuteError, Foreseen, Ledger, Preview, PreviewError};
use planledger_core::recovery::leavers;
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use crate::properties::acts::{Act, acts, founding};
use crate::properties::check::check;
use crate::properties::place::{JournalledLedger, fresh_id, run};
use crate::properties::suggestions::places;
use planledger_fixtures::place::{START, dump, events, files};
use planledger_fixtures::school::*;

type Answers = Vec<Result<Foreseen, PreviewError>>;

fn preview(ledger: &Ledger, acts: &[Act]) -> Answers {
    preview_of(ledger, acts).0
}

/// What each act would do, and who would look as if they had left after all of them.
fn preview_of(ledger: &Ledger, acts: &[Act]) -> (Answers, Vec<Leaves>) {
    let mut preview = Preview::new(ledger.clone());
    let asked = acts.iter().map(|act| {
        let envelope = Envelope::new(fresh_id(), act.command.clone());
        preview.next(act.actor, &envelope)
    });
    let answers = asked.collect();
    let leavers = preview.leavers().unwrap().into_iter();
    let leavers = leavers.map(|it| (it.institution, it.person, it.evidence));
    let mut leavers: Vec<_> = leavers.collect();
    leavers.sort();
    (answers, leavers)
}

/// The institution that asks, the person and the reason.
type Leaves = (InstitutionId, PersonId, Evidence);

/// Who has no place left now, and which owners work elsewhere, as each institution lists them.
fn leavers_now(ledger: &Ledger) -> Vec<Leaves> {
    let mut all = Vec::new();
    for institution in [SCHOOL, OTHER_SCHOOL] {
        let read = ledger.read(|reading| leavers(reading, institution, None, usize::MAX));
        for found in read.unwrap().0 {
            let evidence = found.evidence.into_iter().filter(|found| match found {
                Evidence::NoPlaceLeft { .. } | Evidence::OwnerElsewhere { .. } => true,
                Evidence::AbsentFromRoster { .. } | Evidence::NoEnrolmentLeft { .. } => false,
            });
            all.extend(evidence.map(|evidence| (institution, found.person, evidence)));
        }
    }
    all.sort();
    all
}

/// Anything that is done, and rosters that take people's last places.
fn imports_among_acts() -> impl Strategy<Value = Act> + Clone {
    prop_oneof![3 => acts(), 1 => places()]
}

/// A property about nobody proves nothing.
#[test]
fn some_of_the_foreseen_have_no_place_left_and_some_own_something_elsewhere() {
    let stories = prop::collection::vec(imports_among_acts(), 80);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut without_place, mut elsewhere) = (0, 0);
    for _ in 0..40 {
        let place = JournalledLedger::new();
        let ledger = Ledger::open(place.options()).unwrap();
        run(&ledger, founding());
        let story = stories.new_tree(&mut runner).unwrap().current();
        for (_, _, evidence) in preview_of(&ledger, &story).1 {
            match evidence {
                Evidence::NoPlaceLeft { .. } => without_place += 1,
                _ => elsewhere += 1,
            }
        }
    }
    assert!(
        without_place >= 5 && elsewhere >= 5,
        "{without_place}, {elsewhere}"
    );
}

#[test]
fn a_preview_says_what_the_execution_then_does_and_changes_nothing() {
    let stories = prop::collection::vec(imports_among_acts(), 1..80);
    check(12, &stories, |story| {
        let place = JournalledLedger::new();
        let ledger = Ledger::open(place.options()).unwrap();
        run(&ledger, founding());
        ledger.settle();
        let (position, derived) = (ledger.position(), dump(&ledger));
        let journal = files(&place.path().join("journal"));
        let (foreseen, leavers) = preview_of(&ledger, &story);
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
        prop_assert_eq!(leavers, leavers_now(&ledger));
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
        others_unsaid: false,
        ended: BTreeSet::new(),
        last_day_of_others,
    };
    let foreseen = preview(&ledger, &[act(none)]).remove(0).unwrap();
    assert_eq!((foreseen.links, foreseen.dropped.len()), (2, 2));
}
