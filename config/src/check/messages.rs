//! What is common to sources whose values come by themselves: which points they may have, how a number becomes a value, and
//! the ids of room sensors.
//!
//! # Which points
//! Those that are looked at every ten seconds or slower. What interlocks and loops look at each second or two is asked for
//! over a wire: a message that does not come is noticed after three periods at the earliest.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use heatstation_core::settings::CircuitSettings;
use heatstation_drivers::messages::Path as FieldPath;
use heatstation_drivers::messages::Target;
use heatstation_points::{Catalogue, CircuitIndex, Definition, Direction, Pace, Point, RoomIndex, RoomSignal};
use serde::Deserialize;

use crate::check::circuit::CheckedCircuit;
use crate::desk::{Desk, Otherwise, Section, derived, one_of, or};
use crate::files;
use crate::points::{Home, Homes, Spot};
use crate::problem::{Kind, Place};
use crate::raw::{Number, RawRoomSignal, Text};
use crate::units;
use crate::written::Written;

/// No source has more ids; a longer file is something else.
const IDS_MAX: usize = 20_000;

/// What the check of a source leans on.
pub(crate) struct Around<'a> {
    pub catalogue: &'a Catalogue,
    pub circuits: &'a [CheckedCircuit],
    pub folder: Option<&'a Path>,
    /// The station's id.
    pub station: &'a str,
}

/// How a number becomes a value, as it is written in four tables.
pub(crate) struct Meaning<'a> {
    pub unit: &'a Text,
    pub scale: &'a Number,
    pub offset: &'a Number,
    pub invalid: &'a [Written<f64>],
    pub period: &'a Number,
}

macro_rules! meaning {
    ($raw:expr) => {
        crate::check::messages::Meaning {
            unit: &$raw.unit,
            scale: &$raw.scale,
            offset: &$raw.offset,
            invalid: &$raw.invalid,
            period: &$raw.period_seconds,
        }
    };
}
pub(crate) use meaning;

/// A meaning that was read: it is the same for all points of a table.
pub(crate) struct Read {
    unit: Option<(String, Place, String)>,
    scale: f64,
    offset: f64,
    invalid: Vec<f64>,
    period: Duration,
}

impl Meaning<'_> {
    /// Reads the keys. `usual` is the period that is expected, with where that is from.
    pub(crate) fn read(&self, desk: &mut Desk, at: &Section, usual: Otherwise<f64>) -> Read {
        let unit = self.unit.as_ref().map(|unit| {
            let place = at.at(&unit.span);
            desk.explain_written(&at.key("unit"), unit.value.as_str(), &place);
            (unit.value.clone(), place, at.key("unit"))
        });
        let scale = desk.number(at, "scale", self.scale.as_ref(), -1e9..=1e9, or(1.0, "it is sent in its unit"));
        if scale.value == 0.0 && scale.sound {
            desk.error(&scale.place, scale.key.as_str(), "0 makes one value of all numbers", "write another factor");
        }
        let offset = desk.number(at, "offset", self.offset.as_ref(), -1e9..=1e9, or(0.0, "it is sent in its unit"));
        let period = desk.number(at, "period_seconds", self.period.as_ref(), 1.0..=86_400.0, usual);
        if let Some(first) = self.invalid.first() {
            let listed: Vec<String> = self.invalid.iter().map(|number| number.value.to_string()).collect();
            desk.explain_written(&at.key("invalid"), listed.join(", "), &at.at(&first.span));
        }
        for number in self.invalid.iter().filter(|number| !number.value.is_finite()) {
            let help = "JSON knows no such number; leave it out";
            desk.error(&at.at(&number.span), at.key("invalid"), "is not a finite number", help);
        }
        Read {
            unit,
            scale: scale.value,
            offset: offset.value,
            invalid: self.invalid.iter().map(|number| number.value).collect(),
            period: period.duration(),
        }
    }
}

impl Read {
    /// What it makes of a point.
    pub(crate) fn target(&self, desk: &mut Desk, definition: &Definition) -> Target {
        let factor = match &self.unit {
            None => 1.0,
            Some((unit, place, key)) => units::factor(unit, definition.unit).unwrap_or_else(|| {
                let help = one_of(unit, units::spoken(definition.unit));
                let what = format!("`{unit}` is no unit of a point in {}", definition.unit);
                desk.error(place, key.as_str(), what, help);
                1.0
            }),
        };
        Target {
            definition: definition.clone(),
            scale: self.scale * factor,
            offset: self.offset * factor,
            invalid: self.invalid.clone(),
            period: self.period,
        }
    }
}

