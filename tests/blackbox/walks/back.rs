//! What differs between two moments, and bringing back how it stood.

use planledger_proto::v1::plan_item::Item as Seen;
use planledger_proto::v1::revert_change::Change;
use planledger_proto::v1::*;

use crate::support::*;

fn at(position: u64) -> Option<AsOf> {
    Some(as_of_position(position))
}

/// A plan that was written over and evaluated since a position.
struct Written {
    school: School,
    plan_id: String,
    then: u64,
    /// Evaluations: one made before, one since.
    evaluations: [String; 2],
}

impl Written {
    async fn over(voice: &Voice) -> Self {
        let (school, course, plan_id) = School::with_plan(voice).await;
        let teacher = voice.person(&school.teacher);
        let evaluations = [new_id(), new_id()];
        let evaluate = |id: &str, level| {
            let goal = &course.subject_goal;
            course.evaluate(&plan_id, id, goal, assessment(level, "Godt på vej"))
        };
        let written = teacher
            .all([
                write_status(&plan_id, "Læser med stigende lyst"),
                evaluate(&evaluations[0], 1),
                show_section(&plan_id, Section::Status),
                plan(&plan_id, OnPlan::SharePlan(SharePlan {})),
                set_visibility(&plan_id, Audience::Guardians, true),
            ])
            .await;
        let correct = CorrectEvaluation {
            evaluation_id: evaluations[0].clone(),
            assessment: Some(assessment(0, "Skrevet ved en fejl")),
            reason: None,
        };
        teacher
            .all([
                write_status(&plan_id, "Skrevet i den forkerte plan"),
                evaluate(&evaluations[1], 2),
                plan(&plan_id, OnPlan::CorrectEvaluation(correct)),
            ])
            .await;
        Self {
            school,
            plan_id,
            then: written.last().unwrap().position,
            evaluations,
        }
    }

    fn diff(&self, viewer: Viewer, from: u64, to: Option<u64>) -> DiffPlanRequest {
        DiffPlanRequest {
            plan_id: self.plan_id.clone(),
            viewer: viewer.into(),
            min_position: 0,
            from: at(from),
            to: to.and_then(at),
        }
    }

    fn revert(&self) -> RevertPlanRequest {
        RevertPlanRequest {
            command_id: new_id(),
            plan_id: self.plan_id.clone(),
            to: at(self.then),
            reason: "Det var en anden elev".to_owned(),
            ..RevertPlanRequest::default()
        }
    }
}

