//! Catalogues: what good ones become, and what is said about bad ones.

mod rights;
mod shapes;

use planledger_core::domain::catalogue::CatalogueItem;
use planledger_core::ids::{CatalogueId, CatalogueItemId};
use planledger_core::text::{Code, Text};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::import::{PassedOverKind, names, sample};

const DOCUMENT: &str = "11111111-1111-4111-8111-111111111111";
const AREA: &str = "22222222-2222-4222-8222-222222222222";
const GOAL: &str = "33333333-3333-4333-8333-333333333333";
const LINK: &str = "44444444-4444-4444-8444-444444444444";

fn package() -> Value {
    let link = |origin: &str, destination: &str| {
        json!({
            "identifier": LINK,
            "associationType": "isChildOf",
            "originNodeURI": {"identifier": origin},
            "destinationNodeURI": {"identifier": destination},
        })
    };
    json!({
        "CFDocument": {"identifier": DOCUMENT, "title": "Mål", "creator": "Ministeriet", "language": "da"},
        "CFItems": [
            {"identifier": AREA, "fullStatement": "Læsning", "CFItemType": "Område"},
            {"identifier": GOAL, "fullStatement": "Eleven kan læse", "humanCodingScheme": "dansk/2"},
        ],
        "CFAssociations": [link(AREA, DOCUMENT), link(GOAL, AREA)],
    })
}

fn read(package: &Value) -> Result<Catalogue, ImportFaults> {
    Catalogue::from_slice("goals.json", package.to_string().as_bytes())
}

/// Puts a value under a path, whose last name need not be there yet.
fn put(package: &mut Value, path: &str, value: Value) {
    let (holder, name) = path.rsplit_once('/').unwrap();
    match package.pointer_mut(holder).unwrap() {
        Value::Array(list) => list[name.parse::<usize>().unwrap()] = value,
        object => object[name] = value,
    }
}

/// What is wrong, as `code field`.
fn faults(result: Result<Catalogue, ImportFaults>) -> Vec<String> {
    let told = result.expect_err("the package has no faults");
    let field = |fault: &ImportFault| {
        assert_eq!(fault.file, "goals.json");
        format!(
            "{} {}",
            fault.code,
            fault.field.as_deref().unwrap_or_default()
        )
    };
    told.faults().iter().map(field).collect()
}

fn item(id: &str) -> CatalogueItemId {
    id.parse().unwrap()
}

#[test]
fn a_package_becomes_one_command_with_the_publishers_ids() {
    let catalogue = read(&package()).unwrap();
    let Command::Catalogue(id, CatalogueCommand::Put { details, items }) = catalogue.command()
    else {
        unreachable!()
    };
    assert_eq!(id.to_string(), DOCUMENT);
    assert_eq!(details.title.as_str(), "Mål");
    assert_eq!(details.publisher.unwrap().as_str(), "Ministeriet");
    assert_eq!(details.language.unwrap().as_str(), "da");
    let area = CatalogueItem {
        text: Text::new("Læsning").unwrap(),
        kind: Some(Title::new("Område").unwrap()),
        code: None,
        parents: [].into(),
        sequence: None,
        orders: BTreeMap::new(),
        licence: None,
    };
    let goal = CatalogueItem {
        text: Text::new("Eleven kan læse").unwrap(),
        kind: None,
        code: Some(Code::new("dansk/2").unwrap()),
        parents: [item(AREA)].into(),
        sequence: None,
        orders: BTreeMap::new(),
        licence: None,
    };
    assert_eq!(items, [(item(AREA), area), (item(GOAL), goal)].into());
}

