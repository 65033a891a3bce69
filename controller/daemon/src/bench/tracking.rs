//! How well the supply loop follows its setpoint: on the station as it is through a season, and on a valve that would hunt.
//!
//! The hard case is what one finds where a valve was picked by the pipe: four times too large, a tenth of the pressure, half
//! a percent of play between motor and plug, behind a primary that is as hot in mild weather as in frost. It is held at four
//! outdoor temperatures for a day each, because a valve that hunts does so at one load and not at another. The control
//! knows nothing of it: its settings are those of the station's file.
//!
//! All is judged by the plant's truth, three hours after the start; what hunting is, [`tracking`](crate::simulation::tracking)
//! says.

use std::fmt::Write;
use std::time::Duration;

use heatstation_config::Station;
use heatstation_core::moment::UtcMillis;
use heatstation_core::report::ValveReason;
use heatstation_points::{Celsius, Ratio};
use heatstation_simulator::{Circulation, InitialState, StationPlantSettings, Weather, WeatherSource};
use serde::Serialize;

use crate::simulation::ClosedLoop;
use crate::simulation::tracking::{Tracking, TrackingFigures};

/// The start is no control: s.
const SETTLING: u64 = 3 * 3600;
const DAY: u64 = 86_400;
/// The outdoor temperatures of the hard case: from frost to where the valve stands next to its seat.
const OUTDOORS: [f64; 4] = [-6.0, 0.0, 6.0, 10.0];
/// The day of the season on which it begins: walls and water are in balance at the start.
const BEGINS_ON: u64 = 5;

/// The valve of the hard case.
const OVERSIZE: f64 = 4.0;
const AUTHORITY: f64 = 0.1;
const HYSTERESIS: Ratio = Ratio(0.005);
const PRIMARY: Celsius = Celsius(110.0);

/// Which trial.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trial {
    /// The station as it is, through its season.
    Season,
    /// The oversized valve, at this outdoor temperature, °C.
    Oversized(f64),
}

/// What came of one trial.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Case {
    /// Which trial.
    pub trial: Trial,
    /// Days judged in which the loop was in charge.
    pub days: f64,
    /// The figures.
    pub figures: TrackingFigures,
    /// Whether the loop hunts by any of the three signs.
    pub hunts: bool,
}

/// What is to be run.
pub struct Order<'a> {
    /// The station, its first circuit judged.
    pub station: &'a Station,
    /// The plant in its place.
    pub plant: StationPlantSettings,
    /// The weather of its season.
    pub weather: Box<dyn WeatherSource>,
    /// Days of the season at most.
    pub days: Option<u64>,
    /// The seed of noise.
    pub seed: u64,
}

/// How many hours an order simulates.
pub fn hours(order: &Order) -> u64 {
    (season_seconds(order) + OUTDOORS.len() as u64 * (DAY + SETTLING)) / 3600
}

fn season_seconds(order: &Order) -> u64 {
    let season = order.station.settings.season;
    let all = season.end.since(season.start).as_secs();
    order.days.map_or(all, |days| all.min(days * DAY))
}

/// Runs all trials; `progress` is told each simulated hour.
pub fn run(order: Order, progress: &mut dyn FnMut()) -> Vec<Case> {
    let seconds = season_seconds(&order);
    let Order { station, plant, mut weather, days: _, seed } = order;
    let start = station.settings.season.start;
    let outdoor = weather.at(start.0.div_euclid(1000)).outdoor;
    let mut rig = closed_loop(station, &running(plant.clone(), outdoor), weather, start, seed);
    let mut cases = vec![judge(&mut rig, Trial::Season, seconds, progress)];

    let start = UtcMillis(start.0 + (BEGINS_ON * DAY * 1000) as i64);
    for outdoor in OUTDOORS {
        let still = Box::new(Still(Celsius(outdoor)));
        let plant = running(oversized(plant.clone()), Celsius(outdoor));
        let mut rig = closed_loop(station, &plant, still, start, seed);
        cases.push(judge(&mut rig, Trial::Oversized(outdoor), DAY + SETTLING, progress));
    }
    cases
}

/// Weather that does not move.
struct Still(Celsius);

impl WeatherSource for Still {
    fn at(&mut self, _utc_seconds: i64) -> Weather {
        Weather::still(self.0)
    }
}

fn running(mut plant: StationPlantSettings, outdoor: Celsius) -> StationPlantSettings {
    plant.initial = InitialState { outdoor, room: Celsius(20.5), circulation: Circulation::Running };
    plant
}

