//! The leader's overview, over a socket and on the command line.

use planledger::system::today;
use planledger_proto::v1::overview_count::Count;
use planledger_proto::v1::*;

use crate::support::*;

fn asked(school: &School) -> GetOverviewRequest {
    GetOverviewRequest {
        school_year_id: Some(school.school_year.clone()),
        as_of: Some(today().to_string()),
        ..GetOverviewRequest::default()
    }
}

fn rules(subjects: &[&str]) -> DueRules {
    DueRules {
        title: "Regler".to_owned(),
        source: "Prøven".to_owned(),
        description: None,
        rules: vec![DueRule {
            title: "Synlig plan".to_owned(),
            grades: Vec::new(),
            subjects: subjects
                .iter()
                .map(|subject| (*subject).to_owned())
                .collect(),
            requires: DueRequirement::Visible.into(),
            due_from_day: 1,
        }],
    }
}

fn exact(count: &Option<OverviewCount>) -> u64 {
    match count.unwrap().count.unwrap() {
        Count::Exact(count) => count,
        masked => panic!("{masked:?}"),
    }
}

/// Students, with a plan, visible, evaluated, with a talk.
fn counts(row: &OverviewRow) -> [u64; 5] {
    [
        &row.students,
        &row.with_plan,
        &row.visible_to_guardians,
        &row.evaluated,
        &row.with_talk,
    ]
    .map(exact)
}

