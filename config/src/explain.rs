//! What every setting became and from where.

use std::borrow::Cow;
use std::fmt::Write;

use serde::Serialize;

/// One setting with its origin.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explained {
    /// The key, as in `circuit.low-zone.supply_max_celsius`.
    pub key: String,
    /// What it became, in the unit of the key.
    pub value: String,
    /// That unit, where the key carries one.
    pub unit: Option<&'static str>,
    /// From where.
    pub from: From,
}

/// Where a setting comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum From {
    /// Somebody wrote it.
    File {
        /// In which file.
        file: String,
        /// In which line, counted from 1.
        line: usize,
    },
    /// The device template says it.
    Template {
        /// Which template.
        file: String,
        /// In which line, counted from 1.
        line: usize,
    },
    /// The service standard says it.
    Standard {
        /// The standard and its clause; `default` where the document is silent.
        clause: String,
    },
    /// Nobody says it.
    Default {
        /// Why it is so then.
        reason: Cow<'static, str>,
    },
    /// It follows from other settings.
    Derived {
        /// How.
        formula: String,
    },
}

impl std::fmt::Display for From {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            From::File { file, line } | From::Template { file, line } => write!(f, "{file}:{line}"),
            From::Standard { clause } => write!(f, "standard {clause}"),
            From::Default { reason } => write!(f, "default: {reason}"),
            From::Derived { formula } => write!(f, "derived: {formula}"),
        }
    }
}

/// A setting that two configurations have differently: what a reload shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The key.
    pub key: String,
    /// The value before; none if the setting is new.
    pub before: Option<String>,
    /// The value after; none if the setting is gone.
    pub after: Option<String>,
}

/// The settings that differ, in the order of the new configuration, the vanished ones last.
pub fn differences(before: &[Explained], after: &[Explained]) -> Vec<Difference> {
    use std::collections::HashMap;
    let old: HashMap<&str, &str> = before.iter().map(|row| (row.key.as_str(), row.value.as_str())).collect();
    let new: HashMap<&str, &str> = after.iter().map(|row| (row.key.as_str(), row.value.as_str())).collect();
    let changed = after.iter().filter(|row| old.get(row.key.as_str()) != Some(&row.value.as_str())).map(|row| {
        let before = old.get(row.key.as_str()).map(|value| (*value).to_owned());
        Difference { key: row.key.clone(), before, after: Some(row.value.clone()) }
    });
    let gone = before.iter().filter(|row| !new.contains_key(row.key.as_str()));
    let gone = gone.map(|row| Difference { key: row.key.clone(), before: Some(row.value.clone()), after: None });
    changed.chain(gone).collect()
}

/// The rows as a text for people.
pub fn text(rows: &[Explained]) -> String {
    let mut out = String::new();
    let width = rows.iter().map(|row| row.key.len()).max().unwrap_or(0);
    for row in rows {
        let unit = row.unit.filter(|_| row.value.parse::<f64>().is_ok());
        let value = unit.map_or_else(|| row.value.clone(), |unit| format!("{} {unit}", row.value));
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{:width$}  {value}  [{}]", row.key, row.from);
    }
    out
}
