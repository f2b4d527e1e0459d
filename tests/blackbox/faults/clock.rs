//! The clock of the machine is set wrong while the server runs.

use super::story::*;
use super::told::{Row, Told, complaints, wait_for};

const DAY: i64 = 24 * 60 * 60;
const YEAR: i64 = 365 * DAY;

/// Years forward, years back, to before 1970, some days forward and back again: no jump is recorded, each event
/// is later than the one before, and commands are taken all the time.
#[test]
fn a_clock_that_jumps_while_the_server_runs_is_not_recorded() {
    let story = Story::begin_on(40, "journal/");
    let server = story.start_watched();
    story.work(&server.serving);
    let positions = |server| Told::by(server).status.position;
    let before = positions(&server);
    for jump in [5 * YEAR, -5 * YEAR, -70 * YEAR, 0, 20 * DAY, 0] {
        story.faults.set_clock(jump);
        let earlier = positions(&server);
        story.work(&server.serving);
        let told = Told::by(&server);
        assert!(told.status.writable && told.takes, "{}", told.summary());
        assert!(told.status.position > earlier, "{jump}");
    }
    let events = wait_for(async { server.serving.voice().await.all_events().await });
    let times = events.iter().map(|event| event.recorded_at.unwrap());
    let times: Vec<_> = times.map(|at| (at.seconds, at.nanos)).collect();
    assert!(times.is_sorted_by(|one, next| one < next));
    let last = |position: u64| times[position as usize - 1].0;
    let passed = last(events.len() as u64) - last(before);
    // The 20 days are within the bounds, and are followed.
    assert!((19 * DAY..21 * DAY).contains(&passed), "{passed} seconds");
    let (_, log) = server.serving.stop_within(STOP).unwrap();
    let jumped = "the clock of this machine has jumped by more than 30 days";
    // Once for each time that it begins: what is wrong in another way is wrong still.
    assert_eq!(log.matches(jumped).count(), 1, "{log}");
    assert!(
        log.contains("the clock of this machine is right again"),
        "{log}"
    );
    // Otherwise the overview of today lacks what was recorded with a later day.
    story.faults.set_clock(20 * DAY);
    let row = Row {
        number: 40,
        fault: "the clock jumps 5 years forward, 5 and 70 back, 20 days forward and back",
        says: complaints(&log),
        goes_on: "yes",
    };
    row.holds(&story.check().unwrap());
}
