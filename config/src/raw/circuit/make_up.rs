//! Pressure holding.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::raw::{Count, Number};
use crate::written::Written;

/// Pressure holding by make-up water.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawMakeUp {
    /// How many make-up pumps there are, 1 or 2.
    pub pumps: Count,
    /// How they are driven.
    pub mode: Option<Written<RawMakeUpMode>>,
    /// The pressure at the holding point that make-up aims at: static head and 30 to 50 kPa. Required.
    pub setpoint_kilopascals: Number,
    /// Make-up starts below this.
    pub start_kilopascals: Number,
    /// The relief valve closes below this.
    pub relief_close_kilopascals: Number,
    /// The relief valve opens above this.
    pub relief_open_kilopascals: Number,
    /// The longest continuous run.
    pub run_max_minutes: Number,
    /// The largest volume a day.
    pub volume_per_day_max_m3: Number,
    /// Below this level the pumps would run dry.
    pub tank_low_meters: Number,
    /// The tank's inlet opens below this level.
    pub tank_refill_meters: Number,
    /// The tank's inlet closes above this level.
    pub tank_full_meters: Number,
}

/// How the make-up pumps are driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawMakeUpMode {
    /// On below the start pressure, off above the setpoint.
    StartStop,
    /// Variable speed on the setpoint, asleep when nothing is asked.
    VariableSpeed,
}
