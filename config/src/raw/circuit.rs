//! A circuit as it is written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Count, Number, Text};
use crate::written::Written;

/// A circuit (机组).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawCircuit {
    /// Its name, as in `low-zone`: small letters, digits, `-` and `_`. Required.
    pub name: Text,
    /// The area that it heats, exact to 0.01 m². Required.
    pub heated_area_m2: Number,
    /// What gives the heat to the rooms. Required.
    pub emitter: Option<Written<RawEmitter>>,
    /// Supply temperature at the design outdoor temperature.
    pub design_supply_celsius: Number,
    /// Return temperature there.
    pub design_return_celsius: Number,
    /// Room temperature that the emitters were sized for.
    pub design_room_celsius: Number,
    /// Heat load at the design outdoor temperature, per heated area.
    pub design_heat_load_watts_per_m2: Number,
    /// Design flow of the secondary side; it lets the measured flow correct the curve. Without it and without a written
    /// heat load the correction is off.
    pub design_flow_m3_per_hour: Number,
    /// The room temperature that the curve aims at.
    pub room_target_celsius: Number,
    /// The lowest supply setpoint while heating.
    pub supply_min_celsius: Number,
    /// The highest supply setpoint.
    pub supply_max_celsius: Number,
    /// The fastest rise of the setpoint.
    pub supply_rise_kelvins_per_hour: Number,
    /// The fastest fall of the setpoint.
    pub supply_fall_kelvins_per_hour: Number,
    /// Room sensors (测温点) that need no words of their own: their names.
    pub rooms: Vec<Written<String>>,
    /// The heating curve.
    pub curve: Option<Written<RawCurve>>,
    /// Room feedback.
    pub room_trim: Option<Written<RawRoomTrim>>,
    /// Periods of the week with another room temperature; where two overlap the first wins.
    pub schedule: Vec<Written<RawPeriod>>,
    /// The loop from supply temperature to valve.
    pub supply_loop: Option<Written<RawSupplyLoop>>,
    /// The primary valve.
    pub valve: Option<Written<RawValve>>,
    /// The circulation pumps.
    pub circulation: Option<Written<RawCirculation>>,
    /// Pressure holding by make-up water; left out where something else holds the pressure.
    pub make_up: Option<Written<RawMakeUp>>,
    /// Interlocks.
    pub interlock: Option<Written<RawInterlock>>,
    /// Frost protection.
    pub frost: Option<Written<RawFrost>>,
    /// Detection of outages.
    pub outage: Option<Written<RawOutage>>,
    /// What outside wishes may do.
    pub envelope: Option<Written<RawEnvelope>>,
    /// The buildings, nearest to the station first. Their areas add up to the circuit's.
    pub building: Vec<Written<RawBuilding>>,
    /// Room sensors with a minimum or a building of their own.
    pub room: Vec<Written<RawRoom>>,
}

/// What gives the heat to the rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawEmitter {
    /// Radiators.
    Radiator,
    /// Pipes in the screed.
    Floor,
    /// Fan coils.
    FanCoil,
}

/// A point of a heating curve: outdoor and supply temperature.
pub type CurvePoint = Written<(f64, f64)>;

/// The heating curve: from the design figures of the emitters, or through points.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawCurve {
    /// Emitter exponent n.
    pub exponent: Number,
    /// A curve through points instead: 2 to 8 pairs of outdoor and supply temperature in °C, outdoor rising, supply
    /// falling.
    pub points_celsius: Option<Written<Vec<CurvePoint>>>,
    /// The room temperature that the points are meant for.
    pub points_room_celsius: Number,
    /// With points: supply kelvins per kelvin of wished room temperature.
    pub points_room_slope: Number,
}

/// Room feedback: a slow correction of the curve's level from the coldest rooms.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawRoomTrim {
    /// Share of rooms that may stay below their minimum, 0 to 1.
    pub cold_share_ratio: Number,
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

