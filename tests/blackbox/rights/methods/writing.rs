//! The rows of ownership, evidence, rights and commands.

use planledger_proto::v1::*;

use super::{Rows, both, same};
use crate::support::*;

pub(super) async fn ownership(rows: &mut Rows<'_>) {
    let world = rows.world;
    let (here, there) = (&world.here.school, &world.there.school);
    let may = [&here.leader, &world.administrator, &world.auditor];
    let may_not = [&here.pedagogue, &there.leader, &here.guardian];
    let request = both(&here.teacher, |person_id| ListOwnedRequest {
        person_id,
        ..ListOwnedRequest::default()
    });
    rows.row(
        "list_owned",
        request,
        &[&may[..], &[&here.teacher]].concat(),
        &may_not,
    )
    .await;
    let request = both(&here.institution, |institution_id| ListOwnerlessRequest {
        institution_id,
        ..ListOwnerlessRequest::default()
    });
    rows.row("list_ownerless", request, &may, &may_not).await;
    let request = both(&here.institution, |institution_id| ListSuggestionsRequest {
        institution_id,
        ..ListSuggestionsRequest::default()
    });
    rows.row("list_suggestions", request, &may, &may_not).await;
    let request = both(&here.team, |id| ListSuccessorsRequest {
        stream: format!("team/{id}"),
        ..ListSuccessorsRequest::default()
    });
    rows.row("list_successors", request, &may, &may_not).await;
    let request = both(&here.team, |id| PreviewDeletionRequest {
        stream: format!("team/{id}"),
        ..PreviewDeletionRequest::default()
    });
    rows.row("preview_deletion", request, &may, &may_not).await;
    let request = both(&here.team, |id| ProposeRecoveryRequest {
        wish: Some(bring_back(&id)),
        ..ProposeRecoveryRequest::default()
    });
    rows.row("propose_recovery", request, &may, &may_not).await;
    let request = both(&world.recovery, |recovery_id| GetRecoveryRequest {
        recovery_id,
        ..GetRecoveryRequest::default()
    });
    rows.row("get_recovery", request, &may, &may_not).await;
    let request = same(ListRecoveriesRequest::default());
    rows.row(
        "list_recoveries",
        request,
        &[&here.guardian, &here.leader],
        &[],
    )
    .await;
}

pub(super) async fn evidence(rows: &mut Rows<'_>) {
    let world = rows.world;
    let here = &world.here.school;
    let everybody = [&here.guardian, &here.teacher, &world.auditor];
    let request = same(GetStatusRequest::default());
    let may = [&world.administrator, &world.auditor];
    rows.row(
        "get_status",
        request,
        &may,
        &[&here.teacher, &here.guardian],
    )
    .await;
    let request = same(GetCheckpointRequest {
        create: true,
        min_size: 0,
    });
    let may_not = [&here.leader, &world.auditor];
    rows.row("get_checkpoint", request, &[&world.administrator], &may_not)
        .await;
    let request = same(GetVerifierKeysRequest::default());
    rows.row("get_verifier_keys", request, &everybody, &[])
        .await;
    let request = same(ListCheckpointsRequest::default());
    rows.row("list_checkpoints", request, &everybody, &[]).await;
    let request = same(inclusion(1, 0));
    rows.row("get_inclusion_proof", request, &everybody, &[])
        .await;
    let request = same(consistency(1, 0));
    rows.row("get_consistency_proof", request, &everybody, &[])
        .await;
}

pub(super) async fn rights(rows: &mut Rows<'_>) {
    let world = rows.world;
    let here = &world.here.school;
    let may = [&world.administrator, &world.auditor];
    let may_not = [&here.leader, &here.teacher, &here.guardian];
    // Everybody may list what they may see; lists::grants… says what that is.
    let all = [
        &world.administrator,
        &here.leader,
        &here.teacher,
        &here.guardian,
    ];
    let request = same(ListGrantsRequest::default());
    rows.row("list_grants", request, &all, &[]).await;
    let request = same(GetSystemRequest {
        system_id: new_id(),
        ..GetSystemRequest::default()
    });
    rows.row("get_system", request, &may, &may_not).await;
    let request = same(ListSystemsRequest::default());
    rows.row("list_systems", request, &may, &may_not).await;
    let request = same(ListErasuresRequest::default());
    rows.row("list_erasures", request, &may, &may_not).await;
    let request = same(ListDueErasuresRequest {
        classes: vec![retention_class("Planer", "5y")],
        ..ListDueErasuresRequest::default()
    });
    let may_not = [
        &world.administrator,
        &world.auditor,
        &here.leader,
        &here.teacher,
        &here.student,
        &here.guardian,
    ];
    rows.row("list_due_erasures", request, &[&world.officer], &may_not)
        .await;
    let request = both(&here.teacher, |id| ExplainAccessRequest {
        actor: Some(planledger_proto::v1::Actor {
            actor: Some(actor::Actor::PersonId(id)),
        }),
        about: Some(AccessThing {
            thing: Some(access_thing::Thing::Municipality(Municipality {})),
        }),
        action: "read_status".to_owned(),
        ..ExplainAccessRequest::default()
    });
    let others = [&here.pedagogue, &here.guardian];
    rows.row("explain_access", request, &may, &others).await;
    let request = same(ReviewAccessRequest::default());
    rows.row("review_access", request, &all, &[]).await;
    let request = both(&here.student, |student_id| ListReadersRequest {
        student_id,
        ..ListReadersRequest::default()
    });
    let may = [
        &here.student,
        &here.guardian,
        &here.leader,
        &world.auditor,
        &world.administrator,
    ];
    let may_not = [
        &here.classmate,
        &here.teacher,
        &world.there.school.leader,
        &world.there.school.guardian,
    ];
    rows.row("list_readers", request, &may, &may_not).await;
}

pub(super) async fn commands(rows: &mut Rows<'_>) {
    let world = rows.world;
    let (here, there) = (&world.here.school, &world.there.school);
    let plan = &world.here.plan;
    let may = [&here.pedagogue, &here.teacher];
    let may_not = [
        &here.guardian,
        &here.student,
        &there.teacher,
        &world.auditor,
        &world.administrator,
    ];
    let request = both(plan, |id| ExecuteRequest {
        command: Some(write_status(&id, "Læser")),
    });
    rows.row("execute", request, &may, &may_not).await;
    let mut request = both(plan, |id| ExecuteBatchRequest {
        commands: vec![write_status(&id, "Læser")],
    });
    // What a refusal says of a batch is which of its commands it was.
    let id = request[0].commands[0].command_id.clone();
    request[1].commands[0].command_id = id;
    for who in may {
        // Each is a command of its own.
        request[0].commands[0].command_id = new_id();
        let answer = rows.voice.person(who).ask(request[0].clone()).await;
        answer.unwrap();
    }
    request[0].commands[0].command_id = request[1].commands[0].command_id.clone();
    rows.row("execute_batch", request, &[], &may_not).await;
    let request = both(plan, |plan_id| RevertPlanRequest {
        command_id: new_id(),
        plan_id,
        to: Some(as_of_position(1)),
        reason: "fejl".to_owned(),
        ..RevertPlanRequest::default()
    });
    // The auditor sees the plan, and is told first that there was none at that moment.
    let may_not = [&here.guardian, &here.student, &there.teacher];
    rows.row("revert_plan", request, &may, &may_not).await;
}
