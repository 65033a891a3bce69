//! What a station is: files as written in, checked settings out, or every problem at once with its place.
//!
//! Read in this order: [`raw`] is the file as written, [`mod@check`] turns it into a [`Station`] or into [`Problems`],
//! [`explain`] says what each setting became and from where, [`points`] where each point is read.
//!
//! The data come along: `standards/` (service standards, every number with its clause), `devices/` (register maps),
//! `stations/` (examples), `scenarios/` (what may happen to a simulated one). They are compiled in; a file of the same name beside the station's goes first.
//!
//! Only this crate knows TOML.

pub mod check;
pub mod import;
pub mod raw;
pub mod scenario;
pub mod standard;
pub mod station;

pub mod explain;
pub mod points;
pub mod problem;
pub mod schema;
pub mod written;

mod csv_rows;
mod desk;
mod files;
mod map;
mod parameters;
mod parse;
mod registers;
mod units;

pub use check::{check, load, standard};
pub use explain::{Difference, Explained};
pub use files::{EXAMPLES, TEMPLATES};
pub use points::{Home, PointRow, Spot};
pub use problem::{Problem, Problems, Severity};
pub use scenario::Scenario;
pub use standard::Standard;
pub use station::{
    BuildingClass, Climate, DaemonSettings, HistorySettings, HttpSettings, OpcuaPolicy, OpcuaRole, OpcuaServerSettings,
    OpcuaUser, SimulationSettings, Station, Unencrypted,
};
