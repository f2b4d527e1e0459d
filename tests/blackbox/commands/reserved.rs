//! Ids of the ledger's own commands: no client can use one, and whoever takes those that earlier versions
//! used prevents nothing.

use planledger_core::ids::RecoveryId;
use planledger_fixtures::own_ids::{of_notary, of_recovery};
use planledger_proto::v1::execute_stream_response::Outcome;
use planledger_proto::v1::transfer::Rule;
use planledger_proto::v1::*;

use crate::support::*;

fn under(id: impl ToString, command: Command) -> Command {
    Command {
        command_id: id.to_string(),
        ..command
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_id_of_the_ledgers_own_is_refused_by_name_whichever_way_it_comes() {
    let (_server, voice) = Home::new().serve().await;
    let (_, _, plan_id) = School::with_plan(&voice).await;
    let position = voice.position().await;
    let id = of_notary("key", 0)[1].to_string();
    let command = under(&id, register_institution(&new_id(), "Skolen"));
    let reserved = |refused: &Refused| {
        assert_eq!(refused.reason, "COMMAND_ID_RESERVED");
        assert_eq!(refused.metadata["command_id"], id);
        assert!(refused.message.contains("version 4 or 7"), "{refused:?}");
    };
    let refused = voice.try_execute(command.clone()).await.unwrap_err();
    reserved(&refused);
    assert_eq!(refused.paths(), ["command_id"]);
    let sound = register_institution(&new_id(), "En anden");
    let batch = vec![sound.clone(), command.clone()];
    let refused = voice.try_all(batch).await.unwrap_err();
    reserved(&refused);
    assert_eq!(refused.paths(), ["commands[1].command_id"]);
    let answers = voice.stream([command, sound]).await;
    let Some(Outcome::Error(error)) = answers[0].outcome.clone() else {
        panic!("{answers:?}")
    };
    reserved(&command_error(error));
    assert!(matches!(answers[1].outcome, Some(Outcome::Receipt(_))));
    assert_eq!(voice.position().await, position + 1);
    voice.execute(write_status(&plan_id, "Læser")).await;
    voice.execute(write_status(&plan_id, "Læser mere")).await;
    let revert = RevertPlanRequest {
        command_id: id.clone(),
        plan_id,
        to: Some(AsOf {
            moment: Some(as_of::Moment::Position(position + 2)),
        }),
        reason: "Det gamle var rigtigt".to_owned(),
        expected_revision: None,
        on_behalf_of: None,
        dry_run: false,
    };
    let refused = voice.ask(revert).await.unwrap_err();
    reserved(&refused);
    assert_eq!(refused.paths(), ["command_id"]);
    assert_eq!(voice.position().await, position + 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn whoever_takes_ids_of_earlier_versions_prevents_no_checkpoint_and_no_bundle() {
    let (_server, voice) = Home::new().serve_notarised().await;
    let (_, _, plan_id) = School::with_plan(&voice).await;
    let nothing = || write_status(&plan_id, "Læser");
    voice.execute(nothing()).await;
    let position = voice.position().await;
    voice
        .execute(under(of_notary("key", 0)[0], nothing()))
        .await;
    for through in position..position + 20 {
        let id = of_notary("heads", through)[0];
        assert!(voice.execute(under(id, nothing())).await.unchanged);
    }
    for _ in 0..8 {
        let checkpoint = voice.new_checkpoint().await;
        assert_eq!(voice.position().await, checkpoint.size);
        voice
            .execute(register_institution(&new_id(), "Endnu en"))
            .await;
    }
    let range = PositionRange {
        from: 1,
        to: position,
    };
    let bundle = bundle_of(export_bundle_request::Scope::Range(range));
    voice.export(bundle).await.unwrap();
}

/// The leader was told that it is undone already, and nothing was.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_student_who_takes_the_id_of_an_undo_does_not_prevent_it() {
    let (_server, voice) = Home::new().serve().await;
    let (school, _, plan_id) = School::with_plan(&voice).await;
    voice.execute(write_status(&plan_id, "Læser")).await;
    let id = new_id();
    let leader = voice.person(&school.leader);
    let wish = transfer_of(&school.teacher, Rule::ToTeam(TransferToTeam {}));
    let digest = leader.propose(&wish).await.unwrap().digest;
    leader.run(&id, wish, &digest).await.unwrap();
    let recovery: RecoveryId = id.parse().unwrap();
    let [former, present] = of_recovery(recovery, "undo", 0);
    let student = voice.person(&school.student);
    let nothing = || write_status(&plan_id, "Læser");
    assert!(student.execute(under(former, nothing())).await.unchanged);
    let refused = student.try_execute(under(present, nothing())).await;
    assert_eq!(refused.unwrap_err().reason, "COMMAND_ID_RESERVED");
    let undone = leader.undo(&id).await.unwrap();
    assert_eq!(undone.phase(), RecoveryPhase::Undone);
    assert_eq!(voice.owned(&school.teacher).await.len(), 3);
}
