//! `planledger import catalogue`.

use std::fs;
use std::path::{Path, PathBuf};

use planledger_proto::v1::*;

use crate::support::*;

fn sample() -> PathBuf {
    samples().join("catalogue.case.json")
}

fn import(server: &Running, path: &Path, more: &[&str]) -> Ran {
    let path = path.to_str().unwrap();
    let server = ["--server", &server.url];
    run([&["import", "catalogue", path], more, &server].concat())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_national_goals_are_taken_in_once_and_can_be_chosen() {
    let (server, voice) = Home::new().serve().await;
    let ran = import(&server, &sample(), &["--json"]).done().json();
    assert_eq!((&ran["recorded"], &ran["refused"]), (&1.into(), &0.into()));
    let position = voice.position().await;
    assert_eq!(ran["position"], position);
    // The catalogue itself, 13 subjects, 44 areas and 89 goals.
    assert_eq!(position, 1 + 13 + 44 + 89);
    let again = import(&server, &sample(), &["--json"]).done().json();
    assert_eq!(
        (&again["recorded"], &again["unchanged"]),
        (&0.into(), &1.into())
    );
    let said = import(&server, &sample(), &[]).done();
    assert!(said.stdout.contains("nothing changed"), "{}", said.stdout);
    assert_eq!(voice.position().await, position);

    let catalogues = voice.ask(ListCataloguesRequest::default()).await.unwrap();
    let catalogue = &catalogues.catalogues[0];
    assert_eq!(catalogue.item_count, 13 + 44 + 89);
    let request = ListCatalogueItemsRequest {
        catalogue_id: catalogue.catalogue_id.clone(),
        page_size: 1_000,
        ..ListCatalogueItemsRequest::default()
    };
    let items = voice.ask(request).await.unwrap().items;
    let code = Some("natur-teknologi/2/undersoegelse".to_owned());
    let goal = items.iter().find(|item| item.code == code).unwrap();
    assert!(goal.text.contains("undersøgelser"), "{}", goal.text);
    // The areas of its subject: a goal is part of an area, an area of a subject.
    let area = &goal.parent_ids[0];
    let area = items.iter().find(|item| item.item_id == *area).unwrap();
    assert_eq!(area.kind.as_deref(), Some("Kompetenceområde"));
    let request = ListCatalogueItemsRequest {
        catalogue_id: catalogue.catalogue_id.clone(),
        parent_id: Some(area.item_id.clone()),
        ..ListCatalogueItemsRequest::default()
    };
    let children = voice.ask(request).await.unwrap().items;
    assert!(children.contains(goal));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_file_that_is_no_sound_catalogue_is_refused_where_it_is_wrong_and_nothing_is_sent() {
    let home = Home::new();
    let server = home.start();
    let sound = fs::read_to_string(sample()).unwrap();
    let dangling = {
        let mut package: serde_json::Value = serde_json::from_str(&sound).unwrap();
        let association = &mut package["CFAssociations"][7];
        association["destinationNodeURI"]["identifier"] = new_id().into();
        package.to_string()
    };
    let cpr = {
        let mut package: serde_json::Value = serde_json::from_str(&sound).unwrap();
        package["CFItems"][3]["fullStatement"] = "Eleven 010203-1234 kan læse".into();
        package.to_string()
    };
    let cases = [
        (
            dangling.into_bytes(),
            "REFERENCE_DANGLING",
            "CFAssociations[7]",
        ),
        (cpr.into_bytes(), "CPR_FOUND", "CFItems[3].fullStatement"),
        (
            sound[..sound.len() / 2].into(),
            "JSON_INVALID",
            "wrong.json",
        ),
        (b"[]".to_vec(), "TYPE_WRONG", "wrong.json"),
        (
            b"{\"CFDocument\": \"\xff\"}".to_vec(),
            "UTF8_INVALID",
            "wrong.json",
        ),
        (Vec::new(), "JSON_INVALID", "wrong.json"),
    ];
    let path = home.path().join("wrong.json");
    for (bytes, code, place) in cases {
        fs::write(&path, bytes).unwrap();
        let ran = import(&server, &path, &["--json"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
        assert!(
            ran.stderr.contains(code) && ran.stderr.contains(place),
            "{}",
            ran.stderr
        );
        assert!(!ran.stderr.contains("010203"), "{}", ran.stderr);
    }
    let ran = import(&server, Path::new("/nowhere/goals.json"), &[]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("FILE_MISSING") && ran.stderr.contains("goals.json"));
    assert_eq!(server.voice().await.position().await, 0);
}
