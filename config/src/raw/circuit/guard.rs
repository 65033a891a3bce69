//! Interlocks, frost protection, detection of outages.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::raw::{Count, Number};

/// Interlocks.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawInterlock {
    /// Above this supply temperature the valve closes.
    pub supply_trip_celsius: Number,
    /// It may open again this far below.
    pub supply_reset_kelvins: Number,
    /// How long the supply must be too hot.
    pub supply_trip_delay_seconds: Number,
    /// How long circulation may be unproven before the valve closes.
    pub circulation_delay_seconds: Number,
    /// How long circulation must be proven before the valve may open again.
    pub circulation_reset_seconds: Number,
    /// Below this pressure at the holding point the circulation pumps stop.
    pub pressure_protect_kilopascals: Number,
    /// From this pressure on they may start again.
    pub pressure_restart_kilopascals: Number,
    /// How long the pressure must be too low.
    pub pressure_delay_seconds: Number,
    /// Above this supply pressure make-up stops and, until a person resets it, circulation and heat.
    pub pressure_trip_kilopascals: Number,
    /// How long mains power must be back before anything starts, this station's stagger included.
    pub mains_return_seconds: Number,
    /// How long a bad supply sensor is bridged by holding the valve.
    pub sensor_hold_seconds: Number,
    /// How long it may be bridged by a substitute after that.
    pub sensor_substitute_minutes: Number,
    /// Where the valve goes when the supply is unknown and it is cold outside, 0 to 1.
    pub valve_safe_cold_ratio: Number,
    /// The outdoor temperature below which that position is taken; above it the valve closes.
    pub valve_safe_below_celsius: Number,
    /// Over-temperature trips an hour after which a person has to reset.
    pub trips_per_hour_max: Count,
}

/// Frost protection.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawFrost {
    /// Below this outdoor temperature circulation stays on in every mode.
    pub outdoor_celsius: Number,
    /// Below this return temperature circulation and heat are demanded.
    pub water_celsius: Number,
    /// Heat is demanded until the water is this warm.
    pub water_restored_celsius: Number,
    /// The supply setpoint under frost demand.
    pub supply_celsius: Number,
}

/// Detection of outages.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawOutage {
    /// How long no heat must arrive before it is an outage; it then counts from its first cold moment.
    pub confirm_after_minutes: Number,
    /// Supply below this is no heating.
    pub supply_floor_celsius: Number,
    /// Supply this far below its setpoint, with no heat taken from the primary side, is no heating either.
    pub undersupply_kelvins: Number,
    /// Heat below this share of the design load counts as none, 0 to 1.
    pub power_floor_ratio: Number,
}
