//! What an engineer does before the first command: plan, probe, scan, against servers that we did not write and against
//! the simulated cabinet.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use heatstation_points::{Catalogue, CircuitNames};
use heatstation_simulator::registers::register_map;
use heatstation_tests::program::{Running, binary, command, example, words};
use heatstation_tests::python::Conversation;
use serde_json::Value as Json;

fn json(output: &Output) -> Json {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", words(output)))
}

fn as_str(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The demonstration's station with its cabinet at this address and something more in its file.
fn station(folder: &Path, address: &str, more: &str) -> String {
    let text = std::fs::read_to_string(example("demo.toml")).unwrap().replace("127.0.0.1:5020", address);
    let path = folder.join("station.toml");
    std::fs::write(&path, text + more).unwrap();
    as_str(&path).to_owned()
}

/// A gateway on pymodbus whose meter reads this number.
fn gateway(number: &str) -> (Conversation, String) {
    let (server, first) = Conversation::start("pymodbus_units.py", &[number]);
    (server, format!("127.0.0.1:{}", first["port"]))
}

fn plant() -> (Running, String) {
    let plant = Running::start(&["plant", "steady", "--listen", "127.0.0.1:0"], "127.0.0.1:");
    let address = plant.address("unit 1");
    (plant, address)
}

#[test]
fn a_scan_finds_the_units_and_ranges_of_a_pymodbus_server_and_its_stub_is_a_sound_configuration() {
    let (_server, address) = gateway("61.5");
    let scan = [
        "scan",
        "--address",
        &address,
        "--yes",
        "--units",
        "1-10",
        "--addresses",
        "0-999",
        "--pause-milliseconds",
        "1",
    ];
    let quick = ["--timeout-milliseconds", "200", "--json"];
    let output = command(&[&scan[..], &quick].concat());
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    let found = json(&output);
    let units = found[0]["units"].as_array().unwrap();
    let there: Vec<u64> = units
        .iter()
        .filter(|unit| matches!(unit["presence"]["is"].as_str(), Some("answers" | "refuses")))
        .map(|unit| unit["unit"].as_u64().unwrap())
        .collect();
    assert_eq!(there, [3, 9], "{found}");
    let runs = |unit: u64, table: &str| {
        let unit = units.iter().find(|found| found["unit"] == unit).unwrap();
        let table = unit["tables"].as_array().unwrap().iter().find(|found| found["table"] == table).unwrap();
        assert_eq!(table["ending"]["is"], "whole", "{table}");
        let runs = table["runs"].as_array().unwrap().iter();
        runs.map(|run| (run["first"].as_u64().unwrap(), run["last"].as_u64().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(runs(3, "holding-register"), [(10, 49)]);
    assert_eq!(runs(9, "holding-register"), []);
    assert_eq!(runs(9, "input-register"), [(100, 149)]);

    let folder = tempfile::tempdir().unwrap();
    let mut more = format!("\n[[wire]]\nname = \"scanned\"\naddress = \"{address}\"\n");
    let _ = writeln!(more, "{}", found[0]["stub"].as_str().unwrap());
    let path = station(folder.path(), &address, &more);
    let check = command(&["check", &path]);
    assert_eq!(check.status.code(), Some(0), "{}\n{more}", words(&check));
    let probe = json(&command(&["probe", &path, "--device", "unit-9", "--json"]));
    let value = |name: &str| probe.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap()["value"].clone();
    assert_eq!(value("auxiliary.unit-9-input-register-100"), 100.0);
}

#[test]
fn words_in_another_order_than_configured_are_seen_at_a_glance() {
    let (_server, address) = gateway("61.5");
    let folder = tempfile::tempdir().unwrap();
    let more = format!(
        "\n[[wire]]\nname = \"line\"\naddress = \"{address}\"\n[[device]]\nname = \"meter\"\nwire = \"line\"\nmodbus_unit = 3\n\
         [[device.point]]\npoint = \"auxiliary.temperature\"\ntable = \"holding-register\"\naddress = 10\nencoding = \"f32\"\n\
         [[device.point]]\npoint = \"auxiliary.nothing\"\ntable = \"holding-register\"\naddress = 700\nencoding = \"u16\"\n\
         [[auxiliary]]\nname = \"temperature\"\nunit = \"celsius\"\nmin = 1\nmax = 150\n\
         [[auxiliary]]\nname = \"nothing\"\nunit = \"number\"\nmin = 0\nmax = 9\n"
    );
    let path = station(folder.path(), &address, &more);
    let output = command(&["probe", &path, "--point", "auxiliary.temp*", "--json"]);
    assert_eq!(output.status.code(), Some(1), "abcd is no temperature: {}", words(&output));
    let rows = json(&output);
    assert_eq!(rows.as_array().unwrap().len(), 1);
    assert_eq!((&rows[0]["quality"], &rows[0]["hex"]), (&Json::from("bad"), &Json::from(vec!["0000", "4276"])));
    let plausible: Vec<&Json> =
        rows[0]["orders"].as_array().unwrap().iter().filter(|under| under["plausible"] == true).collect();
    assert_eq!(plausible.len(), 1, "{rows}");
    assert_eq!((&plausible[0]["order"], &plausible[0]["number"]), (&Json::from("cdab"), &Json::from(61.5)));
    let configured = rows[0]["orders"].as_array().unwrap().iter().find(|under| under["configured"] == true).unwrap();
    assert_eq!(configured["order"], "abcd");
    let people = words(&command(&["probe", &path, "--point", "auxiliary.temperature"]));
    assert!(people.contains("*abcd") && people.contains("cdab 61.500 °C ok"), "{people}");

    // An address that is not there is refused, and the words say what that means.
    let refused = command(&["probe", &path, "--point", "auxiliary.nothing"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = words(&refused);
    assert!(said.contains("illegal data address (exception 2)") && said.contains("addresses count from 0"), "{said}");

    // Words that no point has.
    let raw = json(&command(&["probe", &path, "--raw", "meter", "holding-register", "12", "4", "--json"]));
    assert_eq!(raw[0]["hex"], Json::from(vec!["0001", "86a0", "03f6", "03f7"]));
    assert_eq!(raw[0]["with_the_next"][0][0]["u32"], 100_000);
}

#[test]
fn whoever_cannot_be_asked_is_told_apart_and_a_slip_of_the_pen_is_no_dead_device() {
    let folder = tempfile::tempdir().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = free.local_addr().unwrap().to_string();
    let path = station(folder.path(), &silent, "");
    let one = ["probe", &path, "--point", "outdoor.temperature"];
    let said = words(&command(&one));
    assert!(said.contains("no answer in time") && said.contains("modbus_unit"), "{said}");
    drop(free);
    let gone = command(&one);
    let said = words(&gone);
    assert!(
        gone.status.code() == Some(1) && said.contains("no connection to") && said.contains("is the device on"),
        "{said}"
    );

    for (wrong, hint) in [
        (&["--point", "outdoor.temperatur"][..], "did you mean outdoor.temperature"),
        (&["--device", "plx"], "its devices are: plc"),
        (&["--raw", "plc", "holding", "0", "1"], "holding-register"),
        (&["--raw", "plc", "coil", "65536", "1"], "0 to 65535"),
        (&["--raw", "plc", "coil", "65535", "2"], "1 to 1 addresses"),
    ] {
        let output = command(&[&["probe", &path][..], wrong].concat());
        assert_eq!(output.status.code(), Some(2), "{}", words(&output));
        assert!(words(&output).contains(hint), "{wrong:?}: {}", words(&output));
    }
}

#[test]
fn every_register_of_the_simulated_cabinet_is_probed_and_lies_in_a_range_that_a_scan_finds() {
    let (_plant, address) = plant();
    let folder = tempfile::tempdir().unwrap();
    let path = station(folder.path(), &address, "");
    let probe = command(&["probe", &path, "--json"]);
    assert_eq!(probe.status.code(), Some(0), "{}", words(&probe));
    let probe = json(&probe);
    let good = probe.as_array().unwrap().iter().filter(|row| row["quality"] == "good").count();
    assert!(good > 150, "{good} of {}", probe.as_array().unwrap().len());

    let scan =
        ["scan", &path, "--yes", "--units", "1-3", "--addresses", "0-2500", "--pause-milliseconds", "0", "--json"];
    let output = command(&scan);
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    let found = json(&output);
    assert_eq!(found[0]["units"][1]["presence"]["is"], "nobody-behind", "{found}");
    let rooms =
        probe.as_array().unwrap().iter().filter_map(|row| row["name"].as_str()?.strip_prefix("circuit.low-zone.room."));
    let circuit = CircuitNames {
        name: "low-zone".to_owned(),
        circulation_pumps: 2,
        make_up_pumps: 1,
        buildings: (1..=6).map(|number| format!("b{number}")).collect(),
        rooms: rooms.filter_map(|rest| Some(rest.strip_suffix(".temperature")?.to_owned())).collect(),
    };
    let catalogue = Catalogue::new(vec![circuit], Vec::new()).unwrap();
    let tables = found[0]["units"][0]["tables"].as_array().unwrap();
    for row in register_map(&catalogue) {
        let name = match row.table {
            heatstation_simulator::registers::Table::Holding => "holding-register",
            heatstation_simulator::registers::Table::Coil => "coil",
        };
        let runs = tables.iter().find(|table| table["table"] == name).unwrap()["runs"].as_array().unwrap();
        let last = u64::from(row.address) + u64::from(row.encoding.words()) - 1;
        let is_in =
            |run: &Json| run["first"].as_u64() <= Some(row.address.into()) && Some(last) <= run["last"].as_u64();
        assert!(runs.iter().any(is_in), "{} {name} {}: {runs:?}", row.name, row.address);
    }
}

#[test]
fn a_scan_that_is_interrupted_prints_what_it_has_found_and_says_so() {
    let (_plant, address) = plant();
    let scan = ["scan", "--address", &address, "--yes", "--units", "1", "--pause-milliseconds", "20", "--json"];
    let child = Command::new(binary())
        .args(scan)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(2));
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    let found = json(&output);
    assert_eq!(found[0]["cut_short"], "stopped from outside");
    let table = &found[0]["units"][0]["tables"][0];
    assert_eq!(table["ending"]["is"], "stopped", "{found}");
    assert_eq!((&table["runs"][0]["first"], &table["runs"][0]["last"]), (&Json::from(0), &Json::from(59)), "{found}");
}

#[test]
fn nothing_is_scanned_that_nobody_agreed_to() {
    let output = command(&["scan", "--address", "127.0.0.1:502"]);
    assert_eq!(output.status.code(), Some(2));
    let said = words(&output);
    assert!(said.contains("16 units, one question each: up to 18 s") && said.contains("--yes"), "{said}");
}

#[test]
fn the_plan_has_every_point_once_and_warns_of_a_wire_with_too_much_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = station(folder.path(), "127.0.0.1:5020", "");
    let plan = json(&command(&["plan", &path, "--json"]));
    let requests = plan[0]["requests"].as_array().unwrap();
    let mut planned: Vec<&str> = requests
        .iter()
        .flat_map(|request| request["points"].as_array().unwrap())
        .map(|name| name.as_str().unwrap())
        .collect();
    planned.sort_unstable();
    let points = json(&command(&["points", &path, "--json"]));
    let homed = points.as_array().unwrap().iter().filter(|point| !point["home"].is_null());
    let mut homed: Vec<&str> = homed.map(|point| point["name"].as_str().unwrap()).collect();
    homed.sort_unstable();
    assert!(planned.len() > 150);
    assert_eq!(planned, homed);
    assert_eq!(plan[0]["warning"], Json::Null);
    let sum: f64 = requests.iter().map(|request| request["load"].as_f64().unwrap()).sum();
    assert!((sum - plan[0]["load"].as_f64().unwrap()).abs() < 1e-12);

    // A meter that gives one register at a time, and is asked for a hundred each second.
    let mut more =
        "\n[[device]]\nname = \"meter\"\nwire = \"plc\"\nmodbus_unit = 2\nlimits = { max_registers = 1 }\n".to_owned();
    for address in 0..100 {
        let _ = writeln!(
            more,
            "[[device.point]]\npoint = \"auxiliary.p{address}\"\ntable = \"holding-register\"\naddress = {address}\n\
             encoding = \"u16\"\nperiod_seconds = 1\n"
        );
    }
    for address in 0..100 {
        let _ = writeln!(more, "[[auxiliary]]\nname = \"p{address}\"\nunit = \"number\"\nmin = 0\nmax = 65535\n");
    }
    let path = station(folder.path(), "127.0.0.1:5020", &more);
    let output = command(&["plan", &path, "--json"]);
    let plan = json(&output);
    assert!(plan[0]["load"].as_f64().unwrap() > 0.8, "{}", plan[0]["load"]);
    assert!(plan[0]["warning"].as_str().unwrap().contains("samples will come late"), "{plan}");
}
