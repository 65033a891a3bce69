//! What a simulated season came to, judged by the plant's truth.
//!
//! Rooms are the true rooms of flats that are heated, weighted by area, not the sensors that the control saw. A flat whose
//! emitters are shut has no right to 18 °C and is left out.

use heatstation_core::accident_rate::{AccidentRate, NoRate, accident_rate};
use heatstation_core::moment::UtcMillis;
use heatstation_core::outage_book::OutageBook;
use heatstation_core::sequence::Stage;
use heatstation_core::{Report, Settings};
use heatstation_points::Celsius;
use heatstation_simulator::Truth;
use serde::Serialize;

use super::tracking::Tracking;

/// How often rooms are looked at, s. They move in hours.
const ROOMS_EVERY: u64 = 300;
/// A circuit's first hours of heating are a start, not control: left out of the loop's error.
const LOOP_SETTLED: u64 = 2 * 3600;

/// The season's figures.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// Days simulated.
    pub days: f64,
    /// Mean outdoor temperature.
    pub outdoor_mean_celsius: f64,
    /// Heat from the exchangers.
    pub heat_gigajoules: f64,
    /// The same per heated area.
    pub heat_gigajoules_per_square_meter: f64,
    /// Electricity of the station.
    pub electricity_kilowatt_hours: f64,
    /// Make-up water.
    pub make_up_cubic_meters: f64,
    /// Make-up water per heated area, kg/m².
    pub make_up_kilograms_per_square_meter: f64,
    /// Share of area × time of heated rooms at or above the minimum, after the first two days; none in a shorter run, like
    /// the other figures of rooms.
    pub room_pass_ratio: Option<f64>,
    /// Share of heated flats that were at or above the minimum for at least 98 % of the time.
    pub rooms_passing_ratio: Option<f64>,
    /// Mean over the flats of kelvin-hours below the minimum.
    pub kelvin_hours_below: Option<f64>,
    /// Mean temperature of heated rooms.
    pub room_mean_celsius: Option<f64>,
    /// Scatter of the flats' mean temperatures.
    pub room_scatter_kelvins: Option<f64>,
    /// Root mean square of setpoint minus true supply while heating.
    pub supply_rmse_kelvins: Option<f64>,
    /// What the absolute value of that error stays below for 95 % of the time.
    pub supply_p95_kelvins: Option<f64>,
    /// Full valve strokes a day, mean over the circuits.
    pub valve_strokes_per_day: f64,
    /// Changes of the valve command's direction an hour while heating, of the worst circuit.
    pub valve_reversals_per_hour: f64,
    /// Times that a supply loop began to hunt, all circuits together.
    pub hunting_events: u64,
    /// Primary return temperature, weighted with heat.
    pub primary_return_celsius: f64,
    /// The highest hourly mean of heat.
    pub peak_hour_kilowatts: f64,
    /// The same per heated area.
    pub peak_hour_watts_per_square_meter: f64,
    /// Confirmed outages.
    pub outages: usize,
    /// The operation accident rate of the season in ‰, three decimals.
    pub accident_rate_per_mille: String,
    /// Alarms that were raised.
    pub alarms_raised: u64,
}

/// Sums that become figures.
#[derive(Debug, Default)]
pub struct Tally {
    seconds: u64,
    outdoor_sum: f64,
    settled: Vec<u64>,
    tracking: Vec<Tracking>,
    return_weighted: f64,
    heat_sum: f64,
    hour_sum: f64,
    hour_seconds: u64,
    peak_hour: f64,
    flats: Vec<FlatTally>,
    start: Option<Start>,
    book: OutageBook,
    alarms: u64,
}

#[derive(Debug, Default, Clone)]
struct FlatTally {
    area: f64,
    looks: u64,
    passing: u64,
    kelvin_hours: f64,
    sum: f64,
}

