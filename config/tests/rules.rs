//! Each rule of the check, told as a slip of the pen: what is changed in a sound file, and which problem comes where.

use std::path::Path;

use heatstation_config::problem::Severity;
use heatstation_config::{EXAMPLES, Problem, check};

fn example(name: &str) -> &'static str {
    EXAMPLES.into_iter().find(|(known, _)| *known == name).unwrap().1
}

fn told(text: &str, folder: Option<&Path>) -> Vec<Problem> {
    match check("station.toml", text, folder) {
        Ok(station) => station.warnings.list().to_vec(),
        Err(problems) => problems.list().to_vec(),
    }
}

/// Replaces in a sound example and expects exactly one problem: with that key, in the line that says `line`, and with
/// `what` in its words.
fn slip(name: &str, from: &str, to: &str, key: &str, line: &str, what: &str) {
    let text = example(name);
    assert!(text.contains(from), "{name} does not say {from:?}");
    let text = text.replacen(from, to, 1);
    let problems = told(&text, None);
    let [problem] = problems.as_slice() else { panic!("{from:?} to {to:?}: {problems:#?}") };
    assert_eq!(problem.key, key, "{problem:#?}");
    let shown = text.lines().nth(problem.line - 1).unwrap_or_default();
    assert!(shown.contains(line), "{problem:#?} stands in {shown:?}, expected {line:?}");
    assert!(format!("{} {}", problem.what, problem.help).contains(what), "{problem:#?}, expected {what:?}");
}

fn demo(from: &str, to: &str, key: &str, what: &str) {
    slip("demo", from, to, key, to.lines().last().unwrap(), what);
}

fn two_zones(from: &str, to: &str, key: &str, what: &str) {
    slip("two-zones", from, to, key, to.lines().last().unwrap(), what);
}

#[test]
fn an_unknown_key_is_refused_with_its_neighbour() {
    demo(
        "supply_max_celsius",
        "suply_max_celsius",
        "circuit.low-zone.suply_max_celsius",
        "did you mean `supply_max_celsius`",
    );
    demo("[circuit.make_up]", "[circuit.makeup]", "circuit.low-zone.makeup", "did you mean `make_up`");
    demo(
        "heated_area_m2 = 86000 ",
        "heated_aera_m2 = 86000 ",
        "station.heated_aera_m2",
        "did you mean `heated_area_m2`",
    );
}

#[test]
fn a_wrong_type_is_said_in_plain_words() {
    demo(
        "design_supply_celsius = 75",
        "design_supply_celsius = \"75\"",
        "circuit.low-zone.design_supply_celsius",
        "without quotes",
    );
    demo("pumps = 2 ", "pumps = 2.5 ", "circuit.low-zone.circulation.pumps", "whole number");
    demo("first_day = 2026-11-15", "first_day = \"2026-11-15\"", "season.first_day", "without quotes");
    demo("emitter = \"radiator\"", "emitter = \"radiators\"", "circuit.low-zone.emitter", "did you mean `radiator`");
    demo("[[wire]]", "[wire]", "wire", "[[");
}

#[test]
fn a_number_that_is_none_is_refused() {
    for number in ["nan", "inf", "-inf", "1e308", "-5"] {
        let to = format!("supply_max_celsius = {number}");
        demo("supply_max_celsius = 80", &to, "circuit.low-zone.supply_max_celsius", "from 25 to 115 °C");
    }
}

#[test]
fn what_is_required_and_missing_is_asked_for_with_an_example() {
    slip(
        "demo",
        "design_outdoor_celsius = -9 ",
        "# ",
        "station.design_outdoor_celsius",
        "[station]",
        "design_outdoor_celsius = -9",
    );
    slip("demo", "emitter = \"radiator\" ", "# ", "circuit.low-zone.emitter", "[[circuit]]", "emitter = \"radiator\"");
    slip(
        "demo",
        "setpoint_kilopascals = 290 ",
        "# ",
        "circuit.low-zone.make_up.setpoint_kilopascals",
        "[circuit.make_up]",
        "setpoint_kilopascals = 300",
    );
    slip("demo", "last_day", "# last_day", "season.last_day", "[season]", "without quotes");
    slip("demo", "address = ", "# address = ", "wire.plc.address", "[[wire]]", "192.168.1.10:502");
}

