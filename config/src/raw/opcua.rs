//! OPC UA servers whose nodes are read and written, as they are written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::device::RawPeriods;
use super::{Count, Number, Text};
use crate::written::Written;

/// An OPC UA server whose nodes are points of the station.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawOpcua {
    /// Its name. Required.
    pub name: Text,
    /// Where it is, as in `opc.tcp://192.168.1.20:4840`. Required.
    pub url: Text,
    /// With which ciphers what is said is protected. `none` protects nothing and has to be written.
    pub policy: Option<Written<RawPolicy>>,
    /// Whether what is said is signed alone, or encrypted as well.
    pub mode: Option<Written<RawMode>>,
    /// The user. Nobody unless written.
    pub user: Text,
    /// The file whose first line is the user's password; a password never stands in this file.
    pub password_file: Text,
    /// The environment variable that holds the password, instead of a file.
    pub password_environment: Text,
    /// The certificate of the user, DER or PEM, instead of name and password.
    pub user_certificate_file: Text,
    /// Its private key, PEM.
    pub user_key_file: Text,
    /// How long an answer may take.
    pub timeout_milliseconds: Number,
    /// First wait after a lost connection; it doubles up to the longest.
    pub reconnect_min_seconds: Number,
    /// Longest wait after a lost connection.
    pub reconnect_max_seconds: Number,
    /// Whether the server brings values or is asked for them.
    pub reading: Option<Written<RawReading>>,
    /// How often the server sends what changed, and says that nothing did.
    pub publishing_seconds: Number,
    /// After so many publishing intervals without a word the session is made anew.
    pub silent_after_intervals: Count,
    /// A value whose own time lies further than this before the time that the server sent it is in doubt. Not looked at
    /// unless written: many servers date a value by its last change.
    pub source_age_max_seconds: Number,
    /// How often the server looks at points, or is asked for them.
    pub period: Option<Written<RawPeriods>>,
    /// How outputs are written.
    pub write: Option<Written<RawNodeWrite>>,
    /// The nodes.
    pub point: Vec<Written<RawNode>>,
}

/// The ciphers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawPolicy {
    /// No protection.
    None,
    /// `Basic256Sha256`.
    #[serde(rename = "basic256-sha256")]
    Basic256Sha256,
    /// `Aes128_Sha256_RsaOaep`.
    #[serde(rename = "aes128-sha256-rsa-oaep")]
    Aes128Sha256RsaOaep,
    /// `Aes256_Sha256_RsaPss`.
    #[serde(rename = "aes256-sha256-rsa-pss")]
    Aes256Sha256RsaPss,
}

/// How much is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawMode {
    /// Against change and pretence.
    Sign,
    /// And against being read.
    SignAndEncrypt,
}

/// How values come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawReading {
    /// The server brings them; what it does not want to bring is asked for.
    Subscribe,
    /// They are asked for.
    Poll,
}

/// How outputs are written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawNodeWrite {
    /// At least this long between two writes of changed values.
    pub minimum_interval_seconds: Number,
    /// Written again after this long even if nothing changed.
    pub refresh_seconds: Number,
    /// How far apart wanted and read-back value may be, in the point's unit.
    pub tolerance: Number,
    /// Whether an output is verified where it was written.
    pub read_back: Option<Written<RawNodeReadBack>>,
    /// For memory that wears out: how many writes a year may be spent.
    pub writes_per_year: Count,
}

/// Where a written node is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawNodeReadBack {
    /// At itself.
    SameNode,
    /// Nowhere.
    Impossible,
}

/// One node that is one point.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawNode {
    /// The point: its full name. Required.
    pub point: Text,
    /// The node, its namespace by URI, as in `nsu=http://plc.example/;s=Heating.Tout`. Required.
    pub node: Text,
    /// Which element of an array, counted from 0.
    pub index: Count,
    /// The unit that the node means, as in `bar`; the point's own unless written.
    pub unit: Text,
    /// Value = number × scale + offset, in `unit`.
    pub scale: Number,
    /// See `scale`.
    pub offset: Number,
    /// Whether false, or 0, means on.
    pub inverted: Option<Written<bool>>,
    /// How often the server looks at it, or is asked for it; the period of the point's kind unless written.
    pub sampling_seconds: Number,
    /// How many samples the server keeps between two messages.
    pub queue: Count,
    /// Smaller changes, in `unit`, are not sent.
    pub dead_band: Number,
    /// Smaller changes, as a share of the range that the node declares, are not sent.
    pub dead_band_percent: Number,
    /// The node at which an output is verified, where that is another one.
    pub read_back_node: Text,
    /// How far apart wanted and read-back value may be, in the point's unit; over the server's.
    pub tolerance: Number,
}
