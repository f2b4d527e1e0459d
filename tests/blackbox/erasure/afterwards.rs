//! What lists say once somebody is erased: the id where others name it, and nothing of the person.

use planledger_proto::v1::overview_count::Count;
use planledger_proto::v1::*;

use super::carried_out;
use crate::support::*;

/// Erases the student, whom a roster has brought with an id of its own.
async fn erased_school(voice: &Voice) -> School {
    let (school, _, _) = School::with_plan(voice).await;
    let affiliation = Affiliation {
        institution_id: school.institution.clone(),
        role: Role::Student.into(),
        grade: None,
    };
    let record = RosterRecord {
        source: "Kommune A".to_owned(),
        sourced_id: "e1".to_owned(),
        user_ids: vec![RosterUserId {
            kind: None,
            id: "aase0001".to_owned(),
        }],
        enabled: true,
        ..RosterRecord::default()
    };
    let put = PutPerson {
        name: STUDENT.to_owned(),
        affiliations: vec![affiliation],
        departed: false,
        record: Some(record),
    };
    let put = person(&school.student, OnPerson::PutPerson(put));
    voice.execute(put).await;
    for id in ["e1", "aase0001"] {
        let found = lookup(voice, id).await;
        assert_eq!(found, std::slice::from_ref(&school.student), "{id}");
    }
    let (one, other) = (voice.person(&school.teacher), voice.person(&school.leader));
    one.execute(request_erasure(erasure_of(&school.student)))
        .await;
    let approve = approve_erasure(erasure_of(&school.student));
    let receipt = other.execute(approve).await;
    carried_out(voice, &receipt).await;
    school
}

async fn lookup(voice: &Voice, id: &str) -> Vec<String> {
    let request = LookupPersonRequest {
        id: id.to_owned(),
        ..LookupPersonRequest::default()
    };
    let found = voice.ask(request).await.unwrap().persons.into_iter();
    found.map(|person| person.person_id).collect()
}

async fn says_nothing_of_the_student(voice: &Voice, school: &School) {
    for id in ["e1", "aase0001"] {
        assert_eq!(lookup(voice, id).await, Vec::<String>::new(), "{id}");
    }
    let request = ListPersonsRequest {
        institution_id: school.institution.clone(),
        ..ListPersonsRequest::default()
    };
    let people = voice.ask(request).await.unwrap().persons;
    assert_eq!(people.len(), 5);
    assert!(people.iter().all(|one| one.person_id != school.student));
    // Whoever was in the team stays so, by id.
    let request = GetTeamRequest {
        team_id: school.team.clone(),
        ..GetTeamRequest::default()
    };
    let team = voice.ask(request).await.unwrap().team.unwrap();
    assert!(team.member_ids.contains(&school.student));
    let request = ListTeamsRequest {
        filter: Some(list_teams_request::Filter::PersonId(school.student.clone())),
        ..ListTeamsRequest::default()
    };
    assert_eq!(voice.ask(request).await.unwrap().teams.len(), 1);
    let request = ListPlansRequest {
        filter: Some(list_plans_request::Filter::StudentId(
            school.student.clone(),
        )),
        ..ListPlansRequest::default()
    };
    assert_eq!(voice.ask(request).await.unwrap().plans, []);
    let request = get_collected(&school.student, Viewer::Staff, None);
    let refused = voice.ask(request).await.unwrap_err();
    assert_eq!(refused.reason, "PERSON_ERASED");
    let request = GetOverviewRequest {
        school_year_id: Some(school.school_year.clone()),
        ..GetOverviewRequest::default()
    };
    let total = voice.ask(request).await.unwrap().total.unwrap();
    let count = |count: Option<OverviewCount>| count.unwrap().count.unwrap();
    // The classmate is there still.
    assert_eq!(count(total.students), Count::Exact(1));
    assert_eq!(count(total.plans), Count::Exact(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn lists_lookups_and_counts_hold_nothing_of_somebody_who_is_erased() {
    let home = Home::new();
    let server = home.start();
    let voice = server.voice().await;
    let school = erased_school(&voice).await;
    says_nothing_of_the_student(&voice, &school).await;
    drop(voice);
    server.stop();
    let server = home.start();
    says_nothing_of_the_student(&server.voice().await, &school).await;
}
