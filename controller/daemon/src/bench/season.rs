//! One season of one plant under one strategy.

use std::path::Path;
use std::time::Duration;

use heatstation_core::Settings;
use heatstation_core::moment::UtcMillis;
use heatstation_core::report::CircuitReport;
use heatstation_core::request::{Origin, Request, Wish};
use heatstation_points::{Celsius, Kelvins, RoomIndex};
use heatstation_simulator::weather::Uncertainty;
use heatstation_simulator::{EpwError, Truth, WeatherSource};
use serde::Serialize;

use super::plants::{Site, Year};
use super::strategy::Pilot;
use crate::simulation::ClosedLoop;
use crate::simulation::figures::Tally;

/// China's distance from UTC.
const ZONE: Duration = Duration::from_secs(8 * 3600);
/// What a room sensor last said is looked at this often: s.
const SENSORS_EVERY: u64 = 1800;
/// The first days carry the start, not the strategy: walls need about this long to forget what they were begun with.
pub const WARM_UP_DAYS: u64 = 7;

/// What came of a season, by the plant's truth.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Outcome {
    /// Mean outdoor temperature, °C.
    pub outdoor_mean: f64,
    /// Heat, GJ/m².
    pub heat: f64,
    /// Share of area × time of heated rooms at or above the minimum.
    pub pass: f64,
    /// The temperature that 2 % of area × time stay below, °C.
    pub tail: f64,
    /// Kelvin-hours below the minimum, mean over the flats.
    pub kelvin_hours: f64,
    /// Mean room temperature, °C.
    pub room_mean: f64,
    /// Highest hourly mean of heat, W/m².
    pub peak: f64,
    /// Primary return, weighted with heat, °C.
    pub primary_return: f64,
    /// Electricity of the pumps, kWh/m².
    pub pumps: f64,
    /// Full strokes of the valve a day.
    pub strokes: f64,
    /// RMSE of the supply against its setpoint, K.
    pub supply_rmse: f64,
    /// Outages.
    pub outages: usize,
    /// What the rooms added to the room target, mean, K.
    pub trim: f64,
    /// What the plant and the control ran into, as shares of the time.
    pub ran_into: RanInto,
}

/// Shares of the time in which something was at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct RanInto {
    /// The supply stood more than 2 K below its setpoint.
    pub short_of_heat: f64,
    /// The setpoint was held by a bound.
    pub bound: f64,
    /// The room trim stood at the end of what it may do.
    pub trim_at_end: f64,
    /// It did not follow the rooms: too few sensors, too fast a weather.
    pub trim_frozen: f64,
    /// An interlock held.
    pub tripped: f64,
}

/// A supply this far below its setpoint is short of heat.
const SHORT: Kelvins = Kelvins(2.0);

/// Counts what is run into.
#[derive(Default)]
struct Bumps {
    seconds: f64,
    trim: f64,
    sums: RanInto,
}

impl Bumps {
    fn note(&mut self, truth: &Truth, report: &CircuitReport) {
        let one = |yes: bool| f64::from(u8::from(yes));
        let setpoint = &report.setpoint;
        self.seconds += 1.0;
        self.trim += report.room_trim.shift.0;
        self.sums.short_of_heat += one(setpoint.value - truth.circuits[0].supply > SHORT);
        self.sums.bound += one(setpoint.held_by.is_some());
        self.sums.trim_at_end += one(report.room_trim.at_end);
        self.sums.trim_frozen += one(report.room_trim.frozen.is_some());
        self.sums.tripped += one(!report.trips.is_empty());
    }

    fn shares(&self) -> RanInto {
        let of = |sum: f64| sum / self.seconds.max(1.0);
        RanInto {
            short_of_heat: of(self.sums.short_of_heat),
            bound: of(self.sums.bound),
            trim_at_end: of(self.sums.trim_at_end),
            trim_frozen: of(self.sums.trim_frozen),
            tripped: of(self.sums.tripped),
        }
    }
}

/// What an engineer can know of a season afterwards: outdoor temperature and what the sensors said, day by day.
#[derive(Clone, Debug, Default)]
pub struct Logbook {
    /// Each half hour: the outdoor temperature, and each sensor's reading.
    pub rows: Vec<(Celsius, Vec<Option<f64>>)>,
}

/// A person looks after what has tripped and stays: s. Without him one latched trip would decide a season.
const CARETAKER_EVERY: u64 = 2 * 3600;

