//! Checks JSON against a JSON Schema: the words of 2020-12 that the published schemas use. Any other word
//! in a schema is a fault, so that none is passed over.

use serde_json::Value;

/// Everything that is wrong with a value, with where it stands.
pub(crate) fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    check(schema, schema, value, "$", &mut faults);
    faults
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    for (word, rule) in schema.as_object().unwrap() {
        let holds = match word.as_str() {
            "$schema" | "title" | "description" | "$defs" | "additionalProperties" => true,
            "$ref" => {
                let path = rule.as_str().unwrap().strip_prefix('#').unwrap();
                check(root, root.pointer(path).unwrap(), value, at, faults);
                true
            }
            "type" => match rule {
                Value::Array(types) => types.iter().any(|name| is(name, value)),
                name => is(name, value),
            },
            "enum" => rule.as_array().unwrap().contains(value),
            "const" => rule == value,
            "format" => {
                assert_eq!(rule, "date-time");
                let parsed = value
                    .as_str()
                    .map(|text| text.contains('T') && text.ends_with('Z'));
                parsed.unwrap_or(value.is_null())
            }
            "pattern" => value
                .as_str()
                .is_some_and(|text| fits(rule.as_str().unwrap(), text)),
            "required" => {
                let mut names = rule.as_array().unwrap().iter();
                names.all(|name| value.get(name.as_str().unwrap()).is_some())
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, item, &format!("{at}[{index}]"), faults);
                }
                true
            }
            "properties" => {
                assert_eq!(schema["additionalProperties"], false, "{at}");
                for (name, member) in value.as_object().into_iter().flatten() {
                    let at = format!("{at}.{name}");
                    match rule.get(name) {
                        Some(rule) => check(root, rule, member, &at, faults),
                        None => faults.push(format!("{at} is not described")),
                    }
                }
                true
            }
            other => panic!("the schema has {other} at {at}"),
        };
        if !holds {
            faults.push(format!("{at}: {word} does not hold of {value}"));
        }
    }
}

fn is(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("type {other}"),
    }
}

/// The patterns that the schemas have.
fn fits(pattern: &str, text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match pattern {
        "^[0-9]+$" => digits(text),
        "^-?[0-9]+$" => digits(text.strip_prefix('-').unwrap_or(text)),
        "^[A-Za-z_]+$" => {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_')
        }
        uuid if uuid.contains("{8}-") => uuid::Uuid::try_parse(text).is_ok(),
        other => panic!("pattern {other}"),
    }
}

#[test]
fn what_a_schema_does_not_describe_is_a_fault() {
    let schema = serde_json::json!({
        "type": "object",
        "required": ["a"],
        "properties": { "a": { "$ref": "#/$defs/A" } },
        "additionalProperties": false,
        "$defs": { "A": { "type": "array", "items": { "enum": ["x"] } } },
    });
    let ok = serde_json::json!({ "a": ["x"] });
    assert_eq!(faults(&schema, &ok), Vec::<String>::new());
    for wrong in [
        serde_json::json!({}),
        serde_json::json!({ "a": ["y"] }),
        serde_json::json!({ "a": "x" }),
        serde_json::json!({ "a": [], "b": 1 }),
    ] {
        assert_eq!(faults(&schema, &wrong).len(), 1, "{wrong}");
    }
}