fn oversized(mut plant: StationPlantSettings) -> StationPlantSettings {
    for circuit in &mut plant.circuits {
        (circuit.valve.oversize, circuit.valve.authority) = (OVERSIZE, AUTHORITY);
        circuit.valve.hysteresis = HYSTERESIS;
    }
    (plant.primary.supply_mild, plant.primary.supply_cold) = (PRIMARY, PRIMARY);
    plant
}

fn closed_loop(
    station: &Station,
    plant: &StationPlantSettings,
    weather: Box<dyn WeatherSource>,
    start: UtcMillis,
    seed: u64,
) -> ClosedLoop {
    let zone = Duration::from_secs_f64(plant.time_zone_hours.max(0.0) * 3600.0);
    ClosedLoop::new(station.settings.clone(), &station.catalogue, plant, weather, start, zone, seed)
}

/// Judges the seconds in which the loop of the first circuit was in charge.
fn judge(rig: &mut ClosedLoop, trial: Trial, seconds: u64, progress: &mut dyn FnMut()) -> Case {
    let integral = rig.view().1.circuits[0].supply_loop.integral_time.as_secs_f64();
    let (mut tracking, mut judged) = (Tracking::new(integral), 0_u64);
    for second in 0..seconds {
        let decided = &rig.second(Vec::new()).circuits[0];
        let (setpoint, in_charge) = (decided.setpoint.value, decided.valve_reason == ValveReason::Control);
        let command = decided.commands.as_ref().map(|commands| commands.valve_position);
        let truth = &rig.view().0.truth().circuits[0];
        match command.filter(|_| in_charge && second >= SETTLING) {
            Some(command) => {
                judged += 1;
                tracking.note(setpoint, truth.supply, command, truth.valve_travel);
            }
            None => tracking.pause(),
        }
        if (second + 1).is_multiple_of(3600) {
            progress();
        }
    }
    let figures = tracking.figures();
    Case { trial, days: judged as f64 / DAY as f64, figures, hunts: figures.hunts() }
}

/// The figures as a table for people.
pub fn table(cases: &[Case]) -> String {
    let mut text = format!(
        "{:<34} {:>6} {:>7} {:>6} {:>9} {:>12} {:>6}\n",
        "supply loop", "days", "RMSE, K", "p95, K", "strokes/d", "reversals/h", "hunts"
    );
    for case in cases {
        let name = match case.trial {
            Trial::Season => "as it is, a season".to_owned(),
            Trial::Oversized(outdoor) => format!("valve ×4, 0.5 % play, {outdoor:+.0} °C"),
        };
        let f = &case.figures;
        let _ = writeln!(
            text,
            "{name:<34} {:>6.1} {:>7.3} {:>6.2} {:>9.2} {:>12.2} {:>6}",
            case.days,
            f.rmse_kelvins,
            f.p95_kelvins,
            f.strokes_per_day,
            f.reversals_per_hour,
            if case.hunts { "yes" } else { "no" }
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::demo_station;
    use crate::plant_of::plant_of;

    fn cases(change: impl FnOnce(&mut Station)) -> Vec<Case> {
        let mut station = demo_station().unwrap();
        change(&mut station);
        let plant = plant_of(&station, 1);
        let weather = Box::new(Still(Celsius(-3.0)));
        let order = Order { station: &station, plant, weather, days: Some(1), seed: 1 };
        let (asked, mut told) = (hours(&order), 0);
        let cases = run(order, &mut || told += 1);
        assert_eq!(told, asked);
        cases
    }

    #[test]
    fn the_bench_sees_that_the_scheduled_gain_holds_the_oversized_valve_and_a_fixed_one_does_not() {
        let held = cases(|_| {});
        assert!(held.len() == 5 && held.iter().all(|case| !case.hunts && case.days > 0.8), "{held:?}");
        let fixed = cases(|station| {
            let supply_loop = &mut station.settings.circuits[0].supply_loop;
            (supply_loop.schedule.factor_min, supply_loop.schedule.factor_max) = (1.0, 1.0);
            supply_loop.feed_forward.mode = heatstation_core::feed_forward::FeedForwardMode::Off;
            supply_loop.dead_band_supply = heatstation_points::Kelvins(1e3);
        });
        assert!(fixed.iter().any(|case| case.hunts), "{fixed:?}");
    }
}
