//! Every read of a plan is on record, and whoever it is about can ask who has read it.

use std::sync::Arc;
use std::time::Duration;

use planledger::server::granted::Granted;
use planledger_core::access_log::AccessLog;
use planledger_core::ledger::Ledger;
use planledger_fixtures::place::Random;
use planledger_proto::v1::*;
use prost::Name;
use tonic::Streaming;

use crate::support::*;

fn list(student: &str) -> ListReadersRequest {
    ListReadersRequest {
        student_id: student.to_owned(),
        ..ListReadersRequest::default()
    }
}

/// Who has read the plans of a student, without the reads of this list itself.
async fn reads(voice: &Voice, student: &str) -> Vec<PlanRead> {
    let page = voice.ask(list(student)).await.unwrap();
    assert_eq!(page.next_page_token, "");
    let itself = PlanReadKind::AccessLog;
    let reads = page.reads.into_iter();
    reads.filter(|read| read.kind() != itself).collect()
}

/// Opens every gate of a plan to the family.
async fn open_to_family(voice: &Voice, plan_id: &str) {
    let share = plan(plan_id, OnPlan::SharePlan(SharePlan {}));
    let show = |audience| set_visibility(plan_id, audience, true);
    let shown = [show(Audience::Student), show(Audience::Guardians)];
    voice.all([share].into_iter().chain(shown)).await;
}

