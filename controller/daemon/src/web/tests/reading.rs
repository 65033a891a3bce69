//! What honest clients get.

use std::sync::Arc;
use std::time::Duration;

use heatstation_core::accident_rate::AccidentRate;
use heatstation_drivers::wire::WireStatistics;
use heatstation_points::{Point, Unit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Rig, warm};
use crate::records::record_of;
use crate::store::{HistoryPoint, HistoryRow, Layout, Trouble};
use crate::web::canned::{Broken, START, Station};

#[tokio::test]
async fn the_process_answers_before_the_first_cycle_and_the_station_says_that_it_has_none() {
    let rig = Rig::start(None).await;
    let alive = rig.get("/healthz").await;
    assert_eq!((alive.status, alive.json()["version"].as_str()), (200, Some("0.1.0")));
    let ready = rig.get("/readyz").await;
    assert_eq!((ready.status, &ready.json()["reasons"][0]["what"]), (503, &"cycle".into()));
    for path in ["/metrics", "/api/v1/snapshot", "/api/v1/history?points=outdoor.temperature"] {
        rig.get(path).await.assert_problem(503);
    }
    assert_eq!(rig.get("/").await.status, 200);
}

#[tokio::test]
async fn a_station_is_ready_until_its_cycle_its_wire_or_its_disk_is_not() {
    let mut station = Station::warm();
    let rig = Rig::start(Some(station.run(1))).await;
    let ready = rig.get("/readyz").await;
    assert_eq!((ready.status, ready.json()["ready"].as_bool()), (200, Some(true)));

    let mut ill = station.run(1);
    ill.wires[0].statistics = WireStatistics::default();
    ill.store.trouble = Some(Trouble::DiskFull);
    rig.shown.send_replace(Some(Arc::new(ill)));
    tokio::time::sleep(Duration::from_millis(50)).await;
    let ready = rig.get("/readyz").await;
    assert_eq!(ready.status, 503);
    let reasons = ready.json()["reasons"].clone();
    assert_eq!((&reasons[0]["what"], &reasons[1]["what"]), (&"wire".into(), &"store".into()));
    assert!(reasons[0]["detail"].as_str().unwrap().contains("plc"));
    assert!(reasons[1]["detail"].as_str().unwrap().contains("full"));
}

#[tokio::test]
async fn a_hung_cycle_is_seen_by_the_silence_not_by_its_own_clock() {
    let rig = Rig::start(warm()).await;
    assert_eq!(rig.get("/readyz").await.status, 200);
    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(5500)).await;
    tokio::time::resume();
    let ready = rig.get("/readyz").await;
    assert_eq!((ready.status, &ready.json()["reasons"][0]["what"]), (503, &"cycle".into()));
    let metrics = rig.get("/metrics").await.body;
    let age = metrics.lines().find(|line| line.starts_with("heatstation_snapshot_age_seconds{")).unwrap();
    assert!(age.rsplit(' ').next().unwrap().parse::<f64>().unwrap() > 5.0, "{age}");
}

