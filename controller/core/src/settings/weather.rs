//! The weather beyond the thermometer: equivalent outdoor temperature, heating limit, the days around the season.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins, MetersPerSecond, Ratio};
use serde::{Deserialize, Serialize};

use crate::moment::UtcMillis;

/// What the buildings of a circuit feel of the weather. As it stands by default the curve follows the smoothed outdoor
/// temperature alone, and a forecast where one is given.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EquivalentOutdoorSettings {
    /// Share of the loss that feels the weather at once, through windows and with air: 0.4 to 0.6. One switches the slow
    /// path through walls off.
    pub light_share: Ratio,
    /// Time constant of the slow path: light, medium, heavy buildings 10, 25, 50 h (Siemens); the opaque part alone 24 to 72 h.
    pub building: Duration,
    /// How far ahead the forecast is looked at: the lag of emitters and network. Zero switches it off.
    pub look_ahead: Duration,
    /// The most that the forecast may move the outdoor temperature.
    pub forecast_max: Kelvins,
    /// Kelvins per W/m² of global sunshine, 0.006 to 0.025. Zero switches it off.
    pub solar_gain: f64,
    /// Time constant of the sun's effect: 3 to 4 h.
    pub solar_filter: Duration,
    /// The most that the sun may raise the equivalent temperature; rooms on the north side do not see it.
    pub solar_max: Kelvins,
    /// Kelvins per m/s of wind at 20 K between in and out, 0.1 to 0.4, for exposed or leaky buildings. Zero switches it off.
    pub wind_gain: f64,
    /// The wind that the curve was set for.
    pub wind_calm: MetersPerSecond,
}

impl Default for EquivalentOutdoorSettings {
    fn default() -> Self {
        EquivalentOutdoorSettings {
            light_share: Ratio::ONE,
            // Siemens RVL: a medium building; inside the 24 to 72 h of the opaque part.
            building: Duration::from_secs(25 * 3600),
            // Radiators 1 to 3 h, floors 4 to 8 h.
            look_ahead: Duration::from_secs(2 * 3600),
            // A cold wave of 15 K a day moves the mean of the next 6 h by 2 K.
            forecast_max: Kelvins(3.0),
            solar_gain: 0.0,
            solar_filter: Duration::from_secs(3600 * 7 / 2),
            // As much as the wind may take.
            solar_max: Kelvins(3.0),
            wind_gain: 0.0,
            // A leak of 0.75 + 0.1 v has its usual value at 2.5 m/s.
            wind_calm: MetersPerSecond(2.5),
        }
    }
}

/// Where a heating limit may close the heat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeatingLimitScope {
    /// On the days around the legal season alone: dwellings are owed heat on each day of it.
    OutsideSeason,
    /// In the season too: a circuit without dwellings, whose contract lets it.
    Always,
}

/// The heating limit (ECO).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeatingLimitSettings {
    /// Above this outdoor temperature no heat is needed.
    pub limit: Celsius,
    /// Heat returns this far below.
    pub hysteresis: Kelvins,
    /// Where it may close the heat.
    pub scope: HeatingLimitScope,
}

/// The days around the season on which the station may heat without being due to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShoulderSettings {
    /// Heat goes on until here; not before the season's end. None ends it with the season.
    pub heating_until: Option<UtcMillis>,
    /// From here on the weather may begin the heat; not after the planned beginning.
    pub earliest: Option<UtcMillis>,
    /// Until here the weather may carry the heat on; not before the planned end.
    pub latest: Option<UtcMillis>,
    /// Heat is wanted when the mean of five days is not above this.
    pub mean_limit: Celsius,
}

impl Default for ShoulderSettings {
    fn default() -> Self {
        ShoulderSettings {
            heating_until: None,
            earliest: None,
            latest: None,
            // GB 50736-2012: the heating period are the days with a mean steadily at or below 5 °C.
            mean_limit: Celsius(5.0),
        }
    }
}
