//! A station under weather that does not move: the bench on which a single function is tried.

use heatstation::simulation::ClosedLoop;
use heatstation_simulator::{Weather, WeatherSource};

use crate::stations::{SEASON_START, Station, ZONE};

/// Weather that does not move.
#[derive(Clone, Copy, Debug)]
pub struct Steady(pub Weather);

impl WeatherSource for Steady {
    fn at(&mut self, _: i64) -> Weather {
        self.0
    }
}

/// The station under that weather, from the season's first second.
pub fn closed_loop(station: Station, weather: Weather, seed: u64) -> ClosedLoop {
    let (settings, catalogue, plant) = station;
    ClosedLoop::new(settings, &catalogue, &plant, Box::new(Steady(weather)), SEASON_START, ZONE, seed)
}
