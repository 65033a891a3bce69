//! A station whose rooms come from a broker and whose weather is posted, as its user has it: the simulated plant on Modbus,
//! mosquitto, its own publisher, and the whole program between them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use heatstation_tests::program::{Running, command, eventually, example, get_json, metric, metrics, words};
use serde_json::{Value as Json, json};

const MINUTE: Duration = Duration::from_secs(60);

/// A broker on loopback. Dropping it ends it.
struct Broker {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Broker {
    fn start() -> Broker {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let path = folder.path().join("mosquitto.conf");
        let text = format!("user root\npersistence false\nallow_anonymous true\nlistener {port} 127.0.0.1\n");
        std::fs::write(&path, text).unwrap();
        let process = Command::new("mosquitto")
            .arg("-c")
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("mosquitto is installed by ./run-tests");
        let listens = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok();
        drop(eventually("a broker", Duration::from_secs(10), listens));
        Broker { process, port, _folder: folder }
    }

    fn publish(&self, topic: &str, message: &str) {
        let port = self.port.to_string();
        let done = Command::new("mosquitto_pub")
            .args(["-h", "127.0.0.1", "-p", &port, "-t", topic, "-m", message])
            .status()
            .expect("mosquitto_pub is installed by ./run-tests");
        assert!(done.success(), "{topic}: {done}");
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A token and its hash, as `heatstation token new` prints them.
fn token() -> (String, String) {
    let made = words(&command(&["token", "new"]));
    let lines: Vec<&str> = made.lines().map(str::trim).collect();
    let hash = lines.iter().find_map(|line| line.strip_prefix("token_sha256 = \"")?.strip_suffix('"')).unwrap();
    let token = lines.iter().find(|line| line.len() == 64 && line.chars().all(|c| c.is_ascii_hexdigit())).unwrap();
    assert_ne!(*token, hash, "{made}");
    ((*token).to_owned(), hash.to_owned())
}

fn post(address: &str, path: &str, token: &str, body: &Json) -> (u16, Json) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut answer = agent
        .post(format!("http://{address}{path}"))
        .header("Content-Type", "application/json")
        .header("Authorization", format!("Bearer {token}"))
        .send(body.to_string())
        .unwrap_or_else(|error| panic!("POST {path}: {error}"));
    let text = answer.body_mut().read_to_string().unwrap_or_default();
    (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")))
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

#[test]
fn a_station_whose_rooms_come_by_mqtt_and_whose_weather_is_posted_works_on_both() {
    let plant = Running::start(&["plant", "steady", "--listen", "127.0.0.1:0"], "127.0.0.1");
    let broker = Broker::start();
    let (token, hash) = token();
    let folder = tempfile::tempdir().unwrap();
    let template = "template = \"generic/exchange-station-plc\"";
    let text = std::fs::read_to_string(example("demo.toml")).unwrap();
    let text = text.replace("127.0.0.1:5020", &plant.address("127.0.0.1"));
    let text = text.replacen(template, &format!("{template}\nwithout = [\"room\", \"outdoor.*\"]"), 1);
    let sources = format!(
        "\n[[mqtt]]\nname = \"town\"\naddress = \"127.0.0.1:{}\"\nreconnect_min_seconds = 0.2\n\n[[mqtt.rooms]]\n\
         topic = \"rooms/{{id}}/state\"\nfield = \"t\"\ntime_field = \"at\"\n\n[[push]]\nname = \"weather\"\n\
         token_sha256 = \"{hash}\"\nforecast = true\n\n[[push.point]]\npoint = \"outdoor.temperature\"\nid = \"roof\"\n",
        broker.port
    );
    let station = folder.path().join("station.toml");
    std::fs::write(&station, format!("{text}{sources}")).unwrap();
    let station = station.to_str().unwrap();
    let points = command(&["points", station, "--json"]);
    let points: Vec<Json> = serde_json::from_slice(&points.stdout).unwrap_or_else(|_| panic!("{}", words(&points)));
    let rooms: Vec<&str> = points
        .iter()
        .filter(|point| point["home"]["device"] == "town")
        .filter_map(|point| {
            point["name"].as_str()?.strip_prefix("circuit.low-zone.room.")?.strip_suffix(".temperature")
        })
        .collect();
    assert_eq!(rooms.len(), 24, "{rooms:?}");

    let data = folder.path().join("data");
    let arguments = ["run", station, "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"];
    let program = Running::start(&arguments, "data");
    let address = program.address("page");
    let of = |family: &str, labels: &[(&str, &str)]| metric(&metrics(&address), family, labels);
    eventually("a subscription", MINUTE, || {
        of("heatstation_wire_connected", &[("wire", "town")]).filter(|connected| *connected == 1.0)
    });
    for room in &rooms {
        broker.publish(&format!("rooms/{room}/state"), &json!({ "t": 15.5, "at": now() }).to_string());
    }
    broker.publish("rooms/cellar/state", "{\"t\": 9.5}");
    assert_eq!(post(&address, "/api/v1/samples", "nobody", &json!({})).0, 401);
    let body = json!([{ "id": "roof", "value": -3.25, "time": now() }, { "id": "cellar", "value": 12 }]);
    let (status, receipt) = post(&address, "/api/v1/samples", &token, &body);
    assert_eq!((status, &receipt["accepted"], &receipt["unknown"]), (200, &json!(1), &json!(1)), "{receipt}");
    let hour = |at: i64| json!({ "time": now() + at * 3600, "temperature_celsius": -4.0 });
    let forecast = json!({ "issued": now(), "hours": (0..24).map(hour).collect::<Vec<_>>() });
    assert_eq!(post(&address, "/api/v1/forecast", &token, &forecast), (200, json!({ "forecast": "in_force" })));

    let circuit = || get_json(&address, "/api/v1/snapshot")["circuits"][0].clone();
    let seen = eventually("all rooms", MINUTE, || Some(circuit()).filter(|circuit| circuit["rooms"]["fresh"] == 24));
    assert_eq!(seen["rooms"]["coldest"], json!(15.5), "{}", seen["rooms"]);
    let outdoor = get_json(&address, "/api/v1/snapshot")["outdoor"].clone();
    assert_eq!(outdoor["now"], json!(-3.25), "{outdoor}");
    assert!(outdoor["forecast_age_seconds"].as_f64().is_some_and(|age| age < 120.0), "{outdoor}");
    // What the trim does with it takes hours and has its own stories; here it works on what the broker brought.
    let cold =
        |circuit: &Json| circuit["rooms"]["counted"] == 24 && circuit["rooms"]["tail_excess"].as_f64() < Some(-1.0);
    eventually("cold rooms that count", MINUTE, || Some(circuit()).filter(cold));
    let outcome =
        |wire: &str, outcome: &str| of("heatstation_message_records_total", &[("wire", wire), ("outcome", outcome)]);
    assert_eq!(outcome("town", "accepted"), Some(24.0));
    let shown = get_json(&address, "/api/v1/intake");
    assert_eq!(shown["forecast"]["source"], "weather", "{shown}");
    let town = shown["sources"].as_array().unwrap().iter().find(|source| source["name"] == "town").unwrap();
    assert_eq!((&town["unknown_ids"][0]["id"], &town["unknown_ids"][0]["example"]), (&json!("cellar"), &json!("9.5")));

    drop(broker);
    eventually("the gap", MINUTE, || {
        of("heatstation_wire_connected", &[("wire", "town")]).filter(|connected| *connected == 0.0)
    });
    assert_eq!(circuit()["rooms"]["fresh"], 24, "what is a minute old is not forgotten for that");
}