#[test]
fn a_syntax_error_is_one_problem_with_its_place() {
    demo("id = \"k12\" ", "id = \"k12 ", "", "is not TOML");
    demo("name = \"low-zone\"", "name = low-zone", "", "is not TOML");
    slip("demo", "pumps = 2 ", "pumps = 2\npumps = 2 ", "", "pumps = 2 ", "stands once");
}

#[test]
fn names_that_nobody_has_get_a_neighbour() {
    demo("standard = \"zibo\"", "standard = \"zbio\"", "station.standard", "did you mean `zibo`");
    demo("wire = \"plc\"", "wire = \"plk\"", "device.plc.wire", "did you mean `plc`");
    demo("\"Asia/Shanghai\"", "\"Asia/Shangai\"", "station.time_zone", "did you mean \"Asia/Shanghai\"");
    demo("station-plc\"", "station-plcs\"", "device.plc.template", "did you mean `generic/exchange-station-plc`");
    two_zones(
        "circuits = [\"low-zone\", \"high-zone\"]",
        "circuits = [\"low-zone\", \"hi-zone\", \"high-zone\"]",
        "device.plc.circuits",
        "did you mean `high-zone`",
    );
    two_zones(
        "\"outdoor.wind_speed\"",
        "\"outdoor.windspeed\"",
        "device.plc.without",
        "did you mean `outdoor.wind_speed`",
    );
    two_zones("unit = \"celsius\"", "unit = \"celcius\"", "auxiliary.valve-pit.unit", "did you mean `celsius`");
    slip(
        "two-zones",
        "point = \"auxiliary.valve-pit\"",
        "point = \"auxiliary.valvepit\"",
        "device.plc.auxiliary.valvepit",
        "[[device.point]]",
        "did you mean `auxiliary.valve-pit`",
    );
    two_zones(
        "name = \"h-3301\"",
        "name = \"h-3301\"\nbuilding = \"tower\"",
        "circuit.high-zone.room.h-3301.building",
        "no building `tower`",
    );
}

#[test]
fn a_name_stands_once() {
    demo("name = \"b2\"", "name = \"b1\"", "circuit.low-zone.building.b1.name", "already");
    slip(
        "demo",
        "\"b2-101\"",
        "\"b1-101\"",
        "circuit.low-zone.room.b1-101",
        "rooms = [\"b1-101\", \"b2-201\"",
        "already",
    );
    slip(
        "two-zones",
        "[[device.point]]",
        "[[wire]]\nname = \"plc\"\naddress = \"10.0.0.1:502\"\n[[device.point]]",
        "wire.plc.name",
        "[[wire]]",
        "already",
    );
}

#[test]
fn names_are_fit_for_metrics() {
    demo("id = \"k12\"", "id = \"K 12\"", "station.id", "small letters");
    demo("name = \"b6\"", "name = \"六号楼\"", "circuit.low-zone.building.六号楼.name", "small letters");
}

#[test]
fn pressures_stand_in_order() {
    let order = "protect < restart < start < setpoint < relief_close < relief_open < trip";
    demo(
        "relief_open_kilopascals = 350",
        "relief_open_kilopascals = 320",
        "circuit.low-zone.make_up.relief_open_kilopascals",
        order,
    );
    demo(
        "pressure_restart_kilopascals = 240",
        "pressure_restart_kilopascals = 270",
        "circuit.low-zone.interlock.pressure_restart_kilopascals",
        order,
    );
    demo(
        "pressure_trip_kilopascals = 600",
        "pressure_trip_kilopascals = 350",
        "circuit.low-zone.interlock.pressure_trip_kilopascals",
        order,
    );
    two_zones(
        "relief_open_kilopascals = 700",
        "relief_open_kilopascals = 650",
        "circuit.high-zone.make_up.relief_open_kilopascals",
        order,
    );
}

