//! The outdoor temperature: sources, their doubts, smoothing.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins, Ratio};
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
    /// How much warmer than the meteorological service the sensor may be before the service is taken: sun on the sensor.
    pub sun_excess: Kelvins,
    /// How long that must last before the sensor is no longer believed at all.
    pub sun_after: Duration,
    /// A sensor that has not moved for this long is no longer believed; zero never.
    pub frozen_after: Duration,
    /// How fast the service's bias is learnt against the sensor: its share of an hour.
    pub bias_per_hour: Ratio,
    /// A forecast that was issued longer ago than this is not used.
    pub forecast_age_max: Duration,
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
            // More than 5 K between sensor and weather model for 2 h: take the model and its learnt bias.
            sun_excess: Kelvins(5.0),
            sun_after: Duration::from_secs(2 * 3600),
            // The rule of the room sensors: less than 0.05 K in a day is no weather.
            frozen_after: Duration::from_secs(24 * 3600),
            // 0.1 to 0.3 an hour.
            bias_per_hour: Ratio(0.2),
            forecast_age_max: Duration::from_secs(12 * 3600),
        }
    }
}
