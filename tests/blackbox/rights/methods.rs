//! One row for each method: who may, who may not, and that a refusal does not tell whether the thing
//! exists.

use std::collections::BTreeSet;

use planledger_proto::v1::*;
use tonic::{Code, Status};

use super::World;
use crate::support::*;

/// The methods that answer with a stream, each of which has a test of its own here.
const STREAMS: [&str; 9] = [
    "execute_stream",
    "preview_stream",
    "read_events",
    "follow_events",
    "list_roster_members",
    "list_roster_links",
    "run_recovery",
    "undo_recovery",
    "export_bundle",
];

struct Rows<'w> {
    voice: Voice,
    world: &'w World,
    seen: BTreeSet<&'static str>,
    /// What is not as the rows say, all of it.
    wrong: Vec<String>,
}

/// Everything that a caller sees of a refusal. The details name ids and numbers in any order, so only
/// their length is taken as it is.
fn seen(status: &Status) -> (Refused, usize) {
    let message = <ExecuteRequest as prost::Name>::full_name();
    let refused = Refused {
        whole: String::new(),
        ..Refused::new(status, &message)
    };
    (refused, status.details().len())
}

impl Rows<'_> {
    /// Those who may get no `ACCESS_DENIED`. Those who may not get one, and the same for what is not
    /// there.
    async fn row<Q: Ask>(
        &mut self,
        name: &'static str,
        [there, missing]: [Q; 2],
        may: &[&String],
        may_not: &[&String],
    ) {
        assert!(self.seen.insert(name), "{name} has two rows");
        for who in may {
            let answer = self.voice.person(who).ask(there.clone()).await;
            let refused = answer.err().map(|refused| refused.reason);
            if refused.as_deref() == Some("ACCESS_DENIED") {
                self.wrong.push(format!("{name}: {who} may not"));
            }
        }
        let nobody = self.voice.actor(&format!("system/{}", new_id()));
        let stranger = self.voice.person(&new_id());
        let others = may_not.iter().map(|who| self.voice.person(who));
        for voice in others.chain([nobody, stranger]) {
            let known = there.clone().send(&voice.client).await.map(drop);
            let absent = missing.clone().send(&voice.client).await.map(drop);
            match (known, absent) {
                (Err(known), Err(absent)) if known.code() == Code::PermissionDenied => {
                    if seen(&known) != seen(&absent) {
                        self.wrong.push(format!("{name} tells what exists"));
                    }
                }
                (known, _) => self.wrong.push(format!("{name}: not denied, {known:?}")),
            }
        }
    }
}

/// A request twice: about a thing that is there, and about one that is not.
fn both<Q>(there: &str, request: impl Fn(String) -> Q) -> [Q; 2] {
    [request(there.to_owned()), request(new_id())]
}

