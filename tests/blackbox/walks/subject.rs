//! A plan for one subject: choose team and year plan, student, units, what to show; write, make
//! visible.

use planledger_proto::v1::*;

use crate::support::*;

/// A plan with something in every place.
struct Told {
    teacher: Voice,
    student: Voice,
    school: School,
    course: Course,
    plan: String,
    /// Evaluations: by staff, by the student, and by staff again, lower.
    evaluations: [String; 3],
    talk: String,
}

impl Told {
    async fn new(voice: &Voice) -> Self {
        let (school, course) = School::with_course(voice).await;
        let told = Self {
            teacher: voice.person(&school.teacher),
            student: voice.person(&school.student),
            plan: new_id(),
            evaluations: [new_id(), new_id(), new_id()],
            talk: new_id(),
            school,
            course,
        };
        told.work().await;
        told
    }

    /// Everything but making it visible.
    async fn work(&self) {
        let (course, plan_id) = (&self.course, &self.plan);
        let open = open_plan(plan_id, &self.school.student, &course.year_plan);
        let opened = self.teacher.execute(open).await;
        assert_eq!(opened.stream, format!("plan/{plan_id}"));
        self.teacher.execute(course.include(plan_id)).await;
        let evaluate = |index: usize, goal: &str, level, comment: &str| {
            let assessment = assessment(level, comment);
            course.evaluate(plan_id, &self.evaluations[index], goal, assessment)
        };
        let goal = &course.reflection_goal;
        let first = evaluate(0, goal, 2, "Læser højt hver fredag");
        self.teacher.execute(first).await;
        let own = evaluate(1, goal, 1, "Jeg øver mig stadig");
        self.student.execute(own).await;
        let lower = evaluate(2, goal, 1, "Faldet lidt tilbage efter påske");
        self.teacher.execute(lower).await;
        let follow_up = WriteFollowUp {
            text: "Læs 20 minutter hver aften".to_owned(),
            follow_up_on: Some("2027-01-15".to_owned()),
        };
        let talk = RecordTalk {
            talk_id: self.talk.clone(),
            details: Some(TalkDetails {
                kind: TalkKind::SchoolHomeTalk.into(),
                held_on: "2026-11-20".to_owned(),
                notes: "Aftalt: bøger med hjem".to_owned(),
                held_by_ids: Vec::new(),
            }),
        };
        let written = [
            write_status(plan_id, "Læser med stigende lyst"),
            plan(plan_id, OnPlan::WriteFollowUp(follow_up)),
            plan(plan_id, OnPlan::RecordTalk(talk)),
        ];
        self.teacher.all(written).await;
    }

    async fn do_all(&self, operations: impl IntoIterator<Item = OnPlan>) {
        let commands = operations.into_iter().map(|one| plan(&self.plan, one));
        self.teacher.all(commands).await;
    }

    async fn sees(&self, viewer: Viewer) -> PlanView {
        self.teacher.plan(&self.plan, viewer).await
    }

    async fn sees_nothing(&self, viewer: Viewer) {
        let refused = self.teacher.try_plan(&self.plan, viewer, None).await;
        assert_eq!(refused.unwrap_err().reason, "PLAN_NOT_FOUND", "{viewer:?}");
        match self.try_collected(viewer).await {
            Ok(collected) => assert!(collected.plans.is_empty()),
            // Others do not even learn that there is such a student.
            Err(refused) => assert_eq!(
                (viewer, refused.reason.as_str()),
                (Viewer::Others, "PERSON_NOT_FOUND")
            ),
        }
    }

    async fn collected(&self, viewer: Viewer) -> CollectedView {
        self.try_collected(viewer).await.unwrap()
    }

    async fn try_collected(&self, viewer: Viewer) -> Result<CollectedView, Refused> {
        let request = get_collected(&self.school.student, viewer, None);
        let answer = self.teacher.ask(request).await?;
        Ok(answer.view.unwrap())
    }
}

