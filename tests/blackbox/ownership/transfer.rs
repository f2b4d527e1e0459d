//! Things that get other owners.

use planledger_proto::v1::recovery_wish::Wish;
use planledger_proto::v1::transfer::{Fallback, Rule};
use planledger_proto::v1::*;

use super::{depart, told};
use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn everything_of_somebody_is_shown_handed_over_and_taken_back() {
    let (_server, voice) = Home::new().serve().await;
    let (school, _, plan_id) = School::with_plan(&voice).await;
    voice.execute(depart(&school.teacher)).await;
    let before = voice.owned(&school.teacher).await;
    let position = voice.position().await;

    let leader = voice.person(&school.leader);
    let wish = transfer_of(&school.teacher, Rule::ToTeam(TransferToTeam {}));
    let proposal = leader.propose(&wish).await.unwrap();
    let streams = before.iter().map(|item| &item.stream);
    let expected: Vec<_> = streams
        .map(|stream| format!("{stream}: {}", school.pedagogue))
        .collect();
    assert_eq!(told(&proposal), expected);
    assert!(
        proposal
            .items
            .iter()
            .all(|item| item.why() == ProposalWhy::SharesTeam && !item.title.is_empty())
    );
    assert_eq!((proposal.steps, proposal.refused), (3, 0));
    assert_eq!(
        voice.position().await,
        position,
        "a dry run records nothing"
    );

    let id = new_id();
    let done = leader
        .run(&id, wish.clone(), &proposal.digest)
        .await
        .unwrap();
    assert_eq!(done.phase(), RecoveryPhase::Finished);
    assert_eq!((done.steps, done.left_out.len()), (3, 0));
    assert_eq!(done.reason.as_deref(), Some("Fratrådt"));
    let by = done.started_by.clone().unwrap().actor;
    assert_eq!(by, Some(actor::Actor::PersonId(school.leader.clone())));
    assert!(voice.owned(&school.teacher).await.is_empty());
    let after = voice.owned(&school.pedagogue).await;
    assert!(
        after
            .iter()
            .map(|item| &item.stream)
            .eq(before.iter().map(|item| &item.stream))
    );
    assert!(voice.ownerless(&school.institution).await.is_empty());
    // The steps are events of the things themselves, by who asked for it.
    let last = voice.history(&plan_id).await.pop().unwrap();
    assert_eq!(last.r#type, "plan.ownership_transferred");
    assert_eq!(last.actor, format!("person/{}", school.leader));

    // The same again is the same recovery.
    let position = voice.position().await;
    let again = leader
        .run(&id, wish.clone(), &proposal.digest)
        .await
        .unwrap();
    assert_eq!(again, done);
    assert_eq!(voice.position().await, position);
    let other = leader.run(&id, wish, &"0".repeat(32)).await.unwrap_err();
    assert_eq!(other.reason, "ALREADY_EXISTS");
    assert_eq!(other.paths(), ["recovery_id"]);

    let undone = leader.undo(&id).await.unwrap();
    assert_eq!(undone.phase(), RecoveryPhase::Undone);
    assert!(undone.not_undone.is_empty());
    let owners = voice.owned(&school.teacher).await;
    assert!(
        owners
            .iter()
            .map(|item| &item.stream)
            .eq(before.iter().map(|item| &item.stream))
    );
    assert_eq!(leader.undo(&id).await.unwrap(), undone);
    let refused = voice.undo(&id).await.unwrap_err();
    assert_eq!(refused.reason, "ALREADY_UNDONE");

    let request = ListRecoveriesRequest::default();
    let listed = voice.ask(request).await.unwrap().recoveries;
    assert_eq!(listed, std::slice::from_ref(&undone));
    let open = ListRecoveriesRequest {
        open_only: true,
        ..ListRecoveriesRequest::default()
    };
    assert!(voice.ask(open).await.unwrap().recoveries.is_empty());
    let request = GetRecoveryRequest {
        recovery_id: id,
        page_size: 2,
        ..GetRecoveryRequest::default()
    };
    let first = voice.ask(request.clone()).await.unwrap();
    assert_eq!((first.recovery, first.steps.len()), (Some(undone), 2));
    let request = GetRecoveryRequest {
        page_token: first.next_page_token,
        ..request
    };
    let second = voice.ask(request).await.unwrap();
    assert_eq!(
        (second.steps.len(), second.next_page_token.as_str()),
        (1, "")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_others_changed_meanwhile_is_left_alone_and_named() {
    let (_server, voice) = Home::new().serve().await;
    let (school, _, plan_id) = School::with_plan(&voice).await;
    let id = new_id();
    let wish = transfer_of(&school.teacher, Rule::ToPersonId(school.leader.clone()));
    let digest = voice.propose(&wish).await.unwrap().digest;
    voice.run(&id, wish.clone(), &digest).await.unwrap();
    // The plan is given on; taking the recovery back does not take it from who has it now.
    let to_pedagogue = give(&[&format!("plan/{plan_id}")], &school.pedagogue);
    voice.fulfil(to_pedagogue).await;
    let undone = voice.undo(&id).await.unwrap();
    let left = &undone.not_undone;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].reason(), ErrorReason::OwnerChanged);
    assert_eq!(left[0].stream, format!("plan/{plan_id}"));
    assert_eq!(voice.owned(&school.pedagogue).await.len(), 1);
    assert_eq!(voice.owned(&school.teacher).await.len(), 2);

    // A dry run is of what it saw.
    let stale = voice.run(&new_id(), wish, &digest).await.unwrap_err();
    assert_eq!(stale.reason, "DRY_RUN_STALE");
    assert_eq!(stale.paths(), ["digest"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn each_rule_names_its_heir_and_what_has_none_falls_back_or_stays() {
    let (_server, voice) = Home::new().serve().await;
    let (school, course) = School::with_course(&voice).await;
    let all = [
        format!("team/{}", school.team),
        format!("year_plan/{}", course.year_plan),
    ];
    let to = |who: &str| all.clone().map(|stream| format!("{stream}: {who}"));
    let with = |rule, fallback| {
        let mut wish = transfer_of(&school.teacher, rule);
        if let Some(Wish::Transfer(transfer)) = &mut wish.wish {
            transfer.fallback = fallback;
        }
        wish
    };
    let per_subject = |subject: &str| {
        Rule::PerSubject(TransferPerSubject {
            heirs: vec![TransferSubjectHeir {
                subject: subject.to_owned(),
                person_id: school.pedagogue.clone(),
            }],
        })
    };
    let per_team = |team: &str| {
        Rule::PerTeam(TransferPerTeam {
            heirs: vec![TransferTeamHeir {
                team_id: team.to_owned(),
                person_id: school.pedagogue.clone(),
            }],
        })
    };
    let leader = || Some(Fallback::FallbackLeader(TransferToLeader {}));
    let person = || Some(Fallback::FallbackPersonId(school.pedagogue.clone()));
    let (pedagogue, boss) = (school.pedagogue.as_str(), school.leader.as_str());
    let nobody = "ERROR_REASON_NO_SUCCESSOR";
    for (rule, fallback, who, why) in [
        (
            per_team(&school.team),
            None,
            pedagogue,
            ProposalWhy::NamedForTeam,
        ),
        (
            per_subject("Dansk"),
            None,
            pedagogue,
            ProposalWhy::NamedForSubject,
        ),
        (per_team(&new_id()), None, nobody, ProposalWhy::Asked),
        (per_subject("Fysik"), None, nobody, ProposalWhy::Asked),
        (per_subject("Fysik"), leader(), boss, ProposalWhy::Fallback),
        (
            per_team(&new_id()),
            person(),
            pedagogue,
            ProposalWhy::Fallback,
        ),
    ] {
        let proposal = voice.propose(&with(rule, fallback)).await.unwrap();
        assert_eq!(told(&proposal), to(who));
        assert!(proposal.items.iter().all(|item| item.why() == why));
    }
}
