//! A supply loop on the bench: a station under some weather, judged by the plant's truth.

use heatstation::simulation::ClosedLoop;
use heatstation::simulation::tracking::{Tracking, TrackingFigures};
use heatstation_core::moment::UtcMillis;
use heatstation_core::report::ValveReason;
use heatstation_simulator::{Climate, StochasticWeather, WeatherSource};

use crate::stations::{SEASON_START, Station, ZONE, running};

/// The weather of a winter in Shandong.
pub fn winter(seed: u64) -> Box<dyn WeatherSource> {
    Box::new(StochasticWeather::new(seed, Climate::SHANDONG))
}

/// A station that has been heating for days, from that day of the season on.
pub fn closed_loop(station: Station, mut weather: Box<dyn WeatherSource>, day: u64, seed: u64) -> ClosedLoop {
    let start = UtcMillis(SEASON_START.0 + day as i64 * 86_400_000);
    let outdoor = weather.at(start.0.div_euclid(1000)).outdoor;
    let (settings, catalogue, plant) = running(station, outdoor);
    ClosedLoop::new(settings, &catalogue, &plant, weather, start, ZONE, seed)
}

/// Lets hours pass and judges those in which the loop of the first circuit was in charge.
pub fn judge(rig: &mut ClosedLoop, hours: u64) -> TrackingFigures {
    let integral = rig.view().1.circuits[0].supply_loop.integral_time.as_secs_f64();
    let mut tracking = Tracking::new(integral);
    for _ in 0..hours * 3600 {
        let report = rig.second(Vec::new());
        let decided = &report.circuits[0];
        let (setpoint, in_charge) = (decided.setpoint.value, decided.valve_reason == ValveReason::Control);
        let command = decided.commands.as_ref().map(|commands| commands.valve_position);
        let truth = &rig.view().0.truth().circuits[0];
        match command.filter(|_| in_charge) {
            Some(command) => tracking.note(setpoint, truth.supply, command, truth.valve_travel),
            None => tracking.pause(),
        }
    }
    tracking.figures()
}
