//! Subscriptions at a broker that we did not write (mosquitto), with its own publisher. The broker listens on loopback, on
//! a free port, with a configuration of its own in a temporary folder, and ends with the test.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path as FilePath, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use heatstation_drivers::WireHandle;
use heatstation_drivers::messages::forecast::HourlyForecast;
use heatstation_drivers::messages::settings::{Bounds, Feed, Id, Rate};
use heatstation_drivers::messages::{MessageStatistics, Path, SourceSettings, Target};
use heatstation_drivers::mqtt::{
    self, Availability, Filter, ForecastSink, MqttSettings, QualityOfService, Subscription, TlsFiles,
};
use heatstation_points::{Catalogue, CircuitNames, Value};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// A broker. Dropping it ends it.
struct Broker {
    process: Option<Child>,
    folder: tempfile::TempDir,
    port: u16,
}

impl Broker {
    fn start(configuration: &str) -> Broker {
        Broker::in_folder(tempfile::tempdir().unwrap(), configuration)
    }

    fn in_folder(folder: tempfile::TempDir, configuration: &str) -> Broker {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        // As root it would give up its rights and not read the temporary folder.
        let text = format!("user root\npersistence false\nlistener {port} 127.0.0.1\n{configuration}\n");
        std::fs::write(folder.path().join("mosquitto.conf"), text).unwrap();
        let mut broker = Broker { process: None, folder, port };
        broker.begin();
        broker
    }

