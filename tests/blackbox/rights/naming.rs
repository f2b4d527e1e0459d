//! Whoever names in a command what they may not see is answered as if there were no such id, however
//! the command is sent.

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
