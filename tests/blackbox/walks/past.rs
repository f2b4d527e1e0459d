//! The past reads as it was (P4).

use planledger_proto::v1::as_of::Moment;
use planledger_proto::v1::*;
use prost_types::Timestamp;

use crate::support::*;

const EYES: [Viewer; 4] = [
    Viewer::Staff,
    Viewer::Student,
    Viewer::Guardians,
    Viewer::Others,
];

/// What everybody saw at one time.
#[derive(Debug, PartialEq)]
struct Seen {
    position: u64,
    recorded_at: Option<Timestamp>,
    /// The plan with each pair of eyes; the reason if it was not to be seen.
    plan: Vec<Result<PlanView, String>>,
    collected: Vec<Result<CollectedView, String>>,
}

async fn look(voice: &Voice, school: &School, plan_id: &str, at: Option<Moment>) -> Seen {
    let (mut plan, mut collected) = (Vec::new(), Vec::new());
    let mut position = 0;
    for viewer in EYES {
        let at = at.map(as_of);
        let request = GetPlanRequest {
            plan_id: plan_id.to_owned(),
            viewer: viewer.into(),
            min_position: 0,
            at,
        };
        let answer = voice.ask(request).await;
        plan.push(match answer {
            Ok(answer) => Ok(answer.plan.unwrap()),
            Err(refused) => Err(refused.reason),
        });
        let request = get_collected(&school.student, viewer, at);
        let answer = voice.ask(request).await;
        collected.push(match answer {
            Ok(answer) => {
                position = answer.position;
                Ok(answer.view.unwrap())
            }
            Err(refused) => Err(refused.reason),
        });
    }
    Seen {
        position,
        recorded_at: None,
        plan,
        collected,
    }
}

