//! What a station may say to a template, and a template to a station, told as slips of the pen.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;

use heatstation_config::explain::From;
use heatstation_config::{Problem, Problems, Station, check};
use heatstation_drivers::settings::Register;

const TEMPLATE: &str = include_str!("devices/every-key.toml");

/// Two zones of pumps behind a cabinet, and an odd device for which a template stands beside the station's file.
fn station(device: &str) -> String {
    let rest = "[[auxiliary]]\nname = \"spare\"\nunit = \"meters\"\nmin = -1000\nmax = 1000\n";
    let text = include_str!("../stations/two-zones.toml");
    format!(
        "{text}\n{rest}\n[[device]]\nname = \"odd\"\nwire = \"plc\"\nmodbus_unit = 7\ntemplate = \"every-key\"\n{device}\n"
    )
}

/// The cabinet has the same points as the template, so it goes without them.
fn cabinet(text: &str) -> String {
    let from = "without = [";
    assert!(text.contains(from), "the example leaves something out");
    text.replacen(from, "without = [\"circuit.low-zone.secondary_supply.temperature_second\", \"circuit.high-zone.secondary_supply.temperature_second\", \"circuit.low-zone.circulation_pump.1.operating_time\", \"circuit.low-zone.circulation_pump.2.operating_time\", \"circuit.low-zone.circulation_pump.3.operating_time\", \"circuit.high-zone.circulation_pump.1.operating_time\", \"circuit.high-zone.circulation_pump.2.operating_time\", \"circuit.low-zone.make_up_pump.1.operating_time\", \"circuit.low-zone.make_up_pump.2.operating_time\", \"circuit.high-zone.make_up_pump.1.operating_time\", ", 1)
}

fn with(template: &str, device: &str) -> Result<Station, Problems> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("devices")).unwrap();
    fs::write(folder.path().join("devices/every-key.toml"), template).unwrap();
    check("station.toml", &cabinet(&station(device)), Some(folder.path() as &Path))
}

fn sound(device: &str) -> Station {
    with(TEMPLATE, device).unwrap_or_else(|problems| panic!("{problems}"))
}

fn registers(station: &Station) -> &[Register] {
    let mut devices = station.wires.iter().flat_map(|wire| &wire.devices);
    &devices.find(|device| device.name == "odd").expect("the odd one").registers
}

fn register<'a>(station: &'a Station, point: &str) -> &'a Register {
    let found = registers(station).iter().find(|register| register.name() == point);
    found.unwrap_or_else(|| panic!("{point} is not read"))
}

/// The one problem that a template or a device leads to: in which file, which key, what it says.
fn slip(template: &str, device: &str, file: &str, key: &str, what: &str) -> Problem {
    let problems = with(template, device).expect_err("it has a problem");
    let [problem] = problems.list() else { panic!("{problems}") };
    assert!(problem.file.ends_with(file), "{problem:#?}");
    assert_eq!(problem.key, key, "{problem:#?}");
    assert!(format!("{} {}", problem.what, problem.help).contains(what), "{problem:#?}, expected {what:?}");
    assert!(1 < problem.line, "{problem:#?} has a line");
    problem.clone()
}

fn changed(from: &str, to: &str) -> String {
    assert!(TEMPLATE.contains(from), "{from}");
    TEMPLATE.replacen(from, to, 1)
}

const SOUND: &str = "serves = [\"station\"]\n[device.parameters]\nfirst = 5\n";

#[test]
fn a_parameter_goes_into_scale_offset_and_address() {
    let station = sound("serves = [\"station\"]\n[device.parameters]\nfirst = 5\nratio = 20\nzero = -3\n");
    let spare = register(&station, "auxiliary.spare");
    assert_eq!(spare.address, 100 + 2 + 5);
    assert_eq!((spare.scale, spare.offset), (0.5 * 20.0 / (20.0 * 20.0), 1.0 - 3.0));
    assert_eq!(registers(&station).len(), 1, "circuits and pumps are not what it serves");
}

#[test]
fn explain_says_of_each_parameter_what_it_became_and_from_where() {
    let station = sound(SOUND);
    let row = |name: &str| {
        let key = format!("device.odd.parameters.{name}");
        station.sources.iter().find(|row| row.key == key).unwrap_or_else(|| panic!("{key} is not explained"))
    };
    assert_eq!(row("first").value, "5");
    assert!(matches!(&row("first").from, From::File { file, .. } if file == "station.toml"));
    assert_eq!(row("ratio").value, "10");
    assert!(
        matches!(&row("ratio").from, From::Template { file, line } if file.ends_with("every-key.toml") && 10 < *line)
    );
}

#[test]
fn a_number_that_the_template_asks_for_has_to_be_there_and_in_range() {
    let key = "device.odd.parameters.first";
    let missing = slip(TEMPLATE, "serves = [\"station\"]\n", "station.toml", key, "is missing");
    assert!(missing.help.contains("where its values begin; 0 to 1000"), "{missing:#?}");
    let told = |first: &str, what: &str| {
        let device = format!("serves = [\"station\"]\n[device.parameters]\nfirst = {first}\n");
        slip(TEMPLATE, &device, "station.toml", key, what);
    };
    told("1001", "out of range");
    told("nan", "not a finite number");
    told("1.5", "not a whole number");
}