/// The period of a point by its usual pace in this kind of source.
pub(crate) fn usual_period() -> Otherwise<f64> {
    or(600.0, "automatic weather stations report every 10 min, room sensors every 10 to 30")
}

/// The period of room sensors: what the circuit expects of them.
pub(crate) fn room_period(circuit: Option<&CircuitSettings>) -> Otherwise<f64> {
    match circuit {
        Some(circuit) => derived(
            circuit.room_sensors.report_interval.as_secs_f64(),
            "the circuit's room_sensors.report_interval_minutes",
        ),
        None => usual_period(),
    }
}

/// The point of that name, if a source of messages may bring it.
pub(crate) fn point<'a>(
    desk: &mut Desk,
    around: &Around<'a>,
    key: &str,
    place: &Place,
    name: &str,
) -> Option<&'a Definition> {
    let Some(definition) = around.catalogue.find(name) else {
        let near = around.catalogue.suggest(name);
        let help = match near.first() {
            Some(near) => format!("did you mean `{near}`? `heatstation points` lists all"),
            None => "`heatstation points` lists all points of the station".to_owned(),
        };
        desk.error(place, key, format!("the station has no point `{name}`"), help);
        return None;
    };
    let what = match (definition.direction, definition.pace) {
        (Direction::Output, _) => "it is written, and messages only bring values",
        (Direction::Input, Pace::Safety | Pace::Control) => {
            "interlocks and loops look at it each second or two, and messages come when they like"
        }
        (Direction::Input, Pace::Meter | Pace::Slow) => return Some(definition),
    };
    desk.error(place, key, format!("`{name}` cannot come by message: {what}"), "read it from a device on a wire");
    None
}

/// The targets of a table, by their ids, while each point gets its home.
pub(crate) struct Claims<'a> {
    pub source: &'a str,
    pub homes: &'a mut Homes,
    pub targets: BTreeMap<String, Target>,
}

impl Claims<'_> {
    /// Gives a point its home and its id. `whence` is what is shown of it, as in `rooms/A1/state t`.
    pub(crate) fn take(&mut self, desk: &mut Desk, place: &Place, key: &str, id: &str, whence: String, target: Target) {
        let home = Home {
            point: target.definition.name.clone(),
            device: self.source.to_owned(),
            spot: Spot::Message { message: whence, scale: target.scale, offset: target.offset },
            period_seconds: target.period.as_secs_f64(),
            file: String::new(),
            line: 0,
            place: place.clone(),
        };
        if !self.homes.claim(desk, key.to_owned(), home) {
            return;
        }
        if let Some(other) = self.targets.insert(id.to_owned(), target) {
            let what = format!("the id {id:?} is that of {} already", other.definition.name);
            desk.error(place, key, what, "one id is one point");
        }
    }
}

/// The circuit that rooms are of.
pub(crate) fn circuit_of<'a>(
    desk: &mut Desk,
    around: &Around<'a>,
    at: &Section,
    raw: &Text,
) -> Option<(CircuitIndex, &'a CheckedCircuit)> {
    let otherwise = match around.circuits {
        [only] => derived(only.names.name.clone(), "the only circuit"),
        _ => Otherwise::Required("\"the-name-of-a-circuit\""),
    };
    let name = desk.text(at, "circuit", raw.as_ref(), otherwise);
    let found = around.circuits.iter().position(|circuit| circuit.names.name == name.value);
    if found.is_none() && name.sound {
        let help = one_of(&name.value, around.circuits.iter().map(|circuit| circuit.names.name.as_str()));
        desk.error(&name.place, name.key.as_str(), format!("there is no circuit `{}`", name.value), help);
    }
    found.map(|index| (CircuitIndex(index), &around.circuits[index]))
}

