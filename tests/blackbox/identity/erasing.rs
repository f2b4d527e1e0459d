//! How the story of a school ends for one student.

use planledger_proto::v1::*;
use tonic::Code;

use super::story::{City, is_denied};
use crate::support::*;

/// Two records officers erase the student. Nobody can read anything of the student from then on, and it
/// stays on record who has read.
pub(super) async fn erasing(city: &City, administrator: &Voice, school: &School, plan: &str) {
    for officer in [&school.leader, &school.pedagogue] {
        let grant = grant_details(AccessRole::RecordsOfficer, municipality());
        let grant = grant_role(&new_id(), actor_person(officer), grant);
        administrator.execute(grant).await;
    }
    let (one, other) = (city.person("l1").await, city.person("tb").await);
    let target = || erasure_of(&school.student);
    let readers = ListReadersRequest {
        student_id: school.student.clone(),
        page_size: 1_000,
        ..ListReadersRequest::default()
    };
    let auditor = city.person("rev").await;
    let before = auditor.ask(readers.clone()).await.unwrap().reads;
    for stranger in ["ta", "inge", "rev"] {
        is_denied(
            city.person(stranger)
                .await
                .try_execute(request_erasure(target()))
                .await,
        );
    }
    one.execute(request_erasure(target())).await;
    let refused = one
        .try_execute(approve_erasure(target()))
        .await
        .unwrap_err();
    assert_eq!(refused.reason, "ERASURE_NEEDS_ANOTHER_PERSON");
    is_denied(administrator.try_execute(approve_erasure(target())).await);
    let receipt = other.execute(approve_erasure(target())).await;
    let acts = ListErasuresRequest {
        min_position: receipt.position + 1,
        ..ListErasuresRequest::default()
    };
    let acts = auditor.ask(acts).await.unwrap().erasures;
    let [act] = &acts[..] else { panic!("{acts:?}") };
    assert_eq!(act.state(), ErasureState::CarriedOut);
    let by = |step: &Option<ErasureStep>| step.as_ref().unwrap().actor.clone();
    assert_eq!(by(&act.requested), Some(actor_person(&school.leader)));
    assert_eq!(by(&act.approved), Some(actor_person(&school.pedagogue)));

    for event in auditor.all_events().await {
        let of_plan = event.stream == format!("plan/{plan}");
        if of_plan || event.stream == format!("person/{}", school.student) {
            let erased = event::Content::Unreadable(Unreadable::Erased.into());
            assert_eq!(event.content, Some(erased));
        }
    }
    let refused = auditor.try_plan(plan, Viewer::Staff, None).await;
    assert_eq!(refused.unwrap_err().reason, "PERSON_ERASED");
    // Who had a right to the plan because of the student has none any more.
    let teacher = city.in_platform("ta").await;
    is_denied(teacher.try_plan(plan, Viewer::Staff, None).await);
    let student = city.signer.token(&city.provider.person("e1"));
    let refused = city.place.with_token(&student).await;
    let refused = refused.ask(GetStatusRequest::default()).await.unwrap_err();
    assert_eq!(refused.code, Code::Unauthenticated);
    let after = auditor.ask(readers).await.unwrap().reads;
    assert!(after.len() > before.len());
    for was in before {
        let is = after.iter().find(|read| read.number == was.number).unwrap();
        assert_eq!((&is.actor, &is.read_at), (&was.actor, &was.read_at));
        assert_eq!((is.kind(), &is.plan_id), (PlanReadKind::Unspecified, &None));
    }
}
