//! What cannot be done, each with its reason and the field at fault.

use std::collections::BTreeSet;

use planledger_core::domain::Reason;
use planledger_proto::v1::recovery_wish::Wish;
use planledger_proto::v1::transfer::Rule;
use planledger_proto::v1::*;

use super::{depart, told};
use crate::support::*;

/// Reasons that recoveries have and commands of clients do not.
pub(crate) const OF_RECOVERIES: [Reason; 10] = [
    Reason::RecoveryNotFound,
    Reason::OwnerChanged,
    Reason::MovedMeanwhile,
    Reason::NoSuccessor,
    Reason::NothingToDo,
    Reason::TooManySteps,
    Reason::RecoveryRunning,
    Reason::AlreadyUndone,
    Reason::DryRunStale,
    Reason::RightEnded,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_cannot_take_over_is_refused_with_the_field_that_names_them() {
    let (_server, voice) = Home::new().serve().await;
    let school = School::found(&voice).await;
    let (elsewhere, left) = (new_id(), new_id());
    let other = new_id();
    voice
        .all([
            register_institution(&other, "Fjordskolen"),
            put_person(&elsewhere, "Andetsteds", &other, Role::Teacher),
            put_person(&left, "Væk", &school.institution, Role::Teacher),
            depart(&left),
        ])
        .await;
    let position = voice.position().await;
    let to = |who: &str| transfer_of(&school.teacher, Rule::ToPersonId(who.to_owned()));
    let field = "wish.transfer.to_person_id";
    for (who, reason) in [
        (&left, "PERSON_DEPARTED"),
        (&school.student, "NOT_STAFF"),
        (&school.guardian, "NOT_STAFF"),
        (&new_id(), "PERSON_NOT_FOUND"),
        (&school.teacher, "ALREADY_OWNER"),
    ] {
        let refused = voice.propose(&to(who)).await.unwrap_err();
        assert_eq!(refused.reason, reason);
        assert_eq!(refused.paths(), [field]);
        let digest = "0".repeat(32);
        let refused = voice.run(&new_id(), to(who), &digest).await.unwrap_err();
        assert_eq!(
            (refused.reason.as_str(), refused.paths()),
            (reason, vec![field])
        );
    }
    let nobody = transfer_of(&new_id(), Rule::ToPersonId(school.leader.clone()));
    let refused = voice.propose(&nobody).await.unwrap_err();
    assert_eq!(refused.reason, "PERSON_NOT_FOUND");
    assert_eq!(refused.paths(), ["wish.transfer.everything_of.person_id"]);
    // Where a successor works is a question of each thing.
    let proposal = voice.propose(&to(&elsewhere)).await.unwrap();
    let team = format!("team/{}: ERROR_REASON_SUCCESSOR_ELSEWHERE", school.team);
    assert_eq!(told(&proposal), [team]);
    assert_eq!((proposal.steps, proposal.refused), (0, 1));
    let refused = voice.run(&new_id(), to(&elsewhere), &proposal.digest).await;
    assert_eq!(refused.unwrap_err().reason, "NOTHING_TO_DO");
    let heirs = vec![TransferTeamHeir {
        team_id: school.team.clone(),
        person_id: left.clone(),
    }];
    let per_team = transfer_of(&school.teacher, Rule::PerTeam(TransferPerTeam { heirs }));
    let refused = voice.propose(&per_team).await.unwrap_err();
    assert_eq!(refused.paths(), ["wish.transfer.per_team.heirs.person_id"]);
    assert_eq!(voice.position().await, position, "nothing is recorded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_not_there_or_out_of_time_is_refused() {
    let (_server, voice) = Home::new().serve().await;
    let school = School::found(&voice).await;
    let refused = voice.undo(&new_id()).await.unwrap_err();
    assert_eq!(refused.reason, "RECOVERY_NOT_FOUND");
    assert_eq!(refused.paths(), ["recovery_id"]);
    let request = GetRecoveryRequest {
        recovery_id: school.team.clone(),
        ..GetRecoveryRequest::default()
    };
    let refused = voice.ask(request).await.unwrap_err();
    assert_eq!(refused.reason, "RECOVERY_NOT_FOUND");
    // Nothing is owned, so there is nothing to do.
    let wish = transfer_of(&school.pedagogue, Rule::ToPersonId(school.leader.clone()));
    assert_eq!(
        voice.propose(&wish).await.unwrap_err().reason,
        "NOTHING_TO_DO"
    );
    for (stream, reason) in [
        (format!("team/{}", new_id()), "TEAM_NOT_FOUND"),
        (format!("year_plan/{}", new_id()), "YEAR_PLAN_NOT_FOUND"),
    ] {
        let request = PreviewDeletionRequest {
            stream: stream.clone(),
            min_position: 0,
        };
        let refused = voice.ask(request).await.unwrap_err();
        assert_eq!(
            (refused.reason.as_str(), refused.paths()),
            (reason, vec!["stream"])
        );
        let request = ListSuccessorsRequest {
            stream,
            min_position: 0,
        };
        assert_eq!(voice.ask(request).await.unwrap_err().reason, reason);
    }
    let request = ListOwnerlessRequest {
        institution_id: new_id(),
        ..ListOwnerlessRequest::default()
    };
    let refused = voice.ask(request).await.unwrap_err();
    assert_eq!(refused.reason, "INSTITUTION_NOT_FOUND");
    let request = ListOwnedRequest {
        person_id: school.teacher.clone(),
        at: Some(as_of_position(1_000)),
        ..ListOwnedRequest::default()
    };
    let refused = voice.ask(request).await.unwrap_err();
    assert_eq!(refused.reason, "POSITION_AHEAD");
    assert_eq!(refused.paths(), ["at.position"]);
    // Who has left hands nothing over, not even what is theirs.
    voice.execute(depart(&school.teacher)).await;
    let teacher = voice.person(&school.teacher);
    let wish = transfer_of(&school.teacher, Rule::ToPersonId(school.leader.clone()));
    let digest = teacher.propose(&wish).await.unwrap().digest;
    let refused = teacher.run(&new_id(), wish, &digest).await.unwrap_err();
    assert_eq!(refused.reason, "ACTOR_DEPARTED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_field_at_fault_is_named() {
    let (_server, voice) = Home::new().serve().await;
    let wish = |wish| RecoveryWish { wish: Some(wish) };
    let transfer = |change: fn(&mut Transfer)| {
        let mut asked = transfer_of(&new_id(), Rule::ToPersonId(new_id()));
        if let Some(Wish::Transfer(transfer)) = &mut asked.wish {
            change(transfer);
        }
        asked
    };
    let item = |item: Option<restore_item::Item>| {
        wish(Wish::Restore(Restore {
            items: vec![RestoreItem { item }],
            ..Restore::default()
        }))
    };
    let cases: Vec<(RecoveryWish, &[(&str, &str)])> = vec![
        (RecoveryWish::default(), &[("wish.wish", "MISSING")]),
        (
            wish(Wish::Transfer(Transfer::default())),
            &[
                ("wish.transfer.what", "MISSING"),
                ("wish.transfer.rule", "MISSING"),
            ],
        ),
        (
            give(&[], &new_id()),
            &[("wish.transfer.items.streams", "MISSING")],
        ),
        (
            give(
                &["person/1", "catalogue/7f9c0102-0304-4506-8708-010203040506"],
                "010203-1234",
            ),
            &[
                ("wish.transfer.items.streams[0]", "MALFORMED_ID"),
                ("wish.transfer.items.streams[1]", "MALFORMED_ID"),
                ("wish.transfer.to_person_id", "CPR_NUMBER"),
            ],
        ),
        (
            give(
                &[
                    "team/7f9c0102-0304-4506-8708-010203040506",
                    "team/7f9c0102-0304-4506-8708-010203040506",
                ],
                &new_id(),
            ),
            &[("wish.transfer.items.streams[1]", "DUPLICATE")],
        ),
        (
            transfer(|transfer| {
                let leader = TransferToLeader {};
                transfer.fallback = Some(transfer::Fallback::FallbackLeader(leader));
            }),
            &[("wish.transfer.fallback", "OUT_OF_RANGE")],
        ),
        (
            transfer(|transfer| transfer.reason = Some("x".repeat(1_001))),
            &[("wish.transfer.reason", "TOO_LONG")],
        ),
        (
            transfer(|transfer| {
                let heirs = Vec::new();
                transfer.rule = Some(Rule::PerSubject(TransferPerSubject { heirs }));
            }),
            &[("wish.transfer.per_subject.heirs", "MISSING")],
        ),
        (
            wish(Wish::Restore(Restore::default())),
            &[("wish.restore.items", "MISSING")],
        ),
        (item(None), &[("wish.restore.items[0].item", "MISSING")]),
        (
            item(Some(
                restore_item::Item::Rebuild(RebuildYearPlan::default()),
            )),
            &[
                ("wish.restore.items[0].rebuild.from_year_plan_id", "MISSING"),
                ("wish.restore.items[0].rebuild.year_plan_id", "MISSING"),
            ],
        ),
    ];
    for (wish, fields) in cases {
        let refused = voice.propose(&wish).await.unwrap_err();
        assert_eq!(refused.reason, "REQUEST_INVALID", "{wish:?}");
        let found = refused.fields.iter();
        let found = found.map(|(path, why)| (path.as_str(), why.as_str()));
        assert_eq!(found.collect::<Vec<_>>(), fields, "{wish:?}");
        assert!(!refused.whole.contains("010203-"));
    }
    for digest in ["", "0", &"x".repeat(32), &"0".repeat(33)] {
        let refused = voice.run("", RecoveryWish::default(), digest).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.paths(), ["recovery_id", "wish.wish", "digest"]);
    }
    let request = ListSuccessorsRequest {
        stream: format!("person/{}", new_id()),
        min_position: 0,
    };
    let refused = voice.ask(request).await.unwrap_err();
    assert_eq!(refused.paths(), ["stream"]);
    let plan = PreviewDeletionRequest {
        stream: format!("plan/{}", new_id()),
        min_position: 0,
    };
    assert_eq!(voice.ask(plan).await.unwrap_err().paths(), ["stream"]);
}

#[test]
fn every_reason_of_recoveries_is_in_the_api() {
    let names: BTreeSet<_> = enum_names("ErrorReason", "ERROR_REASON_")
        .into_iter()
        .collect();
    for reason in OF_RECOVERIES {
        assert!(names.contains(reason.code()), "{}", reason.code());
    }
}
