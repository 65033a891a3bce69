//! Bad input gets a sentence that helps, the right exit code, and loses nothing.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use heatstation_tests::program::{Running, binary, command, eventually, example, get, metric, metrics, words};

fn check(output: &Output, code: i32, says: &[&str]) {
    let said = words(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for word in says {
        assert!(said.contains(word), "`{word}` is not in: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn demo_text() -> String {
    fs::read_to_string(example("demo.toml")).unwrap()
}

#[test]
fn an_unknown_key_is_shown_with_its_place_and_a_neighbour() {
    let folder = tempfile::tempdir().unwrap();
    let text = demo_text().replace("design_supply_celsius", "design_suply_celsius");
    let line = text.lines().position(|line| line.contains("design_suply_celsius")).unwrap() + 1;
    let station = written(folder.path(), "station.toml", &text);
    check(
        &command(&["check", &station]),
        2,
        &["design_suply_celsius", "design_supply_celsius", &format!("{line}"), "^"],
    );
    // The daemon says the same and does not start.
    check(&command(&["run", &station]), 2, &["design_suply_celsius"]);
}

#[test]
fn a_missing_file_is_named() {
    check(&command(&["check", "/nowhere/station.toml"]), 2, &["/nowhere/station.toml"]);
    check(&command(&["run", "/nowhere/station.toml"]), 2, &["/nowhere/station.toml"]);
}

#[test]
fn a_port_in_use_is_named_and_another_is_suggested() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = tempfile::tempdir().unwrap();
    let demo = command(&["demo", "--listen", &address, "--data", data.path().to_str().unwrap()]);
    check(&demo, 1, &[&address, "--listen"]);
    check(&command(&["plant", "steady", "--listen", &address]), 1, &[&address, "--listen"]);
}

#[test]
fn two_programs_cannot_share_a_data_folder() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    let _first = Running::start(&["demo", "--listen", "127.0.0.1:0", "--data", folder], "The page");
    check(&command(&["demo", "--listen", "127.0.0.1:0", "--data", folder]), 1, &[folder]);
}

#[test]
fn an_unreachable_device_raises_an_alarm_and_the_page_says_why() {
    let folder = tempfile::tempdir().unwrap();
    // A port on which nobody listens: bound once, closed again.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let station = written(folder.path(), "station.toml", &demo_text().replace("127.0.0.1:5020", &address));
    let data = folder.path().join("data");
    let arguments = ["run", &station, "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"];
    let program = Running::start(&arguments, "data");
    let page = program.address("page");
    eventually("the alarm", Duration::from_secs(40), || {
        metric(&metrics(&page), "heatstation_alarm_active", &[("alarm", "device_silent")]).filter(|is| *is == 1.0)
    });
    let (status, why) = get(&page, "/readyz", "application/json");
    assert_eq!(status, 503, "{why}");
    assert!(why.contains("plc"), "{why}");
    check(&command(&["probe", &station]), 1, &["plc", &address]);
}

#[test]
fn an_unreadable_register_costs_only_its_own_point() {
    let folder = tempfile::tempdir().unwrap();
    let plant = Running::start(&["plant", "steady", "--listen", "127.0.0.1:0"], "127.0.0.1");
    let text = demo_text().replace("127.0.0.1:5020", &plant.address("127.0.0.1"));
    let device = text.find("[[device]]").unwrap();
    let after = text[device + 10..].find("\n[[").map_or(text.len(), |at| device + 10 + at);
    let row = "\n[[device.point]]\npoint = \"auxiliary.pit\"\ntable = \"holding-register\"\naddress = 59999\nencoding = \"i16\"\n";
    let pit = "\n[[auxiliary]]\nname = \"pit\"\nunit = \"celsius\"\nmin = -40\nmax = 90\n";
    let text = format!("{}{row}{}{pit}", &text[..after], &text[after..]);
    let station = written(folder.path(), "station.toml", &text);
    let probe = command(&["probe", &station]);
    let said = words(&probe);
    assert!(probe.status.success(), "{said}");
    let pit = said.lines().find(|line| line.starts_with("auxiliary.pit")).expect("the point is listed");
    assert!(pit.contains("Refused"), "{pit}");
    assert!(said.lines().any(|line| line.contains("secondary_supply.temperature ") && line.contains("°C")), "{said}");
}

#[test]
fn a_bad_weather_file_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let station = example("demo.toml");
    let weather = written(folder.path(), "bad.epw", "LOCATION,Nowhere\nDESIGN CONDITIONS,0\n");
    let station = station.to_str().unwrap();
    check(&command(&["simulate", station, "--weather", &weather]), 2, &["bad.epw"]);
    check(&command(&["simulate", station, "--weather", "/nowhere.epw"]), 2, &["/nowhere.epw"]);
    check(&command(&["simulate", station, "--from", "2026-12-09", "--to", "2026-12-01"]), 2, &["--to"]);
}