const AUDIENCES: [Viewer; 3] = [Viewer::Student, Viewer::Guardians, Viewer::Others];

fn share() -> OnPlan {
    OnPlan::SharePlan(SharePlan {})
}

fn visible(audience: Audience, visible: bool) -> OnPlan {
    let audience = audience.into();
    OnPlan::SetVisibility(SetVisibility { audience, visible })
}

fn shown(section: Section) -> OnPlan {
    let section = section.into();
    OnPlan::ShowSection(ShowSection { section })
}

fn shown_by_itself(item: item::Item) -> OnPlan {
    let item = Some(Item { item: Some(item) });
    OnPlan::ShowItem(ShowItem { item })
}

fn hidden_by_itself(item: item::Item) -> OnPlan {
    let item = Some(Item { item: Some(item) });
    OnPlan::HideItem(HideItem { item })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn staff_see_everything_that_was_done_by_whom_and_on_which_side() {
    let server = Home::new().start();
    let told = Told::new(&server.voice().await).await;
    let view = told.sees(Viewer::Staff).await;
    assert_eq!(view.student_name.as_deref(), Some(STUDENT));
    assert_eq!(view.owner_name.as_deref(), Some(TEACHER));
    assert_eq!(view.kind(), YearPlanKind::Subject);
    let year_plan = view.year_plan.as_ref().unwrap();
    assert_eq!(year_plan.title.as_deref(), Some("Dansk i 7.b"));
    assert_eq!(view.team.unwrap().title.as_deref(), Some("7.b dansk"));
    assert_eq!(view.status.unwrap().text, "Læser med stigende lyst");
    assert_eq!(view.follow_up.unwrap().text, "Læs 20 minutter hver aften");
    assert_eq!(view.follow_up_on.as_deref(), Some("2027-01-15"));
    assert_eq!(
        view.talks[0].details.as_ref().unwrap().held_on,
        "2026-11-20"
    );
    let [unit] = view.units.as_slice() else {
        panic!("one unit was taken in: {:?}", view.units)
    };
    let goals = unit.goals.iter();
    let goals: Vec<_> = goals
        .map(|goal| (goal.kind(), goal.wording.as_ref().unwrap().text.as_str()))
        .collect();
    let expected = [
        (GoalKind::Subject, SUBJECT_GOAL),
        (GoalKind::Reflection, REFLECTION_GOAL),
    ];
    assert_eq!(goals, expected);
    let evaluations = unit.goals[1].evaluations.iter();
    let evaluations: Vec<_> = evaluations
        .map(|made| (made.side(), made.level_title.as_deref().unwrap()))
        .collect();
    let expected = [
        (Evaluator::Staff, "I mål"),
        (Evaluator::Student, "Næsten i mål"),
        (Evaluator::Staff, "Næsten i mål"),
    ];
    assert_eq!(evaluations, expected, "a lower rating overwrites nothing");
    let by = unit.goals[1].evaluations[1].evaluated_by.clone();
    let student = actor::Actor::PersonId(told.school.student.clone());
    assert_eq!(by.unwrap().actor, Some(student));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nothing_reaches_an_audience_until_every_gate_is_open() {
    let server = Home::new().start();
    let told = Told::new(&server.voice().await).await;
    for viewer in AUDIENCES {
        told.sees_nothing(viewer).await;
    }
    // The last gate without the first, and the first without the last.
    told.do_all([visible(Audience::Guardians, true)]).await;
    told.sees_nothing(Viewer::Guardians).await;
    told.do_all([share(), visible(Audience::Guardians, false)])
        .await;
    told.sees_nothing(Viewer::Guardians).await;
    told.do_all([visible(Audience::Guardians, true)]).await;
    told.sees_nothing(Viewer::Student).await;
    told.sees_nothing(Viewer::Others).await;

    // Both are open; no section is shown yet.
    let view = told.sees(Viewer::Guardians).await;
    assert!(view.status.is_none() && view.follow_up.is_none() && view.follow_up_on.is_none());
    assert!(view.talks.is_empty());
    assert!(view.units.iter().all(|unit| unit.goals.is_empty()));

    told.do_all([shown(Section::Status), shown(Section::FollowUp)])
        .await;
    let view = told.sees(Viewer::Guardians).await;
    assert_eq!(view.status.unwrap().text, "Læser med stigende lyst");
    assert_eq!(view.follow_up_on.as_deref(), Some("2027-01-15"));
    told.do_all([shown(Section::Goals)]).await;
    let view = told.sees(Viewer::Guardians).await;
    assert_eq!(view.units[0].goals[1].evaluations.len(), 3);

    // One item is hidden, whatever holds for its section, and another is shown.
    let [_, own, lower] = told.evaluations.clone();
    told.do_all([
        hidden_by_itself(item::Item::EvaluationId(lower)),
        hidden_by_itself(item::Item::GoalId(told.course.subject_goal.clone())),
        shown_by_itself(item::Item::TalkId(told.talk.clone())),
    ])
    .await;
    let view = told.sees(Viewer::Guardians).await;
    let goals = &view.units[0].goals;
    assert_eq!(goals.len(), 1);
    assert_eq!(goals[0].goal_id, told.course.reflection_goal);
    assert_eq!(goals[0].evaluations.len(), 2);
    assert_eq!(goals[0].evaluations[1].evaluation_id, own);
    assert_eq!(view.talks[0].talk_id, told.talk);
    // Staff see it all the same, marked.
    let view = told.sees(Viewer::Staff).await;
    assert_eq!(view.units[0].goals[1].evaluations.len(), 3);
    assert!(!view.units[0].goals[1].evaluations[2].shown);

    // The unit is a gate of its own.
    let unit = Some(told.course.unit());
    told.do_all([OnPlan::ExcludeUnit(ExcludeUnit { unit })])
        .await;
    assert!(told.sees(Viewer::Guardians).await.units.is_empty());
    let kept = told.sees(Viewer::Staff).await.units;
    assert!(!kept[0].included && kept[0].goals[1].evaluations.len() == 3);

    told.do_all([OnPlan::UnsharePlan(UnsharePlan {})]).await;
    told.sees_nothing(Viewer::Guardians).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn each_audience_has_a_gate_of_its_own() {
    let server = Home::new().start();
    let told = Told::new(&server.voice().await).await;
    told.do_all([share(), shown(Section::Status)]).await;
    let gates = [Audience::Student, Audience::Guardians, Audience::Others];
    for (audience, viewer) in gates.into_iter().zip(AUDIENCES) {
        told.do_all([visible(audience, true)]).await;
        for other in AUDIENCES {
            if other == viewer {
                assert!(told.sees(other).await.status.is_some());
                assert_eq!(told.collected(other).await.plans.len(), 1);
            } else {
                told.sees_nothing(other).await;
            }
        }
        told.do_all([visible(audience, false)]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn only_staff_see_subject_goals_in_the_unit() {
    let server = Home::new().start();
    let told = Told::new(&server.voice().await).await;
    let goals = |viewer: Viewer| {
        let request = GetYearPlanRequest {
            year_plan_id: told.course.year_plan.clone(),
            viewer: viewer.into(),
            min_position: 0,
        };
        let voice = told.teacher.clone();
        async move {
            let year_plan = voice.ask(request).await.unwrap().year_plan.unwrap();
            let goals = year_plan.units.into_iter().flat_map(|unit| unit.goals);
            goals.map(|goal| goal.kind()).collect::<Vec<_>>()
        }
    };
    let both = [GoalKind::Subject, GoalKind::Reflection];
    assert_eq!(goals(Viewer::Staff).await, both);
    for viewer in AUDIENCES {
        assert_eq!(goals(viewer).await, [GoalKind::Reflection]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_corrected_evaluation_reads_as_corrected_and_both_stay_in_the_history() {
    let server = Home::new().start();
    let told = Told::new(&server.voice().await).await;
    let correct = CorrectEvaluation {
        evaluation_id: told.evaluations[0].clone(),
        assessment: Some(assessment(1, "Læser højt hver anden fredag")),
        reason: Some("skrevet på den forkerte elev".to_owned()),
    };
    told.do_all([OnPlan::CorrectEvaluation(correct)]).await;
    let view = told.sees(Viewer::Staff).await;
    let made = &view.units[0].goals[1].evaluations[0];
    assert_eq!(made.level_title.as_deref(), Some("Næsten i mål"));
    assert!(made.corrected_at.is_some());
    let history = told.teacher.history(&told.plan).await;
    let payloads: Vec<_> = history
        .iter()
        .map(|event| match event.content.as_ref().unwrap() {
            event::Content::Payload(payload) => payload.as_str(),
            event::Content::Unreadable(_) => panic!("{event:?}"),
        })
        .collect();
    assert!(
        payloads
            .iter()
            .any(|it| it.contains("Læser højt hver fredag"))
    );
    assert!(
        payloads
            .iter()
            .any(|it| it.contains("Læser højt hver anden fredag"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_history_says_what_happened_in_order_and_who_did_it() {
    let server = Home::new().start();
    let told = Told::new(&server.voice().await).await;
    let history = told.teacher.history(&told.plan).await;
    let types: Vec<_> = history.iter().map(|event| event.r#type.as_str()).collect();
    let expected = [
        "plan.opened",
        "plan.unit_included",
        "plan.evaluation_recorded",
        "plan.evaluation_recorded",
        "plan.evaluation_recorded",
        "plan.status_written",
        "plan.follow_up_written",
        "plan.talk_recorded",
    ];
    assert_eq!(types, expected);
    let revisions = history.iter().map(|event| event.revision);
    assert!(revisions.eq(1..=8));
    for pair in history.windows(2) {
        assert!(pair[0].position < pair[1].position);
        let at = |event: &Event| {
            let at = event.recorded_at.unwrap();
            (at.seconds, at.nanos)
        };
        assert!(at(&pair[0]) < at(&pair[1]));
    }
    let student = format!("person/{}", told.school.student);
    assert_eq!(history[3].actor, student);
    let stream = format!("plan/{}", told.plan);
    assert!(history.iter().all(|event| event.stream == stream));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn opening_a_plan_that_is_there_gives_it_and_a_withdrawn_one_is_restored() {
    let server = Home::new().start();
    let told = Told::new(&server.voice().await).await;
    let open = || open_plan(&new_id(), &told.school.student, &told.course.year_plan);
    let receipt = told.teacher.execute(open()).await;
    assert!(receipt.unchanged);
    assert_eq!(receipt.stream, format!("plan/{}", told.plan));

    let whole = told.sees(Viewer::Staff).await;
    let reason = Some("åbnet ved en fejl".to_owned());
    told.do_all([
        share(),
        visible(Audience::Guardians, true),
        OnPlan::WithdrawPlan(WithdrawPlan { reason }),
    ])
    .await;
    told.sees_nothing(Viewer::Guardians).await;
    assert!(told.sees(Viewer::Staff).await.withdrawn);
    let refused = told.teacher.try_execute(open()).await.unwrap_err();
    assert_eq!(refused.reason, "PLAN_WITHDRAWN");
    assert_eq!(refused.metadata["plan_id"], told.plan);
    told.do_all([OnPlan::RestorePlan(RestorePlan {})]).await;
    let restored = told.sees(Viewer::Guardians).await;
    assert_eq!(restored.plan_id, told.plan);
    let restored = told.sees(Viewer::Staff).await;
    assert_eq!(restored.units, whole.units);
    assert_eq!(restored.talks, whole.talks);
}
