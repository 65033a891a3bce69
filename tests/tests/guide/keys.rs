//! What a station file may say, and what the rows say of it.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::sources::Sources;
use crate::tables::{PARAMETER, PLANT, Row, fits, quoted, read};

/// Every key of a file with the tables around it, as in `circuit.frost.danger_celsius`, and every word that a key may have.
#[derive(Debug, Default)]
pub struct Keys {
    pub paths: BTreeSet<String>,
    pub parts: BTreeSet<String>,
    pub words: BTreeSet<String>,
}

impl Keys {
    pub fn of(schema: &Json) -> Keys {
        let mut keys = Keys::default();
        keys.walk(schema, schema, "");
        keys
    }

    pub fn walk(&mut self, schema: &Json, here: &Json, path: &str) {
        for word in [here.get("const"), here.get("enum")].into_iter().flatten() {
            let list = word.as_array().cloned().unwrap_or_else(|| vec![word.clone()]);
            self.words.extend(list.iter().filter_map(Json::as_str).map(str::to_owned));
        }
        if let Some(name) = here.get("$ref").and_then(Json::as_str) {
            self.walk(schema, schema.pointer(name.trim_start_matches('#')).expect("a reference leads somewhere"), path);
        }
        for list in ["anyOf", "oneOf", "allOf"].iter().filter_map(|list| here.get(*list)?.as_array()) {
            for one in list {
                self.walk(schema, one, path);
            }
        }
        if let Some(items) = here.get("items") {
            self.walk(schema, items, path);
        }
        for (name, inside) in here.get("properties").and_then(Json::as_object).into_iter().flatten() {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let before = self.paths.len();
            self.walk(schema, inside, &path);
            if self.paths.len() == before {
                self.paths.insert(path);
            } else {
                self.parts.insert(path);
            }
        }
    }

    /// Whether a key or a part of the file ends like this.
    pub fn have(&self, pattern: &str) -> bool {
        self.paths.iter().chain(&self.parts).any(|path| ends_like(path, pattern))
    }
}

pub fn ends_like(path: &str, pattern: &str) -> bool {
    let starts = std::iter::once(0).chain(path.match_indices('.').map(|(at, _)| at + 1));
    starts.into_iter().any(|at| fits(pattern, &path[at..]))
}

/// What a parameter's cell says of the file: a key as the end of its path, and the word that it is given.
pub fn key_and_word(token: &str) -> (Option<String>, Option<String>) {
    let word = |text: &str| text.strip_prefix('"')?.strip_suffix('"').map(str::to_owned);
    if let Some(word) = word(token) {
        return (None, Some(word));
    }
    let (key, value) = token.split_once(" = ").map_or((token, None), |(key, value)| (key, Some(value)));
    let plain = key.replace(['[', ']'], " ");
    let key = plain.split_whitespace().collect::<Vec<_>>().join(".");
    (Some(key.trim_start_matches('.').to_owned()), value.and_then(word))
}

/// The variants of an enum in a source, as they are written in JSON.
pub fn variants(source: &str, name: &str) -> BTreeSet<String> {
    let text = read(source);
    let start = text.find(&format!("pub enum {name} {{")).unwrap_or_else(|| panic!("{source} has no enum {name}"));
    let body = &text[start..start + text[start..].find("\n}").unwrap()];
    let indented = body.lines().filter(|line| line.starts_with("    ") && !line.starts_with("     "));
    indented
        .map(|line| line.trim().split(|c: char| !c.is_alphanumeric()).next().unwrap_or(""))
        .filter(|name| name.starts_with(char::is_uppercase))
        .map(|name| {
            name.chars().enumerate().fold(String::new(), |mut snake, (at, c)| {
                if c.is_uppercase() && at > 0 {
                    snake.push('_');
                }
                snake.extend(c.to_lowercase());
                snake
            })
        })
        .collect()
}

/// What people can ask.
pub fn wishes() -> BTreeSet<String> {
    variants("controller/core/src/request.rs", "Wish")
}

/// What is wrong with the parameters of these rows.
pub fn judge_parameters(rows: &[Row], keys: &Keys, sources: &Sources) -> Vec<String> {
    let wishes = wishes();
    let mut wrong = Vec::new();
    for row in rows.iter().filter(|row| !row.page.ends_with(PLANT)) {
        for (before, token) in quoted(row.cell(PARAMETER).unwrap()) {
            let known = match before {
                "request" => wishes.contains(token),
                "point" => sources.say("controller/points/src/", &format!("\"{token}\"")),
                "metric" => sources.has_metric(token),
                _ => {
                    let (key, word) = key_and_word(token);
                    key.is_none_or(|key| keys.have(&key)) && word.is_none_or(|word| keys.words.contains(&word))
                }
            };
            if !known {
                wrong.push(format!("{}: `{token}` is no key of a station's file", row.place()));
            }
        }
    }
    wrong
}

/// The same for the simulated plant: keys of scenarios and stations, settings of the simulator, options, types.
pub fn judge_plant(rows: &[Row], keys: &[Keys], sources: &Sources) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in rows.iter().filter(|row| row.page.ends_with(PLANT)) {
        for (_, token) in quoted(row.cell(PARAMETER).unwrap()) {
            let (key, _) = key_and_word(token);
            let key = key.unwrap_or_default();
            let field = |pattern: &str| sources.fields.iter().any(|field| fits(pattern, field));
            let last = key.rsplit("::").next().unwrap_or("");
            let known = if let Some(option) = token.strip_prefix("--") {
                sources.say("controller/daemon/src/", &format!("{}:", option.replace('-', "_")))
            } else if last.starts_with(char::is_uppercase) {
                ["struct", "enum"].iter().any(|kind| sources.say("simulator/src/", &format!("pub {kind} {last} ")))
            } else {
                keys.iter().any(|keys| keys.have(&key)) || field(last) || token == "plant"
            };
            if !known {
                wrong.push(format!("{}: `{token}` is no parameter of the simulated plant", row.place()));
            }
        }
    }
    wrong
}
