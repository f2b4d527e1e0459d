//! Methods that answer with a stream.

use planledger_proto::v1::*;
use tonic::Code;

use crate::rights::World;
use crate::support::*;

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