/// A plan that is shared, visible to guardians and evaluated, with a talk held; of one of the two
/// students of a school.
async fn a_plan_of_one_of_two(voice: &Voice) -> School {
    let (school, course, plan_id) = School::with_plan(voice).await;
    let teacher = voice.person(&school.teacher);
    let goal = &course.subject_goal;
    let details = TalkDetails {
        kind: TalkKind::SchoolHomeTalk.into(),
        held_on: today().to_string(),
        notes: "Læser mere hjemme".to_owned(),
        held_by_ids: Vec::new(),
    };
    let record = RecordTalk {
        talk_id: new_id(),
        details: Some(details),
    };
    teacher
        .all([
            course.evaluate(&plan_id, &new_id(), goal, assessment(2, "Sikker")),
            plan(&plan_id, OnPlan::RecordTalk(record)),
            plan(&plan_id, OnPlan::SharePlan(SharePlan {})),
            set_visibility(&plan_id, Audience::Guardians, true),
        ])
        .await;
    // What hangs on the plan counts whatever becomes of its year plan.
    teacher.execute(course.delete()).await;
    school
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn students_are_counted_by_institution_grade_and_team_and_no_student_is_named() {
    let (_server, voice) = Home::new().serve().await;
    let before = voice.ask(GetOverviewRequest::default()).await.unwrap_err();
    assert_eq!(before.reason, "SCHOOL_YEAR_NOT_FOUND");
    let school = a_plan_of_one_of_two(&voice).await;
    let leader = voice.person(&school.leader);
    for by in [OverviewBy::Institution, OverviewBy::Grade, OverviewBy::Team] {
        let request = GetOverviewRequest {
            by: by.into(),
            untouched_months: 1,
            due_rules: Some(rules(&["Dansk", "Matematik"])),
            ..asked(&school)
        };
        let found = leader.ask(request).await.unwrap();
        assert_eq!(found.school_year_title, "2026/27");
        assert_eq!(found.rows.len(), 1, "{by:?}");
        for row in [&found.rows[0], found.total.as_ref().unwrap()] {
            assert_eq!(counts(row), [2, 1, 1, 1, 1]);
            assert_eq!((exact(&row.plans), exact(&row.untouched)), (1, 0));
            let talks: Vec<_> = row.talks.iter().map(|talks| exact(&talks.count)).collect();
            assert_eq!(talks, [0, 0, 0, 1]);
            let missing: Vec<_> = row.due.iter().map(|due| exact(&due.missing)).collect();
            assert_eq!(missing, [1, 2]);
        }
        let whole = format!("{found:?}");
        assert!(!whole.contains(&school.student) && !whole.contains(STUDENT));
        let row = &found.rows[0];
        match by {
            OverviewBy::Grade => assert_eq!(row.grade.as_deref(), Some("7")),
            OverviewBy::Team => assert_eq!(row.team_title.as_deref(), Some("7.b dansk")),
            _ => assert_eq!(row.institution_name.as_deref(), Some("Ådalens Skole")),
        }
    }
    let yesterday = today().yesterday().unwrap().to_string();
    let request = GetOverviewRequest {
        as_of: Some(yesterday),
        ..asked(&school)
    };
    let found = leader.ask(request).await.unwrap();
    assert_eq!(counts(&found.rows[0]), [0; 5]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn small_counts_are_masked_by_the_server() {
    let (_server, voice) = Home::new().serve().await;
    let school = a_plan_of_one_of_two(&voice).await;
    let request = GetOverviewRequest {
        mask_below: 3,
        due_rules: Some(rules(&["Dansk"])),
        ..asked(&school)
    };
    let found = voice.ask(request).await.unwrap();
    for row in [&found.rows[0], found.total.as_ref().unwrap()] {
        let below = Some(Count::Below(3));
        assert_eq!(row.students.unwrap().count, below);
        assert_eq!(row.with_plan.unwrap().count, below);
        assert_eq!(row.plans.unwrap().count, below);
        assert_eq!(row.due[0].due.unwrap().count, below);
        assert_eq!(row.due[0].missing.unwrap().count, below);
        assert_eq!(exact(&row.talks[0].count), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn pages_are_of_one_table_and_tokens_of_one_question() {
    let (_server, voice) = Home::new().serve().await;
    let school = School::found(&voice).await;
    for name in ["Bakkeskolen", "Dalskolen"] {
        voice.execute(register_institution(&new_id(), name)).await;
    }
    let mut request = GetOverviewRequest {
        page_size: 2,
        ..asked(&school)
    };
    let first = voice.ask(request.clone()).await.unwrap();
    assert_eq!(first.rows.len(), 2);
    request.page_token = first.next_page_token;
    let second = voice.ask(request.clone()).await.unwrap();
    assert_eq!(
        (second.rows.len(), second.next_page_token.as_str()),
        (1, "")
    );
    assert_eq!(first.total, second.total);
    let mut ids: Vec<_> = first.rows.iter().chain(&second.rows).collect();
    ids.dedup_by_key(|row| row.institution_id.clone());
    assert_eq!(ids.len(), 3);
    request.by = OverviewBy::Team.into();
    let refused = voice.ask(request).await.unwrap_err();
    assert_eq!(refused.reason, "PAGE_TOKEN_MISMATCH");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_field_at_fault_is_named() {
    let (_server, voice) = Home::new().serve().await;
    let school = School::found(&voice).await;
    let mut due = rules(&["Dansk", "Dansk"]);
    due.rules[0].requires = 0;
    let mut other = due.rules[0].clone();
    other.title = String::new();
    other.due_from_day = 400;
    due.rules.push(other);
    let request = GetOverviewRequest {
        institution_ids: vec!["x".to_owned()],
        by: 9,
        as_of: Some("25/11".to_owned()),
        untouched_months: 121,
        mask_below: 2,
        due_rules: Some(due),
        page_size: -1,
        ..asked(&school)
    };
    let refused = voice.ask(request).await.unwrap_err();
    assert_eq!(refused.reason, "REQUEST_INVALID");
    let expected = [
        "institution_ids[0]",
        "by",
        "as_of",
        "untouched_months",
        "mask_below",
        "due_rules.rules[0].subjects[1]",
        "due_rules.rules[0].requires",
        "due_rules.rules[1].title",
        "due_rules.rules[1].subjects[1]",
        "due_rules.rules[1].requires",
        "page_size",
    ];
    assert_eq!(refused.paths(), expected);
    let mut twice = rules(&[]);
    twice.rules.push(twice.rules[0].clone());
    twice.rules[1].due_from_day = 400;
    let request = GetOverviewRequest {
        due_rules: Some(twice),
        ..asked(&school)
    };
    let refused = voice.ask(request).await.unwrap_err();
    let expected = [
        "due_rules.rules[1].title",
        "due_rules.rules[1].due_from_day",
    ];
    assert_eq!(refused.paths(), expected);
    let ahead = GetOverviewRequest {
        as_of: Some("2400-01-01".to_owned()),
        ..asked(&school)
    };
    assert_eq!(voice.ask(ahead).await.unwrap_err().reason, "INSTANT_AHEAD");
    let unknown = GetOverviewRequest {
        institution_ids: vec![school.institution.clone(), new_id()],
        ..asked(&school)
    };
    let refused = voice.ask(unknown).await.unwrap_err();
    assert_eq!(refused.reason, "INSTITUTION_NOT_FOUND");
    assert_eq!(refused.paths(), ["institution_ids[1]"]);
    let unknown = GetOverviewRequest {
        school_year_id: Some(new_id()),
        ..asked(&school)
    };
    let refused = voice.ask(unknown).await.unwrap_err();
    assert_eq!(refused.reason, "SCHOOL_YEAR_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_command_line_shows_shares_and_what_is_missing() {
    let home = Home::new();
    let (server, voice) = home.serve().await;
    let school = a_plan_of_one_of_two(&voice).await;
    let (day, year) = (today().to_string(), school.school_year.as_str());
    let ask = |more: &[&str]| {
        let fixed = ["overview", "--server", &server.url, "--as-of", &day];
        run([&fixed, &["--school-year", year][..], more].concat())
    };
    let table = ask(&["--untouched", "2"]).done();
    for words in [
        "Ådalens Skole",
        "#####.....  50 % (1)",
        "untouched",
        "total",
    ] {
        assert!(table.stdout.contains(words), "{words}: {}", table.stdout);
    }
    assert!(!table.stdout.contains(STUDENT));
    let rules = samples().join("due-rules-meddelelsesbog.json");
    let rules = rules.to_str().unwrap();
    let json = ask(&["--by", "team", "--due", rules, "--json"])
        .done()
        .json();
    assert_eq!(json["rows"][0]["students"]["exact"], "2");
    assert_eq!(json["dueFrom"].as_array().unwrap().len(), 2);
    let masked = ask(&["--by", "grade", "--mask-below", "5"]).done();
    assert!(masked.stdout.contains("<5") && !masked.stdout.contains('%'));

    let faulty = home.path().join("rules.json");
    std::fs::write(&faulty, r#"{"title": "a", "source": "b", "rules": []}"#).unwrap();
    let ran = ask(&["--due", faulty.to_str().unwrap()]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("rules has no rule"), "{}", ran.stderr);
    assert_eq!(ask(&["--mask-below", "2"]).code, Some(2));
    let ran = ask(&["--institution", &new_id()]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.contains("INSTITUTION_NOT_FOUND"),
        "{}",
        ran.stderr
    );
}
