//! Journals that an earlier version forked: its derived state had fallen back to an older one, and
//! streams went on from there. Every frame, entry and leaf is right; only streams have two branches.

use planledger_fixtures::evidence::{believing, export, range, readable};
use std::collections::BTreeSet;
use std::sync::Arc;

use planledger_core::audit::verify_bundle;
use planledger_core::domain::ledger::{LedgerCommand, LedgerEvent, forks_stream};
use planledger_core::domain::person::PersonEvent;
use planledger_core::domain::plan::{PlanCommand, PlanEvent};
use planledger_core::domain::{Actor, Aggregate, Command, Event};
use planledger_core::ids::{Position, Revision, StreamId};
use planledger_core::ledger::{Envelope, Ledger};
use planledger_core::verify::{Depth, Fork, PartName, Spot, Verification, verify_dir};

use crate::audit::directory::{Directory, faults, verify};
use crate::audit::school::{CLASSMATE, PLAN, STUDENT, TEACHER, policy};
use crate::audit::story::Story;
use planledger_fixtures::place::{TempLedger, command_id};
use planledger_fixtures::school::SYSTEM;

/// A plan's status, written anew.
fn written(text: &str) -> Event {
    let text = text.parse().unwrap();
    Event::Plan(PlanEvent::StatusWritten { text })
}

/// A person's name, corrected.
fn renamed(name: &str) -> Event {
    let name = name.parse().unwrap();
    Event::Person(PersonEvent::Renamed { name })
}

/// A journal that was gone on with in some way.
fn forked(alter: impl FnOnce(&mut Story)) -> Directory {
    let directory = Directory::new();
    directory.reframe(alter);
    directory
}

fn quick(directory: &Directory) -> Verification {
    let options = TempLedger::options_in(directory.path());
    verify_dir(&options, Depth::Integrity, &|_, _, _| {}).unwrap()
}

fn told(directory: &Directory) -> Verification {
    let options = TempLedger::options_in(directory.path());
    verify_dir(&options, Depth::Forks, &|_, _, _| {}).unwrap()
}

/// Revision and position of both ends of both branches, after those of what they have in common.
fn shape(fork: &Fork) -> [(u64, u64); 5] {
    let spot = |spot: Spot| (spot.revision.get(), spot.position.get());
    let Fork {
        common,
        first,
        second,
        ..
    } = fork;
    [
        spot(*common),
        spot(first.from),
        spot(first.to),
        spot(second.from),
        spot(second.to),
    ]
}

#[test]
fn both_branches_of_a_plan_are_named_and_the_rest_is_checked() {
    let (mut at, mut here) = (Vec::new(), [0; 2]);
    let directory = forked(|story| {
        at = story.of_stream(PLAN);
        let first = story.go_on(PLAN.into(), at[1], written("fra før"));
        here = [first, story.go_on(PLAN.into(), first, written("og videre"))];
    });
    let found = quick(&directory);
    let last = at.len();
    let expected = [
        (2, at[1]),
        (3, at[2]),
        (last as u64, at[last - 1]),
        (3, here[0]),
        (4, here[1]),
    ];
    let [fork] = found.forks.forks[..] else {
        panic!("{:?}", found.forks)
    };
    assert_eq!((fork.stream, shape(&fork)), (PLAN.into(), expected));
    assert_eq!(
        (fork.first.events, fork.second.events),
        (last as u64 - 2, 2)
    );
    assert_eq!(faults(&found), [("journal", "FORK", here[0])]);
    let journal = found.part(PartName::Journal).unwrap();
    let said = &journal.fault.as_ref().unwrap().what;
    for (revision, position) in expected {
        assert!(said.contains(&revision.to_string()), "{said}");
        assert!(said.contains(&position.to_string()), "{said}");
    }
    // Nothing after it went unchecked.
    assert_eq!((journal.checked, found.events.get()), (here[1], here[1]));
}

#[test]
fn a_person_is_forked_as_a_plan_is() {
    let mut here = 0;
    let directory = forked(|story| {
        let at = story.of_stream(CLASSMATE);
        here = story.go_on(CLASSMATE.into(), at[0], renamed("Søren Damm"));
    });
    let found = quick(&directory);
    assert_eq!(faults(&found), [("journal", "FORK", here)]);
    assert_eq!(found.forks.forks[0].stream, CLASSMATE.into());
}

