//! Limits that the supply setpoint gives way to: primary return, approach, primary flow, heat power, heat of the day.

use std::time::Duration;

use heatstation_points::{CubicMetersPerSecond, Kelvins, Ratio};
use serde::{Deserialize, Serialize};

use crate::limit_line::LimitLine;

/// How fast and how hard a limiter answers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LimiterTuning {
    /// Kelvins of setpoint per kelvin, or per percent of the limit, by which the limit is passed.
    pub gain: f64,
    /// Integral time.
    pub integral_time: Duration,
    /// Smoothing of what is measured.
    pub filter: Duration,
}

impl LimiterTuning {
    /// For temperatures. Gain and time are Danfoss ECL 2000's defaults (−0.3 K/K, 15 min).
    pub const TEMPERATURE: LimiterTuning =
        LimiterTuning { gain: 0.3, integral_time: Duration::from_secs(15 * 60), filter: Duration::from_secs(60) };

    /// For flow and power. At a spread of 25 K one percent of heat is 0.25 K of supply: this gain takes back less than half
    /// of an excess at once and leaves the rest to the integral. The filter is one stroke of the valve: Danfoss ECL smooths
    /// by 10 readings, and a meter's noise of one or two percent is not to move the valve.
    pub const METER: LimiterTuning =
        LimiterTuning { gain: 0.1, integral_time: Duration::from_secs(10 * 60), filter: Duration::from_secs(120) };

    /// For the heat of a day: half as hard and half as fast, because a day has time.
    pub const QUOTA: LimiterTuning =
        LimiterTuning { gain: 0.05, integral_time: Duration::from_secs(20 * 60), filter: Duration::from_secs(300) };
}

/// A limit over the outdoor temperature.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LimiterSettings {
    /// The limit: °C, K, m³/s or W.
    pub line: LimitLine,
    /// How the setpoint answers.
    pub tuning: LimiterTuning,
}

/// A budget of heat for each day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuotaSettings {
    /// The heat of a day over the day's mean outdoor temperature: J.
    pub line: LimitLine,
    /// How the setpoint answers.
    pub tuning: LimiterTuning,
}

/// Primary flow so small that the meter does not count it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CreepSettings {
    /// The least flow that the meter counts reliably.
    pub flow_min: CubicMetersPerSecond,
    /// The closed valve opens again when the supply has fallen this far below its setpoint.
    pub reopen_below: Kelvins,
    /// A valve that has been closed for this long is opened for a while, or the sensors measure standing water.
    pub flush_after: Duration,
    /// For this long.
    pub flush_for: Duration,
}

/// Who gives way when a limiter would take the setpoint below the lowest supply temperature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitPriority {
    /// The limiter: the lowest supply temperature holds (Danfoss ECL 1x085 OFF).
    #[default]
    SupplyMin,
    /// The lowest supply temperature (Danfoss ON, Siemens always).
    Limits,
}

/// All limits of a circuit. None is on unless it is configured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LimitsSettings {
    /// Highest primary return temperature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_return: Option<LimiterSettings>,
    /// Highest difference of primary and secondary return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approach: Option<LimiterSettings>,
    /// Highest primary flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<LimiterSettings>,
    /// Highest heat power.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<LimiterSettings>,
    /// Heat of the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaSettings>,
    /// Who gives way at the lowest supply temperature.
    pub priority: LimitPriority,
    /// The most that limiters may lower the setpoint.
    pub lower_max: Kelvins,
    /// The most that the coldest rooms may lose to limiters.
    pub room_loss_max: Kelvins,
    /// Limiters are released this long after heating began.
    pub released_after: Duration,
    /// This circuit's share of what the station's meter shows, where it has no meter of its own.
    pub station_share: Ratio,
    /// How seldom the meter has a new value.
    pub meter_refresh: Duration,
    /// The furthest that the valve opens while the return limit has lost its sensor.
    pub valve_max_blind: Ratio,
    /// What to do about flow that the meter does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creep: Option<CreepSettings>,
}

impl Default for LimitsSettings {
    fn default() -> Self {
        LimitsSettings {
            primary_return: None,
            approach: None,
            flow: None,
            power: None,
            quota: None,
            priority: LimitPriority::default(),
            // Danfoss bounds the adaptive part of its limiters to 8 K.
            lower_max: Kelvins(8.0),
            // Siemens lets a room end 0.5 K low when it stops early; twice that for a limit that somebody else imposes.
            room_loss_max: Kelvins(1.0),
            // A plant that starts draws hot water through a cold exchanger for some minutes.
            released_after: Duration::from_secs(10 * 60),
            station_share: Ratio::ONE,
            // What the house reads meters at.
            meter_refresh: Duration::from_secs(10),
            valve_max_blind: Ratio::ONE,
            creep: None,
        }
    }
}
