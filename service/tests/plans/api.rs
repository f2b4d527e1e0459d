//! Differences and reverts over gRPC.

use planledger_core::domain::person::PersonCommand;
use planledger_core::domain::plan::{PlanCommand, Revert, WrittenContent};
use planledger_core::domain::school_year::{SchoolYear, SchoolYearCommand};
use planledger_core::domain::year_plan::YearPlanCommand;
use planledger_core::domain::{Actor, Command};
use planledger_core::ids::{PlanId, Position, YearPlanId};
use planledger_core::ledger::Envelope;
use planledger_proto::FILE_DESCRIPTOR_SET;
use planledger_proto::v1::as_of::Moment;
use planledger_proto::v1::plan_item::Item;
use planledger_proto::v1::revert_change::Change;
use planledger_proto::v1::{
    self as proto, AsOf, DiffPlanRequest, DiffPlanResponse, ExecuteRequest, RevertPlanRequest,
    RevertPlanResponse, RevertStayReason, Viewer,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use planledger_fixtures::commands::{correct_evaluation, set_visibility};

use crate::served::{
    EVALUATION, PLAN, STUDENT, STUDENT_ID, Served, TEACHER, YEAR_PLAN, assessment, evaluate, nanos,
    record_talk,
};

fn position(position: Position) -> AsOf {
    AsOf {
        moment: Some(Moment::Position(position.get())),
    }
}

fn instant(at: &str) -> AsOf {
    let nanos = nanos(at);
    AsOf {
        moment: Some(Moment::Instant(prost_types::Timestamp {
            seconds: (nanos / 1_000_000_000).try_into().unwrap(),
            nanos: (nanos % 1_000_000_000).try_into().unwrap(),
        })),
    }
}

fn diff(
    served: &Served,
    viewer: Viewer,
    from: AsOf,
    to: Option<AsOf>,
) -> Result<DiffPlanResponse, Status> {
    let request = DiffPlanRequest {
        plan_id: PLAN.to_string(),
        viewer: viewer.into(),
        min_position: 0,
        from: Some(from),
        to,
    };
    served.call(TEACHER, |client| async move {
        Ok(client.plans().diff_plan(request).await?.into_inner())
    })
}

fn reverting(served: &Served, to: AsOf) -> RevertPlanRequest {
    RevertPlanRequest {
        command_id: served.command_id().to_string(),
        plan_id: PLAN.to_string(),
        to: Some(to),
        reason: "skrevet i den forkerte elevs plan".to_owned(),
        ..RevertPlanRequest::default()
    }
}

fn revert(
    served: &Served,
    actor: Actor,
    request: &RevertPlanRequest,
) -> Result<RevertPlanResponse, Status> {
    let request = request.clone();
    served.call(actor, |client| async move {
        Ok(client.commands().revert_plan(request).await?.into_inner())
    })
}

/// Reason and fields of a refusal. Every field has to be one of the message that it is about.
fn refused(status: &Status, message: &str) -> (String, Vec<String>) {
    let details = status.get_error_details();
    let fields: Vec<_> = (details.bad_request().into_iter())
        .flat_map(|bad| &bad.field_violations)
        .map(|violation| violation.field.clone())
        .collect();
    let pool = prost_reflect::DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
    for field in &fields {
        let mut within = pool.get_message_by_name(&format!("planledger.v1.{message}"));
        for part in field.split('.') {
            let parent = within.unwrap_or_else(|| panic!("{field} of {message}"));
            let found = parent.get_field_by_name(part);
            // The one name of a oneof is a field as far as violations go.
            let oneof = parent.oneofs().any(|oneof| oneof.name() == part);
            assert!(found.is_some() || oneof, "{field} of {message}");
            within = found.and_then(|found| found.kind().as_message().cloned());
        }
    }
    (details.error_info().unwrap().reason.clone(), fields)
}

#[test]
fn a_difference_names_the_positions_that_give_it_again_for_ever() {
    let served = Served::new();
    served.at("2021-02-01T09:00:00Z");
    let first = served.write("begynder at læse");
    served.at("2021-02-22T09:00:00Z");
    let second = served.write("læser med lyst");
    served.at("2021-03-01T09:00:00Z");
    let from = instant("2021-02-10T00:00:00Z");
    let now = diff(&served, Viewer::Staff, from, None).unwrap();
    assert_eq!(now.from_position, first.position.get());
    assert_eq!(now.to_position, second.position.get());
    let texts: Vec<_> = (now.changes.iter())
        .map(|change| {
            let text = |item: &Option<proto::PlanItem>| match &item.as_ref()?.item {
                Some(Item::Status(status)) => Some(status.text.clone()),
                other => panic!("{other:?}"),
            };
            (text(&change.was), text(&change.is))
        })
        .collect();
    let expected = ("begynder at læse".to_owned(), "læser med lyst".to_owned());
    assert_eq!(texts, [(Some(expected.0), Some(expected.1))]);
    served.write("skriver også");
    let from = position(Position::new(now.from_position));
    let to = position(Position::new(now.to_position));
    let again = diff(&served, Viewer::Staff, from, Some(to)).unwrap();
    assert_eq!(again, now);
    let back = diff(&served, Viewer::Staff, to, Some(from)).unwrap();
    assert_eq!(back.changes[0].was, now.changes[0].is);
}

#[test]
fn a_plan_comes_into_sight_with_all_that_guardians_then_see() {
    let served = Served::new();
    served.write("begynder at læse");
    let before = served.ledger.position();
    served.on_plan(PlanCommand::Share);
    let last = served.on_plan(set_visibility(
        planledger_core::domain::plan::Audience::Guardians,
        true,
    ));
    let found = diff(&served, Viewer::Guardians, position(before), None).unwrap();
    assert!(found.changes.iter().all(|change| change.was.is_none()));
    let items = found
        .changes
        .iter()
        .filter_map(|it| it.is.as_ref()?.item.as_ref());
    let items: Vec<_> = items.collect();
    assert!(matches!(items[0], Item::Plan(_)), "{items:?}");
    let hidden = items.iter().all(|item| !matches!(item, Item::Status(_)));
    assert!(hidden, "the section is not shown");
    let unseen = diff(
        &served,
        Viewer::Others,
        position(before),
        Some(position(last.position)),
    );
    assert_eq!(
        refused(&unseen.unwrap_err(), "DiffPlanRequest"),
        ("PLAN_NOT_FOUND".to_owned(), vec!["plan_id".to_owned()])
    );
}

#[test]
fn moments_that_have_not_happened_are_refused_by_the_field_that_names_them() {
    let served = Served::new();
    let end = served.ledger.position();
    let (early, ahead) = (position(Position::ZERO), instant("2021-01-04T08:00:01Z"));
    let beyond = position(end.next());
    for (from, to, code, reason, field) in [
        (
            beyond,
            None,
            Code::OutOfRange,
            "POSITION_AHEAD",
            "from.position",
        ),
        (
            early,
            Some(beyond),
            Code::OutOfRange,
            "POSITION_AHEAD",
            "to.position",
        ),
        (
            ahead,
            None,
            Code::OutOfRange,
            "INSTANT_AHEAD",
            "from.instant",
        ),
        (
            early,
            Some(ahead),
            Code::OutOfRange,
            "INSTANT_AHEAD",
            "to.instant",
        ),
        (
            early,
            Some(early),
            Code::NotFound,
            "PLAN_NOT_FOUND",
            "plan_id",
        ),
        (
            AsOf { moment: None },
            None,
            Code::InvalidArgument,
            "REQUEST_INVALID",
            "from.moment",
        ),
    ] {
        let status = diff(&served, Viewer::Staff, from, to).unwrap_err();
        assert_eq!(status.code(), code, "{field}");
        let expected = (reason.to_owned(), vec![field.to_owned()]);
        assert_eq!(refused(&status, "DiffPlanRequest"), expected);
    }
}

#[test]
fn a_dry_run_names_what_the_real_run_does_and_records_nothing() {
    let served = Served::new();
    let start = served.write("begynder at læse");
    served.on_plan(evaluate(1, "godt på vej"));
    let then = served.ledger.position();
    served.write("om en anden elev");
    let correct = correct_evaluation(EVALUATION, assessment(2, "om en anden elev"));
    served.on_plan(correct);
    served.on_plan(record_talk("aftalt læselog"));
    let end = served.ledger.position();
    let mut request = reverting(&served, position(then));
    request.dry_run = true;
    let dry = revert(&served, TEACHER, &request).unwrap();
    assert_eq!(served.ledger.position(), end, "a dry run records nothing");
    assert_eq!((dry.receipt.as_ref(), dry.to_position), (None, then.get()));
    let [Change::Status(status), Change::Evaluation(evaluation)] = &dry
        .changes
        .iter()
        .map(|it| it.change.clone().unwrap())
        .collect::<Vec<_>>()[..]
    else {
        panic!("{:?}", dry.changes)
    };
    assert_eq!(status.was.as_deref(), Some("om en anden elev"));
    assert_eq!(status.becomes.as_deref(), Some("begynder at læse"));
    assert_eq!(evaluation.becomes.as_ref().unwrap().level, Some(1));
    assert_eq!(dry.stays.len(), 1);
    assert_eq!(dry.stays[0].why(), RevertStayReason::RecordedSince);

    request.dry_run = false;
    request.expected_revision = Some(dry.revision);
    let done = revert(&served, TEACHER, &request).unwrap();
    let receipt = done.receipt.clone().unwrap();
    assert_eq!(receipt.event_count, 3, "a marker and two changes");
    let same = RevertPlanResponse {
        receipt: None,
        ..done.clone()
    };
    assert_eq!(same, dry);

    // Later, with the same id: the same receipt and the same list, though much has changed.
    served.write("endnu en gang");
    let again = revert(&served, TEACHER, &request).unwrap();
    let repeated = again.receipt.clone().unwrap();
    assert!(repeated.replayed);
    assert_eq!(repeated.position, receipt.position);
    assert_eq!((again.changes, again.stays), (dry.changes, dry.stays));
    request.to = Some(position(start.position));
    let status = revert(&served, TEACHER, &request).unwrap_err();
    assert_eq!(refused(&status, "RevertPlanRequest").0, "COMMAND_ID_REUSED");
}

#[test]
fn nothing_to_revert_is_an_unchanged_receipt_and_stays_what_it_was() {
    let served = Served::new();
    let then = served.write("begynder at læse").position;
    let request = reverting(&served, position(then));
    for replayed in [false, true] {
        let done = revert(&served, TEACHER, &request).unwrap();
        assert_eq!(done.changes, []);
        let receipt = done.receipt.unwrap();
        assert_eq!((receipt.unchanged, receipt.replayed), (true, replayed));
        served.write("læser med lyst");
    }
}

#[test]
fn a_student_takes_back_no_correction_of_the_teacher() {
    let served = Served::new();
    served.on_plan(evaluate(1, "godt på vej"));
    let then = served.ledger.position();
    let correct = correct_evaluation(EVALUATION, assessment(2, "i mål"));
    served.on_plan(correct);
    let done = revert(&served, STUDENT, &reverting(&served, position(then))).unwrap();
    assert_eq!(done.changes, []);
    assert_eq!(done.stays[0].why(), RevertStayReason::OfAnotherSide);
}

#[test]
fn a_revert_is_refused_with_the_field_that_is_at_fault() {
    let served = Served::new();
    let opened = served.write("begynder at læse").position;
    let good = reverting(&served, position(opened));
    let of = |change: fn(&mut RevertPlanRequest)| {
        let mut request = good.clone();
        change(&mut request);
        let status = revert(&served, TEACHER, &request).unwrap_err();
        (status.code(), refused(&status, "RevertPlanRequest"))
    };
    let expect = |code, reason: &str, fields: &[&str]| {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        (code, (reason.to_owned(), fields))
    };
    let none = of(|it| *it = RevertPlanRequest::default());
    let missing = ["command_id", "plan_id", "to", "reason"];
    assert_eq!(
        none,
        expect(Code::InvalidArgument, "REQUEST_INVALID", &missing)
    );
    let early = of(|it| it.to = Some(position(Position::new(1))));
    assert_eq!(early, expect(Code::NotFound, "PLAN_NOT_FOUND", &["to"]));
    let unknown = of(|it| it.plan_id = PlanId::from_bytes([9; 16]).to_string());
    assert_eq!(
        unknown,
        expect(Code::NotFound, "PLAN_NOT_FOUND", &["plan_id"])
    );
    let beyond = of(|it| it.to = Some(position(Position::new(1_000))));
    assert_eq!(
        beyond,
        expect(Code::OutOfRange, "POSITION_AHEAD", &["to.position"])
    );
    for dry_run in [true, false] {
        let mut request = good.clone();
        request.expected_revision = Some(1);
        request.dry_run = dry_run;
        let status = revert(&served, TEACHER, &request).unwrap_err();
        assert_eq!(status.code(), Code::Aborted);
        assert_eq!(refused(&status, "RevertPlanRequest").0, "REVISION_CONFLICT");
    }
    served.on_plan(PlanCommand::Withdraw { reason: None });
    for dry_run in [true, false] {
        let mut request = good.clone();
        request.dry_run = dry_run;
        let status = revert(&served, TEACHER, &request).unwrap_err();
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert_eq!(refused(&status, "RevertPlanRequest").0, "PLAN_WITHDRAWN");
    }
}

fn execute(served: &Served, actor: Actor, command: Command) -> Result<proto::Receipt, Status> {
    let envelope = Envelope::new(served.command_id(), command);
    let command = Some(planledger::wire::message(&envelope));
    served.call(actor, |client| async move {
        let response = client
            .commands()
            .execute(ExecuteRequest { command })
            .await?;
        Ok(response.into_inner().receipt.unwrap())
    })
}

#[test]
fn texts_are_cleared_by_operations_of_their_own() {
    let served = Served::new();
    served.write("begynder at læse");
    let clear = |command| execute(&served, TEACHER, Command::Plan(PLAN, command)).unwrap();
    assert_eq!(clear(PlanCommand::ClearStatus).event_count, 1);
    assert!(clear(PlanCommand::ClearStatus).unchanged);
    assert!(clear(PlanCommand::ClearFollowUp).unchanged);
}

#[test]
fn clients_cannot_send_a_past_of_their_own_making() {
    let served = Served::new();
    let forged = Revert {
        to: served.ledger.position(),
        then: WrittenContent {
            status: Some("det har aldrig stået der".parse().unwrap()),
            ..WrittenContent::default()
        },
        reason: "snyd".parse().unwrap(),
    };
    let command = Command::Plan(PLAN, PlanCommand::Revert(Box::new(forged)));
    let status = execute(&served, TEACHER, command).unwrap_err();
    let expected = ("REQUEST_INVALID".to_owned(), vec!["command".to_owned()]);
    assert_eq!(refused(&status, "Command"), expected);
}

#[test]
fn refusals_name_fields_of_the_command_as_it_was_sent() {
    let served = Served::new();
    let unknown = YearPlanId::from_bytes([9; 16]);
    let move_to = PlanCommand::MoveToYearPlan {
        to: unknown,
        reason: None,
    };
    let subject = "Historie".parse().unwrap();
    let reversed = SchoolYear {
        title: "2021/22".parse().unwrap(),
        first_day: jiff::civil::date(2022, 8, 1),
        last_day: jiff::civil::date(2021, 7, 31),
    };
    let year = planledger_core::ids::SchoolYearId::from_bytes([9; 16]);
    for (command, reason, field) in [
        (
            Command::Plan(PLAN, evaluate(9, "for højt")),
            "LEVEL_OUT_OF_RANGE",
            "plan.record_evaluation.assessment.level",
        ),
        (
            Command::Plan(PLAN, move_to),
            "YEAR_PLAN_NOT_FOUND",
            "plan.move_to_year_plan.year_plan_id",
        ),
        (
            Command::Plan(PlanId::from_bytes([9; 16]), PlanCommand::Share),
            "PLAN_NOT_FOUND",
            "plan.plan_id",
        ),
        (
            Command::YearPlan(unknown, YearPlanCommand::Undelete),
            "YEAR_PLAN_NOT_FOUND",
            "year_plan.year_plan_id",
        ),
        (
            Command::SchoolYear(year, SchoolYearCommand::Define(reversed)),
            "DATES_REVERSED",
            "school_year.define_school_year.details.last_day",
        ),
        (
            Command::YearPlan(YEAR_PLAN, YearPlanCommand::AddSubject { subject }),
            "NOT_COMBINED",
            "",
        ),
        (
            Command::Person(
                STUDENT_ID,
                PersonCommand::Register {
                    name: "Ida Kjær".parse().unwrap(),
                },
            ),
            "ALREADY_EXISTS",
            "person.person_id",
        ),
    ] {
        let status = execute(&served, TEACHER, command).unwrap_err();
        let fields = match field {
            "" => Vec::new(),
            field => vec![field.to_owned()],
        };
        assert_eq!(refused(&status, "Command"), (reason.to_owned(), fields));
    }
}
