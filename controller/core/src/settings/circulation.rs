//! The circulation pumps.

use std::time::Duration;

use heatstation_points::{CubicMetersPerSecond, Pascals, Ratio};
use serde::{Deserialize, Serialize};

use super::circulation_speed::{StagedFlow, TemperatureDifference, TrimRespond, WorstPoint};
use crate::moment::Weekday;

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
    /// A pressure difference that grows with the flow.
    ProportionalPressure {
        /// The difference at no flow.
        low: Pascals,
        /// The difference at the design flow.
        design: Pascals,
        /// The design flow.
        design_flow: CubicMetersPerSecond,
        /// 1 straight, 2 as the pipes' own losses (Grundfos: the square saves most).
        exponent: f64,
        /// Speed per pascal of error.
        gain_per_pascal: f64,
        /// Integral time.
        integral_time: Duration,
    },
    /// The pressure difference at the worst-placed building, by way of the station's own.
    WorstPoint(WorstPoint),
    /// A pressure difference that creeps down until far buildings complain.
    TrimRespond(TrimRespond),
    /// The temperature difference of supply and return.
    TemperatureDifference(TemperatureDifference),
    /// The flow follows the load, in stages or smoothly.
    StagedFlow(StagedFlow),
    /// A constant supply pressure, as many Chinese stations have it.
    SupplyPressure {
        /// The pressure to hold.
        setpoint: Pascals,
        /// Speed per pascal of error.
        gain_per_pascal: f64,
        /// Integral time.
        integral_time: Duration,
    },
}

/// How one pump hands over to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeOver {
    /// The next pump runs beside the old one until it is proven: circulation stays proven.
    Overlap,
    /// The old pump ramps down and stands; the next starts after a pause. For two pumps on one drive, or without check
    /// valves. Circulation is away meanwhile, so the primary valve closes.
    Pause {
        /// How long both stand (Danfoss ECL: 0 to 99 s, 5).
        wait: Duration,
    },
}

/// A fixed time of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeOfWeek {
    /// The day.
    pub weekday: Weekday,
    /// Minutes since midnight.
    pub minute_of_day: u16,
}

/// Pumps that help when those on duty do not suffice.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assist {
    /// How many may join.
    pub pumps: usize,
    /// One joins when the pumps on duty have stood at their highest speed for this long.
    pub join_after: Duration,
    /// One leaves when the speed has stood below this share of the highest.
    pub leave_below: Ratio,
    /// For this long.
    pub leave_after: Duration,
}

/// Idle pumps turn now and then, or they seize.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exercise {
    /// A pump that has stood for this long is turned; zero never.
    pub every: Duration,
    /// For this long.
    pub lasts: Duration,
}

impl Default for Exercise {
    fn default() -> Self {
        // 30 s every three days; Siemens RVL481 and RVD turn them for 30 s a week, Samson for a minute a day.
        Exercise { every: Duration::from_secs(72 * 3600), lasts: Duration::from_secs(30) }
    }
}

/// The circulation pumps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CirculationSettings {
    /// How many pumps there are, 1 to 3.
    pub pumps: usize,
    /// How many of them run at a time.
    pub duty: usize,
    /// Those that may join.
    pub assist: Option<Assist>,
    /// How the speed is found.
    pub mode: CirculationMode,
    /// The lowest speed: below 25 Hz of 50 a wet-rotor's cooling and a seal's film suffer.
    pub speed_min: Ratio,
    /// The highest speed.
    pub speed_max: Ratio,
    /// The speed while what the mode needs is lost for long.
    pub speed_fallback: Ratio,
    /// How long an estimate stands in for a lost pressure before that.
    pub estimate_for: Duration,
    /// Fastest change of speed, 1/s (0.5 Hz/s of 50 Hz).
    pub ramp_per_second: f64,
    /// The least flow that a mode may ask for by itself; none where the users' valves make the flow.
    pub flow_floor: Option<CubicMetersPerSecond>,
    /// A pump that was told to run must be proven within this (Danfoss ECL: 15 s).
    pub proof_within: Duration,
    /// A failed pump is tried again after this (Danfoss ECL: 20 min).
    pub retry_after: Duration,
    /// After so many failures in a row a pump waits for a person.
    pub retries_max: u8,
    /// The duty changes after this running time (Siemens: 168 h); zero never.
    pub rotate_after: Duration,
    /// The duty changes at this time of the week too.
    pub rotate_at: Option<TimeOfWeek>,
    /// How it changes.
    pub change_over: ChangeOver,
    /// Least time off before a pump is started again.
    pub off_min: Duration,
    /// Least time on before a pump is stopped because it is not needed.
    pub on_min: Duration,
    /// What keeps idle pumps from seizing.
    pub exercise: Exercise,
    /// The least flow that proves circulation, where a flow meter is fitted.
    pub flow_min: CubicMetersPerSecond,
    /// The least pressure difference that proves circulation, where one is measured.
    pub differential_pressure_min: Pascals,
}
