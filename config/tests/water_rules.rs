//! The rules about circulation and pressure holding, each told as a slip of the pen.

mod slips;

use heatstation_config::check;
use slips::{example, slip};

const MODE: &str = "mode = \"fixed-speed\"\nspeed_ratio = 0.9 ";

/// The demo's circulation with this instead of its mode: the problem, its key, its line, and what it says.
fn circulation(written: &str, key: &str, line: &str, what: &str) {
    slip("demo", MODE, &format!("{written}\n#"), &format!("circuit.low-zone.circulation.{key}"), line, what);
}

/// The demo with a line changed in its make-up.
fn make_up(from: &str, to: &str, key: &str, line: &str, what: &str) {
    slip("demo", from, to, &format!("circuit.low-zone.make_up.{key}"), line, what);
}

#[test]
fn a_key_of_another_mode_is_no_comment() {
    let dp = "mode = \"differential-pressure\"\ndifferential_pressure_kilopascals = 70";
    circulation(&format!("{dp}\nspeed_ratio = 0.9"), "speed_ratio", "speed_ratio = 0.9", "has no meaning in this mode");
    let worst = "mode = \"worst-point\"\ndifferential_pressure_high_kilopascals = 100";
    let both = format!("{worst}\ndifferential_pressure_kilopascals = 70");
    circulation(&both, "differential_pressure_kilopascals", "differential_pressure_k", "(worst-point)");
    let trim = "mode = \"fixed-speed\"\n[circuit.circulation.trim]\ntrim_kilopascals = 1";
    circulation(trim, "trim", "[circuit.circulation.trim]", "has no meaning in this mode");
    circulation("mode = \"supply-pressure\"", "supply_pressure_kilopascals", "[circuit.circulation]", "= 450");
}

#[test]
fn less_flow_needs_a_curve_that_knows_it() {
    let staged = "mode = \"staged-flow\"";
    circulation(staged, "mode", "[circuit.circulation]", "does not know the design flow");
    circulation("mode = \"temperature-difference\"", "mode", "[circuit.circulation]", "design_flow_m3_per_hour");
    let known = example("demo").replacen(
        "emitter = \"radiator\" ",
        "design_flow_m3_per_hour = 120\nemitter = \"radiator\" ",
        1,
    );
    let sound = known.replacen(MODE, &format!("{staged}\n#"), 1);
    assert!(check("station.toml", &sound, None).is_ok());
    let points = sound.replacen(
        "[circuit.make_up]",
        "[circuit.curve]\npoints_celsius = [[-10, 60], [10, 35]]\n[circuit.make_up]",
        1,
    );
    let problems = check("station.toml", &points, None).unwrap_err();
    assert!(problems.list().iter().any(|problem| problem.what.contains("beside a curve through points")), "{problems}");
}

#[test]
fn a_difference_needs_room_to_move() {
    let modes = ["proportional-pressure", "quadratic-pressure"];
    for mode in modes {
        let written = format!(
            "mode = \"{mode}\"\ndifferential_pressure_kilopascals = 70\ndifferential_pressure_low_kilopascals = 75"
        );
        circulation(&written, "differential_pressure_low_kilopascals", "low_kilopascals = 75", "grows with the flow");
    }
    let trim = "mode = \"trim-and-respond\"\ndifferential_pressure_high_kilopascals = 90\n[circuit.circulation.trim]\ntrim_kilopascals = 4";
    circulation(trim, "trim.trim_kilopascals", "trim_kilopascals = 4", "answered faster than nobody");
}

#[test]
fn pumps_that_join_are_there_and_have_something_to_hold() {
    let dp = "mode = \"differential-pressure\"\ndifferential_pressure_kilopascals = 70\n[circuit.circulation.assist]\npumps = 2";
    circulation(dp, "assist.pumps", "pumps = 2", "1 on duty and 2 to join of 2 pumps");
    let fixed = "mode = \"fixed-speed\"\n[circuit.circulation.assist]\npumps = 1";
    circulation(fixed, "assist", "[circuit.circulation.assist]", "no meaning in this mode");
}

#[test]
fn a_change_over_has_a_day_and_a_time_or_neither() {
    let section = "[circuit.circulation.change_over]";
    let with = |written: &str| format!("mode = \"fixed-speed\"\n{section}\n{written}");
    circulation(&with("day = \"fri\""), "change_over.time", section, "a day needs a time");
    circulation(&with("time = \"10:00\""), "change_over.day", section, "a time needs a day");
    circulation(&with("day = \"fri\"\ntime = \"25:00\""), "change_over.time", "25:00", "not a time of day");
    circulation(&with("pause_seconds = 5"), "change_over.pause_seconds", "pause_seconds", "with an overlap");
}

#[test]
fn an_exercise_does_not_use_up_the_starts() {
    let often = "mode = \"fixed-speed\"\n[circuit.circulation.exercise]\nevery_hours = 0.5";
    circulation(often, "exercise.every_hours", "every_hours = 0.5", "use up the motor's starts");
}

#[test]
fn the_pressures_stand_in_their_order_with_the_lift_among_them() {
    let start = "start_kilopascals = 272";
    let lifted = format!("{start}\nsleep_raise_kilopascals = 40");
    make_up(start, &lifted, "sleep_raise_kilopascals", "sleep_raise_kilopascals = 40", "setpoint + sleep_raise");
    let above = "start_kilopascals = 291";
    make_up(start, above, "setpoint_kilopascals", "setpoint_kilopascals = 290", "must be below setpoint");
}

#[test]
fn what_only_one_drive_or_two_pumps_can_do_is_asked_of_no_other() {
    let mode = "mode = \"variable-speed\"\nstart";
    let lift = "mode = \"start-stop\"\nsleep_raise_kilopascals = 5\nstart";
    make_up(mode, lift, "sleep_raise_kilopascals", "sleep_raise_kilopascals = 5", "no meaning with start and stop");
    let start = "start_kilopascals = 272";
    let help = format!("{start}\nassist_after_seconds = 60");
    make_up(start, &help, "assist_after_seconds", "assist_after_seconds = 60", "no meaning with one pump");
}

#[test]
fn a_pressure_that_the_pumps_hold_lies_between_the_holding_pressure_and_the_trip() {
    let supply = |kilopascals: u32| format!("mode = \"supply-pressure\"\nsupply_pressure_kilopascals = {kilopascals}");
    let key = "supply_pressure_kilopascals";
    circulation(&supply(2000), key, "[circuit.circulation]", "the plant trips at");
    circulation(&supply(100), key, "[circuit.circulation]", "no more than what make-up holds");
    let difference = "mode = \"differential-pressure\"\ndifferential_pressure_kilopascals = 500";
    circulation(difference, "differential_pressure_kilopascals", "[circuit.circulation]", "the plant trips at");
}

#[test]
fn a_burst_isolates_only_where_there_is_a_valve_for_that() {
    let to = "[circuit.make_up.leak]\non_burst = \"isolate\"\n\n[circuit.interlock]";
    make_up("[circuit.interlock]", to, "leak.on_burst", "on_burst", "no isolation valve");
}
