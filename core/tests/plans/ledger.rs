//! Reading the past and reverting to it through a ledger on disk.

use planledger_core::domain::Command;
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::view::{PlanView, diff};
use planledger_core::domain::world::Context;
use planledger_core::ids::{Position, StreamId};
use planledger_core::ledger::{Envelope, ExecuteError, Payload, ReadError, Reading, rebuild};
use planledger_fixtures::commands;
use planledger_fixtures::place::{START, dump};

use crate::plans::place::LedgerWithPlan;
use crate::plans::school::{GOALS, PLAN, STUDENT, TEACHER, UNITS, assessment, evaluation_id};

fn words(view: Option<PlanView>) -> Option<String> {
    view.unwrap().status.map(|written| written.text.to_string())
}

#[test]
fn a_revert_is_recorded_and_every_moment_still_reads_as_it_was() {
    let mut place = LedgerWithPlan::new();
    let opened = place.ledger.position();
    let first = place.write("begynder at læse");
    let second = place.write("om en anden elev");
    let revert = place.revert_to(first.position);
    let command = Command::Plan(PLAN, PlanCommand::Revert(Box::new(revert)));
    let third = place.act(TEACHER, command);
    assert_eq!(third.events, 2, "a marker and a text");
    let history = place.ledger.history(PLAN.into(), None, 2).unwrap();
    let payload = |index: usize| match &history[index].payload {
        Payload::Json(json) => String::from_utf8(json.clone()).unwrap(),
        Payload::Left(_) | Payload::Redacted | Payload::Erased => panic!("redacted"),
    };
    let marker = format!(
        r#"{{"reverted":{{"to":{},"reason":"den forkerte elev"}}}}"#,
        first.position
    );
    assert_eq!(payload(1), marker);
    assert_eq!(
        payload(0),
        r#"{"status_written":{"text":"begynder at læse"}}"#
    );
    for (position, expected) in [
        (opened, None),
        (first.position, Some("begynder at læse")),
        (second.position, Some("om en anden elev")),
        (third.position, Some("begynder at læse")),
    ] {
        assert_eq!(words(place.view_at(position)).as_deref(), expected);
    }
    let LedgerWithPlan { place, ledger, .. } = place;
    let before = dump(&ledger);
    drop(ledger);
    rebuild(place.options()).unwrap();
    let ledger = place.open();
    assert_eq!(dump(&ledger), before);
}

#[test]
fn a_revert_sent_again_gives_its_first_receipt_though_there_is_nothing_left_to_do() {
    let mut place = LedgerWithPlan::new();
    let first = place.write("begynder at læse");
    place.write("om en anden elev");
    let revert = |place: &LedgerWithPlan| {
        let revert = place.revert_to(first.position);
        Command::Plan(PLAN, PlanCommand::Revert(Box::new(revert)))
    };
    let command = revert(&place);
    let envelope = place.envelope(command);
    let receipt = place.ledger.execute(TEACHER, envelope.clone()).unwrap();
    // Built anew from the past, as after a lost answer.
    let again = Envelope {
        command: revert(&place),
        ..envelope.clone()
    };
    let repeated = place.ledger.execute(TEACHER, again).unwrap();
    assert!(repeated.replayed);
    assert_eq!(repeated.position, receipt.position);
    let mut elsewhere = place.revert_to(first.position.next());
    elsewhere.reason = "noget andet".parse().unwrap();
    let reused = Envelope {
        command: Command::Plan(PLAN, PlanCommand::Revert(Box::new(elsewhere))),
        ..envelope
    };
    let error = place.ledger.execute(TEACHER, reused).unwrap_err();
    assert!(matches!(error, ExecuteError::IdReused { .. }), "{error:?}");
}

