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
async fn what_is_passed_over_of_a_package_has_its_place_and_reason_everywhere() {
    let home = Home::new();
    let (server, _voice) = home.serve().await;
    let (path, report) = (
        home.path().join("goals.json"),
        home.path().join("report.csv"),
    );
    let catalogue = new_id();
    let mut package = numbered(&catalogue, &[Some(1), Some(2)]);
    package["CFAssociations"][1]["destinationNodeURI"]["identifier"] = "elsewhere".into();
    package["CFRubrics"] = serde_json::json!([{
        "identifier": new_id(),
        "title": "Skala",
        "CFRubricCriteria": [{"identifier": new_id()}],
    }]);
    fs::write(&path, package.to_string()).unwrap();
    let places = [
        "CFAssociations[1].destinationNodeURI.identifier",
        "CFRubrics[0].CFRubricCriteria[0]",
    ];
    let written = ["--report", report.to_str().unwrap()];
    let dry = [&written[..], &["--dry-run"]].concat();
    for more in [&dry[..], &written] {
        let told = import(&server, &path, more).done().stderr;
        assert!(places.iter().all(|place| told.contains(place)), "{told}");
        let csv = fs::read_to_string(&report).unwrap();
        let rows: Vec<&str> = csv.lines().collect();
        assert_eq!(rows[0], "kind,file,line,column,code,text");
        let begins = |row: &str, kind: &str, place: &str, code: &str| {
            row.starts_with(&format!("{kind},goals.json,,{place},{code},"))
        };
        assert!(
            begins(rows[1], "part", places[0], "REFERENCE_DANGLING"),
            "{csv}"
        );
        assert!(begins(rows[2], "bad", places[1], "VALUE_MISSING"), "{csv}");
        assert_eq!(rows.len(), 3, "{csv}");
        let json = import(&server, &path, &[more, &["--json"]].concat())
            .done()
            .json();
        let passed = &json["passed_over"];
        assert_eq!(passed["count"], 2);
        for (number, place) in places.iter().enumerate() {
            assert_eq!(passed["first"][number]["path"], *place);
        }
    }
    // A package that is refused.
    package["CFItems"][0]["fullStatement"] = serde_json::Value::Null;
    fs::write(&path, package.to_string()).unwrap();
    assert_eq!(import(&server, &path, &written).code, Some(1));
    let csv = fs::read_to_string(&report).unwrap();
    let stop = "stop,goals.json,,CFItems[0].fullStatement,VALUE_MISSING,";
    assert!(csv.lines().any(|row| row.starts_with(stop)), "{csv}");
}

/// A package whose items have random ids, and the numbers of their associations.
fn numbered(catalogue: &str, numbers: &[Option<u32>]) -> serde_json::Value {
    let ids: Vec<String> = numbers.iter().map(|_| new_id()).collect();
    let items = ids.iter().zip(numbers).map(|(id, number)| {
        let words = number.map_or("Mål uden nummer".to_owned(), |number| {
            format!("Mål {number}")
        });
        serde_json::json!({"identifier": id, "fullStatement": words})
    });
    let links = ids.iter().zip(numbers).map(|(id, number)| {
        serde_json::json!({
            "associationType": "isChildOf",
            "originNodeURI": {"identifier": id},
            "destinationNodeURI": {"identifier": catalogue},
            "sequenceNumber": number,
        })
    });
    serde_json::json!({
        "CFDocument": {"identifier": catalogue, "title": "Prøvemål"},
        "CFItems": items.collect::<Vec<_>>(),
        "CFAssociations": links.collect::<Vec<_>>(),
    })
}

