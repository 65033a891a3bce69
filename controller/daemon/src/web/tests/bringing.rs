//! What sources bring, over real connections: who may, what is taken, and what everybody else is told.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use heatstation_drivers::WireHandle;
use heatstation_drivers::messages::push::{self, PushSettings};
use heatstation_drivers::messages::settings::{Bounds, Feed, Id, Rate};
use heatstation_drivers::messages::{Path, SourceSettings, Target};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::{Answer, Rig, warm};
use crate::forecasts::ForecastDesk;
use crate::web::IntakeDoors;
use crate::web::canned::Station;

const TOKEN: &str = "6bf1c1d5e1b0a3f4c7d8e9f00112233445566778899aabbccddeeff001122334";
const OTHER: &str = "other-token";

/// A source that knows one room and the roof.
fn source(name: &str, token: &str, burst: f64, brings_forecasts: bool) -> PushSettings {
    let station = Station::warm();
    let target = |point: &str| {
        let definition = station.facts.catalogue.find(point).unwrap_or_else(|| panic!("no point {point}")).clone();
        Target { definition, scale: 1.0, offset: 0.0, invalid: vec![-999.0], period: Duration::from_secs(600) }
    };
    let path = |text| Path::parse(text).unwrap();
    let targets = BTreeMap::from([("roof".to_owned(), target("outdoor.temperature"))]);
    let feed =
        Feed { records: path(""), id: Id::Field(path("id")), value: path("value"), time: Some(path("time")), targets };
    PushSettings {
        source: SourceSettings {
            name: name.to_owned(),
            feeds: vec![feed],
            bounds: Bounds::default(),
            rate: Rate { per_second: 0.2, burst },
        },
        token_sha256: Sha256::digest(token.as_bytes()).into(),
        silent_after: Duration::from_secs(1800),
        brings_forecasts,
    }
}

struct Bringing {
    rig: Rig,
    wire: WireHandle,
    _other: WireHandle,
    _doors: watch::Sender<std::sync::Arc<[push::PushDoor]>>,
    desk: std::sync::Arc<ForecastDesk>,
    _slot: crate::foresight::Slot,
}

impl Bringing {
    async fn start(burst: f64) -> Bringing {
        let (wire, door) = push::spawn(source("gateway", TOKEN, burst, true), Instant::now());
        let (other, second) = push::spawn(source("other", OTHER, burst, false), Instant::now());
        let (doors, sources) = watch::channel(std::sync::Arc::from([door, second]));
        let (desk, slot) = ForecastDesk::new();
        let intake = IntakeDoors { sources, forecasts: Some(std::sync::Arc::clone(&desk)) };
        let rig = Rig::open(Some(warm()), false, intake).await;
        Bringing { rig, wire, _other: other, _doors: doors, desk, _slot: slot }
    }

    async fn post(&self, path: &str, token: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        self.rig.ask("POST", path, &[("Content-Type", "application/json"), ("Authorization", &bearer)], body).await
    }

    async fn samples(&self, body: &str) -> Answer {
        self.post("/api/v1/samples", TOKEN, body).await
    }