pub(crate) fn signal_of(desk: &mut Desk, at: &Section, raw: Option<&Written<RawRoomSignal>>) -> RoomSignal {
    let usual = or(RawRoomSignal::Temperature, "what room sensors are for");
    match desk.choice(at, "signal", raw, usual, RawRoomSignal::Temperature).value {
        RawRoomSignal::Temperature => RoomSignal::Temperature,
        RawRoomSignal::Battery => RoomSignal::Battery,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IdRow {
    id: String,
    #[serde(default)]
    room: Option<String>,
    #[serde(default)]
    point: Option<String>,
}

/// The points of a table of rooms with their ids and places: those of the CSV file, or all rooms of the circuit by name.
pub(crate) fn ids<'a>(
    desk: &mut Desk,
    around: &Around<'a>,
    at: &Section,
    csv: &Text,
    (circuit, checked): (CircuitIndex, &CheckedCircuit),
    signal: RoomSignal,
) -> Vec<(String, &'a Definition, Place)> {
    let room = |name: &str| {
        let index = checked.names.rooms.iter().position(|room| room == name)?;
        around.catalogue.definition(Point::Room(circuit, RoomIndex(index), signal))
    };
    let Some(written) = csv else {
        let named = |name: &String| Some((name.clone(), room(name)?, at.place.clone()));
        return checked.names.rooms.iter().filter_map(named).collect();
    };
    let (place, key) = (at.at(&written.span), at.key("ids_csv"));
    desk.explain_written(&key, written.value.as_str(), &place);
    let text = match files::read(&files::beside(around.folder, &written.value)) {
        Ok(text) => text,
        Err(what) => {
            let help = "the path is relative to the station's file";
            desk.error(&place, key.as_str(), format!("{:?} {what}", written.value), help);
            return Vec::new();
        }
    };
    let file = desk.add(written.value.clone(), text.clone(), Kind::Points);
    let mut found = Vec::new();
    for (row, place) in rows(desk, &text, file) {
        let definition = match (&row.room, &row.point) {
            (Some(name), None) if !name.is_empty() => room(name).or_else(|| {
                let help = one_of(name, checked.names.rooms.iter().map(String::as_str));
                desk.error(&place, key.as_str(), format!("the circuit has no room `{name}`"), help);
                None
            }),
            (None, Some(name)) if !name.is_empty() => point(desk, around, &key, &place, name),
            _ => {
                desk.error(&place, key.as_str(), "a row names one room or one point", "columns: id, room (or point)");
                None
            }
        };
        if row.id.is_empty() {
            desk.error(&place, key.as_str(), "a row has no id", "columns: id, room (or point)");
        } else if let Some(definition) = definition {
            found.push((row.id, definition, place));
        }
    }
    found
}

fn rows(desk: &mut Desk, text: &str, file: usize) -> Vec<(IdRow, Place)> {
    let bare = text.trim_start_matches('\u{feff}');
    let skipped = text.len() - bare.len();
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).trim(csv::Trim::All).from_reader(bare.as_bytes());
    let mut found = Vec::new();
    for row in reader.deserialize::<IdRow>().take(IDS_MAX) {
        match row {
            Ok(row) => found.push(row),
            Err(error) => {
                let start = skipped + error.position().map_or(0, |position| position.byte() as usize);
                let place = Place { file, span: start..start };
                desk.error(&place, "", format!("cannot be read: {error}"), "columns: id, room (or point)");
            }
        }
    }
    let line_of = |id: &str| {
        let start = text
            .match_indices(id)
            .map(|(start, _)| start)
            .find(|start| text[..*start].rfind('\n').map_or(skipped, |end| end + 1) == *start);
        start.map_or(0..0, |start| start..start + id.len())
    };
    found
        .into_iter()
        .map(|row| (Place { file, span: line_of(&row.id) }, row))
        .map(|(place, row)| (row, place))
        .collect()
}

/// A path into a message.
pub(crate) fn field(
    desk: &mut Desk,
    at: &Section,
    key: &str,
    raw: &Text,
    otherwise: Option<&'static str>,
) -> FieldPath {
    let Some(written) = raw else {
        return otherwise.and_then(FieldPath::parse).unwrap_or_default();
    };
    let (place, full) = (at.at(&written.span), at.key(key));
    desk.explain_written(&full, written.value.as_str(), &place);
    FieldPath::parse(&written.value).unwrap_or_else(|| {
        let help = "write names with dots between them, as in `data.0.t`, eight at most";
        desk.error(&place, full, format!("{:?} is no path into a message", written.value), help);
        FieldPath::default()
    })
}

/// The same for a field that may be left out.
pub(crate) fn optional_field(desk: &mut Desk, at: &Section, key: &str, raw: &Text) -> Option<FieldPath> {
    raw.as_ref().map(|_| field(desk, at, key, raw, None))
}
