//! What the descriptor of the API says: fields by their paths, and errors by their comments.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use planledger_proto::FILE_DESCRIPTOR_SET;
use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value,
};
use tonic::Code;

static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap());

/// What error.proto says about a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Documented {
    pub(crate) code: Code,
    pub(crate) retryable: bool,
}

/// Every method of the API, as clients name it.
pub(crate) fn methods() -> Vec<String> {
    let services = POOL.services();
    let services = services.filter(|service| service.package_name() == "planledger.v1");
    services
        .flat_map(|service| {
            let methods = service.methods().map(|method| snake(method.name()));
            methods.collect::<Vec<_>>()
        })
        .collect()
}

/// "ListPlans" is `list_plans`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// Every reason of an error, without the prefix, by what the comment beside it says.
pub(crate) fn documented() -> &'static BTreeMap<String, Documented> {
    static DOCUMENTED: LazyLock<BTreeMap<String, Documented>> = LazyLock::new(|| {
        let reasons = enumeration("ErrorReason");
        let values = reasons.values().filter(|value| value.number() != 0);
        values
            .map(|value| {
                let comment = comment(&reasons, value.path());
                let name = value.name().strip_prefix("ERROR_REASON_").unwrap();
                (name.to_owned(), read(&comment))
            })
            .collect()
    });
    &DOCUMENTED
}

/// "NOT_FOUND. Final. A command names …"
fn read(comment: &str) -> Documented {
    let mut sentences = comment.split('.').map(str::trim);
    let code = sentences.next().unwrap();
    let retryable = match sentences.next().unwrap() {
        "Final" => false,
        "Retryable" => true,
        other => panic!("neither final nor retryable: {other}"),
    };
    let code = (1..=16)
        .map(Code::from_i32)
        .find(|known| code_name(*known) == code)
        .unwrap_or_else(|| panic!("{code} is no gRPC code"));
    Documented { code, retryable }
}

/// A code's name in the gRPC specification: `NotFound` is `NOT_FOUND`.
fn code_name(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

fn comment(of: &EnumDescriptor, path: &[i32]) -> String {
    let file = of.parent_file();
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    let mut locations = info.unwrap().location.iter();
    let found = locations.find(|location| location.path == path).unwrap();
    found.leading_comments().trim().to_owned()
}

/// The path of every method of the API: `/planledger.v1.PlanService/GetPlan`.
pub(crate) fn paths() -> Vec<String> {
    let services = POOL.services();
    let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    methods
        .map(|method| format!("/{}/{}", method.parent_service().full_name(), method.name()))
        .collect()
}

/// A request of every method that names things which do not exist, by the method's path.
pub(crate) fn requests() -> Vec<(String, DynamicMessage)> {
    let services = POOL.services();
    let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    methods
        .map(|method| {
            let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
            (path, filled(&method.input()))
        })
        .collect()
}

/// A message with something in each field that may be needed, and the first choice of each oneof.
fn filled(message: &MessageDescriptor) -> DynamicMessage {
    let mut whole = DynamicMessage::new(message.clone());
    for field in message.fields() {
        let first = field.containing_oneof().is_none_or(|oneof| {
            let first = oneof.fields().next();
            first.is_some_and(|first| first.number() == field.number())
        });
        // What is left out means the present, the first page, and nobody else.
        let usual = [
            "at",
            "min_position",
            "page_token",
            "page_size",
            "on_behalf_of",
        ];
        if first
            && !usual.contains(&field.name())
            && let Some(value) = some(&field)
        {
            let value = if field.is_list() {
                Value::List(vec![value])
            } else {
                value
            };
            whole.set_field(&field, value);
        }
    }
    whole
}

fn some(field: &FieldDescriptor) -> Option<Value> {
    let name = field.name();
    Some(match field.kind() {
        Kind::Message(inner) => Value::Message(filled(&inner)),
        Kind::Enum(_) => Value::EnumNumber(1),
        Kind::String if name.ends_with("_id") || name.ends_with("_ids") => {
            Value::String(super::new_id())
        }
        Kind::String if name.ends_with("_day") => Value::String("2026-08-10".to_owned()),
        Kind::String if name == "streams" => Value::String(format!("plan/{}", super::new_id())),
        Kind::String if name == "digest" => Value::String("0".repeat(32)),
        Kind::String if name == "action" => Value::String("read_status".to_owned()),
        Kind::String => Value::String("x".to_owned()),
        _ => return None,
    })
}

fn enumeration(name: &str) -> EnumDescriptor {
    POOL.get_enum_by_name(&format!("planledger.v1.{name}"))
        .unwrap()
}

/// The names of an enum's values but UNSPECIFIED, without the prefix.
pub(crate) fn enum_names(name: &str, prefix: &str) -> Vec<String> {
    let values = enumeration(name);
    let values = values.values().filter(|value| value.number() != 0);
    values
        .map(|value| value.name().strip_prefix(prefix).unwrap().to_owned())
        .collect()
}

/// Whether a path names a field of a message, or, at its end, a oneof.
pub(crate) fn resolves(message: &str, path: &str) -> bool {
    let message = POOL.get_message_by_name(message).unwrap();
    let parts: Vec<&str> = path.split('.').collect();
    resolve(&message, &parts)
}

fn resolve(message: &MessageDescriptor, parts: &[&str]) -> bool {
    let Some((part, rest)) = parts.split_first() else {
        return true;
    };
    let (name, index) = match part.strip_suffix(']').map(|part| part.split_once('[')) {
        Some(Some((name, index))) => (name, Some(index)),
        Some(None) => return false,
        None => (*part, None),
    };
    let Some(field) = message.get_field_by_name(name) else {
        let oneof = message.oneofs().any(|oneof| oneof.name() == *part);
        return oneof && rest.is_empty();
    };
    if index.is_some_and(|index| !field.is_list() || index.parse::<usize>().is_err()) {
        return false;
    }
    match field.kind() {
        Kind::Message(inner) => resolve(&inner, rest),
        _ => rest.is_empty(),
    }
}

#[test]
fn paths_are_resolved_strictly() {
    for (path, right) in [
        ("plan.record_evaluation.assessment.level", true),
        ("plan.operation", true),
        ("command", true),
        ("team.put_team.member_ids[3]", true),
        ("person.put_person.affiliations[0].role", true),
        ("person.put_person.affiliations.institution_id", true),
        ("plan.open_plan.plan.open_plan.student_id", false),
        ("open_plan.student_id", false),
        ("plan.plan_id.more", false),
        ("plan.operation.open_plan", false),
        ("plan[0].plan_id", false),
        ("team.put_team.member_ids[x]", false),
        ("", false),
    ] {
        assert_eq!(resolves("planledger.v1.Command", path), right, "{path}");
    }
}