fn cosim(lines: &str) -> Output {
    let mut child = Command::new(binary())
        .args(["cosim", example("demo.toml").to_str().unwrap()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end before it has read all: that is the answer we want to see, not a failure to write.
    let _ = child.stdin.take().unwrap().write_all(lines.as_bytes());
    child.wait_with_output().unwrap()
}

#[test]
fn a_malformed_line_of_a_plant_is_named_and_earlier_answers_stand() {
    let good = "{\"time\":\"2026-12-01T00:00:00+08:00\",\"points\":{\"outdoor.temperature\":-7.4}}\n";
    let bad =
        cosim(&format!("{good}{{\"time\":\"2026-12-01T00:00:10+08:00\",\"points\":{{\"outdoor.temperature\":}}}}\n"));
    check(&bad, 2, &["line 2", "commands"]);
    let unknown = cosim(&good.replace("outdoor.temperature", "outdoor.temperatur"));
    check(&unknown, 2, &["line 1", "outdoor.temperatur", "did you mean outdoor.temperature"]);
    let back = cosim(&format!("{good}{}", good.replace("2026-12-01", "2026-11-30")));
    check(&back, 2, &["line 2", "time goes forward"]);
    let text = cosim(&good.replace("-7.4", "\"cold\""));
    check(&text, 2, &["line 1", "celsius"]);
    let nan = cosim(&good.replace("-7.4", "1e999"));
    assert_eq!(nan.status.code(), Some(2), "{}", words(&nan));
    let told = |forecast: &str| cosim(&good.replace("}}", &format!("}},\"forecast\":{forecast}}}")));
    let issued = "\"issued\":\"2026-12-01T00:00:00+08:00\"";
    check(&told(&format!("{{{issued},\"temperature\":[-7,99]}}")), 2, &["line 1", "hour 1", "-60 to 60"]);
    check(&told(&format!("{{{issued},\"temperature\":[]}}")), 2, &["line 1", "no temperature"]);
    check(&told(&format!("{{{issued},\"rain\":[1]}}")), 2, &["line 1", "rain"]);
    let later = told("{\"issued\":\"2026-12-02T00:00:00+08:00\",\"temperature\":[-7]}");
    check(&later, 2, &["line 1", "issued"]);
    check(&cosim(""), 0, &[]);
}

#[test]
fn wrong_usage_is_told_what_would_be_right() {
    check(&command(&["plant", "earthquake"]), 2, &["earthquake", "steady", "pump-trip"]);
    check(&command(&["demo", "--speed", "1000"]), 2, &["1000", "60"]);
    check(&command(&["journal", "verify", "--data", "/nowhere"]), 1, &["/nowhere"]);
    check(&command(&["journal", "verify", "--data", "/nowhere", "--head", "x"]), 2, &["head"]);
    let station = example("demo.toml");
    let station = station.to_str().unwrap();
    check(&command(&["indicators", station, "--profile", "atlantis", "--data", "/nowhere"]), 2, &["atlantis", "zibo"]);
    check(&command(&["probe", station, "--write", "circuit.low-zone.valve.position=7"]), 2, &["7", "0..=1"]);
    check(&command(&["probe", station, "--write", "outdoor.temperature=7"]), 2, &["read, not written"]);
    check(&command(&["frobnicate"]), 2, &["frobnicate"]);
}

#[test]
fn a_full_disk_stops_no_control_and_loses_no_record() {
    let folder = tempfile::tempdir().unwrap();
    let mount = folder.path().join("small");
    fs::create_dir(&mount).unwrap();
    let path = mount.to_str().unwrap().to_owned();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=44m", "tmpfs", &path]).status();
    assert!(mounted.is_ok_and(|status| status.success()), "this test mounts a small tmpfs: run the tests as root");
    let _unmount = Unmount(path.clone());
    let program = Running::start(&["demo", "--listen", "127.0.0.1:0", "--speed", "20", "--data", &path], "The page");
    let page = program.address("page ");
    let cycles = || metric(&metrics(&page), "heatstation_cycles_total", &[]);
    eventually("cycles", Duration::from_secs(30), || cycles().filter(|count| *count > 40.0));
    // Whatever is free is taken by somebody else.
    let mut other = fs::File::create(mount.join("other")).unwrap();
    let chunk = vec![7_u8; 1 << 16];
    while other.write_all(&chunk).is_ok() {}
    let before = cycles().unwrap();
    heatstation_tests::program::switch(&page, "circulation", true);
    eventually("the trip's alarm", Duration::from_secs(30), || {
        metric(&metrics(&page), "heatstation_alarm_active", &[("alarm", "no_circulation")]).filter(|is| *is == 1.0)
    });
    eventually("control goes on", Duration::from_secs(30), || cycles().filter(|count| *count > before + 100.0));
    drop(other);
    fs::remove_file(mount.join("other")).unwrap();
    program.signal("TERM");
    assert_eq!(program.ended(Duration::from_secs(30)), Some(0));
    let verdict = command(&["journal", "verify", "--data", &path]);
    assert!(verdict.status.success(), "{}", words(&verdict));
    let export = command(&["journal", "export", "--data", &path]);
    let text = words(&export);
    for kind in ["tripped", "alarm_raised", "program_stopped"] {
        assert!(text.contains(&format!("\"kind\":\"{kind}\"")), "{kind} is missing: {text}");
    }
}

struct Unmount(String);

impl Drop for Unmount {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l", &self.0]).status();
    }
}
