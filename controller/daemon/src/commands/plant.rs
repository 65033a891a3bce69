//! `plant`: the simulator alone, as a station PLC on Modbus TCP, for testing any controller.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use heatstation_config::scenario::WeatherFrom;
use heatstation_config::{Scenario, Station};
use heatstation_core::moment::UtcMillis;
use heatstation_simulator::image::{SharedPlant, Watchdog};
use heatstation_simulator::modbus_server::ModbusServer;
use heatstation_simulator::paced::PacedPlant;
use heatstation_simulator::{Plant, WeatherSource};

use super::{Failure, Outcome, say};
use crate::scenario::{self, Asked, Requests};

/// What the simulated plant is started with.
#[derive(Debug)]
pub struct Order {
    /// The scenario's name, or the path of its file.
    pub scenario: String,
    /// The station; the demonstration's if none is given.
    pub configuration: Option<PathBuf>,
    /// Where the PLC listens.
    pub listen: SocketAddr,
    /// How many times as fast as real time.
    pub speed: f64,
    /// A weather file, before what the scenario says.
    pub weather: Option<PathBuf>,
    /// The seed of weather, rooms and noise, before what the scenario says.
    pub seed: Option<u64>,
}

/// Runs the plant until it is told to stop.
///
/// # Errors
/// No such scenario, a bad configuration or weather file, or an address in use.
pub async fn run(order: Order) -> Outcome {
    let station = match &order.configuration {
        Some(path) => super::load(path)?,
        None => super::demo_station()?,
    };
    let scenario = super::scenario(&order.scenario, order.configuration.as_deref(), &station)?;
    let asked = Asked { weather: order.weather.as_deref(), seed: order.seed };
    let (shared, paced) = set_up(&station, &scenario, &asked, scenario::begin(&scenario, &station))?;
    let server = ModbusServer::bind(order.listen, shared).await.with_context(|| {
        format!("the plant cannot listen on {}; choose another address with --listen", order.listen)
    })?;
    say(&format!(
        "plant of {} as a station PLC on Modbus TCP\n  {}  unit 1, scenario {} ({}), {} x real time\n",
        station.name,
        server.address(),
        scenario.name,
        scenario.title,
        order.speed
    ))?;
    let requests = Requests::of(&scenario).len();
    if requests > 0 {
        say(&format!("  {requests} requests of the scenario are for a control; here is none to make them of\n"))?;
    }
    paced
        .run(order.speed, async {
            super::run::stop_signal().await;
        })
        .await;
    server.stop().await.map_err(anyhow::Error::from)?;
    Ok(())
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
