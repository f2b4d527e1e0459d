//! Why something was deleted, and who deleted it, is for staff.

use planledger_proto::v1::as_of::Moment;
use planledger_proto::v1::*;

use crate::support::*;

const WHY: &str = "INTERN: Ib og Åse skal ikke i samme forløb";

const AUDIENCES: [Viewer; 3] = [Viewer::Student, Viewer::Guardians, Viewer::Others];

/// A plan that everybody sees. Its unit, year plan and team are then deleted by the leader, for a
/// reason that is nobody else's business.
struct Deleted {
    voice: Voice,
    school: School,
    course: Course,
    plan: String,
    /// The position before the deletions.
    before: u64,
}

impl Deleted {
    async fn new(voice: &Voice) -> Self {
        let school = School::found(voice).await;
        let course = school.course(voice, YearPlanKind::Subject).await;
        let plan_id = school.plan(voice, &course).await;
        let mut show = vec![plan(&plan_id, OnPlan::SharePlan(SharePlan {}))];
        for audience in [Audience::Student, Audience::Guardians, Audience::Others] {
            show.push(set_visibility(&plan_id, audience, true));
        }
        voice.person(&school.teacher).all(show).await;
        let before = voice.position().await;
        let reason = || Some(WHY.to_owned());
        let unit = DeleteUnit {
            unit_id: course.unit.clone(),
            reason: reason(),
        };
        let (whole, group) = (
            DeleteYearPlan { reason: reason() },
            DeleteTeam { reason: reason() },
        );
        let deletions = [
            year_plan(&course.year_plan, OnYearPlan::DeleteUnit(unit)),
            year_plan(&course.year_plan, OnYearPlan::DeleteYearPlan(whole)),
            team(&school.team, OnTeam::DeleteTeam(group)),
        ];
        voice.person(&school.leader).all(deletions).await;
        Self {
            voice: voice.clone(),
            school,
            course,
            plan: plan_id,
            before,
        }
    }

    /// The whole answer of every method that has a viewer, as it would be printed.
    async fn answers(&self, viewer: Viewer) -> Vec<(&'static str, String)> {
        let eyes = viewer.into();
        let position = |position| AsOf {
            moment: Some(Moment::Position(position)),
        };
        let now = self.voice.position().await;
        let mut answers = Vec::new();
        for at in [None, Some(position(now))] {
            let request = GetPlanRequest {
                plan_id: self.plan.clone(),
                viewer: eyes,
                at,
                ..GetPlanRequest::default()
            };
            let answer = self.voice.ask(request).await.unwrap();
            answers.push(("GetPlan", format!("{answer:?}")));
            let request = GetCollectedViewRequest {
                student_id: self.school.student.clone(),
                viewer: eyes,
                at,
                ..GetCollectedViewRequest::default()
            };
            let answer = self.voice.ask(request).await.unwrap();
            answers.push(("GetCollectedView", format!("{answer:?}")));
        }
        let request = GetYearPlanRequest {
            year_plan_id: self.course.year_plan.clone(),
            viewer: eyes,
            min_position: 0,
        };
        let answer = self.voice.ask(request).await.unwrap();
        answers.push(("GetYearPlan", format!("{answer:?}")));
        let request = DiffPlanRequest {
            plan_id: self.plan.clone(),
            viewer: eyes,
            from: Some(position(self.before)),
            ..DiffPlanRequest::default()
        };
        let answer = self.voice.ask(request).await.unwrap();
        assert_eq!(answer.changes.len(), 3, "unit, year plan and team");
        answers.push(("DiffPlan", format!("{answer:?}")));
        answers
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_reason_of_a_deletion_and_who_deleted_reach_staff_only_through_every_method() {
    let home = Home::new();
    let server = home.start();
    let deleted = Deleted::new(&server.voice().await).await;
    for (method, answer) in deleted.answers(Viewer::Staff).await {
        assert!(answer.contains("INTERN"), "{method}: {answer}");
        assert!(answer.contains(&deleted.school.leader), "{method}");
    }
    for viewer in AUDIENCES {
        for (method, answer) in deleted.answers(viewer).await {
            assert!(!answer.contains("INTERN"), "{viewer:?} {method}: {answer}");
            let leader = &deleted.school.leader;
            assert!(!answer.contains(leader), "{viewer:?} {method}: {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn everybody_learns_that_and_when_something_was_deleted() {
    let home = Home::new();
    let server = home.start();
    let deleted = Deleted::new(&server.voice().await).await;
    let deletions = async |viewer| {
        let view = deleted.voice.plan(&deleted.plan, viewer).await;
        let request = GetYearPlanRequest {
            year_plan_id: deleted.course.year_plan.clone(),
            viewer: viewer.into(),
            min_position: 0,
        };
        let year_plan = deleted.voice.ask(request).await.unwrap().year_plan.unwrap();
        [
            view.units[0].deletion.clone(),
            view.year_plan.unwrap().deletion,
            view.team.unwrap().deletion,
            year_plan.deletion,
        ]
        .map(Option::unwrap)
    };
    let whole = deletions(Viewer::Staff).await;
    assert!(whole.iter().all(|it| it.reason.as_deref() == Some(WHY)));
    let when = whole.map(|deletion| Deletion {
        deleted_by: None,
        reason: None,
        ..deletion
    });
    assert!(when.iter().all(|deletion| deletion.deleted_at.is_some()));
    for viewer in AUDIENCES {
        assert_eq!(deletions(viewer).await, when, "{viewer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn others_get_the_same_answer_about_a_student_who_shares_nothing_as_about_nobody() {
    let home = Home::new();
    let server = home.start();
    let voice = server.voice().await;
    let school = School::found(&voice).await;
    let course = school.course(&voice, YearPlanKind::Subject).await;
    school.plan(&voice, &course).await;
    let ask = async |student_id: &str, viewer: Viewer| {
        let request = GetCollectedViewRequest {
            student_id: student_id.to_owned(),
            viewer: viewer.into(),
            ..GetCollectedViewRequest::default()
        };
        voice.ask(request).await
    };
    for whom in [&school.student, &school.teacher, &new_id()] {
        let refused = ask(whom, Viewer::Others).await.unwrap_err();
        assert_eq!(refused.reason, "PERSON_NOT_FOUND");
        assert!(!format!("{refused:?}").contains(STUDENT));
    }
    for viewer in [Viewer::Student, Viewer::Guardians] {
        let view = ask(&school.student, viewer).await.unwrap().view.unwrap();
        assert_eq!(view.student_name.as_deref(), Some(STUDENT));
        assert!(view.plans.is_empty());
    }
}
