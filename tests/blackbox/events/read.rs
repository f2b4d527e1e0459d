//! Reading what is recorded.

use planledger_proto::v1::*;

use crate::support::*;

/// A school with two plans, and everything that was recorded of it.
async fn recorded(voice: &Voice) -> (School, [String; 2], Vec<Event>) {
    let (school, course) = School::with_course(voice).await;
    let own = school.plan(voice, &course).await;
    let other = school.plan_of(voice, &school.classmate, &course).await;
    let write = [(&own, "Først"), (&other, "Anden"), (&own, "Siden")];
    let write = write.map(|(plan, text)| write_status(plan, text));
    voice.all(write).await;
    let events = voice.all_events().await;
    (school, [own, other], events)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn events_come_in_order_without_gaps_and_from_any_position_on() {
    let (_server, voice) = Home::new().serve().await;
    let (_, _, all) = recorded(&voice).await;
    let positions = all.iter().map(|event| event.position);
    assert!(positions.eq(1..=voice.position().await));
    for position in 0..=all.len() {
        let (rest, resume) = voice
            .read_events(read_after(position as u64))
            .await
            .unwrap();
        assert_eq!(rest, all[position..]);
        assert_eq!(resume, all.len() as u64);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_read_of_some_goes_on_where_it_stopped_until_all_are_read() {
    let (_server, voice) = Home::new().serve().await;
    let (_, _, all) = recorded(&voice).await;
    for count in [1, 7] {
        let (mut read, mut position) = (Vec::new(), 0);
        loop {
            let request = ReadEventsRequest {
                max_count: count,
                ..read_after(position)
            };
            let (some, resume) = voice.read_events(request).await.unwrap();
            if some.is_empty() {
                break;
            }
            assert!(some.len() as u64 <= count);
            read.extend(some);
            position = resume;
        }
        assert_eq!(read, all);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_filter_lets_through_exactly_what_it_names() {
    let (_server, voice) = Home::new().serve().await;
    let (school, [own, other], all) = recorded(&voice).await;
    let stream = |plan: &String| format!("plan/{plan}");
    let student = format!("person/{}", school.student);
    let streams = |streams: &[String]| EventFilter {
        streams: streams.to_vec(),
        ..EventFilter::default()
    };
    let types = |types: &[&str]| EventFilter {
        types: types.iter().map(|name| (*name).to_owned()).collect(),
        ..EventFilter::default()
    };
    let of_student = events_of_student(&school.student);
    let everything = EventFilter {
        streams: vec![stream(&own), stream(&other), student.clone()],
        types: vec!["plan.status_written".to_owned()],
        student_id: Some(school.student.clone()),
    };
    let nothing = events_of_student(&new_id());
    type Wanted<'w> = Box<dyn Fn(&Event) -> bool + 'w>;
    let cases: Vec<(EventFilter, Wanted<'_>)> = vec![
        (EventFilter::default(), Box::new(|_| true)),
        (
            streams(&[stream(&own), student.clone()]),
            Box::new(|event| event.stream == stream(&own) || event.stream == student),
        ),
        (
            types(&["plan.status_written", "team.created"]),
            Box::new(|event| ["plan.status_written", "team.created"].contains(&&*event.r#type)),
        ),
        // The person's own stream, and all of the student's plans; nobody else's.
        (
            of_student,
            Box::new(|event| event.stream == stream(&own) || event.stream == student),
        ),
        (
            everything,
            Box::new(|event| event.stream == stream(&own) && event.r#type == "plan.status_written"),
        ),
        (nothing, Box::new(|_| false)),
    ];
    for (filter, wanted) in cases {
        let request = ReadEventsRequest {
            filter: Some(filter.clone()),
            ..read_after(0)
        };
        let (events, resume) = voice.read_events(request).await.unwrap();
        let expected: Vec<_> = all.iter().filter(|event| wanted(event)).cloned().collect();
        assert_eq!(events, expected, "{filter:?}");
        // What did not match was read past all the same.
        assert_eq!(resume, all.len() as u64);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn many_events_come_in_many_answers_and_none_is_lost_between_them() {
    let (_server, voice) = Home::new().serve().await;
    let commands: Vec<_> = (0..2_000)
        .map(|n| register_institution(&new_id(), &format!("Skole {n}")))
        .collect();
    voice.stream(commands).await;
    let positions = |events: &[Event]| events.iter().map(|e| e.position).collect::<Vec<_>>();
    let all = voice.all_events().await;
    assert_eq!(positions(&all), Vec::from_iter(1..=2_000));
    let request = ReadEventsRequest {
        max_count: 1_300,
        ..read_after(5)
    };
    let (some, resume) = voice.read_events(request).await.unwrap();
    assert_eq!(positions(&some), Vec::from_iter(6..=1_305));
    assert_eq!(resume, 1_305);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_event_is_the_same_whenever_it_is_read_also_after_a_restart() {
    let home = Home::new();
    let (server, voice) = home.serve().await;
    let (_, _, all) = recorded(&voice).await;
    drop(voice);
    server.stop();
    let (_server, voice) = home.serve().await;
    assert_eq!(voice.all_events().await, all);
}
