//! Pressure holding.

use std::time::Duration;

use heatstation_points::{CubicMetersPerSecond, Meters, Pascals, Ratio};
use serde::{Deserialize, Serialize};

/// How the make-up pumps hold the pressure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MakeUpMode {
    /// On below the start pressure, off above the setpoint.
    StartStop,
    /// Variable speed on the setpoint, asleep when nothing is asked.
    VariableSpeed,
}

/// Pressure holding by make-up water.
///
/// The pressures must be in this order, checked when the configuration is loaded: `protect < restart < start < setpoint <=
/// setpoint + sleep_raise < relief_close < relief_open < trip`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MakeUpSettings {
    /// How many make-up pumps there are, 1 or 2.
    pub pumps: usize,
    /// How they are driven.
    pub mode: MakeUpMode,
    /// Make-up starts below this; with variable speed it wakes here (再次启动压力).
    pub start: Pascals,
    /// What make-up aims at; start/stop stops here.
    pub setpoint: Pascals,
    /// Variable speed lifts the pressure by this before it sleeps (休眠压力提升), so that it sleeps longer.
    pub sleep_raise: Pascals,
    /// The second pump joins when the first has run for this long at its highest speed below the start pressure.
    pub assist_after: Option<Duration>,
    /// The relief valve closes below this.
    pub relief_close: Pascals,
    /// The relief valve opens above this.
    pub relief_open: Pascals,
    /// More openings an hour than this, each after make-up has run, are a fight of the two: make-up stops.
    pub relief_fights_max: u8,
    /// The longest continuous run. 20 to 30 min are usual for variable speed, 2 to 10 for a filling valve.
    pub run_max: Duration,
    /// The largest volume a day, in cubic metres.
    pub volume_per_day_max: f64,
    /// The largest volume an hour while nothing is known of the tank, in cubic metres.
    pub blind_volume_per_hour_max: f64,
    /// Below this the make-up pumps would run dry.
    pub tank_low: Meters,
    /// The inlet opens below this.
    pub tank_refill: Meters,
    /// The inlet closes above this.
    pub tank_full: Meters,
    /// What is reckoned as a leak.
    pub leak: LeakSettings,
}

/// What a burst does beyond its alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BurstPolicy {
    /// Nothing: make-up goes on until its own limits.
    Alarm,
    /// Make-up stops: no more water into the hole.
    StopMakeUp,
    /// Make-up and circulation stop and the primary valve closes: the exchanger is isolated.
    Isolate,
}

/// Leaks and bursts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeakSettings {
    /// Water in the loop, m³.
    pub volume: f64,
    /// How much water goes in per pressure, m³/Pa, until it has been learnt from make-up's own runs.
    pub compliance: f64,
    /// A loss of more than this share of the water a day is worth an alarm by itself.
    pub per_day_max: Ratio,
    /// A loss of more than this with falling pressure is a burst.
    pub burst: CubicMetersPerSecond,
    /// What a burst does.
    pub on_burst: BurstPolicy,
}
