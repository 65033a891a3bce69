//! The strategies that are compared, and the doors by which each may act.
//!
//! A strategy is the station's settings, changed, and a pilot. A pilot sees the readings that the control is about to see and
//! may change them (an operator who reads the thermometer once a day) or file wishes; it never sees the plant. The oracle
//! alone is shown the truth, by [`Oracle::look`], a door that no other strategy has.

use heatstation_core::heating_curve::Curve;
use heatstation_core::request::{Origin, Request, Wish};
use heatstation_core::settings::{
    CirculationMode, EquivalentOutdoorSettings, FarSettings, FlowLaw, LoadLine, Settings, StagedFlow,
};
use heatstation_points::{Celsius, CircuitIndex, Kelvins, Ratio, Reading, Readings};
use heatstation_simulator::Truth;
use heatstation_simulator::weather::Uncertainty;
use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::commission::Tuning;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// B0: the curve as it is found, too warm by what somebody once added, set once a day by yesterday's weather. Its pumps
    /// turn at one speed, as those of B1 and B2 do.
    AsFound,
    /// B1: an expert's curve, tuned on the season before with the same sensors, then frozen.
    Expert,
    /// B2: B1 with building mass, sun, wind and forecast: the best open practice.
    BestOpen,
    /// This program as configured: B2's weather, live room feedback, pumps by load.
    Station,
    /// A bound: the true coldest flats are known and ridden.
    Oracle,
}

impl Strategy {
    /// All of them, in the order of the table.
    pub const ALL: [Strategy; 5] =
        [Strategy::AsFound, Strategy::Expert, Strategy::BestOpen, Strategy::Station, Strategy::Oracle];

    /// The short name in tables and files.
    pub const fn name(self) -> &'static str {
        match self {
            Strategy::AsFound => "B0 as found",
            Strategy::Expert => "B1 expert",
            Strategy::BestOpen => "B2 weather",
            Strategy::Station => "heatstation",
            Strategy::Oracle => "ORACLE",
        }
    }

    /// The settings by which it runs a station: level and slope are its own, `shift` moves it along its front.
    pub fn settings(self, base: &Settings, tuning: &Tuning, shift: Kelvins) -> Settings {
        let mut settings = base.clone();
        if self == Strategy::AsFound {
            // What its operator writes down once a day stands still, and that is no fault of the thermometer.
            settings.outdoor.frozen_after = Duration::ZERO;
        }
        let level = match self {
            Strategy::AsFound => tuning.as_found,
            Strategy::Expert | Strategy::BestOpen | Strategy::Station | Strategy::Oracle => tuning.level,
        };
        for circuit in &mut settings.circuits {
            circuit.room_target = circuit.room_target + level + shift;
            scale(&mut circuit.curve, tuning.slope);
            if self != Strategy::Station {
                circuit.room_trim.lower_max = Kelvins(0.0);
                circuit.room_trim.raise_max = Kelvins(0.0);
            }
            match self {
                Strategy::AsFound | Strategy::Expert => {}
                Strategy::BestOpen => feel_the_weather(&mut circuit.weather),
                Strategy::Station => {
                    feel_the_weather(&mut circuit.weather);
                    let pumps = &mut circuit.circulation;
                    let design = circuit.design_flow;
                    (pumps.mode, pumps.flow_floor) =
                        (by_load(pumps.mode, &circuit.curve), design.map(|flow| flow * FLOW_MIN));
                    // Its level is not the curve's but the rooms': the front is walked by what the rooms are to have.
                    for room in &mut circuit.rooms {
                        room.minimum = room.minimum + shift;
                    }
                }
                Strategy::Oracle => {
                    // The bound is not held back by what bounds people.
                    circuit.envelope.lower_max = Kelvins(60.0);
                    circuit.envelope.raise_max = Kelvins(40.0);
                    circuit.envelope.frost_lower_max = Kelvins(60.0);
                    circuit.envelope.rate_per_minute = Kelvins(10.0);
                    circuit.supply.rise_per_hour = Kelvins(60.0);
                    circuit.supply.fall_per_hour = Kelvins(60.0);
                }
            }
        }
        settings
    }

    /// By how much its coldest flats move when it is moved along its front: a curve's level is felt in part, what is
    /// regulated by the rooms is felt whole.
    pub const fn front_follows(self) -> f64 {
        match self {
            Strategy::AsFound | Strategy::Expert | Strategy::BestOpen => 0.7,
            Strategy::Station | Strategy::Oracle => 1.0,
        }
    }

    /// What it hears of the meteorological service.
    pub const fn forecast(self) -> Option<Uncertainty> {
        match self {
            Strategy::AsFound | Strategy::Expert | Strategy::Oracle => None,
            Strategy::BestOpen | Strategy::Station => Some(Uncertainty::Medium),
        }
    }

    /// Who sits beside the control, moved along the front by `shift`.
    pub fn pilot(self, shift: Kelvins) -> Pilot {
        match self {
            Strategy::AsFound => Pilot::Daily(Daily::default()),
            Strategy::Expert | Strategy::BestOpen | Strategy::Station => Pilot::Nobody,
            Strategy::Oracle => Pilot::Oracle(Oracle { integral: 0.0, shift }),
        }
    }
}

/// Half of a building's loss feels the weather late, through walls; sun is worth 0.6 to 1.5 K per 100 W/m² and is taken at
/// the low end, because rooms on the north side do not see it.
fn feel_the_weather(weather: &mut EquivalentOutdoorSettings) {
    weather.light_share = Ratio(0.5);
    weather.building = Duration::from_secs(36 * 3600);
    weather.solar_gain = 0.006;
    weather.wind_gain = 0.1;
}

