//! A plan across subjects: a shared year plan for a team and school year, titled, with subjects
//! that several people teach; then as with one subject.

use planledger_proto::v1::*;

use crate::support::*;

fn unit_of(year_plan_id: &str, unit_id: &str, title: &str, subject: &str) -> Command {
    let details = UnitDetails {
        title: title.to_owned(),
        subject: Some(subject.to_owned()),
        description: None,
    };
    let add = AddUnit {
        unit_id: unit_id.to_owned(),
        details: Some(details),
    };
    year_plan(year_plan_id, OnYearPlan::AddUnit(add))
}

fn goal_in(year_plan_id: &str, unit_id: &str, goal_id: &str) -> Command {
    let details = NewGoal {
        catalogue_scale: None,
        kind: GoalKind::Reflection.into(),
        area: GoalArea::AllRoundDevelopment.into(),
        wording: Some(own_words("Jeg hjælper de andre på holdet")),
        scale: Some(scale()),
    };
    let add = AddGoal {
        unit_id: unit_id.to_owned(),
        goal_id: goal_id.to_owned(),
        details: Some(details),
    };
    year_plan(year_plan_id, OnYearPlan::AddGoal(add))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_combined_plan_is_made_by_several_and_stands_beside_the_subject_plan() {
    let (_server, voice) = Home::new().serve().await;
    let school = School::found(&voice).await;
    let (teacher, pedagogue) = (
        voice.person(&school.teacher),
        voice.person(&school.pedagogue),
    );
    let student = voice.person(&school.student);

    let shared = new_id();
    let details = school.year_plan_details(YearPlanKind::Combined, "Årsplan");
    let create = CreateYearPlan {
        details: Some(details),
        owner_id: school.teacher.clone(),
    };
    let title = "Hele 7.b på tværs".to_owned();
    let add_subject = |subject: &str| {
        let subject = subject.to_owned();
        year_plan(&shared, OnYearPlan::AddSubject(AddSubject { subject }))
    };
    let (stories, nature) = (new_id(), new_id());
    let goal = new_id();
    teacher
        .all([
            year_plan(&shared, OnYearPlan::CreateYearPlan(create)),
            year_plan(
                &shared,
                OnYearPlan::RetitleYearPlan(RetitleYearPlan { title }),
            ),
            add_subject("Natur/teknologi"),
            unit_of(&shared, &stories, "Sagn og myter", "Dansk"),
        ])
        .await;
    // Shared: somebody else adds what they teach.
    pedagogue
        .all([
            unit_of(&shared, &nature, "Åen bag skolen", "Natur/teknologi"),
            goal_in(&shared, &nature, &goal),
        ])
        .await;

    let plan_id = new_id();
    let include = |unit_id: &str| {
        let unit = Some(UnitRef {
            year_plan_id: shared.clone(),
            unit_id: unit_id.to_owned(),
        });
        plan(&plan_id, OnPlan::IncludeUnit(IncludeUnit { unit }))
    };
    let record = RecordEvaluation {
        evaluation_id: new_id(),
        unit: Some(UnitRef {
            year_plan_id: shared.clone(),
            unit_id: nature.clone(),
        }),
        goal_id: goal.clone(),
        assessment: Some(assessment(2, "Jeg viste ny elev rundt")),
    };
    teacher
        .all([
            open_plan(&plan_id, &school.student, &shared),
            include(&stories),
            include(&nature),
        ])
        .await;
    student
        .execute(plan(&plan_id, OnPlan::RecordEvaluation(record)))
        .await;
    pedagogue
        .all([
            write_status(&plan_id, "Trives på holdet"),
            show_section(&plan_id, Section::Status),
            show_section(&plan_id, Section::Goals),
            plan(&plan_id, OnPlan::SharePlan(SharePlan {})),
            set_visibility(&plan_id, Audience::Guardians, true),
        ])
        .await;

    let view = voice.plan(&plan_id, Viewer::Guardians).await;
    assert_eq!(view.kind(), YearPlanKind::Combined);
    let details = view.year_plan_details.unwrap();
    assert_eq!(details.title, "Hele 7.b på tværs");
    assert_eq!(details.subjects, ["Dansk", "Historie", "Natur/teknologi"]);
    let titles = view.units.iter().map(|unit| unit.details.as_ref().unwrap());
    let titles: Vec<_> = titles.map(|unit| unit.title.as_str()).collect();
    assert_eq!(titles, ["Sagn og myter", "Åen bag skolen"]);
    let evaluation = &view.units[1].goals[0].evaluations[0];
    assert_eq!(evaluation.side(), Evaluator::Student);
    assert_eq!(evaluation.level_title.as_deref(), Some("I mål"));
    assert_eq!(view.status.unwrap().text, "Trives på holdet");

    // One combined plan for a student, and besides it a subject plan: the collected view has both
    // for staff, and for guardians what is visible to them.
    let again = open_plan(&new_id(), &school.student, &shared);
    assert!(teacher.execute(again).await.unchanged);
    let course = school.course(&voice, YearPlanKind::Subject).await;
    let subject_plan = school.plan(&voice, &course).await;
    let collected = |viewer: Viewer| {
        let request = get_collected(&school.student, viewer, None);
        let voice = voice.clone();
        async move {
            let view = voice.ask(request).await.unwrap().view.unwrap();
            assert_eq!(view.student_name.as_deref(), Some(STUDENT));
            let plans = view.plans.into_iter();
            plans.map(|plan| plan.plan_id).collect::<Vec<_>>()
        }
    };
    let both = [plan_id.clone(), subject_plan];
    assert_eq!(collected(Viewer::Staff).await, both);
    assert_eq!(collected(Viewer::Guardians).await, [plan_id]);
    assert!(collected(Viewer::Student).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_goal_from_the_catalogue_keeps_its_words_whatever_becomes_of_the_catalogue() {
    let (_server, voice) = Home::new().serve().await;
    let school = School::found(&voice).await;
    let course = school.course(&voice, YearPlanKind::Combined).await;
    let (catalogue_id, item_id, goal_id) = (new_id(), new_id(), new_id());
    let put = |items: Vec<CatalogueItem>| {
        let details = CatalogueDetails {
            title: "Fælles Mål".to_owned(),
            publisher: Some("Børne- og Undervisningsministeriet".to_owned()),
            version: None,
            language: Some("da".to_owned()),
            licence: None,
            rights_holder: None,
        };
        let put = PutCatalogue {
            details: Some(details),
            items,
        };
        catalogue(&catalogue_id, OnCatalogue::PutCatalogue(put))
    };
    let item = |text: &str| CatalogueItem {
        item_id: item_id.clone(),
        text: text.to_owned(),
        kind: Some("Kompetencemål".to_owned()),
        code: None,
        parent_ids: Vec::new(),
        sequence_number: None,
        parent_orders: Vec::new(),
        licence: None,
    };
    voice.execute(put(vec![item("Eleven kan læse")])).await;
    let source = CatalogueItemRef {
        catalogue_id: catalogue_id.clone(),
        item_id: item_id.clone(),
    };
    let wording = WordingChoice {
        wording: Some(wording_choice::Wording::CatalogueItem(source.clone())),
    };
    let details = NewGoal {
        catalogue_scale: None,
        kind: GoalKind::Subject.into(),
        area: GoalArea::Academic.into(),
        wording: Some(wording),
        scale: Some(scale()),
    };
    let add = AddGoal {
        unit_id: course.unit.clone(),
        goal_id: goal_id.clone(),
        details: Some(details),
    };
    voice
        .execute(year_plan(&course.year_plan, OnYearPlan::AddGoal(add)))
        .await;
    voice
        .execute(put(vec![item("Eleven kan noget andet")]))
        .await;
    voice.execute(put(Vec::new())).await;
    let request = GetCatalogueItemRequest {
        catalogue_id,
        item_id,
        min_position: 0,
    };
    assert!(voice.ask(request).await.unwrap().retired);
    let plan_id = school.plan(&voice, &course).await;
    let view = voice.plan(&plan_id, Viewer::Staff).await;
    let goals = &view.units[0].goals;
    let goal = goals.iter().find(|goal| goal.goal_id == goal_id).unwrap();
    let wording = goal.wording.clone().unwrap();
    assert_eq!(wording.text, "Eleven kan læse");
    assert_eq!(wording.source, Some(source));
}
