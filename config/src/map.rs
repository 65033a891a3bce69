//! A register map: from blocks of a template to rows for this station's circuits, pumps, buildings and rooms.

use heatstation_points::{Catalogue, CircuitNames};

use crate::desk::{Desk, Section, one_of};
use crate::parameters::{self, Parameters};
use crate::problem::Place;
use crate::raw::{RawBlock, RawOwner, RawRow, RawTable, RawTemplate};
use crate::written::Written;

/// A row with the full name of its point.
#[derive(Debug)]
pub(crate) struct MapRow {
    pub name: String,
    /// The block that it is from; none for a row of the station's own.
    pub block: Option<String>,
    /// What the template leaves out of the name, as in `circuit.low-zone.`.
    prefix: String,
    pub address: Option<u32>,
    pub table: Option<RawTable>,
    pub place: Place,
    pub raw: RawRow,
}

impl MapRow {
    /// A row that a station or a CSV file has for itself.
    pub(crate) fn own(place: Place, raw: RawRow) -> MapRow {
        let name = raw.point.clone().unwrap_or_default();
        MapRow { name, block: None, prefix: String::new(), address: raw.address, table: None, place, raw }
    }

    /// A point's name as the file would write it.
    pub(crate) fn as_written<'a>(&self, name: &'a str) -> &'a str {
        name.strip_prefix(self.prefix.as_str()).unwrap_or(name)
    }
}

/// A template in use by a device.
pub(crate) struct Use<'a> {
    pub file: usize,
    pub template: &'a RawTemplate,
    pub catalogue: &'a Catalogue,
    /// The circuits that the device serves, in the order of its addresses.
    pub served: &'a [usize],
    /// Added to every address.
    pub base: u64,
    /// What of these circuits it serves, in the order of its addresses; none is all.
    pub serves: &'a [Written<String>],
    pub parameters: &'a Parameters,
}

impl Use<'_> {
    fn is_served(&self, part: &str) -> bool {
        self.serves.is_empty() || self.serves.iter().any(|served| served.value == part)
    }
}

/// What holds for a template whatever station uses it.
pub(crate) fn check(desk: &mut Desk, file: usize, template: &RawTemplate) {
    let top = Section::new("", file, &(0..0));
    for (key, text) in [("title", &template.title), ("source", &template.source)] {
        if text.as_ref().is_none_or(|text| text.value.trim().is_empty()) {
            let help = "a register map says what device it is for and where it was taken from";
            desk.error(&top.place, key, "is missing", help);
        }
    }
    if template.block.is_empty() {
        desk.error(&top.place, "block", "the template has no blocks", "write [[block]] with its `point` rows");
    }
    let mut names: Vec<&str> = Vec::new();
    for written in &template.block {
        let (block, place) = (&written.value, top.at(&written.span));
        let called = block.name.as_ref().map_or("?", |name| name.value.as_str());
        if block.name.is_none() {
            desk.error(&place, "block.name", "is missing", "write it, as in `name = \"station\"`");
        } else if names.contains(&called) {
            desk.error(
                &place,
                "block.name",
                format!("there is a block {called} already"),
                "give each block a name of its own",
            );
        }
        names.push(called);
        if block.of.is_none() {
            let help =
                "write whose points they are: station, circuit, circulation-pump, make-up-pump, pump, building or room";
            desk.error(&place, format!("block.{called}.of"), "is missing", help);
        }
        if block.point.is_empty() {
            desk.error(
                &place,
                format!("block.{called}.point"),
                "has no rows",
                "write its rows, or leave the block out",
            );
        }
    }
    parameters::check(desk, file, template);
}

/// All rows of a template for this station.
pub(crate) fn expand(desk: &mut Desk, device: &Section, used: &Use<'_>) -> Vec<MapRow> {
    serves(desk, device, used);
    let mut rows = Vec::new();
    for written in &used.template.block {
        let block = &written.value;
        let Some(of) = block.of.as_ref().map(|of| of.value) else { continue };
        let first = block.first_circuit_by.as_ref().and_then(|name| used.parameters.count(name)).unwrap_or(1);
        let before = number(block.circuit_stride.as_ref()).saturating_mul(first.saturating_sub(1));
        let base = used.base.saturating_add(number(block.base.as_ref())).saturating_add(before);
        if of == RawOwner::Station {
            if used.is_served("station") {
                rows_of(&mut rows, used, block, "", base);
            }
            continue;
        }
        for (turn, &number_of_circuit) in used.served.iter().enumerate() {
            let circuit = &used.catalogue.circuits()[number_of_circuit];
            let prefix = format!("circuit.{}.", circuit.name);
            let base = base.saturating_add(number(block.circuit_stride.as_ref()).saturating_mul(turn as u64));
            let owners = owners(of, circuit, used);
            if turn > 0 && block.circuit_stride.is_none() && !owners.is_empty() {
                let place = Place { file: used.file, span: written.span.clone() };
                desk.error(
                    &place,
                    "block.circuit_stride",
                    "is missing, and the device serves several circuits",
                    "write how far the next circuit's addresses are away",
                );
                break;
            }
            let most = block.most.as_ref().map_or(u64::MAX, |most| most.value) as usize;
            if most < owners.len() {
                let what = format!(
                    "the template has room for {most} in its block {}; {} has {}",
                    called(block),
                    circuit.name,
                    owners.len()
                );
                let help =
                    "say with `serves` which of them it serves, use another template, or rows of its own for the rest";
                desk.error(&device.place, device.key("template"), what, help);
            }
            for (turn, owner) in owners.iter().enumerate().take(most) {
                let address = base.saturating_add(number(block.stride.as_ref()).saturating_mul(turn as u64));
                rows_of(&mut rows, used, block, &format!("{prefix}{owner}"), address);
            }
        }
    }
    rows
}

