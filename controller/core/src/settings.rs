//! What a station is and how it is to be run: checked, complete, in base units. `config` makes it from files.
//!
//! Settings, state and requests are three things; none is stored inside another. Every default below names its source.

use std::time::Duration;

use heatstation_points::{Celsius, CubicMetersPerSecond, Kelvins, Meters, Pascals, Ratio, Watts};
use serde::{Deserialize, Serialize};

use crate::area::Area;
use crate::heating_curve::Curve;
use crate::moment::UtcMillis;
use crate::profile::Profile;
use crate::schedule::Schedule;

/// A station.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The stable id, as in `k12`.
    pub station: String,
    /// The area that is due normal supply, the denominator of the accident rate.
    pub heated_area: Area,
    /// The outdoor temperature that the buildings were designed for.
    pub design_outdoor: Celsius,
    /// When heat is due.
    pub season: Season,
    /// What the service standard asks.
    pub profile: Profile,
    /// Where the outdoor temperature comes from and how it is smoothed.
    pub outdoor: OutdoorSettings,
    /// The circuits.
    pub circuits: Vec<CircuitSettings>,
}

/// The heating season: from 00:00 of the first day to 24:00 of the last, in the station's local time.
///
/// Heat is due from the first moment, so a station begins some days earlier: water and walls take that long to warm up
/// (热态调试). What happens before the first day is no outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Season {
    /// When the station begins to heat; not after `start`. Three days before it unless configured otherwise.
    pub heating_from: UtcMillis,
    /// The first moment of the first day.
    pub start: UtcMillis,
    /// The first moment after the last day.
    pub end: UtcMillis,
}

impl Season {
    /// Whether heat is due at that time.
    pub fn contains(&self, time: UtcMillis) -> bool {
        self.start <= time && time < self.end
    }

    /// Whether the station heats at that time.
    pub fn heats(&self, time: UtcMillis) -> bool {
        self.heating_from <= time && time < self.end
    }

    /// The season's length.
    pub fn length(&self) -> Duration {
        self.end.since(self.start)
    }
}

/// The outdoor temperature.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutdoorSettings {
    /// Time constant of the smoothed outdoor temperature. Heavy single filters belong to the opaque part of a building
    /// alone; for lower-tail comfort 0 to 6 h was best in a study of three climates.
    pub filter: Duration,
    /// How long the last good value is carried on after all sensors are lost.
    pub hold: Duration,
    /// What is assumed after that: the frost side, so that heat is delivered.
    pub fallback: Celsius,
    /// How far the two sensors may differ before the colder one is taken and an alarm is raised.
    pub disagreement: Kelvins,
}

impl Default for OutdoorSettings {
    fn default() -> Self {
        OutdoorSettings {
            filter: Duration::from_secs(2 * 3600),
            // The ageing of a filtered value in the European controllers' failure ladders.
            hold: Duration::from_secs(6 * 3600),
            // Siemens RVL481: 0 °C after loss of the outdoor sensor.
            fallback: Celsius(0.0),
            disagreement: Kelvins(5.0),
        }
    }
}

/// One circuit: an exchanger with its valve, pumps and make-up, and the buildings behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CircuitSettings {
    /// Its name, as in `low-zone`.
    pub name: String,
    /// The area that it heats.
    pub heated_area: Area,
    /// The buildings behind it, in the order of the catalogue.
    pub buildings: Vec<BuildingSettings>,
    /// The room sensors behind it, in the order of the catalogue.
    pub rooms: Vec<RoomSettings>,
    /// Outdoor temperature to supply temperature.
    pub curve: Curve,
    /// The room temperature that the curve aims at.
    pub room_target: Celsius,
    /// What the design flow is, for the measured flow ratio; none switches the correction off.
    pub design_flow: Option<CubicMetersPerSecond>,
    /// What the design heat load is.
    pub design_power: Watts,
    /// Room feedback.
    pub room_trim: RoomTrimSettings,
    /// Periods of the week with another room temperature.
    pub schedule: Schedule,
    /// Limits of the supply setpoint.
    pub supply: SupplySettings,
    /// The loop from supply temperature to valve.
    pub supply_loop: SupplyLoopSettings,
    /// The primary valve.
    pub valve: ValveSettings,
    /// The circulation pumps.
    pub circulation: CirculationSettings,
    /// Pressure holding; none where something else holds the pressure.
    pub make_up: Option<MakeUpSettings>,
    /// Interlocks.
    pub interlock: InterlockSettings,
    /// Frost protection.
    pub frost: FrostSettings,
    /// Detection of outages.
    pub outage: OutageSettings,
    /// What outside wishes may do.
    pub envelope: EnvelopeSettings,
}

