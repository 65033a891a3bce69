//! The points of a station and where each is read: what `heatstation points` prints.

use std::collections::HashMap;
use std::fmt::Write;

use heatstation_drivers::settings::{Encoding, Register};
use heatstation_points::{Catalogue, Direction, Unit};
use serde::Serialize;

use crate::desk::Desk;
use crate::problem::Place;

/// Where a point is read, or written.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Home {
    /// The point's text name.
    pub point: String,
    /// The device, or whatever else brings its values.
    pub device: String,
    /// Where in the device.
    #[serde(flatten)]
    pub spot: Spot,
    /// How often it is read.
    pub period_seconds: f64,
    /// The file that says so.
    pub file: String,
    /// Its line, counted from 1.
    pub line: usize,
    #[serde(skip)]
    pub(crate) place: Place,
}

/// Where in a device a point stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Spot {
    /// In registers.
    Register {
        /// The address space.
        table: &'static str,
        /// Protocol address, counted from 0.
        address: u16,
        /// How words become a number, as in `i16` or `bit 3`.
        encoding: String,
        /// Value = number × scale + offset, in the point's unit.
        scale: f64,
        /// See `scale`.
        offset: f64,
    },
    /// In a node of an OPC UA server.
    Node {
        /// Which node, its namespace by URI.
        node: String,
        /// Which element of an array.
        #[serde(skip_serializing_if = "Option::is_none")]
        index: Option<u32>,
        /// Value = number × scale + offset, in the point's unit.
        scale: f64,
        /// See `scale`.
        offset: f64,
        /// How it is brought and written, for comparing.
        #[serde(skip)]
        manner: String,
    },
    /// In a message that comes by itself.
    Message {
        /// The topic with the field, or the id of the records.
        message: String,
        /// Value = number × scale + offset, in the point's unit.
        scale: f64,
        /// See `scale`.
        offset: f64,
    },
}

impl Spot {
    /// Where, in a few words.
    pub fn brief(&self) -> String {
        match self {
            Spot::Register { table, address, encoding, .. } => format!("{table} {address} {encoding}"),
            Spot::Node { node, index: None, .. } => node.clone(),
            Spot::Node { node, index: Some(index), .. } => format!("{node} [{index}]"),
            Spot::Message { message, .. } => message.clone(),
        }
    }

    /// Where and how.
    fn in_words(&self) -> String {
        match self {
            Spot::Register { scale, offset, .. } | Spot::Message { scale, offset, .. } => {
                format!("{} × {scale} + {offset}", self.brief())
            }
            Spot::Node { scale, offset, manner, .. } => format!("{} × {scale} + {offset} ({manner})", self.brief()),
        }
    }
}

impl Home {
    /// `file` and `line` are filled in when it is claimed.
    pub(crate) fn register(device: &str, register: &Register, place: Place) -> Home {
        Home {
            point: register.name().to_owned(),
            device: device.to_owned(),
            spot: Spot::Register {
                table: register.table.name(),
                address: register.address,
                encoding: spoken(&register.encoding),
                scale: register.scale,
                offset: register.offset,
            },
            period_seconds: register.period.as_secs_f64(),
            file: String::new(),
            line: 0,
            place,
        }
    }

    /// Where and how, in a few words.
    pub fn in_words(&self) -> String {
        format!("{} {}, every {} s", self.device, self.spot.in_words(), self.period_seconds)
    }
}

/// The homes of all points while they are handed out: each point has one.
#[derive(Debug, Default)]
pub(crate) struct Homes {
    all: Vec<Home>,
    by_point: HashMap<String, usize>,
}

impl Homes {
    /// Gives the point of `home` that home. False, and a problem under `key`, if it has one already.
    pub(crate) fn claim(&mut self, desk: &mut Desk, key: String, mut home: Home) -> bool {
        if let Some(&taken) = self.by_point.get(&home.point) {
            let other = &self.all[taken];
            let help = format!(
                "it is read from {} already ({}:{}); leave one of the two out",
                other.device, other.file, other.line
            );
            desk.error(&home.place, key, "is read in two places", help);
            return false;
        }
        (home.line, _) = desk.sources.line_and_column(&home.place);
        desk.sources.name(home.place.file).clone_into(&mut home.file);
        self.by_point.insert(home.point.clone(), self.all.len());
        self.all.push(home);
        true
    }

    pub(crate) fn all(&self) -> &[Home] {
        &self.all
    }

    pub(crate) fn into_all(self) -> Vec<Home> {
        self.all
    }
}

fn spoken(encoding: &Encoding) -> String {
    match encoding {
        Encoding::Bit { bit: Some(bit), .. } => format!("bit {bit}"),
        Encoding::Bit { bit: None, .. } => "bit".to_owned(),
        Encoding::I16 => "i16".to_owned(),
        Encoding::U16 => "u16".to_owned(),
        Encoding::I32 { .. } => "i32".to_owned(),
        Encoding::U32 { .. } => "u32".to_owned(),
        Encoding::F32 { .. } => "f32".to_owned(),
        Encoding::I64 { .. } => "i64".to_owned(),
        Encoding::U64 { .. } => "u64".to_owned(),
        Encoding::F64 { .. } => "f64".to_owned(),
        Encoding::Enum { .. } => "enum".to_owned(),
    }
}

/// A point of the station.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PointRow {
    /// Its text name.
    pub name: String,
    /// What a Chinese operator calls it.
    pub chinese: String,
    /// The unit of its values.
    pub unit: Unit,
    /// The lowest value that is believed.
    pub min: f64,
    /// The highest value that is believed.
    pub max: f64,
    /// Read or written.
    pub direction: Direction,
    /// Where; none if no device has it.
    pub home: Option<Home>,
}

/// All points of a station in the order of its catalogue.
pub fn rows(catalogue: &Catalogue, homes: &[Home]) -> Vec<PointRow> {
    let by_name: HashMap<&str, &Home> = homes.iter().map(|home| (home.point.as_str(), home)).collect();
    let row = |definition: &heatstation_points::Definition| PointRow {
        name: definition.name.clone(),
        chinese: definition.chinese.clone(),
        unit: definition.unit,
        min: definition.range.0,
        max: definition.range.1,
        direction: definition.direction,
        home: by_name.get(definition.name.as_str()).map(|home| (*home).clone()),
    };
    catalogue.definitions().iter().map(row).collect()
}

/// The rows as a text for people.
pub fn text(rows: &[PointRow]) -> String {
    let mut out = String::new();
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    for row in rows {
        let direction = match row.direction {
            Direction::Input => "in ",
            Direction::Output => "out",
        };
        let home =
            row.home.as_ref().map_or_else(|| "-".to_owned(), |home| format!("{} {}", home.device, home.spot.brief()));
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "{:width$}  {direction}  {:<24} {} .. {}  {home}",
            row.name,
            row.unit.name(),
            row.min,
            row.max
        );
    }
    out
}
