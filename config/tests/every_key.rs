//! No dead key: every key that the schema knows stands in one file, and each of them does something there.

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use common::{keys, written};
use heatstation_config::{Problems, Station, check, schema};

const FILE: &str = include_str!("every_key.toml");

fn read(text: &str) -> Result<Station, Problems> {
    check("every_key.toml", text, Some(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")))
}

#[test]
fn the_file_with_every_key_is_sound() {
    let station = read(FILE).unwrap_or_else(|problems| panic!("{problems}"));
    // Less is due in it than its standard owes, and a contract in it: nothing else is to be said.
    assert!(station.warnings.is_empty(), "{}", station.warnings);
}

#[test]
fn it_has_every_key_of_the_schema() {
    let (possible, present) = (keys(&schema::station()), written(FILE));
    assert!(possible.len() > 150, "{possible:?}");
    assert_eq!(possible.difference(&present).collect::<Vec<_>>(), Vec::<&String>::new());
}

/// All that a station does, without where its words stand in the file.
fn essence(station: &Station) -> String {
    let homes: Vec<String> = station.homes.iter().map(|home| format!("{} {}", home.point, home.in_words())).collect();
    format!(
        "{:?} {:?} {} {:?} {:?} {:?} {homes:?} {:?} {} {:?} {:?} {:?} {:?} {:?} {:?}",
        station.settings,
        station.opcua,
        station.name,
        station.wires,
        station.mqtt,
        station.push,
        station.room_buildings,
        station.time_zone_name,
        station.daemon,
        station.http,
        station.opcua_server,
        station.history,
        station.simulation,
        station.catalogue.definitions(),
    )
}

/// Other values for a value: near enough to be sound where the value is a number.
fn others(value: &str) -> Vec<String> {
    if let Ok(whole) = value.parse::<i64>() {
        return vec![(whole + 1).to_string(), (whole - 1).to_string(), format!("{whole}.25")];
    }
    if let Ok(number) = value.parse::<f64>() {
        return [1.01, 0.99].iter().map(|factor| format!("{:.6}", number * factor)).collect();
    }
    let words = [
        ("\"modbus-tcp\"", "\"modbus-rtu\""),
        ("\"modbus-rtu\"", "\"modbus-tcp\""),
        ("\"modbus-tls\"", "\"modbus-rtu\""),
        ("\"modbus-rtu-over-tcp\"", "\"modbus-tcp\""),
        ("\"none\"", "\"odd\""),
        ("\"65%\"", "\"75%\""),
        ("\"beijing\"", "\"harbin\""),
        ("\"radiator\"", "\"floor\""),
        ("\"floor\"", "\"fan-coil\""),
        ("\"differential-pressure\"", "\"fixed-speed\""),
        ("\"fixed-speed\"", "\"differential-pressure\""),
        ("\"worst-point\"", "\"fixed-speed\""),
        ("\"trim-and-respond\"", "\"fixed-speed\""),
        ("\"temperature-difference\"", "\"fixed-speed\""),
        ("\"staged-flow\"", "\"cube-root-flow\""),
        ("\"supply-pressure\"", "\"fixed-speed\""),
        ("\"isolate\"", "\"alarm\""),
        ("\"pause\"", "\"overlap\""),
        ("\"fri\"", "\"thu\""),
        ("\"10:15\"", "\"10:16\""),
        ("\"start-stop\"", "\"variable-speed\""),
        ("\"office\"", "\"kindergarten\""),
        ("\"always\"", "\"outside-season\""),
        ("\"holding-register\"", "\"input-register\""),
        ("\"input-register\"", "\"holding-register\""),
        ("\"i32\"", "\"u32\""),
        ("\"u16\"", "\"i16\""),
        ("\"enum\"", "\"u16\""),
        ("\"cdab\"", "\"badc\""),
        ("\"meters\"", "\"hours\""),
        ("\"percent\"", "\"ratio\""),
        ("\"multiple-registers\"", "\"automatic\""),
        ("\"single-register\"", "\"automatic\""),
        ("\"battery\"", "\"temperature\""),
        ("\"watts_per_square_meter\"", "\"celsius\""),
        ("\"meters_per_second\"", "\"celsius\""),
        ("\"impossible\"", "\"same-register\""),
        ("\"same-register\"", "\"impossible\""),
        ("\"aes256-sha256-rsa-pss\"", "\"basic256-sha256\""),
        ("\"sign\"", "\"sign-and-encrypt\""),
        ("\"poll\"", "\"subscribe\""),
        ("\"liters\"", "\"cubic_meters\""),
        ("\"quick\"", "\"stop\""),
        ("\"mon\"", "\"tue\""),
        ("\"12:00\"", "\"12:01\""),
        ("\"14:00\"", "\"14:01\""),
        ("\"tangshan\"", "\"xinjiang\""),
        ("\"Asia/Urumqi\"", "\"Asia/Shanghai\""),
        ("\"limits\"", "\"supply-min\""),
        ("\"22:30\"", "\"22:31\""),
        ("\"05:00\"", "\"05:01\""),
        ("\"service\"", "\"dispatch\""),
        ("\"operate\"", "\"view\""),
        ("true", "false"),
    ];
    if let Some((_, other)) = words.iter().find(|(word, _)| *word == value) {
        return vec![(*other).to_owned()];
    }
    if let Some((before, _)) = value.rsplit_once('"') {
        return vec![format!("{before}x\"{}", &value[before.len() + 1..])];
    }
    // Dates and lists of numbers: the first digit that can be another one.
    let changed = |digit: char| if digit == '9' { '8' } else { char::from(digit as u8 + 1) };
    let places = value.char_indices().filter(|(_, c)| c.is_ascii_digit()).map(|(at, _)| at);
    places.map(|at| format!("{}{}{}", &value[..at], changed(value.as_bytes()[at] as char), &value[at + 1..])).collect()
}

#[test]
fn every_key_does_something() {
    let lines: Vec<&str> = FILE.lines().collect();
    let before = essence(&read(FILE).unwrap());
    let mut dead = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let Some((key, value)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) else { continue };
        let alive = others(value).into_iter().any(|other| {
            let line = format!("{key} = {other}");
            let mut changed = lines.clone();
            changed[number] = &line;
            match read(&changed.join("\n")) {
                Ok(station) => essence(&station) != before,
                // A key that is compared with others, or names something, is alive as well.
                Err(problems) => !problems.list().iter().all(|problem| problem.what.contains("does not belong here")),
            }
        });
        if !alive {
            dead.push(format!("{}: {line}", number + 1));
        }
    }
    assert_eq!(dead, Vec::<String>::new());
}

#[test]
fn every_key_is_explained_with_its_line() {
    let station = read(FILE).unwrap();
    let lines: Vec<&str> = FILE.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) else { continue };
        let table = lines[..number].iter().rev().find(|line| line.starts_with('[')).unwrap();
        if table.contains("device.point") || table.contains("opcua.point") || key == "rooms" {
            // Rows of a register map are told by `heatstation points`, rooms one by one.
            continue;
        }
        let explained = station.sources.iter().any(|row| match &row.from {
            heatstation_config::explain::From::File { line, .. } => {
                *line == number + 1 && row.key.rsplit('.').next() == Some(key)
            }
            _ => false,
        });
        assert!(explained, "line {}: {line}", number + 1);
    }
    let mut seen = BTreeSet::new();
    for row in &station.sources {
        assert!(seen.insert(row.key.as_str()), "{} is explained twice", row.key);
        assert!(!row.from.to_string().trim_end().ends_with(':'), "{row:?}");
    }
}
