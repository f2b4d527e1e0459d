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

/// Every grant that somebody sees in lists and in the review, page by page, each with the grantee.
async fn grants(voice: &Voice) -> BTreeSet<String> {
    let mut listed = BTreeSet::new();
    let mut request = ListGrantsRequest {
        page_size: 1,
        ..ListGrantsRequest::default()
    };
    loop {
        let page = voice.ask(request.clone()).await.unwrap();
        assert!(page.grants.len() <= 1);
        let found = page.grants.iter().flat_map(|of_one| &of_one.grants);
        for grant in found {
            assert!(listed.insert(grant.grant_id.clone()), "a grant comes twice");
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    let review = ReviewAccessRequest::default();
    let reviewed = voice.ask(review).await.unwrap().reviewed;
    let mut seen = BTreeSet::new();
    for one in reviewed {
        let grants = one.grants.unwrap().grants;
        let ids: Vec<_> = grants.into_iter().map(|grant| grant.grant_id).collect();
        for finding in one.findings {
            let about = finding.grant_id;
            assert!(about.is_none_or(|about| ids.contains(&about)));
        }
        seen.extend(ids);
    }
    assert_eq!(seen, listed);
    listed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grants_are_listed_and_reviewed_for_whoever_may_see_them_one_by_one() {
    let world = World::found().await;
    let server = world.home.start();
    let voice = server.voice().await;
    let (here, there) = (&world.here.school, &world.there.school);
    let of_student = |student: &String| {
        let scope = grant_scope::Scope::StudentId(student.clone());
        let scope = GrantScope { scope: Some(scope) };
        grant_details(AccessRole::Teacher, scope)
    };
    // The colleague of the other school helps one student of each school.
    let (ours, theirs, own, portal) = (new_id(), new_id(), new_id(), new_id());
    let helper = actor_person(&there.pedagogue);
    let system_id = new_id();
    let details = Some(system_details("portal.example"));
    let register = system(
        &system_id,
        OnSystem::RegisterSystem(RegisterSystem { details }),
    );
    let scope = grant_scope::Scope::InstitutionId(here.institution.clone());
    let scope = GrantScope { scope: Some(scope) };
    let admit = grant_details(AccessRole::Portal, scope);
    let platform = actor_system(&system_id);
    let admit = grant_role(&portal, platform.clone(), admit);
    voice
        .all([
            grant_role(&ours, helper.clone(), of_student(&here.student)),
            grant_role(&theirs, helper, of_student(&there.student)),
            grant_role(
                &own,
                actor_person(&here.teacher),
                of_student(&there.student),
            ),
            register,
        ])
        .await;
    voice.person(&world.administrator).execute(admit).await;
    drop(voice);
    server.stop();

    let server = world.serve();
    let voice = server.voice().await;
    let set = |ids: &[&String]| ids.iter().map(|id| (*id).clone()).collect::<BTreeSet<_>>();
    let everything = grants(&voice.person(&world.administrator)).await;
    // Those of administrator, auditor and records officer are among them.
    assert_eq!(everything.len(), 7);
    let leader = voice.person(&here.leader);
    assert_eq!(grants(&leader).await, set(&[&ours, &own, &portal]));
    let leader_there = voice.person(&there.leader);
    assert_eq!(grants(&leader_there).await, set(&[&ours, &theirs, &own]));
    assert_eq!(grants(&voice.person(&here.teacher)).await, set(&[&own]));
    // A grant has a reason, which is for colleagues.
    for who in [&here.guardian, &here.student] {
        assert_eq!(grants(&voice.person(who)).await, set(&[]));
    }
    let of_platform = ListGrantsRequest {
        grantee: Some(platform),
        ..ListGrantsRequest::default()
    };
    let shown = leader.ask(of_platform.clone()).await.unwrap();
    assert_eq!(shown.grants.len(), 1);
    let refused = leader_there.ask(of_platform).await.unwrap_err();
    assert_eq!(refused.reason, "ACCESS_DENIED");
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
