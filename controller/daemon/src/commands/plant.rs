//! `plant`: the simulator alone, as a station PLC on a Modbus line, for testing any controller.
//!
//! The line may be of any kind and may misbehave on purpose: see [`heatstation_simulator::wire`].

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, ValueEnum};
use heatstation_config::scenario::WeatherFrom;
use heatstation_config::{Scenario, Station};
use heatstation_core::moment::UtcMillis;
use heatstation_simulator::image::{SharedPlant, Watchdog};
use heatstation_simulator::paced::PacedPlant;
use heatstation_simulator::wire::fault::{BadFaults, WORDS};
use heatstation_simulator::wire::identity::{Authority, Identity, Tls};
use heatstation_simulator::wire::{Door, Framing, LineServer, LineSettings, Parity, Units, WireFaults};
use heatstation_simulator::{Plant, WeatherSource};
use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, Outcome, say};
use crate::scenario::{self, Asked, Requests};

/// What the simulated plant is started with.
#[derive(Args, Debug)]
pub struct Order {
    /// What happens: the name of a scenario (steady, pump-trip, primary-loss, burst, cold-wave, sensor-loss and more),
    /// or the path of its file.
    #[arg(value_name = "NAME|FILE")]
    pub scenario: String,
    /// The station; the demonstration's if not given.
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// How the PLC is reached.
    #[arg(long, value_enum, default_value = "modbus-tcp")]
    pub transport: Transport,
    /// Where the PLC listens.
    #[arg(long, default_value = "127.0.0.1:5020")]
    pub listen: SocketAddr,
    /// The PLC connects to a controller that listens there, as a 4G modem does, instead of listening itself.
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "listen")]
    pub dial: Option<String>,
    /// What it says first when it has dialled.
    #[arg(long, value_name = "TEXT", requires = "dial")]
    pub greeting: Option<String>,
    /// The serial port of `--transport modbus-rtu`; a pseudo-terminal will do.
    #[arg(long, value_name = "PATH", required_if_eq("transport", "modbus-rtu"))]
    pub port: Option<String>,
    /// Bits of a second on the serial port; answers take that long on a pseudo-terminal too.
    #[arg(long, default_value_t = 9600, value_parser = clap::value_parser!(u32).range(300..=1_000_000))]
    pub baud: u32,
    /// Parity on the serial port.
    #[arg(long, value_enum, default_value = "even")]
    pub parity: ParityWord,
    /// The folder with `server.pem` and `server.key` of `--transport modbus-tls`; they are made if there are none, with
    /// `authority.pem`, `client.pem` and `client.key` for the other side.
    #[arg(long, value_name = "FOLDER", required_if_eq("transport", "modbus-tls"))]
    pub identity: Option<PathBuf>,
    /// Who vouches for clients (PEM): with it no client comes in without a certificate.
    #[arg(long, value_name = "FILE")]
    pub trust: Option<PathBuf>,
    /// So many Modbus units, from 1, each of them the same PLC.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=247))]
    pub units: u8,
    /// Every register of every unit holds a number made of its unit, table and address instead of the plant's.
    #[arg(long)]
    pub signatures: bool,
    /// What goes wrong on the line, before what the scenario says; `help` lists everything.
    #[arg(long, value_name = "FAULTS")]
    pub wire_faults: Option<String>,
    /// How many times as fast as real time.
    #[arg(long, default_value_t = 1.0)]
    pub speed: f64,
    /// An EnergyPlus weather file; the scenario's weather or the seeded generator if not given.
    #[arg(long, value_name = "FILE.epw")]
    pub weather: Option<PathBuf>,
    /// The seed of weather, rooms, noise and wire faults; the scenario's, or 1.
    #[arg(long)]
    pub seed: Option<u64>,
}

/// How a PLC is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Transport {
    /// Modbus TCP.
    ModbusTcp,
    /// RTU frames over TCP, as through a serial server.
    ModbusRtuOverTcp,
    /// Modbus TCP inside of TLS.
    ModbusTls,
    /// RTU frames on a serial port.
    ModbusRtu,
}

/// Parity of a serial port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ParityWord {
    /// None.
    None,
    /// Even.
    Even,
    /// Odd.
    Odd,
}

