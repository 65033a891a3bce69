//! Pressure holding.

use std::time::Duration;

use heatstation_points::{Meters, Pascals};
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
/// The pressures must be in this order, checked when the configuration is loaded: `protect < restart < start < setpoint <
/// relief_close < relief_open < trip`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MakeUpSettings {
    /// How many make-up pumps there are, 1 or 2.
    pub pumps: usize,
    /// How they are driven.
    pub mode: MakeUpMode,
    /// Make-up starts below this.
    pub start: Pascals,
    /// What make-up aims at; start/stop stops here.
    pub setpoint: Pascals,
    /// The relief valve closes below this.
    pub relief_close: Pascals,
    /// The relief valve opens above this.
    pub relief_open: Pascals,
    /// The longest continuous run. 20 to 30 min are usual for variable speed, 2 to 10 for a filling valve.
    pub run_max: Duration,
    /// The largest volume a day, in cubic metres.
    pub volume_per_day_max: f64,
    /// Below this the make-up pumps would run dry.
    pub tank_low: Meters,
    /// The inlet opens below this.
    pub tank_refill: Meters,
    /// The inlet closes above this.
    pub tank_full: Meters,
}
