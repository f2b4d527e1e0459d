//! Lists hold what the caller may see, page by page, and their tokens give nothing away.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use planledger_proto::v1::*;

use super::World;
use crate::support::*;

async fn persons(voice: &Voice, institution: &str, page_size: i32) -> (Vec<String>, Vec<String>) {
    let (mut ids, mut tokens) = (Vec::new(), Vec::new());
    let mut request = ListPersonsRequest {
        institution_id: institution.to_owned(),
        page_size,
        ..ListPersonsRequest::default()
    };
    loop {
        let page = voice.ask(request.clone()).await.unwrap();
        assert!(page.persons.len() <= usize::try_from(page_size).unwrap());
        ids.extend(page.persons.into_iter().map(|person| person.person_id));
        if page.next_page_token.is_empty() {
            return (ids, tokens);
        }
        tokens.push(page.next_page_token.clone());
        request.page_token = page.next_page_token;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_holds_whom_the_caller_may_see_however_many_are_between_them() {
    let world = World::found().await;
    let server = world.home.start();
    let voice = server.voice().await;
    let (here, there) = (&world.here.school, &world.there.school);
    let hidden: Vec<_> = (0..2_500).map(|_| new_id()).collect();
    let mut shared = BTreeSet::new();
    for part in hidden.chunks(500) {
        let put = part
            .iter()
            .map(|id| put_person(id, "Skjult", &here.institution, Role::Student));
        voice.all(put).await;
        let id = new_id();
        let at_both = [&here.institution, &there.institution].map(|institution| Affiliation {
            institution_id: institution.clone(),
            role: Role::Student.into(),
            grade: None,
        });
        let put = PutPerson {
            name: "Delt".to_owned(),
            affiliations: at_both.to_vec(),
            departed: false,
            record: None,
        };
        voice.execute(person(&id, OnPerson::PutPerson(put))).await;
        shared.insert(id);
    }
    drop(voice);
    server.stop();

    let server = world.serve();
    let voice = server.voice().await;
    let stranger = voice.person(&there.teacher);
    for page_size in [1, 3, 100] {
        let (ids, tokens) = persons(&stranger, &here.institution, page_size).await;
        let expected: Vec<_> = shared.iter().cloned().collect();
        assert_eq!(ids, expected, "in order, each once");
        assert!(!tokens.is_empty(), "a page looks at so many only");
        for token in tokens {
            let bytes = URL_SAFE_NO_PAD.decode(token).unwrap();
            for id in &hidden {
                let id: uuid::Uuid = id.parse().unwrap();
                let held = bytes.windows(16).any(|part| part == id.as_bytes());
                assert!(!held, "a token holds the id of somebody hidden");
            }
        }
    }
    let (all, _) = persons(&voice.person(&here.teacher), &here.institution, 1_000).await;
    assert_eq!(all.len(), 6 + hidden.len() + shared.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_of_everything_hold_what_the_caller_may_see() {
    let world = World::found().await;
    let server = world.serve();
    let voice = server.voice().await;
    let (here, there) = (&world.here.school, &world.there.school);

    let owned = |by: &String| ListPlansRequest {
        filter: Some(list_plans_request::Filter::OwnerId(by.clone())),
        ..ListPlansRequest::default()
    };
    for (who, expected) in [
        (&here.teacher, vec![world.here.plan.clone()]),
        (&here.leader, vec![world.here.plan.clone()]),
        (&there.teacher, vec![]),
        (&here.guardian, vec![]),
    ] {
        let page = voice.person(who).ask(owned(&here.teacher)).await.unwrap();
        let ids: Vec<_> = page.plans.into_iter().map(|plan| plan.plan_id).collect();
        assert_eq!(ids, expected);
    }

    for (who, expected) in [(&here.leader, 2), (&there.leader, 0), (&here.guardian, 0)] {
        let request = ListRecoveriesRequest::default();
        let page = voice.person(who).ask(request).await.unwrap();
        assert_eq!(page.recoveries.len(), expected);
    }

    // An overview of everything is one of what the caller may see.
    let overview = |who: &String| {
        let request = GetOverviewRequest {
            by: OverviewBy::Institution.into(),
            ..GetOverviewRequest::default()
        };
        let voice = voice.person(who);
        async move { voice.ask(request).await }
    };
    let rows = overview(&here.leader).await.unwrap().rows;
    let rows: Vec<_> = rows
        .into_iter()
        .filter_map(|row| row.institution_id)
        .collect();
    assert_eq!(rows, std::slice::from_ref(&here.institution));
    assert!(overview(&here.guardian).await.unwrap().rows.is_empty());
    let survey = GetSurveyOverviewRequest::default();
    let rows = voice.person(&there.teacher).ask(survey).await.unwrap().rows;
    let rows: Vec<_> = rows
        .into_iter()
        .filter_map(|row| row.institution_id)
        .collect();
    assert_eq!(rows, std::slice::from_ref(&there.institution));

    // A person at both schools, and who of the children is shown.
    let request = |id: &String| GetPersonRequest {
        person_id: id.clone(),
        ..GetPersonRequest::default()
    };
    let guardian = voice
        .person(&here.leader)
        .ask(request(&here.guardian))
        .await;
    assert_eq!(guardian.unwrap().children.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_acted_and_when_is_shown_beside_a_proof_to_those_who_may_see_it() {
    let world = World::found().await;
    let server = world.serve();
    let voice = server.voice().await;
    let create = GetCheckpointRequest {
        create: true,
        min_size: 0,
    };
    voice
        .person(&world.administrator)
        .ask(create)
        .await
        .unwrap();
    let history = voice.person(&world.auditor).history(&world.here.plan).await;
    let position = history[0].position;
    let proof = |who: &String| {
        let voice = voice.person(who);
        async move { voice.ask(inclusion(position, 0)).await.unwrap() }
    };
    let shown = proof(&world.here.school.pedagogue).await;
    assert_eq!(shown.entry.len(), 230);
    let hidden = proof(&world.there.school.teacher).await;
    assert!(hidden.entry.is_empty());
    assert_eq!(hidden.leaf_hash, shown.leaf_hash);
    assert_eq!(hidden.hashes, shown.hashes);
    let entry: planledger_core::entry::EntryBytes = shown.entry.try_into().unwrap();
    assert_eq!(
        planledger_core::entry::leaf(&entry).to_vec(),
        shown.leaf_hash
    );
}
