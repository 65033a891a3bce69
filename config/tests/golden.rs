//! What the words of a device mean, template by template: `golden/<maker>-<model>.toml` holds words as the manual or a real device gives
//! them beside the values that they are in SI, and the values of outputs beside the words that are sent.
//!
//! The numbers in those files were computed from the manuals by hand, not by this program. Every row of every template that is
//! carried has to be in one of them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use heatstation_config::{Station, TEMPLATES, check};
use heatstation_drivers::decode::{decode, encode};
use heatstation_drivers::settings::{DeviceSettings, Register};
use heatstation_points::{Fault, Value};
use serde::Deserialize;

/// A station that has one of everything; whatever the device under test says is not asked of the cabinet.
const STATION: &str = r#"
[station]
id = "k1"
name = "一号换热站"
standard = "zibo"
heated_area_m2 = 30000
design_outdoor_celsius = -9
[season]
first_day = 2026-11-15
last_day = 2027-03-15
[[wire]]
name = "cabinet"
address = "127.0.0.1:5020"
[[wire]]
name = "line"
address = "127.0.0.1:5021"
[[circuit]]
name = "z"
heated_area_m2 = 30000
emitter = "radiator"
[circuit.circulation]
pumps = 2
[circuit.make_up]
pumps = 2
setpoint_kilopascals = 300
[[circuit.building]]
name = "b1"
heated_area_m2 = 30000
rooms = ["r1"]
"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    template: String,
    /// Lines of the `[[device]]` table beside its name, wire and template.
    device: String,
    read: Vec<Read>,
    #[serde(default)]
    write: Vec<Write>,
    #[serde(default)]
    watchdog: Option<Watchdog>,
}

/// Words that the device answers and what they mean: a value in the point's unit, or a fault.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    point: String,
    table: String,
    address: u16,
    words: Vec<u16>,
    value: Option<f64>,
    fault: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Write {
    point: String,
    value: f64,
    words: Vec<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Watchdog {
    address: u16,
    word: u16,
    seconds: f64,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn golden(template: &str) -> Golden {
    let path = folder().join(format!("{}.toml", template.replace('/', "-")));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let golden: Golden = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(golden.template, template, "{}", path.display());
    golden
}

/// The station with the device on a line of its own; what the device says is left out of the cabinet.
fn station(golden: &Golden) -> Station {
    let read = golden.read.iter().map(|read| read.point.as_str());
    let points: BTreeSet<&str> = read.chain(golden.write.iter().map(|write| write.point.as_str())).collect();
    let without: Vec<String> = points.iter().map(|point| format!("{point:?}")).collect();
    let cabinet = if golden.template == "generic/exchange-station-plc" {
        String::new()
    } else {
        let left_out = without.join(", ");
        format!(
            "[[device]]\nname = \"plc\"\nwire = \"cabinet\"\ntemplate = \"generic/exchange-station-plc\"\nwithout = [{left_out}]\n"
        )
    };
    let device = &golden.device;
    let template = &golden.template;
    let text = format!(
        "{STATION}{cabinet}[[device]]\nname = \"tested\"\nwire = \"line\"\ntemplate = \"{template}\"\n{device}\n"
    );
    check("golden.toml", &text, None).unwrap_or_else(|problems| panic!("{template}: {problems}"))
}

fn tested(station: &Station) -> &DeviceSettings {
    station.wires.iter().flat_map(|wire| &wire.devices).find(|device| device.name == "tested").unwrap()
}

fn register<'a>(station: &'a Station, point: &str) -> &'a Register {
    let found = tested(station).registers.iter().find(|register| register.name() == point);
    found.unwrap_or_else(|| panic!("the device does not feed {point}"))
}

fn fault(name: &str) -> Fault {
    match name {
        "sensor-broken" => Fault::SensorBroken,
        "implausible" => Fault::Implausible,
        "not-finite" => Fault::NotFinite,
        other => panic!("{other} is no fault that words can mean"),
    }
}

