//! Things that come back.

use planledger_proto::v1::recovery_wish::Wish;
use planledger_proto::v1::restore_item::Item;
use planledger_proto::v1::*;

use super::{delete_team, told};
use crate::support::*;

fn restore(items: Vec<Item>, give_to: Option<&String>) -> RecoveryWish {
    let items = items.into_iter();
    let restore = Restore {
        items: items.map(|item| RestoreItem { item: Some(item) }).collect(),
        give_to_person_id: give_to.cloned(),
        reason: Some("Slettet ved en fejl".to_owned()),
    };
    RecoveryWish {
        wish: Some(Wish::Restore(restore)),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_deleted_team_comes_back_with_what_hung_on_it_under_a_new_owner() {
    let (_server, voice) = Home::new().serve().await;
    let (school, course, plan_id) = School::with_plan(&voice).await;
    let delete_unit = OnYearPlan::DeleteUnit(DeleteUnit {
        unit_id: course.second_unit.clone(),
        reason: None,
    });
    voice
        .execute(year_plan(&course.year_plan, delete_unit))
        .await;
    voice.execute(course.delete()).await;
    voice.execute(delete_team(&school.team)).await;
    let before = voice.plan(&plan_id, Viewer::Staff).await;

    let item = Item::Team(RestoreTeam {
        team_id: school.team.clone(),
        with_contents: true,
    });
    let wish = restore(vec![item], Some(&school.pedagogue));
    let proposal = voice.propose(&wish).await.unwrap();
    let team = format!("team/{}", school.team);
    let year_plan = format!("year_plan/{}", course.year_plan);
    assert_eq!(
        told(&proposal),
        [
            format!("{team}: undelete"),
            format!("{year_plan}: undelete"),
            format!("{year_plan}: unit {}", course.second_unit),
            format!("{team}: {}", school.pedagogue),
            format!("{year_plan}: {}", school.pedagogue),
        ]
    );
    let hangs_on: Vec<_> = proposal.items.iter().map(|item| &item.hangs_on).collect();
    assert_eq!(hangs_on[1..3], [&Some(team.clone()), &Some(year_plan)]);
    let id = new_id();
    let done = voice.run(&id, wish, &proposal.digest).await.unwrap();
    assert!(done.left_out.is_empty(), "{done:?}");
    let owned = voice.owned(&school.pedagogue).await;
    assert_eq!(owned.len(), 2);
    assert!(owned.iter().all(|item| item.deletion.is_none()));
    let after = voice.plan(&plan_id, Viewer::Staff).await;
    assert_eq!(after.units, before.units);
    assert!(after.team.unwrap().deletion.is_none());

    voice.undo(&id).await.unwrap();
    let owned = voice.owned(&school.teacher).await;
    assert!(owned[..2].iter().all(|item| item.deletion.is_some()));
    assert_eq!(
        voice.plan(&plan_id, Viewer::Staff).await.units,
        before.units
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_not_gone_or_fits_nowhere_is_told_item_by_item() {
    let (_server, voice) = Home::new().serve().await;
    let (school, course) = School::with_course(&voice).await;
    let combined = school.course(&voice, YearPlanKind::Combined).await;
    let other = school.course(&voice, YearPlanKind::Subject).await;
    let plan_id = school.plan(&voice, &course).await;
    let withdrawn = school.plan_of(&voice, &school.classmate, &course).await;
    let withdraw = OnPlan::WithdrawPlan(WithdrawPlan { reason: None });
    voice.execute(plan(&withdrawn, withdraw)).await;
    let nowhere = new_id();
    let team = |id: &str| {
        Item::Team(RestoreTeam {
            team_id: id.to_owned(),
            with_contents: false,
        })
    };
    let move_to = |to: &Course| {
        Item::Move(RestoreMove {
            plan_id: plan_id.clone(),
            year_plan_id: to.year_plan.clone(),
        })
    };
    let unit = Item::Unit(RestoreUnit {
        year_plan_id: course.year_plan.clone(),
        unit_id: course.unit.clone(),
    });
    let whole = Item::YearPlan(RestoreYearPlan {
        year_plan_id: course.year_plan.clone(),
        with_contents: true,
    });
    let wish = restore(
        vec![
            team(&school.team),
            team(&nowhere),
            whole,
            unit,
            Item::PlanId(plan_id.clone()),
            Item::PlanId(withdrawn.clone()),
            move_to(&combined),
            move_to(&course),
            move_to(&other),
        ],
        None,
    );
    let proposal = voice.propose(&wish).await.unwrap();
    assert_eq!(
        told(&proposal),
        [
            format!("team/{}: ERROR_REASON_NOT_DELETED", school.team),
            format!("team/{nowhere}: ERROR_REASON_TEAM_NOT_FOUND"),
            format!("year_plan/{}: ERROR_REASON_NOT_DELETED", course.year_plan),
            format!("year_plan/{}: ERROR_REASON_NOT_DELETED", course.year_plan),
            format!("plan/{plan_id}: ERROR_REASON_NOT_WITHDRAWN"),
            format!("plan/{withdrawn}: unwithdraw"),
            format!("plan/{plan_id}: ERROR_REASON_PLAN_KIND_MISMATCH"),
            format!("plan/{plan_id}: ERROR_REASON_ALREADY_THERE"),
            format!("plan/{plan_id}: to {}", other.year_plan),
        ]
    );
    assert_eq!((proposal.steps, proposal.refused), (2, 7));
    let done = voice.fulfil(wish).await;
    assert_eq!((done.steps, done.left_out.len()), (2, 0));
    let moved = voice.plan(&plan_id, Viewer::Staff).await;
    assert_eq!(moved.year_plan.unwrap().id, other.year_plan);
    assert!(!voice.plan(&withdrawn, Viewer::Staff).await.withdrawn);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_year_plan_is_made_anew_of_what_its_students_plans_hold() {
    let (_server, voice) = Home::new().serve().await;
    let (school, course, plan_id) = School::with_plan(&voice).await;
    let evaluate = course.evaluate(
        &plan_id,
        &new_id(),
        &course.subject_goal,
        assessment(1, "Godt på vej"),
    );
    voice.person(&school.teacher).execute(evaluate).await;
    let retire = OnYearPlan::RetireGoal(RetireGoal {
        goal_id: course.reflection_goal.clone(),
        reason: None,
    });
    voice.execute(year_plan(&course.year_plan, retire)).await;
    voice.execute(course.delete()).await;
    let before = voice.plan(&plan_id, Viewer::Staff).await;

    let rebuilt = new_id();
    let item = Item::Rebuild(RebuildYearPlan {
        from_year_plan_id: course.year_plan.clone(),
        year_plan_id: rebuilt.clone(),
        title: Some("Dansk i 7.b, genskabt".to_owned()),
        team_id: None,
        owner_id: Some(school.pedagogue.clone()),
        institution_id: None,
    });
    let wish = restore(vec![item], None);
    let proposal = voice.propose(&wish).await.unwrap();
    assert_eq!(
        told(&proposal),
        [
            format!("year_plan/{rebuilt}: create Dansk i 7.b, genskabt"),
            format!("year_plan/{rebuilt}: copy {}", course.unit),
            format!("plan/{plan_id}: to {rebuilt}"),
        ]
    );
    let id = new_id();
    let done = voice
        .run(&id, wish.clone(), &proposal.digest)
        .await
        .unwrap();
    assert!(done.left_out.is_empty(), "{done:?}");
    let request = |id: &str| GetYearPlanRequest {
        year_plan_id: id.to_owned(),
        viewer: Viewer::Staff.into(),
        min_position: 0,
    };
    let made = voice
        .ask(request(&rebuilt))
        .await
        .unwrap()
        .year_plan
        .unwrap();
    let old = voice.ask(request(&course.year_plan)).await.unwrap();
    let old = old.year_plan.unwrap();
    assert_eq!(made.owner_id, school.pedagogue);
    let details = made.details.unwrap();
    assert_eq!(details.title, "Dansk i 7.b, genskabt");
    assert_eq!(details.subjects, old.details.unwrap().subjects);
    let (unit, from) = (&made.units[0], &old.units[0]);
    assert_eq!(made.units.len(), 1, "the second unit is in no plan");
    assert_eq!(unit.details, from.details);
    // The goal that is out of use stays behind.
    assert_eq!(unit.goals.len(), 1);
    let goal = from
        .goals
        .iter()
        .find(|goal| goal.goal_id == course.subject_goal);
    let goal = goal.unwrap();
    let copied = &unit.goals[0];
    assert_ne!(copied.goal_id, goal.goal_id);
    assert_eq!(copied.revisions, goal.revisions);
    // The plan has what it had, and can take the copies in.
    let after = voice.plan(&plan_id, Viewer::Staff).await;
    assert_eq!(after.units, before.units);
    assert_eq!(after.year_plan.unwrap().id, rebuilt);
    let include = OnPlan::IncludeUnit(IncludeUnit {
        unit: Some(UnitRef {
            year_plan_id: rebuilt.clone(),
            unit_id: unit.unit_id.clone(),
        }),
    });
    voice.execute(plan(&plan_id, include)).await;

    // The id is taken by now.
    let again = voice.propose(&wish).await.unwrap();
    let taken = format!("year_plan/{rebuilt}: ERROR_REASON_ALREADY_EXISTS");
    assert_eq!(told(&again)[0], taken);
    voice.undo(&id).await.unwrap();
    let back = voice.plan(&plan_id, Viewer::Staff).await;
    // The old one is deleted, so nothing can be hung on it: the plan stays where it is.
    assert_eq!(back.year_plan.unwrap().id, rebuilt);
}