    fn value(&self) -> Option<f64> {
        self.wire.samples()[0].value.ok().map(heatstation_points::Value::number)
    }
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn counts(answer: &Answer) -> [i64; 5] {
    assert_eq!(answer.status, 200, "{answer:?}");
    let json = answer.json();
    ["accepted", "duplicates", "late", "unknown", "refused"].map(|name| json[name].as_i64().unwrap())
}

#[tokio::test]
async fn one_sample_and_a_batch_arrive_and_each_record_has_its_outcome() {
    let station = Bringing::start(50.0).await;
    assert_eq!(counts(&station.samples("{\"id\":\"roof\",\"value\":-3.5}").await), [1, 0, 0, 0, 0]);
    assert_eq!(station.value(), Some(-3.5));
    let at = now() + 10_000;
    let old = at - 600_000;
    let batch = format!(
        "[{{\"id\":\"roof\",\"value\":-4,\"time\":{at}}},{{\"id\":\"roof\",\"value\":-9,\"time\":{old}}},\
         {{\"id\":\"cellar\",\"value\":12}},{{\"id\":\"roof\",\"value\":99,\"time\":{}}},\
         {{\"id\":\"roof\",\"value\":1,\"time\":{}}}]",
        at + 1000,
        at + 3_600_000
    );
    let answer = station.samples(&batch).await;
    assert_eq!(counts(&answer), [1, 0, 1, 1, 2]);
    let problems = answer.json()["problems"].clone();
    let told: Vec<(u64, &str)> = problems
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| (problem["index"].as_u64().unwrap(), problem["what"].as_str().unwrap()))
        .collect();
    assert_eq!(told.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(told[1].1.contains("no such id") && told[2].1.contains("range") && told[3].1.contains("ahead"), "{told:?}");
}

#[tokio::test]
async fn a_request_that_is_sent_again_does_nothing_the_second_time() {
    let station = Bringing::start(50.0).await;
    let at = now();
    let batch = format!(
        "[{{\"id\":\"roof\",\"value\":-4,\"time\":{}}},{{\"id\":\"roof\",\"value\":-5,\"time\":{at}}}]",
        at - 60_000
    );
    assert_eq!(counts(&station.samples(&batch).await), [2, 0, 0, 0, 0]);
    assert_eq!(counts(&station.samples(&batch).await), [0, 2, 0, 0, 0]);
    assert_eq!(station.value(), Some(-5.0));
}

#[tokio::test]
async fn without_its_token_nothing_is_taken_and_nothing_is_read() {
    let station = Bringing::start(50.0).await;
    let body = "{\"id\":\"roof\",\"value\":-3.5}";
    let json = ("Content-Type", "application/json");
    for authorization in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Basic aGVhdA==",
        &format!("Bearer {TOKEN}x"),
        &format!("Bearer {}", "x".repeat(5000)),
    ] {
        let headers = [json, ("Authorization", authorization)];
        let answer = station.rig.ask("POST", "/api/v1/samples", &headers, body).await;
        answer.assert_problem(401);
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{answer:?}");
    }
    station.rig.ask("POST", "/api/v1/samples", &[json], body).await.assert_problem(401);
    // A body that never comes costs nobody without a token anything: the answer is there at once.
    let mut stream = TcpStream::connect(station.rig.address).await.unwrap();
    let head = format!(
        "POST /api/v1/samples HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n",
        station.rig.address
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut first = [0; 12];
    tokio::time::timeout(Duration::from_secs(5), stream.read_exact(&mut first)).await.unwrap().unwrap();
    assert_eq!(&first, b"HTTP/1.1 401");
    assert_eq!(station.value(), None);
}

#[tokio::test]
async fn what_is_misunderstood_is_refused_whole_and_named() {
    let station = Bringing::start(100.0).await;
    for (body, status, words) in [
        ("", 400, "not JSON"),
        ("{\"id\":\"roof\"", 400, "not JSON"),
        ("[{\"id\":\"roof\",\"value\":1},{\"id\":\"roof\"}]", 422, "record 1: it has no value"),
        ("{\"value\":1}", 422, "record 0: it has no `id`"),
        ("[{\"id\":\"roof\",\"value\":1},3]", 422, "record 1"),
        ("{\"id\":\"roof\",\"value\":1,\"time\":\"2026-11-24T06:30:00\"}", 422, "no zone"),
        ("{\"id\":\"roof\",\"value\":{\"c\":1}}", 422, "no value"),
    ] {
        let answer = station.samples(body).await;
        answer.assert_problem(status);
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(words), "{body}: {detail}");
    }
    let deep = format!("{}1{}", "[".repeat(1000), "]".repeat(1000));
    station.samples(&deep).await.assert_problem(400);
    let many = format!("[{}]", vec!["{\"id\":\"roof\",\"value\":1}"; 1001].join(","));
    station.samples(&many).await.assert_problem(413);
    assert_eq!(station.value(), None, "of a request that is refused nothing is used");
    let bearer = format!("Bearer {TOKEN}");
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
        let headers = [("Content-Type", kind), ("Authorization", bearer.as_str())];
        station.rig.ask("POST", "/api/v1/samples", &headers, "{}").await.assert_problem(415);
    }
    for method in ["GET", "PUT", "DELETE"] {
        station.rig.ask(method, "/api/v1/samples", &[], "").await.assert_problem(405);
    }
    let foreign = [("Content-Type", "application/json"), ("Authorization", bearer.as_str()), ("Host", "evil.example")];
    station.rig.ask("POST", "/api/v1/samples", &foreign, "{\"id\":\"roof\",\"value\":1}").await.assert_problem(421);
    assert_eq!(station.value(), None);
}

