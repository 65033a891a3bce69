//! Wires, devices and their registers: which point is read where.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::rc::Rc;

use heatstation_drivers::SettingsProblem;
use heatstation_drivers::settings::{DeviceSettings, Encoding, Framing, Register, Table, WireSettings};
use heatstation_points::Catalogue;

use crate::check::wires;
use crate::csv_rows;
use crate::desk::{Desk, Field, Otherwise, Section, count, derived, nearest, one_of, or, shown};
use crate::files::{self, Library};
use crate::map::{self, MapRow};
use crate::parameters::Parameters;
use crate::parse::parse;
use crate::points::{Home, Homes, Spot};
use crate::problem::{Kind, Place};
use crate::raw::{RawDevice, RawFile, RawTemplate, RawWordOrder};
use crate::registers::{self, Both, Manners, Placed};
use crate::written::Written;

/// More than this many addresses of one device that hold two points are not listed one by one.
const OVERLAPS_TOLD: usize = 5;

/// What the rest of the check needs to know of the devices.
pub(crate) struct Devices {
    pub wires: Vec<WireSettings>,
    /// Whether all register maps could be read; if not, a missing point says nothing.
    pub complete: bool,
}

/// A register with the place where it was written.
struct Mapped {
    register: Register,
    place: Place,
}

/// A template that was read, with the file that it came from.
type Template = (usize, RawTemplate);

struct Workshop<'a> {
    catalogue: &'a Catalogue,
    folder: Option<&'a Path>,
    templates: HashMap<String, Option<Rc<Template>>>,
    /// Whether a register map could not be read.
    unread: bool,
}

pub(crate) fn check(
    desk: &mut Desk,
    raw: &RawFile,
    catalogue: &Catalogue,
    folder: Option<&Path>,
    homes: &mut Homes,
) -> Devices {
    let mut wires: Vec<WireSettings> = Vec::new();
    let mut sections = Vec::new();
    for written in &raw.wire {
        let (section, wire) = wires::check(desk, written, folder);
        if wires.iter().any(|other| other.name == wire.name) {
            twice(desk, &section, "wire", &wire.name);
        }
        wires.push(wire);
        sections.push(section);
    }

    let mut workshop = Workshop { catalogue, folder, templates: HashMap::new(), unread: false };
    let mut names = HashSet::new();
    let mut homeless = false;
    for written in &raw.device {
        let (section, wire, device, mapped) = workshop.device(desk, written, &wires);
        homeless |= wire.is_none();
        if !names.insert(device.name.clone()) {
            twice(desk, &section, "device", &device.name);
        }
        overlaps(desk, &device.name, &mapped);
        let mut device = device;
        for Mapped { register, place } in mapped {
            let home = Home::register(&device.name, &register, place);
            let key = format!("device.{}.{}", device.name, register.name());
            if !homes.claim(desk, key, home) {
                continue;
            }
            device.registers.push(register);
        }
        if let Some(wire) = wire {
            wires[wire].devices.push(device);
        }
    }
    for (wire, section) in wires.iter().zip(&sections) {
        let namesakes = wires.iter().filter(|other| other.name == wire.name).count();
        if wire.devices.is_empty() && namesakes == 1 && !homeless {
            let help = "write a [[device]] with this wire's name, or leave the wire out";
            desk.warn(&section.place, section.key.as_str(), "has no device", help);
        }
        if !desk.has_errors() {
            // What the driver refuses and nothing above has said: better without a line than not at all.
            for problem in wire.problems() {
                desk.error(&section.place, section.key.as_str(), problem.to_string(), "change what the message names");
            }
        }
    }
    let complete = !workshop.unread && !desk.is_excused("wire") && !desk.is_excused("device");
    Devices { wires, complete }
}

fn twice(desk: &mut Desk, section: &Section, what: &str, name: &str) {
    let help = format!("give each {what} a name of its own");
    desk.error(&section.place, section.key("name"), format!("there is a {what} {name} already"), help);
}

