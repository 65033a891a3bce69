//! A station as meant: complete, checked, and able to say where each of its settings is from.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use heatstation_core::request::Origin;
use heatstation_core::settings::Settings;
use heatstation_drivers::messages::push::PushSettings;
use heatstation_drivers::mqtt::MqttSettings;
use heatstation_drivers::opcua::settings::ServerSettings;
use heatstation_drivers::settings::WireSettings;
use heatstation_points::{BuildingIndex, Catalogue, Celsius};
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::explain::{Difference, Explained, differences};
use crate::points::{self, Home, PointRow};
use crate::problem::Problems;
use crate::standard::Standard;

/// A station, ready to be run.
#[derive(Clone, Debug)]
pub struct Station {
    /// What people call it; its id is in [`Settings::station`].
    pub name: String,
    /// What control has to know.
    pub settings: Settings,
    /// The service standard, whole.
    pub standard: Standard,
    /// All points that the station can have.
    pub catalogue: Catalogue,
    /// The lines to its devices. None at all is possible: such a station can be simulated and co-simulated.
    pub wires: Vec<WireSettings>,
    /// The OPC UA servers whose nodes are read and written.
    pub opcua: Vec<ServerSettings>,
    /// The brokers of which values are heard.
    pub mqtt: Vec<MqttSettings>,
    /// The sources that post values.
    pub push: Vec<PushSettings>,
    /// Where each point is read.
    pub homes: Vec<Home>,
    /// For each circuit and room sensor, the building that it hangs in, where the file says so.
    pub room_buildings: Vec<Vec<Option<BuildingIndex>>>,
    /// The station's time zone.
    pub time_zone: TimeZone,
    /// Its IANA name.
    pub time_zone_name: String,
    /// The program itself.
    pub daemon: DaemonSettings,
    /// The web server.
    pub http: HttpSettings,
    /// The station as an OPC UA server; none unless the file has the section.
    pub opcua_server: Option<OpcuaServerSettings>,
    /// The recorded series.
    pub history: HistorySettings,
    /// The plant that takes the station's place in `demo` and `simulate`.
    pub simulation: SimulationSettings,
    /// What every setting became and from where, in the order of reading.
    pub sources: Vec<Explained>,
    /// What somebody should look at, though the station can be run so.
    pub warnings: Problems,
}

impl Station {
    /// All points and where each is read.
    pub fn points(&self) -> Vec<PointRow> {
        points::rows(&self.catalogue, &self.homes)
    }

    /// Whether anything at all is read.
    pub fn reads_nothing(&self) -> bool {
        self.wires.is_empty() && self.opcua.is_empty() && self.mqtt.is_empty() && self.push.is_empty()
    }

    /// Keeps to the certificates of a station that is running.
    pub fn keep_pki_of(&mut self, running: &Station) {
        for server in &mut self.opcua {
            server.pki = running.daemon.data_folder.join("pki");
        }
    }

    /// Keeps records, history and certificates in another folder than the file says.
    pub fn keep_data_in(&mut self, folder: PathBuf) {
        for server in &mut self.opcua {
            server.pki = folder.join("pki");
        }
        self.daemon.data_folder = folder;
    }

    /// What would change if `next` took this station's place: settings, then points that are read elsewhere or otherwise.
    pub fn differences(&self, next: &Station) -> Vec<Difference> {
        let mut all = differences(&self.sources, &next.sources);
        let at = |homes: &[Home], point: &str| homes.iter().find(|home| home.point == point).map(Home::in_words);
        let gone = self.homes.iter().filter(|home| !next.homes.iter().any(|other| other.point == home.point));
        for home in next.homes.iter().chain(gone) {
            let (before, after) = (at(&self.homes, &home.point), at(&next.homes, &home.point));
            if before != after {
                all.push(Difference { key: home.point.clone(), before, after });
            }
        }
        all
    }
}

/// The program itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DaemonSettings {
    /// Where records and history are kept.
    pub data_folder: PathBuf,
}

/// The web server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HttpSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// A name by which it may be called besides `localhost` and any address.
    pub host: Option<String>,
}

/// The station as an OPC UA server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpcuaServerSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The name or address under which clients reach this computer.
    pub host: String,
    /// As whom the station hears its users.
    pub origin: Origin,
    /// How clients may sign and encrypt.
    pub policies: Vec<OpcuaPolicy>,
    /// Whether and how much may be seen without encryption.
    pub unencrypted: Unencrypted,
    /// Sessions at a time.
    pub sessions_max: usize,
    /// How long a wish lives that came as a write to a node.
    pub wish_lasts: Duration,
    /// Who may log in.
    pub users: Vec<OpcuaUser>,
}

/// What an OPC UA client may do that neither encrypts nor says who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unencrypted {
    /// Nothing: there is no such endpoint.
    Refused,
    /// Read.
    MayRead,
}

/// A user of the OPC UA server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpcuaUser {
    /// The name.
    pub name: String,
    /// The Argon2id hash of the password, in the PHC form.
    pub password_hash: String,
    /// What the user may do.
    pub role: OpcuaRole,
}

/// What a user of the OPC UA server may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OpcuaRole {
    /// Read.
    View,
    /// Read, and ask for what the station lets be asked.
    Operate,
}

/// How an OPC UA client signs and encrypts; always both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OpcuaPolicy {
    /// `Basic256Sha256`.
    Basic256Sha256,
    /// `Aes128_Sha256_RsaOaep`.
    Aes128Sha256RsaOaep,
    /// `Aes256_Sha256_RsaPss`.
    Aes256Sha256RsaPss,
}

/// The recorded series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HistorySettings {
    /// How often a value is recorded.
    pub interval: Duration,
    /// How long it is kept.
    pub retention: Duration,
}

/// The simulated plant.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SimulationSettings {
    /// How the buildings are insulated.
    pub building_class: BuildingClass,
    /// How many flats a building is simulated with.
    pub flats_per_building: usize,
    /// The climate of the weather generator.
    pub climate: Climate,
    /// Primary supply temperature at the design outdoor temperature.
    pub primary_design_supply: Celsius,
    /// Primary return temperature there.
    pub primary_design_return: Celsius,
}

/// Insulation by the steps of the Chinese energy standards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BuildingClass {
    /// Before 1986.
    Uninsulated,
    /// JGJ 26-95, 50 % saving.
    Half,
    /// JGJ 26-2010, 65 % saving.
    SixtyFive,
    /// JGJ 26-2018, 75 % saving.
    SeventyFive,
}

/// A climate that the weather generator knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Climate {
    /// Zibo.
    Shandong,
    /// Jinan.
    Jinan,
    /// Beijing.
    Beijing,
    /// Hohhot.
    Hohhot,
    /// Harbin.
    Harbin,
    /// Hanzhong.
    Hanzhong,
}