    fn begin(&mut self) {
        let process = Command::new("mosquitto")
            .arg("-c")
            .arg(self.folder.path().join("mosquitto.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("mosquitto is installed by ./run-tests");
        self.process = Some(process);
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(10), "the broker does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn end(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    fn publish(&self, topic: &str, message: &str, more: &[&str]) {
        let port = self.port.to_string();
        let done = Command::new("mosquitto_pub")
            .args(["-h", "127.0.0.1", "-p", &port, "-q", "1", "-t", topic, "-m", message])
            .args(more)
            .status()
            .expect("mosquitto_pub is installed by ./run-tests");
        assert!(done.success(), "{topic}: {done}");
    }

    fn settings(&self) -> MqttSettings {
        let path = |text| Path::parse(text).unwrap();
        let filter = Filter::parse("rooms/{id}/state").unwrap();
        let targets = BTreeMap::from([("A1".to_owned(), room("r1")), ("A2".to_owned(), room("r2"))]);
        let feed = Feed { records: path(""), id: Id::Carrier, value: path("t"), time: Some(path("at")), targets };
        MqttSettings {
            source: SourceSettings {
                name: "town".to_owned(),
                feeds: vec![feed],
                bounds: Bounds::default(),
                rate: Rate { per_second: 50.0, burst: 500.0 },
            },
            host: "127.0.0.1".to_owned(),
            port: self.port,
            tls: None,
            user: None,
            password_file: None,
            client_id: format!("heatstation-{}", self.port),
            quality_of_service: QualityOfService::AtLeastOnce,
            session_expiry: Duration::ZERO,
            keep_alive: Duration::from_secs(5),
            reconnect_min: Duration::from_millis(100),
            reconnect_max: Duration::from_millis(500),
            subscriptions: vec![Subscription { filter }],
            forecast: None,
            availability: None,
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.end();
    }
}

fn room(name: &str) -> Target {
    let rooms = vec!["r1".to_owned(), "r2".to_owned()];
    let circuit = CircuitNames { name: "low".to_owned(), circulation_pumps: 1, rooms, ..CircuitNames::default() };
    let catalogue = Catalogue::new(vec![circuit], Vec::new()).unwrap();
    let definition = catalogue.find(&format!("circuit.low.room.{name}.temperature")).unwrap().clone();
    Target { definition, scale: 1.0, offset: 0.0, invalid: Vec::new(), period: Duration::from_secs(60) }
}

fn subscribe(settings: MqttSettings) -> WireHandle {
    mqtt::spawn(settings, Instant::now(), None).unwrap()
}

async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(begun.elapsed() < Duration::from_secs(15), "{what} did not come");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn until_connected(wire: &WireHandle) {
    until("a subscription", || wire.statistics().is_connected.then_some(())).await;
}

fn messages(wire: &WireHandle) -> MessageStatistics {
    wire.statistics().messages.unwrap_or_default()
}

/// Value and age of a room.
fn value(wire: &WireHandle, place: usize) -> Option<(f64, Duration)> {
    let sample = wire.samples()[place];
    Some((sample.value.ok().map(Value::number)?, wire.now().saturating_sub(sample.taken_at)))
}

async fn until_value(wire: &WireHandle, place: usize, wanted: f64) -> Duration {
    until("a value", || value(wire, place).filter(|(value, _)| *value == wanted).map(|(_, age)| age)).await
}

fn ago(seconds: i64) -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64 - seconds
}

#[tokio::test]
async fn rooms_arrive_by_their_topic_and_strangers_are_listed() {
    let broker = Broker::start("allow_anonymous true");
    let wire = subscribe(broker.settings());
    until_connected(&wire).await;
    broker.publish("rooms/A1/state", "{\"t\":21.5}", &[]);
    broker.publish("rooms/A2/state", &format!("{{\"t\":\"19.25\",\"at\":{}}}", ago(100)), &[]);
    broker.publish("rooms/B9/state", "{\"t\":30}", &[]);
    broker.publish("rooms/A1/state", "no json", &[]);
    assert!(until_value(&wire, 0, 21.5).await < Duration::from_secs(5));
    let age = until_value(&wire, 1, 19.25).await;
    assert!((Duration::from_secs(99)..Duration::from_secs(110)).contains(&age), "{age:?}");
    let seen = until("all four", || Some(messages(&wire)).filter(|seen| seen.counts.malformed == 1)).await;
    assert_eq!((seen.counts.accepted, seen.counts.unknown, seen.strangers[0].id.as_str()), (2, 1, "B9"));
    assert!(seen.last_refusal.unwrap().starts_with("rooms/A1/state: the message is not JSON"));
    wire.stop().await;
}

#[tokio::test]
async fn what_was_retained_without_a_time_is_not_fresh_and_with_one_as_old_as_it_says() {
    let broker = Broker::start("allow_anonymous true");
    broker.publish("rooms/A1/state", "{\"t\":21}", &["-r"]);
    broker.publish("rooms/A2/state", &format!("{{\"t\":20,\"at\":{}}}", ago(7200)), &["-r"]);
    let wire = subscribe(broker.settings());
    let age = until_value(&wire, 0, 21.0).await;
    assert!(age >= Duration::from_secs(240), "four periods, beyond the three of a fresh value: {age:?}");
    let age = until_value(&wire, 1, 20.0).await;
    assert!((Duration::from_secs(7195)..Duration::from_secs(7260)).contains(&age), "{age:?}");
    broker.publish("rooms/A1/state", "{\"t\":22}", &["-r"]);
    assert!(
        until_value(&wire, 0, 22.0).await < Duration::from_secs(5),
        "sent just now, though it is retained for others"
    );
    wire.stop().await;
}

#[tokio::test]
async fn a_broker_that_dies_leaves_a_gap_and_comes_back_by_itself() {
    let mut broker = Broker::start("allow_anonymous true");
    let wire = subscribe(broker.settings());
    until_connected(&wire).await;
    broker.publish("rooms/A1/state", "{\"t\":21}", &[]);
    until_value(&wire, 0, 21.0).await;
    broker.end();
    until("the gap", || (!wire.statistics().is_connected).then_some(())).await;
    let failures = until("a failure", || Some(wire.statistics().failures_total).filter(|f| f.unreachable > 0)).await;
    assert_eq!(failures.broken, 1, "{failures:?}");
    assert!(messages(&wire).trouble.unwrap().contains("no connection to the broker"));
    let aged = value(&wire, 0).unwrap().1;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(value(&wire, 0).unwrap().1 > aged, "the value goes on ageing");
    broker.begin();
    until_connected(&wire).await;
    broker.publish("rooms/A1/state", "{\"t\":22}", &[]);
    until_value(&wire, 0, 22.0).await;
    assert_eq!((wire.statistics().connections_total, messages(&wire).trouble), (2, None));
    wire.stop().await;
}

/// A broker that wants a password over an encrypted connection, and a certificate of the client's.
fn locked() -> (Broker, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let authority = |name: &str| {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let ours = authority("ours");
    std::fs::write(at("ca.pem"), ours.pem()).unwrap();
    std::fs::write(at("foreign.pem"), authority("foreign").pem()).unwrap();
    for (name, called) in [("broker", "127.0.0.1"), ("station", "k12")] {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![called.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &ours).unwrap();
        std::fs::write(at(&format!("{name}.pem")), certificate.pem()).unwrap();
        std::fs::write(at(&format!("{name}.key")), key.serialize_pem()).unwrap();
    }
    std::fs::write(at("password"), "right\n").unwrap();
    std::fs::write(at("wrong"), "wrong\n").unwrap();
    let done =
        Command::new("mosquitto_passwd").args(["-b", "-c"]).arg(at("users")).args(["k12", "right"]).status().unwrap();
    assert!(done.success());
    let shown = |name: &str| at(name).display().to_string();
    let configuration = format!(
        "allow_anonymous false\npassword_file {}\ncafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true",
        shown("users"),
        shown("ca.pem"),
        shown("broker.pem"),
        shown("broker.key")
    );
    let place = folder.path().to_path_buf();
    (Broker::in_folder(folder, &configuration), place)
}

fn with_key(broker: &Broker, folder: &FilePath, authorities: &str, password: &str) -> MqttSettings {
    MqttSettings {
        tls: Some(TlsFiles {
            authorities: folder.join(authorities),
            client: Some((folder.join("station.pem"), folder.join("station.key"))),
        }),
        user: Some("k12".to_owned()),
        password_file: Some(folder.join(password)),
        ..broker.settings()
    }
}

#[tokio::test]
async fn an_encrypted_connection_with_a_password_is_made_and_a_wrong_one_is_told_so() {
    let (broker, folder) = locked();
    let wire = subscribe(with_key(&broker, &folder, "ca.pem", "password"));
    until_connected(&wire).await;
    let file = |name: &str| folder.join(name).display().to_string();
    let (ca, certificate, key) = (file("ca.pem"), file("station.pem"), file("station.key"));
    let trust = ["--cafile", &ca, "--cert", &certificate, "--key", &key, "-u", "k12", "-P", "right"];
    broker.publish("rooms/A1/state", "{\"t\":21.5}", &trust);
    until_value(&wire, 0, 21.5).await;
    wire.stop().await;

    let trouble = async |settings| {
        let wire = subscribe(settings);
        let told = until("a reason", || messages(&wire).trouble).await;
        assert!(!wire.statistics().is_connected);
        wire.stop().await;
        told
    };
    let told = trouble(with_key(&broker, &folder, "ca.pem", "wrong")).await;
    assert!(told.contains("refuses the user or the password; look at `user` and `password_file`"), "{told}");
    let told = trouble(with_key(&broker, &folder, "foreign.pem", "password")).await;
    assert!(told.contains("no encrypted connection") || told.contains("certificate"), "{told}");
    let told = trouble(MqttSettings { tls: None, ..with_key(&broker, &folder, "ca.pem", "password") }).await;
    assert!(told.contains("no connection to the broker"), "{told}");
    let missing = with_key(&broker, &folder, "nowhere.pem", "password");
    let told = mqtt::spawn(missing, Instant::now(), None).unwrap_err();
    assert!(told.contains("nowhere.pem"), "{told}");
    let missing = with_key(&broker, &folder, "ca.pem", "nowhere");
    assert!(mqtt::spawn(missing, Instant::now(), None).unwrap_err().contains("password file"));
}

#[tokio::test]
async fn a_gateway_that_says_it_is_gone_is_silent_though_the_broker_is_there() {
    let broker = Broker::start("allow_anonymous true");
    let topic = Filter::parse("rooms/bridge").unwrap();
    let availability = Some(Availability { topic, offline: "offline".to_owned() });
    let wire = subscribe(MqttSettings { availability, ..broker.settings() });
    until_connected(&wire).await;
    broker.publish("rooms/bridge", "offline", &["-r"]);
    until("its absence", || (!wire.statistics().is_connected).then_some(())).await;
    assert_eq!(messages(&wire).trouble.as_deref(), Some("the sender says that it is gone"));
    broker.publish("rooms/bridge", "online", &["-r"]);
    until_connected(&wire).await;
    wire.stop().await;
}

#[tokio::test]
async fn what_waited_in_a_session_is_as_old_as_it_says_and_undated_never_fresh() {
    let broker = Broker::start("allow_anonymous true");
    let settings = MqttSettings { session_expiry: Duration::from_secs(600), ..broker.settings() };
    let wire = subscribe(settings.clone());
    until_connected(&wire).await;
    wire.stop().await;
    broker.publish("rooms/A1/state", "{\"t\":18}", &[]);
    broker.publish("rooms/A2/state", &format!("{{\"t\":20,\"at\":{}}}", ago(500)), &[]);
    let wire = subscribe(settings);
    assert!(until_value(&wire, 0, 18.0).await >= Duration::from_secs(240));
    let age = until_value(&wire, 1, 20.0).await;
    assert!((Duration::from_secs(499)..Duration::from_secs(530)).contains(&age), "{age:?}");
    wire.stop().await;
}

#[tokio::test]
async fn a_message_that_is_too_long_is_not_sent_to_us_and_costs_nobody_the_connection() {
    let broker = Broker::start("allow_anonymous true");
    let mut settings = broker.settings();
    settings.source.bounds.bytes_max = 1000;
    let wire = subscribe(settings);
    until_connected(&wire).await;
    broker.publish("rooms/A1/state", &format!("{{\"t\":99,\"x\":\"{}\"}}", "x".repeat(100_000)), &["-r"]);
    broker.publish("rooms/A2/state", "{\"t\":20}", &[]);
    until_value(&wire, 1, 20.0).await;
    assert_eq!((value(&wire, 0), wire.statistics().connections_total), (None, 1));
    wire.stop().await;
}

#[tokio::test]
async fn a_forecast_comes_over_the_same_connection() {
    let broker = Broker::start("allow_anonymous true");
    let heard: Arc<Mutex<Vec<(String, HourlyForecast)>>> = Arc::default();
    let notes = Arc::clone(&heard);
    let sink: ForecastSink = Arc::new(move |source, forecast| {
        notes.lock().unwrap().push((source.to_owned(), forecast));
        Ok(())
    });
    let forecast = Some(Filter::parse("weather/forecast").unwrap());
    let wire = mqtt::spawn(MqttSettings { forecast, ..broker.settings() }, Instant::now(), Some(sink)).unwrap();
    until_connected(&wire).await;
    broker.publish("weather/forecast", "{\"issued\":\"yesterday\"}", &[]);
    let told = until("a refusal", || messages(&wire).trouble).await;
    assert!(told.contains("`issued` is missing or no time"), "{told}");
    let issued = ago(60);
    let hour = |at: i64| format!("{{\"time\":{},\"temperature_celsius\":-{at}}}", issued + at * 3600);
    let list = (0..24).map(hour).collect::<Vec<_>>().join(",");
    broker.publish("weather/forecast", &format!("{{\"issued\":{issued},\"hours\":[{list}]}}"), &["-r"]);
    until("a forecast", || (!heard.lock().unwrap().is_empty()).then_some(())).await;
    let heard = heard.lock().unwrap();
    assert_eq!((heard[0].0.as_str(), heard[0].1.temperature[3]), ("town", -3.0));
}
