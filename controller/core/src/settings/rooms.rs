//! Room sensors and room feedback.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins, Ratio};
use serde::{Deserialize, Serialize};

/// When a room sensor is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoomSensorSettings {
    /// How often a sensor reports. One that has been lost for two of these is silent.
    pub report_interval: Duration,
    /// Below this a sensor hangs in the snow.
    pub range_min: Celsius,
    /// Above this it lies on a radiator.
    pub range_max: Celsius,
    /// A value that has not moved for this long, while the other rooms did, stands.
    pub stuck_after: Duration,
    /// The longest that a window counts as open; from then on the room is a cold room.
    pub window_longest: Duration,
    /// A flat that is colder than the others by more than this in the long run may be one whose valve is closed.
    pub closed_below: Kelvins,
    /// The largest share of sensors that may be left out for reading cold.
    pub cold_masked_max: Ratio,
    /// The most that is put to a sensor's own account when it deviates more than flats do.
    pub correction_max: Kelvins,
}

impl Default for RoomSensorSettings {
    fn default() -> Self {
        RoomSensorSettings {
            // Sensors report every 15 to 60 min.
            report_interval: Duration::from_secs(15 * 60),
            range_min: Celsius(5.0),
            range_max: Celsius(35.0),
            stuck_after: Duration::from_secs(24 * 3600),
            window_longest: Duration::from_secs(6 * 3600),
            closed_below: Kelvins(3.0),
            // One flat in seven may stand empty, one sensor in twenty reads cold by its own fault, and now and then a
            // window is open: together a quarter. A third is that with the scatter of ten sensors on top.
            cold_masked_max: Ratio(1.0 / 3.0),
            correction_max: Kelvins(1.5),
        }
    }
}

/// Room feedback: a slow PI on the level of the curve, fed by an estimate of the coldest rooms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoomTrimSettings {
    /// Share of rooms that may stay below their minimum: the tail that the estimate looks at.
    pub cold_share: Ratio,
    /// How many standard errors of the estimate are kept as a margin (0.8 to 1.3).
    pub confidence: f64,
    /// How much flats of one circuit usually differ: what the estimate believes before it has seen many sensors.
    pub scatter_prior: Kelvins,
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
    /// Fewer sensors than this, and the trim decays to zero.
    pub sensors_min: usize,
}

impl Default for RoomTrimSettings {
    fn default() -> Self {
        RoomTrimSettings {
            cold_share: Ratio(0.02),
            confidence: 1.0,
            scatter_prior: Kelvins(1.2),
            gain: 0.5,
            integral_time: Duration::from_secs(48 * 3600),
            lower_max: Kelvins(3.0),
            raise_max: Kelvins(3.0),
            raise_rate: Kelvins(0.5),
            lower_rate: Kelvins(0.1),
            // The documents ask for three a station; one of them may be lost. Two say little, and the margin knows it.
            sensors_min: 2,
        }
    }
}
