//! Limits that the supply setpoint gives way to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::raw::Number;
use crate::raw::circuit::curve::CurvePoint;
use crate::written::Written;

/// What holds for all limits of the circuit.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawLimiters {
    /// Who keeps the upper hand when a limit would take the setpoint below `supply_min_celsius`.
    pub priority: Option<Written<RawLimitPriority>>,
    /// The most that limits may lower the setpoint.
    pub lower_max_kelvins: Number,
    /// The most that the coldest rooms may lose to limits.
    pub room_loss_max_kelvins: Number,
    /// Limits are released this long after heating began.
    pub released_after_minutes: Number,
    /// This circuit's share of what the station's meter shows, where it has no meter of its own.
    pub station_share_ratio: Number,
    /// How seldom the heat meter has a new value.
    pub meter_refresh_seconds: Number,
}

/// Who keeps the upper hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawLimitPriority {
    /// The lowest supply temperature.
    SupplyMin,
    /// The limits.
    Limits,
}

/// Highest primary return temperature: a constant, a constant that rises in colder weather, or points.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawReturnLimit {
    /// The limit in every weather, or down to the inflection.
    pub constant_celsius: Number,
    /// With a constant: below this outdoor temperature the limit rises.
    pub inflection_celsius: Number,
    /// With an inflection: kelvins of limit per kelvin of colder weather.
    pub inflection_slope: Number,
    /// With an inflection: where the rise ends.
    pub cold_max_celsius: Number,
    /// 1 to 4 pairs of outdoor temperature and limit in °C instead, outdoor rising.
    pub points_celsius: Option<Written<Vec<CurvePoint>>>,
    /// Kelvins of setpoint per kelvin above the limit.
    pub gain: Number,
    /// Integral time.
    pub integral_time_minutes: Number,
    /// Smoothing of the measured temperature.
    pub filter_seconds: Number,
    /// The furthest that the valve opens while the return temperature is lost.
    pub valve_max_blind_ratio: Number,
}

/// Highest difference of primary and secondary return (端差, DRT).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawApproachLimit {
    /// The limit. Required.
    pub constant_kelvins: Number,
    /// Kelvins of setpoint per kelvin above the limit.
    pub gain: Number,
    /// Integral time.
    pub integral_time_minutes: Number,
    /// Smoothing of the measured difference.
    pub filter_seconds: Number,
}

/// Highest primary flow.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawFlowLimit {
    /// The limit in every weather.
    pub constant_m3_per_hour: Number,
    /// 1 to 4 pairs of outdoor temperature in °C and limit instead, outdoor rising.
    pub points_m3_per_hour: Option<Written<Vec<CurvePoint>>>,
    /// Kelvins of setpoint per percent above the limit.
    pub gain_kelvins_per_percent: Number,
    /// Integral time.
    pub integral_time_minutes: Number,
    /// Smoothing of the measured flow.
    pub filter_seconds: Number,
}

/// Highest heat power.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawPowerLimit {
    /// The limit in every weather.
    pub constant_kilowatts: Number,
    /// 1 to 4 pairs of outdoor temperature in °C and limit instead, outdoor rising.
    pub points_kilowatts: Option<Written<Vec<CurvePoint>>>,
    /// Kelvins of setpoint per percent above the limit.
    pub gain_kelvins_per_percent: Number,
    /// Integral time.
    pub integral_time_minutes: Number,
    /// Smoothing of the measured power.
    pub filter_seconds: Number,
}

/// A budget of heat for each day, midnight to midnight.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawHeatQuota {
    /// The budget of every day, per heated area.
    pub constant_kilowatt_hours_per_m2: Number,
    /// 1 to 4 pairs of the day's mean outdoor temperature in °C and its budget instead, outdoor rising.
    pub points_gigajoules_per_day: Option<Written<Vec<CurvePoint>>>,
    /// Kelvins of setpoint per percent above the pace of the day.
    pub gain_kelvins_per_percent: Number,
    /// Integral time.
    pub integral_time_minutes: Number,
    /// Smoothing of the measured power.
    pub filter_seconds: Number,
}

/// Primary flow that is too small for the heat meter (小流量).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawCreepFlow {
    /// The least flow that the meter counts reliably. Required.
    pub flow_min_m3_per_hour: Number,
    /// The closed valve opens again when the supply is this far below its setpoint.
    pub reopen_below_kelvins: Number,
    /// A valve that has been closed for this long is opened for a while.
    pub flush_after_minutes: Number,
    /// For this long.
    pub flush_for_minutes: Number,
}
