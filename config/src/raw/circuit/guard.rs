//! Interlocks, frost protection, detection of outages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::raw::{Count, Number};
use crate::written::Written;

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
    /// How long mains power must be back before anything starts; this station's own wait comes on top.
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
    /// This station's own wait after that, so that the stations of a district do not start together.
    pub mains_stagger_seconds: Number,
    /// The lowest primary supply pressure that the network orders; below it, and where the water would boil, the valve
    /// closes. Without it the primary pressure is left to others.
    pub primary_pressure_min_kilopascals: Number,
    /// How long the relief valve may stand open before make-up stops.
    pub relief_open_max_seconds: Number,
    /// What water on the plant room's floor does beside its alarm.
    pub flood: Option<Written<RawFlood>>,
    /// Above this the plant room is too hot for the drives: they run no faster than their fallback speed.
    pub plant_room_max_celsius: Number,
}

/// What water on the plant room's floor does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawFlood {
    /// Nothing but its alarm.
    Alarm,
    /// It closes the make-up tank's inlet until a person resets it.
    CloseInlet,
    /// And it closes the isolation valve of the primary side, where there is one.
    CloseInletAndIsolate,
}

/// A fast-closing isolation valve (紧急切断阀) in the primary side, beside the control valve.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawIsolation {
    /// Its time from open to closed.
    pub close_time_seconds: Number,
}

/// Starting and stopping in order.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawSequence {
    /// After lying by for so long a start proves the pressure and vents first.
    pub season_start_after_days: Number,
    /// How long the pressure must be held before the pumps start for a season.
    pub pressure_hold_minutes: Number,
    /// How far from its setpoint it may be meanwhile.
    pub pressure_band_kilopascals: Number,
    /// After this the season starts although the pressure would not stay.
    pub pressure_patience_minutes: Number,
    /// How often a pump jogs to move the air to the vents, 0 to 6.
    pub vent_jogs: Count,
    /// How long a jog is.
    pub vent_on_seconds: Number,
    /// How long the air may rise between two jogs.
    pub vent_off_seconds: Number,
    /// Circulation after the valve closed lasts at least this long.
    pub post_run_min_minutes: Number,
    /// And at most this long.
    pub post_run_max_minutes: Number,
    /// In between it ends when supply and return differ by less than this.
    pub post_run_difference_kelvins: Number,
    /// The circuit is declared running when the supply is this near to its setpoint.
    pub reached_within_kelvins: Number,
    /// For so long.
    pub reached_for_minutes: Number,
    /// After so long with an open valve a setpoint that has not been reached is late.
    pub late_after_minutes: Number,
    /// Restarts after power failures that may fail in a row before a person is called.
    pub restarts_max: Count,
}

/// Frost protection.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawFrost {
    /// Below this outdoor temperature circulation stays on in every mode.
    pub outdoor_celsius: Number,
    /// While no outdoor temperature is known: water colder than this is moved from time to time.
    pub stir_below_celsius: Number,
    /// For how long.
    pub stir_for_minutes: Number,
    /// How often.
    pub stir_every_hours: Number,
    /// A building's return or a room colder than this is danger: heat whatever limits say, and the urgent alarm.
    pub danger_celsius: Number,
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