/// A request that names nothing.
fn same<Q: Clone>(request: Q) -> [Q; 2] {
    [request.clone(), request]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_method_has_a_row_and_a_refusal_tells_nothing() {
    let world = World::found().await;
    let server = world.serve();
    let voice = server.voice().await;
    let mut rows = Rows {
        voice,
        world: &world,
        seen: BTreeSet::new(),
        wrong: Vec::new(),
    };
    plans(&mut rows).await;
    roster(&mut rows).await;
    catalogues_and_counts(&mut rows).await;
    ownership(&mut rows).await;
    evidence(&mut rows).await;
    rights(&mut rows).await;
    commands(&mut rows).await;
    assert_eq!(rows.wrong, Vec::<String>::new());
    let rows = rows.seen.into_iter().chain(STREAMS);
    let rows: BTreeSet<_> = rows.map(str::to_owned).collect();
    let all: BTreeSet<_> = methods().into_iter().collect();
    assert_eq!(rows, all);
}

async fn plans(rows: &mut Rows<'_>) {
    let world = rows.world;
    let (here, there) = (&world.here.school, &world.there.school);
    let plan = &world.here.plan;
    let may = [&here.pedagogue, &here.teacher, &here.leader, &world.auditor];
    let may_not = [
        &here.guardian,
        &here.classmate,
        &there.teacher,
        &there.leader,
        &world.administrator,
    ];
    let staff = Viewer::Staff.into();
    let request = both(plan, |plan_id| GetPlanRequest {
        plan_id,
        viewer: staff,
        ..GetPlanRequest::default()
    });
    rows.row("get_plan", request, &may, &may_not).await;
    let request = both(&here.student, |student_id| ListPlansRequest {
        filter: Some(list_plans_request::Filter::StudentId(student_id)),
        ..ListPlansRequest::default()
    });
    // Who owns a plan and teaches nobody sees that plan, and not everything of the student.
    let teach = [&here.pedagogue, &here.leader, &world.auditor];
    rows.row("list_plans", request, &teach, &may_not).await;
    let request = both(plan, |plan_id| GetPlanHistoryRequest {
        plan_id,
        ..GetPlanHistoryRequest::default()
    });
    rows.row("get_plan_history", request, &may, &may_not).await;
    let request = both(&here.student, |id| get_collected(&id, Viewer::Staff, None));
    rows.row("get_collected_view", request, &teach, &may_not)
        .await;
    let request = both(plan, |plan_id| DiffPlanRequest {
        plan_id,
        viewer: staff,
        from: Some(as_of_position(1)),
        ..DiffPlanRequest::default()
    });
    rows.row("diff_plan", request, &may, &may_not).await;
}

async fn roster(rows: &mut Rows<'_>) {
    let world = rows.world;
    let (here, there) = (&world.here.school, &world.there.school);
    let (administrator, auditor) = (&world.administrator, &world.auditor);
    let request = both(&here.institution, |institution_id| GetInstitutionRequest {
        institution_id,
        ..GetInstitutionRequest::default()
    });
    let staff = [&there.teacher, &here.leader, administrator];
    rows.row(
        "get_institution",
        request,
        &staff,
        &[&here.guardian, &here.student],
    )
    .await;
    let everybody = [&here.guardian, &here.student, &there.teacher, auditor];
    let request = same(ListInstitutionsRequest::default());
    rows.row("list_institutions", request, &everybody, &[])
        .await;
    let request = both(&here.school_year, |school_year_id| GetSchoolYearRequest {
        school_year_id,
        ..GetSchoolYearRequest::default()
    });
    rows.row("get_school_year", request, &staff, &[&here.guardian])
        .await;
    let request = same(ListSchoolYearsRequest::default());
    rows.row("list_school_years", request, &staff, &[&here.guardian])
        .await;
    let may = [&here.pedagogue, &here.leader, administrator, auditor];
    let may_not = [&there.teacher, &there.leader, &here.classmate];
    let request = both(&here.student, |person_id| GetPersonRequest {
        person_id,
        ..GetPersonRequest::default()
    });
    rows.row("get_person", request, &may, &may_not).await;
    let request = both(&here.institution, |institution_id| ListPersonsRequest {
        institution_id,
        ..ListPersonsRequest::default()
    });
    rows.row("list_persons", request, &may, &[&here.guardian])
        .await;
    let request = both(&here.team, |team_id| GetTeamRequest {
        team_id,
        ..GetTeamRequest::default()
    });
    rows.row("get_team", request, &may, &may_not).await;
    let request = both(&here.institution, |id| ListTeamsRequest {
        filter: Some(list_teams_request::Filter::InstitutionId(id)),
        ..ListTeamsRequest::default()
    });
    rows.row("list_teams", request, &may, &[&here.guardian])
        .await;
    let request = both(&world.here.course.year_plan, |id| GetYearPlanRequest {
        year_plan_id: id,
        viewer: Viewer::Staff.into(),
        min_position: 0,
    });
    let may_not = [&there.teacher, &here.guardian, &here.student];
    rows.row(
        "get_year_plan",
        request,
        &[&here.teacher, auditor],
        &may_not,
    )
    .await;
    let request = both(&here.team, |id| ListYearPlansRequest {
        filter: Some(list_year_plans_request::Filter::TeamId(id)),
        ..ListYearPlansRequest::default()
    });
    rows.row("list_year_plans", request, &may, &may_not).await;
    let request = same(LookupPersonRequest {
        id: "ta".to_owned(),
        ..LookupPersonRequest::default()
    });
    rows.row("lookup_person", request, &everybody, &[]).await;
    let request = same(ListRosterSourcesRequest::default());
    let may_not = [&here.teacher, &here.leader, &here.guardian];
    rows.row(
        "list_roster_sources",
        request,
        &[administrator, auditor],
        &may_not,
    )
    .await;
}

async fn catalogues_and_counts(rows: &mut Rows<'_>) {
    let world = rows.world;
    let (here, there) = (&world.here.school, &world.there.school);
    let everybody = [&here.guardian, &here.student, &there.teacher];
    let [catalogue_id, item_id] = [new_id(), new_id()];
    let request = same(GetCatalogueRequest {
        catalogue_id: catalogue_id.clone(),
        min_position: 0,
    });
    rows.row("get_catalogue", request, &everybody, &[]).await;
    let request = same(ListCataloguesRequest::default());
    rows.row("list_catalogues", request, &everybody, &[]).await;
    let request = same(GetCatalogueItemRequest {
        catalogue_id: catalogue_id.clone(),
        item_id,
        min_position: 0,
    });
    rows.row("get_catalogue_item", request, &everybody, &[])
        .await;
    let request = same(ListCatalogueItemsRequest {
        catalogue_id: catalogue_id.clone(),
        ..ListCatalogueItemsRequest::default()
    });
    rows.row("list_catalogue_items", request, &everybody, &[])
        .await;
    let request = same(ListCatalogueScalesRequest {
        catalogue_id: catalogue_id.clone(),
        ..ListCatalogueScalesRequest::default()
    });
    rows.row("list_catalogue_scales", request, &everybody, &[])
        .await;
    let request = both(&here.institution, |institution_id| {
        ListCatalogueGoalsRequest {
            catalogue_id: catalogue_id.clone(),
            institution_id,
            ..ListCatalogueGoalsRequest::default()
        }
    });
    rows.row(
        "list_catalogue_goals",
        request,
        &[&there.teacher],
        &[&here.guardian],
    )
    .await;
    let request = both(&here.institution, |id| GetOverviewRequest {
        institution_ids: vec![id],
        ..GetOverviewRequest::default()
    });
    let may = [&here.leader, &world.auditor];
    rows.row(
        "get_overview",
        request,
        &may,
        &[&here.teacher, &there.leader],
    )
    .await;
    let may = [&here.leader, &here.teacher, &world.auditor];
    let may_not = [&there.teacher, &here.guardian];
    let request = both(&here.institution, |id| GetSurveyOverviewRequest {
        institution_ids: vec![id],
        ..GetSurveyOverviewRequest::default()
    });
    rows.row("get_survey_overview", request, &may, &may_not)
        .await;
    let request = both(&here.institution, |id| ListSurveyDiscussionsRequest {
        institution_ids: vec![id],
        ..ListSurveyDiscussionsRequest::default()
    });
    rows.row("list_survey_discussions", request, &may, &may_not)
        .await;
}

async fn ownership(rows: &mut Rows<'_>) {
    let world = rows.world;
    let (here, there) = (&world.here.school, &world.there.school);
    let may = [&here.leader, &world.administrator, &world.auditor];
    let may_not = [&here.pedagogue, &there.leader, &here.guardian];
    let request = both(&here.teacher, |person_id| ListOwnedRequest {
        person_id,
        ..ListOwnedRequest::default()
    });
    rows.row(
        "list_owned",
        request,
        &[&may[..], &[&here.teacher]].concat(),
        &may_not,
    )
    .await;
    let request = both(&here.institution, |institution_id| ListOwnerlessRequest {
        institution_id,
        ..ListOwnerlessRequest::default()
    });
    rows.row("list_ownerless", request, &may, &may_not).await;
    let request = both(&here.institution, |institution_id| ListSuggestionsRequest {
        institution_id,
        ..ListSuggestionsRequest::default()
    });
    rows.row("list_suggestions", request, &may, &may_not).await;
    let request = both(&here.team, |id| ListSuccessorsRequest {
        stream: format!("team/{id}"),
        ..ListSuccessorsRequest::default()
    });
    rows.row("list_successors", request, &may, &may_not).await;
    let request = both(&here.team, |id| PreviewDeletionRequest {
        stream: format!("team/{id}"),
        ..PreviewDeletionRequest::default()
    });
    rows.row("preview_deletion", request, &may, &may_not).await;
    let request = both(&here.team, |id| ProposeRecoveryRequest {
        wish: Some(bring_back(&id)),
        ..ProposeRecoveryRequest::default()
    });
    rows.row("propose_recovery", request, &may, &may_not).await;
    let request = both(&world.recovery, |recovery_id| GetRecoveryRequest {
        recovery_id,
        ..GetRecoveryRequest::default()
    });
    rows.row("get_recovery", request, &may, &may_not).await;
    let request = same(ListRecoveriesRequest::default());
    rows.row(
        "list_recoveries",
        request,
        &[&here.guardian, &here.leader],
        &[],
    )
    .await;
}

async fn evidence(rows: &mut Rows<'_>) {
    let world = rows.world;
    let here = &world.here.school;
    let everybody = [&here.guardian, &here.teacher, &world.auditor];
    let request = same(GetStatusRequest::default());
    let may = [&world.administrator, &world.auditor];
    rows.row(
        "get_status",
        request,
        &may,
        &[&here.teacher, &here.guardian],
    )
    .await;
    let request = same(GetCheckpointRequest {
        create: true,
        min_size: 0,
    });
    let may_not = [&here.leader, &world.auditor];
    rows.row("get_checkpoint", request, &[&world.administrator], &may_not)
        .await;
    let request = same(GetVerifierKeysRequest::default());
    rows.row("get_verifier_keys", request, &everybody, &[])
        .await;
    let request = same(ListCheckpointsRequest::default());
    rows.row("list_checkpoints", request, &everybody, &[]).await;
    let request = same(inclusion(1, 0));
    rows.row("get_inclusion_proof", request, &everybody, &[])
        .await;
    let request = same(consistency(1, 0));
    rows.row("get_consistency_proof", request, &everybody, &[])
        .await;
}

async fn rights(rows: &mut Rows<'_>) {
    let world = rows.world;
    let here = &world.here.school;
    let may = [&world.administrator, &world.auditor];
    let may_not = [&here.leader, &here.teacher, &here.guardian];
    let request = same(ListGrantsRequest::default());
    rows.row("list_grants", request, &may, &may_not).await;
    let request = same(GetSystemRequest {
        system_id: new_id(),
        ..GetSystemRequest::default()
    });
    rows.row("get_system", request, &may, &may_not).await;
    let request = same(ListSystemsRequest::default());
    rows.row("list_systems", request, &may, &may_not).await;
    let request = both(&here.teacher, |id| ExplainAccessRequest {
        actor: Some(planledger_proto::v1::Actor {
            actor: Some(actor::Actor::PersonId(id)),
        }),
        about: Some(AccessThing {
            thing: Some(access_thing::Thing::Municipality(Municipality {})),
        }),
        action: "read_status".to_owned(),
        ..ExplainAccessRequest::default()
    });
    let others = [&here.pedagogue, &here.guardian];
    rows.row("explain_access", request, &may, &others).await;
    let request = same(ReviewAccessRequest::default());
    rows.row("review_access", request, &may, &may_not).await;
    let request = both(&here.student, |student_id| ListReadersRequest {
        student_id,
        ..ListReadersRequest::default()
    });
    let may = [&here.student, &here.guardian, &world.auditor];
    let may_not = [
        &here.classmate,
        &here.teacher,
        &here.leader,
        &world.there.school.guardian,
        &world.administrator,
    ];
    rows.row("list_readers", request, &may, &may_not).await;
}

async fn commands(rows: &mut Rows<'_>) {
    let world = rows.world;
    let (here, there) = (&world.here.school, &world.there.school);
    let plan = &world.here.plan;
    let may = [&here.pedagogue, &here.teacher];
    let may_not = [
        &here.guardian,
        &here.student,
        &there.teacher,
        &world.auditor,
        &world.administrator,
    ];
    let request = both(plan, |id| ExecuteRequest {
        command: Some(write_status(&id, "Læser")),
    });
    rows.row("execute", request, &may, &may_not).await;
    let mut request = both(plan, |id| ExecuteBatchRequest {
        commands: vec![write_status(&id, "Læser")],
    });
    // What a refusal says of a batch is which of its commands it was.
    let id = request[0].commands[0].command_id.clone();
    request[1].commands[0].command_id = id;
    for who in may {
        // Each is a command of its own.
        request[0].commands[0].command_id = new_id();
        let answer = rows.voice.person(who).ask(request[0].clone()).await;
        answer.unwrap();
    }
    request[0].commands[0].command_id = request[1].commands[0].command_id.clone();
    rows.row("execute_batch", request, &[], &may_not).await;
    let request = both(plan, |plan_id| RevertPlanRequest {
        command_id: new_id(),
        plan_id,
        to: Some(as_of_position(1)),
        reason: "fejl".to_owned(),
        ..RevertPlanRequest::default()
    });
    // The auditor sees the plan, and is told first that there was none at that moment.
    let may_not = [&here.guardian, &here.student, &there.teacher];
    rows.row("revert_plan", request, &may, &may_not).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_of_answers_are_refused_the_same_way() {
    let world = World::found().await;
    let server = world.serve();
    let voice = server.voice().await;
    let (here, there) = (&world.here.school, &world.there.school);
    let (stranger, leader) = (voice.person(&there.leader), voice.person(&here.leader));
    let wish = |id: &str| bring_back(id);
    let digest = "0".repeat(32);
    let refused = |refused: Refused| (refused.reason, refused.message, refused.metadata);

    let known = stranger.run(&new_id(), wish(&here.team), &digest).await;
    let absent = stranger.run(&new_id(), wish(&new_id()), &digest).await;
    let known = refused(known.unwrap_err());
    assert_eq!(known.0, "ACCESS_DENIED");
    assert_eq!(known, refused(absent.unwrap_err()));
    let may = leader.run(&new_id(), wish(&here.team), &digest).await;
    assert_ne!(may.unwrap_err().reason, "ACCESS_DENIED");

    let known = stranger.undo(&world.recovery).await;
    let absent = stranger.undo(&new_id()).await;
    let known = refused(known.unwrap_err());
    assert_eq!(known.0, "ACCESS_DENIED");
    assert_eq!(known, refused(absent.unwrap_err()));
    leader.undo(&world.recovery).await.unwrap();

    let scope = export_bundle_request::Scope::PlanId;
    let known = stranger
        .export(bundle_of(scope(world.here.plan.clone())))
        .await;
    let absent = stranger.export(bundle_of(scope(new_id()))).await;
    let known = refused(known.unwrap_err());
    assert_eq!(known.0, "ACCESS_DENIED");
    assert_eq!(known, refused(absent.unwrap_err()));
    let auditor = voice.person(&world.auditor);
    auditor
        .export(bundle_of(scope(world.here.plan.clone())))
        .await
        .unwrap();

    let of_student = |id: &str| ReadEventsRequest {
        filter: Some(events_of_student(id)),
        ..ReadEventsRequest::default()
    };
    for voice in [&stranger, &voice.person(&here.guardian)] {
        let known = voice.read_events(of_student(&here.student)).await;
        let absent = voice.read_events(of_student(&new_id())).await;
        let known = refused(known.unwrap_err());
        assert_eq!(known.0, "ACCESS_DENIED");
        assert_eq!(known, refused(absent.unwrap_err()));
        let all = voice.read_events(ReadEventsRequest::default()).await;
        assert_eq!(refused(all.unwrap_err()), known);
        let follow = FollowEventsRequest {
            filter: Some(events_of_student(&here.student)),
            ..FollowEventsRequest::default()
        };
        let follow = voice.follow(follow).await;
        assert_eq!(refused(follow.err().unwrap()), known);
    }
    let pedagogue = voice.person(&here.pedagogue);
    pedagogue
        .read_events(of_student(&here.student))
        .await
        .unwrap();
    let all = pedagogue.read_events(ReadEventsRequest::default()).await;
    assert_eq!(all.unwrap_err().reason, "ACCESS_DENIED");
    auditor
        .read_events(ReadEventsRequest::default())
        .await
        .unwrap();

    let outcomes = stranger
        .stream([
            write_status(&world.here.plan, "x"),
            write_status(&new_id(), "x"),
        ])
        .await;
    let outcomes: Vec<_> = outcomes.into_iter().map(denied).collect();
    assert_eq!(outcomes[0], outcomes[1]);
    assert_eq!(outcomes[0].reason, "ACCESS_DENIED");

    let mut roster = stranger.client.roster();
    let request = ListRosterMembersRequest {
        source: "skolen".to_owned(),
        min_position: 0,
    };
    let status = roster.list_roster_members(request).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    let request = ListRosterLinksRequest {
        source: "skolen".to_owned(),
        streams: vec![format!("team/{}", here.team)],
        min_position: 0,
    };
    let status = roster.list_roster_links(request).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);

    let asked = [
        PreviewStreamRequest {
            command: Some(write_status(&world.here.plan, "x")),
            suggestions: false,
        },
        PreviewStreamRequest {
            command: Some(write_status(&new_id(), "x")),
            suggestions: false,
        },
        PreviewStreamRequest {
            command: None,
            suggestions: true,
        },
    ];
    let mut commands = stranger.client.commands();
    let answers = commands.preview_stream(tokio_stream::iter(asked)).await;
    let mut answers = answers.unwrap().into_inner();
    for _ in 0..3 {
        let answer = next(&mut answers).await.unwrap().unwrap();
        let Some(preview_stream_response::Outcome::Error(error)) = answer.outcome else {
            panic!("it is not denied")
        };
        assert_eq!(command_error(error).reason, "ACCESS_DENIED");
    }
}

fn denied(answer: ExecuteStreamResponse) -> Refused {
    match answer.outcome.unwrap() {
        execute_stream_response::Outcome::Error(error) => command_error(error),
        execute_stream_response::Outcome::Receipt(receipt) => panic!("{receipt:?}"),
    }
}
