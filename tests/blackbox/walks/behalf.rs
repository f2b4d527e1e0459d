//! A learning platform acts for people: it may do what they may, and what it does is theirs.

use planledger_proto::v1::*;

use crate::support::*;

fn person_actor(id: &str) -> Actor {
    Actor {
        actor: Some(actor::Actor::PersonId(id.to_owned())),
    }
}

fn acting_for(person: &str, command: Command) -> Command {
    Command {
        on_behalf_of: Some(person_actor(person)),
        ..command
    }
}

fn record_talk(plan_id: &str) -> Command {
    let details = TalkDetails {
        kind: TalkKind::StudentTalk.into(),
        held_on: "2026-11-23".to_owned(),
        notes: "Aftalt: læs hver aften".to_owned(),
        held_by_ids: Vec::new(),
    };
    let record = RecordTalk {
        talk_id: new_id(),
        details: Some(details),
    };
    plan(plan_id, OnPlan::RecordTalk(record))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_learning_platform_does_for_people_what_they_may_do_themselves() {
    let (_server, platform) = Home::new().serve().await;
    let (school, course, plan_id) = School::with_plan(&platform).await;
    let evaluate = || {
        let said = assessment(1, "Øver sig");
        course.evaluate(&plan_id, &new_id(), &course.reflection_goal, said)
    };
    let discuss = || {
        let details = survey_details(&school.school_year, SurveyForum::Class);
        record_discussion(&school.institution, &new_id(), details)
    };
    let allowed = [
        (&school.pedagogue, evaluate()),
        (&school.student, evaluate()),
        (&school.pedagogue, record_talk(&plan_id)),
        (&school.pedagogue, discuss()),
    ];
    for (person, command) in allowed {
        platform.execute(acting_for(person, command)).await;
    }
    let refused = [
        (&school.guardian, evaluate(), "EVALUATOR_NOT_ALLOWED"),
        (&school.student, record_talk(&plan_id), "TALK_NOT_ALLOWED"),
        (&school.guardian, discuss(), "SURVEY_NOT_ALLOWED"),
    ];
    for (person, command, reason) in refused {
        // Also if the one who acts is a member of staff.
        for voice in [&platform, &platform.person(&school.leader)] {
            let command = Command {
                command_id: new_id(),
                ..acting_for(person, command.clone())
            };
            assert_eq!(voice.try_execute(command).await.unwrap_err().reason, reason);
        }
    }

    let shown = platform.plan(&plan_id, Viewer::Staff).await;
    let goals = shown.units.iter().flat_map(|unit| &unit.goals);
    let made: Vec<_> = goals
        .flat_map(|goal| &goal.evaluations)
        .map(|made| (made.side(), made.evaluated_by.clone().unwrap()))
        .collect();
    let expected = [
        (Evaluator::Staff, person_actor(&school.pedagogue)),
        (Evaluator::Student, person_actor(&school.student)),
    ];
    assert_eq!(made, expected);
    let [talk] = shown.talks.as_slice() else {
        panic!("{:?}", shown.talks)
    };
    assert_eq!(talk.held_by_ids, [school.pedagogue.as_str()]);
    assert_eq!(talk.recorded_by, Some(person_actor(&school.pedagogue)));

    // Whoever evaluated most is the first to take the plan over.
    let asked = ListSuccessorsRequest {
        stream: format!("plan/{plan_id}"),
        min_position: 0,
    };
    let found = platform.ask(asked).await.unwrap().successors;
    let most = found
        .iter()
        .map(|found| (&found.person_id, found.evaluations));
    assert_eq!(most.take(1).collect::<Vec<_>>(), [(&school.pedagogue, 1)]);
}