#[test]
fn a_stream_that_was_begun_twice_has_nothing_in_common() {
    let (mut at, mut here) = (Vec::new(), 0);
    let directory = forked(|story| {
        at = story.of_stream(STUDENT);
        let again = story.at(at[0]).event.clone();
        here = story.go_on(STUDENT.into(), 0, again);
    });
    let found = quick(&directory);
    let last = at.len() as u64;
    let expected = [
        (0, 0),
        (1, at[0]),
        (last, at[at.len() - 1]),
        (1, here),
        (1, here),
    ];
    assert_eq!(shape(&found.forks.forks[0]), expected);
    let fault = found.part(PartName::Journal).unwrap().fault.clone();
    assert!(fault.unwrap().what.contains("begins twice"));
}

#[test]
fn the_stream_of_keys_may_have_begun_twice_too() {
    let mut here = 0;
    let directory = forked(|story| {
        let at = story.of_ledger();
        let again = story.at(at[0]).event.clone();
        here = story.go_on(story.ledger.into(), 0, again);
    });
    assert_eq!(faults(&quick(&directory)), [("journal", "FORK", here)]);
}

/// Evidence is for people who cannot ask what happened: there a fork stays a fault.
#[test]
fn a_bundle_with_a_fork_is_refused_also_once_it_is_settled() {
    let mut here = 0;
    let directory = forked(|story| {
        let at = story.of_stream(PLAN);
        here = story.go_on(PLAN.into(), at[1], written("den anden gren"));
        let forks = forks_stream(story.ledger);
        story.go_on(forks.into(), 0, settlement(PLAN, [here]));
    });
    let (ledger, notary) = directory.open();
    let to = notary.checkpoint().unwrap().checkpoint.position();
    let bundle = export(&ledger, &notary, readable(range(1, to.get())));
    let options = believing(policy());
    let refused = verify_bundle(&mut bundle.as_bytes(), &options, &mut |_, _| {}).unwrap_err();
    let fault = (refused.fault.kind.code(), refused.fault.position.get());
    assert_eq!(fault, ("REVISION", here));
}

#[test]
fn a_stream_may_be_forked_twice_also_within_its_second_branch() {
    let (mut at, mut here) = (Vec::new(), [0; 4]);
    let directory = forked(|story| {
        at = story.of_stream(PLAN);
        let plan = StreamId::from(PLAN);
        here[0] = story.go_on(plan, at[1], written("den anden gren"));
        here[1] = story.go_on(plan, here[0], written("går videre"));
        here[2] = story.go_on(plan, here[0], written("og deler sig"));
        // Back on the first branch, which was lost for a while.
        here[3] = story.go_on(plan, at[at.len() - 1], written("tilbage"));
    });
    let found = quick(&directory);
    let last = (at.len() as u64, at[at.len() - 1]);
    let shapes: Vec<_> = found.forks.forks.iter().map(shape).collect();
    assert_eq!(
        shapes,
        [
            [(2, at[1]), (3, at[2]), last, (3, here[0]), (4, here[1])],
            [
                (3, here[0]),
                (4, here[1]),
                (4, here[1]),
                (4, here[2]),
                (4, here[2])
            ],
            [
                last,
                (3, here[0]),
                (4, here[2]),
                (last.0 + 1, here[3]),
                (last.0 + 1, here[3])
            ],
        ]
    );
    let fault = found.part(PartName::Journal).unwrap().fault.clone();
    assert!(fault.unwrap().what.ends_with("; and 2 more"));
}

/// The next event has the revision after the greatest of all branches and follows the stream's last
/// event; nothing is said about it.
#[test]
fn what_goes_on_after_a_fork_is_no_second_fork() {
    let (mut here, mut next) = (0, 0);
    let go_on = |revision: u64| {
        move |story: &mut Story, here: &mut u64, next: &mut u64| {
            let at = story.of_stream(PLAN);
            *here = story.go_on(PLAN.into(), at[0], written("den anden gren"));
            let revision = Revision::new(at.len() as u64 + revision);
            *next = story.go_on_as(PLAN.into(), *here, revision, written("videre"));
            story.go_on(PLAN.into(), *next, written("og videre"));
        }
    };
    let directory = forked(|story| go_on(1)(story, &mut here, &mut next));
    let found = quick(&directory);
    assert_eq!(faults(&found), [("journal", "FORK", here)]);
    let [fork] = found.forks.forks[..] else {
        panic!("{:?}", found.forks)
    };
    assert_eq!(fork.second.to.position.get(), here);
    assert_eq!(found.forks.streams[0].last.position.get(), next + 1);
    // Any other revision is a fault of its own, and the end of checking.
    for wrong in [0, 2] {
        let directory = forked(|story| go_on(wrong)(story, &mut here, &mut next));
        let found = quick(&directory);
        assert_eq!(faults(&found), [("journal", "REVISION", next)]);
        assert_eq!(found.events.get(), next - 1);
    }
}

