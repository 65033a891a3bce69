//! The circulation pumps.

use std::time::Duration;

use heatstation_points::{CubicMetersPerSecond, Pascals, Ratio};
use serde::{Deserialize, Serialize};

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