/// The words of a catalogue's items, page by page, as they are listed.
async fn listed(voice: &Voice, catalogue: &str, page_size: i32) -> Vec<String> {
    let mut words = Vec::new();
    let mut request = ListCatalogueItemsRequest {
        catalogue_id: catalogue.to_owned(),
        page_size,
        ..ListCatalogueItemsRequest::default()
    };
    loop {
        let page = voice.ask(request.clone()).await.unwrap();
        words.extend(page.items.into_iter().map(|item| item.text));
        if page.next_page_token.is_empty() {
            return words;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn items_are_listed_in_the_publishers_order_on_pages_of_every_size() {
    let home = Home::new();
    let server = home.start();
    let voice = server.voice().await;
    let catalogue = new_id();
    let numbers: Vec<Option<u32>> = [None].into_iter().chain((1..=9).rev().map(Some)).collect();
    let package = numbered(&catalogue, &numbers);
    let path = home.path().join("order.json");
    fs::write(&path, package.to_string()).unwrap();
    import(&server, &path, &[]).done();
    let mut expected: Vec<String> = (1..=9).map(|number| format!("Mål {number}")).collect();
    expected.push("Mål uden nummer".to_owned());
    for size in [1, 3, 9, 10, 1_000] {
        assert_eq!(listed(&voice, &catalogue, size).await, expected);
    }
    // Another order in the next edition is a change, and the list follows it.
    let mut next = package;
    next["CFAssociations"][1]["sequenceNumber"] = 0.into();
    fs::write(&path, next.to_string()).unwrap();
    let position = voice.position().await;
    import(&server, &path, &[]).done();
    assert_eq!(voice.position().await, position + 1);
    assert_eq!(listed(&voice, &catalogue, 4).await[0], "Mål 9");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_wrapped_package_with_parents_elsewhere_goes_in_and_says_so() {
    let home = Home::new();
    let server = home.start();
    let catalogue = new_id();
    let mut package = numbered(&catalogue, &[Some(2), Some(1)]);
    package["CFAssociations"][0]["destinationNodeURI"]["identifier"] = new_id().into();
    let wrapped = serde_json::json!({"CFPackage": package});
    let path = home.path().join("wrapped.json");
    fs::write(&path, wrapped.to_string()).unwrap();
    let ran = import(&server, &path, &[]).done();
    assert!(
        ran.stdout.contains("parents elsewhere, passed over"),
        "{}",
        ran.stdout
    );
    let voice = server.voice().await;
    assert_eq!(listed(&voice, &catalogue, 0).await, ["Mål 1", "Mål 2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_file_that_is_no_sound_catalogue_is_refused_where_it_is_wrong_and_nothing_is_sent() {
    let home = Home::new();
    let server = home.start();
    let sound = fs::read_to_string(sample()).unwrap();
    let dangling = {
        let mut package: serde_json::Value = serde_json::from_str(&sound).unwrap();
        let association = &mut package["CFAssociations"][7];
        association["originNodeURI"]["identifier"] = new_id().into();
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

/// A goal of a year plan that comes from an item.
async fn choose(voice: &Voice, course: &Course, catalogue: &str, item: &str) -> String {
    let goal_id = new_id();
    let wording = wording_choice::Wording::CatalogueItem(CatalogueItemRef {
        catalogue_id: catalogue.to_owned(),
        item_id: item.to_owned(),
    });
    let details = NewGoal {
        catalogue_scale: None,
        kind: GoalKind::Subject.into(),
        area: GoalArea::Academic.into(),
        wording: Some(WordingChoice {
            wording: Some(wording),
        }),
        scale: Some(scale()),
    };
    let add = AddGoal {
        unit_id: course.unit.clone(),
        goal_id: goal_id.clone(),
        details: Some(details),
    };
    voice
        .execute(year_plan(&course.year_plan, OnYearPlan::AddGoal(add)))
        .await;
    goal_id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_new_edition_says_what_it_changes_and_which_goals_it_touches() {
    let home = Home::new();
    let server = home.start();
    let voice = server.voice().await;
    let (school, course) = School::with_course(&voice).await;
    let catalogue = new_id();
    let mut package = numbered(&catalogue, &[Some(1), Some(2), Some(3), Some(4)]);
    let items: Vec<String> = (0..4)
        .map(|place| {
            let id = package["CFItems"][place]["identifier"].as_str();
            id.unwrap().to_owned()
        })
        .collect();
    let path = home.path().join("edition.json");
    fs::write(&path, package.to_string()).unwrap();
    let first = import(&server, &path, &["--dry-run", "--json"])
        .done()
        .json();
    assert_eq!(first["edition"]["new"], true);
    assert_eq!(
        first["edition"]["changes"]["added"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
    import(&server, &path, &[]).done();
    let reworded = choose(&voice, &course, &catalogue, &items[0]).await;
    let retired = choose(&voice, &course, &catalogue, &items[1]).await;
    choose(&voice, &course, &catalogue, &items[2]).await;

    package["CFItems"][0]["fullStatement"] = "Andre ord".into();
    package["CFAssociations"][2]["sequenceNumber"] = 9.into();
    package["CFItems"].as_array_mut().unwrap().remove(1);
    package["CFAssociations"].as_array_mut().unwrap().remove(1);
    package["CFItems"][2]["CFItemType"] = "Mål".into();
    package["CFDocument"]["licenseURI"] = "https://example.org/by".into();
    fs::write(&path, package.to_string()).unwrap();
    let position = voice.position().await;
    let told = import(&server, &path, &["--dry-run", "--json"])
        .done()
        .json();
    let told = &told["edition"];
    assert_eq!(voice.position().await, position);
    assert_eq!(told["details_changed"], true);
    let ids = |change: &str| -> Vec<String> {
        let listed = told["changes"][change].as_array().unwrap().iter();
        listed
            .map(|item| item["item_id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids("added"), [""; 0]);
    assert_eq!(ids("reworded"), [items[0].clone()]);
    assert_eq!(ids("retired"), [items[1].clone()]);
    assert_eq!(ids("described anew"), [items[3].clone()]);
    assert_eq!(told["changes"]["reworded"][0]["before"], "Mål 1");
    assert_eq!(told["changes"]["reworded"][0]["after"], "Andre ord");
    let touched = told["goals_touched"].as_array().unwrap().iter();
    let mut touched: Vec<_> = touched
        .map(|goal| goal["goal_id"].as_str().unwrap())
        .collect();
    touched.sort_unstable();
    let mut expected = [reworded.as_str(), retired.as_str()];
    expected.sort_unstable();
    assert_eq!(touched, expected);

    // The table names them too, and the import does what it said. The goals keep their words.
    let ran = import(&server, &path, &[]).done();
    for word in ["goals touched", "now: Andre ord", "licence", &retired] {
        assert!(ran.stdout.contains(word), "{word}: {}", ran.stdout);
    }
    let catalogues = voice.ask(ListCataloguesRequest::default()).await.unwrap();
    let details = catalogues.catalogues[0].details.clone().unwrap();
    assert_eq!(details.licence.unwrap().title, "https://example.org/by");
    let goals = voice
        .ask(ListCatalogueGoalsRequest {
            catalogue_id: catalogue.clone(),
            institution_id: school.institution.clone(),
            ..ListCatalogueGoalsRequest::default()
        })
        .await
        .unwrap();
    assert_eq!(goals.year_plans.len(), 1);
    let goals = &goals.year_plans[0].goals;
    let words: Vec<_> = goals.iter().map(|goal| goal.text.as_str()).collect();
    assert_eq!(words.len(), 3);
    assert!(words.contains(&"Mål 1") && words.contains(&"Mål 2"));
    let again = import(&server, &path, &["--dry-run", "--json"])
        .done()
        .json();
    assert_eq!(again["edition"]["goals_touched"], serde_json::json!([]));
}

/// A package with a goal, a rubric of two criteria, and the goal under two areas.
fn rubric(catalogue: &str, ids: &[String]) -> serde_json::Value {
    let [goal, left, right, other, rubric, criterion, silent] = ids else {
        panic!()
    };
    let item = |id: &String| serde_json::json!({"identifier": id, "fullStatement": id});
    let link = |origin: &String, destination: &String, number: u32| {
        serde_json::json!({
            "associationType": "isChildOf",
            "originNodeURI": {"identifier": origin},
            "destinationNodeURI": {"identifier": destination},
            "sequenceNumber": number,
        })
    };
    let level = |quality: &str, score: u32| {
        serde_json::json!({
            "identifier": format!("{criterion}-{score}"),
            "quality": quality,
            "score": score,
        })
    };
    serde_json::json!({
        "CFDocument": {"identifier": catalogue, "title": "Prøvemål"},
        "CFItems": [item(goal), item(left), item(right), item(other)],
        "CFAssociations": [
            link(goal, left, 1), link(other, left, 2), link(goal, right, 9), link(other, right, 8),
        ],
        "CFRubrics": [{
            "identifier": rubric,
            "title": "Læsescreening",
            "CFRubricCriteria": [
                {
                    "identifier": criterion,
                    "category": "Forståelse",
                    "CFItemURI": {"identifier": goal},
                    "CFRubricCriterionLevels": [
                        level("Sikkert", 3), level("På vej", 2), level("Ikke endnu", 1),
                    ],
                },
                {"identifier": silent, "category": "Tempo"},
            ],
        }],
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_item_has_its_order_under_each_parent_and_a_rubric_is_the_scale_of_a_goal() {
    let home = Home::new();
    let server = home.start();
    let voice = server.voice().await;
    let (_, course) = School::with_course(&voice).await;
    let catalogue = new_id();
    let ids: Vec<String> = (0..7).map(|_| new_id()).collect();
    let path = home.path().join("rubric.json");
    fs::write(&path, rubric(&catalogue, &ids).to_string()).unwrap();
    import(&server, &path, &[]).done();
    for (parent, expected) in [(&ids[1], [&ids[0], &ids[3]]), (&ids[2], [&ids[3], &ids[0]])] {
        let request = ListCatalogueItemsRequest {
            catalogue_id: catalogue.clone(),
            parent_id: Some(parent.clone()),
            ..ListCatalogueItemsRequest::default()
        };
        let items = voice.ask(request).await.unwrap().items;
        let items: Vec<_> = items.iter().map(|item| &item.item_id).collect();
        assert_eq!(items, expected);
    }
    let again = import(&server, &path, &["--json"]).done().json();
    assert_eq!(again["recorded"], 0);

    let asked = ["--json", "--server", &server.url];
    let scales = run([
        &["catalogue", "scales", &catalogue, "--for", &ids[0]][..],
        &asked,
    ]
    .concat());
    let scales = scales.done().json();
    // The rubric's criteria differ: one of them has no levels.
    let expected = serde_json::json!([{
        "item_id": ids[5],
        "title": "Forståelse",
        "levels": ["Ikke endnu", "På vej", "Sikkert"],
        "assessed_item_ids": [ids[0]],
    }]);
    assert_eq!(scales["scales"], expected);
    let request = ListCatalogueScalesRequest {
        catalogue_id: catalogue.clone(),
        assessed_item_id: Some(ids[3].clone()),
        ..ListCatalogueScalesRequest::default()
    };
    assert!(voice.ask(request).await.unwrap().scales.is_empty());

    let revise = |scale, chosen: &str| ReviseGoal {
        goal_id: course.subject_goal.clone(),
        wording: Some(own_words("Læser")),
        scale,
        catalogue_scale: Some(CatalogueItemRef {
            catalogue_id: catalogue.clone(),
            item_id: chosen.to_owned(),
        }),
    };
    let on_course = |revise| year_plan(&course.year_plan, OnYearPlan::ReviseGoal(revise));
    let refused = voice
        .try_execute(on_course(revise(Some(scale()), &ids[5])))
        .await
        .unwrap_err();
    assert_eq!(refused.reason, "REQUEST_INVALID");
    let refused = voice
        .try_execute(on_course(revise(None, &ids[4])))
        .await
        .unwrap_err();
    assert_eq!(refused.reason, "SCALE_INVALID");
    voice.execute(on_course(revise(None, &ids[5]))).await;
    let request = GetYearPlanRequest {
        year_plan_id: course.year_plan.clone(),
        viewer: Viewer::Staff.into(),
        ..GetYearPlanRequest::default()
    };
    let shown = voice.ask(request).await.unwrap();
    assert!(format!("{shown:?}").contains("Ikke endnu"));
}

/// It is larger than what one command may hold.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_large_framework_goes_in_by_parts_and_an_interrupted_one_goes_on() {
    let home = Home::new();
    let server = home.start();
    let voice = server.voice().await;
    let catalogue = new_id();
    let numbers: Vec<Option<u32>> = (0..300).map(Some).collect();
    let mut package = numbered(&catalogue, &numbers);
    for item in package["CFItems"].as_array_mut().unwrap() {
        let words = item["fullStatement"].as_str().unwrap();
        item["fullStatement"] = format!("{words} {}", "a".repeat(19_000)).into();
    }
    let path = home.path().join("large.json");
    let whole = package.to_string();
    assert!(whole.len() > 5 << 20);
    // The last attempt came as far as a part of it.
    let mut begun = package.clone();
    for list in ["CFItems", "CFAssociations"] {
        begun[list].as_array_mut().unwrap().truncate(120);
    }
    fs::write(&path, begun.to_string()).unwrap();
    import(&server, &path, &[]).done();
    assert_eq!(voice.position().await, 1 + 120);
    fs::write(&path, &whole).unwrap();
    let ran = import(&server, &path, &["--json"]).done().json();
    assert_eq!((&ran["refused"], &ran["events"]), (&0.into(), &180.into()));
    assert_eq!(voice.position().await, 1 + 300);
    let catalogues = voice.ask(ListCataloguesRequest::default()).await.unwrap();
    assert_eq!(catalogues.catalogues[0].item_count, 300);
    let again = import(&server, &path, &[]).done();
    assert!(again.stdout.contains("nothing changed"), "{}", again.stdout);
    assert_eq!(voice.position().await, 1 + 300);
}
