//! Every way in which evidence or a revert can be refused: the reason, and the field at fault. That
//! code and reason are as error.proto says is checked of each where it is taken apart.

use planledger_proto::v1::export_bundle_request::Scope;
use planledger_proto::v1::*;

use super::place::written;
use crate::support::*;

/// A reason and the fields at fault, each with why.
type Told = (String, Vec<(String, String)>);

fn told(refused: Refused) -> Told {
    (refused.reason, refused.fields)
}

fn expected(reason: &str, fields: &[(&str, &str)]) -> Told {
    let field = |(path, why): &(&str, &str)| ((*path).to_owned(), (*why).to_owned());
    (reason.to_owned(), fields.iter().map(field).collect())
}

fn range(from: u64, to: u64) -> ExportBundleRequest {
    bundle_of(Scope::Range(PositionRange { from, to }))
}

fn at(position: u64) -> Option<AsOf> {
    let moment = Some(as_of::Moment::Position(position));
    Some(AsOf { moment })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_checkpoint_that_is_not_there_is_not_found_and_its_size_is_named() {
    let (_server, voice) = Home::new().serve_notarised().await;
    let none = voice.ask(GetCheckpointRequest::default()).await;
    let none = none.unwrap_err();
    assert_eq!(none.reason, "CHECKPOINT_NOT_FOUND");
    assert_eq!(none.message, "there is no checkpoint yet");
    let listed = voice.ask(ListCheckpointsRequest::default()).await;
    assert_eq!(listed.unwrap().checkpoints, []);

    written(&voice, 1).await;
    let position = 1;
    let proof = inclusion(position, 0);
    let unproved = voice.ask(proof).await.unwrap_err();
    assert_eq!(unproved.reason, "CHECKPOINT_NOT_FOUND");
    let checkpoint = voice.new_checkpoint().await;
    let min_size = checkpoint.size + 1;
    // It is recorded, and no checkpoint has it yet.
    let receipt = voice
        .execute(register_institution(&new_id(), "Skolen"))
        .await;
    assert_eq!(receipt.position, min_size);
    let refused = [
        voice
            .ask(GetCheckpointRequest {
                min_size,
                create: false,
            })
            .await
            .err(),
        voice.ask(inclusion(min_size, 0)).await.err(),
        voice
            .ask(GetInclusionProofRequest { position, min_size })
            .await
            .err(),
        voice.ask(consistency(1, min_size)).await.err(),
        // The newer one first: it did not grow to the older one.
        voice
            .ask(consistency(min_size, checkpoint.size))
            .await
            .err(),
    ];
    for refused in refused.map(Option::unwrap) {
        assert_eq!(refused.reason, "CHECKPOINT_NOT_FOUND");
        assert_eq!(refused.metadata["size"], min_size.to_string());
        assert!(refused.message.contains(&min_size.to_string()));
    }
    let resume = ResumeBundle {
        checkpoint_size: checkpoint.size - 1,
        after_position: 1,
    };
    let gone_on_with = ExportBundleRequest {
        resume: Some(resume),
        ..range(1, 2)
    };
    let refused = voice.export(gone_on_with).await.unwrap_err();
    assert_eq!(refused.reason, "CHECKPOINT_NOT_FOUND");
    assert_eq!(refused.metadata["size"], (checkpoint.size - 1).to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_beyond_the_end_or_before_the_beginning_is_refused_at_its_field() {
    let (_server, voice) = Home::new().serve_notarised().await;
    let (_, plan_id) = written(&voice, 1).await;
    let size = voice.new_checkpoint().await.size;
    let inclusion = |position| voice.ask(inclusion(position, 0));
    let consistency = |from_size| voice.ask(consistency(from_size, 0));
    let list = |page_size| {
        voice.ask(ListCheckpointsRequest {
            after_size: 0,
            page_size,
        })
    };
    for (refused, reason, field) in [
        (inclusion(0).await.err(), "OUT_OF_RANGE", "position"),
        (
            inclusion(size + 1).await.err(),
            "POSITION_AHEAD",
            "position",
        ),
        (
            inclusion(u64::MAX).await.err(),
            "POSITION_AHEAD",
            "position",
        ),
        (consistency(0).await.err(), "OUT_OF_RANGE", "from_size"),
        (
            consistency(size + 1).await.err(),
            "POSITION_AHEAD",
            "from_size",
        ),
        (list(-1).await.err(), "OUT_OF_RANGE", "page_size"),
    ] {
        let refused = refused.unwrap();
        assert_eq!(refused.fields, [(field.to_owned(), reason.to_owned())]);
        let of_the_field = if reason == "OUT_OF_RANGE" {
            "REQUEST_INVALID"
        } else {
            assert_eq!(refused.metadata["position"], size.to_string());
            reason
        };
        assert_eq!(refused.reason, of_the_field);
    }

    let since = ExportBundleRequest {
        since_size: size + 1,
        ..bundle_of(Scope::PlanId(plan_id))
    };
    let ahead = |field| expected("POSITION_AHEAD", &[(field, "POSITION_AHEAD")]);
    let wrong = |field| expected("REQUEST_INVALID", &[(field, "OUT_OF_RANGE")]);
    let resumed = |checkpoint_size, after_position| ExportBundleRequest {
        resume: Some(ResumeBundle {
            checkpoint_size,
            after_position,
        }),
        ..range(1, 2)
    };
    for (request, expected) in [
        (since, ahead("since_size")),
        (range(1, size + 1), ahead("range.to")),
        (range(size + 1, size + 2), ahead("range.from")),
        (range(size + 1, 0), ahead("range.from")),
        (range(0, 1), wrong("range.from")),
        (range(3, 2), wrong("range.to")),
        (resumed(size, size + 1), wrong("resume.after_position")),
        (resumed(size, u64::MAX), wrong("resume.after_position")),
    ] {
        let refused = voice.export(request).await.unwrap_err();
        assert_eq!(told(refused), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_bundle_of_what_is_not_there_or_not_said_is_refused() {
    let (_server, voice) = Home::new().serve_notarised().await;
    let (school, plan_id) = written(&voice, 1).await;
    let nothing = ExportBundleRequest::default();
    let unknown = ExportBundleRequest {
        disclosure: 9,
        ..bundle_of(Scope::PlanId(plan_id.clone()))
    };
    let of_plan = |id: &str| bundle_of(Scope::PlanId(id.to_owned()));
    let of_student = |id: &str| bundle_of(Scope::StudentId(id.to_owned()));
    let invalid = |fields: &[_]| expected("REQUEST_INVALID", fields);
    let not_found = |reason, field| expected(reason, &[(field, reason)]);
    for (request, expected) in [
        (
            nothing,
            invalid(&[("scope", "MISSING"), ("disclosure", "UNKNOWN_ENUM")]),
        ),
        (unknown, invalid(&[("disclosure", "UNKNOWN_ENUM")])),
        (of_plan(""), invalid(&[("plan_id", "MISSING")])),
        (of_plan("abc"), invalid(&[("plan_id", "MALFORMED_ID")])),
        (
            of_student("010203-1234"),
            invalid(&[("student_id", "CPR_NUMBER")]),
        ),
        (of_plan(&new_id()), not_found("PLAN_NOT_FOUND", "plan_id")),
        // There is somebody of that id, and no plan.
        (
            of_plan(&school.student),
            not_found("PLAN_NOT_FOUND", "plan_id"),
        ),
        (
            of_student(&new_id()),
            not_found("PERSON_NOT_FOUND", "student_id"),
        ),
        (
            of_student(&plan_id),
            not_found("PERSON_NOT_FOUND", "student_id"),
        ),
    ] {
        let refused = voice.export(request).await.unwrap_err();
        assert!(!refused.whole.contains("010203"), "{refused:?}");
        assert_eq!(told(refused), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_server_without_a_notary_says_of_every_kind_of_evidence_that_it_gives_none() {
    let (_server, voice) = Home::new().serve().await;
    let (_, plan_id) = written(&voice, 1).await;
    let position = 1;
    let refused = [
        voice.ask(GetVerifierKeysRequest::default()).await.err(),
        voice.ask(GetCheckpointRequest::default()).await.err(),
        voice.ask(ListCheckpointsRequest::default()).await.err(),
        voice.ask(inclusion(position, 0)).await.err(),
        voice.ask(consistency(position, 0)).await.err(),
        voice.export(bundle_of(Scope::PlanId(plan_id))).await.err(),
        voice.export(range(1, 0)).await.err(),
    ];
    for refused in refused {
        assert_eq!(told(refused.unwrap()), expected("NOTARY_DISABLED", &[]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_revert_that_cannot_be_is_refused_with_or_without_a_dry_run_and_records_nothing() {
    let (_server, voice) = Home::new().serve().await;
    let (school, plan_id) = written(&voice, 2).await;
    let teacher = voice.person(&school.teacher);
    let opened = voice.history(&plan_id).await[0].position;
    let good = RevertPlanRequest {
        command_id: new_id(),
        plan_id: plan_id.clone(),
        to: at(voice.position().await),
        reason: "Skrevet i den forkerte plan".to_owned(),
        ..RevertPlanRequest::default()
    };
    let with = |change: &dyn Fn(&mut RevertPlanRequest)| {
        let mut request = good.clone();
        change(&mut request);
        request
    };
    let invalid = |fields: &[_]| expected("REQUEST_INVALID", fields);
    let year_2200 = prost_types::Timestamp {
        seconds: 7_258_118_400,
        nanos: 0,
    };
    let instant = Some(as_of(as_of::Moment::Instant(year_2200)));
    let position = voice.position().await;
    let cases = [
        (
            RevertPlanRequest::default(),
            invalid(&[
                ("command_id", "MISSING"),
                ("plan_id", "MISSING"),
                ("to", "MISSING"),
                ("reason", "MISSING"),
            ]),
        ),
        (
            with(&|it| {
                it.plan_id = "010203-1234".to_owned();
                it.to = Some(AsOf { moment: None });
                it.reason = " ".to_owned();
                it.on_behalf_of = Some(Actor { actor: None });
            }),
            invalid(&[
                ("plan_id", "CPR_NUMBER"),
                ("to.moment", "MISSING"),
                ("reason", "EMPTY"),
                ("on_behalf_of.actor", "MISSING"),
            ]),
        ),
        (
            with(&|it| it.plan_id = new_id()),
            expected("PLAN_NOT_FOUND", &[("plan_id", "PLAN_NOT_FOUND")]),
        ),
        (
            with(&|it| it.to = at(opened - 1)),
            expected("PLAN_NOT_FOUND", &[("to", "PLAN_NOT_FOUND")]),
        ),
        (
            with(&|it| it.to = at(position + 1)),
            expected("POSITION_AHEAD", &[("to.position", "POSITION_AHEAD")]),
        ),
        (
            with(&|it| it.to = instant),
            expected("INSTANT_AHEAD", &[("to.instant", "INSTANT_AHEAD")]),
        ),
        (
            with(&|it| it.expected_revision = Some(1)),
            expected("REVISION_CONFLICT", &[]),
        ),
    ];
    for (request, expected) in cases {
        for dry_run in [true, false] {
            let request = RevertPlanRequest {
                dry_run,
                ..request.clone()
            };
            let refused = teacher.ask(request).await.unwrap_err();
            assert!(!refused.whole.contains("010203"), "{refused:?}");
            assert_eq!(told(refused), expected, "dry run: {dry_run}");
        }
    }
    assert_eq!(voice.position().await, position);

    let withdraw = OnPlan::WithdrawPlan(WithdrawPlan { reason: None });
    teacher.execute(plan(&plan_id, withdraw)).await;
    let to = at(voice.history(&plan_id).await[2].position);
    let refused = teacher.ask(with(&|it| it.to = to)).await.unwrap_err();
    assert_eq!(refused.reason, "PLAN_WITHDRAWN");
    // The id of a command that was refused may be used again.
    teacher
        .execute(plan(&plan_id, OnPlan::RestorePlan(RestorePlan {})))
        .await;
    let done = teacher.ask(with(&|it| it.to = to)).await.unwrap();
    assert!(!done.receipt.unwrap().replayed);
    let refused = teacher.ask(with(&|it| it.to = at(position))).await;
    assert_eq!(refused.unwrap_err().reason, "COMMAND_ID_REUSED");
}