#[test]
fn temperatures_run_downhill_from_water_to_weather() {
    let heat = "heat flows from the water to the room";
    demo("design_return_celsius = 50", "design_return_celsius = 75", "circuit.low-zone.design_return_celsius", heat);
    demo(
        "design_return_celsius = 50",
        "design_return_celsius = 20\ndesign_room_celsius = 21",
        "circuit.low-zone.design_room_celsius",
        heat,
    );
    slip(
        "demo",
        "design_supply_celsius = 75",
        "design_supply_celsius = 82",
        "circuit.low-zone.supply_max_celsius",
        "supply_max_celsius = 80",
        "design day",
    );
    demo(
        "supply_trip_celsius = 85",
        "supply_trip_celsius = 80",
        "circuit.low-zone.interlock.supply_trip_celsius",
        "must not trip",
    );
    demo(
        "supply_max_celsius = 80",
        "supply_max_celsius = 80\nsupply_min_celsius = 80",
        "circuit.low-zone.supply_max_celsius",
        "room to move",
    );
    demo(
        "primary_design_return_celsius = 60",
        "primary_design_return_celsius = 110",
        "simulation.primary_design_supply_celsius",
        "brings heat",
    );
}

#[test]
fn a_floor_bears_sixty_degrees() {
    let jgj = "JGJ 142-2012";
    two_zones(
        "design_return_celsius = 35",
        "design_return_celsius = 35\nsupply_max_celsius = 61",
        "circuit.high-zone.supply_max_celsius",
        jgj,
    );
    slip(
        "two-zones",
        "[circuit.envelope]",
        "[circuit.interlock]\nsupply_trip_celsius = 70\n[circuit.envelope]",
        "circuit.high-zone.interlock.supply_trip_celsius",
        "supply_trip_celsius = 70",
        "65 °C at most",
    );
}

#[test]
fn mild_weather_is_not_an_outage() {
    two_zones(
        "confirm_after_minutes = 15",
        "supply_floor_celsius = 28",
        "circuit.high-zone.outage.supply_floor_celsius",
        "mild weather",
    );
}

#[test]
fn a_room_target_below_the_standard_is_refused() {
    two_zones(
        "room_target_celsius = 20.5",
        "room_target_celsius = 17",
        "circuit.low-zone.room_target_celsius",
        "18 °C",
    );
}

#[test]
fn a_contract_below_the_standard_is_a_warning() {
    two_zones(
        "minimum_celsius = 20",
        "minimum_celsius = 16",
        "circuit.high-zone.room.h-2501.minimum_celsius",
        "4.1.1.1",
    );
}

#[test]
fn areas_add_up_to_the_hundredth() {
    slip(
        "demo",
        "heated_area_m2 = 15000",
        "heated_area_m2 = 15000.07",
        "circuit.low-zone.heated_area_m2",
        "heated_area_m2 = 86000",
        "add up to 86000.07 m²",
    );
    let rounded = example("demo").replacen("heated_area_m2 = 15000", "heated_area_m2 = 15000.06", 1);
    assert_eq!(told(&rounded, None), [], "0.01 m² is granted for each of six buildings");
    slip(
        "two-zones",
        "heated_area_m2 = 112500.5",
        "heated_area_m2 = 112500.53",
        "station.heated_area_m2",
        "heated_area_m2 = 112500.53",
        "add up to 112500.5 m²",
    );
    slip(
        "two-zones",
        "heated_area_m2 = 2500",
        "heated_area_m2 = 2500.005",
        "circuit.low-zone.building.kindergarten.heated_area_m2",
        "2500.005",
        "two decimals",
    );
}

#[test]
fn seasons_end_after_they_begin_and_within_a_year() {
    demo("last_day = 2027-03-15", "last_day = 2026-03-15", "season.last_day", "before the first day");
    demo("last_day = 2027-03-15", "last_day = 2028-03-15", "season.last_day", "is a year wrong?");
    demo("last_day = 2027-03-15", "last_day = 2027-03-15T00:00:00", "season.last_day", "day alone");
    demo(
        "last_day = 2027-03-15",
        "last_day = 2027-03-15\nheating_from_day = 2026-11-16",
        "season.heating_from_day",
        "60 days before",
    );
}

