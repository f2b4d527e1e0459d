//! The shapes that packages of different publishers have.

use super::*;

/// The numbers of the area and the goal.
fn numbers(package: &Value) -> [Option<i64>; 2] {
    let catalogue = read(package).unwrap();
    [AREA, GOAL].map(|id| catalogue.content.items[&item(id)].sequence)
}

#[test]
fn the_order_is_the_associations_number_else_the_items() {
    let mut numbered = package();
    assert_eq!(numbers(&numbered), [None, None]);
    numbered["CFItems"][0]["sequenceNumber"] = json!(7);
    numbered["CFItems"][1]["sequenceNumber"] = json!(" 8 ");
    assert_eq!(numbers(&numbered), [Some(7), Some(8)]);
    numbered["CFAssociations"][0]["sequenceNumber"] = json!(2);
    numbered["CFAssociations"][1]["sequenceNumber"] = Value::Null;
    assert_eq!(numbers(&numbered), [Some(2), Some(8)]);
    let second = json!({
        "associationType": "isChildOf",
        "originNodeURI": {"identifier": GOAL},
        "destinationNodeURI": {"identifier": DOCUMENT},
        "sequenceNumber": 3,
    });
    numbered["CFAssociations"][1]["sequenceNumber"] = json!(4);
    let links = numbered["CFAssociations"].as_array_mut().unwrap();
    links.push(second);
    assert_eq!(numbers(&numbered), [Some(2), Some(3)]);
    // Under its area the goal keeps the number that it has there.
    let goal = read(&numbered).unwrap().content.items[&item(GOAL)].clone();
    assert_eq!(goal.orders, [(item(AREA), 4)].into());
    let related = json!({"associationType": "isRelatedTo", "sequenceNumber": "first"});
    numbered["CFAssociations"][0] = related;
    assert_eq!(numbers(&numbered), [Some(7), Some(3)]);
}

#[test]
fn a_wrapped_package_is_read_like_the_bare_one() {
    let wrapped = json!({"CFPackage": package()});
    assert_eq!(
        read(&wrapped).unwrap().command(),
        read(&package()).unwrap().command()
    );
    let mut bad = wrapped;
    bad["CFPackage"]["CFDocument"]["title"] = Value::Null;
    assert_eq!(faults(read(&bad)), ["VALUE_MISSING CFDocument.title"]);
    assert_eq!(
        faults(read(&json!({"CFPackage": 1}))),
        ["VALUE_MISSING CFDocument", "VALUE_MISSING CFItems"]
    );
}

#[test]
fn what_is_stored_of_html_is_text_and_is_checked_as_such() {
    let words = |statement: &str| {
        let mut package = package();
        package["CFItems"][1]["fullStatement"] = json!(statement);
        read(&package)
    };
    let catalogue = words("<p>Eleven kan l&aelig;se \\(x^2\\)</p>").unwrap();
    let text = &catalogue.content.items[&item(GOAL)].text;
    assert_eq!(text.as_str(), "Eleven kan læse \\(x^2\\)");
    let refused = |statement| faults(words(statement));
    let field = "CFItems[1].fullStatement";
    assert_eq!(refused("<p><br/></p>"), [format!("VALUE_MISSING {field}")]);
    let hidden = "0102<b></b>03-12&#51;4";
    assert_eq!(refused(hidden), [format!("CPR_FOUND {field}")]);
}

#[test]
fn a_package_of_64_mib_is_read_and_a_longer_one_refused() {
    let mut large = package();
    large["CFItems"][0]["notes"] = json!("");
    let missing = (64 << 20) - large.to_string().len();
    large["CFItems"][0]["notes"] = json!("n".repeat(missing));
    let mut bytes = large.to_string().into_bytes();
    assert_eq!(bytes.len(), 64 << 20);
    let read_large = Catalogue::from_slice("large.json", &bytes).unwrap();
    assert_eq!(read_large.command(), read(&package()).unwrap().command());
    bytes.push(b'\n');
    let refused = Catalogue::from_slice("large.json", &bytes).unwrap_err();
    assert_eq!(refused.faults()[0].code, FaultCode::FileTooLarge);
}

/// What a file of these bytes becomes when it is read piece by piece.
fn opened(bytes: &[u8]) -> Result<Command, ImportFaults> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("goals.json");
    std::fs::write(&path, bytes).unwrap();
    Catalogue::open(&path).map(|catalogue| catalogue.command())
}