/// What the caretaker asks where something has tripped: the same under every strategy.
fn reset_of_latched(rig: &ClosedLoop) -> Option<Request> {
    let report = rig.view().2?;
    let circuit = report.circuits.iter().find(|circuit| !circuit.trips.is_empty())?.circuit;
    let (author, reason) = ("caretaker".to_owned(), "looked at on the spot".to_owned());
    Some(Request { origin: Origin::Operator, author, reason, wish: Wish::ResetTrips { circuit } })
}

/// Which days of a season.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first, counted from the season's first as 0.
    pub first: u64,
    /// How many.
    pub days: u64,
}

impl Span {
    /// All of a season of `all` days, or fewer around the end of its second third: cold, thaw and the sun of late winter are
    /// all in it.
    pub fn of(all: u64, days: Option<u64>) -> Span {
        let days = days.map_or(all, |days| days.min(all));
        let first = (2 * all / 3).saturating_sub(days / 2).min(all - days);
        Span { first, days }
    }
}

/// Runs one season, or some days of it.
///
/// # Errors
/// A weather file that cannot be read.
///
/// # Panics
/// If the station has no area or no season, which its file has.
pub fn run(
    site: &Site,
    settings: Settings,
    mut pilot: Pilot,
    forecast: Option<Uncertainty>,
    year: Year,
    span: Span,
    weather: Option<&Path>,
) -> Result<(Outcome, Logbook), EpwError> {
    let season = site.start(year);
    let start = season.plus(Duration::from_secs(span.first * 86_400));
    let mut weather = site.weather(year, weather)?;
    let mut plant = site.plant.clone();
    plant.initial.outdoor = mean_outdoor(weather.as_mut(), start);
    let minimum = settings.profile.dwelling_min.value;
    let area = settings.heated_area.square_meters();
    let settings = in_year(settings, season, site.days());
    let mut rig = ClosedLoop::new(settings, &site.station.catalogue, &plant, weather, start, ZONE, site.member.seed);
    rig.foresee(forecast);
    let sensors = site.station.catalogue.circuits()[0].rooms.len();
    let (mut tally, mut logbook, mut rooms) = (Tally::default(), Logbook::default(), Histogram::default());
    let (mut pumps_before, mut bumps) = (0.0, Bumps::default());
    for second in 0..span.days * 86_400 {
        let wish = match &mut pilot {
            Pilot::Oracle(oracle) => oracle.look(second, rig.view().0.truth(), minimum),
            Pilot::Nobody | Pilot::Daily(_) => None,
        };
        let mut requests: Vec<Request> = wish.into_iter().collect();
        if second.is_multiple_of(CARETAKER_EVERY) && second > 0 {
            requests.extend(reset_of_latched(&rig));
        }
        rig.second_seen(requests, |readings| pilot.see(second, readings));
        if second >= WARM_UP_DAYS * 86_400 && second.is_multiple_of(SENSORS_EVERY) {
            let rooms = &rig.readings().circuits[0].rooms;
            let said = (0..sensors).map(RoomIndex).map(|room| rooms[room.0].temperature.fresh().map(|t| t.0)).collect();
            logbook.rows.push((rig.weather().outdoor, said));
        }
        let (plant, settings, report) = rig.view();
        if second == WARM_UP_DAYS * 86_400 {
            pumps_before = pump_energy(plant.truth());
        }
        if let Some(report) = report.filter(|_| second >= WARM_UP_DAYS * 86_400) {
            tally.note(settings, plant.truth(), report);
            bumps.note(plant.truth(), &report.circuits[0]);
            if second.is_multiple_of(SENSORS_EVERY) {
                rooms.note(plant.truth());
            }
        }
    }
    let wall = rig.wall();
    let (plant, settings, _) = rig.view();
    let truth = plant.truth();
    let figures = tally.figures(settings, truth, wall).expect("the season and the area are known");
    let outcome = Outcome {
        outdoor_mean: figures.outdoor_mean_celsius,
        heat: figures.heat_gigajoules_per_square_meter,
        pass: figures.room_pass_ratio.unwrap_or(f64::NAN),
        tail: rooms.below(0.02),
        kelvin_hours: figures.kelvin_hours_below.unwrap_or(f64::NAN),
        room_mean: figures.room_mean_celsius.unwrap_or(f64::NAN),
        peak: figures.peak_hour_watts_per_square_meter,
        primary_return: figures.primary_return_celsius,
        pumps: (pump_energy(truth) - pumps_before) / 3.6e6 / area,
        strokes: figures.valve_strokes_per_day,
        supply_rmse: figures.supply_rmse_kelvins.unwrap_or_default(),
        outages: figures.outages,
        trim: bumps.trim / bumps.seconds.max(1.0),
        ran_into: bumps.shares(),
    };
    Ok((outcome, logbook))
}

