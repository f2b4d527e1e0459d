//! The past on the command line.

use planledger_core::domain::plan::{Audience, PlanCommand, Section};
use planledger_core::domain::team::TeamCommand;
use planledger_core::domain::{Actor, Command};
use planledger_core::ledger::Envelope;

use planledger_fixtures::commands::{correct_evaluation, set_visibility};

use crate::served::{
    COLLEAGUE_ID, EVALUATION, PLAN, STUDENT_ID, Served, TEACHER, TEAM, assessment, evaluate,
};

#[test]
fn a_day_is_what_stood_when_it_ended_in_copenhagen() {
    let served = Served::new();
    let mut positions = Vec::new();
    for (instant, words) in [
        ("2021-02-22T22:59:59Z", "sent den 22. februar"),
        ("2021-02-22T23:00:00Z", "lige efter midnat den 23. februar"),
        // The day before clocks go forward ends in winter time, the day itself in summer time.
        ("2021-03-27T22:59:59Z", "sent den 27. marts"),
        ("2021-03-28T21:59:59Z", "sent den 28. marts"),
        ("2021-03-28T22:00:00Z", "lige efter midnat den 29. marts"),
        // And back.
        ("2021-10-30T21:59:59Z", "sent den 30. oktober"),
        ("2021-10-31T22:59:59Z", "sent den 31. oktober"),
        ("2021-10-31T23:00:00Z", "lige efter midnat den 1. november"),
    ] {
        positions.push(served.at(instant).write(words).position.get());
    }
    served.at("2021-12-01T00:00:00Z");
    let plan = PLAN.to_string();
    for (day, expected) in [
        ("2021-02-22", Some(0)),
        ("2021-02-23", Some(1)),
        ("2021-03-27", Some(2)),
        ("2021-03-28", Some(3)),
        ("2021-03-29", Some(4)),
        ("2021-10-30", Some(5)),
        ("2021-10-31", Some(6)),
        ("2021-11-01", Some(7)),
        ("2021-02-21", None),
    ] {
        let shown = served
            .run(&["plan", "show", &plan, "--at", day, "--json"])
            .json();
        let position: u64 = shown["position"].as_str().unwrap().parse().unwrap();
        match expected {
            Some(index) => assert_eq!(position, positions[index], "{day}"),
            None => assert!(position < positions[0], "{day}"),
        }
    }
}

#[test]
fn what_guardians_saw_on_a_day_is_shown_with_the_position_that_shows_it_again() {
    let served = Served::new();
    served.at("2021-02-20T09:00:00Z").write("begynder at læse");
    let section = Section::Status;
    served.on_plan(PlanCommand::ShowSection { section });
    served.on_plan(PlanCommand::Share);
    let shown = served.on_plan(set_visibility(Audience::Guardians, true));
    served.at("2021-02-23T09:00:00Z");
    served.on_plan(PlanCommand::HideSection { section });
    let plan = PLAN.to_string();
    let show = |moment: &str| {
        let eyes = ["--viewer", "guardians", "--at", moment];
        let ran = served.run(&[&["plan", "show", &plan], &eyes[..]].concat());
        assert_eq!(ran.code, Some(0), "{}", ran.error);
        ran.out
    };
    let then = show("2021-02-22");
    let first = format!("as of position {}", shown.position);
    assert_eq!(then.lines().next(), Some(first.as_str()));
    assert!(then.contains("begynder at læse"), "{then}");
    assert_eq!(show(&shown.position.to_string()), then);
    let ran = served.run(&["plan", "show", &plan, "--viewer", "guardians"]);
    assert!(!ran.out.contains("begynder at læse"), "{}", ran.out);
    for (moment, reason) in [
        ("2021-02-23", "INSTANT_AHEAD"),
        ("1000", "POSITION_AHEAD"),
        ("2020-12-31", "PLAN_NOT_FOUND"),
    ] {
        let ran = served.run(&["plan", "show", &plan, "--at", moment]);
        assert_eq!(ran.code, Some(1));
        assert!(ran.error.contains(reason), "{}", ran.error);
    }
}

