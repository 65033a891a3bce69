//! The primary valve and the loop that moves it.

use std::time::Duration;

use heatstation_points::Ratio;
use serde::{Deserialize, Serialize};

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