#[test]
fn a_file_is_read_as_its_bytes_in_memory_are() {
    let sound = package().to_string();
    let long = "å".repeat(40_000);
    let mut cases = vec![
        sound.clone().into_bytes(),
        format!("\u{feff}{sound}").into_bytes(),
        format!("{sound}\n  \n").into_bytes(),
        format!("{sound} x").into_bytes(),
        sound.as_bytes()[..sound.len() / 2].to_vec(),
        Vec::new(),
        b"[]".to_vec(),
        "\u{feff}".into(),
        b"\xef\xbb".to_vec(),
        b"{\n\"a\" 1,\n\"b\": \"\xff\"}".to_vec(),
        // The wrong byte stands beyond what is read at once.
        format!("{{\n\"a\":\"{long}").into_bytes(),
        [long.as_bytes(), b"\n\xe5"].concat(),
        "\u{fffe}"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect(),
    ];
    // Characters of two bytes lie across the ends of pieces.
    for shift in 0..2 {
        let mut notes = package();
        notes["CFItems"][0]["notes"] = json!(format!("{}{long}", "x".repeat(shift)));
        cases.push(notes.to_string().into_bytes());
    }
    for bytes in cases {
        let memory = Catalogue::from_slice("goals.json", &bytes);
        let memory = memory.map(|catalogue| catalogue.command());
        assert_eq!(
            opened(&bytes).map_err(|faults| faults.to_string()),
            memory.map_err(|faults| faults.to_string())
        );
    }
}

#[test]
fn a_file_that_is_too_long_is_not_read_to_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("goals.json");
    // A file of spaces would not end in memory either; this one takes no room on the disk.
    let file = File::create(&path).unwrap();
    file.set_len(1 << 40).unwrap();
    let refused = Catalogue::open(&path).unwrap_err();
    assert_eq!(refused.faults()[0].code, FaultCode::FileTooLarge);
}

#[test]
fn other_associations_unknown_fields_and_a_byte_order_mark_are_passed_over() {
    let expected = read(&package()).unwrap().command();
    let mut more = package();
    more["CFRubrics"] = json!([1]);
    more["CFItems"][0]["notes"] = json!({"any": "thing"});
    let related = json!({"associationType": "isRelatedTo", "originNodeURI": 7});
    more["CFAssociations"].as_array_mut().unwrap().push(related);
    assert_eq!(read(&more).unwrap().command(), expected);
    let marked = format!("\u{feff}{}", package());
    assert_eq!(
        Catalogue::from_slice("x", marked.as_bytes())
            .unwrap()
            .command(),
        expected
    );
}

#[test]
fn an_item_whose_parent_is_elsewhere_is_kept_without_it_and_counted() {
    let mut foreign = package();
    foreign["CFAssociations"][1]["destinationNodeURI"]["identifier"] = json!("elsewhere");
    let mut again = foreign["CFAssociations"][1].clone();
    again["sequenceNumber"] = json!(4);
    foreign["CFAssociations"]
        .as_array_mut()
        .unwrap()
        .push(again);
    let catalogue = read(&foreign).unwrap();
    let goal = &catalogue.content.items[&item(GOAL)];
    assert!(goal.parents.is_empty());
    assert_eq!(goal.sequence, Some(4));
    let summary = catalogue.summary();
    assert_eq!((summary.roots, summary.foreign_parents), (2, 1));
    let mut beside = foreign["CFAssociations"][0].clone();
    beside["originNodeURI"]["identifier"] = json!(GOAL);
    beside["destinationNodeURI"]["identifier"] = json!(AREA);
    foreign["CFAssociations"]
        .as_array_mut()
        .unwrap()
        .push(beside);
    let catalogue = read(&foreign).unwrap();
    assert_eq!(
        catalogue.content.items[&item(GOAL)].parents,
        [item(AREA)].into()
    );
    assert_eq!(catalogue.summary().foreign_parents, 1);
    assert_eq!(read(&package()).unwrap().summary().foreign_parents, 0);
}

#[test]
fn control_characters_in_published_texts_are_left_out_and_told() {
    let mut damaged = package();
    damaged["CFItems"][1]["fullStatement"] = json!("Find \u{c}rac{1}{2}\nog\u{0} mere");
    damaged["CFItems"][1]["humanCodingScheme"] = json!("dansk\u{b}2");
    damaged["CFItems"][0]["CFItemType"] = json!("Et\nområde");
    let catalogue = read(&damaged).unwrap();
    let goal = &catalogue.content.items[&item(GOAL)];
    assert_eq!(goal.text.as_str(), "Find  rac{1}{2}\nog mere");
    assert_eq!(goal.code.as_ref().unwrap().as_str(), "dansk 2");
    let area = &catalogue.content.items[&item(AREA)];
    assert_eq!(area.kind.as_ref().unwrap().as_str(), "Et område");
    assert_eq!(catalogue.damage().count, 1);
    let told = format!(
        "{GOAL}: the text held a control character U+000C; it may be damaged at the source"
    );
    assert_eq!(catalogue.damage().notes(), [told]);
    assert!(read(&package()).unwrap().damage().notes().is_empty());
    // Without it, an identifier would be another one.
    damaged["CFItems"][1]["identifier"] = json!("mål\u{c}2");
    assert!(read(&damaged).is_err());
}