/// Runs the plant until it is told to stop.
///
/// # Errors
/// No such scenario, a bad configuration, weather file or wire fault, an address in use, a port that is not there.
pub async fn run(order: Order) -> Outcome {
    if order.wire_faults.as_deref() == Some("help") {
        return say(&every_fault());
    }
    let station = match &order.config {
        Some(path) => super::load(path)?,
        None => super::demo_station()?,
    };
    let scenario = super::scenario(&order.scenario, order.config.as_deref(), &station)?;
    let line = line_of(&order, &scenario)?;
    let asked = Asked { weather: order.weather.as_deref(), seed: order.seed };
    let (shared, paced) = set_up(&station, &scenario, &asked, scenario::begin(&scenario, &station))?;
    let units = if order.signatures { Units::signatures(order.units) } else { Units::mirrors(&shared, order.units) };
    let faults = line.faults.to_string();
    let server = LineServer::start(line, Arc::new(units)).await.with_context(|| match &order.port {
        Some(port) => format!("the plant cannot stand at the serial port {port}; choose another with --port"),
        None => format!("the plant cannot listen on {}; choose another address with --listen", order.listen),
    })?;
    say(&greeting(&order, &station, &scenario, &server, &faults))?;
    let running = paced.run(order.speed, async {
        super::run::stop_signal().await;
    });
    tokio::select! {
        _ = running => {}
        () = tell_when_asked(&server) => {}
    }
    say(&told(&server))?;
    server.stop().await;
    Ok(())
}

/// What is on which line, and what is wrong with it.
fn greeting(order: &Order, station: &Station, scenario: &Scenario, server: &LineServer, faults: &str) -> String {
    let (kind, place) = match (order.transport, &order.dial, server.address()) {
        (Transport::ModbusRtu, ..) => ("Modbus RTU", order.port.clone().unwrap_or_default()),
        (_, Some(controller), _) => ("a line that it dials itself", controller.clone()),
        (Transport::ModbusTcp, _, address) => ("Modbus TCP", address.unwrap_or(order.listen).to_string()),
        (Transport::ModbusRtuOverTcp, _, address) => {
            ("Modbus RTU over TCP", address.unwrap_or(order.listen).to_string())
        }
        (Transport::ModbusTls, _, address) => ("Modbus TCP over TLS", address.unwrap_or(order.listen).to_string()),
    };
    let units = if order.units == 1 { "unit 1".to_owned() } else { format!("units 1 to {}", order.units) };
    let holding = if order.signatures { ", each register its signature" } else { "" };
    let mut text = format!(
        "plant of {} as a station PLC on {kind}\n  {place}  {units}{holding}, scenario {} ({}), {} x real time\n",
        station.name, scenario.name, scenario.title, order.speed
    );
    if !faults.is_empty() {
        let _ = writeln!(text, "  wire faults: {faults}");
    }
    let requests = Requests::of(scenario).len();
    if requests > 0 {
        let _ = writeln!(text, "  {requests} requests of the scenario are for a control; here is none to make them of");
    }
    text
}

/// Prints what the wire faults did whenever SIGUSR1 comes.
async fn tell_when_asked(server: &LineServer) {
    let Ok(mut asked) = signal(SignalKind::user_defined1()) else { return std::future::pending().await };
    while asked.recv().await.is_some() {
        if say(&told(server)).is_err() {
            return;
        }
    }
}

fn told(server: &LineServer) -> String {
    let played = server.played();
    let mut text = format!("  {} questions\n", played.questions);
    for (fault, count) in played.faults {
        let _ = writeln!(text, "  {count:>8} x {fault}");
    }
    text
}

fn every_fault() -> String {
    let mut text =
        "wire faults, with commas between them; \"5%\" after one is its share of answers, \"unit 3\" its only unit\n"
            .to_owned();
    for word in WORDS {
        let share = match word.usual_share {
            Some(share) if share < 1.0 => format!(" ({}% unless said)", share * 100.0),
            Some(_) | None => String::new(),
        };
        let _ = writeln!(text, "  {:<24} {}{share}", word.example, word.meaning);
    }
    text
}