fn status(item: &Option<PlanItem>) -> Option<&str> {
    match item.as_ref()?.item.as_ref()? {
        Seen::Status(written) => Some(&written.text),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_differs_is_told_item_by_item_as_each_viewer_saw_it() {
    let (_server, voice) = Home::new().serve().await;
    let written = Written::over(&voice).await;
    let now = voice.position().await;
    let ask = async |viewer, from, to| voice.ask(written.diff(viewer, from, to)).await;

    let by_staff = ask(Viewer::Staff, written.then, None).await.unwrap();
    assert_eq!(
        (by_staff.from_position, by_staff.to_position),
        (written.then, now)
    );
    // The status, the evaluation that was corrected, and the new one.
    assert_eq!(by_staff.changes.len(), 3);
    let told = &by_staff.changes[0];
    assert_eq!(status(&told.was), Some("Læser med stigende lyst"));
    assert_eq!(status(&told.is), Some("Skrevet i den forkerte plan"));
    let mut evaluations: Vec<_> = by_staff.changes[1..]
        .iter()
        .map(
            |change| match change.is.as_ref().unwrap().item.as_ref().unwrap() {
                Seen::Evaluation(made) => {
                    let id = made.evaluation.as_ref().unwrap().evaluation_id.clone();
                    (id, change.was.is_some())
                }
                other => panic!("{other:?}"),
            },
        )
        .collect();
    evaluations.sort();
    let [before, since] = &written.evaluations;
    let mut expected = [(before.clone(), true), (since.clone(), false)];
    expected.sort();
    assert_eq!(evaluations, expected);

    // Guardians saw the status; of goals, nothing is shown to them.
    let by_guardians = ask(Viewer::Guardians, written.then, None).await.unwrap();
    assert_eq!(by_guardians.changes.len(), 1);
    assert_eq!(by_guardians.changes[0], *told);
    // Backwards it is the other way round; the same moments give the same for ever.
    let back = ask(Viewer::Guardians, now, Some(written.then))
        .await
        .unwrap();
    assert_eq!(back.changes[0].was, told.is);
    assert_eq!(back.changes[0].is, told.was);
    voice
        .person(&written.school.teacher)
        .execute(write_status(&written.plan_id, "Og mere"))
        .await;
    let again = ask(Viewer::Staff, written.then, Some(now)).await.unwrap();
    assert_eq!(again, by_staff);
    let none = ask(Viewer::Staff, now, Some(now)).await.unwrap();
    assert!(none.changes.is_empty());
    // Others never saw anything of it.
    let hidden = ask(Viewer::Others, written.then, None).await.unwrap_err();
    assert_eq!(hidden.reason, "PLAN_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_written_goes_back_to_how_it_stood_as_new_events_after_a_dry_run() {
    let (_server, voice) = Home::new().serve().await;
    let written = Written::over(&voice).await;
    let teacher = voice.person(&written.school.teacher);
    let before = voice.history(&written.plan_id).await;
    let request = written.revert();
    let dry = RevertPlanRequest {
        dry_run: true,
        ..request.clone()
    };
    let seen = teacher.ask(dry).await.unwrap();
    assert_eq!(seen.receipt, None);
    assert_eq!(seen.to_position, written.then);
    assert_eq!(seen.revision, before.len() as u64);
    let kinds = seen
        .changes
        .iter()
        .map(|change| change.change.as_ref().unwrap());
    let kinds: Vec<_> = kinds
        .map(|change| match change {
            Change::Status(it) => format!("status {:?} → {:?}", it.was, it.becomes),
            Change::Evaluation(it) => {
                let level = |said: &Option<Assessment>| said.as_ref().unwrap().level.unwrap();
                format!("level {} → {}", level(&it.was), level(&it.becomes))
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "status Some(\"Skrevet i den forkerte plan\") → Some(\"Læser med stigende lyst\")",
            "level 0 → 1",
        ]
    );
    let stays = &seen.stays[0];
    assert_eq!(seen.stays.len(), 1);
    assert_eq!(stays.why(), RevertStayReason::RecordedSince);
    assert_eq!(
        voice.history(&written.plan_id).await,
        before,
        "a dry run records nothing"
    );

    let bound = RevertPlanRequest {
        expected_revision: Some(seen.revision),
        ..request
    };
    let done = teacher.ask(bound.clone()).await.unwrap();
    assert_eq!((&done.changes, &done.stays), (&seen.changes, &seen.stays));
    let receipt = done.receipt.clone().unwrap();
    assert!(receipt.event_count > 0 && !receipt.unchanged);
    let now = voice.plan(&written.plan_id, Viewer::Staff).await;
    assert_eq!(now.status.unwrap().text, "Læser med stigende lyst");
    // Nothing is rewound: what was there is there, and the revert stands behind it with its reason.
    let after = voice.history(&written.plan_id).await;
    assert_eq!(after[..before.len()], before);
    let marker = &after[before.len()];
    assert_eq!(marker.r#type, "plan.reverted");
    let Some(event::Content::Payload(payload)) = &marker.content else {
        panic!("{marker:?}");
    };
    assert!(payload.contains("Det var en anden elev"), "{payload}");

    // Sent again it is the same, and a second one has nothing left to do.
    let again = teacher.ask(bound).await.unwrap();
    let mut replayed = done;
    replayed.receipt.as_mut().unwrap().replayed = true;
    assert_eq!(again, replayed);
    let twice = teacher.ask(written.revert()).await.unwrap();
    assert!(twice.receipt.unwrap().unchanged && twice.changes.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_same_from_the_command_line() {
    let (server, voice) = Home::new().serve().await;
    let written = Written::over(&voice).await;
    let (plan_id, then) = (written.plan_id.as_str(), written.then.to_string());
    let teacher = format!("person/{}", written.school.teacher);
    let plan = |more: &[&str]| {
        let connection = ["--server", &server.url, "--as", &teacher];
        run([&["plan"], more, &connection].concat())
    };
    let differs = plan(&["diff", plan_id, "--from", &then]).done();
    for said in [
        "~ Status",
        "Læser med stigende lyst",
        "Skrevet i den forkerte plan",
        &format!("from position {then} to position "),
    ] {
        assert!(differs.stdout.contains(said), "{said}: {}", differs.stdout);
    }
    let same = plan(&["diff", plan_id, "--from", &then, "--to", &then]).done();
    assert!(same.stdout.contains("no differences"));
    let json = plan(&["diff", plan_id, "--from", &then, "--json"]).done();
    assert_eq!(json.json()["changes"].as_array().unwrap().len(), 3);

    let revert = ["revert", plan_id, "--to", &then, "--reason", "Forkert plan"];
    let with = |more: &[&str]| plan(&[&revert[..], more].concat());
    let unasked = with(&[]);
    assert_eq!(unasked.code, Some(2));
    assert!(unasked.stderr.contains("--dry-run"), "{}", unasked.stderr);
    let before = voice.position().await;
    let dry = with(&["--dry-run"]).done();
    assert!(dry.stdout.contains("~ Status") && dry.stdout.contains("stays: it was recorded later"));
    assert_eq!(voice.position().await, before);
    let done = with(&["--yes"]).done();
    assert!(
        done.stdout.contains("recorded at position "),
        "{}",
        done.stdout
    );
    let shown = plan(&["show", plan_id]).done();
    assert!(shown.stdout.contains("Læser med stigende lyst"));
    let past = plan(&["show", plan_id, "--at", &before.to_string()]).done();
    assert!(past.stdout.contains("Skrevet i den forkerte plan"));
    let log = plan(&["log", plan_id]).done();
    assert!(log.stdout.contains("Forkert plan"), "{}", log.stdout);
    let nothing = with(&["--yes"]).done();
    assert!(
        nothing.stdout.contains("nothing to change"),
        "{}",
        nothing.stdout
    );
    let day = plan(&[
        "revert",
        plan_id,
        "--to",
        "2020-02-22",
        "--reason",
        "x",
        "--yes",
    ]);
    assert_eq!(day.code, Some(1));
    assert!(day.stderr.contains("PLAN_NOT_FOUND"), "{}", day.stderr);
}
