//! No plan hangs on its container (P1).

use planledger_proto::v1::*;

use crate::support::*;

/// A plan with an evaluation, visible to guardians, and everything around it gone: the unit, the
/// year plan and the team deleted, the goal out of use, the owner departed.
struct Bereft {
    voice: Voice,
    leader: Voice,
    school: School,
    course: Course,
    plan: String,
    /// The plan as it was while everything was there.
    whole: PlanView,
    seen: PlanView,
}

impl Bereft {
    async fn new(voice: &Voice) -> Self {
        let (school, course, plan_id) = School::with_plan(voice).await;
        let teacher = voice.person(&school.teacher);
        let goal = &course.reflection_goal;
        let evaluate = course.evaluate(&plan_id, &new_id(), goal, assessment(1, "På vej"));
        let prepare = [
            evaluate,
            write_status(&plan_id, "Læser med stigende lyst"),
            show_section(&plan_id, Section::Status),
            show_section(&plan_id, Section::Goals),
            plan(&plan_id, OnPlan::SharePlan(SharePlan {})),
            set_visibility(&plan_id, Audience::Guardians, true),
        ];
        teacher.all(prepare).await;
        let bereft = Self {
            whole: voice.plan(&plan_id, Viewer::Staff).await,
            seen: voice.plan(&plan_id, Viewer::Guardians).await,
            leader: voice.person(&school.leader),
            voice: voice.clone(),
            school,
            course,
            plan: plan_id,
        };
        teacher.all(bereft.removals()).await;
        bereft
    }

    fn removals(&self) -> Vec<Command> {
        let retire = RetireGoal {
            goal_id: self.course.reflection_goal.clone(),
            reason: None,
        };
        let delete_unit = DeleteUnit {
            unit_id: self.course.unit.clone(),
            reason: None,
        };
        let delete_team = DeleteTeam {
            reason: Some("skoleåret er slut".to_owned()),
        };
        let depart = DepartPerson {
            last_day: Some("2026-11-20".to_owned()),
            reason: None,
        };
        vec![
            year_plan(&self.course.year_plan, OnYearPlan::RetireGoal(retire)),
            year_plan(&self.course.year_plan, OnYearPlan::DeleteUnit(delete_unit)),
            self.course.delete(),
            team(&self.school.team, OnTeam::DeleteTeam(delete_team)),
            person(&self.school.teacher, OnPerson::DepartPerson(depart)),
        ]
    }

    async fn view(&self) -> PlanView {
        self.voice.plan(&self.plan, Viewer::Staff).await
    }
}

