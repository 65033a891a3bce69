//! The main job as its user sees it: one process, its page, its records.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::{Duration, Instant};

use heatstation_tests::program::{Running, command, eventually, example, get, metric, metrics, switch, words};
use serde_json::Value as Json;

const MINUTE: Duration = Duration::from_secs(60);

struct Demo {
    program: Running,
    address: String,
    data: tempfile::TempDir,
}

fn demo(arguments: &[&str]) -> Demo {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    let mut all = vec!["demo", "--listen", "127.0.0.1:0", "--data", folder];
    all.extend(arguments);
    let program = Running::start(&all, "The page");
    let address = program.address("page ");
    Demo { program, address, data }
}

impl Demo {
    fn metric(&self, family: &str, labels: &[(&str, &str)]) -> Option<f64> {
        metric(&metrics(&self.address), family, labels)
    }

    fn records(&self, kind: &str) -> Vec<Json> {
        let folder = self.data.path().to_str().unwrap();
        let export = command(&["journal", "export", "--data", folder, "--kind", kind]);
        assert!(export.status.success(), "{}", words(&export));
        String::from_utf8_lossy(&export.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn valve_command(text: &str) -> Option<f64> {
    metric(text, "heatstation_output_command_ratio", &[("circuit", "low-zone"), ("point", "valve.position")])
}

#[test]
fn within_a_minute_the_demonstration_is_a_heating_station_that_follows_the_weather() {
    let demo = demo(&[]);
    eventually("heating", MINUTE, || demo.metric("heatstation_stage", &[("stage", "heating")]).filter(|is| *is == 1.0));
    let text = metrics(&demo.address);
    let at = |family: &str, labels: &[(&str, &str)]| metric(&text, family, labels).expect(family);
    let setpoint = at("heatstation_temperature_setpoint_celsius", &[("circuit", "low-zone")]);
    let supply = at("heatstation_temperature_celsius", &[("point", "secondary_supply.temperature")]);
    assert!((setpoint - supply).abs() < 15.0, "setpoint {setpoint}, supply {supply}");
    assert!(valve_command(&text).is_some_and(|valve| valve > 0.02), "{text}");
    assert!(at("heatstation_heated_area_square_meters", &[]) > 0.0);
    let (status, ready) = get(&demo.address, "/readyz", "application/json");
    assert_eq!(status, 200, "{ready}");
    assert_eq!(get(&demo.address, "/healthz", "application/json").0, 200);
    let (status, page) = get(&demo.address, "/", "text/html");
    assert!(status == 200 && page.contains("<html"), "{page}");
}

#[test]
fn a_stopped_circulation_pump_closes_the_valve_within_five_seconds_and_raises_the_alarm() {
    let demo = demo(&[]);
    eventually("the valve under control", MINUTE, || {
        valve_command(&metrics(&demo.address)).filter(|valve| *valve > 0.02)
    });
    switch(&demo.address, "circulation", true);
    let began = Instant::now();
    eventually("valve closed", Duration::from_secs(10), || {
        valve_command(&metrics(&demo.address)).filter(|valve| *valve == 0.0)
    });
    let took = began.elapsed();
    assert!(took <= Duration::from_secs(5), "{took:?}");
    let raised = |alarm| demo.metric("heatstation_alarm_active", &[("alarm", alarm)]) == Some(1.0);
    assert!(raised("no_circulation") && raised("pump_failed"));
    // And the device holds it: what was written was read back.
    eventually("read back", Duration::from_secs(5), || {
        let labels = [("circuit", "low-zone"), ("point", "valve.position"), ("state", "confirmed")];
        demo.metric("heatstation_output_state", &labels).filter(|is| *is == 1.0)
    });
}

#[test]
fn an_outage_moves_the_accident_rate_by_exactly_its_area_and_time() {
    let demo = demo(&["--speed", "60"]);
    eventually("heating", MINUTE, || demo.metric("heatstation_stage", &[("stage", "heating")]).filter(|is| *is == 1.0));
    assert_eq!(demo.metric("heatstation_accident_rate_ratio", &[("window", "season")]), Some(0.0));
    switch(&demo.address, "circulation", true);
    eventually("an outage", MINUTE, || demo.metric("heatstation_outage_active", &[]).filter(|is| *is == 1.0));
    switch(&demo.address, "circulation", false);
    // Failed pumps rest for twenty minutes: twenty seconds of the demonstration.
    eventually("its end", 2 * MINUTE, || demo.metric("heatstation_outage_active", &[]).filter(|is| *is == 0.0));
    let ratio = demo.metric("heatstation_accident_rate_ratio", &[("window", "season")]).unwrap();

    demo.program.signal("TERM");
    let folder = demo.data.path().to_str().unwrap().to_owned();
    let (opened, closed) = {
        eventually("the stop's record", MINUTE, || Some(demo.records("program_stopped")).filter(|r| !r.is_empty()));
        (demo.records("outage_opened"), demo.records("outage_closed"))
    };
    assert_eq!((opened.len(), closed.len()), (1, 1));
    let body = &closed[0]["body"];
    assert_eq!(opened[0]["body"]["outage"], body["outage"]);
    let lasted = &body["lasted"];
    let milliseconds =
        u128::from(lasted["secs"].as_u64().unwrap()) * 1000 + u128::from(lasted["nanos"].as_u64().unwrap() / 1_000_000);
    let area = u128::from(body["area"].as_u64().unwrap());

    let station = example("demo.toml");
    let report =
        command(&["indicators", station.to_str().unwrap(), "--data", &folder, "--profile", "zibo", "--format", "json"]);
    let report: Json = serde_json::from_slice(&report.stdout).unwrap_or_else(|_| panic!("{}", words(&report)));
    let row = &report[0];
    assert_eq!(row["numerator"].as_u64().map(u128::from), Some(area * milliseconds), "{row}");
    let season_milliseconds = 121 * 86_400_000_u128;
    assert_eq!(row["denominator"].as_u64().map(u128::from), Some(8_600_000 * season_milliseconds), "{row}");
    let exact = (area * milliseconds) as f64 / (8_600_000 * season_milliseconds) as f64;
    assert!((ratio - exact).abs() < 1e-12, "{ratio} on the page, {exact} from the records");

    // The same records under a document that sets no target.
    let report = command(&["indicators", station.to_str().unwrap(), "--data", &folder, "--profile", "xinjiang"]);
    assert!(words(&report).contains("report only"), "{}", words(&report));
    let verdict = command(&["journal", "verify", "--data", &folder]);
    assert!(verdict.status.success(), "{}", words(&verdict));
}

#[test]
fn a_stop_is_orderly_and_the_next_start_knows_the_gap() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    for _ in 0..2 {
        let arguments = ["demo", "--listen", "127.0.0.1:0", "--speed", "20", "--data", folder];
        let program = Running::start(&arguments, "The page");
        let address = program.address("page ");
        eventually("a decision", MINUTE, || valve_command(&metrics(&address)));
        program.signal("TERM");
        assert_eq!(program.ended(Duration::from_secs(20)), Some(0));
    }
    let export = command(&["journal", "export", "--data", folder]);
    let text = String::from_utf8_lossy(&export.stdout).into_owned();
    let records: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_kind = |kind: &str| records.iter().filter(|record| record["kind"] == kind).collect::<Vec<_>>();
    assert_eq!((of_kind("program_started").len(), of_kind("program_stopped").len()), (2, 2), "{text}");
    // The season before the first start, and the minute between the two less what it takes to
    // stop. The second until the first answer may be one too.
    let lasted = |record: &&Json| record["body"]["lasted"]["secs"].as_u64().unwrap();
    let long: Vec<u64> = of_kind("unobserved").iter().map(lasted).filter(|seconds| 10 <= *seconds).collect();
    assert!(matches!(long[..], [_, 59..=120]), "{text}");
    assert!(text.contains("\"station\":\"k12\""), "{text}");
    // Another station's figures are not made of these records.
    let other = example("two-zones.toml");
    let figures = command(&["indicators", other.to_str().unwrap(), "--data", folder]);
    assert_eq!(figures.status.code(), Some(2));
    assert!(words(&figures).contains("k12") && words(&figures).contains("k27"), "{}", words(&figures));
}

#[test]
fn an_emergency_stop_stays_until_a_person_resets_it() {
    let demo = demo(&["--speed", "30"]);
    let stage = |name: &str| demo.metric("heatstation_stage", &[("stage", name)]) == Some(1.0);
    let stopped = || demo.metric("heatstation_trip", &[("trip", "emergency_stop")]) == Some(1.0);
    eventually("heating", MINUTE, || stage("heating").then_some(()));
    switch(&demo.address, "emergency-stop", true);
    eventually("stopped", MINUTE, || (stopped() && valve_command(&metrics(&demo.address)) == Some(0.0)).then_some(()));
    switch(&demo.address, "emergency-stop", false);
    std::thread::sleep(Duration::from_secs(4));
    assert!(stopped(), "two minutes after its release nothing has started by itself");
    demo.program.signal("USR1");
    eventually("heating again", MINUTE, || (!stopped() && stage("heating")).then_some(()));
    let granted = demo.records("request_granted");
    assert_eq!(granted[0]["body"]["request"]["author"], "SIGUSR1", "{granted:?}");
}

#[test]
fn a_reload_brings_all_of_a_change_into_force_or_nothing_and_systemd_hears_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let plant = Running::start(&["plant", "steady", "--listen", "127.0.0.1:0"], "127.0.0.1");
    let text = std::fs::read_to_string(example("demo.toml")).unwrap();
    let text = text.replace("127.0.0.1:5020", &plant.address("127.0.0.1"));
    let station = folder.path().join("station.toml");
    std::fs::write(&station, &text).unwrap();
    let socket = folder.path().join("notify");
    let systemd = std::os::unix::net::UnixDatagram::bind(&socket).unwrap();
    systemd.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let arguments = ["run", station.to_str().unwrap(), "--data", data, "--listen", "127.0.0.1:0"];
    let environment = [("NOTIFY_SOCKET", socket.to_str().unwrap())];
    let program = Running::start_in(&arguments, "data", &environment);
    let address = program.address("page");

    // systemd is told of readiness and of life, by the cycle itself.
    let (mut heard, mut buffer) = (String::new(), [0_u8; 256]);
    while !(heard.contains("READY=1") && heard.contains("WATCHDOG=1")) {
        let length = systemd.recv(&mut buffer).expect("systemd hears something");
        heard.push_str(&String::from_utf8_lossy(&buffer[..length]));
    }
    let valve = || valve_command(&metrics(&address));
    let before = eventually("control", MINUTE, || valve().filter(|valve| *valve > 0.02));

    let kinds = |kind: &str| {
        let export = command(&["journal", "export", "--data", data, "--kind", kind]);
        String::from_utf8_lossy(&export.stdout).lines().count()
    };
    let changed = text.replacen("supply_max_celsius = 80", "supply_max_celsius = 79", 1);
    assert_ne!(changed, text, "the example has a supply_max_celsius of 80");
    std::fs::write(&station, &changed).unwrap();
    program.signal("HUP");
    eventually("the change in force", MINUTE, || (kinds("configuration_loaded") == 1).then_some(()));
    std::thread::sleep(Duration::from_secs(2));
    let after = valve().unwrap();
    assert!((after - before).abs() < 0.1, "the valve went from {before} to {after} over a reload");

    std::fs::write(&station, changed.replace("supply_max_celsius = 79", "supply_max_celsius = 790")).unwrap();
    program.signal("HUP");
    eventually("the refusal", MINUTE, || (kinds("configuration_rejected") == 1).then_some(()));
    let alarm = || metric(&metrics(&address), "heatstation_alarm_active", &[("alarm", "configuration_rejected")]);
    eventually("its alarm", MINUTE, || alarm().filter(|is| *is == 1.0));
    assert!(valve().is_some_and(|valve| valve > 0.02), "control goes on under the old configuration");
}

#[test]
fn a_scenario_runs_in_virtual_time_from_its_name_and_from_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let (station, events) = (example("demo.toml"), folder.path().join("events.jsonl"));
    let (station, events) = (station.to_str().unwrap(), events.to_str().unwrap());
    let run = command(&["simulate", station, "--scenario", "pump-trip", "--json", "--events", events]);
    assert!(run.status.success(), "{}", words(&run));
    let figures: Json = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(figures["simulated_seconds"], 3 * 3600);
    let told = std::fs::read_to_string(events).unwrap();
    assert!(told.contains("pump_fault") || told.contains("pump"), "{told}");

