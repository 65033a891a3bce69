//! `plant`: the simulator alone, as a station PLC on Modbus TCP, for testing any controller.

use std::net::SocketAddr;
use std::path::PathBuf;

use heatstation_config::Station;
use heatstation_simulator::image::{SharedPlant, Watchdog};
use heatstation_simulator::modbus_server::ModbusServer;
use heatstation_simulator::paced::PacedPlant;
use heatstation_simulator::{Circulation, EpwWeather, InitialState, Plant, Scenario, StochasticWeather, WeatherSource};

use anyhow::Context;
use heatstation_points::Celsius;

use super::{Failure, Outcome, say};
use crate::plant_of::{climate_of, plant_of};

/// What the simulated plant is started with.
#[derive(Debug)]
pub struct Order {
    /// The scenario's name.
    pub scenario: String,
    /// The station; the demonstration's if none is given.
    pub configuration: Option<PathBuf>,
    /// Where the PLC listens.
    pub listen: SocketAddr,
    /// How many times as fast as real time.
    pub speed: f64,
    /// A weather file; the generator if none is given.
    pub weather: Option<PathBuf>,
    /// The seed of weather, rooms and noise.
    pub seed: u64,
}

/// Runs the plant until it is told to stop.
///
/// # Errors
/// No such scenario, a bad configuration or weather file, or an address in use.
pub async fn run(order: Order) -> Outcome {
    let scenario = Scenario::named(&order.scenario).ok_or_else(|| {
        let names: Vec<&str> = Scenario::names().collect();
        Failure::Usage(format!("there is no scenario `{}`; there are: {}", order.scenario, names.join(", ")))
    })?;
    let station = match &order.configuration {
        Some(path) => super::load(path)?,
        None => super::demo_station()?,
    };
    let weather = weather_of(&station, order.weather.as_deref(), order.seed)?;
    let begin = mid_season(&station);
    let (shared, paced) = set_up(&station, weather, scenario, begin, order.seed);
    let server = ModbusServer::bind(order.listen, shared).await.with_context(|| {
        format!("the plant cannot listen on {}; choose another address with --listen", order.listen)
    })?;
    say(&format!(
        "plant of {} as a station PLC on Modbus TCP\n  {}  unit 1, scenario {}, {} x real time\n",
        station.name,
        server.address(),
        order.scenario,
        order.speed
    ))?;
    paced
        .run(order.speed, async {
            super::run::stop_signal().await;
        })
        .await;
    server.stop().await.map_err(anyhow::Error::from)?;
    Ok(())
}

/// The middle of the coldest part of the season, seven in the morning by the station's clock, in UTC seconds.
pub fn mid_season(station: &Station) -> i64 {
    let start = station.settings.season.start.0 / 1000;
    let length = station.settings.season.length().as_secs() as i64;
    // Whole days from the season's first midnight, and seven hours.
    start + length / 2 / 86_400 * 86_400 + 7 * 3600
}

/// A weather file, or the generator.
///
/// # Errors
/// If the file cannot be read.
pub fn weather_of(
    station: &Station,
    file: Option<&std::path::Path>,
    seed: u64,
) -> Result<Box<dyn WeatherSource>, Failure> {
    match file {
        Some(path) => match EpwWeather::read(path) {
            Ok(weather) => Ok(Box::new(weather)),
            Err(error) => Err(Failure::Usage(format!("weather file {}: {error}", path.display()))),
        },
        None => Ok(Box::new(StochasticWeather::new(seed, climate_of(station.simulation.climate)))),
    }
}

/// The plant of a station in balance with the weather at `begin`, with its register image.
pub fn set_up(
    station: &Station,
    mut weather: Box<dyn WeatherSource>,
    scenario: Scenario,
    begin: i64,
    seed: u64,
) -> (SharedPlant, PacedPlant) {
    let mut settings = plant_of(station, seed);
    let outdoor = weather.at(begin).outdoor;
    settings.initial = InitialState { outdoor, room: Celsius(20.0), circulation: Circulation::Running };
    let plant = Plant::new(&settings, seed);
    let shared = SharedPlant::new(&station.catalogue, Watchdog::default());
    (shared.clone(), PacedPlant::new(plant, weather, scenario, shared, begin))
}
