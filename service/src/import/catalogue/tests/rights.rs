//! Licences, rubrics and parts of large packages.

use std::collections::BTreeSet;
use std::io::Write;

use planledger_core::domain::catalogue::{CRITERION, Catalogue as Present, LEVEL, SCALE};
use planledger_fixtures::footprint;

use super::*;

const RUBRIC: &str = "55555555-5555-4555-8555-555555555555";
const CRITERION_ID: &str = "66666666-6666-4666-8666-666666666666";

#[test]
fn the_licence_of_the_document_and_of_an_item_with_another_are_kept() {
    let mut licensed = package();
    licensed["CFDocument"]["licenseURI"] =
        json!({"title": "Licens", "identifier": "by", "uri": "https://example.org/by"});
    licensed["CFDocument"]["rightsHolder"] = json!("Staten");
    licensed["CFItems"][0]["licenseURI"] =
        json!({"identifier": "by", "uri": "https://example.org/by"});
    licensed["CFItems"][1]["licenseURI"] = json!("https://example.org/other");
    licensed["CFDefinitions"] = json!({"CFLicenses": [
        {"identifier": "by", "title": "CC BY 4.0", "licenseText": "<p>Navngiv kilden</p>"},
    ]});
    let catalogue = read(&licensed).unwrap();
    let summary = catalogue.summary();
    let licence = summary.licence.unwrap();
    assert_eq!(licence.title.as_str(), "CC BY 4.0");
    assert_eq!(licence.uri.unwrap().as_str(), "https://example.org/by");
    assert_eq!(licence.text.unwrap().as_str(), "Navngiv kilden");
    assert_eq!(summary.rights_holder.unwrap().as_str(), "Staten");
    assert_eq!(summary.items_with_licence, 1);
    assert!(catalogue.item(item(AREA)).unwrap().licence.is_none());
    let other = catalogue
        .item(item(GOAL))
        .unwrap()
        .licence
        .as_ref()
        .unwrap();
    assert_eq!(other.title.as_str(), "https://example.org/other");
}

fn with_rubric() -> Value {
    let mut package = package();
    package["CFRubrics"] = json!([{
        "identifier": RUBRIC,
        "title": "Læsescreening",
        "CFRubricCriteria": [
            {
                "identifier": CRITERION_ID,
                "weight": 0.5,
                "category": "Forståelse",
                "position": 1,
                "CFItemURI": {"identifier": GOAL},
                "CFRubricCriterionLevels": [
                    {"identifier": "level-2", "quality": "Sikkert", "score": 4, "position": 2},
                    {"identifier": "level-1", "quality": "På vej", "description": "Med støtte", "score": 1.5, "position": 1},
                ],
            },
            {"identifier": "borrows", "CFItemURI": {"identifier": AREA}},
            {"identifier": "silent"},
            "nothing",
        ],
    }]);
    package
}

#[test]
fn a_rubric_becomes_a_scale_with_criteria_and_levels_in_order() {
    let catalogue = read(&with_rubric()).unwrap();
    let summary = catalogue.summary();
    let kinds = [SCALE, CRITERION, LEVEL].map(|kind| summary.kinds[&Title::new(kind).unwrap()]);
    assert_eq!(kinds, [1, 2, 2]);
    assert_eq!(summary.rubric_parts_passed_over, 2);
    let criterion = catalogue.item(item(CRITERION_ID)).unwrap();
    assert_eq!(criterion.text.as_str(), "Forståelse\nWeight: 0.5");
    assert_eq!(criterion.parents, [item(RUBRIC), item(GOAL)].into());
    let present = present(&catalogue);
    let levels = present.listed(Some(item(CRITERION_ID)), None, 10);
    let levels: Vec<_> = levels
        .iter()
        .map(|(_, level)| (level.text.as_str(), level.code.as_ref().unwrap().as_str()))
        .collect();
    assert_eq!(levels, [("På vej\nMed støtte", "1.5"), ("Sikkert", "4")]);
    let borrowed = CatalogueItemId::from_uuid(names::derive("case", "item", "borrows"));
    assert_eq!(catalogue.item(borrowed).unwrap().text.as_str(), "Læsning");
}