#[test]
fn pumps_are_one_to_three_and_duty_is_no_more() {
    demo("pumps = 2 ", "pumps = 4 ", "circuit.low-zone.circulation.pumps", "from 1 to 3");
    two_zones("duty = 2", "duty = 4", "circuit.low-zone.circulation.duty", "from 1 to 3");
    demo(
        "speed_ratio = 0.9",
        "speed_ratio = 0.9\nduty = 3",
        "circuit.low-zone.circulation.duty",
        "no more than there are",
    );
    demo("speed_ratio = 0.9", "speed_ratio = 0.4", "circuit.low-zone.circulation.speed_ratio", "below the lowest");
}

#[test]
fn a_key_of_another_mode_is_not_dead_it_is_refused() {
    demo(
        "speed_ratio = 0.9",
        "differential_pressure_kilopascals = 60",
        "circuit.low-zone.circulation.differential_pressure_kilopascals",
        "no meaning in this mode",
    );
    two_zones(
        "differential_pressure_kilopascals = 70",
        "differential_pressure_kilopascals = 70\nspeed_ratio = 0.9",
        "circuit.low-zone.circulation.speed_ratio",
        "no meaning in this mode",
    );
    two_zones(
        "[circuit.curve] ",
        "[circuit.curve]\nexponent = 1.1 # ",
        "circuit.high-zone.curve.exponent",
        "beside points",
    );
    slip(
        "demo",
        "[circuit.circulation]",
        "[circuit.curve]\npoints_room_slope = 2.0\n[circuit.circulation]",
        "circuit.low-zone.curve.points_room_slope",
        "points_room_slope",
        "without points",
    );
}

#[test]
fn a_curve_through_points_falls_and_rises_in_order() {
    let key = "circuit.high-zone.curve.points_celsius";
    two_zones("[[-15, 46], [-5, 41], [5, 34], [15, 28]]", "[[-15, 46]]", key, "2 to 8 pairs");
    two_zones("[[-15, 46], [-5, 41], [5, 34], [15, 28]]", "[[-15, 46], [5, 41], [-5, 34]]", key, "from cold to warm");
    two_zones("[[-15, 46], [-5, 41], [5, 34], [15, 28]]", "[[-15, 46], [-5, 47]]", key, "the cooler the supply");
    two_zones("[[-15, 46], [-5, 41], [5, 34], [15, 28]]", "[[-15, nan], [-5, 41], [5, 34]]", key, "out of range");
}

#[test]
fn periods_are_times_of_the_day() {
    let key = "circuit.low-zone.schedule.1";
    two_zones("from = \"23:00\"", "from = \"24:00\"", &format!("{key}.from"), "not a time of day");
    two_zones("to = \"05:00\"", "to = \"5\"", &format!("{key}.to"), "not a time of day");
    two_zones(
        "room_shift_kelvins = -1",
        "room_shift_kelvins = -20",
        &format!("{key}.room_shift_kelvins"),
        "from -10 to 5 K",
    );
    two_zones(
        "days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]",
        "days = [\"mon\", \"thur\"]",
        "circuit.low-zone.schedule.1.days",
        "did you mean `thu`",
    );
    two_zones(
        "days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]",
        "days = []",
        "circuit.low-zone.schedule.1.days",
        "names no day",
    );
}

#[test]
fn an_address_holds_one_value_and_a_point_one_address() {
    slip(
        "two-zones",
        "address = 50",
        "address = 9",
        "device.plc.auxiliary.valve-pit",
        "[[device.point]]",
        "belongs to primary_supply.pressure already",
    );
    slip(
        "two-zones",
        "scale = 0.1",
        "scale = 0.1\n[[device.point]]\npoint = \"auxiliary.valve-pit\"\ntable = \"holding-register\"\naddress = 52\nencoding = \"i16\"",
        "device.plc.auxiliary.valve-pit",
        "[[device.point]]",
        "two places",
    );
    slip(
        "two-zones",
        "encoding = \"i16\"\nscale = 0.1",
        "bit = 3",
        "device.plc.auxiliary.valve-pit",
        "[[device.point]]",
        "on or off",
    );
}