fn pump_energy(truth: &Truth) -> f64 {
    truth.circuits.iter().map(|circuit| circuit.pump_energy.0).sum()
}

/// The day before the start: what the plant has been in balance with.
fn mean_outdoor(weather: &mut dyn WeatherSource, start: UtcMillis) -> Celsius {
    let first = start.0.div_euclid(1000);
    let hours: Vec<f64> = (0..24).map(|hour| weather.at(first + hour * 3600).outdoor.0).collect();
    Celsius(hours.iter().sum::<f64>() / 24.0)
}

/// The same settings for the season that begins then.
fn in_year(mut settings: Settings, start: UtcMillis, days: u64) -> Settings {
    settings.season.heating_from = start;
    settings.season.start = start;
    settings.season.end = start.plus(Duration::from_secs(days * 86_400));
    settings
}

/// Where area × time of heated rooms lies, in twentieths of a kelvin from 0 to 50 °C.
struct Histogram([f64; 1000]);

impl Default for Histogram {
    fn default() -> Self {
        Histogram([0.0; 1000])
    }
}

impl Histogram {
    fn note(&mut self, truth: &Truth) {
        for flat in truth.circuits.iter().flat_map(|circuit| &circuit.flats).filter(|flat| !flat.shut) {
            let bin = (flat.temperature.0 * 20.0).clamp(0.0, 999.0);
            self.0[bin as usize] += flat.area_m2;
        }
    }

    /// The temperature that this share stays below.
    fn below(&self, share: f64) -> f64 {
        let all: f64 = self.0.iter().sum();
        let mut sum = 0.0;
        for (bin, area) in self.0.iter().enumerate() {
            if sum + area >= share * all {
                return (bin as f64 + (share * all - sum) / area.max(1e-9)) / 20.0;
            }
            sum += area;
        }
        f64::NAN
    }
}

#[cfg(test)]
mod tests {
    use heatstation_core::step::Health;
    use heatstation_core::{Inputs, State, step};
    use heatstation_simulator::family::Member;

    use super::super::commission::Tuning;
    use super::super::strategy::Strategy;
    use super::*;

    /// Everything that a strategy is shown is in the inputs; who replays them without any plant gets the same commands. What
    /// leaked in beside them would be missing in the replay.
    #[test]
    fn what_a_strategy_decides_follows_from_what_it_was_shown() {
        let site = Site::new(Member::all(5)[2]).unwrap();
        let tuning = Tuning { slope: 0.8, level: Kelvins(1.0), as_found: Kelvins(2.0) };
        for strategy in Strategy::ALL {
            let settings = strategy.settings(&site.station.settings, &tuning, Kelvins(0.0));
            let start = site.start(Year::Judged).plus(Duration::from_secs(60 * 86_400));
            let settings = in_year(settings, site.start(Year::Judged), site.days());
            let weather = site.weather(Year::Judged, None).unwrap();
            let catalogue = &site.station.catalogue;
            let mut rig = ClosedLoop::new(settings.clone(), catalogue, &site.plant, weather, start, ZONE, 5);
            rig.foresee(strategy.forecast());
            let (mut pilot, mut replayed) = (strategy.pilot(Kelvins(0.0)), State::new(&settings));
            let mut moved = false;
            for second in 0..6 * 3600 {
                let wish = match &mut pilot {
                    Pilot::Oracle(oracle) => oracle.look(second, rig.view().0.truth(), Celsius(18.0)),
                    Pilot::Nobody | Pilot::Daily(_) => None,
                };
                let requests: Vec<Request> = wish.into_iter().collect();
                let report = rig.second_seen(requests.clone(), |readings| pilot.see(second, readings)).clone();
                let readings = rig.readings().clone();
                let forecast = rig.forecast().copied();
                let inputs = Inputs { now: report.moment, readings, forecast, requests, health: Health::default() };
                let (state, again) = step(&settings, replayed, &inputs);
                replayed = state;
                assert_eq!(again.circuits[0].commands, report.circuits[0].commands, "{strategy:?} at {second} s");
                moved |= again.circuits[0].commands.as_ref().is_some_and(|commands| commands.valve_position.0 > 0.0);
            }
            assert!(moved, "{strategy:?} has done nothing");
        }
    }
}
