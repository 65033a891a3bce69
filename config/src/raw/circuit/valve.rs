//! The primary valve, the exchanger behind it, and the loop that moves it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::raw::Number;
use crate::written::Written;

/// The loop from supply temperature to valve.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawSupplyLoop {
    /// How the gains are found.
    pub tuning: Option<Written<RawTuning>>,
    /// With `gains`: valve travel per kelvin, as a share of the stroke.
    pub gain_per_kelvin: Number,
    /// With `gains`: integral time.
    pub integral_time_seconds: Number,
    /// With `gains`: the plant's gain that these were chosen for, kelvins of supply per full stroke.
    pub nominal_gain_kelvins: Number,
    /// With `simc` and `amigo`: the plant's gain, kelvins of supply per full stroke.
    pub process_gain_kelvins: Number,
    /// With `simc` and `amigo`: the plant's time constant.
    pub process_lag_seconds: Number,
    /// With `simc` and `amigo`: the plant's dead time.
    pub process_dead_time_seconds: Number,
    /// With `simc`: the wanted time constant of the closed loop; one dead time is tight, two to three are smooth.
    pub closed_loop_time_seconds: Number,
    /// Time between two decisions.
    pub sample_time_seconds: Number,
    /// Wished travel below which the valve is left alone, as a share of the stroke.
    pub dead_band_ratio: Number,
    /// Where the plant is steep the dead band shrinks to what moves the supply by this much.
    pub dead_band_kelvins: Number,
    /// Whether the gain follows the plant's.
    pub gain_schedule: Option<Written<RawGainSchedule>>,
    /// With `plant`: the smallest factor on the gain.
    pub gain_factor_min: Number,
    /// With `plant`: the largest factor on the gain.
    pub gain_factor_max: Number,
    /// What is done ahead of the error.
    pub feed_forward: Option<Written<RawFeedForward>>,
    /// How far that may have moved the valve within half an hour, as a share of the stroke.
    pub feed_forward_reach_ratio: Number,
    /// What is done when the loop hunts.
    pub hunting_guard: Option<Written<RawHuntingGuard>>,
    /// How far tuning by experiment lets the supply swing to either side.
    pub auto_tune_swing_kelvins: Number,
    /// The rule that makes gains of what it finds.
    pub auto_tune_rule: Option<Written<RawTuningRule>>,
    /// How its results come into force.
    pub auto_tune_acceptance: Option<Written<RawAcceptance>>,
}

/// The rule that makes gains of a plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawTuningRule {
    /// Skogestad's.
    Simc,
    /// Åström's and Hägglund's.
    Amigo,
}

/// How results of tuning come into force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawAcceptance {
    /// An operator accepts them.
    ByRequest,
    /// By themselves.
    Automatic,
}

/// What is done about a loop that hunts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawHuntingGuard {
    /// Less gain, a wider dead band, a test of the valve, an alarm; in this order, within bounds, and back by itself.
    Acts,
    /// It is shown and an alarm says so; nothing else is done.
    Watches,
}

/// How the gains of the supply loop are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawTuning {
    /// They are written.
    Gains,
    /// By Skogestad's rule from the plant's gain, lag and dead time.
    Simc,
    /// By Åström's and Hägglund's rule from the same.
    Amigo,
}

/// Whether the gain follows the plant's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawGainSchedule {
    /// In inverse proportion to the plant's gain, as the exchanger and the valve's curve have it.
    Plant,
    /// Always the same.
    Fixed,
}

/// What is done ahead of the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawFeedForward {
    /// Nothing.
    Off,
    /// Setpoint, secondary return and flow, and primary temperature move the valve ahead.
    Heat,
    /// The primary pressure difference as well.
    HeatAndPressure,
}

/// The heat exchanger.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawExchanger {
    /// Primary supply temperature that it was designed for.
    pub primary_supply_celsius: Number,
    /// Primary return temperature that it was designed for.
    pub primary_return_celsius: Number,
    /// Heat transfer at the design flows (UA).
    pub transfer_kilowatts_per_kelvin: Number,
}

/// The primary valve.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawValve {
    /// The smallest opening while heating, 0 to 1.
    pub position_min_ratio: Number,
    /// The largest opening, 0 to 1.
    pub position_max_ratio: Number,
    /// Time from closed to open.
    pub stroke_time_seconds: Number,
    /// Difference of command and feedback that counts as not following, 0 to 1.
    pub deviation_max_ratio: Number,
    /// The smallest stroke that it makes for sure, 0 to 1.
    pub stroke_min_ratio: Number,
    /// Largest over smallest controlled flow of an equal-percentage valve.
    pub rangeability: Number,
    /// Share of the branch's pressure that the open valve takes.
    pub authority_ratio: Number,
    /// What moves it.
    pub actuator: Option<Written<RawActuator>>,
    /// With `three-point`: the shortest pulse that moves the motor for sure.
    pub pulse_min_seconds: Number,
    /// Play between motor and plug that is known and made up for at each reversal, 0 to 1.
    pub play_ratio: Number,
    /// Moved in standstill after so long without a move, the pumps running; 0 never.
    pub exercise_every_days: Number,
    /// How long its motor opens it then.
    pub exercise_seconds: Number,
}

/// What moves the primary valve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawActuator {
    /// A positioner that takes a position, by 0 to 10 V or over the bus: `valve.position`.
    Position,
    /// A motor with a contact that opens and one that closes: `valve.opening` and `valve.closing`.
    ThreePoint,
}
