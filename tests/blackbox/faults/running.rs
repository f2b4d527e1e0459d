//! Calls fail while the server runs.

use super::story::*;
use super::told::Row;
use crate::support::*;

/// A server starts on what an earlier one left, so that it has to read; then calls fail under load.
fn while_running(dice: &mut Dice, call: Call, faults: &[Fault]) -> Outcome {
    let story = Story::begin(dice.below(1 << 40));
    let serving = story.start().unwrap();
    // sled writes much at a time, so there are not many calls, least of all opens.
    let most = match call {
        Call::Open | Call::Name | Call::OpenToWrite => 2,
        Call::Write | Call::Sync => dice.one_of(&[1, 3, 12]),
        Call::Read => dice.one_of(&[1, 12, 100, 400]),
    };
    let skip = dice.below(most);
    let count = dice.one_of(&[1, 1, 3, 20, u64::MAX]);
    let fault = dice.one_of(faults);
    let crash = dice.below(2) == 0;
    story.faults.begin(call, fault, skip, count);
    let loaded = story.load(&serving);
    let failed = story.faults.end();
    let end = if crash { "killed" } else { "stopped" };
    let how = format!("{call:?} {fault:?}, {failed} failed after {skip}; {end}; {loaded}");
    let was = match crash {
        true => story.crash(serving),
        false => story.end(serving),
    };
    Outcome { how, was }
}

fn changes_no_answer(number: u32, fault: &'static str, held: &Held) {
    let row = Row {
        number,
        fault,
        says: "what \"Derived state\" says: log, status, metric: derived_rebuilds_total".to_owned(),
        goes_on: "yes",
    };
    row.holds(held);
}

#[test]
fn reads_that_fail_or_stop_short_change_no_answer() {
    let held = go_through(2, 1, |dice| {
        let faults = [Fault::Error(EIO), Fault::Short, Fault::Torn(EIO)];
        while_running(dice, Call::Read, &faults)
    });
    changes_no_answer(
        76,
        "derived state: reads fail or stop short, running",
        &held,
    );
}

#[test]
fn writes_that_fail_in_the_middle_of_a_batch_change_no_answer() {
    let held = go_through(3, 2, |dice| {
        let faults = [
            Fault::Error(EIO),
            Fault::Error(ENOSPC),
            Fault::Torn(EIO),
            Fault::Torn(ENOSPC),
        ];
        while_running(dice, Call::Write, &faults)
    });
    changes_no_answer(
        77,
        "derived state: writes fail or stop halfway, running",
        &held,
    );
}

#[test]
fn files_that_cannot_be_opened_change_no_answer() {
    let held = go_through(2, 3, |dice| {
        while_running(dice, Call::Open, &[Fault::Error(EMFILE), Fault::Error(EIO)])
    });
    changes_no_answer(78, "derived state: files cannot be opened, running", &held);
}

#[test]
fn syncs_that_fail_change_no_answer() {
    let held = go_through(1, 4, |dice| {
        while_running(dice, Call::Sync, &[Fault::Error(EIO)])
    });
    changes_no_answer(79, "derived state: syncs fail, running", &held);
}

#[test]
fn a_server_whose_derived_state_cannot_be_written_any_more_ends_when_it_is_told_to() {
    let faults = [
        (Call::Write, Fault::Error(EIO)),
        (Call::Open, Fault::Error(EMFILE)),
    ];
    for (call, fault) in faults {
        let story = Story::begin(5);
        let serving = story.start().unwrap();
        story.faults.begin(call, fault, 0, u64::MAX);
        let loaded = story.load(&serving);
        // They go on failing while it stops.
        let stopped = serving.stop_within(STOP);
        story.faults.end();
        assert!(stopped.is_ok(), "{call:?}: {loaded} {stopped:?}");
        story.check().unwrap();
    }
}
