//! What outside wishes may do.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::raw::Number;

/// What outside wishes (dispatch centre, operator, forecast) may do.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawEnvelope {
    /// The most that a wish may lower the supply setpoint.
    pub lower_max_kelvins: Number,
    /// The most that a wish may raise it.
    pub raise_max_kelvins: Number,
    /// The fastest effect of a wish.
    pub rate_kelvins_per_minute: Number,
    /// The longest life of a wish.
    pub life_max_hours: Number,
    /// A dispatch centre or program that says nothing for so long has no say any more: what it asked ends.
    pub silence_max_minutes: Number,
    /// Below this outdoor temperature the heat floor holds.
    pub frost_celsius: Number,
    /// In frost a wish may lower the setpoint by no more than this.
    pub frost_lower_max_kelvins: Number,
}
