//! Room feedback.

use std::time::Duration;

use heatstation_points::{Kelvins, Ratio};
use serde::{Deserialize, Serialize};

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
