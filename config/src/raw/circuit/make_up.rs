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
    /// Make-up starts below this; with variable speed it wakes here (再次启动压力).
    pub start_kilopascals: Number,
    /// With `variable-speed`: the pressure is lifted by this before the pump sleeps (休眠压力提升).
    pub sleep_raise_kilopascals: Number,
    /// With two pumps: the second joins when the first has run hard for this long below the start pressure; 0 never.
    pub assist_after_seconds: Number,
    /// The relief valve closes below this.
    pub relief_close_kilopascals: Number,
    /// The relief valve opens above this.
    pub relief_open_kilopascals: Number,
    /// More openings of the relief valve an hour than this, each after a make-up, stop make-up; 0 never.
    pub relief_fights_max: Count,
    /// The longest continuous run.
    pub run_max_minutes: Number,
    /// The largest volume a day.
    pub volume_per_day_max_m3: Number,
    /// The largest volume an hour while the tank's instruments are lost.
    pub blind_volume_per_hour_max_m3: Number,
    /// Below this level the pumps would run dry.
    pub tank_low_meters: Number,
    /// The tank's inlet opens below this level.
    pub tank_refill_meters: Number,
    /// The tank's inlet closes above this level.
    pub tank_full_meters: Number,
    /// Leaks and bursts.
    pub leak: Option<Written<RawLeak>>,
}

/// What is reckoned as a leak, and what a burst does.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawLeak {
    /// Water in the loop.
    pub loop_volume_m3: Number,
    /// How much water goes in per kilopascal, until it has been learnt.
    pub liters_per_kilopascal: Number,
    /// A loss of more than this share of the water a day is worth an alarm by itself.
    pub per_day_max_ratio: Number,
    /// A loss of more than this with falling pressure is a burst.
    pub burst_m3_per_hour: Number,
    /// What a burst does beyond its alarm.
    pub on_burst: Option<Written<RawBurstPolicy>>,
}

/// What a burst does beyond its alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawBurstPolicy {
    /// Nothing: make-up goes on until its own limits.
    Alarm,
    /// Make-up stops until a person resets it.
    StopMakeUp,
    /// Make-up and circulation stop and the primary valve closes, until a person resets it.
    Isolate,
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