    let file = folder.path().join("mine.toml");
    let text = "[scenario]\ntitle = \"t\"\nchinese_title = \"题\"\ndescription = \"d\"\nlasts_hours = 0.5\n";
    std::fs::write(&file, text).unwrap();
    let run = command(&["simulate", station, "--scenario", file.to_str().unwrap(), "--json"]);
    assert!(run.status.success(), "{}", words(&run));

    std::fs::write(&file, format!("{text}\n[[fault]]\nkind = \"pump-trip\"\nat_minuts = 5\n")).unwrap();
    let run = command(&["simulate", station, "--scenario", file.to_str().unwrap()]);
    assert_eq!(run.status.code(), Some(2), "{}", words(&run));
    let said = words(&run);
    assert!(said.contains("mine.toml:9") && said.contains("did you mean `at_minutes`"), "{said}");
}

#[test]
fn a_demonstration_lives_through_a_scenario_with_its_people() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("asking.toml");
    let text = "[scenario]\ntitle = \"t\"\nchinese_title = \"题\"\ndescription = \"d\"\n\n[[request]]\nat_minutes = 0.3\n\
                author = \"Wang\"\nreason = \"complaints\"\nwish = \"shift-supply\"\nby_kelvins = 2\nlasts_minutes = 30\n";
    std::fs::write(&file, text).unwrap();
    let demo = demo(&["--speed", "20", "--scenario", file.to_str().unwrap()]);
    eventually("the request on record", MINUTE, || demo.records("request_granted").first().cloned());
}