/// Below this share of the design flow near buildings take all there is.
const FLOW_MIN: f64 = 0.4;

/// Pumps that turned at one speed let the flow follow the load, φ = q^(1/3), with that speed for the full load.
///
/// A network that nobody has balanced has far returns below the others at any flow; there it is the rooms that say whether
/// the far ones go short, and the returns are not asked.
fn by_load(mode: CirculationMode, curve: &Curve) -> CirculationMode {
    let (CirculationMode::FixedSpeed { speed }, Curve::Emitter(curve)) = (mode, curve) else { return mode };
    CirculationMode::StagedFlow(StagedFlow {
        full_speed: speed,
        law: FlowLaw::CubeRoot,
        load: LoadLine { room: curve.design_room, design_outdoor: curve.design_outdoor },
        hold: Duration::ZERO,
        far: FarSettings { ignored: usize::MAX, ..FarSettings::default() },
    })
}

/// Bends the curve: the excess of water over room is multiplied, so that the level at the room's own temperature stays.
fn scale(curve: &mut Curve, slope: f64) {
    match curve {
        Curve::Emitter(curve) => {
            let room = curve.design_room;
            curve.design_supply = room + (curve.design_supply - room) * slope;
            curve.design_return = room + (curve.design_return - room) * slope;
        }
        Curve::Points(curve) => {
            let room = curve.room;
            for (_, supply) in &mut curve.points {
                *supply = room + (*supply - room) * slope;
            }
        }
    }
}

/// Who sits beside the control.
#[derive(Clone, Debug)]
pub enum Pilot {
    /// Nobody: the control runs by itself.
    Nobody,
    /// An operator who sets the heating once a day.
    Daily(Daily),
    /// Who knows everything.
    Oracle(Oracle),
}

impl Pilot {
    /// Looks over what the control is about to see, at this second, and may change it.
    pub fn see(&mut self, second: u64, readings: &mut Readings) {
        match self {
            Pilot::Nobody | Pilot::Oracle(_) => {}
            Pilot::Daily(daily) => daily.see(second, readings),
        }
    }
}

/// The operator of an unattended curve: he looks at yesterday's mean outdoor temperature each morning, and the control heats by
/// that for a day.
#[derive(Clone, Copy, Debug, Default)]
pub struct Daily {
    sum: f64,
    count: u64,
    held: Option<Celsius>,
    measured: Option<Celsius>,
}

impl Daily {
    fn see(&mut self, second: u64, readings: &mut Readings) {
        let outdoor = &mut readings.station.outdoor_temperature;
        // What he put there himself a second ago is no measurement.
        if let Some(value) = outdoor.fresh().filter(|value| Some(*value) != self.held) {
            self.measured = Some(value);
        }
        if let Some(value) = self.measured {
            self.sum += value.0;
            self.count += 1;
        }
        if second.is_multiple_of(86_400) && self.count > 0 {
            self.held = Some(Celsius(self.sum / self.count as f64));
            (self.sum, self.count) = (0.0, 0);
        }
        if let Some(held) = self.held {
            *outdoor = Reading::good(held);
        }
    }
}

/// How often the oracle looks: s.
const LOOK_EVERY: u64 = 900;
/// Supply kelvins per kelvin of the coldest flats, and the integral time: s. A flat answers a change of supply by 0.05 K in
/// an hour and 0.83 K in a day (of 5 K); found by trial as the fastest that does not oscillate on any plant of the family.
const ORACLE_GAIN: f64 = 8.0;
const ORACLE_INTEGRAL: f64 = 36.0 * 3600.0;
/// Share of area that may be colder than the minimum, and a hair of distance.
const RIDDEN: (f64, f64) = (0.02, 0.05);

/// Knows the true temperature of every flat and rides the coldest share of them along the minimum.
#[derive(Clone, Copy, Debug)]
pub struct Oracle {
    integral: f64,
    shift: Kelvins,
}

impl Oracle {
    /// Looks at the truth; what it wishes, if it is time.
    pub fn look(&mut self, second: u64, truth: &Truth, minimum: Celsius) -> Option<Request> {
        if !second.is_multiple_of(LOOK_EVERY) {
            return None;
        }
        let coldest = quantile(truth, RIDDEN.0)?;
        let error = (minimum + self.shift - coldest).0 + RIDDEN.1;
        self.integral = (self.integral + error * ORACLE_GAIN * LOOK_EVERY as f64 / ORACLE_INTEGRAL).clamp(-30.0, 20.0);
        let by = Kelvins((error * ORACLE_GAIN + self.integral).clamp(-30.0, 20.0));
        Some(Request {
            origin: Origin::Operator,
            author: "oracle".to_owned(),
            reason: "rides the coldest flats".to_owned(),
            wish: Wish::ShiftSupply { circuit: CircuitIndex(0), by, lasts: Duration::from_secs(2 * LOOK_EVERY) },
        })
    }
}

/// The temperature that this share of the heated area is colder than.
fn quantile(truth: &Truth, share: f64) -> Option<Celsius> {
    let mut flats: Vec<(f64, f64)> = truth
        .circuits
        .iter()
        .flat_map(|circuit| &circuit.flats)
        .filter(|flat| !flat.shut)
        .map(|flat| (flat.temperature.0, flat.area_m2))
        .collect();
    flats.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all: f64 = flats.iter().map(|(_, area)| area).sum();
    let mut colder = 0.0;
    for (temperature, area) in flats {
        colder += area;
        if colder >= share * all {
            return Some(Celsius(temperature));
        }
    }
    None
}