#[tokio::test]
async fn metrics_come_in_the_format_that_is_asked_for() {
    let rig = Rig::start(warm()).await;
    let plain = rig.get("/metrics").await;
    assert_eq!(plain.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert!(plain.body.contains("# TYPE heatstation_cycles_total counter\n") && !plain.body.contains("# EOF"));
    let accept = [("Accept", "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2")];
    let open = rig.ask("GET", "/metrics", &accept, "").await;
    assert_eq!(open.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(open.body.contains("# TYPE heatstation_cycles counter\n") && open.body.ends_with("# EOF\n"));
}

#[tokio::test]
async fn the_snapshot_says_what_is_known_and_null_for_what_is_not() {
    let mut station = Station::warm();
    station.broken.insert(Broken::SupplySensor);
    let snapshot = station.run(20);
    let setpoint = snapshot.report.circuits[0].setpoint;
    let rig = Rig::start(Some(snapshot)).await;
    let view = rig.get("/api/v1/snapshot").await.json();

    assert_eq!(view["station"]["name"], "康泰园换热站");
    assert_eq!(view["moment"]["utc_offset_minutes"], 480);
    let supply = &view["points"]["circuit.low-zone.secondary_supply.temperature"];
    assert!(supply["value"].is_null(), "{supply}");
    assert_eq!((&supply["quality"], &supply["reason"]["name"]), (&"bad".into(), &"sensor_broken".into()));
    assert!(view["points"].get("outdoor.forecast").is_none(), "a point that the station does not have is not there");
    let pump = &view["points"]["circuit.low-zone.circulation_pump.1.running"];
    assert_eq!((pump["value"].as_f64(), &pump["unit"]), (Some(1.0), &Unit::Switch.name().into()));

    let circuit = &view["circuits"][0];
    let ledger = &circuit["setpoint"];
    let parts: f64 = ledger["parts"].as_array().unwrap().iter().map(|part| part["kelvins"].as_f64().unwrap()).sum();
    assert!((ledger["base"].as_f64().unwrap() + parts - setpoint.value.0).abs() < 1e-9);
    assert_eq!(circuit["valve_reason"]["name"], "control");
    assert_eq!(circuit["supply_source"]["name"], "heat_balance");
    assert_eq!(circuit["outputs"]["circuit.low-zone.valve.position"]["state"]["name"], "confirmed");
    assert_eq!(view["alarms"][0]["alarm"], "supply_sensor_lost");
    assert!(view["alarms"][0]["advice"]["zh"].as_str().is_some_and(|advice| !advice.is_empty()));
    assert_eq!(view["accident_rate"]["season_per_mille"], "0.000");
    assert_eq!(view["overall"]["name"], "attention");
}

#[tokio::test]
async fn a_station_without_rate_or_wires_is_shown_as_such() {
    let mut snapshot = Station::warm().run(1);
    snapshot.accident_rate = None::<AccidentRate>;
    snapshot.wires.clear();
    let rig = Rig::start(Some(snapshot)).await;
    let view = rig.get("/api/v1/snapshot").await.json();
    assert!(view["accident_rate"].is_null() && view["wires"].as_array().is_some_and(Vec::is_empty));
    let metrics = rig.get("/metrics").await.body;
    assert!(!metrics.contains("accident_rate") && !metrics.contains("heatstation_wire"));
}

/// Reads from a stream of events until `enough` says so.
async fn read_until(stream: &mut TcpStream, seen: &mut String, enough: impl Fn(&str) -> bool) {
    let reading = async {
        let mut piece = vec![0; 65536];
        while !enough(seen) {
            let length = stream.read(&mut piece).await.unwrap();
            assert!(length > 0, "the stream ended: {seen}");
            seen.push_str(&String::from_utf8_lossy(&piece[..length]));
        }
    };
    tokio::time::timeout(Duration::from_secs(10), reading).await.expect("events arrive");
}

#[tokio::test]
async fn each_cycle_is_an_event_and_the_end_of_the_program_ends_the_stream() {
    let mut station = Station::warm();
    let rig = Rig::start(Some(station.run(1))).await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    let request = format!("GET /api/v1/events HTTP/1.1\r\nHost: {}\r\n\r\n", rig.address);
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut seen = String::new();
    read_until(&mut stream, &mut seen, |seen| seen.contains("id: 3601\n")).await;
    assert!(seen.contains("content-type: text/event-stream") && seen.contains("event: snapshot\n"), "{seen}");
    for _ in 0..3 {
        rig.shown.send_replace(Some(Arc::new(station.run(1))));
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    read_until(&mut stream, &mut seen, |seen| seen.contains("id: 3604\n")).await;
    assert_eq!(seen.matches("event: snapshot\n").count(), 4);

    rig.stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), rig.served).await.expect("it ends in time").unwrap().unwrap();
}

#[tokio::test]
async fn history_has_buckets_where_there_was_something_and_none_where_there_was_not() {
    let rig = Rig::start(warm()).await;
    let point = |name: &str| HistoryPoint { name: name.to_owned(), resolution: 0.01 };
    let setpoint = "circuit.low-zone.secondary_supply.temperature_setpoint";
    let layout = Layout::new([point("outdoor.temperature"), point(setpoint)]);
    let from = START.0;
    for minute in 0..60_i64 {
        let outdoor = (!(20..40).contains(&minute)).then_some(-5.0 + minute as f64 * 0.1);
        let values = vec![outdoor, Some(60.0)];
        rig.store.record(HistoryRow { layout: layout.clone(), wall_milliseconds: from + minute * 60_000, values });
    }
    let path = format!("/api/v1/history?points=outdoor.temperature,{setpoint}&from={from}&to={}", from + 3_600_000);
    let mut history = rig.get(&path).await;
    for _ in 0..50 {
        if history.json()["series"][0]["buckets"].as_array().is_some_and(|buckets| buckets.len() == 40) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        history = rig.get(&path).await;
    }
    let history = history.json();
    assert!(history["bucket_milliseconds"].is_null());
    assert_eq!(history["series"][0]["buckets"].as_array().unwrap().len(), 40, "{history}");
    assert_eq!(history["series"][1]["buckets"].as_array().unwrap().len(), 60);
    assert_eq!(history["series"][1]["unit"], "celsius");
    let first = &history["series"][0]["buckets"][0];
    assert_eq!((first[0].as_i64(), first[2].as_f64(), first[4].as_u64()), (Some(from), Some(-5.0), Some(1)));

    let few = rig.get(&format!("{path}&buckets=6")).await.json();
    assert_eq!(few["bucket_milliseconds"], 600_000);
    assert_eq!(few["series"][0]["buckets"].as_array().unwrap().len(), 4, "two of six stretches are empty: {few}");
}

#[tokio::test]
async fn the_journal_is_read_from_its_end_piece_by_piece() {
    let mut station = Station::warm();
    station.broken.insert(Broken::FirstPump);
    let snapshot = station.run(30);
    let rig = Rig::start(Some(snapshot)).await;
    for (moment, event) in &station.events {
        rig.store.append(vec![record_of(event, moment).unwrap()]).await.unwrap();
    }
    let total = station.events.len() as u64;
    let first = rig.get("/api/v1/journal?limit=2").await.json();
    assert_eq!(first["records"][0]["sequence"], total);
    let next = first["next_before"].as_u64().unwrap();
    let second = rig.get(&format!("/api/v1/journal?limit=2&before={next}")).await.json();
    assert_eq!(second["records"][0]["sequence"], total - 2);
    let failed = rig.get("/api/v1/journal?kind=pump_failed").await.json();
    let records = failed["records"].as_array().unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["text"]["zh"], "low-zone: 1#循环泵故障 (变频器故障)");
    assert_eq!(records[0]["text"]["en"], "low-zone: circulation pump 1 failed: its drive reports a fault");
    assert_eq!(records[0]["hash"].as_str().unwrap().len(), 64);
    assert!(rig.get("/api/v1/journal?before=1").await.json()["records"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_switch_of_the_demonstration_reaches_the_plant_and_nothing_else() {
    let mut rig = Rig::start(warm()).await;
    let before = rig.get("/demo/faults").await.json();
    assert_eq!((&before["faults"][0]["key"], &before["faults"][0]["active"]), (&"pump-1".into(), &false.into()));
    let origin = format!("http://{}", rig.address);
    let headers = [("Content-Type", "application/json"), ("Origin", origin.as_str())];
    let answer = rig.ask("POST", "/demo/faults/pump-1", &headers, "{\"active\":true}").await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let switch = rig.switched.recv().await.unwrap();
    assert_eq!((switch.key.as_str(), switch.active), ("pump-1", true));
    assert_eq!(rig.get("/demo/faults").await.json()["faults"][0]["active"], true);

    let busy = [
        rig.ask("POST", "/demo/faults/pump-1", &headers, "{\"active\":false}").await,
        rig.ask("POST", "/demo/faults/pump-1", &headers, "{\"active\":true}").await,
    ];
    assert_eq!(busy[0].status, 202);
    busy[1].assert_problem(503);
    assert_eq!(rig.get("/demo/faults").await.json()["faults"][0]["active"], false, "what was not taken is not shown");
}

#[tokio::test]
async fn a_real_station_has_no_switches() {
    let rig = Rig::with(Some(warm()), false).await;
    rig.get("/demo/faults").await.assert_problem(404);
    let json = [("Content-Type", "application/json")];
    rig.ask("POST", "/demo/faults/pump-1", &json, "{\"active\":true}").await.assert_problem(404);
}

#[tokio::test]
async fn the_page_is_sent_once_and_confirmed_afterwards() {
    let rig = Rig::start(warm()).await;
    let page = rig.get("/").await;
    assert!(page.body.starts_with("<!doctype html>") && page.header("content-type").starts_with("text/html"));
    let tag = page.header("etag").to_owned();
    assert!(tag.len() > 10);
    let again = rig.ask("GET", "/", &[("If-None-Match", &tag)], "").await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    let script = rig.get("/assets/app.js").await;
    assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(script.header("cache-control"), "no-cache");
    assert_eq!(rig.get("/api/v1/snapshot").await.header("cache-control"), "no-store");
}

#[tokio::test]
async fn the_description_knows_every_address_and_every_word_of_the_snapshot() {
    let mut station = Station::warm();
    station.broken.extend([Broken::FirstPump, Broken::SecondPump]);
    let rig = Rig::start(Some(station.run(700))).await;
    let description = rig.get("/api/v1/openapi.json").await.json();
    let paths = description["paths"].as_object().unwrap();
    for path in ["snapshot", "events", "history", "journal", "samples", "forecast", "intake", "openapi.json"] {
        assert!(paths.contains_key(&format!("/api/v1/{path}")), "{path}");
    }
    for path in ["/metrics", "/healthz", "/readyz", "/demo/faults", "/demo/faults/{key}"] {
        assert!(paths.contains_key(path), "{path}");
    }
    let schemas = &description["components"]["schemas"];
    let view = rig.get("/api/v1/snapshot").await.json();
    assert!(!view["outages"].as_array().unwrap().is_empty() && !view["alarms"].as_array().unwrap().is_empty());
    for (shown, name) in [
        (&view, "Snapshot"),
        (&view["circuits"][0], "Circuit"),
        (&view["circuits"][0]["setpoint"], "Setpoint"),
        (&view["points"]["outdoor.temperature"], "Point"),
        (&view["alarms"][0], "Alarm"),
        (&view["outages"][0], "Outage"),
        (&view["accident_rate"], "AccidentRate"),
        (&view["wires"][0], "Wire"),
        (&view["store"], "Store"),
    ] {
        let said = schemas[name]["properties"].as_object().unwrap();
        for key in shown.as_object().unwrap().keys() {
            assert!(said.contains_key(key), "{name} says nothing of {key}");
        }
    }
}

#[tokio::test]
async fn every_point_of_a_command_has_a_name_on_the_page() {
    let snapshot = Station::warm().run(1);
    let outputs: Vec<Point> = snapshot.commands.iter().map(|command| command.point).collect();
    let names: Vec<String> = outputs.iter().map(|point| snapshot.facts.catalogue.name(*point).to_owned()).collect();
    let rig = Rig::start(Some(snapshot)).await;
    let view = rig.get("/api/v1/snapshot").await.json();
    for name in names {
        assert!(view["circuits"][0]["outputs"].get(&name).is_some(), "{name}");
    }
}
