//! Dispatch centres that only scrape: the rules, messages and boards in `deploy/`, tried by the programs that use them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use heatstation_tests::program::{
    Running, command, eventually, example, get_json, metric, metrics, root, switch, words,
};
use heatstation_tests::python::{python, script};
use serde_json::{Value as Json, json};

const MINUTE: Duration = Duration::from_secs(60);

fn deploy(path: &str) -> PathBuf {
    root().join("deploy").join(path)
}

fn text(path: &str) -> String {
    std::fs::read_to_string(deploy(path)).unwrap()
}

fn boards() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        std::fs::read_dir(deploy("grafana")).unwrap().map(|file| file.unwrap().path()).collect();
    all.sort();
    assert!(2 <= all.len(), "{all:?}");
    all
}

/// What a program that we did not write says, if it is content.
fn content(program: &str, arguments: &[&str]) -> String {
    let said = Command::new(program).args(arguments).current_dir(deploy("prometheus")).output();
    let said = said.unwrap_or_else(|error| panic!("{program}: {error}; ./run-tests installs it"));
    assert!(said.status.success(), "{program} {arguments:?}: {}", words(&said));
    words(&said)
}

/// What follows this key in each line of a file that has it.
fn named<'a>(text: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines().filter_map(move |line| line.trim_start().strip_prefix(key)).map(str::trim)
}

#[test]
fn the_rules_do_what_their_own_tests_say_and_none_is_untested() {
    content("promtool", &["check", "config", "prometheus.yml"]);
    content("promtool", &["test", "rules", "heatstation-tests.yml"]);
    let tests = text("prometheus/heatstation-tests.yml");
    let rules = text("prometheus/heatstation-rules.yml");
    let alerts: BTreeSet<&str> = named(&rules, "- alert:").collect();
    assert!(20 < alerts.len());
    let untested: Vec<&&str> = alerts.iter().filter(|alert| !tests.contains(&format!("\"{alert}\""))).collect();
    assert!(untested.is_empty(), "{untested:?}");
}

/// The names of series that a text of queries speaks of.
fn series(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    text.split(|c| !is_part(c)).filter(|word| word.contains("heatstation_")).map(str::to_owned).collect()
}

#[test]
fn no_rule_and_no_board_asks_for_a_series_that_nobody_has() {
    let data = tempfile::tempdir().unwrap();
    let program = demonstration("demo.toml", data.path());
    let address = program.address("page ");
    let recording = text("prometheus/heatstation-recording.yml");
    let recorded: BTreeSet<String> = named(&recording, "- record:").map(str::to_owned).collect();
    let expressions = |board: &PathBuf| {
        let board: Json = serde_json::from_str(&std::fs::read_to_string(board).unwrap()).unwrap();
        let mut found = Vec::new();
        collect(&board, &mut found);
        found
    };
    let on_boards: Vec<String> = boards().iter().flat_map(expressions).collect();
    assert!(30 < on_boards.len());
    let rules = text("prometheus/heatstation-rules.yml");
    let asked = rules.lines().chain(recording.lines()).filter(|line| !line.trim_start().starts_with('#'));
    let asked = asked.filter(|line| !line.contains("name: ") && !line.contains("description")).collect::<Vec<_>>();
    let asked = format!("{}\n{}", asked.join("\n"), on_boards.join("\n"));
    let mut strangers: BTreeSet<String> = series(&asked).difference(&recorded).cloned().collect();
    // Some are there only while they have something to say, as of an alarm.
    switch(&address, "circulation", true);
    let until = Instant::now() + MINUTE;
    while !strangers.is_empty() {
        assert!(Instant::now() < until, "nobody has {strangers:?}");
        for family in named(&metrics(&address), "# HELP").filter_map(|line| line.split(' ').next()) {
            strangers.remove(family);
            strangers.remove(&format!("{family}_bucket"));
        }
        std::thread::sleep(Duration::from_millis(100));
    }

    // And Prometheus can read what the boards ask.
    let rule = |query: &String| json!({"record": "x", "expr": query.replace("$station", "k12")});
    let as_rules = json!({"groups": [{"name": "boards", "rules": on_boards.iter().map(rule).collect::<Vec<_>>()}]});
    let file = data.path().join("boards.yml");
    std::fs::write(&file, as_rules.to_string()).unwrap();
    content("promtool", &["check", "rules", "--lint=none", file.to_str().unwrap()]);
}

