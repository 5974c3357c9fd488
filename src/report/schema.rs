//! The JSON Schema of one line of a trace, from the types themselves.
//!
//! The derived schema says what this version writes. The format promises more: fields, line types
//! and values of enumerations may be added. So what is closed is opened here, in one place.

use serde_json::{Map, Value, json};

use crate::event::{Event, FORMAT};

/// Fields that tell `null` (known to be none) from absence (not known). All others are left out
/// where they are not known, and never `null`.
static NULLABLE: &[&str] = &["exit_signal", "interpreter", "build_id", "parent"];

/// Integers that are ours stay below this, so that every JSON reader has them exactly.
const INTEGERS_BELOW: u64 = 1 << 53;

/// The JSON Schema (2020-12) of one line of a trace, pretty-printed, with a line end.
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(Event).to_value();
    open(&mut schema);
    if let Some(lines) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        unknown_types(lines);
    }
    if let Some(types) = schema.get_mut("$defs").and_then(Value::as_object_mut) {
        for name in ["Outcome", "Status"] {
            if let Some(choices) = types.get_mut(name).and_then(|one| one.get_mut("anyOf")) {
                unknown_objects(choices);
            }
        }
    }
    if let Some(root) = schema.as_object_mut() {
        root.insert(
            "title".into(),
            json!(format!("clonespy trace, format {FORMAT}: one line")),
        );
    }
    format!("{schema:#}\n")
}

/// Walks the whole schema: unknown values of enumerations and unknown fields are allowed, and
/// `null` only where it says something.
fn open(schema: &mut Value) {
    match schema {
        Value::Array(all) => all.iter_mut().for_each(open),
        Value::Object(object) => {
            object.values_mut().for_each(open);
            words(object);
            integers(object);
            if object.get("additionalProperties") == Some(&Value::Bool(false)) {
                object.remove("additionalProperties");
            }
            if let Some(fields) = object.get_mut("properties").and_then(Value::as_object_mut) {
                for (name, field) in fields.iter_mut() {
                    if !NULLABLE.contains(&name.as_str()) {
                        not_null(field);
                    }
                }
            }
        }
        _ => {}
    }
}

/// A closed list of words becomes an open one.
fn words(object: &mut Map<String, Value>) {
    let word = |choice: &Value| choice.get("const").is_some_and(Value::is_string);
    let closed = object
        .get("oneOf")
        .and_then(Value::as_array)
        .is_some_and(|all| all.iter().all(word));
    if closed && let Some(Value::Array(mut choices)) = object.remove("oneOf") {
        choices.push(json!({"description": "A value of a later version.", "type": "string"}));
        object.insert("anyOf".into(), Value::Array(choices));
    }
}

fn integers(object: &mut Map<String, Value>) {
    if object.get("format").and_then(Value::as_str) == Some("uint64") {
        object.insert("maximum".into(), json!(INTEGERS_BELOW - 1));
    }
}

/// Takes `null` off the types of a field.
fn not_null(field: &mut Value) {
    let Some(object) = field.as_object_mut() else {
        return;
    };
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|one| one != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            object.insert("type".into(), one);
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|one| one.get("type").and_then(Value::as_str) != Some("null"));
    }
}

/// The last line type stands for every one that is not named.
fn unknown_types(lines: &mut Vec<Value>) {
    let name = |line: &Value| line.pointer("/properties/type/const").cloned();
    lines.retain(|line| name(line) != Some(json!("unknown")));
    let known: Vec<_> = lines.iter().filter_map(name).collect();
    lines.push(json!({
        "description": "A line of a type that a later version added: to be passed over.",
        "type": "object",
        "properties": {"type": {"type": "string", "not": {"enum": known}}},
        "required": ["type"],
    }));
}

/// One of several objects, each with a key of its own, or an object with none of the keys.
fn unknown_objects(choices: &mut Value) {
    let Some(choices) = choices.as_array_mut() else {
        return;
    };
    choices.retain(|choice| choice.get("required").is_some());
    let known: Vec<_> = choices
        .iter()
        .filter_map(|choice| choice.get("required").cloned())
        .map(|required| json!({"required": required}))
        .collect();
    choices.push(json!({
        "description": "One that a later version added.",
        "type": "object",
        "not": {"anyOf": known},
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventKind;

    fn validator() -> jsonschema::Validator {
        jsonschema::validator_for(&serde_json::from_str(&schema()).unwrap()).unwrap()
    }

    #[track_caller]
    fn check(line: Value, good: bool) {
        assert_eq!(validator().is_valid(&line), good, "{line}");
    }

    #[test]
    fn what_is_written_is_valid() {
        let validator = validator();
        for event in crate::event_samples::all() {
            let line = serde_json::to_value(&event).unwrap();
            let errors: Vec<_> = validator
                .iter_errors(&line)
                .map(|e| e.to_string())
                .collect();
            // An event of unknown type is never written.
            assert!(
                errors.is_empty() || event.kind == EventKind::Unknown,
                "{line}\n{errors:#?}"
            );
        }
    }

    #[test]
    fn what_a_later_version_adds_is_valid() {
        check(json!({"type": "weather", "rain": true}), true);
        check(
            json!({"type": "lost", "seq": 1, "what": "copy", "count": 1, "why": [1]}),
            true,
        );
        let exit = |how: &str, status: Value| {
            json!({"type": "exit", "seq": 1, "at_ns": 1, "task": 1, "tid": 1, "tgid": 1,
                   "how": how, "last": true, "status": status})
        };
        check(exit("faded", json!({"exited": 0})), true);
        check(exit("self", json!({"evaporated": 3})), true);
        check(exit("self", json!({"exited": "zero"})), false);
        check(exit("self", Value::Null), false);
        check(
            json!({"type": "task", "seq": 1, "at_ns": 0, "task": 1, "tid": 1, "tgid": 1,
                     "kind": "fibre", "comm": "x", "how": "by magic"}),
            true,
        );
    }

    #[test]
    fn what_is_wrong_is_not_valid() {
        check(json!({"rain": true}), false);
        check(json!([]), false);
        check(json!({"type": "lost", "seq": 1, "what": "copy"}), false);
        check(
            json!({"type": "lost", "seq": -1, "what": "copy", "count": 1}),
            false,
        );
        check(
            json!({"type": "lost", "seq": 1u64 << 53, "what": "copy", "count": 1}),
            false,
        );
        let clone = |signal: Value, word: &str, outcome: Value| {
            json!({"type": "clone", "seq": 1, "at_ns": 1, "task": 1, "tid": 1, "tgid": 1,
                   "comm": "x", "abi": "x86_64", "call": "clone", "exit_signal": signal,
                   "flags_raw": word, "outcome": outcome})
        };
        check(clone(Value::Null, "0x11", json!({"unfinished": {}})), true);
        check(clone(Value::Null, "0x11", json!({"postponed": {}})), true);
        check(clone(Value::Null, "17", json!({"unfinished": {}})), false);
        check(clone(json!(17), "0x11", json!({"unfinished": {}})), false);
        check(
            clone(Value::Null, "0x11", json!({"created": {"tid": 1}})),
            false,
        );
    }
}
