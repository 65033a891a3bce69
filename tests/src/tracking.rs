//! A supply loop on the bench: a station under some weather, judged by the plant's truth.

use std::time::Duration;

use heatstation::simulation::ClosedLoop;
use heatstation::simulation::tracking::{Tracking, TrackingFigures};
use heatstation_core::actuator::ActuatorSettings;
use heatstation_core::feed_forward::FeedForwardMode;
use heatstation_core::moment::UtcMillis;
use heatstation_core::report::ValveReason;
use heatstation_core::settings::SupplyLoopSettings;
use heatstation_core::valve_health::HuntingGuard;
use heatstation_points::{Celsius, Kelvins, Ratio};
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

/// The station with another valve: so many times too large, with this share of the pressure, this play between motor and
/// plug.
#[must_use]
pub fn with_valve(station: Station, oversize: f64, authority: f64, hysteresis: f64) -> Station {
    let (settings, catalogue, mut plant) = station;
    for circuit in &mut plant.circuits {
        circuit.valve.oversize = oversize;
        circuit.valve.authority = authority;
        circuit.valve.hysteresis = Ratio(hysteresis);
    }
    (settings, catalogue, plant)
}

/// The station behind a primary that is always this hot, whatever the weather.
#[must_use]
pub fn with_primary(station: Station, supply: Celsius) -> Station {
    let (settings, catalogue, mut plant) = station;
    (plant.primary.supply_mild, plant.primary.supply_cold) = (supply, supply);
    (settings, catalogue, plant)
}

/// The station with other words about its first circuit's loop.
#[must_use]
pub fn with_loop(station: Station, change: impl FnOnce(&mut SupplyLoopSettings)) -> Station {
    let (mut settings, catalogue, plant) = station;
    change(&mut settings.circuits[0].supply_loop);
    (settings, catalogue, plant)
}

/// The station with a three-point motor in its first circuit.
#[must_use]
pub fn with_three_point_motor(station: Station) -> Station {
    let (mut settings, catalogue, plant) = station;
    settings.circuits[0].valve.actuator = ActuatorSettings::ThreePoint { pulse_min: Duration::from_secs(1) };
    (settings, catalogue, plant)
}

/// A fixed gain, a fixed dead band, nothing ahead of the error and nobody who acts: what the other rules are compared with.
pub fn plain(supply_loop: &mut SupplyLoopSettings) {
    (supply_loop.schedule.factor_min, supply_loop.schedule.factor_max) = (1.0, 1.0);
    supply_loop.dead_band_supply = Kelvins(1e3);
    supply_loop.feed_forward.mode = FeedForwardMode::Off;
    supply_loop.guard = HuntingGuard::Watches;
}
