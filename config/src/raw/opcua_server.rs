//! The station as an OPC UA server, as written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Count, Number, Text};
use crate::written::Written;

/// The station as an OPC UA server, for the local SCADA and for dispatch. There is none unless this section is written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawOpcuaServer {
    /// Address and port that it listens on. Loopback unless written.
    pub listen: Text,
    /// The name or address under which clients reach this computer, told to them with the endpoints. The address of
    /// `listen` unless written, `localhost` where that is none in particular.
    pub host: Text,
    /// As whom the station hears its users: `dispatch`, `service`, or `operator` for a screen at the station itself, whose
    /// people may also stop a circuit and whose wishes do not end with its silence.
    pub origin: Option<Written<RawOpcuaOrigin>>,
    /// How clients may sign and encrypt; all three unless written.
    pub policies: Vec<Written<RawOpcuaPolicy>>,
    /// Whether anybody who reaches the port may read without a certificate, without a password and unencrypted. Such
    /// clients can never write.
    pub allow_unencrypted_reading: Option<Written<bool>>,
    /// Sessions at a time. A client that lost its connection leaves its old session until that times out.
    pub sessions_max: Count,
    /// How long a wish lives that came as a write to a node; methods say it themselves.
    pub wish_lasts_minutes: Number,
    /// Who may log in.
    pub user: Vec<Written<RawOpcuaUser>>,
}

/// A user of the OPC UA server.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawOpcuaUser {
    /// The name: small letters, digits, `-` and `_`. It stands in the records as the author of what was asked. Required.
    pub name: Text,
    /// What `heatstation user hash` prints: never the password itself. Required.
    pub password_hash: Text,
    /// What the user may do. `view` unless written.
    pub role: Option<Written<RawOpcuaRole>>,
}

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawOpcuaRole {
    /// Read.
    View,
    /// Read, and ask for what the station lets be asked.
    Operate,
}

/// Where wishes of its users count as coming from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawOpcuaOrigin {
    /// The dispatch centre.
    Dispatch,
    /// A program.
    Service,
    /// A screen at the station, with a person before it.
    Operator,
}

/// How a client signs and encrypts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RawOpcuaPolicy {
    /// `Basic256Sha256`, which every client of today knows.
    #[serde(rename = "basic256-sha256")]
    Basic256Sha256,
    /// `Aes128_Sha256_RsaOaep`.
    #[serde(rename = "aes128-sha256-rsa-oaep")]
    Aes128Sha256RsaOaep,
    /// `Aes256_Sha256_RsaPss`, the strongest.
    #[serde(rename = "aes256-sha256-rsa-pss")]
    Aes256Sha256RsaPss,
}