#[test]
fn each_part_of_a_rubric_that_is_passed_over_has_its_place_and_reason() {
    let mut package = with_rubric();
    let level = json!({"identifier": "below", "quality": "x"});
    package["CFRubrics"][0]["CFRubricCriteria"][2]["CFRubricCriterionLevels"] = json!([level]);
    let rubrics = package["CFRubrics"].as_array_mut().unwrap();
    rubrics.push(json!({"title": "Uden id"}));
    rubrics.push(json!({"identifier": "010203-1234", "title": "x"}));
    rubrics.push(json!({"identifier": AREA, "title": "x"}));
    let many: Vec<u8> = vec![0; crate::import::json::MOST_VALUES];
    rubrics.push(json!({"identifier": "large", "title": "x", "many": many}));
    let catalogue = read(&package).unwrap();
    let told = catalogue.passed_over().iter().map(|passed| {
        let fault = &passed.fault;
        assert_eq!(passed.kind, PassedOverKind::Bad);
        assert!(fault.message.contains("; ") && !fault.message.contains("010203"));
        assert_eq!(fault.file, "goals.json");
        let field = fault.field.as_deref().unwrap_or_default();
        format!("{} {field}", fault.code)
    });
    let mut told: Vec<_> = told.collect();
    told.sort();
    let criteria = "CFRubrics[0].CFRubricCriteria";
    let mut expected = [
        format!("VALUE_MISSING {criteria}[2]"),
        format!("ROW_PASSED_OVER {criteria}[2].CFRubricCriterionLevels[0]"),
        format!("TYPE_WRONG {criteria}[3]"),
        "VALUE_MISSING CFRubrics[1].identifier".to_owned(),
        "CPR_FOUND CFRubrics[2].identifier".to_owned(),
        "ID_DUPLICATED CFRubrics[3]".to_owned(),
        "FILE_TOO_LARGE CFRubrics[4]".to_owned(),
    ];
    expected.sort();
    assert_eq!(told, expected);
    assert_eq!(catalogue.summary().rubric_parts_passed_over, 7);
}

/// A rubric was passed over before. It must not keep out a package that went in.
#[test]
fn no_fault_in_rubrics_or_licences_refuses_a_package() {
    for broken in [
        json!(1),
        json!("x"),
        json!({}),
        json!([1, null, {}, {"identifier": AREA, "title": "x"}]),
    ] {
        let mut package = package();
        package["CFRubrics"] = broken.clone();
        package["CFDefinitions"] = json!({"CFLicenses": broken});
        package["CFDocument"]["licenseURI"] = broken;
        assert_eq!(read(&package).unwrap().summary().items, 2);
    }
}

#[test]
fn lists_may_come_in_any_order() {
    let text = package().to_string();
    let parsed: Value = serde_json::from_str(&text).unwrap();
    let part = |name: &str| format!("\"{name}\": {}", parsed[name]);
    let turned = format!(
        "{{{}, {}, {}}}",
        part("CFAssociations"),
        part("CFItems"),
        part("CFDocument")
    );
    let turned = Catalogue::from_slice("goals.json", turned.as_bytes()).unwrap();
    assert_eq!(turned.command(), read(&package()).unwrap().command());
}

fn present(catalogue: &Catalogue) -> Present {
    Present {
        details: catalogue.content.details.clone(),
        items: catalogue.content.items.clone(),
        retired: Default::default(),
    }
}

/// A package of this many goals in a row of areas, each with words of this length.
fn long(goals: usize, words: usize, fill: char) -> Value {
    let id = |number: usize| format!("goal-{number}");
    let text = fill.to_string().repeat(words);
    let items = (0..goals).map(|number| json!({"identifier": id(number), "fullStatement": text}));
    let links = (1..goals).map(|number| {
        json!({
            "associationType": "isChildOf",
            "originNodeURI": {"identifier": id(number)},
            "destinationNodeURI": {"identifier": id(number / 10)},
        })
    });
    json!({
        "CFDocument": {"identifier": DOCUMENT, "title": "Mål"},
        "CFItems": items.collect::<Vec<_>>(),
        "CFAssociations": links.filter(|link| link["originNodeURI"] != link["destinationNodeURI"]).collect::<Vec<_>>(),
    })
}