#[test]
fn a_row_that_cannot_be_read_or_written_says_why() {
    let key = "device.plc.auxiliary.valve-pit";
    let row = |from: &str, to: &str, what: &str| slip("two-zones", from, to, key, "[[device.point]]", what);
    row("address = 50", "address = 70000", "65535");
    row("address = 50\n", "", "counted from 0");
    row("table = \"holding-register\"\naddress = 50", "address = 50", "its table is missing");
    row("encoding = \"i16\"\n", "", "its encoding is missing");
    row("scale = 0.1", "scale = 0.0", "scale not zero");
    row("scale = 0.1", "scale = nan", "finite");
    row("scale = 0.1", "unit = \"bar\"", "no unit of a point in celsius");
    row("scale = 0.1", "period_seconds = 0.0", "out of range");
    row("scale = 0.1", "bit = 2", "no meaning for this encoding");
    row("scale = 0.1", "write = { refresh_seconds = 5 }", "read, never written");
    row("table = \"holding-register\"", "table = \"coil\"", "a coil holds a bit");
}

#[test]
fn an_output_stands_where_it_can_be_written() {
    let own = "\n[[device.point]]\npoint = \"circuit.low-zone.valve.position\"\ntable = \"input-register\"\naddress = 1\nencoding = \"u16\"\n";
    let text = example("demo").replacen("[[circuit]]", &format!("{own}\n[[circuit]]"), 1);
    let problems = told(&text, None);
    assert!(problems.iter().any(|problem| problem.what.contains("cannot be written")), "{problems:#?}");
}

#[test]
fn essential_points_are_not_left_out() {
    let without = |points: &str, key: &str| {
        let to = format!("without = [{points}]\ntemplate = \"generic");
        slip("demo", "template = \"generic", &to, key, "[[circuit]]", "add a row for it");
    };
    without("\"circuit.low-zone.valve.position\"", "circuit.low-zone.valve.position");
    without("\"circuit.low-zone.secondary_supply.temperature\"", "circuit.low-zone.secondary_supply.temperature");
    without("\"circuit.low-zone.circulation_pump.2.running\"", "circuit.low-zone.circulation_pump.2.running");
    without("\"circuit.low-zone.circulation_pump.1.speed\"", "circuit.low-zone.circulation_pump.1.speed");
    without("\"circuit.low-zone.make_up_pump.1.start\"", "circuit.low-zone.make_up_pump.1.start");
    without("\"circuit.low-zone.secondary_return.pressure\"", "circuit.low-zone.secondary_return.pressure");
    without("\"circuit.low-zone.relief_valve.open\"", "circuit.low-zone.relief_valve.open");
    without("\"circuit.low-zone.tank.*\"", "circuit.low-zone.tank.level");
    without(
        "\"circuit.low-zone.secondary.*\", \"circuit.low-zone.circulation.flow_switch\"",
        "circuit.low-zone.secondary.flow",
    );
    slip(
        "demo",
        "template = \"generic",
        "without = [\"outdoor.*\"]\ntemplate = \"generic",
        "outdoor.temperature",
        "[station]",
        "fallback_celsius",
    );
    slip(
        "demo",
        "template = \"generic",
        "without = [\"room\"]\ntemplate = \"generic",
        "circuit.low-zone.rooms",
        "[[circuit]]",
        "24 of its 24",
    );
}

#[test]
fn a_supply_that_is_read_too_seldom_cannot_close_the_valve_in_time() {
    let text = example("demo").replacen("[[circuit]]", "[device.period]\nsafety_seconds = 3\n\n[[circuit]]", 1);
    let problems = told(&text, None);
    assert_eq!(problems.len(), 2, "{problems:#?}");
    assert!(problems[0].help.contains("within 5 s"), "{problems:#?}");
}