#[derive(Debug)]
struct Start {
    electricity: f64,
    make_up: f64,
    heat: f64,
    travel: f64,
}

fn heat_energy(truth: &Truth) -> f64 {
    truth.circuits.iter().map(|circuit| circuit.heat_energy.0).sum()
}

fn make_up(truth: &Truth) -> f64 {
    truth.circuits.iter().map(|circuit| circuit.make_up_volume.0).sum()
}

fn travel(truth: &Truth) -> f64 {
    truth.circuits.iter().map(|circuit| circuit.valve_travel).sum()
}

impl Tally {
    /// Takes note of one second.
    pub fn note(&mut self, settings: &Settings, truth: &Truth, report: &Report) {
        let start = Start {
            electricity: truth.electric_energy.0,
            make_up: make_up(truth),
            heat: heat_energy(truth),
            travel: travel(truth),
        };
        self.start.get_or_insert(start);
        self.settled.resize(truth.circuits.len(), 0);
        for circuit in settings.circuits.iter().skip(self.tracking.len()) {
            self.tracking.push(Tracking::new(circuit.supply_loop.integral_time.as_secs_f64()));
        }
        for event in &report.events {
            self.book.note(event);
            self.alarms += u64::from(event.kind() == "alarm_raised");
        }
        self.outdoor_sum += truth.outdoor.0;
        for (number, (circuit, decided)) in truth.circuits.iter().zip(&report.circuits).enumerate() {
            self.heat_sum += circuit.heat.0;
            self.return_weighted += circuit.heat.0 * circuit.primary_return.0;
            let heating = decided.stage == Stage::Heating && decided.trips.is_empty();
            self.settled[number] = if heating { self.settled[number] + 1 } else { 0 };
            match &decided.commands {
                Some(commands) if self.settled[number] > LOOP_SETTLED => {
                    let (setpoint, travel) = (decided.setpoint.value, circuit.valve_travel);
                    self.tracking[number].note(setpoint, circuit.supply, commands.valve_position, travel);
                }
                Some(_) | None => self.tracking[number].pause(),
            }
        }
        self.note_peak(truth);
        // The rooms of the first two days carry the summer's warmth or the site's cold, not the control's work.
        if self.seconds >= 2 * 86_400 && self.seconds.is_multiple_of(ROOMS_EVERY) {
            self.note_rooms(settings, truth);
        }
        self.seconds += 1;
    }

    fn note_peak(&mut self, truth: &Truth) {
        self.hour_sum += truth.circuits.iter().map(|circuit| circuit.heat.0).sum::<f64>();
        self.hour_seconds += 1;
        if self.hour_seconds == 3600 {
            self.peak_hour = self.peak_hour.max(self.hour_sum / 3600.0);
            (self.hour_sum, self.hour_seconds) = (0.0, 0);
        }
    }

    fn note_rooms(&mut self, settings: &Settings, truth: &Truth) {
        let minimum: Celsius = settings.profile.dwelling_min.value;
        let flats = truth.circuits.iter().flat_map(|circuit| &circuit.flats);
        for (number, flat) in flats.enumerate() {
            if self.flats.len() <= number {
                self.flats.push(FlatTally { area: flat.area_m2, ..FlatTally::default() });
            }
            if flat.shut {
                continue;
            }
            let tally = &mut self.flats[number];
            tally.looks += 1;
            tally.sum += flat.temperature.0;
            tally.passing += u64::from(flat.temperature >= minimum);
            tally.kelvin_hours += (minimum - flat.temperature).0.max(0.0) * ROOMS_EVERY as f64 / 3600.0;
        }
    }

    /// The outages so far.
    pub fn book(&self) -> &OutageBook {
        &self.book
    }

