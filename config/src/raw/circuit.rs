//! A circuit as it is written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Number, Text};
use crate::written::Written;

mod balance;
mod circulation;
mod curve;
mod envelope;
mod guard;
mod limits;
mod make_up;
mod places;
mod times;
mod valve;
mod weather;

pub use balance::{RawBalance, RawBalanceBy, RawBuildingValve};
pub use circulation::{
    RawAssist, RawChangeMethod, RawChangeOver, RawCirculation, RawCirculationMode, RawExercise, RawFar, RawSpread,
    RawStages, RawTrim,
};
pub use curve::{CurvePoint, RawCurve, RawDay, RawPeriod};
pub use envelope::RawEnvelope;
pub use guard::{RawFlood, RawFrost, RawInterlock, RawIsolation, RawOutage, RawSequence};
pub use limits::{
    RawApproachLimit, RawCreepFlow, RawFlowLimit, RawHeatQuota, RawLimitPriority, RawLimiters, RawPowerLimit,
    RawReturnLimit,
};
pub use make_up::{RawBurstPolicy, RawMakeUp, RawMakeUpMode};
pub use places::{RawBuilding, RawBuildingUse, RawRoom, RawRoomSensors, RawRoomTrim};
pub use times::{RawBoost, RawFall, RawHoliday, RawLoadShed, RawOptimum, RawSetBack, RawSpecialDay};
pub use valve::{
    RawAcceptance, RawActuator, RawExchanger, RawFeedForward, RawGainSchedule, RawHuntingGuard, RawSupplyLoop,
    RawTuning, RawTuningRule, RawValve,
};
pub use weather::{RawHeatingLimit, RawHeatingLimitScope, RawWeather};

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
    /// The lowest supply setpoint in warm weather.
    pub supply_min_warm_celsius: Number,
    /// The outdoor temperature from which on that is the lowest; the two are joined over the 5 K below.
    pub supply_min_warm_from_celsius: Number,
    /// The highest supply setpoint.
    pub supply_max_celsius: Number,
    /// What the emitters and their pipes bear: the setpoint never passes it, whatever the highest setpoint is.
    pub emitter_max_celsius: Number,
    /// The fastest rise of the setpoint.
    pub supply_rise_kelvins_per_hour: Number,
    /// The fastest fall of the setpoint.
    pub supply_fall_kelvins_per_hour: Number,
    /// Room sensors (测温点) that need no words of their own: their names.
    pub rooms: Vec<Written<String>>,
    /// The heating curve.
    pub curve: Option<Written<RawCurve>>,
    /// What the buildings feel of the weather beside the smoothed outdoor temperature.
    pub weather: Option<Written<RawWeather>>,
    /// The heating limit (ECO): no heat where it is too warm for it. Without this table there is none.
    pub heating_limit: Option<Written<RawHeatingLimit>>,
    /// Room feedback.
    pub room_trim: Option<Written<RawRoomTrim>>,
    /// When a room sensor is not believed.
    pub room_sensors: Option<Written<RawRoomSensors>>,
    /// Periods of the week with another room temperature; where two overlap the first wins.
    pub schedule: Vec<Written<RawPeriod>>,
    /// Days with one room temperature throughout; they outrank the periods, and where two overlap the first wins.
    pub holiday: Vec<Written<RawHoliday>>,
    /// Days with the periods of another day of the week.
    pub special_day: Vec<Written<RawSpecialDay>>,
    /// The building constant (Siemens): a third of the time constant with which its rooms cool without heat.
    pub building_constant_hours: Number,
    /// What becomes of a reduced room temperature.
    pub set_back: Option<Written<RawSetBack>>,
    /// Starting and stopping ahead of the clock.
    pub optimum: Option<Written<RawOptimum>>,
    /// More supply while the rooms warm up after a set-back.
    pub boost: Option<Written<RawBoost>>,
    /// Less heat for a time because dispatch asks for it.
    pub load_shed: Option<Written<RawLoadShed>>,
    /// The loop from supply temperature to valve.
    pub supply_loop: Option<Written<RawSupplyLoop>>,
    /// The primary valve.
    pub valve: Option<Written<RawValve>>,
    /// The heat exchanger.
    pub exchanger: Option<Written<RawExchanger>>,
    /// The circulation pumps.
    pub circulation: Option<Written<RawCirculation>>,
    /// Balancing the buildings by their valves; left out where those are set by hand.
    pub balance: Option<Written<RawBalance>>,
    /// Pressure holding by make-up water; left out where something else holds the pressure.
    pub make_up: Option<Written<RawMakeUp>>,
    /// Starting and stopping in order.
    pub sequence: Option<Written<RawSequence>>,
    /// Interlocks.
    pub interlock: Option<Written<RawInterlock>>,
    /// A fast-closing isolation valve in the primary side; left out where there is none.
    pub isolation: Option<Written<RawIsolation>>,
    /// Frost protection.
    pub frost: Option<Written<RawFrost>>,
    /// Detection of outages.
    pub outage: Option<Written<RawOutage>>,
    /// What holds for all limits below.
    pub limits: Option<Written<RawLimiters>>,
    /// Highest primary return temperature. No limit unless written.
    pub return_limit: Option<Written<RawReturnLimit>>,
    /// Highest difference of primary and secondary return. No limit unless written.
    pub approach_limit: Option<Written<RawApproachLimit>>,
    /// Highest primary flow. No limit unless written.
    pub flow_limit: Option<Written<RawFlowLimit>>,
    /// Highest heat power. No limit unless written.
    pub power_limit: Option<Written<RawPowerLimit>>,
    /// A budget of heat for each day. No limit unless written.
    pub heat_quota: Option<Written<RawHeatQuota>>,
    /// Primary flow that is too small for the heat meter. The valve may creep unless written.
    pub creep_flow: Option<Written<RawCreepFlow>>,
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
