//! Who acts, and what they may do, is asked first, everywhere (P7).

use std::sync::Arc;

use planledger::server::auth::{Access, Authorizer, Caller};
use planledger_core::domain::Command as Asked;
use planledger_core::domain::view::Viewer as Eyes;
use planledger_core::ledger::{ReadError, Reading};
use planledger_proto::v1::command_service_client::CommandServiceClient;
use planledger_proto::v1::event_service_client::EventServiceClient;
use planledger_proto::v1::ledger_service_client::LedgerServiceClient;
use planledger_proto::v1::*;
use tonic::Status;

use crate::support::*;

/// May do and read nothing.
#[allow(clippy::unnecessary_wraps, reason = "others have to read the state")]
fn nothing(_: &Reading<'_>, _: &Caller, _: &Access<'_>) -> Result<bool, ReadError> {
    Ok(false)
}

/// May read plans and year plans with an audience's eyes, and register institutions.
#[allow(clippy::unnecessary_wraps, reason = "others have to read the state")]
fn little(_: &Reading<'_>, _: &Caller, access: &Access<'_>) -> Result<bool, ReadError> {
    Ok(match access {
        Access::ReadPlan { viewer, .. } | Access::ReadYearPlan { viewer, .. } => {
            *viewer != Eyes::Staff
        }
        Access::Execute { envelope, .. } => matches!(envelope.command, Asked::Institution(..)),
        Access::ReadStatus => true,
        _ => false,
    })
}

fn started(home: &Home, authorizer: Arc<dyn Authorizer>) -> Running {
    let setup = Setup {
        authorizer,
        ..Setup::default()
    };
    setup.start(home)
}

