//! The rules about weather and season, told as slips of the pen.

mod slips;

use heatstation_config::check;
use heatstation_core::settings::HeatingLimitScope;
use slips::{example, slip};

fn demo(from: &str, to: &str, key: &str, what: &str) {
    slip("demo", from, to, key, to.lines().last().unwrap_or_default(), what);
}

const LAST_DAY: &str = "last_day = 2027-03-15";
const CIRCULATION: &str = "[circuit.circulation]";

/// The demonstration with this table put into its circuit.
fn with_table(table: &str) -> String {
    format!("{table}\n\n{CIRCULATION}")
}

#[test]
fn days_around_the_season_stand_around_it() {
    let with = |line: &str| format!("{LAST_DAY}\n{line}");
    demo(LAST_DAY, &with("heating_until_day = 2027-03-14"), "season.heating_until_day", "after it");
    demo(LAST_DAY, &with("heating_until_day = 2027-06-01"), "season.heating_until_day", "60 days");
    // Three days before the first one it heats anyway.
    demo(LAST_DAY, &with("earliest_day = 2026-11-13"), "season.earliest_day", "before `heating_from_day`");
    demo(LAST_DAY, &with("earliest_day = 2026-08-01"), "season.earliest_day", "60");
    demo(LAST_DAY, &with("latest_day = 2027-03-10"), "season.latest_day", "after the planned end");
    demo(LAST_DAY, &with("mean_limit_celsius = 40"), "season.mean_limit_celsius", "from -10 to 15 °C");
    let sound = example("demo").replacen(
        LAST_DAY,
        &with("heating_until_day = 2027-03-20\nearliest_day = 2026-11-01\nlatest_day = 2027-04-05"),
        1,
    );
    let station = check("demo.toml", &sound, None).unwrap();
    let (season, shoulder) = (station.settings.season, station.settings.shoulder);
    assert_eq!(shoulder.heating_until.unwrap().since(season.end).as_secs(), 5 * 86_400);
    assert_eq!(season.start.since(shoulder.earliest.unwrap()).as_secs(), 14 * 86_400);
    assert_eq!(shoulder.latest.unwrap().since(season.end).as_secs(), 21 * 86_400);
}

#[test]
fn heat_of_dwellings_is_not_closed_in_the_season() {
    let table = with_table("[circuit.heating_limit]\nscope = \"always\"");
    let key = "circuit.low-zone.heating_limit.scope";
    slip("demo", CIRCULATION, &table, key, "scope = \"always\"", "owe dwellings heat");
    // Not even when one of many houses somebody.
    let offices = |text: &str| text.replace("heated_area_m2 = 14000\n", "heated_area_m2 = 14000\nuse = \"office\"\n");
    let some = offices(example("demo")).replacen(CIRCULATION, &table, 1);
    let problems = check("demo.toml", &some, None).unwrap_err();
    assert!(problems.list().iter().any(|problem| problem.key == key), "{problems}");
    let all = some.replace("heated_area_m2 = 15000\n", "heated_area_m2 = 15000\nuse = \"office\"\n");
    let limit = check("demo.toml", &all, None).unwrap().settings.circuits[0].heating_limit.unwrap();
    assert_eq!((limit.scope, limit.limit.0), (HeatingLimitScope::Always, 17.0));
}

#[test]
fn a_heating_limit_lies_below_the_room_that_it_heats() {
    let table = with_table("[circuit.heating_limit]\nlimit_celsius = 22");
    slip("demo", CIRCULATION, &table, "circuit.low-zone.heating_limit.limit_celsius", "limit_celsius = 22", "no heat");
}

#[test]
fn a_gain_that_no_building_has_is_refused() {
    let table = with_table("[circuit.weather]\nsolar_kelvins_per_kilowatt_per_m2 = 80");
    let key = "circuit.low-zone.weather.solar_kelvins_per_kilowatt_per_m2";
    slip("demo", CIRCULATION, &table, key, "solar_kelvins", "from 0 to 25 K/(kW/m²)");
    let table = with_table("[circuit.weather]\nlight_share_ratio = 0");
    slip("demo", CIRCULATION, &table, "circuit.low-zone.weather.light_share_ratio", "light_share", "from 0.2 to 1");
}
