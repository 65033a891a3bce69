//! What an OPC UA server and its items are: plain data, made by the configuration.

use std::path::PathBuf;
use std::time::Duration;

use heatstation_points::{Definition, Point};
use serde::{Deserialize, Serialize};

use super::node::NodeAddress;
use super::pki::OwnIdentity;
use crate::settings::Memory;

/// One server with the items that are read and written there.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerSettings {
    /// Its name, used in logs and as the `wire` label of metrics.
    pub name: String,
    /// Where it is: `opc.tcp://host:port/path`. It is called there whatever address it gives itself: behind a router it
    /// does not know better.
    pub url: String,
    /// How what is said is protected.
    pub security: Security,
    /// As whom we come.
    pub user: User,
    /// How long an answer may take.
    pub timeout: Duration,
    /// First wait after a lost connection; doubles up to `reconnect_max`.
    pub reconnect_min: Duration,
    /// Longest wait after a lost connection.
    pub reconnect_max: Duration,
    /// How values come.
    pub reading: Reading,
    /// How often the server sends what changed, and says that nothing did.
    pub publishing: Duration,
    /// So many publishing intervals without a word, and the session is made anew.
    pub silent_after: u32,
    /// A value whose sender's time lies further than this before the time that its server sent it is in doubt; none asks
    /// nothing: many servers date a value by its last change, and a switch may rest for a season.
    pub source_age_max: Option<Duration>,
    /// The folder of certificates.
    pub pki: PathBuf,
    /// What this program calls itself there.
    pub identity: OwnIdentity,
    /// What is read and written.
    pub items: Vec<Item>,
}

/// How what is said is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Security {
    /// With which ciphers.
    pub policy: Policy,
    /// How much of it.
    pub mode: Mode,
}

/// The security policies that are fit for use; the two with SHA-1 (`Basic128Rsa15`, `Basic256`) are not (OPC 10000-7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// No protection: whoever is on the network reads along and may pretend to be the server.
    None,
    /// `Basic256Sha256`.
    Basic256Sha256,
    /// `Aes128_Sha256_RsaOaep`.
    Aes128Sha256RsaOaep,
    /// `Aes256_Sha256_RsaPss`.
    Aes256Sha256RsaPss,
}

/// How much is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Against change and pretence.
    Sign,
    /// And against being read.
    SignAndEncrypt,
}

/// As whom we come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum User {
    /// As nobody.
    Anonymous,
    /// With a name and a password, which is read anew at each connection.
    Password {
        /// The name.
        name: String,
        /// Where the password is.
        password: PasswordPlace,
    },
    /// With a certificate of a person or role.
    Certificate {
        /// Its file, DER or PEM.
        certificate: PathBuf,
        /// The file of its key, PEM.
        key: PathBuf,
    },
}

/// Where a password is kept; never in the station's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordPlace {
    /// The first line of a file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
}

/// How values come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// The server brings them; what it does not want to bring is asked for.
    Subscribe,
    /// They are asked for.
    Poll,
}

/// One node that is one point.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The point: unit, range, direction.
    pub definition: Definition,
    /// Where it is.
    pub node: NodeAddress,
    /// Which element of an array.
    pub index: Option<u32>,
    /// Value = number × scale + offset, in the point's unit.
    pub scale: f64,
    /// See `scale`.
    pub offset: f64,
    /// Whether false and 0 mean on.
    pub inverted: bool,
    /// How often the server looks at it, or we do.
    pub sampling: Duration,
    /// How many samples the server keeps between two publications.
    pub queue: u32,
    /// Smaller changes are not worth sending.
    pub dead_band: DeadBand,
    /// How it is written; none for what is only read.
    pub write: Option<NodeWrite>,
}

impl Item {
    /// The point.
    pub fn point(&self) -> Point {
        self.definition.point
    }
}

/// Changes that the server keeps to itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeadBand {
    /// None: every change is sent.
    None,
    /// Up to so much, in the node's own numbers.
    Absolute(f64),
    /// Up to so many percent of the node's `EURange`, which it must have.
    Percent(f64),
}

/// How a node is written.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeWrite {
    /// At least this long between two writes of changed values.
    pub minimum_interval: Duration,
    /// Written again after this long even if nothing changed.
    pub refresh: Duration,
    /// How far apart wanted and read-back value may be, in the point's unit.
    pub tolerance: f64,
    /// Where it is verified.
    pub read_back: NodeReadBack,
    /// What a write wears out.
    pub memory: Memory,
}

/// Where a written node is verified.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeReadBack {
    /// At itself.
    SameNode,
    /// At another node, same scale.
    OtherNode(NodeAddress),
    /// Nowhere.
    Impossible,
}
