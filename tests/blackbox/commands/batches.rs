//! Several commands as one.

use planledger_proto::v1::*;

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_batch_is_one_commit_in_which_later_commands_see_earlier_ones() {
    let (_server, voice) = Home::new().serve().await;
    let (school, student) = (new_id(), new_id());
    let commands = [
        register_institution(&school, "Skolen"),
        put_person(&student, "Åse", &school, Role::Student),
        register_institution(&new_id(), "En anden"),
    ];
    let receipts = voice.all(commands.clone()).await;
    for (receipt, command) in receipts.iter().zip(&commands) {
        assert_eq!(receipt.command_id, command.command_id);
    }
    let positions: Vec<_> = receipts.iter().map(|receipt| receipt.position).collect();
    assert_eq!(positions, [1, 3, 4]);
    let status = voice.ask(GetStatusRequest::default()).await.unwrap();
    assert_eq!((status.position, status.commit_count), (4, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn one_refused_command_keeps_the_whole_batch_out_and_is_named() {
    let (_server, voice) = Home::new().serve().await;
    let school = new_id();
    let before = voice
        .execute(register_institution(&new_id(), "Først"))
        .await;
    let commands = vec![
        register_institution(&school, "Skolen"),
        put_person(&new_id(), "Åse", &school, Role::Student),
        put_person(&new_id(), "Ib", &new_id(), Role::Student),
        register_institution(&new_id(), "Sidst"),
    ];
    let refused = voice.try_all(commands.clone()).await.unwrap_err();
    assert_eq!(refused.reason, "INSTITUTION_NOT_FOUND");
    assert_eq!(refused.metadata["command_index"], "2");
    assert_eq!(refused.metadata["command_id"], commands[2].command_id);
    let path = "commands[2].person.put_person.affiliations.institution_id";
    assert_eq!(refused.paths(), [path]);

    assert_eq!(voice.position().await, before.position);
    let request = GetInstitutionRequest {
        institution_id: school,
        min_position: 0,
    };
    let refused = voice.ask(request).await.unwrap_err();
    assert_eq!(refused.reason, "INSTITUTION_NOT_FOUND");
    // None of them was executed, so each may still be.
    let receipt = voice.execute(commands[0].clone()).await;
    assert!(!receipt.replayed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_thousand_commands_fit_into_a_batch() {
    let (_server, voice) = Home::new().serve().await;
    let commands = (0..1_000).map(|n| register_institution(&new_id(), &format!("Skole {n}")));
    let receipts = voice.all(commands).await;
    let positions = receipts.iter().map(|receipt| receipt.position);
    assert!(positions.eq(1..=1_000));
    let status = voice.ask(GetStatusRequest::default()).await.unwrap();
    assert_eq!((status.position, status.commit_count), (1_000, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_batch_that_does_not_fit_one_commit_is_refused_whole() {
    let (_server, voice) = Home::new().serve().await;
    // Each text is allowed, and so is their number; 16 MiB are not reached by the request.
    let text = "🌱".repeat(20_000);
    let catalogue_id = new_id();
    let items = (0..200).map(|_| CatalogueItem {
        item_id: new_id(),
        text: text.clone(),
        kind: None,
        code: None,
        parent_ids: Vec::new(),
        sequence_number: None,
        parent_orders: Vec::new(),
        licence: None,
    });
    let details = CatalogueDetails {
        title: "Fælles Mål".to_owned(),
        publisher: None,
        version: None,
        language: None,
        licence: None,
        rights_holder: None,
    };
    let put = PutCatalogue {
        details: Some(details),
        items: items.collect(),
    };
    let put = catalogue(&catalogue_id, OnCatalogue::PutCatalogue(put));
    let register = register_institution(&new_id(), "Skolen");
    let refused = voice.try_all(vec![register, put]).await;
    assert_eq!(refused.unwrap_err().reason, "COMMIT_TOO_LARGE");
    assert_eq!(voice.position().await, 0);
}