#[test]
fn the_national_goals_are_read_whole_and_always_the_same() {
    let catalogue = Catalogue::from_slice("catalogue.case.json", sample::CATALOGUE).unwrap();
    let again = Catalogue::from_slice("another.json", sample::CATALOGUE).unwrap();
    assert_eq!(catalogue.command(), again.command());
    let summary = catalogue.summary();
    assert_eq!((summary.items, summary.roots), (146, 13));
    let kinds: Vec<(&str, u64)> = summary
        .kinds
        .iter()
        .map(|(kind, count)| (kind.as_str(), *count))
        .collect();
    assert_eq!(
        kinds,
        [("Fag", 13), ("Kompetencemål", 89), ("Kompetenceområde", 44)]
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/catalogue.case.json");
    assert_eq!(
        Catalogue::open(&path).unwrap().command(),
        catalogue.command()
    );
}

#[test]
fn identifiers_that_are_no_uuids_get_ids_that_stay_the_same() {
    let text = package()
        .to_string()
        .replace(GOAL, "maal-7")
        .replace(DOCUMENT, "doc");
    let first = Catalogue::from_slice("a", text.as_bytes()).unwrap();
    let again = Catalogue::from_slice("b", text.as_bytes()).unwrap();
    assert_eq!(first.command(), again.command());
    let derived = CatalogueItemId::from_uuid(names::derive("case", "item", "maal-7"));
    assert_eq!(first.content.items[&derived].parents, [item(AREA)].into());
    assert_eq!(
        first.content.id,
        CatalogueId::from_uuid(names::derive("case", "document", "doc"))
    );
    assert!(
        first.content.items[&item(AREA)].parents.is_empty(),
        "the document is no parent"
    );
}

/// Whoever imports a catalogue cannot change its words.
#[test]
fn numbers_of_ten_digits_in_a_published_goal_are_no_cpr_numbers() {
    for words in [
        "Læse kapitel 2 i lærebogen (ISBN 0306406152)",
        "Omregne binære tal som 1010101010 til titalssystemet",
        "Tal som 0102031234",
    ] {
        let mut package = package();
        package["CFItems"][1]["fullStatement"] = json!(words);
        let catalogue = read(&package).unwrap();
        let Command::Catalogue(_, CatalogueCommand::Put { items, .. }) = catalogue.command() else {
            unreachable!()
        };
        assert_eq!(items[&item(GOAL)].text.as_str(), words);
    }
}

/// What must be said | which value of the package is replaced | by what.
const CASES: &str = r#"
VALUE_MISSING CFDocument | /CFDocument | null
TYPE_WRONG CFDocument | /CFDocument | []
VALUE_MISSING CFDocument.title | /CFDocument/title | " "
TYPE_WRONG CFDocument.creator | /CFDocument/creator | 1
CPR_FOUND CFDocument.identifier | /CFDocument/identifier | "010203-1234"
ID_DUPLICATED CFItems[0].identifier | /CFDocument/identifier | "{area}"
VALUE_MISSING CFItems | /CFItems | null
VALUE_MISSING CFItems | /CFItems | []
TYPE_WRONG CFItems | /CFItems | {}
TYPE_WRONG CFItems[1] | /CFItems/1 | "goal"
TYPE_WRONG CFItems[1].sequenceNumber | /CFItems/1/sequenceNumber | "second"
TYPE_WRONG CFAssociations[1].sequenceNumber | /CFAssociations/1/sequenceNumber | 1.5
ID_DUPLICATED CFItems[1].identifier | /CFItems/1/identifier | "{area}"
VALUE_MISSING CFItems[1].identifier | /CFItems/1/identifier | ""
VALUE_MISSING CFItems[1].identifier | /CFItems/1/identifier | "00000000-0000-0000-0000-000000000000"
TEXT_TOO_LONG CFItems[1].identifier | /CFItems/1/identifier | "{long}"
VALUE_MISSING CFItems[1].fullStatement | /CFItems/1/fullStatement | null
TYPE_WRONG CFItems[1].fullStatement | /CFItems/1/fullStatement | ["a"]
TEXT_TOO_LONG CFItems[1].fullStatement | /CFItems/1/fullStatement | "{long}"
CPR_FOUND CFItems[1].fullStatement | /CFItems/1/fullStatement | "Bo 010203-1234"
TEXT_CONTROL_CHARACTER CFItems[1].identifier | /CFItems/1/identifier | "a\u0000"
TYPE_WRONG CFAssociations | /CFAssociations | "none"
TYPE_WRONG CFAssociations[0] | /CFAssociations/0 | 0
VALUE_MISSING CFAssociations[0].associationType | /CFAssociations/0/associationType | null
VALUE_MISSING CFAssociations[1].originNodeURI | /CFAssociations/1/originNodeURI | null
TYPE_WRONG CFAssociations[1].originNodeURI | /CFAssociations/1/originNodeURI | "uri"
CPR_FOUND CFAssociations[1].originNodeURI.identifier | /CFAssociations/1/originNodeURI/identifier | "010203-1234"
REFERENCE_DANGLING CFAssociations[1].originNodeURI.identifier | /CFAssociations/1/originNodeURI/identifier | "{link}"
REFERENCE_DANGLING CFAssociations[1].originNodeURI.identifier | /CFAssociations/1/originNodeURI/identifier | "{document}"
REFERENCE_CYCLE CFItems[0] | /CFAssociations/0/destinationNodeURI/identifier | "{goal}"
REFERENCE_CYCLE CFItems[1] | /CFAssociations/1/destinationNodeURI/identifier | "{goal}"
"#;

#[test]
fn each_fault_is_told_with_its_code_and_the_path_of_the_value() {
    let long = "x".repeat(Text::LIMIT + 1);
    let names = [
        ("{long}", long.as_str()),
        ("{document}", DOCUMENT),
        ("{area}", AREA),
        ("{goal}", GOAL),
        ("{link}", LINK),
    ];
    for case in CASES.trim().lines() {
        let [expected, path, value] = case.split(" | ").collect::<Vec<_>>().try_into().unwrap();
        let value = names.iter().fold(value.to_owned(), |value, (name, is)| {
            value.replace(name, is)
        });
        let mut bad = package();
        put(&mut bad, path, serde_json::from_str(&value).unwrap());
        assert_eq!(faults(read(&bad)), [expected], "{case}");
        assert_says_what_to_do(&read(&bad).unwrap_err());
    }
}

/// Each message says what is wrong and, after a semicolon, what to do.
fn assert_says_what_to_do(faults: &ImportFaults) {
    for fault in faults.faults() {
        assert!(fault.message.contains("; "), "{fault}");
    }
}

#[test]
fn a_dangling_association_is_named_without_what_it_holds() {
    let mut bad = package();
    bad["CFAssociations"][1]["originNodeURI"]["identifier"] = json!("gone");
    let told = read(&bad).unwrap_err().to_string();
    let expected = format!("the origin of the association {LINK} is not in the package");
    assert!(told.contains(&expected), "{told}");
    assert!(!told.contains("gone"));
}

#[test]
fn what_hangs_below_a_cycle_is_not_called_one() {
    let mut bad = package();
    bad["CFAssociations"][0]["destinationNodeURI"]["identifier"] = json!(AREA);
    assert_eq!(faults(read(&bad)), ["REFERENCE_CYCLE CFItems[0]"]);
}

#[test]
fn bytes_that_are_no_utf8_or_no_json_are_told_with_their_line() {
    let row = |bytes: &[u8]| {
        let told = Catalogue::from_slice("goals.json", bytes).unwrap_err();
        assert_says_what_to_do(&told);
        (told.faults()[0].code, told.faults()[0].row)
    };
    assert_eq!(
        row(b"{\n\"a\": \"\xff\"}"),
        (FaultCode::Utf8Invalid, Some(2))
    );
    assert_eq!(row(b"{\n\n\"a\" 1}"), (FaultCode::JsonInvalid, Some(3)));
    assert_eq!(row(b"[]"), (FaultCode::TypeWrong, None));
    assert_eq!(row(&vec![b'['; 100_000]), (FaultCode::JsonInvalid, Some(1)));
    let gone = Catalogue::open(Path::new("no/such.json")).unwrap_err();
    assert_eq!(gone.faults()[0].code, FaultCode::FileMissing);
    assert_eq!(gone.faults()[0].file, "such.json");
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        drop(Catalogue::from_slice("x", &bytes));
    }

    /// A value put anywhere is either refused with its path or read; never both, never neither.
    #[test]
    fn no_value_anywhere_makes_the_reader_panic(
        links in prop::collection::vec((0..4usize, 0..4usize), 0..8),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let ids = [DOCUMENT, AREA, GOAL, LINK];
        let mut changed = package();
        changed["CFAssociations"] = links
            .iter()
            .map(|(origin, destination)| json!({
                "associationType": "isChildOf",
                "originNodeURI": {"identifier": ids[*origin]},
                "destinationNodeURI": {"identifier": ids[*destination]},
            }))
            .collect();
        let mut bytes = changed.to_string().into_bytes();
        for (place, byte) in edits {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(catalogue) = Catalogue::from_slice("x", &bytes) {
            // No item is above itself, and every parent is there.
            for (id, item) in &catalogue.content.items {
                let mut above: Vec<_> = item.parents.iter().collect();
                while let Some(parent) = above.pop() {
                    prop_assert!(parent != id);
                    above.extend(&catalogue.content.items[parent].parents);
                }
            }
        }
    }
}