#[tokio::test]
async fn what_is_too_long_is_cut_off_however_it_is_sent() {
    let station = Bringing::start(50.0).await;
    let long = "x".repeat(300 * 1024);
    let answer = station.samples(&long).await;
    assert!(answer.status == 413 || answer.status == 0, "{answer:?}");
    let chunked = format!(
        "POST /api/v1/samples HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Authorization: Bearer {TOKEN}\r\nTransfer-Encoding: chunked\r\n\r\n4b000\r\n{long}\r\n0\r\n\r\n",
        station.rig.address
    );
    let answer = station.rig.send(chunked.as_bytes()).await;
    assert!(answer.status == 413 || answer.status == 0, "{answer:?}");
    assert_eq!(station.rig.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_source_that_floods_is_told_when_to_come_again_and_the_others_are_heard() {
    let station = Bringing::start(3.0).await;
    let body = "{\"id\":\"roof\",\"value\":-3.5}";
    for _ in 0..3 {
        assert_eq!(station.samples(body).await.status, 200);
    }
    let answer = station.samples(body).await;
    answer.assert_problem(429);
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=6).contains(&wait), "{wait}");
    assert_eq!(station.post("/api/v1/samples", OTHER, body).await.status, 200);
}

#[tokio::test]
async fn a_forecast_comes_in_by_the_same_door() {
    let station = Bringing::start(50.0).await;
    let issued = now() - 600_000;
    let list = |issued: i64, celsius: f64| {
        let hour = |at: i64| format!("{{\"time\":{},\"temperature_celsius\":{celsius}}}", issued + at * 3_600_000);
        format!("{{\"issued\":{issued},\"hours\":[{}]}}", (0..24).map(hour).collect::<Vec<_>>().join(","))
    };
    let body = list(issued, -3.0);
    station.post("/api/v1/forecast", OTHER, &body).await.assert_problem(403);
    station.post("/api/v1/forecast", "nobody", &body).await.assert_problem(401);
    assert!(station.desk.standing().is_none());
    assert_eq!(station.post("/api/v1/forecast", TOKEN, &body).await.json()["forecast"], "in_force");
    assert_eq!(station.post("/api/v1/forecast", TOKEN, &body).await.json()["forecast"], "duplicate");
    station.post("/api/v1/forecast", TOKEN, &list(issued - 3_600_000, -3.0)).await.assert_problem(409);
    station.post("/api/v1/forecast", TOKEN, &list(now(), -300.0)).await.assert_problem(422);
    station.post("/api/v1/forecast", TOKEN, &list(now() + 600_000, -3.0)).await.assert_problem(422);
    station.post("/api/v1/forecast", TOKEN, "{}").await.assert_problem(422);
    station.post("/api/v1/forecast", TOKEN, "{").await.assert_problem(400);
    assert_eq!(station.desk.standing().unwrap().source, "gateway");
    let shown = station.rig.get("/api/v1/intake").await.json();
    assert_eq!(shown["forecast"]["source"], "gateway", "{shown}");
}

#[tokio::test]
async fn where_nothing_is_brought_there_is_no_door() {
    let rig = Rig::start(warm()).await;
    let headers = [("Content-Type", "application/json"), ("Authorization", "Bearer x")];
    for path in ["/api/v1/samples", "/api/v1/forecast"] {
        rig.ask("POST", path, &headers, "{}").await.assert_problem(404);
    }
    assert_eq!(rig.get("/api/v1/intake").await.json()["sources"].as_array().unwrap().len(), 0);
}
