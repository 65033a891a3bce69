//! The outdoor temperature: sources, smoothing.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins};
use serde::{Deserialize, Serialize};

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
