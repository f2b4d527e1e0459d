//! A recovery goes on only as long as whoever began it may have it carried out.

use std::collections::BTreeSet;

use planledger_core::domain::Actor;
use planledger_core::ids::RecoveryId;
use planledger_core::ledger::Ledger;
use planledger_core::recovery;
use planledger_proto::v1::*;

use super::World;
use super::world::person_actor;
use crate::support::*;

/// A wish to give a plan to the pedagogue.
fn to_pedagogue(world: &World) -> recovery::RecoveryRequest {
    recovery::RecoveryRequest::Transfer(recovery::Transfer {
        what: recovery::What::Items([format!("plan/{}", world.here.plan).parse().unwrap()].into()),
        rule: recovery::Rule::To(world.here.school.pedagogue.parse().unwrap()),
        fallback: recovery::Fallback::Nobody,
        reason: None,
    })
}

/// A wish to move a plan to a year plan of the other school.
fn to_other_school(world: &World) -> recovery::RecoveryRequest {
    recovery::RecoveryRequest::Restore(recovery::Restore {
        what: vec![recovery::RestoreItem::Move {
            plan: world.here.plan.parse().unwrap(),
            to: world.there.course.year_plan.parse().unwrap(),
        }],
        give_to: None,
        reason: None,
    })
}

/// Begins a recovery, and does nothing of it.
fn begin(world: &World, by: Actor, wish: recovery::RecoveryRequest) -> String {
    let ledger = Ledger::open(world.home.options()).unwrap();
    let (proposal, _) = ledger
        .read(|reading| recovery::propose(reading, &wish, &BTreeSet::new()))
        .unwrap();
    let id = new_id();
    let recovery: RecoveryId = id.parse().unwrap();
    let unseen = BTreeSet::new();
    recovery::start(
        &ledger,
        (by, None),
        recovery,
        &wish,
        &unseen,
        proposal.digest,
    )
    .unwrap();
    id
}

async fn ended(voice: &Voice, id: &str) -> Recovery {
    for _ in 0..200 {
        let request = GetRecoveryRequest {
            recovery_id: id.to_owned(),
            ..GetRecoveryRequest::default()
        };
        let recovery = voice.ask(request).await.unwrap().recovery.unwrap();
        if recovery.phase() == RecoveryPhase::Finished {
            return recovery;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the recovery does not end")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_recovery_goes_on_if_its_starter_still_may() {
    let world = World::found().await;
    let id = begin(
        &world,
        person_actor(&world.here.school.leader),
        to_pedagogue(&world),
    );
    let server = world.serve();
    let voice = server.voice().await;
    let recovery = ended(&voice.person(&world.auditor), &id).await;
    assert!(recovery.left_out.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_recovery_ends_with_a_reason_if_its_starter_may_no_longer() {
    let world = World::found().await;
    // The leader of the other school could not have begun it: as if the right had ended since.
    let id = begin(
        &world,
        person_actor(&world.there.school.leader),
        to_pedagogue(&world),
    );
    let server = world.serve();
    let voice = server.voice().await;
    let auditor = voice.person(&world.auditor);
    let recovery = ended(&auditor, &id).await;
    let left_out: Vec<_> = recovery.left_out.iter().map(LeftOutStep::reason).collect();
    assert_eq!(left_out, [ErrorReason::RightEnded]);
    let view = auditor.plan(&world.here.plan, Viewer::Staff).await;
    assert_eq!(view.owner_id, world.here.school.teacher);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recovery_goes_on_only_if_its_starter_may_write_where_it_puts_things() {
    let world = World::found().await;
    // As if the leader had worked at both schools when it began.
    let by = person_actor(&world.here.school.leader);
    let id = begin(&world, by, to_other_school(&world));
    let server = world.serve();
    let voice = server.voice().await;
    let auditor = voice.person(&world.auditor);
    let recovery = ended(&auditor, &id).await;
    let left_out: Vec<_> = recovery.left_out.iter().map(LeftOutStep::reason).collect();
    assert_eq!(left_out, [ErrorReason::RightEnded]);
}