#[test]
fn a_misspelt_parameter_is_told_with_the_one_that_was_meant() {
    let device = format!("{SOUND}ratoi = 3\n");
    let problem = slip(TEMPLATE, &device, "station.toml", "device.odd.parameters.ratoi", "did you mean `ratio`?");
    assert!(problem.line > 100, "it is at the end of the file: {problem:#?}");
}

#[test]
fn a_row_that_names_no_parameter_is_told_in_the_template() {
    let template = changed("offset_by = \"zero\"", "offset_by = \"zerro\"");
    let problems = with(&template, SOUND).expect_err("two problems");
    let told: Vec<(&str, &str)> =
        problems.list().iter().map(|problem| (problem.key.as_str(), problem.what.as_str())).collect();
    assert_eq!(
        told,
        [("parameters.zero", "is used by no row and no block"), ("parameters", "there is no parameter `zerro`")]
    );
    assert!(problems.list().iter().all(|problem| problem.file.ends_with("every-key.toml")));
}

#[test]
fn a_template_says_of_its_parameters_what_it_has_to() {
    let told = |from: &str, to: &str, key: &str, what: &str| {
        slip(&changed(from, to), SOUND, "every-key.toml", key, what);
    };
    told("description = \"what one count stands for\"\n", "", "parameters.ratio.description", "is missing");
    told("default = 10\nmin = 1\n", "default = 10\n", "parameters.ratio.min", "is missing");
    told("default = 10\nmin = 1\n", "default = 10\nmin = 0\n", "parameters.ratio.min", "makes a scale of nothing");
    told("min = 0\nmax = 1000\nwhole = true", "min = 0\nmax = 1000", "parameters.first.whole", "an address is whole");
    told("default = 1\n", "default = 1.5\n", "parameters.circuit.default", "not a whole number");
}

#[test]
fn bits_and_codes_have_no_scale() {
    let template = changed("encoding = \"i16\", scale = 0.5, offset = 1", "bit = 1");
    let problems = with(&template, SOUND).expect_err("a problem");
    assert!(problems.list().iter().any(|problem| problem.what.contains("no meaning for this encoding")), "{problems}");
}

#[test]
fn a_device_serves_what_it_is_told_to_in_the_order_of_its_addresses() {
    let device = "circuits = [\"low-zone\"]\nserves = [\"make_up_pump.2\", \"circulation_pump.3\"]\n[device.parameters]\nfirst = 5\n";
    let station = sound(device);
    assert_eq!(register(&station, "circuit.low-zone.make_up_pump.2.operating_time").address, 300);
    assert_eq!(register(&station, "circuit.low-zone.circulation_pump.3.operating_time").address, 310);
    assert_eq!(registers(&station).len(), 2);
}

#[test]
fn the_circuit_may_be_another_one_of_the_device() {
    let device = "circuits = [\"high-zone\"]\nserves = [\"circuit\"]\n[device.parameters]\nfirst = 5\ncircuit = 3\n";
    let station = sound(device);
    assert_eq!(register(&station, "circuit.high-zone.secondary_supply.temperature_second").address, 220);
}

#[test]
fn what_is_not_there_cannot_be_served() {
    let device = "circuits = [\"low-zone\"]\nserves = [\"circulation_pump.9\"]\n[device.parameters]\nfirst = 5\n";
    slip(TEMPLATE, device, "station.toml", "device.odd.serves", "did you mean `circulation_pump.");
}

#[test]
fn a_drive_belongs_to_one_pump_of_one_circuit() {
    let one = changed("serves_one = false", "serves_one = true");
    let told = |device: &str, what: &str| {
        let device = format!("{device}[device.parameters]\nfirst = 5\n");
        let problems = with(&one, &device).expect_err("a problem");
        let first = &problems.list()[0];
        assert_eq!(first.key, "device.odd.serves", "{first:#?}");
        assert!(format!("{} {}", first.what, first.help).contains(what), "{first:#?}, expected {what:?}");
    };
    told("circuits = [\"low-zone\"]\n", "is missing");
    told("circuits = [\"low-zone\"]\n", "circulation_pump.1");
    told("serves = [\"circulation_pump.1\"]\n", "is there in 2 circuits");
    told(
        "circuits = [\"low-zone\"]\nserves = [\"circulation_pump.1\", \"circulation_pump.2\"]\n",
        "serves one thing alone",
    );
}

#[test]
fn parameters_and_serves_belong_to_a_template() {
    let text = include_str!("../stations/two-zones.toml");
    let text = format!(
        "{text}\n[[device]]\nname = \"odd\"\nwire = \"plc\"\nserves = [\"station\"]\n[device.parameters]\nratio = 3\n\
         [[device.point]]\npoint = \"auxiliary.valve-pit\"\ntable = \"coil\"\naddress = 1\n"
    );
    let problems = check("station.toml", &text, None).expect_err("problems");
    let keys: Vec<&str> = problems.list().iter().map(|problem| problem.key.as_str()).collect();
    assert!(keys.contains(&"device.odd.serves"), "{problems}");
    assert!(keys.contains(&"device.odd.parameters.ratio"), "{problems}");
}