/// A building.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BuildingSettings {
    /// Its name, as in `b3`.
    pub name: String,
    /// Its heated area.
    pub heated_area: Area,
}

/// A room sensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoomSettings {
    /// Its name, as in `a101`.
    pub name: String,
    /// The lowest temperature that the standard or the contract allows there.
    pub minimum: Celsius,
}

/// Room feedback: a slow PI on the level of the curve, fed by an estimate of the coldest rooms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoomTrimSettings {
    /// Share of rooms that may stay below their minimum: the tail that the estimate looks at.
    pub cold_share: Ratio,
    /// Curve level per kelvin of room error (0.5 to 1.5).
    pub gain: f64,
    /// Integral time (24 to 72 h, floor heating 48 to 96 h).
    pub integral_time: Duration,
    /// The most that the trim may lower the room target.
    pub lower_max: Kelvins,
    /// The most that the trim may raise the room target.
    pub raise_max: Kelvins,
    /// The fastest rise, K/h of room target.
    pub raise_rate: Kelvins,
    /// The fastest fall, K/h: slower than the rise, because a cold flat is worse than a warm one.
    pub lower_rate: Kelvins,
    /// Fewer fresh sensors than this, and the trim decays to zero.
    pub sensors_min: usize,
}

impl Default for RoomTrimSettings {
    fn default() -> Self {
        RoomTrimSettings {
            cold_share: Ratio(0.02),
            gain: 0.5,
            integral_time: Duration::from_secs(48 * 3600),
            lower_max: Kelvins(3.0),
            raise_max: Kelvins(3.0),
            raise_rate: Kelvins(0.5),
            lower_rate: Kelvins(0.1),
            sensors_min: 3,
        }
    }
}

/// Limits of the supply setpoint.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SupplySettings {
    /// The lowest setpoint while heating.
    pub min: Celsius,
    /// The highest setpoint.
    pub max: Celsius,
    /// The fastest rise of the setpoint, K/h. 10 to 30 K/h is usual in a cold season start.
    pub rise_per_hour: Kelvins,
    /// The fastest fall, K/h: contraction draws make-up water, about 46 L per K and 100 m³.
    pub fall_per_hour: Kelvins,
}

/// The loop from supply temperature to valve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SupplyLoopSettings {
    /// Valve travel per kelvin. 0.0125 (Danfoss ECL, Xp 80 K) held 0.09 to 0.24 K at 2.6 to 6.9 strokes a day.
    pub gain_per_kelvin: f64,
    /// Integral time.
    pub integral_time: Duration,
    /// Time between two decisions of the loop.
    pub sample_time: Duration,
    /// Wished travel below which the valve is left alone.
    pub dead_band: Ratio,
}

impl Default for SupplyLoopSettings {
    fn default() -> Self {
        SupplyLoopSettings {
            gain_per_kelvin: 0.0125,
            integral_time: Duration::from_secs(30),
            sample_time: Duration::from_secs(2),
            dead_band: Ratio(0.005),
        }
    }
}

/// The primary valve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValveSettings {
    /// The smallest opening while heating.
    pub position_min: Ratio,
    /// The largest opening.
    pub position_max: Ratio,
    /// Time from closed to open; the command never moves faster than the stem can.
    pub stroke_time: Duration,
    /// Difference of command and feedback that counts as not following.
    pub deviation_max: Ratio,
}