fn reason(status: &Status) -> String {
    // No field is at fault, so it does not matter in which message.
    let refused = Refused::new(status, "planledger.v1.Command");
    assert!(refused.fields.is_empty());
    refused.reason
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_does_not_say_who_acts_is_turned_away() {
    let server = Home::new().start();
    let channel = server.channel().await;
    let mut ledger = LedgerServiceClient::new(channel.clone());
    let status = ledger.get_status(GetStatusRequest::default()).await;
    assert_eq!(reason(&status.unwrap_err()), "ACTOR_MISSING");
    let mut commands = CommandServiceClient::new(channel.clone());
    let stream = commands.execute_stream(tokio_stream::empty()).await;
    assert_eq!(reason(&stream.unwrap_err()), "ACTOR_MISSING");
    let stream = commands.preview_stream(tokio_stream::empty()).await;
    assert_eq!(reason(&stream.unwrap_err()), "ACTOR_MISSING");
    let mut events = EventServiceClient::new(channel);
    let stream = events.follow_events(FollowEventsRequest::default()).await;
    assert_eq!(reason(&stream.unwrap_err()), "ACTOR_MISSING");
    let stream = events.read_events(ReadEventsRequest::default()).await;
    assert_eq!(reason(&stream.unwrap_err()), "ACTOR_MISSING");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_says_it_wrongly_is_turned_away_by_every_method_before_the_request_is_looked_at() {
    let (_server, voice) = Home::new().serve().await;
    for actor in ["nobody", "person/010203-1234", "leader/1", ""] {
        let wrong = voice.actor(actor);
        for (name, call) in METHODS {
            let status = call(wrong.client.clone()).await.unwrap_err();
            assert_eq!(reason(&status), "ACTOR_INVALID", "{name}");
            assert!(!format!("{status:?}").contains("010203"));
        }
        let refused = wrong.follow(FollowEventsRequest::default()).await;
        assert_eq!(refused.err().unwrap().reason, "ACTOR_INVALID");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_may_nothing_is_denied_by_every_method_even_what_is_not_there() {
    let home = Home::new();
    let setup = Setup {
        authorizer: permitting(nothing),
        ..Setup::notarised()
    };
    let server = setup.start(&home);
    let voice = server.voice().await;
    let eyes = Viewer::Staff.into();
    let mut denied = 0;
    macro_rules! denied {
        ($($request:ident { $($field:ident: $value:expr),* };)*) => {$(
            #[allow(clippy::needless_update, reason = "some requests have no other fields")]
            let request = $request { $($field: $value,)* ..$request::default() };
            let refused = voice.ask(request).await.unwrap_err();
            assert_eq!(refused.reason, "ACCESS_DENIED", stringify!($request));
            denied += 1;
        )*};
    }
    let command = || register_institution(&new_id(), "Skolen");
    let position_1 = Some(as_of_position(1));
    denied! {
        ExecuteRequest { command: Some(command()) };
        ExecuteBatchRequest { commands: vec![command()] };
        RevertPlanRequest {
            command_id: new_id(),
            plan_id: new_id(),
            to: position_1,
            reason: "fejl".to_owned()
        };
        GetPlanRequest { plan_id: new_id(), viewer: eyes };
        ListPlansRequest { filter: Some(list_plans_request::Filter::OwnerId(new_id())) };
        GetPlanHistoryRequest { plan_id: new_id() };
        GetCollectedViewRequest { student_id: new_id(), viewer: eyes };
        DiffPlanRequest { plan_id: new_id(), viewer: eyes, from: position_1 };
        GetInstitutionRequest { institution_id: new_id() };
        ListInstitutionsRequest {};
        GetSchoolYearRequest { school_year_id: new_id() };
        ListSchoolYearsRequest {};
        GetPersonRequest { person_id: new_id() };
        ListPersonsRequest { institution_id: new_id() };
        GetTeamRequest { team_id: new_id() };
        ListTeamsRequest { filter: Some(list_teams_request::Filter::OwnerId(new_id())) };
        GetYearPlanRequest { year_plan_id: new_id(), viewer: eyes };
        ListYearPlansRequest { filter: Some(list_year_plans_request::Filter::OwnerId(new_id())) };
        LookupPersonRequest { id: "ta".to_owned() };
        ListRosterSourcesRequest {};
        GetCatalogueRequest { catalogue_id: new_id() };
        ListCataloguesRequest {};
        GetCatalogueItemRequest { catalogue_id: new_id(), item_id: new_id() };
        ListCatalogueItemsRequest { catalogue_id: new_id() };
        ListCatalogueScalesRequest { catalogue_id: new_id() };
        ListCatalogueGoalsRequest { catalogue_id: new_id(), institution_id: new_id() };
        GetOverviewRequest {};
        GetSurveyOverviewRequest {};
        ListSurveyDiscussionsRequest {};
        ListOwnedRequest { person_id: new_id() };
        ListOwnerlessRequest { institution_id: new_id() };
        ListSuggestionsRequest { institution_id: new_id() };
        ListSuccessorsRequest { stream: format!("team/{}", new_id()) };
        PreviewDeletionRequest { stream: format!("team/{}", new_id()) };
        ProposeRecoveryRequest { wish: Some(bring_back(&new_id())) };
        GetRecoveryRequest { recovery_id: new_id() };
        ListRecoveriesRequest {};
        GetStatusRequest {};
        ListGrantsRequest {};
        GetSystemRequest { system_id: new_id() };
        ListSystemsRequest {};
        ListErasuresRequest {};
        ListDueErasuresRequest { classes: vec![retention_class("Planer", "5y")] };
        ExplainAccessRequest {
            actor: Some(actor_person(&new_id())),
            action: "write_plan".to_owned(),
            about: Some(AccessThing {
                thing: Some(access_thing::Thing::PlanId(new_id()))
            })
        };
        ReviewAccessRequest {};
        ListReadersRequest { student_id: new_id() };
        GetVerifierKeysRequest {};
        GetCheckpointRequest { create: true };
        ListCheckpointsRequest {};
        GetInclusionProofRequest { position: 1 };
        GetConsistencyProofRequest { from_size: 1 };
    }
    assert_eq!(denied, METHODS.len());
    let digest = "0".repeat(32);
    let refused = voice.run(&new_id(), bring_back(&new_id()), &digest).await;
    assert_eq!(refused.unwrap_err().reason, "ACCESS_DENIED");
    let refused = voice.undo(&new_id()).await;
    assert_eq!(refused.unwrap_err().reason, "ACCESS_DENIED");
    let scope = export_bundle_request::Scope::PlanId(new_id());
    let refused = voice.export(bundle_of(scope)).await;
    assert_eq!(refused.unwrap_err().reason, "ACCESS_DENIED");
    let refused = voice.read_events(ReadEventsRequest::default()).await;
    assert_eq!(refused.unwrap_err().reason, "ACCESS_DENIED");
    let refused = voice.follow(FollowEventsRequest::default()).await;
    assert_eq!(refused.err().unwrap().reason, "ACCESS_DENIED");
    // A checkpoint that was asked for would have been recorded.
    drop((voice, server));
    let open = home.start();
    assert_eq!(open.voice().await.position().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_right_covers_what_it_names_and_no_more() {
    let home = Home::new();
    let open = home.start();
    let voice = open.voice().await;
    let (school, course, plan_id) = School::with_plan(&voice).await;
    let share = plan(&plan_id, OnPlan::SharePlan(SharePlan {}));
    let visible = set_visibility(&plan_id, Audience::Guardians, true);
    voice.all([share, visible]).await;
    drop(voice);
    open.stop();

    let server = started(&home, permitting(little));
    let voice = server.voice().await;
    voice.plan(&plan_id, Viewer::Guardians).await;
    let denied = voice.try_plan(&plan_id, Viewer::Staff, None).await;
    assert_eq!(denied.unwrap_err().reason, "ACCESS_DENIED");
    let request = GetPlanHistoryRequest {
        plan_id: plan_id.clone(),
        ..GetPlanHistoryRequest::default()
    };
    let denied = voice.ask(request).await;
    assert_eq!(denied.unwrap_err().reason, "ACCESS_DENIED");
    // To read a year plan with an audience's eyes is no right to read the roster, which holds reasons.
    let year_plan = |viewer: Viewer| GetYearPlanRequest {
        year_plan_id: course.year_plan.clone(),
        viewer: viewer.into(),
        min_position: 0,
    };
    voice.ask(year_plan(Viewer::Student)).await.unwrap();
    let denied = voice.ask(year_plan(Viewer::Staff)).await;
    assert_eq!(denied.unwrap_err().reason, "ACCESS_DENIED");
    let request = GetTeamRequest {
        team_id: school.team.clone(),
        ..GetTeamRequest::default()
    };
    let denied = voice.ask(request).await;
    assert_eq!(denied.unwrap_err().reason, "ACCESS_DENIED");

    let position = voice.position().await;
    let register = || register_institution(&new_id(), "Skolen");
    let write = || write_status(&plan_id, "Læser");
    let denied = voice.try_all(vec![register(), write()]).await;
    let denied = denied.unwrap_err();
    assert_eq!(denied.reason, "ACCESS_DENIED");
    assert_eq!(denied.metadata["command_index"], "1");
    assert_eq!(voice.position().await, position);
    let outcomes = voice.stream([register(), write(), register()]).await;
    let outcomes = outcomes.into_iter().map(|answer| answer.outcome.unwrap());
    let denied: Vec<_> = outcomes
        .filter_map(|outcome| match outcome {
            execute_stream_response::Outcome::Error(error) => Some(command_error(error).reason),
            execute_stream_response::Outcome::Receipt(_) => None,
        })
        .collect();
    assert_eq!(denied, ["ACCESS_DENIED"]);
    assert_eq!(voice.position().await, position + 2);

    // Whoever may not have it executed may not ask what it would do, and whoever may not read who may
    // have left may not ask who would look so.
    let command = PreviewStreamRequest {
        command: Some(write()),
        suggestions: false,
    };
    let suggestions = PreviewStreamRequest {
        command: None,
        suggestions: true,
    };
    for request in [command, suggestions] {
        let mut commands = voice.client.commands();
        let answers = commands.preview_stream(tokio_stream::iter([request])).await;
        let answer = answers.unwrap().into_inner().message().await.unwrap();
        let Some(preview_stream_response::Outcome::Error(error)) = answer.unwrap().outcome else {
            panic!("it is not denied")
        };
        assert_eq!(command_error(error).reason, "ACCESS_DENIED");
    }
}
