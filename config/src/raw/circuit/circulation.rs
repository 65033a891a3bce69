//! The circulation pumps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::raw::{Count, Number};
use crate::written::Written;

/// The circulation pumps.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawCirculation {
    /// How many there are, 1 to 3.
    pub pumps: Count,
    /// How many of them run at a time.
    pub duty: Count,
    /// How the speed is found.
    pub mode: Option<Written<RawCirculationMode>>,
    /// With `fixed-speed`: share of the nominal speed.
    pub speed_ratio: Number,
    /// With `differential-pressure`: the difference of supply and return to hold.
    pub differential_pressure_kilopascals: Number,
    /// With `differential-pressure`: speed per kilopascal of error, as a share of the nominal speed.
    pub gain_per_kilopascal: Number,
    /// With `differential-pressure`: integral time.
    pub integral_time_seconds: Number,
    /// The lowest speed, as a share of the nominal.
    pub speed_min_ratio: Number,
    /// The highest speed.
    pub speed_max_ratio: Number,
    /// The speed while the measured pressure difference is lost.
    pub speed_fallback_ratio: Number,
    /// Fastest change of speed, share of the nominal a second.
    pub ramp_ratio_per_second: Number,
    /// A pump that was told to run must be proven within this.
    pub proof_within_seconds: Number,
    /// A failed pump is tried again after this.
    pub retry_after_minutes: Number,
    /// The duty changes after this running time; 0 never.
    pub rotate_after_hours: Number,
    /// Least time off before a pump is started again.
    pub off_min_seconds: Number,
    /// The least flow that proves circulation, where a flow meter is fitted.
    pub flow_min_m3_per_hour: Number,
    /// The least pressure difference that proves circulation, where one is measured.
    pub differential_pressure_min_kilopascals: Number,
}

/// How the circulation speed is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawCirculationMode {
    /// Always the same speed.
    FixedSpeed,
    /// A constant pressure difference between supply and return.
    DifferentialPressure,
}