fn words_mean_what_the_manual_says(template: &str) {
    let golden = golden(template);
    let station = station(&golden);
    for read in &golden.read {
        let register = register(&station, &read.point);
        let place = (register.table.name(), register.address);
        assert_eq!(place, (read.table.as_str(), read.address), "{template}: {}", read.point);
        let found = decode(register, &read.words).map(Value::number);
        match (read.value, &read.fault) {
            (Some(value), None) => {
                let found = found.unwrap_or_else(|fault| panic!("{template}: {}: {fault:?}", read.point));
                let near = (found - value).abs() <= 1e-6 * value.abs().max(1e-6);
                assert!(near, "{template}: {} is {found}, the manual says {value}", read.point);
            }
            (None, Some(name)) => assert_eq!(found, Err(fault(name)), "{template}: {}", read.point),
            _ => panic!("{template}: {}: a value or a fault", read.point),
        }
    }
    for write in &golden.write {
        let register = register(&station, &write.point);
        assert!(register.write.is_some(), "{template}: {} is an output", write.point);
        let value = register.definition.accept(write.value).unwrap();
        assert_eq!(encode(register, value).as_deref(), Ok(write.words.as_slice()), "{template}: {}", write.point);
    }
    if let Some(watchdog) = &golden.watchdog {
        let rule = tested(&station).watchdog.unwrap();
        assert_eq!(rule.address, watchdog.address, "{template}");
        let seconds = f64::from(watchdog.word) * rule.seconds_per_count;
        assert!((seconds - watchdog.seconds).abs() < 1e-9, "{template}: {seconds} s");
        assert!(rule.least.as_secs_f64() <= seconds && seconds <= rule.most.as_secs_f64(), "{template}: it is allowed");
    } else {
        assert_eq!(tested(&station).watchdog.is_some(), template == "generic/exchange-station-plc", "{template}");
    }
}

#[test]
fn the_words_of_every_carried_device_mean_what_its_manual_says() {
    for (template, _) in TEMPLATES {
        words_mean_what_the_manual_says(template);
    }
}

#[test]
fn no_row_of_a_carried_template_goes_without_its_words() {
    for (template, _) in TEMPLATES {
        let golden = golden(template);
        let station = station(&golden);
        let read: BTreeSet<&str> = golden.read.iter().map(|read| read.point.as_str()).collect();
        let written: BTreeSet<&str> = golden.write.iter().map(|write| write.point.as_str()).collect();
        for register in &tested(&station).registers {
            let told = if register.write.is_some() { &written } else { &read };
            assert!(told.contains(register.name()), "{template}: no words for {}", register.name());
        }
    }
}

#[test]
fn every_file_of_words_belongs_to_a_carried_template() {
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let known = TEMPLATES.iter().any(|(template, _)| format!("{}.toml", template.replace('/', "-")) == name);
        assert!(known, "{name}");
    }
}

#[test]
fn every_carried_template_names_its_manual() {
    for (template, text) in TEMPLATES {
        let table: toml::Table = text.parse().unwrap();
        let source = table["source"].as_str().unwrap();
        assert!(source.len() > 30, "{template}: {source}");
        assert!(text.starts_with("# "), "{template}: what it is for, and what it leaves out, stands at its head");
    }
}

/// One file serves stations that differ in their numbers alone.
#[test]
fn the_same_template_serves_another_station_with_other_numbers() {
    let mut golden = golden("chint/dtsu666");
    golden.device = "[device.parameters]\nct_ratio = 100\nwatts_per_count = 0.1\nenergy_register = 16414\n".to_owned();
    let station = station(&golden);
    // 2.5 A on the secondary side of 500/5.
    let current = register(&station, "electricity.current_a");
    assert!((decode(current, &[0x451C, 0x4000]).unwrap().number() - 250.0).abs() < 1e-6);
    assert_eq!(register(&station, "electricity.energy").address, 0x401E);
}
