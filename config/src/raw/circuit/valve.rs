//! The primary valve and its loop.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::raw::Number;

/// The loop from supply temperature to valve.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawSupplyLoop {
    /// Valve travel per kelvin, as a share of the stroke.
    pub gain_per_kelvin: Number,
    /// Integral time.
    pub integral_time_seconds: Number,
    /// Time between two decisions.
    pub sample_time_seconds: Number,
    /// Wished travel below which the valve is left alone, as a share of the stroke.
    pub dead_band_ratio: Number,
}

/// The primary valve.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawValve {
    /// The smallest opening while heating, 0 to 1.
    pub position_min_ratio: Number,
    /// The largest opening, 0 to 1.
    pub position_max_ratio: Number,
    /// Time from closed to open.
    pub stroke_time_seconds: Number,
    /// Difference of command and feedback that counts as not following, 0 to 1.
    pub deviation_max_ratio: Number,
}