#[test]
fn a_station_without_devices_can_be_simulated_and_is_told_so() {
    let text = example("minimal");
    let (head, rest) = text.split_once("[[wire]]").unwrap();
    let (_, circuit) = rest.split_once("[[circuit]]").unwrap();
    let problems = told(&format!("{head}[[circuit]]{circuit}"), None);
    let [problem] = problems.as_slice() else { panic!("{problems:#?}") };
    assert_eq!((problem.severity, problem.key.as_str()), (Severity::Warning, "wire"));
}

#[test]
fn what_a_template_has_no_room_for_is_said() {
    let buildings: String =
        (7..=16).map(|n| format!("[[circuit.building]]\nname = \"b{n}\"\nheated_area_m2 = 1\n")).collect();
    let text = example("demo").replacen("heated_area_m2 = 15000\n", "heated_area_m2 = 14990\n", 1).replacen(
        "[simulation]",
        &format!("{buildings}[simulation]"),
        1,
    );
    let problems = told(&text, None);
    let [problem] = problems.as_slice() else { panic!("{problems:#?}") };
    assert!(problem.what.contains("has room for 15") && problem.what.contains("has 16"), "{problem:?}");
}

#[test]
fn an_own_row_goes_before_the_templates() {
    let own = "[[device.point]]\npoint = \"outdoor.temperature\"\ntable = \"input-register\"\naddress = 7\nencoding = \"i16\"\nscale = 0.01\n";
    let text = example("demo").replacen("[[circuit]]", &format!("{own}\n[[circuit]]"), 1);
    let station = check("station.toml", &text, None).unwrap_or_else(|problems| panic!("{problems}"));
    let home = station.homes.iter().find(|home| home.point == "outdoor.temperature").unwrap();
    assert_eq!((home.table, home.address, home.file.as_str()), ("input-register", 7, "station.toml"));
}

#[test]
fn rows_come_from_a_csv_file_too_and_its_slips_have_lines() {
    let folder = tempfile::tempdir().unwrap();
    let text = example("demo").replacen("template = \"generic", "points_csv = \"extra.csv\"\ntemplate = \"generic", 1);
    let csv = "point,table,address,encoding,scale,unit,invalid\n\
               # the second sensor of this cabinet stands elsewhere\n\
               outdoor.temperature_second,input-register,0x10,i16,0.1,,0x8000 32767\n";
    let put = |csv: &str| std::fs::write(folder.path().join("extra.csv"), csv).unwrap();

    put(csv);
    let station = check("station.toml", &text, Some(folder.path())).unwrap_or_else(|problems| panic!("{problems}"));
    let home = station.homes.iter().find(|home| home.point == "outdoor.temperature_second").unwrap();
    assert_eq!((home.address, home.file.as_str(), home.line), (16, "extra.csv", 3));
    let devices = &station.wires[0].devices[0].registers;
    let register = devices.iter().find(|register| register.name() == "outdoor.temperature_second").unwrap();
    assert_eq!(register.invalid, [0x8000, 0x7FFF]);

    for (csv, what) in [
        (csv.replace("0x10", "sixteen"), "cannot be read"),
        (csv.replace("0x10", "16").replace("0x8000", "never"), "not a list of whole numbers"),
        (csv.replace("0x10", "16").replace("_second", "_third"), "no such point"),
        (csv.replace("0x10", "16,17"), "is not a row"),
        (csv.replace("0x10", "16").replace("scale", "skale"), "cannot be read"),
    ] {
        put(&csv);
        let problems = told(&text, Some(folder.path()));
        assert!(
            problems
                .iter()
                .any(|problem| problem.file == "extra.csv" && problem.line == 3 && problem.what.contains(what)),
            "{what}: {problems:#?}"
        );
    }
    std::fs::remove_file(folder.path().join("extra.csv")).unwrap();
    let problems = told(&text, Some(folder.path()));
    assert!(problems[0].key == "device.plc.points_csv" && problems[0].help.contains("relative"), "{problems:#?}");
}

