//! Where a file is read key by key: each key is taken, checked, explained, and what is wrong with it is noted.
//!
//! The desk never stops at a problem. A value that cannot be used is replaced by one that can and marked as unsound, so
//! that rules over several values keep silent instead of blaming a second place for the first one's fault.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use heatstation_points::point::edit_distance;
use heatstation_points::{Celsius, CubicMetersPerSecond, Kelvins, Meters, Pascals, Ratio};
use serde::Serialize;

use crate::explain::{Explained, From};
use crate::problem::{Kind, Place, Problem, Problems, Severity, Source, Sources};
use crate::written::Written;

/// What stands in for a value that was not written.
pub(crate) enum Otherwise<T> {
    /// Nothing can; an example of what is to be written.
    Required(&'static str),
    /// A default and where it is from.
    Default(T, &'static str),
    /// A value that follows from others and how.
    Derived(T, String),
    /// A value of the service standard and its clause.
    Standard(T, String),
}

/// Shorthand for [`Otherwise::Default`].
pub(crate) const fn or<T>(value: T, reason: &'static str) -> Otherwise<T> {
    Otherwise::Default(value, reason)
}

/// Shorthand for [`Otherwise::Derived`].
pub(crate) fn derived<T>(value: T, formula: impl Into<String>) -> Otherwise<T> {
    Otherwise::Derived(value, formula.into())
}

/// A table of a file: the keys before its own, and where it begins.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub key: String,
    pub place: Place,
}

impl Section {
    pub(crate) fn new(key: impl Into<String>, file: usize, span: &std::ops::Range<usize>) -> Section {
        Section { key: key.into(), place: Place { file, span: span.clone() } }
    }

    /// The full name of one of its keys.
    pub(crate) fn key(&self, last: &str) -> String {
        if self.key.is_empty() { last.to_owned() } else { format!("{}.{last}", self.key) }
    }

    /// A table inside of it: at its own place if it was written, else here.
    pub(crate) fn inner<T>(&self, last: &str, raw: Option<&Written<T>>) -> Section {
        let place = raw.map_or_else(|| self.place.clone(), |raw| self.at(&raw.span));
        Section { key: self.key(last), place }
    }

    /// A place in the same file.
    pub(crate) fn at(&self, span: &std::ops::Range<usize>) -> Place {
        Place { file: self.place.file, span: span.clone() }
    }
}

/// A checked value that still knows where it came from.
#[derive(Clone, Debug)]
pub(crate) struct Field<T> {
    pub value: T,
    pub key: String,
    pub place: Place,
    /// Whether somebody wrote it.
    pub written: bool,
    /// Whether it may be compared with others.
    pub sound: bool,
}

impl Field<f64> {
    pub(crate) fn celsius(&self) -> Celsius {
        Celsius(self.value)
    }

    pub(crate) fn kelvins(&self) -> Kelvins {
        Kelvins(self.value)
    }

    pub(crate) fn kilopascals(&self) -> Pascals {
        Pascals(self.value * 1000.0)
    }

    pub(crate) fn ratio(&self) -> Ratio {
        Ratio(self.value)
    }

    pub(crate) fn meters(&self) -> Meters {
        Meters(self.value)
    }

    pub(crate) fn m3_per_hour(&self) -> CubicMetersPerSecond {
        CubicMetersPerSecond(self.value / 3600.0)
    }

    /// The time that a key with `_seconds`, `_minutes`, `_hours`, `_days` or `_milliseconds` at its end means.
    pub(crate) fn duration(&self) -> Duration {
        let factor = match self.key.rsplit('_').next() {
            Some("milliseconds") => 1e-3,
            Some("minutes") => 60.0,
            Some("hours") => 3600.0,
            Some("days") => 86_400.0,
            _ => 1.0,
        };
        // Rounded to the microsecond: 0.1 s is not a binary fraction, and 0.1 s is what was meant.
        Duration::from_micros((self.value * factor * 1e6).round().max(0.0) as u64)
    }
}

/// Files, problems and explanations of one check.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    pub sources: Sources,
    problems: Vec<Problem>,
    /// Keys that are not there because what was written for them could not be taken; that was said already.
    excused: HashSet<String>,
    pub explained: Vec<Explained>,
}

