//! `demo`: simulator, controller and page in one process. Nothing else to install.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use heatstation_config::{Scenario, Station};
use heatstation_core::moment::UtcMillis;
use heatstation_core::request::Request;
use heatstation_drivers::settings::Transport;
use heatstation_points::{Celsius, CircuitIndex, CircuitSignal, Point, PumpIndex, Ratio};
use heatstation_simulator::modbus_server::ModbusServer;
use heatstation_simulator::paced::PacedPlant;
use heatstation_simulator::weather::Uncertainty;
use heatstation_simulator::{Fault, PumpKind, PumpPlace, WeatherSource};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};

use anyhow::Context;

use super::{Failure, Outcome, plant, say};
use crate::clock::Clock;
use crate::demo_door::{DemoDoor, DemoFault, DemoSwitch};
use crate::foresight::Issued;
use crate::program::{Options, Program};
use crate::scenario::{self, Asked, Requests};
use crate::simulation::service;
use crate::store::Reader;

/// Faster than this a cycle would have to be shorter than the wire's answers.
const SPEED_MAX: u32 = 60;

/// What a demonstration is started with.
#[derive(Debug)]
pub struct Order {
    /// The station; the demonstration's if none is given.
    pub configuration: Option<PathBuf>,
    /// Where records are kept; a temporary folder if none is given.
    pub data: Option<PathBuf>,
    /// Where the page listens.
    pub listen: SocketAddr,
    /// How many times as fast as real time.
    pub speed: u32,
    /// The seed of weather, rooms and noise, before what the scenario says.
    pub seed: Option<u64>,
    /// The scenario's name, or the path of its file.
    pub scenario: String,
}

/// Runs plant and controller until told to stop.
///
/// # Errors
/// If something cannot be started; each error says what.
pub async fn run(order: Order) -> Outcome {
    if !(1..=SPEED_MAX).contains(&order.speed) {
        return Err(Failure::Usage(format!("--speed {} is outside 1..={SPEED_MAX}", order.speed)));
    }
    let mut station = match &order.configuration {
        Some(path) => super::load(path)?,
        None => super::demo_station()?,
    };
    let temporary = match &order.data {
        Some(_) => None,
        None => Some(tempfile::tempdir().context("no temporary folder could be made; give one with --data")?),
    };
    let folder = order.data.clone().or_else(|| temporary.as_ref().map(|dir| dir.path().to_path_buf()));
    let folder = folder.unwrap_or_default();

    let scenario = super::scenario(&order.scenario, order.configuration.as_deref(), &station)?;
    let begin = beginning(&scenario, &station, &folder);
    let asked = Asked { weather: None, seed: order.seed };
    let (shared, paced) = plant::set_up(&station, &scenario, &asked, begin)?;
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = ModbusServer::bind(loopback, shared).await.context("the simulated PLC cannot listen on loopback")?;
    // The simulated PLC speaks Modbus: what a station reads elsewhere is not there in its demonstration.
    station.opcua.clear();
    for wire in &mut station.wires {
        wire.transport = Transport::modbus_tcp(server.address().to_string());
    }

    let faults = faults_of(&station);
    let (switches, turned) = mpsc::channel(8);
    let door = DemoDoor { faults: faults.iter().map(|(fault, _)| fault.clone()).collect(), switches };
    let clock = Clock::paced(station.time_zone.clone(), begin, order.speed);
    let (leave, forecasts) = watch::channel(None);
    let sky = plant::weather_of(&station, &scenario, &asked, begin)?;
    let service = tokio::spawn(run_service(sky, clock.clone(), scenario::plant_seed(&scenario, &asked), leave));
    let options = Options {
        configuration: None,
        data_folder: folder.clone(),
        listen: order.listen,
        clock,
        forecasts: Some(forecasts),
        demo: Some(door),
    };
    let name = station.name.clone();
    let program = Program::set_up(station, options).await?;
    let address = program.address().map_err(anyhow::Error::from)?;
    let opcua = super::run::opcua_line(&program)?;
    say(&format!(
        "{name}: a simulated station, {} x real time\n  page     http://{address}/\n  metrics  http://{address}/metrics\n{opcua}  plant    {} (Modbus TCP, unit 1)\n  data     {}{}\nThe page only shows in this version: no login is needed. Ctrl-C stops.\n",
        order.speed,
        server.address(),
        folder.display(),
        if temporary.is_some() { " (temporary, removed at the end)" } else { "" },
    ))?;

    let (end, ended) = oneshot::channel::<()>();
    let asking = Asking { requests: Requests::of(&scenario), to: program.requests(), seconds: 0 };
    let plant = tokio::spawn(run_plant(paced, order.speed, turned, faults, asking, ended));
    let outcome = program.run(super::run::stop_signal()).await;
    service.abort();
    drop(end);
    let _ = plant.await;
    server.stop().await;
    Ok(outcome?)
}

/// A demonstration goes on where its records end: its time never runs backwards.
fn beginning(scenario: &Scenario, station: &Station, folder: &std::path::Path) -> UtcMillis {
    let last = Reader::open(folder).ok().and_then(|reader| reader.last().ok().flatten());
    let minute_later = |wall: i64| UtcMillis((wall.div_euclid(1000) + 60) * 1000);
    last.map_or_else(|| scenario::begin(scenario, station), |record| minute_later(record.stamp.wall_milliseconds))
}

