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