#[test]
fn what_a_receipt_did_can_be_weighed_again_at_the_position_before_it() {
    let mut place = LedgerWithPlan::new();
    let first = place.write("begynder at læse");
    place.write("om en anden elev");
    let revert = place.revert_to(first.position);
    let weigh = |place: &LedgerWithPlan, at| {
        let context = Context::new(TEACHER, START);
        let read = |reading: &Reading<'_>| revert.weigh(reading, &context, PLAN);
        place.ledger.read_at(at, read).unwrap().0
    };
    let dry = weigh(&place, place.ledger.position());
    let command = Command::Plan(PLAN, PlanCommand::Revert(Box::new(revert.clone())));
    let receipt = place.act(TEACHER, command);
    place.write("endnu en gang");
    let before = Position::new(receipt.position.get() - u64::from(receipt.events));
    assert_eq!(weigh(&place, before), dry);
    assert_eq!(dry.changes.len(), 1);
}

#[test]
fn a_student_reverts_no_correction_of_the_teacher() {
    let mut place = LedgerWithPlan::new();
    let (goal, unit, _) = GOALS[1];
    let record = commands::record_evaluation(
        evaluation_id(1),
        UNITS[unit],
        goal,
        assessment(1, "godt på vej"),
    );
    let recorded = place.act(TEACHER, Command::Plan(PLAN, record));
    let correct = commands::correct_evaluation(evaluation_id(1), assessment(2, "i mål"));
    place.act(TEACHER, Command::Plan(PLAN, correct));
    let revert = place.revert_to(recorded.position);
    let command = Command::Plan(PLAN, PlanCommand::Revert(Box::new(revert)));
    assert_eq!(place.act(STUDENT, command.clone()).events, 0);
    assert_eq!(place.act(TEACHER, command).events, 2);
}

#[test]
fn before_it_was_opened_there_is_no_plan_and_beyond_the_end_there_is_no_past() {
    let mut place = LedgerWithPlan::new();
    place.write("begynder at læse");
    let end = place.ledger.position();
    let history = place.ledger.history(PLAN.into(), None, 100).unwrap();
    let opened = history.last().unwrap().position;
    assert_eq!(place.view_at(Position::new(opened.get() - 1)), None);
    assert!(place.view_at(opened).is_some());
    assert_eq!(place.view_at(Position::ZERO), None);
    let changes = diff(None, place.view_at(end).as_ref());
    assert!(changes.iter().all(|change| change.was.is_none()));
    let beyond = place
        .ledger
        .read_at(end.next(), |reading| reading.stream(StreamId::from(PLAN)));
    match beyond {
        Err(ReadError::NotThere { asked, tail }) => assert_eq!((asked, tail), (end.next(), end)),
        other => panic!("{other:?}"),
    }
}

/// "Læser på egen hånd" with the rings of "å" as characters of their own, as a Mac may send it.
const FROM_A_MAC: &str = "Læser pa\u{30a} egen ha\u{30a}nd";

fn write_status(text: planledger_core::text::Text) -> Command {
    Command::Plan(PLAN, PlanCommand::WriteStatus { text })
}

#[test]
fn a_command_of_before_texts_were_brought_to_one_form_is_known_when_it_is_sent_again() {
    let mut place = LedgerWithPlan::new();
    // A value that is deserialised keeps its form, as every text did before.
    let before = serde_json::from_value(FROM_A_MAC.into()).unwrap();
    let recorded = place.envelope(write_status(before));
    let receipt = place.ledger.execute(TEACHER, recorded.clone()).unwrap();
    let again = |text: &str| Envelope {
        command: write_status(text.parse().unwrap()),
        ..recorded.clone()
    };
    for text in [FROM_A_MAC, "Læser på egen hånd"] {
        let repeated = place.ledger.execute(TEACHER, again(text)).unwrap();
        assert!(repeated.replayed);
        assert_eq!(repeated.position, receipt.position);
    }
    let other = place.ledger.execute(TEACHER, again("Læser på egen hand"));
    assert!(matches!(other, Err(ExecuteError::IdReused { .. })));
    // The text that stands there is the same, so that there is nothing to write.
    let written = place.envelope(write_status(FROM_A_MAC.parse().unwrap()));
    assert_eq!(place.ledger.execute(TEACHER, written).unwrap().events, 0);
}