/// Whatever is asked of Prometheus.
fn collect(json: &Json, into: &mut Vec<String>) {
    match json {
        Json::Object(keys) => {
            let query = keys.get("expr").and_then(Json::as_str);
            into.extend(query.map(str::to_owned));
            keys.values().for_each(|value| collect(value, into));
        }
        Json::Array(all) => all.iter().for_each(|value| collect(value, into)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

#[test]
fn grafana_understands_every_word_of_the_boards() {
    let check = |boards: &[PathBuf]| {
        let said = Command::new(python()).arg(script("grafana_boards.py")).args(boards).output().unwrap();
        assert!(said.status.success(), "{}", words(&said));
        words(&said)
    };
    assert_eq!(check(&boards()), "");
    // That it would notice: a key that is misspelt.
    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("wrong.json");
    std::fs::write(&wrong, text("grafana/station.json").replacen("drawStyle", "drawstyle", 1)).unwrap();
    assert!(check(&[wrong]).contains("drawstyle is not known"));
}

/// A server under test; it is stopped with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(program: &str, arguments: &[&str]) -> Server {
    let child = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    Server(child.unwrap_or_else(|error| panic!("{program}: {error}; ./run-tests installs it")))
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn is_ready(address: &str) -> Option<()> {
    ureq::get(format!("http://{address}/-/ready")).call().is_ok().then_some(())
}

fn demonstration(station: &str, data: &Path) -> Running {
    let config = example(station);
    let arguments = ["demo", "--config", config.to_str().unwrap(), "--speed", "60", "--listen", "127.0.0.1:0"];
    Running::start(&[&arguments[..], &["--data", data.to_str().unwrap()]].concat(), "The page")
}

/// Numerator and denominator of a station's accident rate, from its journal.
fn journal_s_rate(station: &str, data: &Path) -> (u128, u128) {
    let (station, data) = (example(station), data.to_str().unwrap().to_owned());
    let said = command(&["indicators", station.to_str().unwrap(), "--data", &data, "--format", "json"]);
    let rows: Json = serde_json::from_slice(&said.stdout).unwrap_or_else(|_| panic!("{}", words(&said)));
    let rows = rows.as_array().unwrap();
    let row = rows.iter().find(|row| row["indicator"] == "operation_accident_rate").unwrap();
    let exact = |key: &str| row[key].to_string().parse::<u128>().unwrap();
    (exact("numerator"), exact("denominator"))
}

#[test]
fn a_real_prometheus_makes_the_city_s_accident_rate_that_the_journals_have() {
    let folder = tempfile::tempdir().unwrap();
    let (small, large) = (folder.path().join("small"), folder.path().join("large"));
    let programs = [demonstration("demo.toml", &small), demonstration("two-zones.toml", &large)];
    let addresses = programs.each_ref().map(|program| program.address("page "));

    // The house's own recording rules, evaluated as often as is scraped.
    let recording = text("prometheus/heatstation-recording.yml").replace("interval: 30s", "interval: 1s");
    std::fs::write(folder.path().join("recording.yml"), recording).unwrap();
    let target = |address: &String, fleet| json!({"targets": [address], "labels": {"city": "zibo", "fleet": fleet}});
    let config = json!({
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["recording.yml"],
        "scrape_configs": [{
            "job_name": "heatstation",
            "static_configs": [target(&addresses[0], "east"), target(&addresses[1], "west")],
        }],
    });
    let file = folder.path().join("prometheus.yml");
    std::fs::write(&file, config.to_string()).unwrap();
    let address = free_address();
    let _prometheus = start(
        "prometheus",
        &[
            &format!("--config.file={}", file.display()),
            &format!("--storage.tsdb.path={}", folder.path().join("series").display()),
            &format!("--web.listen-address={address}"),
        ],
    );
    eventually("Prometheus", MINUTE, || is_ready(&address));

    let says = |at: &String, family: &str| metric(&metrics(at), family, &[]);
    let heats = |at: &String| metric(&metrics(at), "heatstation_stage", &[("stage", "heating")]) == Some(1.0);
    eventually("heating", MINUTE, || addresses.iter().all(heats).then_some(()));
    switch(&addresses[0], "circulation", true);
    eventually("an outage", MINUTE, || says(&addresses[0], "heatstation_outage_active").filter(|is| *is == 1.0));
    switch(&addresses[0], "circulation", false);
    let ended = || says(&addresses[0], "heatstation_outage_active").filter(|is| *is == 0.0);
    eventually("its end", 2 * MINUTE, ended);

    let (one, other) = (journal_s_rate("demo.toml", &small), journal_s_rate("two-zones.toml", &large));
    assert!(0 < one.0, "{one:?}");
    let exact = (one.0 + other.0) as f64 / (one.1 + other.1) as f64;
    let city = || {
        let query = "city:heatstation_accident_rate:ratio%7Bcity%3D%22zibo%22%2Cwindow%3D%22season%22%7D";
        let answer = get_json(&address, &format!("/api/v1/query?query={query}"));
        answer["data"]["result"][0]["value"][1].as_str().and_then(|value| value.parse::<f64>().ok())
    };
    let is_exact = |rate: &f64| (rate / exact - 1.0).abs() < 1e-9;
    eventually("the city's rate", MINUTE, || city().filter(is_exact));
    // A mean of the rates would be another figure.
    let mean = f64::midpoint(one.0 as f64 / one.1 as f64, other.0 as f64 / other.1 as f64);
    assert!((mean / exact - 1.0).abs() > 0.01, "{mean} and {exact}");

    // A station whose modem dies keeps its outage in the city's figure.
    let [first, _second] = programs;
    first.kill();
    std::thread::sleep(Duration::from_secs(5));
    let rate = city().unwrap();
    assert!(is_exact(&rate), "{rate} and {exact}");
}

#[test]
fn what_another_message_explains_is_not_told_again() {
    content("amtool", &["check-config", "alertmanager.yml"]);
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let _alertmanager = start(
        "prometheus-alertmanager",
        &[
            &format!("--config.file={}", deploy("prometheus/alertmanager.yml").display()),
            &format!("--storage.path={}", folder.path().display()),
            &format!("--web.listen-address={address}"),
            "--cluster.listen-address=",
        ],
    );
    eventually("Alertmanager", MINUTE, || is_ready(&address));
    let alert = |name: &str, station: &str, more: Json| {
        let mut labels = json!({"alertname": name, "station": station, "instance": station, "city": "zibo"});
        labels.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"labels": labels})
    };
    let low = || json!({"circuit": "low-zone"});
    let sent = json!([
        alert("HeatstationSilent", "k1", json!({"fleet": "east"})),
        alert("HeatstationWireDown", "k1", json!({"wire": "plc"})),
        alert("HeatstationWireDown", "k2", json!({"wire": "plc"})),
        alert("HeatstationOutputNotConfirmed", "k2", low()),
        alert("HeatstationOutageLong", "k3", low()),
        alert("HeatstationOutage", "k3", low()),
        alert("HeatstationAlarmP1", "k3", json!({"alarm": "outage_open"})),
        alert("HeatstationAlarmP1", "k3", json!({"alarm": "frost"})),
        alert("HeatstationRoomsCold", "k3", low()),
        alert("HeatstationRoomsCold", "k3", json!({"circuit": "high-zone"})),
        alert("HeatstationManyStationsSilent", "", json!({"fleet": "west"})),
        alert("HeatstationSilent", "k4", json!({"fleet": "west"})),
    ]);
    let url = format!("http://{address}/api/v2/alerts");
    let answer = ureq::post(url).header("Content-Type", "application/json").send(sent.to_string());
    assert!(answer.is_ok(), "{answer:?}");
    let silenced = || {
        let all = get_json(&address, "/api/v2/alerts");
        let all = all.as_array().unwrap().clone();
        let is_inhibited = |alert: &&Json| !alert["status"]["inhibitedBy"].as_array().unwrap().is_empty();
        let name = |alert: &Json| {
            let labels = &alert["labels"];
            let extra = labels["alarm"].as_str().or(labels["circuit"].as_str()).unwrap_or("");
            format!("{} {} {extra}", labels["alertname"].as_str().unwrap(), labels["station"].as_str().unwrap_or(""))
        };
        (all.len() == 12).then(|| all.iter().filter(is_inhibited).map(name).collect::<BTreeSet<String>>())
    };
    let silenced = eventually("all alerts", MINUTE, silenced);
    let expected = [
        "HeatstationWireDown k1 ",
        "HeatstationOutputNotConfirmed k2 low-zone",
        "HeatstationOutage k3 low-zone",
        "HeatstationAlarmP1 k3 outage_open",
        "HeatstationRoomsCold k3 low-zone",
        "HeatstationSilent k4 ",
    ];
    assert_eq!(silenced, expected.map(str::to_owned).into_iter().collect());
}
