//! What the access service answers.

use planledger_proto::v1::*;

use crate::support::*;

const READ: &str = "read_plan_as_staff";

fn thing(thing: access_thing::Thing) -> Option<AccessThing> {
    Some(AccessThing { thing: Some(thing) })
}

fn explain(actor: Actor, action: &str, plan_id: &str) -> ExplainAccessRequest {
    ExplainAccessRequest {
        actor: Some(actor),
        action: action.to_owned(),
        about: thing(access_thing::Thing::PlanId(plan_id.to_owned())),
        ..ExplainAccessRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_grant_is_listed_explained_and_reviewed_until_it_is_revoked_and_remembered_after_that() {
    let (_server, voice) = Home::new().serve().await;
    let (school, _, plan_id) = School::with_plan(&voice).await;
    let leader = actor_person(&school.leader);
    let before = voice.position().await;
    let grant = new_id();
    let details = grant_details(
        AccessRole::Teacher,
        GrantScope {
            scope: Some(grant_scope::Scope::StudentId(school.student.clone())),
        },
    );
    voice
        .execute(grant_role(&grant, leader.clone(), details.clone()))
        .await;

    let answer = voice.ask(ListGrantsRequest::default()).await.unwrap();
    let [listed] = answer.grants.as_slice() else {
        panic!("{answer:?}");
    };
    assert_eq!(listed.grantee, Some(leader.clone()));
    assert_eq!(listed.grants[0].details, Some(details));
    assert!(listed.grants[0].holds);

    let write = explain(leader.clone(), "write_plan", &plan_id);
    let answer = voice.ask(write.clone()).await.unwrap();
    let ground = answer.ground.unwrap();
    assert_eq!(ground.grant_id, Some(grant.clone()));
    assert_eq!(
        (ground.role(), ground.relation.as_str()),
        (AccessRole::Teacher, "granted")
    );
    // As it was before, it was not allowed.
    let then = ExplainAccessRequest {
        at: Some(as_of_position(before)),
        ..write.clone()
    };
    let answer = voice.ask(then).await.unwrap();
    assert!(!answer.allowed && answer.ground.is_none() && !answer.why_not.is_empty());
    // Reading follows from the roster.
    let teacher = explain(actor_person(&school.teacher), READ, &plan_id);
    let ground = voice.ask(teacher).await.unwrap().ground.unwrap();
    assert_eq!(ground.grant_id, None);

    let review = voice.ask(ReviewAccessRequest::default()).await.unwrap();
    let [reviewed] = review.reviewed.as_slice() else {
        panic!("{review:?}");
    };
    let without_end = ReviewFindingKind::WithoutEnd;
    assert!(
        reviewed
            .findings
            .iter()
            .any(|found| found.kind() == without_end)
    );

    voice.execute(revoke_grant(&grant, leader.clone())).await;
    let answer = voice.ask(write).await.unwrap();
    assert!(!answer.allowed);
    let review = voice.ask(ReviewAccessRequest::default()).await.unwrap();
    assert_eq!(review.reviewed, []);
    let of_leader = ListGrantsRequest {
        grantee: Some(leader),
        ..ListGrantsRequest::default()
    };
    let answer = voice.ask(of_leader).await.unwrap();
    assert!(answer.grants[0].grants[0].revocation.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_system_is_read_as_it_was_registered_and_pages_through() {
    let (_server, voice) = Home::new().serve().await;
    let mut ids = Vec::new();
    for number in 0..7 {
        let id = new_id();
        let details = system_details(&format!("system-{number}.example"));
        let register = RegisterSystem {
            details: Some(details.clone()),
        };
        voice
            .execute(system(&id, OnSystem::RegisterSystem(register)))
            .await;
        let request = GetSystemRequest {
            system_id: id.clone(),
            min_position: 0,
        };
        let found = voice.ask(request).await.unwrap().system.unwrap();
        assert_eq!((found.details, found.revoked), (Some(details), false));
        ids.push(id);
    }
    ids.sort();
    let mut request = ListSystemsRequest {
        page_size: 3,
        ..ListSystemsRequest::default()
    };
    let mut found = Vec::new();
    loop {
        let page = voice.ask(request.clone()).await.unwrap();
        found.extend(page.systems.into_iter().map(|system| system.system_id));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(found, ids);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_system_that_acts_for_a_person_is_explained_with_both_grounds() {
    let (_server, voice) = Home::new().serve().await;
    let (school, _, plan_id) = School::with_plan(&voice).await;
    let platform = new_id();
    let register = RegisterSystem {
        details: Some(system_details("platform.example")),
    };
    voice
        .execute(system(&platform, OnSystem::RegisterSystem(register)))
        .await;
    let grant = new_id();
    let details = grant_details(AccessRole::LearningPlatform, municipality());
    voice
        .execute(grant_role(&grant, actor_system(&platform), details))
        .await;
    let alone = explain(actor_system(&platform), READ, &plan_id);
    assert!(!voice.ask(alone.clone()).await.unwrap().allowed);
    let for_teacher = ExplainAccessRequest {
        on_behalf_of_person_id: Some(school.teacher.clone()),
        ..alone
    };
    let ground = voice.ask(for_teacher).await.unwrap().ground.unwrap();
    assert_eq!(ground.system_role(), AccessRole::LearningPlatform);
    assert_eq!(ground.system_grant_id, Some(grant));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_question_that_names_no_known_action_is_told_so() {
    let (_server, voice) = Home::new().serve().await;
    let wrong = explain(actor_person(&new_id()), "fly", &new_id());
    let refused = voice.ask(wrong).await.unwrap_err();
    assert_eq!(
        refused.fields,
        [("action".to_owned(), "UNKNOWN_ENUM".to_owned())]
    );
    let wrong = ReviewAccessRequest {
        expiring_within_days: -1,
        ..ReviewAccessRequest::default()
    };
    let refused = voice.ask(wrong).await.unwrap_err();
    let field = ("expiring_within_days".to_owned(), "OUT_OF_RANGE".to_owned());
    assert_eq!(refused.fields, [field]);
}

/// Whoever adds a method decides who may call it: here, for the table of actions.
#[test]
fn every_method_has_an_action() {
    use planledger_core::access::Action;
    let actions = |method: &str| -> &[Action] {
        match method {
            "execute" | "execute_batch" | "execute_stream" | "preview_stream" => Action::ALL,
            "revert_plan" => &[Action::RevertPlan, Action::ReadPlanAsStaff],
            "get_plan" | "get_collected_view" | "diff_plan" => &[
                Action::ReadPlanAsStaff,
                Action::ReadPlanAsStudent,
                Action::ReadPlanAsGuardians,
                Action::ReadPlanAsOthers,
            ],
            "list_plans" => &[Action::ListPlans],
            "get_plan_history" => &[Action::ReadRecords],
            "get_institution" | "list_institutions" | "get_school_year" | "list_school_years" => {
                &[Action::ReadInstitution]
            }
            "get_person" | "list_persons" | "get_team" | "list_teams" | "list_year_plans" => {
                &[Action::ReadRoster]
            }
            "get_year_plan" => &[Action::ReadYearPlanAsStaff, Action::ReadYearPlanAsAudience],
            "lookup_person" => &[Action::LookupPerson],
            "list_roster_sources" => &[Action::ReadRosterSources],
            "list_roster_members" | "list_roster_links" => &[Action::ImportRoster],
            "read_events" | "follow_events" => &[Action::ReadEvents],
            "run_recovery" => &[Action::Recover],
            "undo_recovery" => &[Action::UndoRecovery],
            "export_bundle" => &[Action::ExportDisclosed, Action::ExportUndisclosed],
            "get_catalogue"
            | "list_catalogues"
            | "get_catalogue_item"
            | "list_catalogue_items"
            | "list_catalogue_scales" => &[Action::ReadCatalogue],
            "list_catalogue_goals" => &[Action::ReadYearPlanAsStaff],
            "get_overview" => &[Action::ReadOverview],
            "get_survey_overview" | "list_survey_discussions" => &[Action::ReadSurvey],
            "list_owned" | "list_ownerless" | "list_successors" | "list_suggestions"
            | "preview_deletion" | "propose_recovery" | "get_recovery" | "list_recoveries" => {
                &[Action::ReadOwnership]
            }
            "get_status" => &[Action::ReadStatus],
            "get_verifier_keys" | "list_checkpoints" | "get_consistency_proof" => {
                &[Action::ReadProofs]
            }
            "get_checkpoint" => &[Action::ReadProofs, Action::CreateCheckpoint],
            "get_inclusion_proof" => &[Action::ReadProofs, Action::ReadMeta],
            "list_grants" | "get_system" | "list_systems" | "list_erasures" | "explain_access"
            | "review_access" => &[Action::ReadAccess],
            "list_due_erasures" => &[Action::DestroyText],
            "list_readers" => &[Action::ReadAccessLog],
            _ => &[],
        }
    };
    for method in methods() {
        assert!(!actions(&method).is_empty(), "{method} has no action");
    }
}