#[test]
fn a_slip_in_a_sites_own_template_has_the_templates_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("devices/generic")).unwrap();
    let template = include_str!("../devices/generic/exchange-station-plc.toml");
    let put = |from: &str, to: &str| {
        assert!(template.contains(from), "{from}");
        let path = folder.path().join("devices/generic/exchange-station-plc.toml");
        std::fs::write(path, template.replacen(from, to, 1)).unwrap();
        let problems = told(example("demo"), Some(folder.path()));
        assert_eq!(problems.len(), 1, "{problems:#?}");
        let problem = problems[0].clone();
        assert!(problem.file.ends_with("devices/generic/exchange-station-plc.toml"), "{problem:?}");
        let text = template.replacen(from, to, 1);
        (text.lines().nth(problem.line - 1).unwrap().to_owned(), problem)
    };
    let (line, problem) = put("\"outdoor.wind_speed\"", "\"outdoor.windspeed\"");
    assert!(line.contains("outdoor.windspeed") && problem.help.contains("outdoor.wind_speed"), "{line} {problem:?}");
    let (line, problem) = put("address = 7, encoding = \"i16\"", "address = 8, encoding = \"i16\"");
    assert!(
        line.contains("primary_supply.pressure") && problem.what.contains("plant_room.temperature already"),
        "{line} {problem:?}"
    );
    let (line, problem) = put("unit = \"gigajoules\"", "unit = \"gigajoule\"");
    assert!(line.contains("gigajoule") && problem.help.contains("did you mean `gigajoules`"), "{line} {problem:?}");
    let (_, problem) = put("title = ", "# title = ");
    assert_eq!(problem.key, "title");
}

#[test]
fn a_slip_in_a_sites_own_standard_has_its_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("standards")).unwrap();
    let standard = include_str!("../standards/zibo.toml");
    for (from, to, key) in [
        ("dwelling_min_celsius = { value = 18,", "dwelling_min_celsius = { value = 81,", "room.dwelling_min_celsius"),
        ("\"enterprise_accident\"", "\"enterprise_accidents\"", "accident_rate.counted"),
        ("value = [2, 1000]", "value = [2, 0]", "accident_rate.target"),
        ("target = {", "tarjet = {", "accident_rate.tarjet"),
    ] {
        std::fs::write(folder.path().join("standards/zibo.toml"), standard.replacen(from, to, 1)).unwrap();
        let problems = told(example("demo"), Some(folder.path()));
        assert!(
            problems.iter().any(|problem| problem.key == key && problem.file.ends_with("zibo.toml")),
            "{to}: {problems:#?}"
        );
    }
}

#[test]
fn a_file_that_is_not_there_or_not_text_is_one_problem_with_help() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("station.toml");
    let problems = heatstation_config::load(&path).unwrap_err();
    assert!(problems.list().len() == 1 && problems.list()[0].what.contains("cannot be opened"), "{problems}");
    std::fs::write(&path, b"[station]\nname = \"\xff\"\n").unwrap();
    let problems = heatstation_config::load(&path).unwrap_err();
    assert!(problems.list()[0].what.contains("line 2"), "{problems}");
    std::fs::write(&path, "").unwrap();
    let problems = heatstation_config::load(&path).unwrap_err();
    assert!(problems.list().iter().any(|problem| problem.key == "station"), "{problems}");
}

#[test]
fn every_problem_is_told_at_once() {
    let text = example("demo")
        .replacen("supply_max_celsius = 80", "supply_max_celsius = nan", 1)
        .replacen("relief_open_kilopascals = 350", "relief_open_kilopascals = 320", 1)
        .replacen("design_return_celsius", "design_return", 1)
        .replacen("timeout_milliseconds = 500", "timeout_milliseconds = true", 1)
        .replacen("last_day = 2027", "last_day = 2025", 1);
    let keys: Vec<String> = told(&text, None).into_iter().map(|problem| problem.key).collect();
    assert_eq!(
        keys,
        [
            "season.last_day",
            "wire.plc.timeout_milliseconds",
            "circuit.low-zone.design_return",
            "circuit.low-zone.supply_max_celsius",
            "circuit.low-zone.make_up.relief_open_kilopascals",
        ]
    );
}
