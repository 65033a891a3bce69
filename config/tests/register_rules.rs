//! The rules about wires, devices and register maps, told as slips of the pen.

mod slips;

use heatstation_config::check;
use heatstation_config::problem::Severity;
use slips::{example, slip, told};

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
    let building = |n| format!("[[circuit.building]]\nname = \"b{n}\"\nheated_area_m2 = 1\n");
    let buildings = (7..=16).map(building).collect::<Vec<_>>().concat();
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
    assert_eq!((home.spot.brief().as_str(), home.file.as_str()), ("input-register 7 i16", "station.toml"));
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
    let there = (home.spot.brief(), home.file.as_str(), home.line);
    assert_eq!(there, ("input-register 16 i16".to_owned(), "extra.csv", 3));
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
fn limits_of_one_table_are_those_of_the_protocol() {
    let key = "device.plc.limits";
    for (limits, at, what) in [
        ("holding_register = { max_length = 126 }", "holding_register.max_length", "126 is out of range"),
        ("coil = { max_length = 2001 }", "coil.max_length", "2001 is out of range"),
    ] {
        let text = format!("[device.limits]\n{limits}\n\n[[device.point]]");
        slip("two-zones", "[[device.point]]", &text, &format!("{key}.{at}"), limits, what);
    }
}