#[test]
fn a_difference_is_printed_item_by_item() {
    let served = Served::new();
    served.at("2021-02-01T08:00:00Z").write("begynder at læse");
    served.on_plan(evaluate(1, "godt på vej"));
    let from = served.ledger.position();
    served
        .at("2021-02-02T08:00:00Z")
        .write("læser med lyst\nog skriver");
    let correct = correct_evaluation(EVALUATION, assessment(2, "i mål"));
    served.on_plan(correct);
    served.on_plan(PlanCommand::TransferOwnership {
        to: COLLEAGUE_ID,
        reason: None,
    });
    served.on_plan(PlanCommand::Share);
    let delete = TeamCommand::Delete {
        reason: Some("oprydning".parse().unwrap()),
    };
    let to = served.act(TEACHER, Command::Team(TEAM, delete));
    let plan = PLAN.to_string();
    let ran = served.run(&["plan", "diff", &plan, "--from", &from.to_string()]);
    let expected = format!(
        "plan {plan}, from position {from} to position {}
~ Owner
    name: Åse Bach → Bo Dam
    id: 34343434 → 35353535
~ Team
    + deleted: 2021-02-02 09:00:00: oprydning
    + deleted by: Åse Bach
+ Shared
~ Status
    - text: begynder at læse
    + text:
      læser med lyst
      og skriver
    written: 2021-02-01 09:00:00 → 2021-02-02 09:00:00
~ Evaluation of “Jeg læser med lyst” (91919191)
    level: Næsten → I mål
    comment: godt på vej → i mål
    + corrected: 2021-02-02 09:00:00
",
        to.position
    );
    assert_eq!(ran.out, expected, "{}", ran.error);
    let to = to.position.to_string();
    let same = served.run(&["plan", "diff", &plan, "--from", &to, "--to", &to]);
    assert!(same.out.ends_with("no differences\n"), "{}", same.out);
    let json = served
        .run(&["plan", "diff", &plan, "--from", &to, "--json"])
        .json();
    assert_eq!(json["toPosition"].as_str(), Some(to.as_str()));
}

#[test]
fn the_log_says_who_for_whom_when_what_and_why() {
    let served = Served::new();
    served.at("2021-10-31T00:30:00Z");
    let transfer = PlanCommand::TransferOwnership {
        to: COLLEAGUE_ID,
        reason: Some("går på barsel".parse().unwrap()),
    };
    let mut envelope = Envelope::new(served.command_id(), Command::Plan(PLAN, transfer));
    envelope.on_behalf_of = Some(Actor::Person(STUDENT_ID));
    served.ledger.execute(TEACHER, envelope).unwrap();
    let plan = PLAN.to_string();
    let log = served.run(&["plan", "log", &plan]);
    let columns = |line: &str| {
        let cells = line.split("  ").map(str::trim);
        cells
            .filter(|cell| !cell.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let mut lines = log.out.lines();
    let heading = [
        "position",
        "when (Copenhagen)",
        "who",
        "for",
        "what",
        "why",
        "details",
    ];
    assert_eq!(columns(lines.next().unwrap()), heading);
    let last = columns(lines.next_back().unwrap());
    let expected = [
        "2021-10-31 02:30:00",
        "Åse Bach",
        "Ida Kjær",
        "ownership transferred",
        "“går på barsel”",
        "from Åse Bach, to Bo Dam",
    ];
    assert_eq!(last[1..], expected);
}

#[test]
fn a_revert_is_shown_first_and_done_only_when_somebody_says_so() {
    let served = Served::new();
    served.at("2021-02-01T08:00:00Z").write("begynder at læse");
    let then = served.ledger.position();
    served.at("2021-02-02T08:00:00Z").write("om en anden elev");
    served.on_plan(evaluate(1, "godt på vej"));
    let end = served.ledger.position();
    let plan = PLAN.to_string();
    let reverting = [
        "plan",
        "revert",
        &plan,
        "--to",
        "2021-02-01",
        "--reason",
        "forkert elev",
    ];
    let revert = |more: &[&str]| served.run(&[&reverting, more].concat());

    let unasked = revert(&[]);
    assert_eq!(unasked.code, Some(2));
    assert!(unasked.error.contains("--dry-run"), "{}", unasked.error);
    assert_eq!(unasked.out, "");

    let dry = revert(&["--dry-run"]);
    let expected = format!(
        "plan {plan}, back to how it stood at position {then}
~ Status
    text: om en anden elev → begynder at læse
= Evaluation of “Jeg læser med lyst” (91919191) stays: it was recorded later, and recorded evaluations and talks are never removed
"
    );
    assert_eq!(dry.out, expected, "{}", dry.error);
    assert_eq!(served.ledger.position(), end);

    let id = "7f9c0102-0304-4506-8708-010203040506";
    let done = revert(&["--yes", "--command-id", id]);
    let recorded = format!("recorded at position {}, 2 events\n", end.get() + 2);
    assert_eq!(done.out, format!("{expected}{recorded}"), "{}", done.error);
    let again = revert(&["--yes", "--command-id", id]);
    assert_eq!(again.out, done.out);
    assert_eq!(served.ledger.position().get(), end.get() + 2);

    let log = served.run(&["plan", "log", &plan]).out;
    let marker = log.lines().find(|line| line.contains("reverted")).unwrap();
    assert!(marker.contains("“forkert elev”"), "{marker}");
    let nothing = revert(&["--yes", "--json"]).json();
    assert_eq!(nothing["receipt"]["unchanged"], true);
    for (wrong, code) in [
        (["--to", "i går"], 2),
        (["--reason", "CPR 010203-1234"], 2),
        (["--to", "2020-01-01"], 1),
    ] {
        let mut arguments = [
            "plan", "revert", &plan, "--to", "1", "--reason", "x", "--yes",
        ];
        let at = arguments
            .iter()
            .position(|argument| *argument == wrong[0])
            .unwrap();
        arguments[at + 1] = wrong[1];
        let ran = served.run(&arguments);
        assert_eq!(ran.code, Some(code), "{wrong:?}: {}", ran.error);
    }
}
