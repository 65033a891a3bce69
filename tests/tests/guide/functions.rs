//! Each row names what exists, and each key has a row.

use std::collections::BTreeSet;

use heatstation_config::schema;

use crate::keys::{Keys, ends_like, judge_parameters, judge_plant, key_and_word};
use crate::sources::{Sources, judge_tests};
use crate::tables::{PARAMETER, PLANT, Row, TEST, cells, fits, functions, quoted, rows};

/// Keys that say what the station is, not what it does.
pub const NO_FUNCTION: [&str; 6] = [
    "circuit.name",
    "circuit.heated_area_m2",
    "circuit.rooms",
    "circuit.building.name",
    "circuit.room.name",
    "circuit.building.rooms",
];

/// Keys of a station's control that no row names.
pub fn without_a_row(rows: &[Row], keys: &Keys) -> Vec<String> {
    let mut patterns = BTreeSet::new();
    for row in rows.iter().filter(|row| !row.page.ends_with(PLANT)) {
        patterns.extend(quoted(row.cell(PARAMETER).unwrap()).iter().filter_map(|(_, token)| key_and_word(token).0));
    }
    let control = |path: &&String| ["circuit.", "outdoor.", "season."].iter().any(|part| path.starts_with(part));
    let named = |path: &&String| {
        NO_FUNCTION.contains(&path.as_str()) || patterns.iter().any(|pattern| ends_like(path, pattern))
    };
    keys.paths.iter().filter(control).filter(|path| !named(path)).cloned().collect()
}

#[test]
fn each_parameter_of_the_functions_is_a_key_of_the_station_file_and_each_test_exists() {
    let (rows, sources) = (functions(), Sources::read());
    assert!(rows.len() > 150 && sources.tests.len() > 500, "{} rows, {} tests", rows.len(), sources.tests.len());
    let station = Keys::of(&schema::station());
    assert!(station.paths.len() > 250, "{station:?}");
    let mut wrong = judge_parameters(&rows, &station, &sources);
    wrong.extend(judge_plant(&rows, &[station, Keys::of(&schema::scenario())], &sources));
    wrong.extend(judge_tests(&rows, &sources));
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn each_key_of_the_control_has_a_row_among_the_functions() {
    let missing = without_a_row(&functions(), &Keys::of(&schema::station()));
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

#[test]
fn a_wrong_row_is_seen() {
    let (keys, sources) = (Keys::of(&schema::station()), Sources::read());
    let row = |key: &str, test: &str| {
        let page = format!("| function | {PARAMETER} | {TEST} |\n|---|---|---|\n| it heats | {key} | {test} |\n");
        rows("a page", &page)
    };
    let here = "`a_wrong_row_is_seen`";
    for key in
        ["`lust_kelvins`", "`frost.gain`", "`[circuit.frost] gain`", "`mode = \"by-moonlight\"`", "request `sing`"]
    {
        assert_eq!(judge_parameters(&row(key, here), &keys, &sources).len(), 1, "{key} goes unseen");
    }
    for test in ["`a_test_that_nobody_wrote`", "`guide::nobody_…`", "`tests/tests/nowhere.rs`", "`a_…`", "``", ""] {
        let seen = judge_tests(&row("-", test), &sources).len();
        assert_eq!(seen, usize::from(test != "``"), "{test} goes unseen");
    }
    let right =
        "`[circuit.frost] danger_celsius`, `.danger_celsius`, `mode = \"fixed-speed\"`, `danger_…`, request `set_mode`";
    assert_eq!(judge_parameters(&row(right, here), &keys, &sources), Vec::<String>::new());
    let right = "guide `a_wrong_row_is_seen`, `guide::a_wrong_row_…`, `tests/guide/main.rs`, core `interlock`";
    assert_eq!(judge_tests(&row("-", right), &sources), Vec::<String>::new());
    let missing = without_a_row(&row("`danger_celsius`", here), &keys);
    assert!(missing.contains(&"circuit.frost.water_celsius".to_owned()));
    assert!(!missing.contains(&"circuit.frost.danger_celsius".to_owned()));
}

#[test]
fn a_bar_in_backticks_parts_no_cells_and_dots_stand_for_anything() {
    assert_eq!(cells("| a | `b|c` | |"), ["a", "`b|c`", ""]);
    assert!(fits("a_…_d", "a_b_c_d") && fits("…", "x") && fits("a*", "ab") && fits("a…b…c", "a1b2c"));
    assert!(!fits("a", "ab") && !fits("a_…_d", "a_b") && !fits("a…b…c", "a2c"));
}