/// The line that was ordered.
fn line_of(order: &Order, scenario: &Scenario) -> Result<LineSettings, Failure> {
    let usage = |what: &str| Failure::Usage(what.to_owned());
    let door = match (order.transport, &order.port, &order.dial) {
        (Transport::ModbusRtu, Some(port), None) => {
            let parity = match order.parity {
                ParityWord::None => Parity::None,
                ParityWord::Even => Parity::Even,
                ParityWord::Odd => Parity::Odd,
            };
            Door::Serial { path: port.clone(), baud: order.baud, parity }
        }
        (Transport::ModbusRtu, None, _) => return Err(usage("--transport modbus-rtu needs a --port")),
        (Transport::ModbusRtu, _, Some(_)) => {
            return Err(usage("--dial is for TCP; a modem that speaks RTU is --transport modbus-rtu-over-tcp"));
        }
        (_, Some(_), _) => return Err(usage("--port is for --transport modbus-rtu; leave it, or say so")),
        (Transport::ModbusTls, None, Some(_)) => {
            return Err(usage("a line over TLS listens; leave --dial, or choose modbus-tcp or modbus-rtu-over-tcp"));
        }
        (_, None, Some(address)) => {
            let greeting = order.greeting.clone().unwrap_or_default().into_bytes();
            Door::Dial { address: address.clone(), greeting }
        }
        (_, None, None) => Door::Listen(order.listen),
    };
    let framing = match order.transport {
        Transport::ModbusTcp | Transport::ModbusTls => Framing::Tcp,
        Transport::ModbusRtuOverTcp | Transport::ModbusRtu => Framing::Rtu,
    };
    let tls = match (order.transport, &order.identity) {
        (Transport::ModbusTls, Some(folder)) => Some(tls(folder, order.trust.as_deref())?),
        (Transport::ModbusTls, None) => return Err(usage("--transport modbus-tls needs an --identity folder")),
        (Transport::ModbusTcp | Transport::ModbusRtuOverTcp | Transport::ModbusRtu, _) => None,
    };
    let wire = scenario.wire.as_ref();
    let (faults, place) = match (&order.wire_faults, wire) {
        (Some(faults), _) => (faults.as_str(), "--wire-faults".to_owned()),
        (None, Some(wire)) => (wire.faults.as_str(), format!("{}:{}: wire.faults", scenario.name, wire.line)),
        (None, None) => ("", String::new()),
    };
    let faults: WireFaults = faults.parse().map_err(|BadFaults(problems)| {
        let sentences = problems.iter().map(|problem| format!("{place}: {problem}"));
        Failure::Usage(sentences.collect::<Vec<_>>().join("\n"))
    })?;
    let seed = order.seed.or(wire.and_then(|wire| wire.seed)).unwrap_or(1);
    Ok(LineSettings { door, framing, tls, faults, seed })
}

/// The server's certificate in this folder, made with all that belongs to it if there is none.
fn tls(folder: &Path, trust: Option<&Path>) -> Result<Tls, Failure> {
    let read = |path: &Path| {
        std::fs::read_to_string(path)
            .map_err(|error| Failure::Usage(format!("{}: {error}; give a PEM file that can be read", path.display())))
    };
    let (certificate, key) = (folder.join("server.pem"), folder.join("server.key"));
    if !certificate.exists() && !key.exists() {
        make_identities(folder).with_context(|| format!("no certificates could be made in {}", folder.display()))?;
    }
    let identity = Identity { certificate_pem: read(&certificate)?, key_pem: read(&key)? };
    Ok(Tls { identity, clients_pem: trust.map(read).transpose()? })
}

fn make_identities(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let authority = Authority::new("heatstation plant")?;
    std::fs::write(folder.join("authority.pem"), authority.certificate_pem())?;
    for (name, host) in [("server", "localhost"), ("client", "heatstation")] {
        let identity = authority.identity(&[host, "127.0.0.1", "::1"])?;
        std::fs::write(folder.join(format!("{name}.pem")), &identity.certificate_pem)?;
        write_secretly(&folder.join(format!("{name}.key")), &identity.key_pem)?;
    }
    Ok(())
}

/// A private key is for its owner alone.
fn write_secretly(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

/// The plant of a scenario in balance with the weather at `begin`, with its register image.
///
/// # Errors
/// A weather file cannot be used.
pub fn set_up(
    station: &Station,
    scenario: &Scenario,
    asked: &Asked<'_>,
    begin: UtcMillis,
) -> Result<(SharedPlant, PacedPlant), Failure> {
    let mut weather = weather_of(station, scenario, asked, begin)?;
    let seconds = begin.0.div_euclid(1000);
    let settings = scenario::plant(scenario, station, asked, weather.at(seconds).outdoor);
    let plant = Plant::new(&settings, scenario::plant_seed(scenario, asked));
    let shared = SharedPlant::new(&station.catalogue, Watchdog::default());
    let timetable = scenario::timetable(scenario);
    Ok((shared.clone(), PacedPlant::new(plant, weather, timetable, shared, seconds)))
}

/// The weather of a scenario.
///
/// # Errors
/// A weather file cannot be used.
pub fn weather_of(
    station: &Station,
    scenario: &Scenario,
    asked: &Asked<'_>,
    begin: UtcMillis,
) -> Result<Box<dyn WeatherSource>, Failure> {
    scenario::weather(scenario, station, asked, begin).map_err(|error| {
        let written = match &scenario.weather.source {
            Some(WeatherFrom::File(path)) => Some(path.as_path()),
            Some(WeatherFrom::Climate(_) | WeatherFrom::Steady(_)) | None => None,
        };
        let file = asked.weather.or(written).map(|path| format!(" {}", path.display())).unwrap_or_default();
        Failure::Usage(format!("weather file{file}: {error}"))
    })
}
