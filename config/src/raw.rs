//! The station's file as it is written: every key that may stand in it, its unit in its name, nothing checked.
//!
//! Nothing here is required and nothing has a default: what is missing and what stands in for it is decided in
//! [`check`](mod@crate::check), where every problem is found at once. The JSON Schema for editors is made from these types,
//! so the comments on the fields are what an engineer reads while typing.

mod circuit;
mod device;
mod messages;
mod opcua;
mod opcua_server;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use circuit::{
    CurvePoint, RawAcceptance, RawActuator, RawApproachLimit, RawAssist, RawBalance, RawBalanceBy, RawBoost,
    RawBuilding, RawBuildingUse, RawBuildingValve, RawBurstPolicy, RawChangeMethod, RawChangeOver, RawCircuit,
    RawCirculation, RawCirculationMode, RawCreepFlow, RawCurve, RawDay, RawEmitter, RawEnvelope, RawExchanger,
    RawExercise, RawFall, RawFar, RawFeedForward, RawFlood, RawFlowLimit, RawFrost, RawGainSchedule, RawHeatQuota,
    RawHeatingLimit, RawHeatingLimitScope, RawHoliday, RawHuntingGuard, RawInterlock, RawIsolation, RawLimitPriority,
    RawLimiters, RawLoadShed, RawMakeUp, RawMakeUpMode, RawOptimum, RawOutage, RawPeriod, RawPowerLimit,
    RawReturnLimit, RawRoom, RawRoomSensors, RawRoomTrim, RawSequence, RawSetBack, RawSpecialDay, RawSpread, RawStages,
    RawSupplyLoop, RawTrim, RawTuning, RawTuningRule, RawValve, RawWeather,
};
pub use device::{
    RawBlock, RawDevice, RawEncoding, RawForbidden, RawInvalid, RawLimits, RawOwner, RawParameter, RawParity,
    RawPeriods, RawProtocol, RawReadBack, RawRow, RawTable, RawTableLimits, RawTemplate, RawWatchdog, RawWire,
    RawWordOrder, RawWrite, RawWriteFunction,
};
pub use messages::{
    RawAvailability, RawMqtt, RawMqttPoint, RawMqttRooms, RawMqttTls, RawPush, RawPushPoint, RawPushRooms,
    RawRoomSignal,
};

pub use opcua::{RawMode, RawNode, RawNodeReadBack, RawNodeWrite, RawOpcua, RawPolicy, RawReading};
pub use opcua_server::{RawOpcuaOrigin, RawOpcuaPolicy, RawOpcuaRole, RawOpcuaServer, RawOpcuaUser};

use crate::written::Written;

/// A number where it stands, if it was written.
pub type Number = Option<Written<f64>>;
/// A whole number where it stands, if it was written.
pub type Count = Option<Written<u64>>;
/// A text where it stands, if it was written.
pub type Text = Option<Written<String>>;

/// A station file of heatstation.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "heatstation station file")]
pub struct RawFile {
    /// What the station is.
    pub station: Option<Written<RawStation>>,
    /// When heat is due.
    pub season: Option<Written<RawSeason>>,
    /// Where the outdoor temperature comes from and how it is smoothed.
    pub outdoor: Option<Written<RawOutdoor>>,
    /// The lines to the devices.
    pub wire: Vec<Written<RawWire>>,
    /// The devices on the lines.
    pub device: Vec<Written<RawDevice>>,
    /// The OPC UA servers whose nodes are read and written.
    pub opcua: Vec<Written<RawOpcua>>,
    /// Brokers of which values are heard: room sensors, meteorology, forecasts.
    pub mqtt: Vec<Written<RawMqtt>>,
    /// Sources that post values to this station.
    pub push: Vec<Written<RawPush>>,
    /// The circuits (机组): each an exchanger with its valve, pumps and make-up.
    pub circuit: Vec<Written<RawCircuit>>,
    /// Points of the site's own choice: watched and recorded, never used by control.
    pub auxiliary: Vec<Written<RawAuxiliary>>,
    /// The program itself.
    pub daemon: Option<Written<RawDaemon>>,
    /// The web server: metrics, API and operator's page.
    pub http: Option<Written<RawHttp>>,
    /// The station as an OPC UA server. There is none unless this section is written.
    pub opcua_server: Option<Written<RawOpcuaServer>>,
    /// The recorded series.
    pub history: Option<Written<RawHistory>>,
    /// The plant that `demo` and `simulate` put in the station's place.
    pub simulation: Option<Written<RawSimulation>>,
}

