//! Following what is being recorded.

use std::time::Duration;

use planledger::server::Limits;
use planledger_proto::v1::*;

use crate::support::*;

fn after(position: u64) -> FollowEventsRequest {
    FollowEventsRequest {
        after_position: position,
        filter: None,
    }
}

fn register() -> Command {
    register_institution(&new_id(), "Skolen")
}

fn positions(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.position).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_follower_gets_what_is_recorded_then_a_mark_then_what_is_being_recorded() {
    let (_server, voice) = Home::new().serve().await;
    for _ in 0..3 {
        voice.execute(register()).await;
    }
    let mut follower = voice.follow(after(0)).await.unwrap();
    assert_eq!(positions(&follower.past().await), [1, 2, 3]);
    assert_eq!(follower.resume, 3);
    for position in 4..=6 {
        voice.execute(register()).await;
        assert_eq!(positions(&follower.live(1).await), [position]);
        assert_eq!(follower.resume, position);
    }
    assert_eq!(voice.all_events().await.len(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_follower_of_an_empty_ledger_is_told_at_once_that_there_is_nothing_yet() {
    let (_server, voice) = Home::new().serve().await;
    let mut follower = voice.follow(after(0)).await.unwrap();
    assert_eq!(follower.next().await, Followed::CaughtUp);
    assert_eq!(follower.resume, 0);
    voice.execute(register()).await;
    assert_eq!(positions(&follower.live(1).await), [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_comes_back_with_a_resume_position_gets_exactly_what_was_missed() {
    let home = Home::new();
    let (server, voice) = home.serve().await;
    let mut seen = Vec::new();
    let mut resume = 0;
    for round in 1..=4 {
        let mut follower = voice.follow(after(resume)).await.unwrap();
        seen.extend(follower.past().await);
        for _ in 0..round {
            voice.execute(register()).await;
        }
        seen.extend(follower.live(round).await);
        resume = follower.resume;
        drop(follower);
        // Missed.
        voice.all([register(), register()]).await;
    }
    drop(voice);
    server.stop();
    // Also from the server that comes after this one.
    let (_server, voice) = home.serve().await;
    let mut follower = voice.follow(after(resume)).await.unwrap();
    seen.extend(follower.past().await);
    assert_eq!(seen, voice.all_events().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_follow_get_each_event_once_and_who_leaves_takes_nothing_from_the_others() {
    const EVENTS: usize = 60;
    let (_server, voice) = Home::new().serve().await;
    let mut followers = Vec::new();
    for _ in 0..60 {
        let mut follower = voice.follow(after(0)).await.unwrap();
        assert_eq!(follower.next().await, Followed::CaughtUp);
        followers.push(follower);
    }
    let (leaving, staying) = (followers.split_off(40), followers);
    let reading: Vec<_> = staying
        .into_iter()
        .map(|mut follower| tokio::spawn(async move { follower.live(EVENTS).await }))
        .collect();
    let mut leaving = leaving.into_iter();
    for _ in 0..EVENTS {
        voice.execute(register()).await;
        drop(leaving.next());
    }
    let all = voice.all_events().await;
    assert_eq!(all.len(), EVENTS);
    for reading in reading {
        assert_eq!(reading.await.unwrap(), all);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_filter_holds_for_the_past_and_for_what_comes() {
    let (_server, voice) = Home::new().serve().await;
    let (school, course) = School::with_course(&voice).await;
    let filtered = |filter| FollowEventsRequest {
        filter: Some(filter),
        ..after(0)
    };
    let of_student = events_of_student(&school.student);
    let of_types = EventFilter {
        types: vec!["plan.opened".to_owned()],
        ..EventFilter::default()
    };
    let of_nobody_yet = events_of_student(&new_id());
    let mut student = voice.follow(filtered(of_student)).await.unwrap();
    let mut opened = voice.follow(filtered(of_types)).await.unwrap();
    let newcomer = of_nobody_yet.student_id.clone().unwrap();
    let mut nobody = voice.follow(filtered(of_nobody_yet)).await.unwrap();
    let stream = format!("person/{}", school.student);
    let past = student.past().await;
    assert!(!past.is_empty() && past.iter().all(|event| event.stream == stream));
    assert!(opened.past().await.is_empty());
    assert!(nobody.past().await.is_empty());

    let others = school.plan_of(&voice, &school.classmate, &course).await;
    let own = school.plan(&voice, &course).await;
    let live = student.live(2).await;
    let own = format!("plan/{own}");
    assert!(live.iter().all(|event| event.stream == own));
    let live = opened.live(2).await;
    assert_eq!(live[0].stream, format!("plan/{others}"));
    assert_eq!(live[1].stream, own);
    // Nobody had heard of this student when following began.
    let put = put_person(&newcomer, "Ny", &school.institution, Role::Student);
    voice.execute(put).await;
    let live = nobody.live(2).await;
    let stream = format!("person/{newcomer}");
    assert!(live.iter().all(|event| event.stream == stream));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nothing_is_delivered_that_is_not_on_stable_storage() {
    let (log, server) = Gated::start();
    let voice = server.voice().await;
    let mut follower = voice.follow(after(0)).await.unwrap();
    assert!(follower.past().await.is_empty());
    log.shut();
    let writing = tokio::spawn({
        let voice = voice.clone();
        async move { voice.execute(register()).await }
    });
    log.wait_for_write();
    let mut second = voice.follow(after(0)).await.unwrap();
    assert_eq!(second.next().await, Followed::CaughtUp);
    assert_eq!(second.resume, 0);
    log.let_through();
    assert_eq!(positions(&follower.live(1).await), [1]);
    assert_eq!(positions(&second.live(1).await), [1]);
    writing.await.unwrap();
}

/// More than connection, window and transport hold together.
async fn write_much(voice: &Voice, plan_id: &str) {
    for n in 0..20 {
        let text = |m: usize| format!("{n} {m} {}", "æ".repeat(19_000));
        let write = (0..10).map(|m| write_status(plan_id, &text(m)));
        voice.all(write).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_client_that_stops_reading_holds_up_nobody_and_finds_everything_when_it_goes_on() {
    let (server, voice) = Home::new().serve().await;
    let (_, _, plan_id) = School::with_plan(&voice).await;
    let begin = voice.position().await;
    // On connections of their own: what waits in one stream may not fill another's.
    let mut slow = server.voice().await.follow(after(begin)).await.unwrap();
    assert!(slow.past().await.is_empty());
    let mut quick = server.voice().await.follow(after(begin)).await.unwrap();
    assert!(quick.past().await.is_empty());
    let reading = tokio::spawn(async move { quick.live(200).await });
    write_much(&voice, &plan_id).await;
    let all = reading.await.unwrap();
    let view = voice.plan(&plan_id, Viewer::Staff).await;
    assert!(view.status.unwrap().text.starts_with("19 9 "));
    assert_eq!(slow.live(200).await, all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_server_that_stops_ends_every_stream_and_says_why() {
    let (mut server, voice) = Home::new().serve().await;
    let school = School::found(&voice).await;
    let mut followers = Vec::new();
    for _ in 0..5 {
        let mut follower = voice.follow(after(0)).await.unwrap();
        follower.past().await;
        followers.push(follower);
    }
    let of_student = events_of_student(&school.student);
    let request = FollowEventsRequest {
        filter: Some(of_student),
        ..after(0)
    };
    let mut filtered = voice.follow(request).await.unwrap();
    filtered.past().await;
    followers.push(filtered);
    server.tell_to_stop();
    for mut follower in followers {
        let Followed::Ended(refused) = follower.next().await else {
            panic!("the stream should end")
        };
        assert_eq!(refused.reason, "SHUTTING_DOWN");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_read_that_is_cut_off_by_a_stop_does_not_look_like_all_there_is() {
    let home = Home::new();
    let (mut server, voice) = home.serve().await;
    let (_, _, plan_id) = School::with_plan(&voice).await;
    write_much(&voice, &plan_id).await;
    let mut call = server.voice().await.client.events();
    let answers = call.read_events(ReadEventsRequest::default()).await;
    let mut answers = answers.unwrap().into_inner();
    let first = next(&mut answers).await.unwrap().unwrap();
    server.tell_to_stop();
    let mut resume = first.resume_position;
    let status = loop {
        match next(&mut answers).await {
            Ok(Some(answer)) => resume = answer.resume_position,
            Ok(None) => panic!("it looks like all there is, at {resume}"),
            Err(status) => break status,
        }
    };
    let refused = Refused::new(&status, "planledger.v1.ReadEventsRequest");
    assert_eq!(refused.reason, "SHUTTING_DOWN");
    drop((voice, answers));
    server.stop();
    let server = home.start();
    assert!(resume < server.voice().await.position().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_sign_of_life_comes_when_nothing_is_recorded_for_a_while() {
    let promised = Duration::from_secs(15);
    assert!(Limits::default().heartbeat < promised);
    let home = Home::new();
    let mut setup = Setup::default();
    setup.limits.heartbeat = Duration::from_millis(50);
    let server = setup.start(&home);
    let voice = server.voice().await;
    voice.execute(register()).await;
    let mut follower = voice.follow(after(0)).await.unwrap();
    assert_eq!(follower.past().await.len(), 1);
    for _ in 0..3 {
        assert_eq!(follower.next().await, Followed::Heartbeat);
        assert_eq!(follower.resume, 1);
    }
}
