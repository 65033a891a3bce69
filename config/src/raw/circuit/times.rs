//! Holidays, set-back, starting and stopping ahead of the clock, boost, load shed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RawDay;
use crate::raw::{Count, Date, Number};
use crate::written::Written;

/// Days on which nobody is there: one room temperature from 00:00 of the first to 24:00 of the last.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawHoliday {
    /// The first day. Required.
    pub first_day: Option<Written<Date>>,
    /// The last day. Required.
    pub last_day: Option<Written<Date>>,
    /// What it adds to the room target; negative is a set-back. This or `room_target_celsius`.
    pub room_shift_kelvins: Number,
    /// The room target on those days. This or `room_shift_kelvins`.
    pub room_target_celsius: Number,
}

/// A day that is like another day of the week: a day off like a Sunday, a Saturday that is worked (调休) like a Monday.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawSpecialDay {
    /// The day. Required.
    pub day: Option<Written<Date>>,
    /// The day of the week whose periods it has. Required.
    pub like: Option<Written<RawDay>>,
}

/// What becomes of a reduced room temperature.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawSetBack {
    /// Above this share of the design load nothing is set back.
    pub load_max_ratio: Number,
    /// How the circuit gets down to the reduced level.
    pub fall: Option<Written<RawFall>>,
    /// Sliding set-back: in full at 10 °C outdoors, none at this temperature. Off unless written.
    pub sliding_to_celsius: Number,
    /// Below this outdoor temperature the supply is lowered by the curve alone, neither quickly nor to a stop.
    pub frost_celsius: Number,
}

/// How a circuit gets down to a reduced level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawFall {
    /// By the curve of the reduced room temperature.
    Curve,
    /// With the lowest supply until the rooms are down.
    Quick,
    /// Without heat while the reduced level lasts.
    Stop,
}

/// Starting before a higher level begins and stopping before it ends.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawOptimum {
    /// The longest start ahead; 0 starts by the clock.
    pub start_max_hours: Number,
    /// The longest stop ahead; 0 stops by the clock.
    pub stop_max_hours: Number,
    /// The rooms are warm again when they are this close to the wish.
    pub reached_within_kelvins: Number,
    /// How far the rooms may have fallen when the higher level ends.
    pub room_drop_kelvins: Number,
    /// Over how many mornings the slope of recovery is averaged.
    pub learning_mornings: Count,
}

/// More supply while the rooms warm up after a set-back.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawBoost {
    /// So many kelvins of supply. This or `excess_ratio`; off without either.
    pub supply_kelvins: Number,
    /// A share of the supply's excess over the room, 0 to 1. This or `supply_kelvins`.
    pub excess_ratio: Number,
    /// The longest boost.
    pub lasts_max_minutes: Number,
    /// How much earlier than the clock stations begin to recover, each by a part of this that follows from its id: so
    /// they do not make a peak together.
    pub stagger_max_minutes: Number,
}

/// Less heat for a time because dispatch asks for it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawLoadShed {
    /// The largest share of the heat that may be shed, 0 to 1; 0 takes no part.
    pub share_max_ratio: Number,
    /// What a share that is asked is multiplied with, 0 to 2.
    pub gain_ratio: Number,
    /// The longest shed.
    pub lasts_max_hours: Number,
    /// The longest time of shedding in a day.
    pub per_day_max_hours: Number,
    /// A shed ends when the coldest rooms are this far below their minimum.
    pub room_drop_kelvins: Number,
    /// How fast the supply comes back after it.
    pub recovery_kelvins_per_hour: Number,
}