/// What the station is.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawStation {
    /// The stable id, used in metrics, records and uplinks: small letters, digits, `-` and `_`. Required.
    pub id: Text,
    /// What people call it. Required.
    pub name: Text,
    /// The service standard: `hanzhong`, `zibo`, `xinjiang`, `tangshan`, `cdha`, or a file `standards/<name>.toml` beside
    /// this file. Required.
    pub standard: Text,
    /// The area that is due normal supply: the denominator of the accident rate, exact to 0.01 m². Required.
    pub heated_area_m2: Number,
    /// The outdoor temperature that the buildings were designed for (GB 50736-2012, annex A). Required.
    pub design_outdoor_celsius: Number,
    /// The IANA name of the time zone. `Asia/Shanghai` unless written.
    pub time_zone: Text,
}

/// When heat is due, in the station's local time.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawSeason {
    /// The first day, from 00:00 on. Required.
    pub first_day: Option<Written<Date>>,
    /// The last day, to 24:00. Required.
    pub last_day: Option<Written<Date>>,
    /// The day on which the station begins to heat, so that the rooms are warm on the first day. Three days before it
    /// unless written.
    pub heating_from_day: Option<Written<Date>>,
    /// The last day on which the station heats, though heat is no longer due. The last day of the season unless written.
    pub heating_until_day: Option<Written<Date>>,
    /// From this day on the station begins to heat when the mean of five days is not above `mean_limit_celsius`. Unless
    /// written it begins by date alone.
    pub earliest_day: Option<Written<Date>>,
    /// Until this day the station goes on heating while the mean of five days is not above `mean_limit_celsius`. Unless
    /// written it ends by date alone.
    pub latest_day: Option<Written<Date>>,
    /// The mean outdoor temperature of five days that calls for heat before and after the planned days.
    pub mean_limit_celsius: Number,
}

/// A date as TOML writes it, without quotes: `2026-11-15`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Date(pub toml::value::Datetime);

impl JsonSchema for Date {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date" })
    }
}

/// The outdoor temperature.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawOutdoor {
    /// Time constant of the smoothed outdoor temperature.
    pub filter_hours: Number,
    /// How long the last good value is carried on after all sensors are lost.
    pub hold_hours: Number,
    /// What is assumed after that.
    pub fallback_celsius: Number,
    /// How far two sensors may differ before the colder one is taken and an alarm is raised.
    pub disagreement_kelvins: Number,
    /// How much warmer than the meteorological service the sensor may be before the service is taken: sun on the sensor.
    pub sun_excess_kelvins: Number,
    /// How long that must last before the sensor is no longer believed and an alarm is raised.
    pub sun_after_hours: Number,
    /// A sensor that has not moved for this long is no longer believed; 0 switches the check off.
    pub frozen_after_hours: Number,
    /// How fast the bias of the meteorological service is learnt against the sensor: its share of an hour, 0 to 1.
    pub bias_ratio_per_hour: Number,
    /// A forecast that was issued longer ago than this is not used.
    pub forecast_age_max_hours: Number,
}

/// A point of the site's own choice.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawAuxiliary {
    /// The last part of its name: the point is called `auxiliary.<name>`. Required.
    pub name: Text,
    /// The unit of its values, as `heatstation points` prints units. Required.
    pub unit: Text,
    /// The lowest value that is believed, in that unit. Required.
    pub min: Number,
    /// The highest value that is believed, in that unit. Required.
    pub max: Number,
}

/// The program itself.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawDaemon {
    /// Where records and history are kept.
    pub data_folder: Text,
}

/// The web server.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawHttp {
    /// Address and port that it listens on. Loopback unless written.
    pub listen: Text,
    /// The name by which browsers and Prometheus may call the station, besides `localhost` and any address.
    pub host: Text,
}

/// The recorded series.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawHistory {
    /// How often a value is recorded.
    pub interval_seconds: Number,
    /// How long it is kept.
    pub retention_days: Number,
}

/// The simulated plant.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawSimulation {
    /// By which step of the Chinese energy standard the buildings are insulated.
    pub building_class: Option<Written<RawBuildingClass>>,
    /// How many flats are simulated in a building; each stands for its part of the area.
    pub flats_per_building: Count,
    /// The climate of the seeded weather generator.
    pub climate: Option<Written<RawClimate>>,
    /// Primary supply temperature at the design outdoor temperature.
    pub primary_design_supply_celsius: Number,
    /// Primary return temperature there.
    pub primary_design_return_celsius: Number,
}

/// Insulation by the steps of the Chinese energy standards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RawBuildingClass {
    /// Before 1986.
    #[serde(rename = "none")]
    Uninsulated,
    /// JGJ 26-95.
    #[serde(rename = "50%")]
    Half,
    /// JGJ 26-2010.
    #[serde(rename = "65%")]
    SixtyFive,
    /// JGJ 26-2018.
    #[serde(rename = "75%")]
    SeventyFive,
}

/// A climate that the weather generator knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawClimate {
    /// Zibo.
    Shandong,
    /// Jinan, fitted to its typical year.
    Jinan,
    /// Beijing, fitted to its typical year.
    Beijing,
    /// Hohhot.
    Hohhot,
    /// Harbin, fitted to its typical year.
    Harbin,
    /// Hanzhong.
    Hanzhong,
}
