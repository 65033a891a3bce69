//! Against servers and clients that we did not write.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use heatstation_tests::browser::Browser;
use heatstation_tests::program::{Running, command, eventually, example, get, metric, metrics, root, words};
use heatstation_tests::python::{Conversation, python, script};
use serde_json::Value as Json;

/// The demonstration's station on another address.
fn station_on(port: u64, folder: &std::path::Path) -> String {
    let text = std::fs::read_to_string(example("demo.toml")).unwrap();
    let path = folder.join("station.toml");
    std::fs::write(&path, text.replace("127.0.0.1:5020", &format!("127.0.0.1:{port}"))).unwrap();
    path.to_str().unwrap().to_owned()
}

fn rooms() -> String {
    let points = command(&["points", example("demo.toml").to_str().unwrap(), "--json"]);
    let points: Vec<Json> = serde_json::from_slice(&points.stdout).unwrap();
    let names = points.iter().filter_map(|point| point["name"].as_str());
    let rooms: Vec<&str> =
        names.filter_map(|n| n.strip_prefix("circuit.low-zone.room.")?.strip_suffix(".temperature")).collect();
    assert_eq!(rooms.len(), 24, "{rooms:?}");
    rooms.join(",")
}

#[test]
fn every_point_of_a_pymodbus_server_arrives_and_every_command_lands_in_its_register() {
    let manual = root().join("simulator/REGISTERS.md");
    let (mut server, first) = Conversation::start("pymodbus_station.py", &[manual.to_str().unwrap(), &rooms()]);
    let folder = tempfile::tempdir().unwrap();
    let station = station_on(first["port"].as_u64().unwrap(), folder.path());

    // Every point with the right value.
    let probe = command(&["probe", &station, "--json"]);
    let read: Vec<Json> = serde_json::from_slice(&probe.stdout).unwrap_or_else(|_| panic!("{}", words(&probe)));
    let expected = first["expected"].as_object().unwrap();
    assert!(expected.len() > 150, "{} points", expected.len());
    for (name, wanted) in expected {
        let row = read.iter().find(|row| row["name"] == name.as_str()).unwrap_or_else(|| panic!("{name} is not read"));
        let (got, wanted) = (row["value"].as_f64().unwrap_or(f64::NAN), wanted.as_f64().unwrap());
        // A single-precision register carries seven digits.
        assert!((got - wanted).abs() <= wanted.abs() * 2e-7 + 1e-9, "{name}: {got} instead of {wanted}: {row}");
    }

    // Every command in the right register.
    let data = folder.path().join("data");
    let arguments = ["run", &station, "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"];
    let program = Running::start(&arguments, "data");
    let address = program.address("page");
    let outputs = [
        ("valve.position", "circuit.low-zone.valve.position", 0.02),
        ("speed", "circuit.low-zone.circulation_pump.1.speed", 0.02),
    ];
    eventually("commands in their registers", Duration::from_secs(40), || {
        let text = metrics(&address);
        let held = server.ask();
        let lands = |(point, register, tolerance): &(&str, &str, f64)| {
            let label = register.strip_prefix("circuit.low-zone.").unwrap_or(register);
            let commanded = metric(&text, "heatstation_output_command_ratio", &[("point", label)]).or_else(|| {
                metric(&text, "heatstation_output_command_ratio", &[("point", point), ("pump", "circulation_1")])
            })?;
            let held = held[*register].as_f64()?;
            (commanded > 0.05 && (commanded - held).abs() <= *tolerance).then_some(())
        };
        let start = held["circuit.low-zone.circulation_pump.1.start"].as_f64() == Some(1.0);
        let idle = held["circuit.low-zone.circulation_pump.2.start"].as_f64() == Some(0.0);
        (outputs.iter().all(|output| lands(output).is_some()) && start && idle).then_some(())
    });
}

#[test]
fn an_outside_engineers_plant_is_controlled_over_json_lines() {
    let output = Command::new(python())
        .arg(script("rc_plant.py"))
        .arg(heatstation_tests::program::binary())
        .args(["cosim", example("demo.toml").to_str().unwrap()])
        .output()
        .expect("python can be started");
    let week: Json = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", words(&output)));
    assert_eq!(week["exit"], 0, "{week}");
    assert!(week["coldest"].as_f64().unwrap() >= 18.0, "{week}");
    assert!(week["rmse"].as_f64().unwrap() < 0.5, "{week}");
}

#[test]
fn promtool_finds_nothing_to_complain_about() {
    let data = tempfile::tempdir().unwrap();
    let arguments = ["demo", "--listen", "127.0.0.1:0", "--data", data.path().to_str().unwrap()];
    let program = Running::start(&arguments, "The page");
    let address = program.address("page ");
    eventually("values", Duration::from_secs(30), || {
        metric(&metrics(&address), "heatstation_temperature_setpoint_celsius", &[])
    });
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is installed by ./run-tests");
    promtool.stdin.take().unwrap().write_all(metrics(&address).as_bytes()).unwrap();
    let verdict = promtool.wait_with_output().unwrap();
    // Its remarks are about names that are fixed: dispatch software already asks for the plural.
    let remarks = words(&verdict);
    let own = "_kelvins use base unit \"kelvin\" instead";
    assert!(remarks.lines().all(|line| line.is_empty() || line.contains(own)), "{remarks}");
    let (status, open) = get(&address, "/metrics", "application/openmetrics-text; version=1.0.0");
    assert!(status == 200 && open.ends_with("# EOF\n"), "{open}");
}

#[test]
fn a_real_browser_shows_the_station() {
    let data = tempfile::tempdir().unwrap();
    let arguments = ["demo", "--listen", "127.0.0.1:0", "--data", data.path().to_str().unwrap()];
    let program = Running::start(&arguments, "The page");
    let address = program.address("page ");
    eventually("heating", Duration::from_secs(30), || {
        metric(&metrics(&address), "heatstation_stage", &[("stage", "heating")]).filter(|is| *is == 1.0)
    });
    let browser = Browser::open(1440, 1600);
    browser.go(&format!("http://{address}/"));
    let text = eventually("the station on the page", Duration::from_secs(30), || {
        Some(browser.text()).filter(|text| text.contains("康泰园换热站") && text.contains("°C"))
    });
    assert!(text.contains("‰"), "the accident rate is not on the page: {text}");
    // It is live: what it shows of the cycle's time moves on.
    let before = browser.text();
    eventually("another second", Duration::from_secs(10), || (browser.text() != before).then_some(()));
    // And it fits a phone: nothing is wider than the window.
    let phone = Browser::open(390, 844);
    phone.go(&format!("http://{address}/"));
    eventually("the station on a phone", Duration::from_secs(30), || {
        Some(phone.text()).filter(|text| text.contains("康泰园换热站") && text.contains("°C"))
    });
    let fits = phone.run("return document.documentElement.scrollWidth <= window.innerWidth");
    assert_eq!(fits, serde_json::Value::Bool(true), "the page is wider than a phone");
}