impl Workshop<'_> {
    /// A device without its registers, the wire that it is on, and the registers with their places.
    fn device(
        &mut self,
        desk: &mut Desk,
        written: &Written<RawDevice>,
        wires: &[WireSettings],
    ) -> (Section, Option<usize>, DeviceSettings, Vec<Mapped>) {
        let raw = &written.value;
        let called = raw.name.as_ref().map_or("?", |name| name.value.as_str());
        let at = Section::new(format!("device.{called}"), 0, &written.span);
        let name = desk.name(&at, "name", raw.name.as_ref());
        let wire = wire_of(desk, &at, raw, wires);
        let template = self.template(desk, &at, raw);
        let template = template.as_deref();

        let (unit_at, unit) = match (&raw.modbus_unit, template) {
            (None, Some((file, map))) if map.modbus_unit.is_some() => {
                (Section { key: at.key.clone(), place: Place { file: *file, span: 0..0 } }, map.modbus_unit.as_ref())
            }
            (written, _) => (at.clone(), written.as_ref()),
        };
        let unit =
            desk.count(&unit_at, "modbus_unit", unit, 0..=255, or(1, "unit 1 is what devices are delivered with"));
        let is_on_a_bus = wire.is_some_and(|wire| wires[wire].transport.framing() == Framing::Rtu);
        if unit.sound && is_on_a_bus && matches!(unit.value, 0 | 255) {
            let what = format!("{} is nobody's number on a serial line", unit.value);
            desk.error(&unit.place, unit.key.as_str(), what, "write a whole number from 1 to 247");
        }
        let manners = manners(desk, &at, raw, template);
        let mut device = DeviceSettings {
            name: name.value,
            modbus_unit: unit.value as u8,
            limits: manners.limits.clone(),
            registers: Vec::new(),
            watchdog: None,
        };
        for problem in device.problems() {
            if let SettingsProblem::Device { what, .. } = problem {
                desk.error(&unit.place, unit.key.as_str(), what, "write 1 to 247, 0 or 255");
            }
        }

        let rows = self.rows(desk, &at, raw, template);
        let mut mapped = Vec::new();
        for row in &rows {
            let Some(definition) = self.definition(desk, &device.name, row) else { continue };
            let Some(address) = row.address else {
                let key = format!("device.{}.{}", device.name, row.name);
                desk.error(
                    &row.place,
                    key,
                    "its address is missing",
                    "write `address`, counted from 0: 40001 of a manual is 0",
                );
                continue;
            };
            let placed = Placed { row: &row.raw, definition, address, table: row.table, place: row.place.clone() };
            if let Some(register) = registers::register(desk, &device, &manners, &placed) {
                mapped.push(Mapped { register, place: row.place.clone() });
            }
        }
        device.registers.clear();
        device.watchdog = manners.watchdog;
        (at, wire, device, mapped)
    }

    fn template(&mut self, desk: &mut Desk, at: &Section, raw: &RawDevice) -> Option<Rc<Template>> {
        let written = raw.template.as_ref()?;
        let (name, place) = (written.value.as_str(), at.at(&written.span));
        desk.explain_written(&at.key("template"), name, &place);
        if let Some(known) = self.templates.get(name) {
            return known.clone();
        }
        let found = match Library::Devices.find(name, self.folder) {
            Ok(Some((file, text))) => {
                let file = desk.add(file, text, Kind::Template);
                parse::<RawTemplate>(desk, file).map(|template| {
                    map::check(desk, file, &template);
                    Rc::new((file, template))
                })
            }
            Ok(None) => {
                let help = format!(
                    "{}, or a file devices/<name>.toml beside the station's",
                    one_of(name, Library::Devices.names())
                );
                desk.error(&place, at.key("template"), format!("there is no template `{name}`"), help);
                None
            }
            Err(what) => {
                desk.error(&place, at.key("template"), format!("its file {what}"), "make the file readable");
                None
            }
        };
        self.unread |= found.is_none();
        self.templates.insert(name.to_owned(), found.clone());
        found
    }

    /// All rows of a device: the template's, then those of the CSV file, then its own. What is named in the latter two
    /// is not taken from the template.
    fn rows(&mut self, desk: &mut Desk, at: &Section, raw: &RawDevice, template: Option<&Template>) -> Vec<MapRow> {
        let mut own = Vec::new();
        if let Some(written) = &raw.points_csv {
            let place = at.at(&written.span);
            desk.explain_written(&at.key("points_csv"), written.value.as_str(), &place);
            match files::read(&files::beside(self.folder, &written.value)) {
                Ok(text) => {
                    let file = desk.add(written.value.clone(), text, Kind::Points);
                    own.extend(csv_rows::read(desk, file));
                }
                Err(what) => {
                    self.unread = true;
                    let help = "the path is relative to the station's file";
                    desk.error(&place, at.key("points_csv"), format!("{:?} {what}", written.value), help);
                }
            }
        }
        own.extend(raw.point.iter().map(|row| (at.at(&row.span), row.value.clone())));
        let own: Vec<MapRow> = own.into_iter().map(|(place, raw)| MapRow::own(place, raw)).collect();

        let served = served(desk, at, raw, self.catalogue);
        let base = count!(desk, at, raw.base_address, 0..=65_535, or(0, "the template's own addresses"));
        let parameters = Parameters::take(desk, at, raw, template);
        let mut rows = match template {
            Some((file, template)) => map::expand(
                desk,
                at,
                &map::Use {
                    file: *file,
                    template,
                    catalogue: self.catalogue,
                    served: &served,
                    base: base.value,
                    serves: &raw.serves,
                    parameters: &parameters,
                },
            ),
            None => Vec::new(),
        };
        if let Some(first) = raw.serves.first().filter(|_| raw.template.is_none()) {
            let help = "rows of its own name their points in full: leave `serves` out";
            desk.error(&at.at(&first.span), at.key("serves"), "the device has no template", help);
        }
        if template.is_none() && raw.template.is_none() && own.is_empty() {
            let help = format!(
                "write `template = \"generic/exchange-station-plc\"` (possible: {}), [[device.point]] rows or `points_csv`",
                Library::Devices.names().collect::<Vec<_>>().join(", ")
            );
            desk.error(&at.place, at.key.as_str(), "says nothing about its registers", help);
        }
        without(desk, at, raw, &mut rows);
        let named: HashSet<&str> = own.iter().map(|row| row.name.as_str()).collect();
        rows.retain(|row| !named.contains(row.name.as_str()));
        rows.extend(own);
        let called = raw.name.as_ref().map_or("?", |name| name.value.as_str());
        for row in &mut rows {
            parameters.apply(desk, called, row);
        }
        rows
    }

    fn definition(&self, desk: &mut Desk, device: &str, row: &MapRow) -> Option<&heatstation_points::Definition> {
        let found = self.catalogue.find(&row.name);
        if found.is_none() {
            let near = self.catalogue.suggest(&row.name);
            let help = match near.first() {
                Some(near) => format!("did you mean `{}`? `heatstation points` lists all", row.as_written(near)),
                None => "`heatstation points` lists all points of the station".to_owned(),
            };
            let (key, what) = if row.name.is_empty() {
                (format!("device.{device}.point"), "a row names no point".to_owned())
            } else {
                (format!("device.{device}.{}", row.as_written(&row.name)), "the station has no such point".to_owned())
            };
            desk.error(&row.place, key, what, help);
        }
        found
    }
}