/// A meteorological service as wrong as a usual one: each hour of the demonstration's time it says what it foresees.
async fn run_service(mut sky: Box<dyn WeatherSource>, clock: Clock, seed: u64, leave: watch::Sender<Option<Issued>>) {
    loop {
        let utc = clock.now().wall.0.div_euclid(1000);
        if let Some((issued, forecast)) = service::issue(sky.as_mut(), utc, Uncertainty::Medium, seed) {
            leave.send_replace(Some(Issued { at: UtcMillis(issued * 1000), forecast }));
        }
        let left = 3600 - u64::try_from(utc.rem_euclid(3600)).unwrap_or(0);
        sleep(Duration::from_secs(left) / clock.speed()).await;
    }
}

/// The plant at its own pace, with the switches that visitors turn.
async fn run_plant(
    mut paced: PacedPlant,
    speed: u32,
    mut turned: mpsc::Receiver<DemoSwitch>,
    faults: Vec<(DemoFault, Vec<Fault>)>,
    mut asking: Asking,
    mut ended: oneshot::Receiver<()>,
) {
    let mut ticks = interval(Duration::from_secs(1) / speed);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            _ = &mut ended => return,
            _ = ticks.tick() => {
                paced.advance(1);
                asking.second();
            }
            Some(switch) = turned.recv() => turn(&mut paced, &faults, &switch),
        }
    }
}

/// What people of the scenario ask of the program, when it is due by the plant's clock.
struct Asking {
    requests: Requests,
    to: mpsc::Sender<Request>,
    seconds: u64,
}

impl Asking {
    fn second(&mut self) {
        self.seconds += 1;
        for request in self.requests.take(Duration::from_secs(self.seconds)) {
            let author = request.author.clone();
            if self.to.try_send(request).is_err() {
                tracing::warn!(author, "too many requests wait already: one of the scenario's was not taken");
            }
        }
    }
}

fn turn(paced: &mut PacedPlant, faults: &[(DemoFault, Vec<Fault>)], switch: &DemoSwitch) {
    let Some((_, breaks)) = faults.iter().find(|(fault, _)| fault.key == switch.key) else { return };
    for fault in breaks {
        if switch.active {
            paced.plant().inject(*fault);
        } else {
            paced.plant().clear(fault);
        }
    }
    tracing::info!(fault = switch.key, active = switch.active, "demonstration");
}

/// What a visitor may break.
fn faults_of(station: &Station) -> Vec<(DemoFault, Vec<Fault>)> {
    let circuit = CircuitIndex(0);
    let pumps = station.catalogue.circuits()[0].circulation_pumps;
    let trip = |pump| Fault::PumpTrip(PumpPlace { circuit, kind: PumpKind::Circulation, pump: PumpIndex(pump) });
    let mut list: Vec<(String, String, String, Vec<Fault>)> = (0..pumps)
        .map(|pump| {
            let plate = pump + 1;
            (
                format!("circulation-pump-{plate}"),
                format!("{plate}号循环泵跳闸"),
                format!("circulation pump {plate} trips"),
                vec![trip(pump)],
            )
        })
        .collect();
    let mut add = |key: &str, chinese: &str, english: &str, faults: Vec<Fault>| {
        list.push((key.to_owned(), chinese.to_owned(), english.to_owned(), faults));
    };
    add("circulation", "循环泵全部跳闸", "all circulation pumps trip", (0..pumps).map(trip).collect());
    let supply = Point::Circuit(circuit, CircuitSignal::SupplyTemperature);
    add("supply-sensor", "二次供水温度传感器断线", "supply sensor lost", vec![Fault::SensorLost(supply)]);
    let outdoor = Point::Station(heatstation_points::StationSignal::OutdoorTemperature);
    add("outdoor-sensor", "室外温度传感器断线", "outdoor sensor lost", vec![Fault::SensorLost(outdoor)]);
    add("primary", "一次供水变冷", "primary supply turns cold", vec![Fault::PrimaryCold(Celsius(35.0))]);
    let lost = Fault::PrimaryPressureLost(Ratio(0.05));
    add("primary-pressure", "一次压差丧失", "primary differential pressure lost", vec![lost]);
    add("leak", "二次网泄漏 8 m³/h", "secondary leak of 8 m³/h", vec![Fault::Leak(circuit, 8.0 / 3600.0)]);
    add("valve", "电动阀卡死", "control valve jams", vec![Fault::ValveStuck(circuit)]);
    add("mains", "市电中断", "mains failure", vec![Fault::MainsFailure]);
    add("emergency-stop", "按下急停", "emergency stop pressed", vec![Fault::EmergencyStop]);
    add("local", "切到就地再切回(现场复位)", "cabinet on local; back again resets trips", vec![Fault::LocalSelected]);
    let fault = |(key, chinese, english, faults)| (DemoFault { key, texts: (chinese, english) }, faults);
    list.into_iter().map(fault).collect()
}
