//! Reading what was written, and waiting for it.

use std::time::Duration;

use planledger_proto::v1::*;
use tokio::task::JoinSet;

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_read_at_a_receipts_position_contains_what_was_receipted() {
    let server = Home::new().start();
    // Written on one connection, read on another.
    let (writer, reader) = (server.voice().await, server.voice().await);
    let (_, _, plan_id) = School::with_plan(&writer).await;
    for n in 0..50 {
        let text = format!("Gang {n}");
        let receipt = writer.execute(write_status(&plan_id, &text)).await;
        let request = GetPlanRequest {
            plan_id: plan_id.clone(),
            viewer: Viewer::Staff.into(),
            min_position: receipt.position,
            at: None,
        };
        let answer = reader.ask(request).await.unwrap();
        assert_eq!(answer.position, receipt.position);
        let plan = answer.plan.unwrap();
        assert_eq!(
            (plan.status.unwrap().text, plan.revision),
            (text, receipt.revision)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_read_waits_for_its_position_and_sees_nothing_that_is_not_on_stable_storage() {
    let (log, server) = Gated::start();
    let voice = server.voice().await;
    let id = new_id();
    log.shut();
    let writing = tokio::spawn({
        let (voice, command) = (voice.clone(), register_institution(&id, "Skolen"));
        async move { voice.execute(command).await }
    });
    log.wait_for_write();
    let get = |min_position| {
        let request = GetInstitutionRequest {
            institution_id: id.clone(),
            min_position,
        };
        let voice = voice.clone();
        async move { voice.ask(request).await }
    };
    let refused = get(0).await.unwrap_err();
    assert_eq!(refused.reason, "INSTITUTION_NOT_FOUND");
    assert!(voice.all_events().await.is_empty());
    let waiting = tokio::spawn(get(1));
    log.let_through();
    let answer = waiting.await.unwrap().unwrap();
    assert_eq!(answer.position, 1);
    assert_eq!(writing.await.unwrap().position, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_position_that_is_not_reached_in_time_can_be_asked_for_again() {
    let home = Home::new();
    let mut setup = Setup::default();
    setup.limits.patience = Duration::from_millis(200);
    let server = setup.start(&home);
    let voice = server.voice().await;
    let (school, course, plan_id) = School::with_plan(&voice).await;
    let position = voice.position().await;
    let far = position + 1_000;
    let eyes = Viewer::Staff.into();
    // All at once: each waits as long as the server has patience.
    let mut asking = JoinSet::new();
    macro_rules! waits {
        ($($request:ident { $($field:ident: $value:expr),* };)*) => {$(
            let request = $request {
                $($field: $value,)*
                min_position: far,
                ..$request::default()
            };
            let asker = voice.clone();
            asking.spawn(async move {
                let refused = asker.ask(request).await.map(drop).unwrap_err();
                (stringify!($request), refused)
            });
        )*};
    }
    #[allow(clippy::needless_update, reason = "some requests have no other fields")]
    {
        waits! {
            GetPlanRequest { plan_id: plan_id.clone(), viewer: eyes };
            ListPlansRequest {
                filter: Some(list_plans_request::Filter::OwnerId(school.teacher.clone()))
            };
            GetPlanHistoryRequest { plan_id: plan_id.clone() };
            GetCollectedViewRequest { student_id: school.student.clone(), viewer: eyes };
            DiffPlanRequest {
                plan_id: plan_id.clone(),
                viewer: eyes,
                from: Some(AsOf { moment: Some(as_of::Moment::Position(position)) })
            };
            GetInstitutionRequest { institution_id: school.institution.clone() };
            ListInstitutionsRequest {};
            GetSchoolYearRequest { school_year_id: school.school_year.clone() };
            ListSchoolYearsRequest {};
            GetPersonRequest { person_id: school.student.clone() };
            ListPersonsRequest { institution_id: school.institution.clone() };
            GetTeamRequest { team_id: school.team.clone() };
            ListTeamsRequest {
                filter: Some(list_teams_request::Filter::OwnerId(school.teacher.clone()))
            };
            GetYearPlanRequest { year_plan_id: course.year_plan.clone(), viewer: eyes };
            ListYearPlansRequest {
                filter: Some(list_year_plans_request::Filter::OwnerId(school.teacher.clone()))
            };
            GetCatalogueRequest { catalogue_id: new_id() };
            ListCataloguesRequest {};
            GetCatalogueItemRequest { catalogue_id: new_id(), item_id: new_id() };
            ListCatalogueItemsRequest { catalogue_id: new_id() };
            ListCatalogueScalesRequest { catalogue_id: new_id() };
            ListCatalogueGoalsRequest { catalogue_id: new_id(), institution_id: new_id() };
            LookupPersonRequest { source: String::new(), id: "e1".to_owned() };
            ListRosterSourcesRequest {};
            ListSuggestionsRequest { institution_id: school.institution.clone() };
            GetSurveyOverviewRequest { school_year_id: Some(school.school_year.clone()) };
            ListSurveyDiscussionsRequest { school_year_id: Some(school.school_year.clone()) };
            GetOverviewRequest { school_year_id: Some(school.school_year.clone()) };
            ListOwnedRequest { person_id: school.teacher.clone() };
            ListOwnerlessRequest { institution_id: school.institution.clone() };
            ListSuccessorsRequest { stream: format!("team/{}", school.team) };
            PreviewDeletionRequest { stream: format!("team/{}", school.team) };
            ProposeRecoveryRequest { wish: Some(bring_back(&school.team)) };
            GetRecoveryRequest { recovery_id: new_id() };
            ListRecoveriesRequest {};
            GetStatusRequest {};
            ListGrantsRequest {};
            GetSystemRequest { system_id: new_id() };
            ListSystemsRequest {};
            ListErasuresRequest {};
            ListDueErasuresRequest { classes: vec![retention_class("Planer", "5y")] };
            ExplainAccessRequest {
                actor: Some(actor_person(&school.teacher)),
                action: "write_plan".to_owned(),
                about: Some(AccessThing {
                    thing: Some(access_thing::Thing::PlanId(plan_id.clone()))
                })
            };
            ReviewAccessRequest {};
            ListReadersRequest { student_id: school.student.clone() };
        }
    }
    // Every method that reads: all but the three that execute, and the five that give evidence, for
    // which a checkpoint says what they hold for.
    assert_eq!(asking.len(), METHODS.len() - 3 - 5);
    let reading = voice.clone();
    asking.spawn(async move {
        let request = ReadEventsRequest {
            min_position: far,
            ..ReadEventsRequest::default()
        };
        (
            "ReadEvents",
            reading.read_events(request).await.unwrap_err(),
        )
    });
    while let Some(refused) = asking.join_next().await {
        let (method, refused) = refused.unwrap();
        assert_eq!(refused.reason, "POSITION_NOT_REACHED", "{method}");
        assert_eq!(refused.metadata["position"], position.to_string());
        assert_eq!(refused.metadata["min_position"], far.to_string());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn events_after_a_position_beyond_the_end_are_of_another_ledger() {
    let (_server, voice) = Home::new().serve().await;
    voice
        .execute(register_institution(&new_id(), "Skolen"))
        .await;
    let read = read_after(2);
    let follow = FollowEventsRequest {
        after_position: 2,
        filter: None,
    };
    let read = voice.read_events(read).await.unwrap_err();
    let follow = voice.follow(follow).await.err().unwrap();
    for refused in [read, follow] {
        assert_eq!(refused.reason, "POSITION_AHEAD");
        assert_eq!(refused.paths(), ["after_position"]);
        let metadata = ["position", "requested"].map(|key| refused.metadata[key].as_str());
        assert_eq!(metadata, ["1", "2"]);
    }
}