    /// The figures so far.
    ///
    /// # Errors
    /// A station without area or season has no accident rate.
    pub fn figures(&self, settings: &Settings, truth: &Truth, now: UtcMillis) -> Result<Figures, NoRate> {
        let rate: AccidentRate =
            accident_rate(&settings.profile.accident_rate, &self.book, settings.heated_area, settings.season, now)?;
        let area = settings.heated_area.square_meters();
        let days = self.seconds as f64 / 86_400.0;
        let since = |now: f64, start: fn(&Start) -> f64| now - self.start.as_ref().map_or(now, start);
        let heat = since(heat_energy(truth), |start| start.heat);
        let water = since(make_up(truth), |start| start.make_up);
        let strokes = since(travel(truth), |start| start.travel) / truth.circuits.len().max(1) as f64;
        let rooms = self.rooms();
        let together = Tracking::together(&self.tracking);
        let loops = || self.tracking.iter().map(Tracking::figures);
        Ok(Figures {
            days,
            outdoor_mean_celsius: self.outdoor_sum / self.seconds.max(1) as f64,
            heat_gigajoules: heat / 1e9,
            heat_gigajoules_per_square_meter: heat / 1e9 / area,
            electricity_kilowatt_hours: since(truth.electric_energy.0, |start| start.electricity) / 3.6e6,
            make_up_cubic_meters: water,
            make_up_kilograms_per_square_meter: water * 1000.0 / area,
            room_pass_ratio: rooms.as_ref().map(|rooms| rooms.pass),
            rooms_passing_ratio: rooms.as_ref().map(|rooms| rooms.flats_passing),
            kelvin_hours_below: rooms.as_ref().map(|rooms| rooms.kelvin_hours),
            room_mean_celsius: rooms.as_ref().map(|rooms| rooms.mean),
            room_scatter_kelvins: rooms.as_ref().map(|rooms| rooms.scatter),
            supply_rmse_kelvins: together.map(|(rmse, _)| rmse),
            supply_p95_kelvins: together.map(|(_, p95)| p95),
            valve_strokes_per_day: strokes / days.max(1e-9),
            valve_reversals_per_hour: loops().map(|figures| figures.reversals_per_hour).fold(0.0, f64::max),
            hunting_events: loops().map(|figures| figures.hunting_events).sum(),
            primary_return_celsius: self.return_weighted / self.heat_sum.max(1.0),
            peak_hour_kilowatts: self.peak_hour / 1e3,
            peak_hour_watts_per_square_meter: self.peak_hour / area,
            outages: self.book.outages().count(),
            accident_rate_per_mille: rate.per_mille(),
            alarms_raised: self.alarms,
        })
    }

    /// What became of the rooms; nothing can be said of a run of two days or less.
    fn rooms(&self) -> Option<RoomFigures> {
        let heated: Vec<&FlatTally> = self.flats.iter().filter(|flat| flat.looks > 0).collect();
        if heated.is_empty() {
            return None;
        }
        let weight: f64 = heated.iter().map(|flat| flat.area * flat.looks as f64).sum::<f64>().max(1e-9);
        let weighted = |value: fn(&FlatTally) -> f64| heated.iter().map(|flat| flat.area * value(flat)).sum::<f64>();
        let count = heated.len().max(1) as f64;
        let means = || heated.iter().map(|flat| flat.sum / flat.looks as f64);
        let plain_mean = means().sum::<f64>() / count;
        Some(RoomFigures {
            pass: weighted(|flat| flat.passing as f64) / weight,
            flats_passing: heated.iter().filter(|f| f.passing as f64 >= 0.98 * f.looks as f64).count() as f64 / count,
            kelvin_hours: heated.iter().map(|flat| flat.kelvin_hours).sum::<f64>() / count,
            mean: weighted(|flat| flat.sum) / weight,
            scatter: (means().map(|mean| (mean - plain_mean).powi(2)).sum::<f64>() / count).sqrt(),
        })
    }
}

struct RoomFigures {
    pass: f64,
    flats_passing: f64,
    kelvin_hours: f64,
    mean: f64,
    scatter: f64,
}