/// Whether what the device is said to serve is there, and is one thing where the template is for one thing.
fn serves(desk: &mut Desk, device: &Section, used: &Use<'_>) {
    let key = device.key("serves");
    let circuits: Vec<&CircuitNames> = used.served.iter().map(|number| &used.catalogue.circuits()[*number]).collect();
    let wanted: Vec<RawOwner> =
        used.template.block.iter().filter_map(|block| Some(block.value.of.as_ref()?.value)).collect();
    let known: Vec<String> = wanted.iter().flat_map(|of| parts(*of, &circuits)).collect();
    for written in used.serves {
        if !known.contains(&written.value) {
            let help = one_of(&written.value, known.iter().map(String::as_str));
            let what = format!("`{}` is nothing that the template has a block for in these circuits", written.value);
            desk.error(&device.at(&written.span), key.as_str(), what, help);
        }
    }
    if let Some(first) = used.serves.first() {
        let listed: Vec<&str> = used.serves.iter().map(|written| written.value.as_str()).collect();
        desk.explain_written(&key, listed.join(", "), &device.at(&first.span));
    }
    if used.template.serves_one != Some(true) {
        return;
    }
    match used.serves {
        [] => desk.missing(&device.place, &key, one_of("", known.iter().map(String::as_str))),
        [one] if one.value == "station" || circuits.len() == 1 => {}
        [one] => {
            let help = "write `circuits = [\"…\"]` with the one circuit that it belongs to";
            let what = format!("{} is there in {} circuits", one.value, circuits.len());
            desk.error(&device.at(&one.span), key, what, help);
        }
        [_, second, ..] => {
            let help = "write a [[device]] for each of them";
            desk.error(&device.at(&second.span), key, "a device of this kind serves one thing alone", help);
        }
    }
}

/// Everything of that kind in these circuits, as `serves` names it.
fn parts(of: RawOwner, circuits: &[&CircuitNames]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for circuit in circuits {
        for part in all(of, circuit) {
            if !found.contains(&part) {
                found.push(part);
            }
        }
    }
    if of == RawOwner::Station { vec!["station".to_owned()] } else { found }
}

/// The things of that kind in a circuit, as `serves` names them.
fn all(of: RawOwner, circuit: &CircuitNames) -> Vec<String> {
    let pumps = |kind: &str, count: usize| (1..=count).map(|plate| format!("{kind}.{plate}")).collect::<Vec<_>>();
    let named = |kind: &str, names: &[String]| names.iter().map(|name| format!("{kind}.{name}")).collect();
    match of {
        RawOwner::Station => Vec::new(),
        RawOwner::Circuit => vec!["circuit".to_owned()],
        RawOwner::CirculationPump => pumps("circulation_pump", circuit.circulation_pumps),
        RawOwner::MakeUpPump => pumps("make_up_pump", circuit.make_up_pumps),
        RawOwner::Pump => {
            let mut both = pumps("circulation_pump", circuit.circulation_pumps);
            both.extend(pumps("make_up_pump", circuit.make_up_pumps));
            both
        }
        RawOwner::Building => named("building", &circuit.buildings),
        RawOwner::Room => named("room", &circuit.rooms),
    }
}

/// The parts of the names of the circuit itself, its pumps, buildings or rooms, with their dot, in the order of the addresses.
fn owners(of: RawOwner, circuit: &CircuitNames, used: &Use<'_>) -> Vec<String> {
    let all = all(of, circuit);
    let served: Vec<String> = if used.serves.is_empty() {
        all
    } else {
        used.serves.iter().map(|written| written.value.clone()).filter(|part| all.contains(part)).collect()
    };
    let dotted = |part: String| if of == RawOwner::Circuit { String::new() } else { format!("{part}.") };
    served.into_iter().map(dotted).collect()
}

fn rows_of(rows: &mut Vec<MapRow>, used: &Use<'_>, block: &RawBlock, prefix: &str, base: u64) {
    rows.extend(block.point.iter().map(|written| {
        let raw = written.value.clone();
        let address =
            raw.address.map(|address| u32::try_from(base.saturating_add(u64::from(address))).unwrap_or(u32::MAX));
        MapRow {
            name: raw.point.as_ref().map_or_else(String::new, |point| format!("{prefix}{point}")),
            block: Some(called(block).to_owned()),
            prefix: prefix.to_owned(),
            address,
            table: block.table.as_ref().map(|table| table.value),
            place: Place { file: used.file, span: written.span.clone() },
            raw,
        }
    }));
}

fn called(block: &RawBlock) -> &str {
    block.name.as_ref().map_or("?", |name| name.value.as_str())
}

fn number(written: Option<&Written<u64>>) -> u64 {
    written.map_or(0, |written| written.value)
}
