//! Both languages of the guide have what the program has.

use std::collections::BTreeMap;

use heatstation_config::schema;
use heatstation_core::alarm::Alarm;
use heatstation_core::band::Because;
use heatstation_core::frost::FrostStage;
use heatstation_core::interlock::Trip;
use heatstation_core::reason::OperationReason;
use heatstation_core::sequence::Stage;

use crate::keys::{Keys, wishes};
use crate::tables::{quoted, read, rows};

/// A language of the guide: its page, and how it writes a time.
pub struct Guide {
    pub page: &'static str,
    pub between: &'static str,
}

pub const GUIDES: [Guide; 2] =
    [Guide { page: "docs/guide/en.md", between: ", " }, Guide { page: "docs/guide/zh.md", between: "／" }];

impl Guide {
    /// The rows of all tables by the name that stands in backticks in that column; a row may name several.
    pub fn rows_by(&self, column: usize) -> BTreeMap<String, Vec<Vec<String>>> {
        let mut by_name: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
        for row in rows(self.page, &read(self.page)) {
            for (_, name) in quoted(row.cells.get(column).map_or("", String::as_str)) {
                by_name.entry(name.to_owned()).or_default().push(row.cells.clone());
            }
        }
        by_name
    }
}

pub fn time(seconds: u64) -> String {
    match seconds {
        0 => "0".to_owned(),
        s if s % 86_400 == 0 => format!("{} d", s / 86_400),
        s if s % 3600 == 0 => format!("{} h", s / 3600),
        s if s % 60 == 0 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

/// Raised after and cleared after, as the catalogue has them; they are nobody else's business in the program.
pub fn delays(alarm: Alarm, catalogue: &str) -> (u64, u64) {
    let (_, row) = catalogue.split_once(&format!("\"{}\" P", alarm.name())).unwrap();
    let words: Vec<&str> = row.split([' ', ',']).collect();
    let after = |word: &str| words[words.iter().position(|w| *w == word).unwrap() + 1].parse().unwrap();
    (after("on"), after("off"))
}

#[test]
fn both_guides_have_each_alarm_with_its_priority_words_delays_and_advice() {
    let catalogue = read("controller/core/src/alarm.rs");
    let mut wrong = Vec::new();
    for guide in &GUIDES {
        let by_name = guide.rows_by(1);
        for &alarm in Alarm::ALL {
            let (on, off) = delays(alarm, &catalogue);
            let delays = format!("{}{}{}", time(on), guide.between, time(off));
            let (chinese, english) = alarm.texts();
            let is = |row: &Vec<String>| {
                let advice = row.get(5).is_some_and(|advice| guide.page.ends_with("zh.md") || advice == alarm.advice());
                row[0] == alarm.priority().name() && row[2..5] == [chinese, english, delays.as_str()] && advice
            };
            let rows = by_name.get(alarm.name()).map_or(&[][..], Vec::as_slice);
            if !rows.iter().any(is) {
                let advice = alarm.advice();
                wrong.push(format!(
                    "{}: | {} | `{}` | {chinese} | {english} | {delays} | {advice} |",
                    guide.page,
                    alarm.priority().name(),
                    alarm.name()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Names that the program gives, each with the Chinese word beside it in the table.
pub fn named() -> Vec<(&'static str, &'static str)> {
    let mut list: Vec<(&str, &str)> = Trip::ALL.iter().map(|trip| (trip.name(), trip.texts().0)).collect();
    list.extend(Stage::ALL.iter().map(|stage| (stage.name(), stage.texts().0)));
    list.extend(Because::ALL.iter().map(|because| (because.name(), because.texts().0)));
    list.extend(FrostStage::ALL.iter().map(|stage| (stage.name(), stage.texts().0)));
    list
}

#[test]
fn both_guides_have_each_interlock_stage_limit_and_stage_of_frost_by_its_name() {
    let mut wrong = Vec::new();
    for guide in &GUIDES {
        let by_name = guide.rows_by(0);
        for (name, chinese) in named() {
            let rows = by_name.get(name).map_or(&[][..], Vec::as_slice);
            if !rows.iter().any(|row| row[1].contains(chinese)) {
                wrong.push(format!("{}: `{name}` {chinese} has no row", guide.page));
            }
        }
        for trip in Trip::ALL {
            // A mark under valve, circulation and make-up says that it closes or stops them.
            let does = [trip.closes_valve(), trip.stops_circulation(), trip.stops_make_up()];
            let is = |row: &Vec<String>| row.len() > 6 && does == [4, 5, 6].map(|at| !row[at].is_empty());
            if !by_name.get(trip.name()).is_some_and(|rows| rows.iter().any(is)) {
                wrong.push(format!("{}: `{}` acts otherwise: {does:?}", guide.page, trip.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn both_guides_have_each_operation_reason_by_its_number_and_each_request() {
    let mut wrong = Vec::new();
    for guide in &GUIDES {
        let reasons = guide.rows_by(1);
        for reason in OperationReason::ALL {
            let (chinese, english) = reason.texts();
            let is = |row: &Vec<String>| {
                row[0] == reason.number().to_string()
                    && row[2].contains(chinese)
                    && row.iter().any(|cell| cell == english)
            };
            if !reasons.get(reason.name()).is_some_and(|rows| rows.iter().any(is)) {
                wrong.push(format!(
                    "{}: | {} | `{}` | {chinese} | {english} |",
                    guide.page,
                    reason.number(),
                    reason.name()
                ));
            }
        }
        let requests = guide.rows_by(0);
        wrong.extend(
            wishes()
                .iter()
                .filter(|wish| !requests.contains_key(*wish))
                .map(|wish| format!("{}: the request `{wish}` has no row", guide.page)),
        );
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn both_guides_name_each_part_of_a_station_file() {
    let parts = Keys::of(&schema::station()).parts;
    assert!(parts.contains("circuit.sequence"), "{parts:?}");
    let mut wrong = Vec::new();
    for guide in &GUIDES {
        let text = read(guide.page);
        // What is inside of a device or a part of a circuit is explained by the schema.
        for part in parts.iter().filter(|part| part.matches('.').count() < 2 && !part.starts_with("device.")) {
            if !text.contains(&format!("[{part}]")) {
                wrong.push(format!("{} does not name [{part}]", guide.page));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
