//! Following up the national wellbeing survey, over a socket and on the command line.

use planledger::system::today;
use planledger_proto::v1::*;

use crate::support::*;

fn counted(row: &SurveyRow) -> Vec<u64> {
    row.forums.iter().map(|count| count.discussions).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn discussions_are_counted_by_forum_and_institutions_without_any_are_named() {
    let (_server, voice) = Home::new().serve().await;
    let (school, _) = School::with_course(&voice).await;
    let other = new_id();
    voice
        .execute(register_institution(&other, "Engskolen"))
        .await;
    let teacher = voice.person(&school.teacher);
    let (board, class) = (new_id(), new_id());
    let details = |forum| survey_details(&school.school_year, forum);
    let alone = SurveyDetails {
        students_through: StudentsThrough::Unspecified.into(),
        ..details(SurveyForum::SchoolBoard)
    };
    let at = &school.institution;
    teacher.execute(record_discussion(at, &board, alone)).await;
    let in_class = details(SurveyForum::Class);
    teacher
        .execute(record_discussion(at, &class, in_class.clone()))
        .await;

    let asked = GetSurveyOverviewRequest {
        school_year_id: Some(school.school_year.clone()),
        ..GetSurveyOverviewRequest::default()
    };
    let found = teacher.ask(asked.clone()).await.unwrap();
    assert_eq!(found.rows.len(), 2);
    assert_eq!(counted(found.total.as_ref().unwrap()), [1, 0, 0, 1, 0]);
    let forums = &found.total.as_ref().unwrap().forums;
    assert_eq!((forums[0].with_students, forums[3].with_students), (0, 1));
    let without: Vec<_> = found
        .without
        .iter()
        .map(|row| row.institution_name())
        .collect();
    assert_eq!(without, ["Engskolen"]);

    let yesterday = GetSurveyOverviewRequest {
        as_of: Some(today().yesterday().unwrap().to_string()),
        ..asked.clone()
    };
    let refused = teacher.ask(yesterday).await.unwrap_err();
    // Nothing was there yesterday, not even the school year.
    assert_eq!(refused.reason, "SCHOOL_YEAR_NOT_FOUND");

    let list = ListSurveyDiscussionsRequest {
        institution_ids: vec![school.institution.clone()],
        page_size: 1,
        ..ListSurveyDiscussionsRequest::default()
    };
    let first = teacher.ask(list.clone()).await.unwrap();
    let second = ListSurveyDiscussionsRequest {
        page_token: first.next_page_token,
        ..list
    };
    let second = teacher.ask(second).await.unwrap();
    let mut ids = [&first.discussions[0], &second.discussions[0]]
        .map(|found| found.survey_discussion_id.clone());
    ids.sort();
    let mut expected = [board.clone(), class.clone()];
    expected.sort();
    assert_eq!(ids, expected);
    assert_eq!(second.next_page_token, "");

    // Closing the school loses nothing, and takes nobody off the list of those without any.
    let close = CloseInstitution { reason: None };
    voice
        .execute(institution(at, OnInstitution::CloseInstitution(close)))
        .await;
    let withdraw = WithdrawSurveyDiscussion {
        survey_discussion_id: board,
        reason: Some("Et andet møde".to_owned()),
    };
    let withdraw = OnInstitution::WithdrawSurveyDiscussion(withdraw);
    teacher.execute(institution(at, withdraw)).await;
    let found = teacher.ask(asked).await.unwrap();
    assert_eq!(counted(found.total.as_ref().unwrap()), [0, 0, 0, 1, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_school_year_of_another_source_with_the_same_days_is_the_same_school_year() {
    let (_server, voice) = Home::new().serve().await;
    let (school, _) = School::with_course(&voice).await;
    let other = School::found(&voice).await;
    let closed = new_id();
    voice
        .execute(register_institution(&closed, "Engskolen"))
        .await;
    let close = CloseInstitution { reason: None };
    voice
        .execute(institution(&closed, OnInstitution::CloseInstitution(close)))
        .await;
    for at in [&school, &other] {
        let details = survey_details(&at.school_year, SurveyForum::Class);
        let record = record_discussion(&at.institution, &new_id(), details);
        voice.person(&at.teacher).execute(record).await;
    }
    for year in [Some(&school.school_year), Some(&other.school_year), None] {
        let asked = GetSurveyOverviewRequest {
            school_year_id: year.cloned(),
            ..GetSurveyOverviewRequest::default()
        };
        let found = voice.ask(asked).await.unwrap();
        assert_eq!(counted(found.total.as_ref().unwrap()), [0, 0, 0, 2, 0]);
        // Nobody expects a closed institution to discuss it.
        assert!(found.without.is_empty(), "{:?}", found.without);
        assert_eq!(found.rows.len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_command_line_records_lists_shows_and_counts_discussions() {
    let (server, voice) = Home::new().serve().await;
    let (school, _) = School::with_course(&voice).await;
    let teacher = format!("person/{}", school.teacher);
    let (day, id) = (today().to_string(), new_id());
    let survey = |args: &[&str]| {
        let remote = ["--server", &server.url, "--as", &teacher];
        run([&["survey"][..], args, &remote[..]].concat())
    };
    let year = school.school_year.as_str();
    let what = |forum| {
        let details = ["--school-year", year, "--forum", forum, "--on", &day];
        [&details[..], &["--agreed", "Mere ro i timerne"][..]].concat()
    };
    let record = ["record", &school.institution, "--id", &id];
    let students = ["--students-through", "chosen-students"];
    survey(&[&record[..], &what("student-council")[..], &students[..]].concat()).done();
    let correct = ["correct", &school.institution, &id, "--reason", "Klassen"];
    survey(&[&correct[..], &what("class")[..], &students[..]].concat()).done();

    let table = survey(&["overview", "--school-year", year]).done();
    assert!(table.stdout.contains("Ådalens Skole"), "{}", table.stdout);
    let json = survey(&["overview", "--school-year", year, "--json"])
        .done()
        .json();
    let total = &json["total"]["forums"][3];
    assert_eq!(total["discussions"], "1");
    assert_eq!(total["withStudents"], "1");
    let list = survey(&["list"]).done();
    assert!(list.stdout.contains(&id), "{}", list.stdout);
    let shown = survey(&["show", &id]).done();
    for words in ["Mere ro i timerne", "class", "corrected"] {
        assert!(shown.stdout.contains(words), "{}", shown.stdout);
    }
    survey(&["withdraw", &school.institution, &id]).done();
    let list = survey(&["list"]).done();
    assert!(!list.stdout.contains(&id), "{}", list.stdout);
    let list = survey(&["list", "--withdrawn"]).done();
    assert!(list.stdout.contains(&id), "{}", list.stdout);
    let none = survey(&["overview", "--school-year", year]).done();
    let line = "without any discussion: Ådalens Skole";
    assert!(none.stdout.contains(line), "{}", none.stdout);
}
