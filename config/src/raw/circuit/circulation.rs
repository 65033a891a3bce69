//! The circulation pumps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RawDay;
use crate::raw::{Count, Number, Text};
use crate::written::Written;

/// The circulation pumps.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawCirculation {
    /// How many there are, 1 to 3.
    pub pumps: Count,
    /// How many of them run at a time.
    pub duty: Count,
    /// Pumps that join when those on duty do not suffice.
    pub assist: Option<Written<RawAssist>>,
    /// How the speed is found.
    pub mode: Option<Written<RawCirculationMode>>,
    /// With `fixed-speed`: share of the nominal speed. With `staged-flow` and `cube-root-flow`: the speed of full flow.
    pub speed_ratio: Number,
    /// With `differential-pressure`: the difference of supply and return to hold. With `proportional-pressure` and
    /// `quadratic-pressure`: the difference at the design flow.
    pub differential_pressure_kilopascals: Number,
    /// With `proportional-pressure` and `quadratic-pressure`: the difference at no flow. With `worst-point` and
    /// `trim-and-respond`: the lowest difference.
    pub differential_pressure_low_kilopascals: Number,
    /// With `worst-point` and `trim-and-respond`: the highest difference, and the one to start with.
    pub differential_pressure_high_kilopascals: Number,
    /// With `worst-point`: the difference to hold at the worst-placed building. With `trim-and-respond`: below it that
    /// building asks for more.
    pub worst_point_kilopascals: Number,
    /// With `worst-point`: how fast an error out there moves the difference here.
    pub worst_point_reset_minutes: Number,
    /// With `supply-pressure`: the pressure to hold in the secondary supply.
    pub supply_pressure_kilopascals: Number,
    /// With modes that hold a pressure: speed per kilopascal of error, as a share of the nominal speed.
    pub gain_per_kilopascal: Number,
    /// With modes that hold a pressure: integral time.
    pub integral_time_seconds: Number,
    /// With `trim-and-respond`: how it moves.
    pub trim: Option<Written<RawTrim>>,
    /// With `temperature-difference`: what is held, and how.
    pub spread: Option<Written<RawSpread>>,
    /// With `staged-flow`: the stages.
    pub stages: Option<Written<RawStages>>,
    /// With `trim-and-respond`, `staged-flow` and `cube-root-flow`: which far buildings go short.
    pub far: Option<Written<RawFar>>,
    /// The lowest speed, as a share of the nominal.
    pub speed_min_ratio: Number,
    /// The highest speed.
    pub speed_max_ratio: Number,
    /// The speed while what the mode measures is lost for long.
    pub speed_fallback_ratio: Number,
    /// How long an estimate from the last known speed and pressure stands in before that.
    pub speed_estimate_minutes: Number,
    /// Fastest change of speed, share of the nominal a second.
    pub ramp_ratio_per_second: Number,
    /// With modes that lower the flow by themselves: the least share of the design flow; 0 switches it off.
    pub flow_floor_ratio: Number,
    /// A pump that was told to run must be proven within this.
    pub proof_within_seconds: Number,
    /// A failed pump is tried again after this.
    pub retry_after_minutes: Number,
    /// So often; then it waits for a person.
    pub retries_max: Count,
    /// The duty changes after this running time; 0 never.
    pub rotate_after_hours: Number,
    /// How the duty changes, and at which time of the week.
    pub change_over: Option<Written<RawChangeOver>>,
    /// Least time off before a pump is started again.
    pub off_min_seconds: Number,
    /// Least time on before a pump is stopped because it is not needed.
    pub on_min_seconds: Number,
    /// What keeps idle pumps from seizing.
    pub exercise: Option<Written<RawExercise>>,
    /// The least flow that proves circulation, where a flow meter is fitted.
    pub flow_min_m3_per_hour: Number,
    /// The least pressure difference that proves circulation, where one is measured.
    pub differential_pressure_min_kilopascals: Number,
}

/// How the circulation speed is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawCirculationMode {
    /// Always the same speed.
    FixedSpeed,
    /// A constant pressure difference between supply and return.
    DifferentialPressure,
    /// A pressure difference that grows with the flow.
    ProportionalPressure,
    /// A pressure difference that grows with the square of the flow.
    QuadraticPressure,
    /// The pressure difference at the worst-placed building.
    WorstPoint,
    /// A pressure difference that creeps down until far buildings go short.
    TrimAndRespond,
    /// The temperature difference of supply and return.
    TemperatureDifference,
    /// The flow follows the load in three stages (分阶段改变流量).
    StagedFlow,
    /// The flow follows the cube root of the load (质量-流量调节).
    CubeRootFlow,
    /// A constant pressure in the secondary supply.
    SupplyPressure,
}

/// Pumps that join when those on duty do not suffice.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawAssist {
    /// How many may join.
    pub pumps: Count,
    /// One joins when the pumps on duty have stood at their highest speed for this long.
    pub join_after_minutes: Number,
    /// One leaves when the speed has stood below this share of the highest.
    pub leave_below_ratio: Number,
    /// For this long.
    pub leave_after_minutes: Number,
}

/// How trim and respond moves.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawTrim {
    /// How often.
    pub every_minutes: Number,
    /// Down by this each time.
    pub trim_kilopascals: Number,
    /// Up by this for each building that goes short beyond those that are ignored.
    pub respond_kilopascals: Number,
    /// Up by no more than this at a time.
    pub respond_max_kilopascals: Number,
}

/// The temperature difference that is held.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawSpread {
    /// At full load.
    pub design_kelvins: Number,
    /// It goes with this power of the load: 0 always the same, 1 a constant flow.
    pub load_exponent: Number,
    /// Speed per kelvin of error, as a share of the nominal speed.
    pub gain_per_kelvin: Number,
    /// Integral time.
    pub integral_time_minutes: Number,
}

/// The stages of the flow.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawStages {
    /// The middle stage, as a share of the full flow.
    pub flow_middle_ratio: Number,
    /// The low stage.
    pub flow_low_ratio: Number,
    /// Below this share of the full load the middle stage is taken.
    pub load_middle_ratio: Number,
    /// Below this one the low stage.
    pub load_low_ratio: Number,
    /// The load must be this far past a mark.
    pub hysteresis_ratio: Number,
    /// A stage stands at least this long before the flow falls further.
    pub hold_hours: Number,
}

/// Which far buildings go short.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawFar {
    /// A building goes short when its return is this far below the median of all.
    pub return_below_kelvins: Number,
    /// So many are borne.
    pub ignored: Count,
    /// The rooms go short when their coldest share is estimated this far below its minimum.
    pub rooms_below_kelvins: Number,
}

/// How the duty changes from pump to pump.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawChangeOver {
    /// Beside each other, or one after the other.
    pub method: Option<Written<RawChangeMethod>>,
    /// With `pause`: how long both stand.
    pub pause_seconds: Number,
    /// The day of the week on which it changes, with `time`.
    pub day: Option<Written<RawDay>>,
    /// The time of that day, as in `"10:00"`.
    pub time: Text,
}

/// Whether two pumps run at the same time while the duty changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawChangeMethod {
    /// The next pump runs beside the old one until it is proven.
    Overlap,
    /// The old pump stands before the next starts.
    Pause,
}

/// What keeps idle pumps from seizing.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawExercise {
    /// A pump that has stood for this long is turned; 0 never.
    pub every_hours: Number,
    /// For this long.
    pub lasts_seconds: Number,
}