fn named(read: &PlanRead) -> (String, PlanReadKind, Viewer) {
    (read.method.clone(), read.kind(), read.viewer())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_way_to_see_a_plan_is_on_record_with_who_and_through_whose_eyes() {
    let (_server, voice) = Home::new().serve_notarised().await;
    let (school, course, plan_id) = School::with_plan(&voice).await;
    open_to_family(&voice, &plan_id).await;
    let teacher = voice.person(&school.teacher);
    let student = school.student.as_str();
    assert_eq!(reads(&voice, student).await, []);
    let guardians = Viewer::Guardians.into();
    teacher.plan(&plan_id, Viewer::Staff).await;
    teacher
        .plan_at(&plan_id, Viewer::Student, voice.position().await)
        .await;
    let collected = get_collected(student, Viewer::Guardians, None);
    teacher.ask(collected).await.unwrap();
    let compare = DiffPlanRequest {
        plan_id: plan_id.clone(),
        viewer: guardians,
        from: Some(as_of_position(1)),
        ..DiffPlanRequest::default()
    };
    teacher.ask(compare).await.unwrap();
    teacher.history(&plan_id).await;
    let revert = RevertPlanRequest {
        command_id: new_id(),
        plan_id: plan_id.clone(),
        to: Some(as_of_position(voice.position().await)),
        reason: "prøve".to_owned(),
        dry_run: true,
        ..RevertPlanRequest::default()
    };
    teacher.ask(revert).await.unwrap();
    // Neither of these shows what is written in a plan.
    let of_student = list_plans_request::Filter::StudentId(student.to_owned());
    let listing = ListPlansRequest {
        filter: Some(of_student),
        ..ListPlansRequest::default()
    };
    teacher.ask(listing).await.unwrap();
    let year_plan = GetYearPlanRequest {
        year_plan_id: course.year_plan.clone(),
        viewer: guardians,
        min_position: 0,
    };
    teacher.ask(year_plan).await.unwrap();
    teacher.execute(write_status(&plan_id, "Læser")).await;
    let found = reads(&voice, student).await;
    let expected = [
        ("RevertPlan", PlanReadKind::Plan, Viewer::Staff),
        ("GetPlanHistory", PlanReadKind::History, Viewer::Unspecified),
        ("DiffPlan", PlanReadKind::Comparison, Viewer::Guardians),
        (
            "GetCollectedView",
            PlanReadKind::CollectedView,
            Viewer::Guardians,
        ),
        ("GetPlan", PlanReadKind::Plan, Viewer::Student),
        ("GetPlan", PlanReadKind::Plan, Viewer::Staff),
    ];
    let expected = expected.map(|(method, kind, eyes)| (method.to_owned(), kind, eyes));
    assert_eq!(found.iter().map(named).collect::<Vec<_>>(), expected);
    for read in &found {
        assert_eq!(read.actor, Some(actor_person(&school.teacher)));
        assert_eq!(read.actor_name.as_deref(), Some(TEACHER));
        let is_whole = read.kind() == PlanReadKind::CollectedView;
        assert_eq!(read.plan_id.is_none(), is_whole, "{read:?}");
    }
    // The classmate's plans were not read.
    assert_eq!(reads(&voice, &school.classmate).await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_are_on_record_by_student_and_page() {
    let (_server, voice) = Home::new().serve_notarised().await;
    let (school, course, plan_id) = School::with_plan(&voice).await;
    let other = new_id();
    let open = open_plan(&other, &school.classmate, &course.year_plan);
    voice.person(&school.teacher).execute(open).await;
    for n in 0..20 {
        let text = format!("Gang {n}");
        voice.execute(write_status(&plan_id, &text)).await;
    }
    let of_plans = |events: &[Event], plan: &str| {
        let plan = format!("plan/{plan}");
        events.iter().filter(|event| event.stream == plan).count()
    };
    let events = voice.all_events().await;
    let following = FollowEventsRequest {
        after_position: 0,
        filter: Some(events_of_student(&school.classmate)),
    };
    let mut follower = voice.follow(following).await.unwrap();
    let followed = follower.past().await;
    let scope = export_bundle_request::Scope::StudentId(school.student.clone());
    voice.export(bundle_of(scope)).await.unwrap();
    for (student, plan, methods) in [
        (&school.student, &plan_id, ["ExportBundle", "ReadEvents"]),
        (&school.classmate, &other, ["FollowEvents", "ReadEvents"]),
    ] {
        let found = reads(&voice, student).await;
        let by: Vec<_> = found.iter().map(|read| read.method.as_str()).collect();
        assert_eq!(by, methods);
        let there = of_plans(&events, plan);
        assert!(there > 0);
        for read in &found {
            assert_eq!(usize::try_from(read.events).unwrap(), there, "{read:?}");
        }
    }
    assert_eq!(of_plans(&followed, &other), of_plans(&events, &other));
}

/// A record for each few hundred events would make the access log as large as the journal whenever somebody reads
/// everything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_much_is_on_record_in_large_pages() {
    let (_server, voice) = Home::new().serve_notarised().await;
    let (school, _, plan_id) = School::with_plan(&voice).await;
    for batch in 0..9 {
        let text = |n| format!("Gang {batch}, {n}");
        voice
            .all((0..500).map(|n| write_status(&plan_id, &text(n))))
            .await;
    }
    let stream = format!("plan/{plan_id}");
    let of_plan = |events: &[Event]| {
        let events = events.iter().filter(|event| event.stream == stream);
        events.count() as u64
    };
    let shown = |reads: &[PlanRead]| reads.iter().map(|read| u64::from(read.events)).sum::<u64>();
    let events = voice.all_events().await;
    let found = reads(&voice, &school.student).await;
    assert_eq!(shown(&found), of_plan(&events));
    // Pages of 512, 1,024, 2,048 and 4,096 events, if each is read within a quarter of a second, and of 512 at least.
    assert!(found.len() <= events.len() / 500, "{}", found.len());

    // Who asks for some gets a record of those.
    let some = ReadEventsRequest {
        max_count: 1_300,
        ..ReadEventsRequest::default()
    };
    let (some, _) = voice.read_events(some).await.unwrap();
    assert_eq!(some.len(), 1_300);
    let all = reads(&voice, &school.student).await;
    assert_eq!(shown(&all), of_plan(&events) + of_plan(&some));

    // Whoever follows is on record too, and for what comes later as well.
    let mut follower = voice.follow(FollowEventsRequest::default()).await.unwrap();
    assert_eq!(follower.past().await.len(), events.len());
    voice.execute(write_status(&plan_id, "Til sidst")).await;
    follower.live(1).await;
    let all = reads(&voice, &school.student).await;
    assert_eq!(
        shown(&all),
        2 * of_plan(&events) + of_plan(&some) + 1,
        "{all:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_denied_or_not_there_was_not_read() {
    let home = Home::new();
    let (school, plan_id) = {
        let (_server, voice) = home.serve().await;
        let (school, _, plan_id) = School::with_plan(&voice).await;
        (school, plan_id)
    };
    let setup = Setup {
        authorizer: Arc::new(Granted),
        ..Setup::default()
    };
    let server = setup.start(&home);
    let voice = server.voice().await;
    let student = voice.person(&school.student);
    for who in [&school.classmate, &school.guardian] {
        let voice = voice.person(who);
        let refused = voice.try_plan(&plan_id, Viewer::Staff, None).await;
        assert_eq!(refused.unwrap_err().reason, "ACCESS_DENIED");
    }
    assert_eq!(reads(&student, &school.student).await, []);
    // Asking who has read is itself on record.
    let page = student.ask(list(&school.student)).await.unwrap();
    let kinds: Vec<_> = page.reads.iter().map(|read| read.kind()).collect();
    assert_eq!(kinds, [PlanReadKind::AccessLog]);
    assert_eq!(page.reads[0].actor, Some(actor_person(&school.student)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guardians_ask_while_they_have_custody_and_are_told_of_no_other_child() {
    let home = Home::new();
    let (school, plan_id) = {
        let (_server, voice) = home.serve().await;
        let (school, _, plan_id) = School::with_plan(&voice).await;
        open_to_family(&voice, &plan_id).await;
        // In development mode anybody reads anything.
        let readers = [&school.classmate, &school.teacher, &school.student];
        for who in readers {
            voice.person(who).plan(&plan_id, Viewer::Student).await;
        }
        (school, plan_id)
    };
    let setup = Setup {
        authorizer: Arc::new(Granted),
        ..Setup::default()
    };
    let server = setup.start(&home);
    let voice = server.voice().await;
    let guardian = voice.person(&school.guardian);
    let found = reads(&guardian, &school.student).await;
    let told: Vec<_> = found
        .iter()
        .map(|read| (read.actor.clone(), read.actor_name.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            (Some(actor_person(&school.student)), Some(STUDENT)),
            (Some(actor_person(&school.teacher)), Some(TEACHER)),
            (None, None),
        ]
    );
    assert!(
        found
            .iter()
            .all(|read| read.plan_id.as_ref() == Some(&plan_id))
    );
    for who in [&school.classmate, &school.teacher] {
        let refused = voice.person(who).ask(list(&school.student)).await;
        assert_eq!(refused.unwrap_err().reason, "ACCESS_DENIED");
    }
    drop((voice, guardian));
    server.stop();
    let server = home.start();
    let voice = server.voice().await;
    let end = EndGuardianship {
        guardian_id: school.guardian.clone(),
        last_day: planledger::system::today().yesterday().unwrap().to_string(),
    };
    let end = person(&school.student, OnPerson::EndGuardianship(end));
    voice.execute(end).await;
    drop(voice);
    server.stop();
    let setup = Setup {
        authorizer: Arc::new(Granted),
        ..Setup::default()
    };
    let server = setup.start(&home);
    let guardian = server.voice().await.person(&school.guardian);
    let refused = guardian.ask(list(&school.student)).await.unwrap_err();
    assert_eq!(refused.reason, "ACCESS_DENIED");
}

/// The files are copied while the server runs: what is not in them would not survive its end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_strict_way_no_answer_comes_before_its_record() {
    let home = Home::new();
    let setup = Setup {
        reads: Some(Strict(true)),
        ..Setup::default()
    };
    let server = setup.start(&home);
    let voice = server.voice().await;
    let (_, _, plan_id) = School::with_plan(&voice).await;
    for n in 1..=5 {
        voice.plan(&plan_id, Viewer::Staff).await;
        let copied = home.copied();
        let ledger = Ledger::open(copied.options()).unwrap();
        let log = AccessLog::open(ledger, copied.path(), Arc::new(Random)).unwrap();
        assert_eq!(log.position().get(), n);
    }
}

/// Several pages are found and opened at once, and each waits for its own record.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_strict_way_no_event_comes_before_its_page_is_on_record() {
    let (log, _server, voice, plan_id) = Gated::with_reads(true).await;
    for batch in 0..6 {
        let text = |n| format!("Gang {batch}, {n}");
        voice
            .all((0..500).map(|n| write_status(&plan_id, &text(n))))
            .await;
    }
    log.shut();
    let begun = voice.begin_reading(ReadEventsRequest::default()).await;
    let mut answers = begun.unwrap();
    log.wait_for_write();
    let mut arrived = Vec::new();
    assert!(arrives(&mut answers, &mut arrived).await.is_ok());
    assert!(arrived.is_empty(), "nothing is on record");

    log.let_one_through();
    for _ in 0..100 {
        assert!(arrives(&mut answers, &mut arrived).await.is_ok());
        if !arrived.is_empty() {
            break;
        }
    }
    log.wait_for_write();
    assert!(arrives(&mut answers, &mut arrived).await.is_ok());
    // The first page has 512 events. A part of it waits, because what it is sent with is not on record.
    let first = arrived.len();
    assert!((1..=512).contains(&first), "{first}");

    log.fail();
    let mut ended = Ok(());
    for _ in 0..100 {
        ended = arrives(&mut answers, &mut arrived).await;
        if ended.is_err() {
            break;
        }
    }
    assert_eq!(ended.unwrap_err().reason, "ACCESS_LOG_FAILED");
    assert_eq!(arrived, (1..=first as u64).collect::<Vec<_>>());
}

/// Takes the events that arrive within a third of a second.
async fn arrives(
    answers: &mut Streaming<ReadEventsResponse>,
    arrived: &mut Vec<u64>,
) -> Result<(), Refused> {
    let soon = tokio::time::sleep(Duration::from_millis(300));
    tokio::pin!(soon);
    loop {
        let answer = tokio::select! {
            answer = answers.message() => answer,
            () = &mut soon => return Ok(()),
        };
        let answer =
            answer.map_err(|status| Refused::new(&status, &ReadEventsRequest::full_name()))?;
        let answer = answer.expect("the stream ended before everything was sent");
        arrived.extend(answer.events.iter().map(|event| event.position));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_and_spans_of_time_hold_across_a_restart() {
    let home = Home::new();
    let server = home.start();
    let voice = server.voice().await;
    let (school, _, plan_id) = School::with_plan(&voice).await;
    for _ in 0..5 {
        voice.plan(&plan_id, Viewer::Staff).await;
    }
    let whole = voice.ask(list(&school.student)).await.unwrap().reads;
    assert_eq!(whole.len(), 5);
    let mut request = ListReadersRequest {
        page_size: 2,
        until: whole[0].read_at,
        ..list(&school.student)
    };
    let first = voice.ask(request.clone()).await.unwrap();
    assert_eq!(first.reads, whole[1..3]);
    drop(voice);
    server.stop();
    let (_server, voice) = home.serve().await;
    request.page_token = first.next_page_token;
    let second = voice.ask(request.clone()).await.unwrap();
    assert_eq!(second.reads, whole[3..5]);
    request.until = None;
    let refused = voice.ask(request).await.unwrap_err();
    assert_eq!(refused.reason, "PAGE_TOKEN_MISMATCH");
    let missing = voice.ask(list(&new_id())).await.unwrap_err();
    assert_eq!(missing.reason, "PERSON_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_says_who_has_read() {
    let (server, voice) = Home::new().serve().await;
    let (school, _, plan_id) = School::with_plan(&voice).await;
    let teacher = voice.person(&school.teacher);
    teacher.plan(&plan_id, Viewer::Staff).await;
    let url = server.url.clone();
    let student = school.student.clone();
    let today = planledger::system::today().to_string();
    let tell = |more: Vec<String>| {
        let words = ["access", "log", "--server", &url, "--student", &student];
        let words = words
            .map(str::to_owned)
            .into_iter()
            .chain(more)
            .collect::<Vec<_>>();
        async move {
            tokio::task::spawn_blocking(move || run(words))
                .await
                .unwrap()
        }
    };
    let told = tell(vec![
        "--since".to_owned(),
        today.clone(),
        "--until".to_owned(),
        today,
    ])
    .await;
    assert_eq!(told.code, Some(0), "{told:?}");
    for word in [TEACHER, "GetPlan", "staff", plan_id.as_str()] {
        assert!(told.stdout.contains(word), "{word}: {told:?}");
    }
    let before = ["--until".to_owned(), "2020-01-01".to_owned()];
    let told = tell(before.to_vec()).await;
    assert!(!told.stdout.contains("GetPlan"), "{told:?}");
    let told = tell(vec!["--json".to_owned()]).await;
    let json: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    assert!(json["reads"].as_array().unwrap().len() >= 3, "{json}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_an_access_log_says_so() {
    let home = Home::new();
    let setup = Setup {
        reads: None,
        ..Setup::default()
    };
    let server = setup.start(&home);
    let voice = server.voice().await;
    let school = School::found(&voice).await;
    let refused = voice.ask(list(&school.student)).await.unwrap_err();
    assert_eq!(refused.reason, "ACCESS_LOG_DISABLED");
}