#[test]
fn what_continues_nothing_is_still_a_plain_fault() {
    let alike = |alter: fn(&mut Story, u64)| {
        let mut here = 0;
        let directory = forked(|story| {
            let at = story.of_stream(PLAN);
            here = story.go_on(PLAN.into(), at[1], written("plantet"));
            alter(story, here);
        });
        let found = quick(&directory);
        assert!(found.forks.is_empty(), "{:?}", found.forks);
        assert_eq!(found.events.get(), here - 1);
        let [(part, kind, position)] = faults(&found)[..] else {
            panic!("{:?}", faults(&found))
        };
        assert_eq!((part, position), ("journal", here));
        kind
    };
    // A link to nowhere.
    let kind = alike(|story, here| story.at(here).entry.previous_link = [9; 32]);
    assert_eq!(kind, "REVISION");
    // A gap.
    let kind = alike(|story, here| {
        story.at(here).entry.revision = Revision::new(40);
        story.commits.last_mut().unwrap().commands[0].revision = Revision::new(40);
    });
    assert_eq!(kind, "REVISION");
    // It points to another event than it links to, of its stream or of another.
    let kind = alike(|story, here| {
        let back = story.of_stream(PLAN)[0];
        story.at(here).back = Position::new(back);
    });
    assert_eq!(kind, "REVISION");
    let kind = alike(|story, here| {
        let back = story.of_stream(STUDENT)[0];
        story.at(here).back = Position::new(back);
    });
    assert_eq!(kind, "REVISION");
    // Another person's key.
    let kind = alike(|story, here| {
        story.at(here).entry.key = story.key_of(CLASSMATE.into());
    });
    assert_eq!(kind, "REVISION");
}

#[test]
fn an_answer_from_an_older_state_is_named_and_checking_goes_on() {
    let (mut last, mut end) = (0, 0);
    let directory = forked(|story| {
        let at = story.of_stream(PLAN);
        last = at.len() as u64;
        end = story
            .commits
            .iter()
            .map(|told| told.events.len() as u64)
            .sum();
        story.answer(PLAN.into(), Revision::new(2));
        story.answer(PLAN.into(), Revision::new(last));
    });
    let found = quick(&directory);
    assert_eq!(faults(&found), [("journal", "COMMAND", end)]);
    let [stale] = found.forks.stale[..] else {
        panic!("{:?}", found.forks)
    };
    assert_eq!((stale.said.get(), stale.revision.get()), (2, last));
    assert_eq!(
        found.forks.unsettled().collect::<Vec<_>>(),
        [(PLAN.into(), Position::new(end))]
    );
    // A revision that it never had is another matter.
    let directory = forked(|story| story.answer(PLAN.into(), Revision::new(last + 1)));
    let found = quick(&directory);
    assert!(found.forks.is_empty());
    assert_eq!(faults(&found), [("journal", "COMMAND", end)]);
}

#[test]
fn a_settled_fork_is_no_fault_and_stays_in_sight() {
    let mut here = [0; 2];
    let mut settled = 0;
    let directory = forked(|story| {
        let at = story.of_stream(PLAN);
        here[0] = story.go_on(PLAN.into(), at[1], written("den anden gren"));
        let forks = forks_stream(story.ledger);
        settled = story.go_on(forks.into(), 0, settlement(PLAN, [here[0]]));
    });
    let found = quick(&directory);
    assert_eq!(faults(&found), []);
    assert!(found.is_sound());
    assert_eq!(found.forks.forks[0].settled, Some(Position::new(settled)));
    assert_eq!(found.forks.unsettled().count(), 0);
    let note = found.part(PartName::Journal).unwrap().note.clone();
    assert_eq!(note.as_deref(), Some("1 fork of a stream, settled"));
    // Another fork, later, is not covered by it.
    directory.reframe(|story| {
        let at = story.of_stream(PLAN);
        here[1] = story.go_on(PLAN.into(), at[0], written("en tredje"));
    });
    let found = quick(&directory);
    assert_eq!(faults(&found), [("journal", "FORK", here[1])]);
    let note = found.part(PartName::Journal).unwrap().note.clone();
    assert_eq!(
        note.as_deref(),
        Some("2 forks of streams: 1 settled, 1 not")
    );
}