/// A part of some days with another room temperature.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawPeriod {
    /// The days on which it starts. Every day unless written.
    pub days: Option<Written<Vec<RawDay>>>,
    /// When it starts, as in `"22:30"`. Required.
    pub from: Text,
    /// When it ends, as in `"05:00"`; not after its start means on the next day. Required.
    pub to: Text,
    /// What it adds to the room target; negative is a set-back. Required.
    pub room_shift_kelvins: Number,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "they are the days of the week")]
pub enum RawDay {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// The loop from supply temperature to valve.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawSupplyLoop {
    /// Valve travel per kelvin, as a share of the stroke.
    pub gain_per_kelvin: Number,
    /// Integral time.
    pub integral_time_seconds: Number,
    /// Time between two decisions.
    pub sample_time_seconds: Number,
    /// Wished travel below which the valve is left alone, as a share of the stroke.
    pub dead_band_ratio: Number,
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
}

/// The circulation pumps.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawCirculation {
    /// How many there are, 1 to 3.
    pub pumps: Count,
    /// How many of them run at a time.
    pub duty: Count,
    /// How the speed is found.
    pub mode: Option<Written<RawCirculationMode>>,
    /// With `fixed-speed`: share of the nominal speed.
    pub speed_ratio: Number,
    /// With `differential-pressure`: the difference of supply and return to hold.
    pub differential_pressure_kilopascals: Number,
    /// With `differential-pressure`: speed per kilopascal of error, as a share of the nominal speed.
    pub gain_per_kilopascal: Number,
    /// With `differential-pressure`: integral time.
    pub integral_time_seconds: Number,
    /// The lowest speed, as a share of the nominal.
    pub speed_min_ratio: Number,
    /// The highest speed.
    pub speed_max_ratio: Number,
    /// The speed while the measured pressure difference is lost.
    pub speed_fallback_ratio: Number,
    /// Fastest change of speed, share of the nominal a second.
    pub ramp_ratio_per_second: Number,
    /// A pump that was told to run must be proven within this.
    pub proof_within_seconds: Number,
    /// A failed pump is tried again after this.
    pub retry_after_minutes: Number,
    /// The duty changes after this running time; 0 never.
    pub rotate_after_hours: Number,
    /// Least time off before a pump is started again.
    pub off_min_seconds: Number,
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
}

/// Pressure holding by make-up water.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawMakeUp {
    /// How many make-up pumps there are, 1 or 2.
    pub pumps: Count,
    /// How they are driven.
    pub mode: Option<Written<RawMakeUpMode>>,
    /// The pressure at the holding point that make-up aims at: static head and 30 to 50 kPa. Required.
    pub setpoint_kilopascals: Number,
    /// Make-up starts below this.
    pub start_kilopascals: Number,
    /// The relief valve closes below this.
    pub relief_close_kilopascals: Number,
    /// The relief valve opens above this.
    pub relief_open_kilopascals: Number,
    /// The longest continuous run.
    pub run_max_minutes: Number,
    /// The largest volume a day.
    pub volume_per_day_max_m3: Number,
    /// Below this level the pumps would run dry.
    pub tank_low_meters: Number,
    /// The tank's inlet opens below this level.
    pub tank_refill_meters: Number,
    /// The tank's inlet closes above this level.
    pub tank_full_meters: Number,
}

/// How the make-up pumps are driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawMakeUpMode {
    /// On below the start pressure, off above the setpoint.
    StartStop,
    /// Variable speed on the setpoint, asleep when nothing is asked.
    VariableSpeed,
}

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

/// What outside wishes (dispatch centre, operator, forecast) may do.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawEnvelope {
    /// The most that a wish may lower the supply setpoint.
    pub lower_max_kelvins: Number,
    /// The most that a wish may raise it.
    pub raise_max_kelvins: Number,
    /// The fastest effect of a wish.
    pub rate_kelvins_per_minute: Number,
    /// The longest life of a wish.
    pub life_max_hours: Number,
    /// Below this outdoor temperature the heat floor holds.
    pub frost_celsius: Number,
    /// In frost a wish may lower the setpoint by no more than this.
    pub frost_lower_max_kelvins: Number,
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
