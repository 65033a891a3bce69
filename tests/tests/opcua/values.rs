//! Values, their quality, and commands that are read back.

use std::time::Duration;

use heatstation_drivers::output::OutputState;
use heatstation_points::{Doubt, Fault};
use heatstation_tests::program::{command, words};
use serde_json::{Value as Json, json};

use crate::rig::{Line, POINTS, Rig};

const SOON: Duration = Duration::from_secs(10);

#[test]
fn values_come_by_themselves_and_commands_are_read_back() {
    let mut rig = Rig::start();
    rig.trust();
    let mut line = Line::start(rig.station(rig.port, ""));
    line.until("every point has the server's value", SOON, Line::all_as_first);
    assert!(line.sample("primary_supply.temperature").source_time.is_some());

    // A change comes by itself, and what does not change stays current.
    let requests = line.wire.statistics().requests_total;
    rig.set("Tps", 88.5);
    let took = line.until("the change", SOON, |line| line.value("primary_supply.temperature") == Ok(88.5));
    assert!(took < Duration::from_secs(2), "{took:?}");
    std::thread::sleep(Duration::from_millis(1500));
    let age = line.wire.now().saturating_sub(line.sample("primary_return.temperature").taken_at);
    assert!(age < Duration::from_secs(1), "what stands is renewed by the server's word: {age:?}");
    assert!(line.wire.statistics().messages_total > 5, "{:?}", line.wire.statistics());
    let asked = line.wire.statistics().requests_total - requests;
    assert!(asked < 12, "outputs alone are asked for: {asked} requests");

    // What the server says of a value arrives with it.
    rig.tell(&json!({ "status": { "Tps": "BadSensorFailure", "Tpr": "UncertainLastUsableValue" } }));
    line.until("bad", SOON, |line| line.value("primary_supply.temperature") == Err(Fault::SensorBroken));
    line.until("in doubt", SOON, |line| line.sample("primary_return.temperature").doubt == Some(Doubt::DeviceDoubt));
    assert_eq!(line.value("primary_return.temperature"), Ok(45.25));
    rig.tell(&json!({ "status": { "Tps": "BadNoCommunication" } }));
    line.until("silent", SOON, |line| line.value("primary_supply.temperature") == Err(Fault::Silent));
    rig.set("Tps", 90.5);
    rig.set("Tpr", 45.25);
    line.until("well again", SOON, Line::all_as_first);

    // Commands, each in its node's own type, and read back.
    line.wish("circuit.low-zone.valve.position", 0.413);
    line.wish("circuit.low-zone.circulation_pump.1.speed", 0.877);
    line.wish("circuit.low-zone.circulation_pump.1.start", 1.0);
    let outputs = ["valve.position", "circulation_pump.1.speed", "circulation_pump.1.start"];
    let confirmed = |line: &Line| {
        outputs.iter().all(|output| line.state(&format!("circuit.low-zone.{output}")) == OutputState::Confirmed)
    };
    line.until("all confirmed", SOON, confirmed);
    assert!((rig.held("Valve") - 0.413).abs() < 1e-6);
    assert_eq!((rig.held("Speed"), rig.held("Start")), (877.0, 1.0));

    // Somebody else writes: it is seen and put right.
    rig.set("Valve", 0.9);
    line.until("put right", SOON, |line| {
        line.wire.outputs_status().iter().any(|status| status.disturbances_total == 1) && confirmed(line)
    });
    assert!((rig.held("Valve") - 0.413).abs() < 1e-6);

    // On local nothing is written.
    line.renew(&["circuit.low-zone.valve.position"]);
    std::thread::sleep(Duration::from_millis(200));
    rig.set("Valve", 0.7);
    for _ in 0..30 {
        line.renew(&["circuit.low-zone.valve.position"]);
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!((rig.held("Valve") - 0.7).abs() < 1e-6, "a valve on local was written");
    assert_eq!(line.state("circuit.low-zone.valve.position"), OutputState::Inhibited);
    line.stop();
}

#[test]
fn what_cannot_be_a_number_or_is_not_there_is_a_fault_and_harms_nothing_else() {
    let rig = Rig::start();
    rig.trust();
    let mut station = rig.station(rig.port, "");
    let items = &mut station.opcua[0].items;
    let place = |items: &[heatstation_drivers::opcua::settings::Item], point: &str| {
        items.iter().position(|item| item.definition.name == point).unwrap()
    };
    let text = place(items, "outdoor.temperature");
    items[text].node = "nsu=http://plc.example/heating;s=Heating.Text".parse().unwrap();
    let missing = place(items, "primary_return.temperature");
    items[missing].node = "nsu=http://plc.example/heating;s=Heating.Gone".parse().unwrap();
    let nowhere = place(items, "mains.healthy");
    items[nowhere].node = "nsu=http://plc.example/another;s=Heating.Mains".parse().unwrap();
    let mut line = Line::start(station);
    line.until("the others are well", SOON, |line| line.value("primary_supply.temperature") == Ok(90.5));
    line.until("a text is no temperature", SOON, |line| {
        line.value("outdoor.temperature") == Err(Fault::NotFinite)
            && line.value("primary_return.temperature") == Err(Fault::Refused)
            && line.value("mains.healthy") == Err(Fault::Refused)
    });
    line.stop();
}

#[test]
fn a_server_that_is_only_asked_gives_the_same_values() {
    let mut rig = Rig::start();
    rig.trust();
    let mut line = Line::start(rig.station(rig.port, "reading = \"poll\""));
    line.until("every point has the server's value", SOON, Line::all_as_first);
    rig.set("Tps", 88.5);
    line.until("the change", SOON, |line| line.value("primary_supply.temperature") == Ok(88.5));
    assert_eq!(line.wire.statistics().messages_total, 0);
    line.stop();
}

#[test]
fn browse_and_probe_show_the_server_as_it_is_written_into_a_station() {
    let rig = Rig::start();
    rig.trust();
    let station = rig.station_file("");
    let browse = command(&["browse", &station, "--node", "nsu=http://plc.example/heating;s=Heating", "--json"]);
    let rows: Vec<Json> = serde_json::from_slice(&browse.stdout).unwrap_or_else(|_| panic!("{}", words(&browse)));
    let row = |name: &str| {
        rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no {name} in {rows:?}")).clone()
    };
    assert_eq!(row("Tps")["node"], "nsu=http://plc.example/heating;s=Heating.Tps");
    assert_eq!((row("Tps")["value"].as_str(), row("Tps")["kind"].as_str()), (Some("90.5"), Some("float")));
    assert_eq!((row("Tps")["writable"].as_bool(), row("Valve")["writable"].as_bool()), (Some(false), Some(true)));
    assert_eq!(row("Tps")["status"], "Good");
    let from_objects = words(&command(&["browse", &station, "--depth", "1"]));
    assert!(from_objects.contains("nsu=http://plc.example/heating;s=Heating"), "{from_objects}");
    let few = words(&command(&["browse", &station, "--most", "3"]));
    assert!(few.contains("3 nodes; there are more"), "{few}");

    let probe = words(&command(&["probe", &station]));
    for (point, ..) in POINTS {
        assert!(probe.lines().any(|line| line.starts_with(point) && line.contains(" good ")), "{point}: {probe}");
    }
}
