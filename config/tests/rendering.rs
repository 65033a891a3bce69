//! What `heatstation check` prints, to the character: people read it on a terminal at night.

use heatstation_config::{EXAMPLES, check};

fn minimal() -> &'static str {
    EXAMPLES[2].1
}

#[test]
fn a_problem_is_shown_as_a_compiler_would() {
    let text = minimal().replacen("emitter = \"radiator\"", "emitter = \"radiator\"\nsupply_max_celsius = nan", 1);
    let problems = check("stations/k1.toml", &text, None).unwrap_err();
    let expected = "\
error: circuit.low-zone.supply_max_celsius: is not a finite number
  --> stations/k1.toml:27:22
   |
27 | supply_max_celsius = nan
   |                      ^^^
   |
   = help: write a number from 25 to 115 °C";
    assert_eq!(problems.to_string(), expected);
    assert!(problems.coloured().contains("\u{1b}["));
}

#[test]
fn the_caret_stands_right_behind_chinese_characters() {
    let text = minimal().replacen("name = \"一号换热站\"", "name = \"一号换热站\", standart = 1", 1);
    let shown = check("k1.toml", &text, None).unwrap_err().to_string();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[3], "6 | name = \"一号换热站\", standart = 1");
    // The five characters are ten columns wide, so the caret stands ten columns and seventeen characters in.
    assert_eq!(lines[4], format!("  | {}^", " ".repeat("name = ".len() + 2 + 10)));
}

#[test]
fn several_problems_are_set_apart_and_stand_in_the_order_of_the_file() {
    let text = minimal().replacen("\"zibo\"", "\"zbio\"", 1).replacen("30000", "-1", 1);
    let problems = check("k1.toml", &text, None).unwrap_err();
    let lines: Vec<usize> = problems.list().iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [7, 8]);
    assert_eq!(problems.to_string().split("\n\n").count(), 2);
}

#[test]
fn machines_get_the_same_as_json() {
    let text = minimal().replacen("\"zibo\"", "\"zbio\"", 1);
    let problems = check("k1.toml", &text, None).unwrap_err();
    let expected = serde_json::json!([{
        "severity": "error",
        "file": "k1.toml",
        "line": 7,
        "column": 12,
        "key": "station.standard",
        "what": "there is no standard `zbio`",
        "help": "did you mean `zibo`? possible: hanzhong, zibo, xinjiang, tangshan, cdha, or a file standards/<name>.toml \
                 beside the station's",
    }]);
    assert_eq!(problems.to_json(), expected);
}

#[test]
fn a_missing_file_is_shown_without_a_line() {
    let problems = heatstation_config::load(std::path::Path::new("/nowhere/k1.toml")).unwrap_err();
    let shown = problems.to_string();
    assert!(shown.starts_with("error: the file cannot be opened"), "{shown}");
    assert!(shown.contains("--> /nowhere/k1.toml") && shown.contains("= help: "), "{shown}");
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_move_no_caret() {
    let text = format!("\u{feff}{}", minimal().replacen("\"zibo\"", "\"zbio\"", 1)).replace('\n', "\r\n");
    let problems = check("k1.toml", &text, None).unwrap_err();
    let [problem] = problems.list() else { panic!("{problems}") };
    assert_eq!((problem.line, problem.column), (7, 12));
    assert!(problems.to_string().contains("7 | standard = \"zbio\""), "{problems}");
}

#[test]
fn the_explanation_names_value_unit_and_source() {
    let station = check("k1.toml", minimal(), None).unwrap();
    let text = heatstation_config::explain::text(&station.sources);
    let line = |key: &str| {
        let found = text.lines().find(|line| line.starts_with(&format!("{key} "))).unwrap_or_else(|| panic!("{key}"));
        found.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("station.standard"), "station.standard zibo [k1.toml:7]");
    assert_eq!(
        line("circuit.low-zone.supply_max_celsius"),
        "circuit.low-zone.supply_max_celsius 80 °C [derived: design supply + 5 K]"
    );
    assert_eq!(line("http.listen"), "http.listen 127.0.0.1:8080 [default: loopback until told otherwise]");
    assert_eq!(
        line("standard.accident_rate.target"),
        "standard.accident_rate.target 2, 1000 [standard zibo 10.5.1, Table 1]"
    );
    assert!(line("device.plc.write.refresh_seconds").ends_with("[devices/generic/exchange-station-plc.toml:24]"));
}