impl Default for ValveSettings {
    fn default() -> Self {
        ValveSettings {
            position_min: Ratio(0.0),
            position_max: Ratio(1.0),
            stroke_time: Duration::from_secs(120),
            deviation_max: Ratio(0.05),
        }
    }
}

/// How the circulation speed is found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CirculationMode {
    /// Always the same speed.
    FixedSpeed {
        /// Share of the nominal speed.
        speed: Ratio,
    },
    /// A constant pressure difference between supply and return.
    DifferentialPressure {
        /// The difference to hold.
        setpoint: Pascals,
        /// Speed per pascal of error.
        gain_per_pascal: f64,
        /// Integral time.
        integral_time: Duration,
    },
}

impl CirculationMode {
    /// The pressure difference that is held, if one is.
    pub fn setpoint(&self) -> Option<Pascals> {
        match self {
            CirculationMode::FixedSpeed { .. } => None,
            CirculationMode::DifferentialPressure { setpoint, .. } => Some(*setpoint),
        }
    }
}

/// The circulation pumps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CirculationSettings {
    /// How many pumps there are, 1 to 3.
    pub pumps: usize,
    /// How many of them run at a time.
    pub duty: usize,
    /// How the speed is found.
    pub mode: CirculationMode,
    /// The lowest speed: below 25 Hz of 50 a wet-rotor's cooling and a seal's film suffer.
    pub speed_min: Ratio,
    /// The highest speed.
    pub speed_max: Ratio,
    /// The speed while the measured pressure difference is lost.
    pub speed_fallback: Ratio,
    /// Fastest change of speed, 1/s (0.5 Hz/s of 50 Hz).
    pub ramp_per_second: f64,
    /// A pump that was told to run must be proven within this (Danfoss ECL: 15 s).
    pub proof_within: Duration,
    /// A failed pump is tried again after this (Danfoss ECL: 20 min).
    pub retry_after: Duration,
    /// The duty changes after this running time (Siemens: 168 h); zero never.
    pub rotate_after: Duration,
    /// Least time off before a pump is started again.
    pub off_min: Duration,
    /// The least flow that proves circulation, where a flow meter is fitted.
    pub flow_min: CubicMetersPerSecond,
    /// The least pressure difference that proves circulation, where one is measured.
    pub differential_pressure_min: Pascals,
}

/// How the make-up pumps hold the pressure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MakeUpMode {
    /// On below the start pressure, off above the setpoint.
    StartStop,
    /// Variable speed on the setpoint, asleep when nothing is asked.
    VariableSpeed,
}

/// Pressure holding by make-up water.
///
/// The pressures must be in this order, checked when the configuration is loaded: `protect < restart < start < setpoint <
/// relief_close < relief_open < trip`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MakeUpSettings {
    /// How many make-up pumps there are, 1 or 2.
    pub pumps: usize,
    /// How they are driven.
    pub mode: MakeUpMode,
    /// Make-up starts below this.
    pub start: Pascals,
    /// What make-up aims at; start/stop stops here.
    pub setpoint: Pascals,
    /// The relief valve closes below this.
    pub relief_close: Pascals,
    /// The relief valve opens above this.
    pub relief_open: Pascals,
    /// The longest continuous run. 20 to 30 min are usual for variable speed, 2 to 10 for a filling valve.
    pub run_max: Duration,
    /// The largest volume a day, in cubic metres.
    pub volume_per_day_max: f64,
    /// Below this the make-up pumps would run dry.
    pub tank_low: Meters,
    /// The inlet opens below this.
    pub tank_refill: Meters,
    /// The inlet closes above this.
    pub tank_full: Meters,
}