/// The parts of a command, carried out on what is there.
fn carry_out(present: &mut Option<Present>, command: Command) -> (usize, usize) {
    let Command::Catalogue(
        _,
        CatalogueCommand::PutPart {
            details,
            items,
            retire,
        },
    ) = command
    else {
        panic!("a large catalogue is sent in parts")
    };
    let now = present.get_or_insert_with(|| Present {
        details: details.clone(),
        items: Default::default(),
        retired: Default::default(),
    });
    now.details = details;
    let told = (items.len(), retire.len());
    now.items.extend(items);
    now.items.retain(|id, _| !retire.contains(id));
    // Every part leaves parents that are there.
    for item in now.items.values() {
        assert!(
            item.parents
                .iter()
                .all(|parent| now.items.contains_key(parent))
        );
    }
    told
}

#[test]
fn a_large_catalogue_goes_in_part_by_part_and_goes_on_where_it_stopped() {
    let catalogue = read(&long(300, 19_000, 'a')).unwrap();
    assert!(catalogue.is_large());
    let parts = catalogue.parts(None);
    assert!(parts.len() > 1);
    let mut now = None;
    carry_out(&mut now, parts[0].clone());
    let rest = catalogue.parts(now.as_ref());
    assert_eq!(rest.len(), parts.len() - 1);
    for part in rest {
        carry_out(&mut now, part);
    }
    assert_eq!(now.as_ref(), Some(&present(&catalogue)));
    // Again: one command, which changes nothing.
    let again: Vec<_> = catalogue.parts(now.as_ref());
    assert_eq!(again.len(), 1);
    assert_eq!(carry_out(&mut now, again[0].clone()), (0, 0));
    // The next edition has fewer and other goals, and is sent as what it changes.
    let mut next = long(290, 19_000, 'a');
    next["CFItems"][7]["fullStatement"] = json!("Andre ord");
    let next = read(&next).unwrap();
    let told: Vec<_> = next
        .parts(now.as_ref())
        .into_iter()
        .map(|part| carry_out(&mut now, part))
        .collect();
    assert_eq!(told, [(1, 0), (0, 10)]);
    assert_eq!(now.as_ref(), Some(&present(&next)));
}

#[test]
fn many_short_goals_are_cut_too_and_a_small_catalogue_is_not() {
    let catalogue = read(&long(4_001, 1, 'a')).unwrap();
    assert!(catalogue.is_large());
    assert_eq!(catalogue.parts(None).len(), 2);
    let ids: BTreeSet<_> = catalogue.content.items.keys().collect();
    assert_eq!(ids.len(), 4_001);
    assert!(!read(&package()).unwrap().is_large());
}

/// Where the process that is measured finds its package.
const MEASURED: &str = "PLANLEDGER_TEST_PACKAGE";

/// A package of 60 MiB, all of it in goals, is read in a process of its own: this test, called again.
#[test]
fn reading_60_mib_takes_little_more_memory_than_its_words() {
    if let Some(path) = std::env::var_os(MEASURED) {
        let (catalogue, more) = footprint::more_mib(|| Catalogue::open(Path::new(&path)).unwrap());
        assert_eq!(catalogue.summary().items, 3_200);
        assert!(more < 85, "{more}");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("large.json");
    let mut file = std::io::BufWriter::new(File::create(&path).unwrap());
    let words = "a".repeat(19_500);
    write!(
        file,
        "{{\"CFDocument\":{{\"identifier\":\"{DOCUMENT}\",\"title\":\"Mål\"}},\"CFItems\":["
    )
    .unwrap();
    for number in 0..3_200 {
        let comma = if number == 0 { "" } else { "," };
        write!(
            file,
            "{comma}{{\"identifier\":\"goal-{number}\",\"fullStatement\":\"{words}\"}}"
        )
        .unwrap();
    }
    write!(file, "]}}").unwrap();
    drop(file);
    let length = path.metadata().unwrap().len() >> 20;
    assert!((59..64).contains(&length), "{length}");
    let name = "import::catalogue::tests::rights::\
                reading_60_mib_takes_little_more_memory_than_its_words";
    footprint::in_its_own_process(name, MEASURED, &path);
}
