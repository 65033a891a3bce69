//! Keys that a schema knows and keys that a file has, to be held against each other.

use std::collections::BTreeSet;

use serde_json::Value;

/// The keys of a schema as `circuit.make_up.pumps`, lists and options taken away, and the words of the set `fault.kind`.
pub fn keys(schema: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    below(schema, schema, "", &mut found);
    found
}

fn below(root: &Value, schema: &Value, before: &str, found: &mut BTreeSet<String>) {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let inner = root.pointer(name.trim_start_matches('#')).expect("a schema refers to itself");
        return below(root, inner, before, found);
    }
    for part in ["anyOf", "oneOf", "allOf"] {
        for inner in schema.get(part).and_then(Value::as_array).into_iter().flatten() {
            below(root, inner, before, found);
        }
    }
    if let Some(items) = schema.get("items") {
        below(root, items, before, found);
    }
    if let (Some(word), true) = (schema.get("const").and_then(Value::as_str), before.ends_with("fault.kind")) {
        found.insert(format!("{before} = {word}"));
    }
    for (name, inner) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let key = join(before, name);
        let known = found.len();
        below(root, inner, &key, found);
        if found.len() == known {
            found.insert(key);
        }
    }
}

fn join(before: &str, name: &str) -> String {
    if before.is_empty() { name.to_owned() } else { format!("{before}.{name}") }
}

/// The keys of a file, likewise.
pub fn written(file: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    in_value(&toml::Value::Table(file.parse().expect("it is TOML")), "", &mut found);
    found
}

fn in_value(value: &toml::Value, before: &str, found: &mut BTreeSet<String>) {
    match value {
        toml::Value::Table(table) => {
            // A table whose names are free, as `device.parameters`, is a key in the schema and its names are not.
            found.insert(before.to_owned());
            for (name, inner) in table {
                in_value(inner, &join(before, name), found);
            }
        }
        toml::Value::Array(items) if items.iter().all(toml::Value::is_table) && !items.is_empty() => {
            for item in items {
                in_value(item, before, found);
            }
        }
        other => {
            found.insert(before.to_owned());
            if let (Some(word), "fault.kind") = (other.as_str(), before) {
                found.insert(format!("{before} = {word}"));
            }
        }
    }
}