impl Desk {
    /// Takes a file in; its number is what places refer to.
    pub(crate) fn add(&mut self, name: impl Into<String>, text: impl Into<String>, kind: Kind) -> usize {
        self.sources.0.push(Source { name: name.into(), text: text.into(), kind });
        self.sources.0.len() - 1
    }

    pub(crate) fn error(
        &mut self,
        place: &Place,
        key: impl Into<String>,
        what: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.note(Severity::Error, place, key.into(), what.into(), help.into());
    }

    pub(crate) fn warn(
        &mut self,
        place: &Place,
        key: impl Into<String>,
        what: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.note(Severity::Warning, place, key.into(), what.into(), help.into());
    }

    fn note(&mut self, severity: Severity, place: &Place, key: String, what: String, help: String) {
        let problem = self.sources.problem(severity, place.clone(), key, what, help);
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Says that a key was written but not taken, so that it is not called missing as well.
    pub(crate) fn excuse(&mut self, key: impl Into<String>) {
        self.excused.insert(key.into());
    }

    /// Whether a key was written but not taken.
    pub(crate) fn is_excused(&self, key: &str) -> bool {
        self.excused.contains(key)
    }

    /// Notes a key that has to be there and is not.
    pub(crate) fn missing(&mut self, place: &Place, key: &str, help: impl Into<String>) {
        if !self.is_excused(key) {
            self.error(place, key, "is missing", help);
        }
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// Everything that was noted, and everything that was explained.
    pub(crate) fn close(self) -> (Problems, Vec<Explained>) {
        (Problems::new(self.problems, self.sources), self.explained)
    }

    pub(crate) fn explain(&mut self, key: &str, value: impl Into<String>, from: From) {
        self.explained.push(Explained { key: key.to_owned(), value: value.into(), unit: unit_of(key), from });
    }

    /// Says that a value was written here.
    pub(crate) fn explain_written(&mut self, key: &str, value: impl Into<String>, place: &Place) {
        let (line, _) = self.sources.line_and_column(place);
        let file = self.sources.name(place.file).to_owned();
        let is_template = self.sources.0.get(place.file).is_some_and(|source| source.kind == Kind::Template);
        self.explain(key, value, if is_template { From::Template { file, line } } else { From::File { file, line } });
    }

    /// Takes a value: the written one, or what stands in for it.
    fn take<T: Clone>(
        &mut self,
        at: &Section,
        key: &str,
        raw: Option<&Written<T>>,
        otherwise: Otherwise<T>,
        nothing: T,
        show: impl Fn(&T) -> String,
    ) -> Field<T> {
        let full = at.key(key);
        if let Some(raw) = raw {
            let place = at.at(&raw.span);
            self.explain_written(&full, show(&raw.value), &place);
            return Field { value: raw.value.clone(), key: full, place, written: true, sound: true };
        }
        let (value, sound) = match otherwise {
            Otherwise::Required(example) => {
                self.missing(&at.place, &full, format!("write it, as in `{key} = {example}`"));
                (nothing, false)
            }
            Otherwise::Default(value, reason) => {
                self.explain(&full, show(&value), From::Default { reason: Cow::Borrowed(reason) });
                (value, true)
            }
            Otherwise::Derived(value, formula) => {
                self.explain(&full, show(&value), From::Derived { formula });
                (value, true)
            }
            Otherwise::Standard(value, clause) => {
                self.explain(&full, show(&value), From::Standard { clause });
                (value, true)
            }
        };
        Field { value, key: full, place: at.place.clone(), written: false, sound }
    }

    /// Takes a number that must be finite and in a range, both ends included.
    pub(crate) fn number(
        &mut self,
        at: &Section,
        key: &str,
        raw: Option<&Written<f64>>,
        range: RangeInclusive<f64>,
        otherwise: Otherwise<f64>,
    ) -> Field<f64> {
        let (low, high) = (*range.start(), *range.end());
        let mut field = self.take(at, key, raw, otherwise, low, |value| shown(*value));
        if !field.written {
            return field;
        }
        let unit = unit_of(key).unwrap_or_default();
        let allowed = format!("write a number from {} to {} {unit}", shown(low), shown(high));
        let what = if !field.value.is_finite() {
            "is not a finite number".to_owned()
        } else if field.value < low || high < field.value {
            format!("{} {unit} is out of range", shown(field.value))
        } else {
            return field;
        };
        self.error(&field.place, field.key.as_str(), what.replace("  ", " "), allowed.trim_end());
        field.value = low;
        field.sound = false;
        field
    }

    /// Takes a whole number in a range.
    pub(crate) fn count(
        &mut self,
        at: &Section,
        key: &str,
        raw: Option<&Written<u64>>,
        range: RangeInclusive<u64>,
        otherwise: Otherwise<u64>,
    ) -> Field<u64> {
        let mut field = self.take(at, key, raw, otherwise, *range.start(), u64::to_string);
        if field.written && !range.contains(&field.value) {
            let what = format!("{} is out of range", field.value);
            let help = format!("write a whole number from {} to {}", range.start(), range.end());
            self.error(&field.place, field.key.as_str(), what, help);
            field.value = *range.start();
            field.sound = false;
        }
        field
    }

    /// Takes a text as it is.
    pub(crate) fn text(
        &mut self,
        at: &Section,
        key: &str,
        raw: Option<&Written<String>>,
        otherwise: Otherwise<String>,
    ) -> Field<String> {
        let mut field = self.take(at, key, raw, otherwise, String::new(), String::clone);
        if field.written && (field.value.trim().is_empty() || field.value.chars().any(char::is_control)) {
            self.error(
                &field.place,
                field.key.as_str(),
                "is empty or has control characters",
                "write some plain words",
            );
            field.sound = false;
        }
        field
    }

    /// Takes a name that becomes part of point names and metric labels.
    pub(crate) fn name(&mut self, at: &Section, key: &str, raw: Option<&Written<String>>) -> Field<String> {
        let mut field = self.take(at, key, raw, Otherwise::Required("\"a-name\""), String::new(), String::clone);
        if field.written {
            field.sound = self.name_is_plain(&field.place.clone(), &field.key.clone(), &field.value);
        }
        field
    }

    /// Whether a name can be part of point names and metric labels; notes it if not.
    pub(crate) fn name_is_plain(&mut self, place: &Place, key: &str, name: &str) -> bool {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let begins = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        if begins && name.len() <= 40 && name.chars().all(plain) {
            return true;
        }
        let help = "names are part of point names and metrics: 1 to 40 small letters, digits, `-` or `_`, beginning with a \
                    letter or a digit";
        self.error(place, key, format!("{name:?} cannot be a name"), help);
        false
    }

    /// Takes one of a closed set of words; the words themselves were checked while reading.
    pub(crate) fn choice<T: Copy + Serialize>(
        &mut self,
        at: &Section,
        key: &str,
        raw: Option<&Written<T>>,
        otherwise: Otherwise<T>,
        nothing: T,
    ) -> Field<T> {
        self.take(at, key, raw, otherwise, nothing, word)
    }

    /// Takes a text that is not to be shown: `explain` and the page say only that it is there.
    pub(crate) fn secret(
        &mut self,
        at: &Section,
        key: &str,
        raw: Option<&Written<String>>,
        otherwise: Otherwise<String>,
    ) -> Field<String> {
        self.take(at, key, raw, otherwise, String::new(), |_| "(not shown)".to_owned())
    }

    /// Says what stands in for a list that was not written.
    pub(crate) fn explain_default(&mut self, key: &str, value: impl Into<String>, reason: &'static str) {
        self.explain(key, value, From::Default { reason: Cow::Borrowed(reason) });
    }

    /// Takes a yes or no.
    pub(crate) fn yes_or_no(
        &mut self,
        at: &Section,
        key: &str,
        raw: Option<&Written<bool>>,
        otherwise: Otherwise<bool>,
    ) -> Field<bool> {
        self.take(at, key, raw, otherwise, false, bool::to_string)
    }

    /// Notes it unless the values rise from field to field.
    pub(crate) fn rising(&mut self, fields: &[&Field<f64>], why: &str) {
        for pair in fields.windows(2) {
            self.below(pair[0], pair[1], why);
        }
    }

    /// Notes it unless the one value is below the other. The place is that of the one that somebody wrote; of the later
    /// one if both were, for the earlier was right when it was written.
    pub(crate) fn below(&mut self, low: &Field<f64>, high: &Field<f64>, why: &str) {
        if !low.sound || !high.sound || low.value < high.value {
            return;
        }
        let (low_key, high_key) = (last(&low.key), last(&high.key));
        let (low_shown, high_shown) = (shown(low.value), shown(high.value));
        let help = format!("{low_key} must be below {high_key}: {why}");
        let low_is_later = low.place.span.start > high.place.span.start;
        if !low.written || (high.written && !low_is_later) {
            let what = format!("{high_shown} is not above {low_key} ({low_shown})");
            self.error(&high.place, high.key.as_str(), what, help);
        } else {
            let what = format!("{low_shown} is not below {high_key} ({high_shown})");
            self.error(&low.place, low.key.as_str(), what, help);
        }
    }

    /// Notes it if the one value is above the other; equal is fine.
    pub(crate) fn not_above(&mut self, low: &Field<f64>, high: &Field<f64>, why: &str) {
        if low.value != high.value {
            self.below(low, high, why);
        }
    }
}

/// Reads a number by the name of its field: the key of the file and the field are one.
macro_rules! number {
    ($desk:expr, $at:expr, $raw:ident . $key:ident, $range:expr, $otherwise:expr) => {
        $desk.number(&$at, stringify!($key), $raw.$key.as_ref(), $range, $otherwise)
    };
}

/// Reads a whole number by the name of its field.
macro_rules! count {
    ($desk:expr, $at:expr, $raw:ident . $key:ident, $range:expr, $otherwise:expr) => {
        $desk.count(&$at, stringify!($key), $raw.$key.as_ref(), $range, $otherwise)
    };
}
pub(crate) use {count, number};

/// The last part of a key.
fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

/// A number without a tail of noughts.
pub(crate) fn shown(value: f64) -> String {
    let rounded = format!("{value:.6}");
    if rounded.contains('.') { rounded.trim_end_matches('0').trim_end_matches('.').to_owned() } else { rounded }
}

/// A word of a closed set as the file writes it.
pub(crate) fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The unit that a key carries at its end.
pub(crate) fn unit_of(key: &str) -> Option<&'static str> {
    // Longest first: `_kelvins_per_hour` ends in a unit of time as well.
    const UNITS: [(&str, &str); 33] = [
        ("_kelvins_per_hour", "K/h"),
        ("_kelvins_per_minute", "K/min"),
        ("_kelvins_per_kilowatt_per_m2", "K/(kW/m²)"),
        ("_kelvins_per_meter_per_second", "K/(m/s)"),
        ("_meters_per_second", "m/s"),
        ("_ratio_per_hour", "1/h"),
        ("_kelvins_per_percent", "K/%"),
        ("_gigajoules_per_day", "GJ/d"),
        ("_kilowatt_hours_per_m2", "kWh/m²"),
        ("_kilowatts_per_kelvin", "kW/K"),
        ("_kilowatts", "kW"),
        ("_watts_per_m2", "W/m²"),
        ("_m3_per_hour", "m³/h"),
        ("_ratio_per_second", "1/s"),
        ("_per_kelvin", "1/K"),
        ("_per_kilopascal", "1/kPa"),
        ("trips_per_hour_max", "1/h"),
        ("_per_day_max_m3", "m³"),
        ("_milliseconds", "ms"),
        ("_seconds", "s"),
        ("_minutes", "min"),
        ("_hours", "h"),
        ("_days", "d"),
        ("_years", "a"),
        ("_celsius", "°C"),
        ("_kelvins", "K"),
        ("_kilopascals", "kPa"),
        ("_m2", "m²"),
        ("_m3", "m³"),
        ("_meters", "m"),
        ("_months", "months"),
        ("_seasons", "seasons"),
        ("_slope", "K/K"),
    ];
    UNITS.iter().find(|(end, _)| key.ends_with(end)).map(|(_, unit)| *unit)
}

/// The word nearest to a misspelt one, if one is near.
pub(crate) fn nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let ranked = words.into_iter().map(|known| (edit_distance(word, known), known)).min();
    ranked.filter(|(distance, _)| *distance <= 2 + word.chars().count() / 4).map(|(_, known)| known)
}

/// What to say about a word that is not in a list.
pub(crate) fn one_of<'a>(word: &str, words: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let list: Vec<&str> = words.clone().into_iter().collect();
    let possible = if list.is_empty() { "there is none".to_owned() } else { format!("possible: {}", list.join(", ")) };
    nearest(word, words).map_or(possible.clone(), |near| format!("did you mean `{near}`? {possible}"))
}
