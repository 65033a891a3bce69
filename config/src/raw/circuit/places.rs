//! Buildings, rooms, and the feedback from rooms.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::raw::{Count, Number, RawBuildingValve, Text};
use crate::written::Written;

/// When a room sensor is not believed.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawRoomSensors {
    /// How often the sensors report. One that is lost for two of these is silent.
    pub report_interval_minutes: Number,
    /// A room that reads colder is out of range.
    pub range_min_celsius: Number,
    /// A room that reads warmer is out of range.
    pub range_max_celsius: Number,
    /// A value that has not moved for this long while the other rooms did stands still.
    pub stuck_after_hours: Number,
    /// The longest that a window counts as open.
    pub window_longest_hours: Number,
    /// A flat colder than the others by more than this in the long run, without heat of its own, counts as closed.
    pub closed_below_kelvins: Number,
    /// The largest share of sensors that may be left out for reading cold, 0 to 1.
    pub cold_masked_max_ratio: Number,
    /// The most that a sensor is corrected by when it deviates more than flats do.
    pub correction_max_kelvins: Number,
}

/// Room feedback: a slow correction of the curve's level from the coldest rooms.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawRoomTrim {
    /// Share of rooms that may stay below their minimum, 0 to 1.
    pub cold_share_ratio: Number,
    /// How many standard errors of the estimate are kept as a margin.
    pub confidence: Number,
    /// How much the flats of a circuit usually differ, before many sensors have been seen.
    pub scatter_prior_kelvins: Number,
    /// Kelvins of room target per kelvin of room error.
    pub gain: Number,
    /// Integral time.
    pub integral_time_hours: Number,
    /// The most that it may lower the room target.
    pub lower_max_kelvins: Number,
    /// The most that it may raise the room target.
    pub raise_max_kelvins: Number,
    /// The fastest fall of the room target.
    pub lower_rate_kelvins_per_hour: Number,
    /// The fastest rise of the room target.
    pub raise_rate_kelvins_per_hour: Number,
    /// Fewer fresh sensors than this, and it decays to zero.
    pub sensors_min: Count,
}

/// A building (楼栋).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawBuilding {
    /// Its name, as in `b3`. Required.
    pub name: Text,
    /// Its heated area, exact to 0.01 m². Required.
    pub heated_area_m2: Number,
    /// What it is used for: the standard's room minimum follows from it. Dwellings unless written.
    #[serde(rename = "use")]
    pub building_use: Option<Written<RawBuildingUse>>,
    /// Whether its valve is moved: `balanced` where the circuit is balanced, unless written.
    pub valve: Option<Written<RawBuildingValve>>,
    /// What it shall be warmer than the mean of the buildings when they are balanced: the one at the edge, the old one.
    pub balance_offset_kelvins: Number,
    /// The names of its room sensors.
    pub rooms: Vec<Written<String>>,
}

/// What a building is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawBuildingUse {
    /// 住宅.
    Dwelling,
    /// 办公.
    Office,
    /// 托幼.
    Kindergarten,
    /// 养老院.
    NursingHome,
}

/// A room sensor (测温点) with words of its own.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawRoom {
    /// Its name, as in `a101`. Required.
    pub name: Text,
    /// The building that it hangs in.
    pub building: Text,
    /// The lowest temperature that the contract allows there; the standard's for the use of its building unless written.
    pub minimum_celsius: Number,
}
