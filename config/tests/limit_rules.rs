//! The rules about limits, each told as a slip of the pen.

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
fn a_limit_has_a_constant_or_points() {
    let section = "[circuit.return_limit]";
    with(section, "return_limit.constant_celsius", section, "is missing");
    let both = "[circuit.return_limit]\nconstant_celsius = 55\npoints_celsius = [[-15, 60], [15, 55]]";
    with(both, "return_limit.constant_celsius", "constant_celsius = 55", "not both");
    let lonely = "[circuit.return_limit]\nconstant_celsius = 55\ninflection_slope = 0.5";
    with(lonely, "return_limit.inflection_slope", "inflection_slope", "belongs to");
    let quota = "[circuit.heat_quota]\nconstant_kilowatt_hours_per_m2 = 1.1\npoints_gigajoules_per_day = [[0, 350]]";
    with(quota, "heat_quota.constant_kilowatt_hours_per_m2", "constant_kilowatt", "not both");
}

#[test]
fn the_points_of_a_limit_rise_outdoors_and_are_no_more_than_four() {
    let points = |list: &str| format!("[circuit.flow_limit]\npoints_m3_per_hour = {list}");
    let key = "flow_limit.points_m3_per_hour";
    with(&points("[[5, 40], [-9, 60]]"), key, "points_m3", "from cold to warm");
    with(&points("[[-9, 60], [5, -1]]"), key, "points_m3", "out of range");
    with(&points("[[-9, 60], [0, 50], [3, 45], [5, 40], [9, 30]]"), key, "points_m3", "1 to 4 pairs");
    with(&points("[]"), key, "points_m3", "1 to 4 pairs");
}

#[test]
fn a_limit_that_would_hold_all_winter_or_leave_flats_cold_is_warned_of() {
    let low = "[circuit.return_limit]\nconstant_celsius = 45";
    with(low, "return_limit", "[circuit.return_limit]", "holds all winter");
    let siemens = "[circuit.return_limit]\nconstant_celsius = 45\ninflection_celsius = 10\ncold_max_celsius = 48";
    with(siemens, "return_limit", "[circuit.return_limit]", "in design weather it is 48 °C");
    let weak = "[circuit.power_limit]\nconstant_kilowatts = 387";
    with(weak, "power_limit", "[circuit.power_limit]", "10 % of the design heat load");
    let small = "[circuit.heat_quota]\npoints_gigajoules_per_day = [[-9, 100]]";
    with(small, "heat_quota", "[circuit.heat_quota]", "is the unit right?");
}

#[test]
fn a_section_that_is_about_nothing_is_said() {
    with("[circuit.limits]\npriority = \"limits\"", "limits", "[circuit.limits]", "no limit that this would be about");
    let blind = "[circuit.return_limit]\nconstant_celsius = 60\nvalve_max_blind_ratio = 0.1\n[circuit.valve]\nposition_min_ratio = 0.2";
    with(blind, "return_limit.valve_max_blind_ratio", "valve_max_blind", "room to move");
}

#[test]
fn a_warm_minimum_and_the_emitters_keep_their_order_with_the_highest_setpoint() {
    let circuit = |text: &str| format!("{text}\nsupply_max_celsius = 80");
    let told = |text: &str, key: &str, line: &str, what: &str| {
        slip("demo", "supply_max_celsius = 80", &circuit(text), &format!("circuit.low-zone.{key}"), line, what);
    };
    told(
        "supply_min_warm_from_celsius = 8",
        "supply_min_warm_from_celsius",
        "supply_min_warm_from",
        "no meaning alone",
    );
    told("emitter_max_celsius = 70", "supply_max_celsius", "supply_max", "the emitters bear no more");
    told("supply_min_warm_celsius = 80", "supply_max_celsius", "supply_max", "must be below");
}

#[test]
fn a_limit_needs_what_it_looks_at() {
    let text = example("demo")
        .replacen(BEFORE, &format!("[circuit.return_limit]\nconstant_celsius = 60\n{BEFORE}"), 1)
        .replacen(
            "template = \"generic/exchange-station-plc\"",
            "template = \"generic/exchange-station-plc\"\nwithout = [\"primary_return.temperature\", \
             \"primary_meter.return_temperature\", \"circuit.low-zone.primary_return.temperature\"]",
            1,
        );
    let problems = told(&text, None);
    let blind = "circuit.low-zone.primary_return.temperature";
    assert!(
        problems.iter().any(|problem| problem.key == blind && problem.help.contains("return limit")),
        "{problems:#?}"
    );
}

#[test]
fn the_limits_of_the_manuals_come_out_in_base_units() {
    let limits = "[circuit.return_limit]\nconstant_celsius = 55\ninflection_celsius = 10\ncold_max_celsius = 70\n\
                  [circuit.flow_limit]\npoints_m3_per_hour = [[-9, 72], [5, 36]]\n\
                  [circuit.heat_quota]\nconstant_kilowatt_hours_per_m2 = 0.9\n";
    let text = example("demo").replacen(BEFORE, &format!("{limits}{BEFORE}"), 1);
    let station = check("demo.toml", &text, None).unwrap_or_else(|problems| panic!("{problems}"));
    let limits = &station.settings.circuits[0].limits;
    let at = |outdoor: f64| heatstation_points::Celsius(outdoor);
    let back = limits.primary_return.unwrap().line;
    assert_eq!((back.at(at(15.0)), back.at(at(0.0))), (55.0, 62.0));
    assert!((limits.flow.unwrap().line.at(at(-2.0)) - 0.015).abs() < 1e-9);
    // 0.9 kWh/m² · 86 000 m² · 3.6 MJ/kWh.
    assert!((limits.quota.unwrap().line.at(at(0.0)) - 278.64e9).abs() < 1.0);
    assert_eq!(limits.station_share, heatstation_points::Ratio::ONE);
}

#[test]
fn creep_flow_is_small_and_flushing_is_shorter_than_the_rest() {
    let much = "[circuit.creep_flow]\nflow_min_m3_per_hour = 90";
    with(much, "creep_flow.flow_min_m3_per_hour", "flow_min", "of the design flow");
    let long = "[circuit.creep_flow]\nflow_min_m3_per_hour = 1.5\nflush_for_minutes = 20\nflush_after_minutes = 10";
    with(long, "creep_flow.flush_for_minutes", "flush_for", "no shorter than flush_after");
    // A slip of unit in a flow is seen as one in a power is.
    let small = "[circuit.flow_limit]\nconstant_m3_per_hour = 0.5";
    with(small, "flow_limit", "[circuit.flow_limit]", "of the design heat load");
}
