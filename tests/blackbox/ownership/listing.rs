//! What is owned, and by whom it could be.

use planledger_proto::v1::*;

use super::{delete_team, depart};
use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_a_person_owns_is_listed_now_and_as_it_was() {
    let (_server, voice) = Home::new().serve().await;
    let (school, course, plan_id) = School::with_plan(&voice).await;
    let teacher = voice.person(&school.teacher);
    let deleted = teacher.execute(delete_team(&school.team)).await;
    let hand_over = TransferPlanOwnership {
        to_person_id: school.pedagogue.clone(),
        reason: None,
    };
    let transfer = plan(&plan_id, OnPlan::TransferPlanOwnership(hand_over));
    let transferred = voice.execute(transfer).await;

    let items = voice.owned(&school.teacher).await;
    let (team, year_plan) = (&items[0], &items[1]);
    assert_eq!(items.len(), 2);
    assert_eq!(team.stream, format!("team/{}", school.team));
    assert_eq!(team.title, "7.b dansk");
    assert_eq!(team.owner_id.as_ref(), Some(&school.teacher));
    assert_eq!(team.institution_id, school.institution);
    assert!(team.deleted_by_owner && team.deletion.is_some() && !team.ownerless);
    assert_eq!(team.students, 1);
    // In it, or in a plan there.
    assert_eq!(team.last_activity_at, transferred.recorded_at);
    assert_eq!(year_plan.stream, format!("year_plan/{}", course.year_plan));
    assert_eq!((year_plan.students, &year_plan.deletion), (1, &None));
    let owned = voice.owned(&school.pedagogue).await;
    assert_eq!(owned.len(), 1);
    assert_eq!(owned[0].stream, format!("plan/{plan_id}"));
    assert_eq!(owned[0].title, "Dansk i 7.b");

    // At every position: what the events say.
    let mut expected: Vec<String> = Vec::new();
    let team = format!("team/{}", school.team);
    for event in voice.all_events().await {
        match event.r#type.as_str() {
            "team.created" | "year_plan.created" | "plan.opened" => expected.push(event.stream),
            "plan.ownership_transferred" => expected.retain(|stream| *stream != event.stream),
            _ => {}
        }
        expected.sort_by_key(|stream| match stream.split_once('/') {
            Some(("team", _)) => 0,
            Some(("year_plan", _)) => 1,
            _ => 2,
        });
        let moment = Some(as_of::Moment::Position(event.position));
        let request = ListOwnedRequest {
            person_id: school.teacher.clone(),
            at: Some(AsOf { moment }),
            ..ListOwnedRequest::default()
        };
        // Before the person was known there is nobody to ask for.
        let Ok(then) = voice.ask(request).await else {
            assert!(expected.is_empty());
            continue;
        };
        assert_eq!(then.position, event.position);
        let streams = then.items.iter().map(|item| &item.stream);
        assert!(streams.eq(&expected), "at {}", event.position);
        let counts = then.counts.unwrap();
        let all = counts.teams + counts.year_plans + counts.plans;
        assert_eq!(all as usize, expected.len());
        for item in &then.items {
            let gone = item.stream == team && event.position >= deleted.position;
            assert_eq!(item.deleted_by_owner, gone, "at {}", event.position);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_a_person_leaves_behind_has_no_owner_until_they_return_and_stays_as_it_was() {
    let (_server, voice) = Home::new().serve().await;
    let (school, course, plan_id) = School::with_plan(&voice).await;
    let teacher = voice.person(&school.teacher);
    teacher.execute(write_status(&plan_id, "Læser")).await;
    let before = voice.plan(&plan_id, Viewer::Staff).await;
    assert!(voice.ownerless(&school.institution).await.is_empty());

    voice.execute(depart(&school.teacher)).await;
    let all = [
        format!("team/{}", school.team),
        format!("year_plan/{}", course.year_plan),
        format!("plan/{plan_id}"),
    ];
    assert_eq!(voice.ownerless(&school.institution).await, all);
    let after = voice.plan(&plan_id, Viewer::Staff).await;
    assert!(after.owner_departed && !before.owner_departed);
    assert_eq!(
        after,
        PlanView {
            owner_departed: true,
            ..before
        }
    );
    // Not writable by who left, nor in their name; by everybody else as before.
    let refused = teacher.try_execute(write_status(&plan_id, "Skriver")).await;
    assert_eq!(refused.unwrap_err().reason, "ACTOR_DEPARTED");
    let mut in_their_name = write_status(&plan_id, "Skriver");
    in_their_name.on_behalf_of = Some(Actor {
        actor: Some(actor::Actor::PersonId(school.teacher.clone())),
    });
    let refused = voice.try_execute(in_their_name).await.unwrap_err();
    assert_eq!(refused.reason, "ACTOR_DEPARTED");
    assert_eq!(refused.metadata["person_id"], school.teacher);
    let pedagogue = voice.person(&school.pedagogue);
    pedagogue
        .execute(write_status(&plan_id, "Går videre"))
        .await;

    let come_back = || person(&school.teacher, OnPerson::ReturnPerson(ReturnPerson {}));
    let refused = teacher.try_execute(come_back()).await.unwrap_err();
    assert_eq!(refused.reason, "ACTOR_DEPARTED");
    voice.execute(come_back()).await;
    assert!(voice.ownerless(&school.institution).await.is_empty());
    teacher.execute(write_status(&plan_id, "Er her igen")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn pages_of_what_has_no_owner_show_everything_once() {
    let (_server, voice) = Home::new().serve().await;
    let school = School::found(&voice).await;
    for _ in 0..3 {
        school.course(&voice, YearPlanKind::Subject).await;
    }
    voice.execute(depart(&school.teacher)).await;
    let all = voice.ownerless(&school.institution).await;
    assert_eq!(all.len(), 4);
    let (mut paged, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListOwnerlessRequest {
            institution_id: school.institution.clone(),
            page_size: 3,
            page_token,
            ..ListOwnerlessRequest::default()
        };
        let page = voice.ask(request).await.unwrap();
        assert_eq!(page.counts.unwrap().year_plans, 3);
        paged.extend(page.items.into_iter().map(|item| item.stream));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(paged, all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn whoever_evaluates_most_is_named_first_and_a_last_owner_is_warned() {
    let (_server, voice) = Home::new().serve().await;
    let (school, course, plan_id) = School::with_plan(&voice).await;
    let stream = format!("team/{}", school.team);
    let successors = async || {
        let request = ListSuccessorsRequest {
            stream: stream.clone(),
            min_position: 0,
        };
        voice.ask(request).await.unwrap().successors
    };
    let found = |person: &String, evaluations, on_team| Successor {
        person_id: person.clone(),
        evaluations,
        on_team,
    };
    assert_eq!(successors().await, [found(&school.pedagogue, 0, true)]);
    let evaluate = |by: &Voice, id: String| {
        let assessment = assessment(1, "Godt på vej");
        let (by, goal) = (by.clone(), &course.subject_goal);
        let command = course.evaluate(&plan_id, &id, goal, assessment);
        async move { by.execute(command).await }
    };
    evaluate(&voice.person(&school.leader), new_id()).await;
    assert_eq!(
        successors().await,
        [
            found(&school.leader, 1, false),
            found(&school.pedagogue, 0, true)
        ]
    );

    let preview = async || {
        let request = PreviewDeletionRequest {
            stream: stream.clone(),
            min_position: 0,
        };
        voice.ask(request).await.unwrap()
    };
    let before = preview().await;
    assert_eq!(
        before.year_plan_ids,
        std::slice::from_ref(&course.year_plan)
    );
    assert_eq!(before.plan_ids, std::slice::from_ref(&plan_id));
    assert_eq!((before.students, before.last_owner), (1, false));
    assert_eq!(before.successors, successors().await);
    voice.execute(depart(&school.pedagogue)).await;
    let after = preview().await;
    assert!(after.last_owner);
    assert_eq!(after.successors, [found(&school.leader, 1, false)]);
    // Looking deletes nothing.
    let team = voice.owned(&school.teacher).await;
    assert!(team.iter().all(|item| item.deletion.is_none()));
}
