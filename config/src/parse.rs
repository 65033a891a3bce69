//! TOML to the types of a file as written, with every unknown key and every wrong type told at once.
//!
//! Serde stops at the first thing it cannot take. Here the offending entry is noted, taken out of the parsed table and
//! the rest is read again, until it passes; each round removes one entry, so the rounds end.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue, Deserializer};

use crate::desk::{Desk, nearest};
use crate::problem::Place;

/// More rounds than this nobody reads; the rest of the file is not looked at then.
const ROUNDS_MAX: usize = 200;

/// Reads a file of the desk; none if its syntax or its outermost shape is wrong.
pub(crate) fn parse<T: DeserializeOwned>(desk: &mut Desk, file: usize) -> Option<T> {
    let text = desk.sources.0.get(file)?.text.clone();
    let mut table = match DeTable::parse(&text) {
        Ok(table) => table,
        Err(error) => {
            let place = Place { file, span: error.span().unwrap_or(0..0) };
            desk.error(&place, "", format!("is not TOML: {}", error.message()), syntax_help(error.message()));
            return None;
        }
    };
    for _ in 0..ROUNDS_MAX {
        let error = match T::deserialize(Deserializer::from(table.clone())) {
            Ok(read) => return Some(read),
            Err(error) => error,
        };
        let span = error.span().unwrap_or(0..0);
        let mut key = String::new();
        let removed = remove(table.get_mut(), &span, &mut key);
        let (what, help, meant) = in_plain_words(error.message());
        if let Some(meant) = meant {
            let before = key.rfind('.').map_or("", |end| &key[..=end]);
            desk.excuse(format!("{before}{meant}"));
        }
        desk.excuse(key.clone());
        desk.error(&Place { file, span }, key, what, help);
        if !removed {
            return None;
        }
    }
    None
}

/// Takes the innermost entry out that the span lies in, and says what it was called.
fn remove(table: &mut DeTable<'_>, span: &Range<usize>, key: &mut String) -> bool {
    let holds = |outer: Range<usize>| outer.start <= span.start && span.end <= outer.end;
    let entry = table.iter().find(|(name, value)| holds(name.span()) || inside(value.get_ref(), &value.span(), span));
    let Some((name, value)) = entry else { return false };
    let (name, on_key) = (name.clone(), holds(name.span()) && !holds(value.span()));
    push(key, name.get_ref());
    if !on_key && let Some(value) = table.get_mut(&name) {
        match value.get_mut() {
            DeValue::Table(inner) => {
                let length = key.len();
                if remove(inner, span, key) {
                    return true;
                }
                key.truncate(length);
            }
            DeValue::Array(items) => {
                let found = items.iter_mut().enumerate().find(|(_, item)| {
                    inside(item.get_ref(), &item.span(), span) && matches!(item.get_ref(), DeValue::Table(_))
                });
                if let Some((number, item)) = found {
                    let length = key.len();
                    if let DeValue::Table(inner) = item.get_mut() {
                        let called = inner.get("name").and_then(|name| name.get_ref().as_str());
                        push(key, called.map_or_else(|| (number + 1).to_string(), str::to_owned).as_str());
                        if remove(inner, span, key) {
                            return true;
                        }
                    }
                    key.truncate(length);
                }
            }
            _ => {}
        }
    }
    table.remove(&name).is_some()
}

/// Whether a value holds a span: a table's own span is its header alone, so its entries are asked too.
fn inside(value: &DeValue<'_>, own: &Range<usize>, span: &Range<usize>) -> bool {
    let holds = |outer: &Range<usize>| outer.start <= span.start && span.end <= outer.end;
    holds(own)
        || match value {
            DeValue::Table(inner) => {
                inner.iter().any(|(name, value)| holds(&name.span()) || inside(value.get_ref(), &value.span(), span))
            }
            DeValue::Array(items) => items.iter().any(|item| inside(item.get_ref(), &item.span(), span)),
            _ => false,
        }
}

fn push(key: &mut String, part: &str) {
    if !key.is_empty() {
        key.push('.');
    }
    key.push_str(part);
}

fn syntax_help(message: &str) -> &'static str {
    if message.contains("duplicate key") {
        "each key and each `[table]` stands once; repeated tables are written `[[table]]`"
    } else if message.contains("invalid unquoted string") || message.contains("string values must be quoted") {
        "texts stand in double quotes"
    } else {
        "a line is `key = value`, `[table]` or `[[table]]`; texts stand in double quotes"
    }
}

/// What serde says, for people who do not write Rust: what is wrong, what would be right, and which key was meant by an
/// unknown one.
fn in_plain_words(message: &str) -> (String, String, Option<String>) {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if let (Some(rest), [unknown, known @ ..]) = (message.strip_prefix("unknown "), quoted.as_slice()) {
        let kind = if rest.starts_with("variant") { "word" } else { "key" };
        let possible = format!("possible here: {}", known.join(", "));
        let near = nearest(unknown, known.iter().copied());
        let help = near.map_or_else(|| possible.clone(), |near| format!("did you mean `{near}`? {possible}"));
        let meant = near.filter(|_| kind == "key").map(str::to_owned);
        return (format!("unknown {kind} `{unknown}`"), help, meant);
    }
    if let Some((found, expected)) = message.split_once(", expected ") {
        let found = found.trim_start_matches("invalid type: ").trim_start_matches("invalid value: ");
        let found = match found {
            "map" => "a table".to_owned(),
            "sequence" => "a list".to_owned(),
            other => other
                .replace("floating point", "the number")
                .replace("integer", "the number")
                .replace("string", "the text"),
        };
        return (format!("{found} does not belong here"), expectation(expected), None);
    }
    if let [missing] = quoted.as_slice()
        && message.starts_with("missing field")
    {
        return (format!("`{missing}` is missing"), format!("write `{missing} = …`"), None);
    }
    (message.to_owned(), "see `heatstation schema` for what belongs here".to_owned(), None)
}

fn expectation(expected: &str) -> String {
    let first = expected.split(' ').next().unwrap_or_default();
    match first {
        "f64" => "write a number without quotes, as in 75 or 0.5".to_owned(),
        "u64" | "u32" | "u16" | "u8" | "usize" => "write a whole number, zero or more, without quotes".to_owned(),
        "a" if expected.starts_with("a string") => "write a text in double quotes".to_owned(),
        "a" if expected.starts_with("a sequence") => "write a list: `[[name]]` for tables, `[…]` for values".to_owned(),
        "a" if expected.starts_with("a boolean") => "write `true` or `false`".to_owned(),
        "a" if expected.contains("datetime") => "write a date without quotes, as in 2026-11-15".to_owned(),
        "struct" => "write a table: `[name]` and its keys below it".to_owned(),
        _ => format!("expected {expected}"),
    }
}
