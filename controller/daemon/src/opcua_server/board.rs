//! What is shown: every variable with its place in the tree, its type, and where in the snapshot its value comes from.
//!
//! The board is made from the facts of a station and made anew when they change. A row knows its node and how to read its
//! value; tree and publisher walk over the rows and know nothing of the plant.

mod circuit;
mod points;
mod requests;
mod station;

use std::sync::Arc;

use heatstation_core::request::Origin;
use heatstation_points::CircuitIndex;
use opcua::types::{DataTypeId, DataValue, DateTime, DateTimeUtc, NodeId, Range, StatusCode, Variant};

use super::door::Filed;
use super::names::Names;
use super::units::Code;
use super::wishes::{Method, Setpoint};
use crate::snapshot::{Facts, Snapshot};

/// Where the answers to wishes are read.
pub trait Answers: Send + Sync + 'static {
    /// The last wishes that were filed, newest last.
    fn answers(&self) -> Vec<Filed>;
}

/// What kind of variable it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A number with unit and range: `AnalogUnitRangeType`.
    Analog(Code, Range),
    /// Off or on: `TwoStateDiscreteType`.
    Switch,
    /// Something else of one type: `BaseDataVariableType`.
    Plain(DataTypeId),
    /// A list of those.
    List(DataTypeId),
}

/// What a variable says now: a value with its status, or why there is none. The time is that of the sample; without one
/// it is that of the cycle, and of a status that lasts, of its beginning.
pub struct Said {
    /// The value.
    pub value: Variant,
    /// How far to trust it.
    pub status: StatusCode,
    /// When it was so, on the station's wall clock, in milliseconds since 1970.
    pub at: Option<i64>,
}

impl Said {
    /// Good, and of this cycle.
    pub fn good(value: impl Into<Variant>) -> Said {
        Said { value: value.into(), status: StatusCode::Good, at: None }
    }

    /// No value.
    pub fn nothing(why: StatusCode) -> Said {
        Said { value: Variant::Empty, status: why, at: None }
    }

    /// Good where there is one.
    pub fn maybe(value: Option<impl Into<Variant>>) -> Said {
        value.map_or_else(|| Said::nothing(StatusCode::BadNoData), Said::good)
    }
}

/// Where a value comes from.
pub type Source = Box<dyn Fn(&Snapshot) -> Said + Send + Sync>;

/// One variable.
pub struct Row {
    /// Its node.
    pub id: NodeId,
    /// The node that it hangs under.
    pub under: NodeId,
    /// Its browse name.
    pub browse: String,
    /// What a Chinese operator calls it.
    pub chinese: String,
    /// The text name, or what it is in English.
    pub english: String,
    /// What kind of variable it is.
    pub kind: Kind,
    /// What is written to when it is written.
    pub setpoint: Option<Setpoint>,
    /// Where its value comes from.
    pub source: Source,
}

/// An object that holds others.
pub struct Shelf {
    /// Its node.
    pub id: NodeId,
    /// The node that it hangs under.
    pub under: NodeId,
    /// Its browse name.
    pub browse: String,
    /// What people call it.
    pub title: String,
    /// Whether events come from it.
    pub speaks: Speaks,
}

/// Whether events come from an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// They do.
    Events,
    /// They do not.
    Nothing,
}

/// A method.
pub struct Handle {
    /// Its node.
    pub id: NodeId,
    /// The object that has it.
    pub under: NodeId,
    /// What it does.
    pub method: Method,
}

/// All that is shown of a station.
pub struct Board {
    /// How nodes are called.
    pub names: Names,
    /// Objects, those that hold others before what they hold.
    pub shelves: Vec<Shelf>,
    /// Variables.
    pub rows: Vec<Row>,
    /// Methods.
    pub handles: Vec<Handle>,
}

impl Board {
    /// The board of a station whose users are heard as `origin`.
    pub fn of(facts: &Facts, index: u16, origin: Origin, answers: &Arc<impl Answers>) -> Board {
        let names = Names { index, station: facts.settings.station.clone() };
        let mut board = Board { names, shelves: Vec::new(), rows: Vec::new(), handles: Vec::new() };
        board.shelf(board.names.stations(), opcua::types::ObjectId::ObjectsFolder.into(), "Stations", "换热站");
        let id = board.names.station();
        let station = facts.settings.station.clone();
        board.shelves.push(Shelf {
            id,
            under: board.names.stations(),
            browse: station,
            title: facts.name.clone(),
            speaks: Speaks::Events,
        });
        station::rows(&mut board);
        requests::rows(&mut board, answers);
        for (number, circuit) in facts.catalogue.circuits().iter().enumerate() {
            let id = board.names.circuit(&circuit.name);
            board.shelf(id, board.names.station(), &circuit.name, &circuit.name);
            circuit::rows(&mut board, facts, CircuitIndex(number), &circuit.name, origin);
        }
        points::rows(&mut board, facts);
        board
    }

    fn shelf(&mut self, id: NodeId, under: NodeId, browse: &str, title: &str) {
        self.shelves.push(Shelf {
            id,
            under,
            browse: browse.to_owned(),
            title: title.to_owned(),
            speaks: Speaks::Nothing,
        });
    }
}

/// A moment on the station's wall clock, as OPC UA says it.
pub fn time_of(wall_milliseconds: i64) -> DateTime {
    DateTimeUtc::from_timestamp_millis(wall_milliseconds).map_or_else(DateTime::null, DateTime::from)
}

/// What a variable says, as a value with its times. `since` is when its status began.
pub fn data_value(said: Said, of_cycle: i64, since: i64, now: DateTime) -> DataValue {
    let at = if said.status.is_bad() { since } else { said.at.unwrap_or(of_cycle) };
    DataValue {
        // Even where there is none: the library reads a variable without a value as good, whatever its status says.
        value: Some(said.value),
        status: Some(said.status),
        source_timestamp: Some(time_of(at)),
        source_picoseconds: None,
        server_timestamp: Some(now),
        server_picoseconds: None,
    }
}
