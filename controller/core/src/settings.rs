//! What a station is and how it is to be run: checked, complete, in base units. `config` makes it from files.
//!
//! Settings, state and requests are three things; none is stored inside another. Every default below names its source.

use std::time::Duration;

use heatstation_points::{BuildingIndex, Celsius, CubicMetersPerSecond, Kelvins, Watts};
use serde::{Deserialize, Serialize};

use crate::area::Area;
use crate::heating_curve::{Adjustment, Curve};
use crate::moment::UtcMillis;
use crate::profile::Profile;
use crate::schedule::Schedule;

mod balance;
mod circulation;
mod circulation_speed;
mod guard;
mod limits;
mod make_up;
mod ordinary;
mod outdoor;
mod rooms;
mod sequence;
mod supply;
mod times;
mod valve;
mod weather;

pub use balance::{BalanceBy, BalanceSettings};
pub use circulation::{Assist, ChangeOver, CirculationMode, CirculationSettings, Exercise, TimeOfWeek};
pub use circulation_speed::{
    FarSettings, FlowLaw, LoadLine, StagedFlow, TemperatureDifference, TrimRespond, WorstPoint,
};
pub use guard::{FloodPolicy, FrostSettings, InterlockSettings, IsolationSettings, OutageSettings};
pub use limits::{CreepSettings, LimitPriority, LimiterSettings, LimiterTuning, LimitsSettings, QuotaSettings};
pub use make_up::{BurstPolicy, LeakSettings, MakeUpMode, MakeUpSettings};
pub use outdoor::OutdoorSettings;
pub use rooms::{RoomSensorSettings, RoomTrimSettings};
pub use sequence::SequenceSettings;
pub use supply::{EnvelopeSettings, SupplySettings, WarmMinimum};
pub use times::{Boost, BoostSettings, Fall, LoadShedSettings, OptimumSettings, SetBackSettings, TimesSettings};
pub use valve::{SupplyLoopSettings, ValveSettings};
pub use weather::{EquivalentOutdoorSettings, HeatingLimitScope, HeatingLimitSettings, ShoulderSettings};

/// A station.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The stable id, as in `k12`.
    pub station: String,
    /// The area that is due normal supply, the denominator of the accident rate.
    pub heated_area: Area,
    /// The outdoor temperature that the buildings were designed for.
    pub design_outdoor: Celsius,
    /// When heat is due.
    pub season: Season,
    /// The days around it on which the station may heat too.
    pub shoulder: ShoulderSettings,
    /// What the service standard asks.
    pub profile: Profile,
    /// Where the outdoor temperature comes from and how it is smoothed.
    pub outdoor: OutdoorSettings,
    /// The circuits.
    pub circuits: Vec<CircuitSettings>,
}

/// The heating season: from 00:00 of the first day to 24:00 of the last, in the station's local time.
///
/// Heat is due from the first moment, so a station begins some days earlier: water and walls take that long to warm up
/// (热态调试). What happens before the first day is no outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Season {
    /// When the station begins to heat; not after `start`. Three days before it unless configured otherwise.
    pub heating_from: UtcMillis,
    /// The first moment of the first day.
    pub start: UtcMillis,
    /// The first moment after the last day.
    pub end: UtcMillis,
}

impl Season {
    /// Whether heat is due at that time.
    pub fn contains(&self, time: UtcMillis) -> bool {
        self.start <= time && time < self.end
    }

    /// Whether the station heats at that time.
    pub fn heats(&self, time: UtcMillis) -> bool {
        self.heating_from <= time && time < self.end
    }

    /// The season's length.
    pub fn length(&self) -> Duration {
        self.end.since(self.start)
    }
}

/// One circuit: an exchanger with its valve, pumps and make-up, and the buildings behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CircuitSettings {
    /// Its name, as in `low-zone`.
    pub name: String,
    /// The area that it heats.
    pub heated_area: Area,
    /// The buildings behind it, in the order of the catalogue.
    pub buildings: Vec<BuildingSettings>,
    /// The room sensors behind it, in the order of the catalogue.
    pub rooms: Vec<RoomSettings>,
    /// Outdoor temperature to supply temperature.
    pub curve: Curve,
    /// What is corrected on it.
    pub curve_adjustment: Adjustment,
    /// What the buildings feel of the weather beside the smoothed outdoor temperature.
    pub weather: EquivalentOutdoorSettings,
    /// Where it is too warm to heat; none heats by the calendar alone.
    pub heating_limit: Option<HeatingLimitSettings>,
    /// The room temperature that the curve aims at.
    pub room_target: Celsius,
    /// What the design flow is, for the measured flow ratio; none switches the correction off.
    pub design_flow: Option<CubicMetersPerSecond>,
    /// What the design heat load is.
    pub design_power: Watts,
    /// When a room sensor is not believed.
    pub room_sensors: RoomSensorSettings,
    /// Room feedback.
    pub room_trim: RoomTrimSettings,
    /// Periods of the week and days with another room temperature.
    pub schedule: Schedule,
    /// How the circuit goes from one level to the other, and what dispatch may ask to shed.
    pub times: TimesSettings,
    /// Limits of the supply setpoint.
    pub supply: SupplySettings,
    /// Limits that the supply setpoint gives way to: returns, flow, power, heat of the day.
    pub limits: LimitsSettings,
    /// The loop from supply temperature to valve.
    pub supply_loop: SupplyLoopSettings,
    /// The primary valve.
    pub valve: ValveSettings,
    /// The circulation pumps.
    pub circulation: CirculationSettings,
    /// Balancing the buildings; none where their valves are set by hand.
    pub balance: Option<BalanceSettings>,
    /// Pressure holding; none where something else holds the pressure.
    pub make_up: Option<MakeUpSettings>,
    /// Starting and stopping in order.
    pub sequence: SequenceSettings,
    /// Interlocks.
    pub interlock: InterlockSettings,
    /// A fast-closing isolation valve beside the control valve; none where there is none.
    pub isolation: Option<IsolationSettings>,
    /// Frost protection.
    pub frost: FrostSettings,
    /// Detection of outages.
    pub outage: OutageSettings,
    /// What outside wishes may do.
    pub envelope: EnvelopeSettings,
}

/// A building.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BuildingSettings {
    /// Its name, as in `b3`.
    pub name: String,
    /// Its heated area.
    pub heated_area: Area,
    /// Whether its valve is moved.
    pub valve: BuildingValve,
    /// What it shall be warmer than the mean of the buildings when they are balanced: the one at the edge, the old one.
    pub offset: Kelvins,
}

/// Whether a building's valve is moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BuildingValve {
    /// It has none, or it is set by hand.
    #[default]
    Fixed,
    /// It is moved to balance the buildings.
    Balanced,
}

/// A room sensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoomSettings {
    /// Its name, as in `a101`.
    pub name: String,
    /// The lowest temperature that the standard or the contract allows there.
    pub minimum: Celsius,
    /// The building that it hangs in, where that is known.
    pub building: Option<BuildingIndex>,
}