#[test]
fn what_settles_a_fork_that_is_not_there_is_a_fault() {
    for wrong in [1, 2] {
        let mut settled = 0;
        let directory = forked(|story| {
            let at = story.of_stream(PLAN);
            let here = story.go_on(PLAN.into(), at[1], written("den anden gren"));
            let forks = forks_stream(story.ledger);
            let settlement = match wrong {
                1 => settlement(PLAN, [at[1]]),
                _ => settlement(STUDENT, [here]),
            };
            settled = story.go_on(forks.into(), 0, settlement);
        });
        let found = quick(&directory);
        assert_eq!(faults(&found), [("journal", "EVENT", settled)]);
    }
}

fn settlement(stream: impl Into<StreamId>, forks: impl IntoIterator<Item = u64>) -> Event {
    Event::Ledger(LedgerEvent::ForkSettled {
        stream: stream.into(),
        forks: forks.into_iter().map(Position::new).collect(),
        reason: "set igennem".parse().unwrap(),
    })
}

/// An administrator looks at it, opens the ledger and settles it.
#[test]
fn a_ledger_that_was_forked_opens_and_is_settled_by_a_new_event() {
    let mut here = 0;
    let directory = forked(|story| {
        let at = story.of_stream(PLAN);
        here = story.go_on(PLAN.into(), at[1], written("den anden gren"));
    });
    let (ledger, notary) = directory.open();
    let stream = forks_stream(ledger.status().ledger);
    let settle = || LedgerCommand::SettleFork {
        stream: PLAN.into(),
        forks: BTreeSet::from([Position::new(here)]),
        reason: "begge grene er set igennem".parse().unwrap(),
    };
    let mut ids = 9_000..;
    let mut ask = || {
        let command = Command::Ledger(stream, settle());
        let envelope = Envelope::new(command_id(ids.next().unwrap()), command);
        ledger.execute(SYSTEM, envelope).unwrap()
    };
    assert_eq!(ask().events, 1);
    // Once settled, it is settled.
    assert_eq!(ask().events, 0);
    notary.checkpoint().unwrap();
    ledger.settle();
    drop((ledger, notary));
    let found = verify(directory.path());
    let wrong = |(part, ..): &(&str, &str, u64)| matches!(*part, "journal" | "contents" | "heads");
    let wrong: Vec<_> = faults(&found).into_iter().filter(wrong).collect();
    assert_eq!(wrong, []);
    assert_eq!(found.forks.forks.len(), 1);
    assert_eq!(found.forks.unsettled().count(), 0);
}

/// The past of a stream, at each of these positions.
fn past(ledger: &Ledger, positions: &[u64]) -> Vec<(Arc<Aggregate>, Revision)> {
    let at = |position: &u64| {
        let position = Position::new(*position);
        let (found, _) = ledger
            .read_at(position, |reading| reading.stream(PLAN))
            .unwrap();
        found.unwrap()
    };
    positions.iter().map(at).collect()
}