/// Interlocks of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct InterlockSettings {
    /// Above this supply temperature the valve closes.
    pub supply_trip: Celsius,
    /// It may open again this far below.
    pub supply_reset: Kelvins,
    /// How long the supply must be too hot. Together with reading and writing it stays inside 5 s.
    pub supply_trip_delay: Duration,
    /// How long circulation may be unproven before the valve closes.
    pub circulation_delay: Duration,
    /// How long circulation must be proven before the valve may open again.
    pub circulation_reset: Duration,
    /// Below this pressure at the holding point the circulation pumps stop: vapour and cavitation.
    pub pressure_protect: Pascals,
    /// From this pressure on they may start again.
    pub pressure_restart: Pascals,
    /// How long the pressure must be too low.
    pub pressure_delay: Duration,
    /// How long mains power must be back before anything starts, this station's stagger included.
    pub mains_return: Duration,
    /// Above this supply pressure make-up stops and, latched, circulation and heat with it.
    pub pressure_trip: Pascals,
    /// How long a bad supply sensor is bridged by holding the valve.
    pub sensor_hold: Duration,
    /// How long it may be bridged by a substitute after that.
    pub sensor_substitute: Duration,
    /// Where the valve goes when the supply is unknown and it is cold outside. Samson: 0.3; Siemens: 0.
    pub valve_safe_cold: Ratio,
    /// The outdoor temperature below which that position is taken; above it the valve closes.
    pub valve_safe_below: Celsius,
    /// Automatic resets an hour after which an over-temperature trip stays until a person resets it.
    pub trips_per_hour_max: u8,
}

/// Frost protection.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrostSettings {
    /// Below this outdoor temperature circulation stays on in every mode.
    pub outdoor: Celsius,
    /// Below this return temperature circulation and heat are demanded.
    pub water: Celsius,
    /// Heat is demanded until the water is this warm.
    pub water_restored: Celsius,
    /// The supply setpoint under frost demand.
    pub supply: Celsius,
}

impl Default for FrostSettings {
    fn default() -> Self {
        FrostSettings {
            outdoor: Celsius(3.0),
            // Siemens RVD: continuous pump and heat below 5 °C flow until above 7 °C.
            water: Celsius(5.0),
            water_restored: Celsius(10.0),
            // Samson TROVIS 5476: 20 °C flow under frost protection.
            supply: Celsius(20.0),
        }
    }
}

/// Detection of outages.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutageSettings {
    /// How long no heat must arrive before it is an outage; it then counts from its first cold moment.
    pub confirm_after: Duration,
    /// Supply below this is no heating.
    pub supply_floor: Celsius,
    /// Supply this far below its setpoint, with no heat taken from the primary side, is no heating either.
    pub undersupply: Kelvins,
    /// Heat below this share of the design load counts as none.
    pub power_floor: Ratio,
}

impl Default for OutageSettings {
    fn default() -> Self {
        OutageSettings {
            // The standards are silent; ten minutes is the documents' default detector.
            confirm_after: Duration::from_secs(600),
            supply_floor: Celsius(25.0),
            undersupply: Kelvins(10.0),
            power_floor: Ratio(0.02),
        }
    }
}

/// What outside wishes may do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnvelopeSettings {
    /// The most that a wish may lower the supply setpoint.
    pub lower_max: Kelvins,
    /// The most that a wish may raise it.
    pub raise_max: Kelvins,
    /// The fastest effect of a wish, K/min.
    pub rate_per_minute: Kelvins,
    /// The longest life of a wish.
    pub life_max: Duration,
    /// Below this outdoor temperature the heat floor holds.
    pub frost: Celsius,
    /// In frost a wish may lower the setpoint by no more than this.
    pub frost_lower_max: Kelvins,
}

impl Default for EnvelopeSettings {
    fn default() -> Self {
        EnvelopeSettings {
            lower_max: Kelvins(10.0),
            raise_max: Kelvins(6.0),
            rate_per_minute: Kelvins(1.0),
            life_max: Duration::from_secs(24 * 3600),
            frost: Celsius(0.0),
            frost_lower_max: Kelvins(3.0),
        }
    }
}
