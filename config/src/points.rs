//! The points of a station and where each is read: what `heatstation points` prints.

use std::collections::HashMap;
use std::fmt::Write;

use heatstation_drivers::settings::{Encoding, Register};
use heatstation_points::{Catalogue, Direction, Unit};
use serde::Serialize;

use crate::problem::Place;

/// Where a point is read, or written.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Home {
    /// The point's text name.
    pub point: String,
    /// The device.
    pub device: String,
    /// The address space.
    pub table: &'static str,
    /// Protocol address, counted from 0.
    pub address: u16,
    /// How words become a number, as in `i16` or `bit 3`.
    pub encoding: String,
    /// Value = number × scale + offset, in the point's unit.
    pub scale: f64,
    /// See `scale`.
    pub offset: f64,
    /// How often it is read.
    pub period_seconds: f64,
    /// The file that says so.
    pub file: String,
    /// Its line, counted from 1.
    pub line: usize,
    #[serde(skip)]
    pub(crate) place: Place,
}

impl Home {
    pub(crate) fn new(device: &str, register: &Register, file: &str, line: usize, place: Place) -> Home {
        Home {
            point: register.name().to_owned(),
            device: device.to_owned(),
            table: register.table.name(),
            address: register.address,
            encoding: spoken(&register.encoding),
            scale: register.scale,
            offset: register.offset,
            period_seconds: register.period.as_secs_f64(),
            file: file.to_owned(),
            line,
            place,
        }
    }
}

impl Home {
    /// Where and how, in a few words.
    pub fn in_words(&self) -> String {
        format!(
            "{} {} {} {} × {} + {}, every {} s",
            self.device, self.table, self.address, self.encoding, self.scale, self.offset, self.period_seconds
        )
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
        let home = row.home.as_ref().map_or_else(
            || "-".to_owned(),
            |home| format!("{} {} {} {}", home.device, home.table, home.address, home.encoding),
        );
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