fn wire_of(desk: &mut Desk, at: &Section, raw: &RawDevice, wires: &[WireSettings]) -> Option<usize> {
    let otherwise = match wires {
        [only] => derived(only.name.clone(), "the only wire"),
        _ => Otherwise::Required("\"the-name-of-a-wire\""),
    };
    let wire = desk.text(at, "wire", raw.wire.as_ref(), otherwise);
    let found = wires.iter().position(|other| other.name == wire.value);
    if found.is_none() && wire.sound && !desk.is_excused("wire") {
        let help = one_of(&wire.value, wires.iter().map(|wire| wire.name.as_str()));
        desk.error(&wire.place, wire.key.as_str(), format!("there is no wire `{}`", wire.value), help);
    }
    found
}

fn manners<'a>(desk: &mut Desk, at: &Section, raw: &'a RawDevice, template: Option<&'a Template>) -> Manners<'a> {
    let map = template.map(|(_, map)| map);
    let file = template.map_or(0, |(file, _)| *file);
    macro_rules! both {
        ($key:ident) => {{
            let station = raw.$key.as_ref();
            let template = map.and_then(|map| map.$key.as_ref());
            let section = at.inner(stringify!($key), station);
            let there = template.map_or(0..0, |written| written.span.clone());
            Both {
                template: (Section::new(section.key.clone(), file, &there), template.map(|written| &written.value)),
                station: (section, station.map(|written| &written.value)),
            }
        }};
    }
    let order = map.and_then(|map| map.word_order.as_ref());
    let order_at = Section { key: at.key.clone(), place: Place { file, span: 0..0 } };
    let order = desk.choice(
        &order_at,
        "word_order",
        order,
        or(RawWordOrder::Abcd, "the order of the protocol"),
        RawWordOrder::Abcd,
    );
    let write = registers::write_rules(desk, &both!(write));
    let base = raw.base_address.as_ref().map_or(0, |base| base.value);
    Manners {
        limits: registers::limits(desk, &both!(limits)),
        periods: registers::periods(desk, &both!(period)),
        watchdog: registers::watchdog(desk, &both!(watchdog), base, write.refresh),
        write,
        order: registers::word_order(order.value),
        invalid: map.map(|map| &map.invalid),
    }
}

