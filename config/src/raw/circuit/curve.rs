//! The heating curve and the periods of the week.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::raw::{Number, Text};
use crate::written::Written;

/// A point of a heating curve: outdoor and supply temperature.
pub type CurvePoint = Written<(f64, f64)>;

/// The heating curve: from the design figures of the emitters, or through points.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawCurve {
    /// Emitter exponent n.
    pub exponent: Number,
    /// A curve through points instead: 2 to 8 pairs of outdoor and supply temperature in °C, outdoor rising, supply
    /// falling.
    pub points_celsius: Option<Written<Vec<CurvePoint>>>,
    /// The room temperature that the points are meant for.
    pub points_room_celsius: Number,
    /// With points: supply kelvins per kelvin of wished room temperature.
    pub points_room_slope: Number,
    /// What is added to the supply in all weathers.
    pub level_kelvins: Number,
    /// What the load is multiplied with: steeper or flatter about the weather that needs no heat.
    pub slope_ratio: Number,
}

/// A part of some days with another room temperature.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawPeriod {
    /// The days on which it starts. Every day unless written.
    pub days: Option<Written<Vec<RawDay>>>,
    /// When it starts, as in `"22:30"`. Required.
    pub from: Text,
    /// When it ends, as in `"05:00"`; not after its start means on the next day. Required.
    pub to: Text,
    /// What it adds to the room target; negative is a set-back. This or `room_target_celsius`.
    pub room_shift_kelvins: Number,
    /// The room target in it. This or `room_shift_kelvins`.
    pub room_target_celsius: Number,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "they are the days of the week")]
pub enum RawDay {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}
