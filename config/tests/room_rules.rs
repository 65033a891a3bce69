//! The rules about rooms and about the balance of the buildings, each told as a slip of the pen.

mod slips;

use heatstation_config::check;
use slips::{example, slip, told};

const BEFORE: &str = "[circuit.circulation]";

/// The demo station with this written into its circuit: the problem that comes, where it stands, and what it says.
fn with(written: &str, key: &str, line: &str, what: &str) {
    let key = format!("circuit.low-zone.{key}");
    slip("demo", BEFORE, &format!("{written}\n{BEFORE}"), &key, line, what);
}

#[test]
fn what_belongs_to_the_balance_needs_the_balance() {
    let first = "name = \"b1\"";
    for (written, key) in [("valve = \"balanced\"", "valve"), ("balance_offset_kelvins = 1", "balance_offset_kelvins")]
    {
        let to = format!("{first}\n{written}");
        slip(
            "demo",
            first,
            &to,
            &format!("circuit.low-zone.building.b1.{key}"),
            "[[circuit.building]]",
            "[circuit.balance]",
        );
    }
}

#[test]
fn a_balanced_circuit_with_its_points_is_sound() {
    let text = example("demo").replacen(BEFORE, &format!("[circuit.balance]\n{BEFORE}"), 1);
    assert!(told(&text, None).is_empty(), "{:?}", told(&text, None));
    let balance = check("station.toml", &text, None).unwrap().settings.circuits[0].balance.unwrap();
    assert_eq!(balance.every.as_secs(), 7200);
}

#[test]
fn a_valve_is_moved_only_where_it_is_known_where_it_stands_and_what_comes_back() {
    for last in ["valve.position", "valve.position_feedback", "return_temperature"] {
        let point = format!("circuit.low-zone.building.b3.{last}");
        let text = example("demo").replacen(BEFORE, &format!("[circuit.balance]\n{BEFORE}"), 1);
        let template = "template = \"generic/exchange-station-plc\"";
        let text = text.replacen(template, &format!("{template}\nwithout = [\"{point}\"]"), 1);
        let problems = told(&text, None);
        assert!(problems.iter().any(|problem| problem.key == point && problem.help.contains("fixed")), "{problems:#?}");
        let fixed = text.replacen("name = \"b3\"", "name = \"b3\"\nvalve = \"fixed\"", 1);
        assert!(told(&fixed, None).is_empty(), "{:#?}", told(&fixed, None));
    }
}

#[test]
fn the_least_and_the_most_open_valve_stand_in_order() {
    let written = "[circuit.balance]\nposition_min_ratio = 0.7\nmost_open_ratio = 0.6";
    with(written, "balance.most_open_ratio", "most_open_ratio = 0.6", "0.7");
}

#[test]
fn every_standard_says_what_each_use_of_a_building_is_owed() {
    for standard in ["cdha", "hanzhong", "tangshan", "xinjiang", "zibo"] {
        for (building_use, least) in
            [("dwelling", 18.0), ("office", 18.0), ("kindergarten", 18.0), ("nursing-home", 18.0)]
        {
            let text = example("demo")
                .replacen("standard = \"zibo\"", &format!("standard = \"{standard}\""), 1)
                .replacen("name = \"b1\"", &format!("name = \"b1\"\nuse = \"{building_use}\""), 1);
            let station =
                check("station.toml", &text, None).unwrap_or_else(|problems| panic!("{standard}: {problems:?}"));
            let rooms = &station.settings.circuits[0].rooms;
            let minimum = rooms.iter().find(|room| room.name.starts_with("b1")).unwrap().minimum.0;
            assert!((least..=24.0).contains(&minimum), "{standard}, {building_use}: {minimum} °C");
        }
    }
}