/// A view without the marks of what became of the containers.
fn without_marks(mut view: PlanView) -> PlanView {
    view.owner_departed = false;
    for container in view.year_plan.iter_mut().chain(&mut view.team) {
        container.deletion = None;
    }
    for unit in &mut view.units {
        unit.deletion = None;
        for goal in &mut unit.goals {
            goal.retired = false;
        }
    }
    view
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_plan_is_whole_after_everything_around_it_is_gone_and_says_what_became_of_it() {
    let server = Home::new().start();
    let bereft = Bereft::new(&server.voice().await).await;
    let now = bereft.view().await;
    let deletion = |container: &Option<ContainerView>| {
        let deletion = container.as_ref().unwrap().deletion.clone();
        let deletion = deletion.unwrap();
        let by = actor::Actor::PersonId(bereft.school.teacher.clone());
        assert_eq!(deletion.deleted_by.unwrap().actor, Some(by));
        deletion.reason
    };
    let why = deletion(&now.year_plan);
    assert_eq!(why.as_deref(), Some("oprydning på årsplanerne"));
    assert_eq!(deletion(&now.team).as_deref(), Some("skoleåret er slut"));
    assert!(now.owner_departed);
    assert!(now.units[0].deletion.is_some());
    assert!(now.units[0].goals[1].retired);
    assert_ne!(now, bereft.whole);
    assert_eq!(without_marks(now), bereft.whole);

    let seen = bereft.voice.plan(&bereft.plan, Viewer::Guardians).await;
    assert_eq!(without_marks(seen), bereft.seen);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_orphaned_plan_is_found_by_student_owner_team_and_year_plan() {
    use list_plans_request::Filter;
    let server = Home::new().start();
    let bereft = Bereft::new(&server.voice().await).await;
    for filter in [
        Filter::StudentId(bereft.school.student.clone()),
        Filter::OwnerId(bereft.school.teacher.clone()),
        Filter::TeamId(bereft.school.team.clone()),
        Filter::YearPlanId(bereft.course.year_plan.clone()),
    ] {
        let request = ListPlansRequest {
            filter: Some(filter),
            ..ListPlansRequest::default()
        };
        let plans = bereft.voice.ask(request).await.unwrap().plans;
        let ids: Vec<_> = plans.iter().map(|plan| &plan.plan_id).collect();
        assert_eq!(ids, [&bereft.plan]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_orphaned_plan_is_written_evaluated_shared_and_given_to_somebody_who_is_there() {
    let server = Home::new().start();
    let bereft = Bereft::new(&server.voice().await).await;
    let (leader, plan_id) = (&bereft.leader, &bereft.plan);
    let goal = &bereft.course.subject_goal;
    let evaluate = bereft
        .course
        .evaluate(plan_id, &new_id(), goal, assessment(2, "Nåede det"));
    let transfer = TransferPlanOwnership {
        to_person_id: bereft.school.pedagogue.clone(),
        reason: Some("læreren er rejst".to_owned()),
    };
    leader
        .all([
            write_status(plan_id, "Læser nu hver dag"),
            evaluate,
            set_visibility(plan_id, Audience::Student, true),
            plan(plan_id, OnPlan::TransferPlanOwnership(transfer)),
        ])
        .await;
    let view = bereft.view().await;
    assert_eq!(view.status.unwrap().text, "Læser nu hver dag");
    assert_eq!(view.units[0].goals[0].evaluations.len(), 1);
    assert_eq!(view.owner_id, bereft.school.pedagogue);
    assert!(!view.owner_departed);
    bereft.voice.plan(plan_id, Viewer::Student).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_orphaned_plan_moves_to_another_year_plan_with_all_it_has() {
    let server = Home::new().start();
    let bereft = Bereft::new(&server.voice().await).await;
    let plan_id = &bereft.plan;
    // A new team and year plan, by whoever takes over.
    let mut school = bereft.school.clone();
    school.team = new_id();
    school.teacher = school.pedagogue.clone();
    let create = CreateTeam {
        details: Some(school.team_details("7.b dansk, nyt hold")),
        owner_id: Some(school.pedagogue.clone()),
    };
    bereft
        .leader
        .execute(team(&school.team, OnTeam::CreateTeam(create)))
        .await;
    let next = school.course(&bereft.leader, YearPlanKind::Subject).await;
    let to = MoveToYearPlan {
        year_plan_id: next.year_plan.clone(),
        reason: Some("ny lærer".to_owned()),
    };
    bereft
        .leader
        .all([
            plan(plan_id, OnPlan::MoveToYearPlan(to)),
            next.include(plan_id),
        ])
        .await;
    let view = bereft.view().await;
    let year_plan = view.year_plan.as_ref().unwrap();
    assert_eq!(year_plan.id, next.year_plan);
    assert!(year_plan.deletion.is_none());
    assert_eq!(view.units.len(), 2);
    assert_eq!(view.units[0].unit, Some(bereft.course.unit()));
    let kept = &view.units[0].goals[1].evaluations;
    let before = &bereft.whole.units[0].goals[1].evaluations;
    assert_eq!(kept, before);
    assert_eq!(view.units[1].unit, Some(next.unit()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_deleted_team_and_year_plan_are_given_away_and_taken_back() {
    let server = Home::new().start();
    let bereft = Bereft::new(&server.voice().await).await;
    let to_person_id = bereft.school.pedagogue.clone();
    let give_team = TransferTeamOwnership {
        to_person_id: to_person_id.clone(),
        reason: None,
    };
    let give_year_plan = TransferYearPlanOwnership {
        to_person_id,
        reason: None,
    };
    let undelete_unit = UndeleteUnit {
        unit_id: bereft.course.unit.clone(),
    };
    let on_team = |operation| team(&bereft.school.team, operation);
    let on_year_plan = |operation| year_plan(&bereft.course.year_plan, operation);
    let restore = [
        on_team(OnTeam::TransferTeamOwnership(give_team)),
        on_year_plan(OnYearPlan::TransferYearPlanOwnership(give_year_plan)),
        on_team(OnTeam::UndeleteTeam(UndeleteTeam {})),
        on_year_plan(OnYearPlan::UndeleteYearPlan(UndeleteYearPlan {})),
        on_year_plan(OnYearPlan::UndeleteUnit(undelete_unit)),
        person(
            &bereft.school.teacher,
            OnPerson::ReturnPerson(ReturnPerson {}),
        ),
    ];
    bereft.leader.all(restore).await;
    let mut now = bereft.view().await;
    for container in now.year_plan.iter_mut().chain(&mut now.team) {
        assert_eq!(container.owner_id, Some(bereft.school.pedagogue.clone()));
        container.owner_id = Some(bereft.school.teacher.clone());
    }
    // A goal that is out of use stays so.
    assert!(now.units[0].goals[1].retired);
    now.units[0].goals[1].retired = false;
    assert_eq!(now, bereft.whole);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_container_command_touches_an_event_of_a_plan() {
    let home = Home::new();
    let (server, voice) = home.serve().await;
    let bereft = Bereft::new(&voice).await;
    let history = voice.history(&bereft.plan).await;
    let removed_after = history.last().unwrap().position;
    let later = voice.all_events().await;
    let later = later.iter().filter(|event| event.position > removed_after);
    let streams: Vec<_> = later.map(|event| event.stream.clone()).collect();
    assert_eq!(streams.len(), bereft.removals().len());
    assert!(streams.iter().all(|stream| !stream.starts_with("plan/")));
    drop((voice, bereft));
    server.stop();
    let (_server, voice) = home.serve().await;
    let plan_id = history[0].stream.strip_prefix("plan/").unwrap();
    assert_eq!(voice.history(plan_id).await, history);
}