#[test]
fn a_forked_plan_is_what_both_branches_add_up_to_and_goes_on_behind_the_greater_revision() {
    let (mut at, mut here) = (Vec::new(), Vec::new());
    let directory = forked(|story| {
        at = story.of_stream(PLAN);
        let first = story.go_on(PLAN.into(), at[1], written("fra før"));
        here = vec![first, story.go_on(PLAN.into(), first, written("og videre"))];
    });
    let all = [at.as_slice(), &here].concat();
    let (ledger, notary) = directory.open();
    let [found] = ledger.breaks()[..] else {
        panic!("{:?}", ledger.breaks())
    };
    let top = at.len() as u64;
    assert_eq!(found.stream, PLAN.into());
    assert_eq!((found.position.get(), found.revision.get()), (here[0], 3));
    assert_eq!(
        (found.before.get(), found.top.get()),
        (at[at.len() - 1], top)
    );
    assert_eq!(ledger.status().forks, 1);
    // Nothing is hidden: neither in the history nor in the past.
    let history = ledger.history(PLAN.into(), None, 100).unwrap();
    let positions: Vec<_> = history.iter().map(|event| event.position.get()).collect();
    assert!(positions.iter().rev().eq(&all), "{positions:?}");
    let after = ledger
        .history_after(PLAN.into(), Position::ZERO, 100)
        .unwrap();
    assert!(
        after
            .iter()
            .map(|event| event.position.get())
            .eq(all.clone())
    );
    let before = past(&ledger, &all);
    let status = |state: &Aggregate| match state {
        Aggregate::Plan(plan) => plan.status.as_ref().map(|text| text.text.to_string()),
        other => panic!("{other:?}"),
    };
    let (last, revision) = before.last().unwrap();
    assert_eq!(status(last).as_deref(), Some("og videre"));
    assert_eq!(revision.get(), top, "the greatest of both");
    // What the first branch did is still there when the second begins.
    let (there, _) = &before[at.len()];
    let Aggregate::Plan(there) = &**there else {
        panic!("{there:?}")
    };
    let Aggregate::Plan(first) = &*before[at.len() - 1].0 else {
        panic!("{before:?}")
    };
    assert_eq!(there.visible_to, first.visible_to);
    assert_eq!(there.evaluations.len(), first.evaluations.len());

    let text = "efter gaflen".parse().unwrap();
    let write = Command::Plan(PLAN, PlanCommand::WriteStatus { text });
    let receipt = ledger
        .execute(
            Actor::Person(TEACHER),
            Envelope::new(command_id(9_100), write),
        )
        .unwrap();
    assert_eq!(receipt.revision.get(), top + 1);
    drop((ledger, notary));
    let found = quick(&directory);
    assert_eq!(
        faults(&found),
        [("journal", "FORK", here[0])],
        "and no other"
    );

    // The same from the journal alone.
    std::fs::remove_dir_all(directory.file("derived")).unwrap();
    let (ledger, _notary) = directory.open();
    assert_eq!(past(&ledger, &all), before);
    assert_eq!(ledger.breaks().len(), 1);
    let (found, _) = ledger.read(|reading| reading.stream(PLAN)).unwrap();
    assert_eq!(found.unwrap().1, receipt.revision);
}

#[test]
fn what_happened_is_told_event_by_event_and_commands_carried_out_twice_with_both_outcomes() {
    let (mut at, mut here, mut twice) = (Vec::new(), [0; 2], 0);
    let directory = forked(|story| {
        at = story.of_stream(PLAN);
        here[0] = story.go_on(PLAN.into(), at[2], written("den anden gren"));
        here[1] = story.go_on(PLAN.into(), here[0], written("videre"));
        // A command of the first branch is carried out once more.
        twice = at[3];
        let first = story.at(twice).entry.command;
        story.at(here[1]).entry.command = first;
        story.commits.last_mut().unwrap().commands[0].id = first;
        story.reseal(here[1]);
    });
    let found = told(&directory);
    let told = found.forks.told.as_ref().unwrap();
    let [branches] = &told.branches[..] else {
        panic!("{told:?}")
    };
    let positions = |events: &[planledger_core::verify::BranchEvent]| {
        let positions = events.iter().map(|event| event.at.position.get());
        positions.collect::<Vec<_>>()
    };
    assert_eq!(positions(&branches.first), at[3..]);
    assert_eq!(positions(&branches.second), here);
    let kind = branches.second[0].event_type.unwrap();
    assert_eq!(kind.name, "plan.status_written");
    let plan = told.plans[0].unwrap();
    assert_eq!(plan.student, STUDENT);
    let [repeated] = &told.repeated[..] else {
        panic!("{:?}", told.repeated)
    };
    let outcomes = repeated.outcomes.iter();
    let outcomes: Vec<_> = outcomes.map(|outcome| outcome.position.get()).collect();
    assert_eq!(outcomes, [twice, here[1]]);
    assert!(!repeated.is_same_command());
    assert_eq!(told.repeated[0].outcomes[1].stream, PLAN.into());
}
