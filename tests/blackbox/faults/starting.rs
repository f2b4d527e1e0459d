//! Calls fail while the server starts.

use super::story::*;
use super::told::Row;
use crate::support::*;

/// Once while it starts, a call fails. The start is not refused for it.
#[test]
fn a_call_that_fails_while_a_server_starts_refuses_no_start_and_changes_no_answer() {
    let held = go_through(3, 6, |dice| {
        let story = Story::begin(dice.below(1 << 40));
        let (call, fault) = dice.one_of(&[
            (Call::Read, Fault::Error(EIO)),
            (Call::Read, Fault::Short),
            (Call::Read, Fault::Torn(EIO)),
            (Call::Open, Fault::Error(EMFILE)),
            (Call::Write, Fault::Error(EIO)),
        ]);
        let most = dice.one_of(&[1, 4, 40, 400]);
        let skip = dice.below(most);
        story.faults.begin(call, fault, skip, 1);
        let serving = story.start();
        let failed = story.faults.end();
        let how = format!("{call:?} {fault:?}, {failed} failed after {skip}");
        let was = match serving {
            Ok(serving) => {
                story.load(&serving);
                story.end(serving)
            }
            Err(log) => Err(format!("the start is refused: {log}")),
        };
        Outcome { how, was }
    });
    let row = Row {
        number: 80,
        fault: "derived state: a call fails while the server starts",
        says: "what \"Derived state\" says; no start is refused for it".to_owned(),
        goes_on: "yes",
    };
    row.holds(&held);
}
