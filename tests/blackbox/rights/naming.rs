//! Whoever names in a command what they may not see is answered as if there were no such id, however
//! the command is sent.

use planledger_proto::v1::recovery_wish::Wish;
use planledger_proto::v1::transfer::{Rule, What};
use planledger_proto::v1::*;

use super::World;
use crate::support::*;

/// What a refusal says, with an id in it as if it were another one.
fn masked(refused: Refused, id: &str) -> String {
    let Refused {
        code,
        reason,
        message,
        mut metadata,
        fields,
        ..
    } = refused;
    metadata.remove("command_id");
    let said = format!("{code:?} {reason} {message} {metadata:?} {fields:?}");
    said.replace(id, "ID")
}

fn to_owner(year_plan_id: &str, to: &str) -> Command {
    let transfer = TransferYearPlanOwnership {
        to_person_id: to.to_owned(),
        reason: None,
    };
    year_plan(
        year_plan_id,
        OnYearPlan::TransferYearPlanOwnership(transfer),
    )
}

/// What is said to a command: by itself, in a batch and on a stream.
async fn said(voice: &Voice, command: &Command, id: &str) -> Vec<String> {
    let again = || Command {
        command_id: new_id(),
        ..command.clone()
    };
    let alone = voice.try_execute(again()).await.unwrap_err();
    let in_batch = voice.try_all(vec![again()]).await.unwrap_err();
    let streamed = voice.stream([again()]).await;
    let streamed = format!("{:?}", streamed[0].outcome);
    vec![
        masked(alone, id),
        masked(in_batch, id),
        streamed.replace(id, "ID"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nobody_finds_out_who_is_there_by_naming_them() {
    let world = World::found().await;
    let server = world.serve();
    let voice = server.voice().await;
    let here = &world.here.school;
    let there = &world.there.school;
    let teacher = voice.person(&here.teacher);
    let leader = voice.person(&here.leader);
    let course = &world.here.course.year_plan;
    let unknown = new_id();
    let commands = |to: &str| {
        let transfer = TransferPlanOwnership {
            to_person_id: to.to_owned(),
            reason: None,
        };
        [
            (&teacher, to_owner(course, to)),
            (&leader, to_owner(course, to)),
            (
                &teacher,
                plan(&world.here.plan, OnPlan::TransferPlanOwnership(transfer)),
            ),
        ]
    };
    for hidden in [&there.teacher, &there.student, &there.leader] {
        for ((voice, named), (_, fresh)) in commands(hidden).iter().zip(commands(&unknown)) {
            let (of_named, of_fresh) = (said(voice, named, hidden), said(voice, &fresh, &unknown));
            let (of_named, of_fresh) = (of_named.await, of_fresh.await);
            assert_eq!(of_named, of_fresh);
            assert!(
                of_named
                    .iter()
                    .all(|said| said.contains("PERSON_NOT_FOUND"))
            );
        }
    }
    // Colleagues are seen, and a student among them is told apart.
    let refused = teacher.try_execute(to_owner(course, &here.student)).await;
    assert_eq!(refused.unwrap_err().reason, "NOT_STAFF");
    teacher.execute(to_owner(course, &here.pedagogue)).await;
    // An administrator sees everybody.
    let administrator = voice.person(&world.administrator);
    let transfer = TransferTeamOwnership {
        to_person_id: there.teacher.clone(),
        reason: None,
    };
    let refused = administrator
        .try_execute(team(&here.team, OnTeam::TransferTeamOwnership(transfer)))
        .await;
    assert_eq!(refused.unwrap_err().reason, "SUCCESSOR_ELSEWHERE");
}

/// Recoveries that a leader may wish for, each of which names this person.
fn wishes(world: &World, named: &str) -> Vec<RecoveryWish> {
    let to = || Rule::ToPersonId(named.to_owned());
    let items = || {
        let streams = vec![format!("team/{}", world.here.school.team)];
        What::Items(TransferItems { streams })
    };
    let transfer = |what, rule, fallback| Transfer {
        what: Some(what),
        rule: Some(rule),
        fallback,
        reason: None,
    };
    let of_named = What::EverythingOf(TransferEverything {
        person_id: named.to_owned(),
        institution_id: Some(world.here.school.institution.clone()),
    });
    let per_team = Rule::PerTeam(TransferPerTeam {
        heirs: vec![TransferTeamHeir {
            team_id: world.here.school.team.clone(),
            person_id: named.to_owned(),
        }],
    });
    let fallback = transfer::Fallback::FallbackPersonId(named.to_owned());
    let back = Restore {
        items: vec![RestoreItem {
            item: Some(restore_item::Item::Team(RestoreTeam {
                team_id: world.here.school.team.clone(),
                with_contents: true,
            })),
        }],
        give_to_person_id: Some(named.to_owned()),
        reason: None,
    };
    let rebuilt = Restore {
        items: vec![RestoreItem {
            item: Some(restore_item::Item::Rebuild(RebuildYearPlan {
                from_year_plan_id: world.here.course.year_plan.clone(),
                year_plan_id: world.here.plan.clone(),
                owner_id: Some(named.to_owned()),
                ..RebuildYearPlan::default()
            })),
        }],
        ..Restore::default()
    };
    let to_team = Rule::ToTeam(TransferToTeam {});
    [
        Wish::Transfer(transfer(items(), to(), None)),
        Wish::Transfer(transfer(items(), per_team, None)),
        Wish::Transfer(transfer(items(), to_team.clone(), Some(fallback))),
        Wish::Transfer(transfer(of_named, to_team, None)),
        Wish::Restore(back),
        Wish::Restore(rebuilt),
    ]
    .map(|wish| RecoveryWish { wish: Some(wish) })
    .into()
}

/// What is said to a dry run of a recovery, and to the recovery itself.
async fn said_to(voice: &Voice, wish: &RecoveryWish, id: &str) -> Vec<String> {
    let dry_run = match voice.propose(wish).await {
        Ok(proposal) => {
            let items = proposal.items.iter();
            let items: Vec<_> = items.map(|item| format!("{item:?}")).collect();
            format!("{items:?} {}", proposal.steps).replace(id, "ID")
        }
        Err(refused) => masked(refused, id),
    };
    let digest = "0".repeat(32);
    let run = voice.begin(&new_id(), wish.clone(), &digest).await;
    vec![dry_run, masked(run.unwrap_err(), id)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nobody_finds_out_who_is_there_by_naming_them_in_a_recovery() {
    let world = World::found().await;
    let server = world.serve();
    let voice = server.voice().await;
    let leader = voice.person(&world.here.school.leader);
    let there = &world.there.school;
    let unknown = new_id();
    for hidden in [&there.teacher, &there.student, &there.leader] {
        let of_unknown = wishes(&world, &unknown);
        for (of_hidden, of_unknown) in wishes(&world, hidden).iter().zip(&of_unknown) {
            let of_hidden = said_to(&leader, of_hidden, hidden).await;
            assert_eq!(of_hidden, said_to(&leader, of_unknown, &unknown).await);
            assert!(
                of_hidden[0].contains("PersonNotFound")
                    || of_hidden[0].contains("PERSON_NOT_FOUND"),
                "{of_hidden:?}"
            );
        }
    }
    // Of whom the leader sees, it is said what is wrong.
    let student = &world.here.school.student;
    let [to_student, ..] = &wishes(&world, student)[..] else {
        unreachable!("there are wishes")
    };
    let refused = leader.propose(to_student).await.unwrap_err();
    assert_eq!(refused.reason, "NOT_STAFF");
    // What is refused of others is done for colleagues, also a year plan that does not exist yet.
    let rebuilt = wishes(&world, &world.here.school.pedagogue);
    let proposal = leader.propose(rebuilt.last().unwrap()).await.unwrap();
    assert!(proposal.steps > 0 && proposal.refused == 0, "{proposal:?}");
    // Administrators see everybody.
    let administrator = voice.person(&world.administrator);
    let wishes = wishes(&world, &there.teacher);
    let proposal = administrator.propose(&wishes[0]).await.unwrap();
    assert_eq!(proposal.refused, 1);
}