#[test]
fn more_damaged_items_than_a_few_are_counted() {
    let mut damaged = package();
    let items: Vec<Value> = (0..9)
        .map(|at| json!({"identifier": format!("i{at}"), "fullStatement": "a\u{c}b"}))
        .collect();
    damaged["CFItems"] = json!(items);
    damaged["CFAssociations"] = json!([]);
    let catalogue = read(&damaged).unwrap();
    let notes = catalogue.damage().notes();
    assert_eq!((catalogue.damage().count, notes.len()), (9, 4));
    assert_eq!(notes[3], "and 6 more items with such a text");
}

#[test]
fn a_number_with_a_fraction_of_zero_is_a_whole_number() {
    let mut numbered = package();
    numbered["CFItems"][0]["sequenceNumber"] = json!(1.0);
    numbered["CFAssociations"][1]["sequenceNumber"] = json!(-2e3);
    assert_eq!(numbers(&numbered), [Some(1), Some(-2000)]);
    for wrong in [json!(1.5), json!(1e300), json!(1e17), json!(true)] {
        numbered["CFItems"][0]["sequenceNumber"] = wrong;
        assert_eq!(
            faults(read(&numbered)),
            ["TYPE_WRONG CFItems[0].sequenceNumber"]
        );
    }
}

/// Publishers number their items with ten digits, too, and whoever imports them cannot change them.
#[test]
fn identifiers_of_ten_digits_are_no_cpr_numbers() {
    let with = |id: &str| {
        let text = package().to_string().replace(GOAL, id);
        Catalogue::from_slice("goals.json", text.as_bytes())
    };
    for id in ["0102031234", "1003264125", "010203 1234", "MATH-0102031234"] {
        assert_eq!(with(id).unwrap().summary().items, 2, "{id}");
    }
    assert_eq!(
        faults(with("010203-1234")),
        ["CPR_FOUND CFItems[1].identifier"]
    );
}

#[test]
fn parents_elsewhere_are_told_with_their_places() {
    let mut foreign = package();
    foreign["CFAssociations"][1]["destinationNodeURI"]["identifier"] = json!("elsewhere");
    let catalogue = read(&foreign).unwrap();
    let told: Vec<_> = catalogue
        .passed_over()
        .iter()
        .map(PassedOver::record)
        .collect();
    let [told] = told.as_slice() else {
        panic!("{told:?}")
    };
    let expected = [
        "part",
        "goals.json",
        "",
        "CFAssociations[1].destinationNodeURI.identifier",
        "REFERENCE_DANGLING",
    ];
    assert_eq!(told[..5], expected);
    assert!(told[5].contains("; ") && !told[5].contains("elsewhere"));
}

/// In memory, most of these would take more than 100 MiB.
const HOSTILE: &str = "PLANLEDGER_MEASURED_HOSTILE";

#[test]
fn a_package_that_is_no_package_takes_hardly_any_memory() {
    if std::env::var(HOSTILE).is_err() {
        let name = "import::catalogue::tests::shapes::\
                    a_package_that_is_no_package_takes_hardly_any_memory";
        return planledger_fixtures::footprint::in_its_own_process(name, HOSTILE, "1");
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("goals.json");
    for (begin, element, end, field) in [
        ("{\"CFDocument\":{\"x\":[", "0,", "]}}", "CFDocument"),
        ("{\"CFItems\":[[", "{},", "]]}", "CFItems[0]"),
        ("{\"CFItems\":[", "0,", "]}", "CFItems[0]"),
        ("{\"CFItems\":[],\"CFRubrics\":[", "0,", "]}", "CFDocument"),
        (
            "{\"CFDefinitions\":{\"CFLicenses\":[[",
            "0,",
            "]]}}",
            "CFDocument",
        ),
    ] {
        let mut text = begin.to_owned();
        while text.len() < 8 << 20 {
            text.push_str(element);
        }
        text.pop();
        std::fs::write(&path, text + end).unwrap();
        let (read, more) = planledger_fixtures::footprint::more_mib(|| Catalogue::open(&path));
        let refused = read.unwrap_err();
        assert_eq!(refused.faults()[0].field.as_deref(), Some(field));
        assert!(more < 32, "{begin}: {more}");
    }
}
