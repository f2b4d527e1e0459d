//! What passes: the server says so, is read from, and goes on by itself.

use planledger_proto::v1::*;

use super::story::*;
use super::told::{Row, Told, complaints, wait_for};
use crate::support::*;
use crate::watched::Measured;

/// Nothing can be written below a folder of which everything can be made again; then it can.
fn checkpoints_wait(folder: &str, (number, fault): (u32, &'static str)) {
    let story = Story::begin_on(u64::from(number), folder);
    let server = story.start_watched();
    story.work(&server.serving);
    Told::until(&server, "in order", is_covered);
    let full = Fault::Error(ENOSPC);
    let calls = [Call::Write, Call::OpenToWrite, Call::Name];
    story.faults.begin_all(&calls.map(|call| (call, full)));
    story.load(&server.serving);
    let told = Told::until(&server, "said", |told| failures(told) > 0.0);
    // Nothing else suffers.
    assert!(told.status.writable && told.takes && told.shows);
    story.faults.end();
    Told::until(&server, "in order again", is_covered);
    story.work(&server.serving);
    let (_, log) = server.serving.stop_within(STOP).unwrap();
    let said = "no checkpoint was made";
    assert!(log.contains(said), "{log}");
    let row = Row {
        number,
        fault,
        says: format!(
            "metric: checkpoint_failures_total {}; log: `{said}`",
            failures(&told)
        ),
        goes_on: "yes",
    };
    row.holds(&story.check().unwrap());
}

fn failures(told: &Told) -> f64 {
    told.metric("checkpoint_failures_total{log=\"ledger\"}")
}

fn is_covered(told: &Told) -> bool {
    // Each checkpoint may be followed by a record of the ledger's own.
    told.metric("checkpoint_lag_events") < 8.0
}

#[test]
fn checkpoints_that_cannot_be_stored_are_made_later() {
    let row = (30, "disk full: checkpoints");
    checkpoints_wait("checkpoints/", row);
}

#[test]
fn tiles_that_cannot_be_stored_are_made_later() {
    let row = (31, "disk full: tiles");
    checkpoints_wait("tlog/", row);
}

/// Derived state cannot be written; it is made again when it can. Meanwhile commands may be refused, and lists
/// are read.
#[test]
fn derived_state_that_cannot_be_written_is_made_again() {
    let story = Story::begin_on(32, "derived/");
    let server = story.start_watched();
    story.work(&server.serving);
    let full = Fault::Error(ENOSPC);
    let calls = [Call::Write, Call::OpenToWrite, Call::Name];
    story.faults.begin_all(&calls.map(|call| (call, full)));
    story.load(&server.serving);
    let told = Told::until(&server, "said", |told| !told.status.writable);
    let why = told.why();
    let says_both = why.contains("derived state is being rebuilt") && why.contains("No space left");
    assert!(says_both, "{why}");
    assert!(story.faults.end() > 0, "nothing was written");
    Told::well(&server);
    story.work(&server.serving);
    let (_, log) = server.serving.stop_within(STOP).unwrap();
    let row = Row {
        number: 32,
        fault: "disk full: derived state",
        says: format!("{}; {}", told.summary(), complaints(&log)),
        goes_on: "yes",
    };
    row.holds(&story.check().unwrap());
}

/// The owner of the process may no longer open, make or remove anything in the ledger's directory. What is open
/// stays so.
#[test]
fn permissions_that_are_lost_and_given_back_lose_nothing() {
    let story = Story::begin_on(33, "");
    let server = story.start_watched();
    story.work(&server.serving);
    let denied = Fault::Error(EACCES);
    story
        .faults
        .begin_all(&[(Call::Open, denied), (Call::Name, denied)]);
    story.load(&server.serving);
    let told = Told::until(&server, "said", |told| failures(told) > 0.0);
    story.faults.end();
    Told::well(&server);
    story.work(&server.serving);
    let (_, log) = server.serving.stop_within(STOP).unwrap();
    let row = Row {
        number: 33,
        fault: "permission lost: every folder (`EACCES` on every open and name)",
        says: format!(
            "metric: checkpoint_failures_total {}; {}; {}",
            failures(&told),
            told.summary(),
            complaints(&log)
        ),
        goes_on: "yes",
    };
    row.holds(&story.check().unwrap());
}

/// A plan on a server, so that a read can be recorded.
fn plan_on(server: &Measured) -> String {
    wait_for(async {
        let events = server.serving.voice().await.all_events().await;
        let mut streams = events.iter().map(|event| &event.stream);
        let plan = streams.find_map(|stream| stream.strip_prefix("plan/"));
        plan.unwrap().to_owned()
    })
}

fn read(server: &Measured, plan: &str) -> Result<PlanView, Box<Refused>> {
    wait_for(async {
        let voice = server.serving.voice().await;
        let plan = voice.try_plan(plan, Viewer::Staff, None).await;
        plan.map_err(Box::new)
    })
}

/// A write of the access log is as final as one of the journal, but only for who reads plans.
#[test]
fn a_write_of_the_access_log_that_fails_is_final_for_plans_only() {
    let story = Story::begin_on(34, "access/journal/");
    let server = story.start_watched();
    let plan = plan_on(&server);
    read(&server, &plan).unwrap();
    // Its record is written by then.
    Told::well(&server);
    story.faults.begin(Call::Write, Fault::Error(EIO), 0, 1);
    // The answer does not wait for the record.
    read(&server, &plan).unwrap();
    let told = Told::until(&server, "said", |told| !told.shows);
    assert_eq!(story.faults.end(), 1);
    assert_eq!(told.status.access_log(), AccessLogState::Failed);
    assert_eq!(told.metric("shows_plans"), 0.0);
    assert!(told.takes);
    let refused = read(&server, &plan).unwrap_err();
    assert_eq!(refused.reason, "ACCESS_LOG_FAILED");
    assert!(refused.message.contains("restarted"), "{}", refused.message);
    story.work(&server.serving);
    let (_, log) = server.serving.stop_within(STOP).unwrap();
    let row = Row {
        number: 34,
        fault: "a write of the access log fails (`EIO`)",
        says: format!("{}; {}", told.summary(), complaints(&log)),
        goes_on: "commands yes; plans no: restart",
    };
    row.holds(&story.check().unwrap());
}

/// Days of the month from which a step of 15 leads into the next one, and no step is a jump.
fn to_the_20th() -> i64 {
    let day = wait_for(async { planledger::system::today().day() });
    i64::from(20 - day)
}

const DAY: i64 = 24 * 60 * 60;

/// The access log begins a segment with each month. If it cannot, nothing was written: the server waits, and
/// what was shown before is recorded once it can.
#[test]
fn a_segment_of_the_access_log_that_cannot_be_begun_is_waited_for() {
    let story = Story::begin_on(35, "access/journal/");
    let first = to_the_20th();
    story.faults.set_clock(first * DAY);
    let server = story.start_watched();
    let plan = plan_on(&server);
    read(&server, &plan).unwrap();
    Told::well(&server);
    let full = Fault::Error(ENOSPC);
    story
        .faults
        .begin_all(&[(Call::OpenToWrite, full), (Call::Name, full)]);
    story.faults.set_clock((first + 15) * DAY);
    read(&server, &plan).unwrap();
    let told = Told::until(&server, "said", |told| !told.shows);
    assert_eq!(told.status.access_log(), AccessLogState::Waiting);
    assert_eq!(told.metric("shows_plans"), 0.0);
    assert_eq!(told.metric("waits_for_room"), 1.0);
    let refused = read(&server, &plan).unwrap_err();
    assert_eq!(refused.reason, "ACCESS_LOG_FAILED");
    story.work(&server.serving);
    story.faults.end();
    Told::well(&server);
    read(&server, &plan).unwrap();
    let (_, log) = server.serving.stop_within(STOP).unwrap();
    let row = Row {
        number: 35,
        fault: "disk full: the next segment of the access log",
        says: format!("{}; {}", told.summary(), complaints(&log)),
        goes_on: "yes",
    };
    row.holds(&story.check().unwrap());
}
