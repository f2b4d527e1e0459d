//! The published schema of `planledger access subject` is what the descriptor of the API makes it.

use std::collections::BTreeMap;

use planledger_proto::FILE_DESCRIPTOR_SET;
use prost_reflect::{DescriptorPool, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use crate::pages::root;

const FILE: &str = "service/schema/subject-access-v1.schema.json";
const UUID: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";
const NUMBER: &str = "^[0-9]+$";

/// The sections that are lists of messages.
const LISTS: [(&str, &str, &str); 9] = [
    (
        "teams",
        "Team",
        "Teams with the person as a student or on the staff.",
    ),
    ("owned", "OwnedItem", "What the person owns."),
    (
        "suggestions",
        "DepartureSuggestion",
        "What suggests that the person has left.",
    ),
    (
        "recoveries",
        "Recovery",
        "Recoveries that the person began, or whose steps name the person.",
    ),
    (
        "events",
        "Event",
        "The history: of the person, and of all plans of the person.",
    ),
    ("grants", "Grants", "Roles that the person was given."),
    (
        "grantsAbout",
        "Grants",
        "Roles that somebody was given for this student alone.",
    ),
    (
        "erasures",
        "Erasure",
        "Requests to redact or erase something of the person.",
    ),
    (
        "readers",
        "PlanRead",
        "Who has read the plans of the person, newest first.",
    ),
];

/// Every message that the copy holds, by name.
#[derive(Default)]
struct Definitions(BTreeMap<String, Value>);

impl Definitions {
    fn reference(&mut self, message: &MessageDescriptor) -> Value {
        let name = message.name().to_owned();
        if !self.0.contains_key(&name) {
            self.0.insert(name.clone(), Value::Null);
            let mut properties = Map::new();
            for field in message.fields() {
                properties.insert(field.json_name().to_owned(), self.field(&field));
            }
            let described = json!({
                "description": comment(&message.parent_file(), message.path()),
                "type": "object",
                "properties": properties,
                "additionalProperties": false,
            });
            self.0.insert(name.clone(), described);
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    fn field(&mut self, field: &FieldDescriptor) -> Value {
        assert!(!field.is_map(), "{} is a map", field.full_name());
        let one = match field.kind() {
            Kind::Double | Kind::Float => json!({ "type": "number" }),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 | Kind::Uint32 | Kind::Fixed32 => {
                json!({ "type": "integer" })
            }
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
                json!({ "type": "string", "pattern": "^-?[0-9]+$" })
            }
            Kind::Uint64 | Kind::Fixed64 => json!({ "type": "string", "pattern": NUMBER }),
            Kind::Bool => json!({ "type": "boolean" }),
            Kind::String | Kind::Bytes => json!({ "type": "string" }),
            Kind::Enum(values) => {
                let names: Vec<_> = values.values().map(|it| it.name().to_owned()).collect();
                json!({ "enum": names })
            }
            Kind::Message(message) if message.full_name() == "google.protobuf.Timestamp" => {
                json!({ "type": "string", "format": "date-time" })
            }
            Kind::Message(message) => self.reference(&message),
        };
        let mut schema = match field.is_list() {
            true => json!({ "type": "array", "items": one }),
            false => one,
        };
        let described = comment(&field.parent_message().parent_file(), field.path());
        schema["description"] = described.into();
        schema
    }
}

/// The comment before something in a file of the API, as one line.
fn comment(file: &FileDescriptor, path: &[i32]) -> String {
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    let mut locations = info.unwrap().location.iter();
    let found = locations.find(|location| location.path == path).unwrap();
    let words: Vec<_> = found.leading_comments().split_whitespace().collect();
    words.join(" ")
}

fn object(description: &str, required: &[&str], properties: Value) -> Value {
    json!({
        "description": description,
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": false,
    })
}

fn schema() -> Value {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
    let message = |name: &str| {
        let name = format!("planledger.v1.{name}");
        pool.get_message_by_name(&name).unwrap()
    };
    let mut definitions = Definitions::default();
    let mut sections = Map::new();
    for (section, name, description) in LISTS {
        let items = definitions.reference(&message(name));
        let list = json!({ "description": description, "type": "array", "items": items });
        sections.insert(section.to_owned(), list);
    }
    let person = json!({
        "person": definitions.reference(&message("Person")),
        "children": { "type": "array", "items": definitions.reference(&message("Child")) },
    });
    let described = "The person in the roster, and children that the person is a guardian of.";
    let person = object(described, &["person", "children"], person);
    sections.insert("person".to_owned(), person);
    let plans = definitions.reference(&message("CollectedView"));
    sections.insert("plans".to_owned(), plans);
    sections.insert("acts".to_owned(), acts());
    let viewers = definitions.field(
        &message("GetPlanRequest")
            .get_field_by_name("viewer")
            .unwrap(),
    );
    let mut viewers = viewers["enum"].as_array().unwrap().clone();
    viewers.push(Value::Null);
    let left_out = object(
        "A part that is not in the copy.",
        &["part", "code", "why"],
        json!({
            "part": { "type": "string", "description": "A section, or what is missing of one." },
            "code": { "type": "string", "pattern": "^[A-Za-z_]+$", "description": "The reason of the server (`ErrorReason` of the API); PROTECTED: the rights of others protect it; NOT_ASKED: whoever made the copy did not ask for it." },
            "why": { "type": "string", "description": "The same, in a sentence for people." },
        }),
    );
    let names: Vec<_> = sections.keys().cloned().collect();
    let section_list = object(
        "What is held. A section that is not there is named in `leftOut`.",
        &[],
        sections.into(),
    );
    let members = json!({
        "format": { "const": "planledger subject access v1" },
        "madeAt": { "type": "string", "format": "date-time", "description": "When the copy was begun." },
        "position": { "type": "string", "pattern": NUMBER, "description": "Everything that the ledger recorded up to this position is in the copy; later events may be. 0: no part was answered." },
        "person": { "type": "string", "pattern": UUID, "description": "Whom it is about." },
        "for": { "enum": ["self", "guardian", "records"], "description": "For whom it is: the person, a guardian, or the records officers." },
        "viewer": { "enum": viewers, "description": "Through whose eyes plans are shown; null if none are." },
        "readersCompleteSince": { "type": ["string", "null"], "format": "date-time", "description": "Since when the list of readers is complete: reads from before are no longer on record, or were never recorded. null if the server does not know, or readers are left out." },
        "leftOut": { "type": "array", "items": left_out, "description": "What is not in the copy, and why." },
        "limitedToReader": { "type": "array", "items": { "enum": names }, "description": "Sections with only what whoever asked for the copy may see." },
        "sections": section_list,
    });
    let required = [
        "format",
        "madeAt",
        "position",
        "person",
        "for",
        "viewer",
        "readersCompleteSince",
        "leftOut",
        "limitedToReader",
        "sections",
    ];
    let mut schema = object(
        "Everything that a planledger ledger holds on a person, as `planledger access subject` writes it. Messages of the API stand in it as canonical protobuf JSON: members with the default value are left out, and 64-bit numbers are strings.",
        &required,
        members,
    );
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "planledger subject access v1".into();
    schema["$defs"] = Map::from_iter(definitions.0).into();
    schema
}

fn acts() -> Value {
    let act = object(
        "An event that the person has to do with, without its content.",
        &["position", "stream", "type", "recordedAt", "as"],
        json!({
            "position": { "type": "string", "pattern": NUMBER },
            "stream": { "type": "string" },
            "type": { "type": "string" },
            "recordedAt": { "type": ["string", "null"], "format": "date-time" },
            "as": {
                "description": "Who the person is there: who acted, for whom somebody acted, or somebody whom the content names.",
                "type": "array",
                "items": { "enum": ["actor", "onBehalfOf", "named"] },
            },
        }),
    );
    json!({ "description": "What the person did anywhere, and where the person is named.", "type": "array", "items": act })
}

#[test]
fn the_published_schema_describes_what_the_api_has_now() {
    let schema = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    let published = std::fs::read_to_string(root().join(FILE)).unwrap_or_default();
    if published != schema {
        let made = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("subject-access.json");
        std::fs::write(&made, schema).unwrap();
        panic!(
            "{FILE} is not what it has to be; compare it with {}",
            made.display()
        );
    }
}