/// The circuits that a device serves, as the catalogue numbers them.
fn served(desk: &mut Desk, at: &Section, raw: &RawDevice, catalogue: &Catalogue) -> Vec<usize> {
    let names: Vec<&str> = catalogue.circuits().iter().map(|circuit| circuit.name.as_str()).collect();
    let Some(written) = &raw.circuits else {
        desk.explain(
            &at.key("circuits"),
            names.join(", "),
            crate::explain::From::Default { reason: "all, in the order of the file".into() },
        );
        return (0..names.len()).collect();
    };
    let listed: Vec<&str> = written.value.iter().map(|name| name.value.as_str()).collect();
    desk.explain_written(&at.key("circuits"), listed.join(", "), &at.at(&written.span));
    let mut served = Vec::new();
    for name in &written.value {
        match names.iter().position(|known| *known == name.value) {
            Some(number) if !served.contains(&number) => served.push(number),
            Some(_) => desk.error(
                &at.at(&name.span),
                at.key("circuits"),
                format!("`{}` stands here twice", name.value),
                "name each circuit once",
            ),
            None => {
                let help = one_of(&name.value, names.iter().copied());
                desk.error(
                    &at.at(&name.span),
                    at.key("circuits"),
                    format!("there is no circuit `{}`", name.value),
                    help,
                );
            }
        }
    }
    served
}

/// Takes out what this device does not have.
fn without(desk: &mut Desk, at: &Section, raw: &RawDevice, rows: &mut Vec<MapRow>) {
    if raw.without.is_empty() {
        return;
    }
    let listed: Vec<&str> = raw.without.iter().map(|name| name.value.as_str()).collect();
    desk.explain_written(&at.key("without"), listed.join(", "), &at.at(&raw.without[0].span));
    for written in &raw.without {
        let (name, before) = (written.value.as_str(), rows.len());
        let prefix = name.strip_suffix('*');
        rows.retain(|row| {
            let begins = prefix.is_some_and(|prefix| row.name.starts_with(prefix));
            !(begins || row.name == name || row.block.as_deref() == Some(name))
        });
        if rows.len() == before {
            let known =
                rows.iter().map(|row| row.name.as_str()).chain(rows.iter().filter_map(|row| row.block.as_deref()));
            let help = nearest(name, known).map_or_else(
                || "write a block or a point of the template, or `outdoor.*` for all that begin so".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            desk.error(&at.at(&written.span), at.key("without"), format!("the template has no `{name}`"), help);
        }
    }
}

/// Notes addresses that hold two points. Bits and states of one word may be several points.
fn overlaps(desk: &mut Desk, device: &str, mapped: &[Mapped]) {
    let mut sorted: Vec<&Mapped> = mapped.iter().collect();
    sorted.sort_by_key(|mapped| (mapped.register.table, mapped.register.address, mapped.register.width()));
    let mut found: Vec<(&Mapped, &Mapped)> = Vec::new();
    let mut bits: HashMap<(Table, u16, Option<u8>), &Mapped> = HashMap::new();
    let mut reach: Option<(&Mapped, u32)> = None;
    for next in sorted {
        let register = &next.register;
        let is_view = matches!(register.encoding, Encoding::Bit { .. } | Encoding::Enum { .. });
        if let Encoding::Bit { bit, .. } = register.encoding
            && let Some(other) = bits.insert((register.table, register.address, bit), next)
        {
            found.push((other, next));
        }
        let end = u32::from(register.address) + u32::from(register.width());
        if let Some((before, reached)) = reach {
            let same_table = before.register.table == register.table;
            let wide = before.register.width() > 1;
            if same_table && u32::from(register.address) < reached && (wide || !is_view) {
                found.push((before, next));
            }
        }
        let longer = reach.is_none_or(|(before, reached)| before.register.table != register.table || reached < end);
        if !is_view && longer {
            reach = Some((next, end));
        }
    }
    let more = found.len().saturating_sub(OVERLAPS_TOLD);
    for (first, second) in found.into_iter().take(OVERLAPS_TOLD) {
        let (one, two) = (&first.register, &second.register);
        let key = format!("device.{device}.{}", two.name());
        let what = format!("{} {} belongs to {} already", two.table.name(), two.address, one.name());
        let rest =
            if more > 0 { format!("; {more} more overlaps of this device are not listed") } else { String::new() };
        let help = format!(
            "one address holds one value: {} takes {} to {}{rest}",
            one.name(),
            one.address,
            u32::from(one.address) + u32::from(one.width()) - 1
        );
        desk.error(&second.place, key, what, help);
    }
}

/// The period of a point, in words, for rules about timing.
pub(crate) fn period_text(seconds: f64) -> String {
    format!("{} s", shown(seconds))
}

/// A field that stands for a register's period, so that rules can point at it.
pub(crate) fn period_field(home: &Home) -> Field<f64> {
    Field {
        value: home.period_seconds,
        key: match home.spot {
            Spot::Register { .. } => format!("device.{}.{}.period_seconds", home.device, home.point),
            Spot::Node { .. } => format!("opcua.{}.{}.sampling_seconds", home.device, home.point),
            Spot::Message { .. } => format!("{}.{}.period_seconds", home.device, home.point),
        },
        place: home.place.clone(),
        written: true,
        sound: true,
    }
}