/// Commands that change what is seen in every way, by whom they are sent.
fn changes(school: &School, course: &Course, plan_id: &str) -> Vec<(String, Command)> {
    let by = |who: &String, command: Command| (who.clone(), command);
    let on = |operation| plan(plan_id, operation);
    let (teacher, student, leader) = (&school.teacher, &school.student, &school.leader);
    let goal = &course.reflection_goal;
    let evaluation = new_id();
    let evaluate =
        |level, words| course.evaluate(plan_id, &new_id(), goal, assessment(level, words));
    let first = course.evaluate(plan_id, &evaluation, goal, assessment(0, "Ny"));
    let hide = HideItem {
        item: Some(Item {
            item: Some(item::Item::EvaluationId(evaluation)),
        }),
    };
    let revise = ReviseGoal {
        catalogue_scale: None,
        goal_id: goal.clone(),
        wording: Some(own_words("Jeg tør læse højt for de store")),
        scale: Some(scale()),
    };
    let rename = RenamePerson {
        name: "Åse Lærke Ødegård".to_owned(),
    };
    let retitle = RetitleYearPlan {
        title: "Dansk i 8.b".to_owned(),
    };
    let depart = DepartPerson {
        last_day: None,
        reason: None,
    };
    let transfer = TransferPlanOwnership {
        to_person_id: leader.clone(),
        reason: None,
    };
    vec![
        by(teacher, open_plan(plan_id, student, &course.year_plan)),
        by(teacher, course.include(plan_id)),
        by(teacher, write_status(plan_id, "Først")),
        by(teacher, first),
        by(student, evaluate(1, "Midt i det")),
        by(teacher, show_section(plan_id, Section::Status)),
        by(teacher, show_section(plan_id, Section::Goals)),
        by(teacher, on(OnPlan::SharePlan(SharePlan {}))),
        by(teacher, set_visibility(plan_id, Audience::Guardians, true)),
        by(teacher, set_visibility(plan_id, Audience::Student, true)),
        by(teacher, write_status(plan_id, "Siden")),
        by(teacher, on(OnPlan::HideItem(hide))),
        by(
            teacher,
            year_plan(&course.year_plan, OnYearPlan::ReviseGoal(revise)),
        ),
        by(teacher, evaluate(2, "I mål")),
        by(leader, person(student, OnPerson::RenamePerson(rename))),
        by(
            teacher,
            year_plan(&course.year_plan, OnYearPlan::RetitleYearPlan(retitle)),
        ),
        by(teacher, set_visibility(plan_id, Audience::Guardians, false)),
        by(teacher, course.delete()),
        by(leader, person(teacher, OnPerson::DepartPerson(depart))),
        by(leader, on(OnPlan::TransferPlanOwnership(transfer))),
        by(
            leader,
            on(OnPlan::WithdrawPlan(WithdrawPlan { reason: None })),
        ),
        by(leader, on(OnPlan::RestorePlan(RestorePlan {}))),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_audience_sees_the_past_as_it_was_by_position_and_by_instant_for_ever() {
    let home = Home::new();
    let (server, voice) = home.serve().await;
    let (school, course) = School::with_course(&voice).await;
    let plan_id = new_id();
    let mut seen = Vec::new();
    for (who, command) in changes(&school, &course, &plan_id) {
        let receipt = voice.person(&who).execute(command).await;
        let now = look(&voice, &school, &plan_id, None).await;
        assert_eq!(now.position, receipt.position);
        seen.push(Seen {
            recorded_at: receipt.recorded_at,
            ..now
        });
    }
    for pair in seen.windows(2) {
        assert_ne!(pair[0].plan, pair[1].plan, "each command changes something");
    }

    assert_past(&voice, &school, &plan_id, &seen).await;
    drop(voice);
    server.stop();
    // Not even derived state is needed for it.
    std::fs::remove_dir_all(home.path().join("derived")).unwrap();
    let (_server, voice) = home.serve().await;
    assert_past(&voice, &school, &plan_id, &seen).await;
}

async fn assert_past(voice: &Voice, school: &School, plan_id: &str, seen: &[Seen]) {
    for then in seen {
        let at = Some(Moment::Position(then.position));
        let by_position = look(voice, school, plan_id, at).await;
        let at = then.recorded_at.map(Moment::Instant);
        let by_instant = look(voice, school, plan_id, at).await;
        for read in [by_position, by_instant] {
            assert_eq!(read.position, then.position);
            assert_eq!(read.plan, then.plan, "position {}", then.position);
            assert_eq!(read.collected, then.collected);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn before_it_was_opened_a_plan_was_not_there_and_between_two_instants_it_was_as_before() {
    let (_server, voice) = Home::new().serve().await;
    let (_, _, plan_id) = School::with_plan(&voice).await;
    let first = voice.execute(write_status(&plan_id, "Først")).await;
    let second = voice.execute(write_status(&plan_id, "Siden")).await;
    let opened = voice.history(&plan_id).await[0].position;
    for before in [0, opened - 1] {
        let at = Some(Moment::Position(before));
        let refused = voice.try_plan(&plan_id, Viewer::Staff, at).await;
        assert_eq!(refused.unwrap_err().reason, "PLAN_NOT_FOUND");
    }
    let status = |view: PlanView| view.status.unwrap().text;
    let view = voice.plan_at(&plan_id, Viewer::Staff, first.position).await;
    assert_eq!(status(view), "Først");
    // A nanosecond before it was recorded it had not happened.
    let mut instant = second.recorded_at.unwrap();
    match instant.nanos {
        0 => {
            instant.seconds -= 1;
            instant.nanos = 999_999_999;
        }
        _ => instant.nanos -= 1,
    }
    let at = Some(Moment::Instant(instant));
    let view = voice.try_plan(&plan_id, Viewer::Staff, at).await.unwrap();
    assert_eq!(status(view), "Først");
    let long_ago = Timestamp {
        seconds: 0,
        nanos: 0,
    };
    let at = Some(Moment::Instant(long_ago));
    let refused = voice.try_plan(&plan_id, Viewer::Staff, at).await;
    assert_eq!(refused.unwrap_err().reason, "PLAN_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_moment_that_has_not_come_is_refused() {
    let (_server, voice) = Home::new().serve().await;
    let (school, _, plan_id) = School::with_plan(&voice).await;
    let position = voice.position().await;
    let at = Some(Moment::Position(position + 1));
    let refused = voice.try_plan(&plan_id, Viewer::Staff, at).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.reason, "POSITION_AHEAD");
    assert_eq!(refused.paths(), ["at.position"]);
    assert_eq!(refused.metadata["position"], position.to_string());
    assert_eq!(refused.metadata["requested"], (position + 1).to_string());
    let year_2200 = Timestamp {
        seconds: 7_258_118_400,
        nanos: 0,
    };
    let at = Some(as_of(Moment::Instant(year_2200)));
    let request = get_collected(&school.student, Viewer::Staff, at);
    let refused = voice.ask(request).await.unwrap_err();
    assert_eq!(refused.reason, "INSTANT_AHEAD");
    assert_eq!(refused.paths(), ["at.instant"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_instant_is_answered_once_nothing_of_before_is_still_on_its_way_to_the_disk() {
    let (log, server) = Gated::start();
    let voice = server.voice().await;
    let (_, _, plan_id) = School::with_plan(&voice).await;
    log.shut();
    let writing = tokio::spawn({
        let (voice, write) = (voice.clone(), write_status(&plan_id, "På vej"));
        async move { voice.execute(write).await }
    });
    // It has been decided, and has an instant; nobody sees it yet.
    log.wait_for_write();
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let instant = Timestamp {
        seconds: since.as_secs().try_into().unwrap(),
        nanos: since.subsec_nanos().try_into().unwrap(),
    };
    let status = || {
        let at = Some(Moment::Instant(instant));
        let (voice, plan_id) = (voice.clone(), plan_id.clone());
        async move {
            let view = voice.try_plan(&plan_id, Viewer::Staff, at).await.unwrap();
            view.status.map(|status| status.text)
        }
    };
    let asked = tokio::spawn(status());
    // Time enough for an answer that does not wait.
    for _ in 0..100 {
        voice.plan(&plan_id, Viewer::Staff).await;
    }
    log.let_through();
    writing.await.unwrap();
    let first = asked.await.unwrap();
    assert_eq!(first, status().await, "the same instant, the same answer");
    assert_eq!(first.as_deref(), Some("På vej"));
}
