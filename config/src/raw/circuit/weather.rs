//! Equivalent outdoor temperature and heating limit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::raw::Number;
use crate::written::Written;

/// What the buildings feel of the weather beside the smoothed outdoor temperature.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawWeather {
    /// Share of the loss that feels the weather at once, through windows and with air: 0.4 to 0.6. At 1 the slow path
    /// through walls is off.
    pub light_share_ratio: Number,
    /// Time constant of the slow path: light, medium, heavy buildings 10, 25, 50 h.
    pub building_hours: Number,
    /// How far ahead a forecast is looked at: the lag of emitters and network. 0 switches it off.
    pub look_ahead_hours: Number,
    /// The most that a forecast may move the outdoor temperature.
    pub forecast_max_kelvins: Number,
    /// Kelvins of outdoor temperature per 1000 W/m² of sunshine on a horizontal surface: 6 to 15 are usual. 0 switches it
    /// off.
    pub solar_kelvins_per_kilowatt_per_m2: Number,
    /// Time constant of the sun's effect.
    pub solar_hours: Number,
    /// The most that the sun may raise the equivalent outdoor temperature.
    pub solar_max_kelvins: Number,
    /// Kelvins of outdoor temperature per m/s of wind at 20 K between in and out: 0.1 to 0.4, for exposed or leaky
    /// buildings. 0 switches it off.
    pub wind_kelvins_per_meter_per_second: Number,
    /// The wind that the curve was set for; only what blows above it counts.
    pub wind_calm_meters_per_second: Number,
}

/// The heating limit.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawHeatingLimit {
    /// Above this outdoor temperature no heat is needed. 3 K below the room target unless written.
    pub limit_celsius: Number,
    /// Heat returns this far below.
    pub hysteresis_kelvins: Number,
    /// Where it may close the heat: `outside-season`, on the days around the legal season, or `always`, for a circuit
    /// without dwellings.
    pub scope: Option<Written<RawHeatingLimitScope>>,
}

/// Where a heating limit may close the heat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawHeatingLimitScope {
    /// On the days around the legal season.
    OutsideSeason,
    /// In the season too.
    Always,
}
