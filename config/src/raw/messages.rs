//! Sources whose values come by themselves, as they are written: MQTT subscriptions, and sources that post over HTTP.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Count, Number, Text};
use crate::written::Written;

/// A broker, and what is heard of it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawMqtt {
    /// Its name. Required.
    pub name: Text,
    /// `host:port` of the broker, which speaks MQTT 5. Required.
    pub address: Text,
    /// The user, if the broker wants one.
    pub user: Text,
    /// The file of the user's password, one line.
    pub password_file: Text,
    /// The name by which the broker knows this station; no other client may have it.
    pub client_id: Text,
    /// 0 at most once, 1 at least once.
    pub quality_of_service: Count,
    /// How long the broker keeps messages while this station is away; each must then say its time.
    pub session_expiry_seconds: Number,
    /// A broker that says nothing for half as much again is gone.
    pub keep_alive_seconds: Number,
    /// First wait after a lost connection; it doubles up to the longest.
    pub reconnect_min_seconds: Number,
    /// Longest wait after a lost connection.
    pub reconnect_max_seconds: Number,
    /// How many messages it may bring in the long run; more are dropped and counted.
    pub messages_per_second: Number,
    /// An encrypted connection.
    pub tls: Option<Written<RawMqttTls>>,
    /// A topic on which the sender, or its last will, says that it is gone.
    pub availability: Option<Written<RawAvailability>>,
    /// The topic of hourly forecasts.
    pub forecast_topic: Text,
    /// Points, each with its topic.
    pub point: Vec<Written<RawMqttPoint>>,
    /// Room sensors, all at once.
    pub rooms: Vec<Written<RawMqttRooms>>,
}

/// An encrypted connection to a broker.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawMqttTls {
    /// The file of the authorities that are trusted, PEM. Required.
    pub ca_file: Text,
    /// The file of this station's certificate, PEM, if the broker wants one.
    pub certificate_file: Text,
    /// The file of its key, PEM.
    pub key_file: Text,
}

/// A topic on which a sender says that it is gone.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawAvailability {
    /// The topic. Required.
    pub topic: Text,
    /// The message that says so.
    pub offline: Text,
}

/// A point and its topic.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawMqttPoint {
    /// The point. Required.
    pub point: Text,
    /// The topic. Required.
    pub topic: Text,
    /// Where in the message the value stands, as in `data.0.t`. The message itself unless written.
    pub field: Text,
    /// Where in the message its time stands. The time of arrival counts unless written.
    pub time_field: Text,
    /// The unit in which it is sent. The point's own unless written.
    pub unit: Text,
    /// Value = number × scale + offset, in that unit.
    pub scale: Number,
    /// See `scale`.
    pub offset: Number,
    /// Numbers by which the sender says that its sensor is broken.
    pub invalid: Vec<Written<f64>>,
    /// How often a value is expected: the yardstick of its age.
    pub period_seconds: Number,
}

/// The room sensors of a circuit.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawMqttRooms {
    /// The topics; `{id}` stands for the level that names the sensor, as in `rooms/{id}/state`. Required.
    pub topic: Text,
    /// The circuit of the rooms. The only one unless written.
    pub circuit: Text,
    /// `temperature` or `battery`. The temperature unless written.
    pub signal: Option<Written<RawRoomSignal>>,
    /// A CSV file beside this file with the columns `id` and `room` (or `point`). The ids are the names of the rooms unless
    /// written.
    pub ids_csv: Text,
    /// Where the list of records stands in a message of many. The message itself unless written.
    pub records_field: Text,
    /// Where in a record the id stands, if the topic does not name it.
    pub id_field: Text,
    /// Where in a record the value stands. The record itself unless written.
    pub field: Text,
    /// Where in a record its time stands. The time of arrival counts unless written.
    pub time_field: Text,
    /// The unit in which it is sent. The point's own unless written.
    pub unit: Text,
    /// Value = number × scale + offset, in that unit.
    pub scale: Number,
    /// See `scale`.
    pub offset: Number,
    /// Numbers by which the sender says that its sensor is broken.
    pub invalid: Vec<Written<f64>>,
    /// How often a value is expected: the yardstick of its age.
    pub period_seconds: Number,
}

/// What a room sensor says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawRoomSignal {
    /// The temperature.
    Temperature,
    /// What is left in its battery.
    Battery,
}

/// A source that posts to `/api/v1/samples`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawPush {
    /// Its name. Required.
    pub name: Text,
    /// SHA-256 of its token in hexadecimal; `heatstation token new` makes both. Required.
    pub token_sha256: Text,
    /// Whether it may post to `/api/v1/forecast` as well.
    pub forecast: Option<Written<bool>>,
    /// A source that was not heard for so long is silent. Three times the longest period of its points unless written.
    pub silent_after_minutes: Number,
    /// How many requests it may make in the long run; more are answered with 429.
    pub requests_per_minute: Number,
    /// Where the list of records stands in a request. The request itself unless written.
    pub records_field: Text,
    /// Where in a record the id stands.
    pub id_field: Text,
    /// Where in a record the value stands.
    pub value_field: Text,
    /// Where in a record its time stands.
    pub time_field: Text,
    /// Points, each with its id.
    pub point: Vec<Written<RawPushPoint>>,
    /// Room sensors, all at once.
    pub rooms: Vec<Written<RawPushRooms>>,
}

/// A point and its id.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawPushPoint {
    /// The point. Required.
    pub point: Text,
    /// The id of its records. The point's name unless written.
    pub id: Text,
    /// The unit in which it is sent. The point's own unless written.
    pub unit: Text,
    /// Value = number × scale + offset, in that unit.
    pub scale: Number,
    /// See `scale`.
    pub offset: Number,
    /// Numbers by which the sender says that its sensor is broken.
    pub invalid: Vec<Written<f64>>,
    /// How often a value is expected: the yardstick of its age.
    pub period_seconds: Number,
}

/// The room sensors of a circuit.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawPushRooms {
    /// The circuit of the rooms. The only one unless written.
    pub circuit: Text,
    /// `temperature` or `battery`. The temperature unless written.
    pub signal: Option<Written<RawRoomSignal>>,
    /// A CSV file beside this file with the columns `id` and `room` (or `point`). The ids are the names of the rooms unless
    /// written.
    pub ids_csv: Text,
    /// The unit in which it is sent. The point's own unless written.
    pub unit: Text,
    /// Value = number × scale + offset, in that unit.
    pub scale: Number,
    /// See `scale`.
    pub offset: Number,
    /// Numbers by which the sender says that its sensor is broken.
    pub invalid: Vec<Written<f64>>,
    /// How often a value is expected: the yardstick of its age.
    pub period_seconds: Number,
}