#[test]
fn a_motor_that_runs_by_its_contact_is_told_to_stand_still_before_the_program_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let plant = Running::start(&["plant", "steady", "--listen", "127.0.0.1:0"], "127.0.0.1");
    let text = std::fs::read_to_string(example("demo.toml")).unwrap();
    // Warmer rooms, and a motor of ten minutes: it will be opening for a while.
    let warmer = "supply_max_celsius = 80\nroom_target_celsius = 24\nsupply_rise_kelvins_per_hour = 120\n\
                  [circuit.valve]\nactuator = \"three-point\"\nstroke_time_seconds = 600\n";
    let text =
        text.replace("127.0.0.1:5020", &plant.address("127.0.0.1")).replacen("supply_max_celsius = 80\n", warmer, 1);
    let station = folder.path().join("station.toml");
    std::fs::write(&station, &text).unwrap();
    let (station, data) = (station.to_str().unwrap(), folder.path().join("data"));
    let arguments = ["run", station, "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"];
    let program = Running::start(&arguments, "data");
    let address = program.address("page");

    let held = |last: &str| {
        let probe = command(&["probe", station, "--json"]);
        let rows: Vec<Json> = serde_json::from_slice(&probe.stdout).unwrap_or_default();
        rows.iter().find(|row| row["name"] == format!("circuit.low-zone.{last}").as_str())?["value"].as_f64()
    };
    // A pulse lasts seconds; the end comes in the midst of one.
    let opens = || {
        let (status, body) = get(&address, "/api/v1/snapshot", "application/json");
        let view: Json = serde_json::from_str(&body).ok().filter(|_| status == 200)?;
        let opening = &view["circuits"][0]["outputs"]["circuit.low-zone.valve.opening"]["value"];
        (opening.as_f64()? >= 1.0).then_some(())
    };
    eventually("the motor opens", MINUTE, opens);
    program.signal("TERM");
    assert_eq!(program.ended(MINUTE), Some(0));
    assert_eq!((held("valve.opening"), held("valve.closing")), (Some(0.0), Some(0.0)));
}
