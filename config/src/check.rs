//! From the file as written to the station as meant, or every problem at once.

mod balance;
mod circuit;
mod circulation;
mod circulation_speed;
mod contacts;
mod curve;
mod devices;
mod essential;
mod guard;
pub(crate) mod house;
mod limits;
mod make_up;
mod messages;
mod mqtt;
mod opcua;
mod opcua_server;
mod outdoor;
mod places;
mod push;
mod season;
mod sequence;
mod supply;
mod times;
mod trim;
mod valve;
mod weather;
mod week;
mod wires;

use std::path::Path;

use heatstation_core::settings::Settings;
use heatstation_points::{AuxiliaryPoint, Catalogue, CircuitNames, Unit};
use jiff::tz::TimeZone;

use crate::desk::{Desk, Field, Otherwise, Section, number, one_of, or};
use crate::files::{self, Library};
use crate::parse::parse;
use crate::points::Homes;
use crate::problem::{Kind, Place, Problems};
use crate::raw::RawFile;
use crate::standard::Standard;
use crate::station::Station;

/// Reads and checks a station's file.
///
/// Templates, standards and CSV files are looked for in its folder first.
///
/// # Errors
/// Every problem of all files, if one of them keeps the station from being run.
pub fn load(path: &Path) -> Result<Station, Problems> {
    let name = path.display().to_string();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    match files::read(path) {
        Ok(text) => check(&name, &text, Some(folder)),
        Err(what) => {
            let mut desk = Desk::default();
            let file = desk.add(name, "", Kind::Station);
            let help = "give the path of a station file; `heatstation demo` needs none";
            desk.error(&Place { file, span: 0..0 }, "", format!("the file {what}"), help);
            Err(desk.close().0)
        }
    }
}

/// A service standard by its name; `folder` is where a file of that name goes before the one inside.
///
/// # Errors
/// There is none of that name, or its file is not sound.
pub fn standard(name: &str, folder: Option<&Path>) -> Result<Standard, Problems> {
    let mut desk = Desk::default();
    let file = desk.add(name.to_owned(), "", Kind::Standard);
    let place = Place { file, span: 0..0 };
    let asked = Field { value: name.to_owned(), key: "profile".to_owned(), place, written: true, sound: true };
    let found = find_standard(&mut desk, &asked, folder);
    let broken = desk.has_errors();
    found.filter(|_| !broken).ok_or_else(|| desk.close().0)
}

/// Checks the text of a station's file that goes by that name; `folder` is where the files that it names are looked for.
///
/// # Errors
/// Every problem of all files, if one of them keeps the station from being run.
pub fn check(name: &str, text: &str, folder: Option<&Path>) -> Result<Station, Problems> {
    let mut desk = Desk::default();
    let file = desk.add(name, text, Kind::Station);
    let Some(raw) = parse::<RawFile>(&mut desk, file) else { return Err(desk.close().0) };
    let station = check_raw(&mut desk, &raw, folder);
    let broken = desk.has_errors();
    let (problems, sources) = desk.close();
    match station {
        Some(station) if !broken => Ok(Station { sources, warnings: problems, ..station }),
        _ => Err(problems),
    }
}

/// The station's own keys, and what of it everything else leans on.
pub(crate) struct Base {
    pub id: String,
    pub name: String,
    pub heated_area: Field<f64>,
    pub design_outdoor: Field<f64>,
    pub standard: Option<Standard>,
    pub zone: Option<TimeZone>,
    pub zone_name: String,
}

fn check_raw(desk: &mut Desk, raw: &RawFile, folder: Option<&Path>) -> Option<Station> {
    let base = check_base(desk, raw, folder);
    let season = season::check(desk, raw, &base);
    let shoulder = season.as_ref().map(|season| season::check_shoulder(desk, raw, &base, season));
    let outdoor = outdoor::check(desk, raw, &base);
    let auxiliaries = check_auxiliaries(desk, raw);
    let circuits = circuit::check_all(desk, raw, &base);
    places::areas_add_up(desk, &base, &circuits);

    let names: Vec<CircuitNames> = circuits.iter().map(|circuit| circuit.names.clone()).collect();
    let catalogue = match Catalogue::new(names, auxiliaries) {
        Ok(catalogue) => catalogue,
        // The name that stands twice was noted where it stands; without a catalogue no register can be judged.
        Err(duplicate) if desk.has_errors() => {
            drop(duplicate);
            return None;
        }
        Err(duplicate) => {
            desk.error(&Place::default(), "", duplicate.to_string(), "give each thing a name of its own");
            return None;
        }
    };
    let mut homes = Homes::default();
    let devices = devices::check(desk, raw, &catalogue, folder, &mut homes);
    let (daemon, http, history, simulation) = house::check(desk, raw);
    let around =
        opcua::Surroundings { catalogue: &catalogue, folder, data_folder: &daemon.data_folder, station: &base.id };
    let wires: Vec<String> = devices.wires.iter().map(|wire| wire.name.clone()).collect();
    let servers = opcua::check(desk, raw, &around, &mut homes, &wires);
    let around = messages::Around { catalogue: &catalogue, circuits: &circuits, folder, station: &base.id };
    let mqtt = mqtt::check(desk, raw, &around, &mut homes);
    let push = push::check(desk, raw, &around, &mut homes);
    sources_have_names(desk, raw);
    if devices.complete {
        essential::check(desk, raw, &circuits, homes.all());
    }
    contacts::check(desk, &circuits, &devices.wires, homes.all());
    let opcua_server = opcua_server::check(desk, raw);
    let standard = base.standard?;
    standard.explain(desk);

    let room_buildings = circuits.iter().map(|circuit| circuit.room_buildings.clone()).collect();
    Some(Station {
        name: base.name,
        settings: Settings {
            station: base.id,
            heated_area: places::area(&base.heated_area),
            design_outdoor: base.design_outdoor.celsius(),
            season: season?,
            shoulder: shoulder?,
            profile: standard.profile(),
            outdoor,
            circuits: circuits.into_iter().map(|circuit| circuit.settings).collect(),
        },
        standard,
        catalogue,
        wires: devices.wires,
        opcua: servers,
        mqtt,
        push,
        homes: homes.into_all(),
        room_buildings,
        time_zone: base.zone?,
        time_zone_name: base.zone_name,
        daemon,
        http,
        opcua_server,
        history,
        simulation,
        sources: Vec::new(),
        warnings: Problems::default(),
    })
}

/// Wires, brokers and sources that post are one list on the page and in metrics.
fn sources_have_names(desk: &mut Desk, file: &RawFile) {
    let wires = file.wire.iter().filter_map(|wire| wire.value.name.as_ref());
    let mut taken: Vec<&str> = wires.map(|name| name.value.as_str()).collect();
    let brokers = file.mqtt.iter().map(|broker| ("mqtt", &broker.value.name));
    for (kind, name) in brokers.chain(file.push.iter().map(|source| ("push", &source.value.name))) {
        let Some(name) = name else { continue };
        if taken.contains(&name.value.as_str()) {
            let place = Place { file: 0, span: name.span.clone() };
            let what = format!("there is a wire or a source {} already", name.value);
            desk.error(&place, format!("{kind}.{}.name", name.value), what, "give each a name of its own");
        }
        taken.push(&name.value);
    }
}

fn check_base(desk: &mut Desk, file: &RawFile, folder: Option<&Path>) -> Base {
    let written = file.station.clone().unwrap_or_default();
    let raw = &written.value;
    let at = Section::new("station", 0, &written.span);
    if file.station.is_none() {
        desk.missing(
            &at.place,
            "station",
            "write [station] with id, name, standard, heated_area_m2 and design_outdoor_celsius",
        );
    }
    let present = file.station.is_some();
    // One message for a missing table is enough; its keys would repeat it.
    let mut quiet = Desk::default();
    let desk_for_keys = if present { &mut *desk } else { &mut quiet };
    let id = desk_for_keys.name(&at, "id", raw.id.as_ref());
    let name = desk_for_keys.text(&at, "name", raw.name.as_ref(), Otherwise::Required("\"康泰园换热站\""));
    let heated_area = number!(desk_for_keys, at, raw.heated_area_m2, 10.0..=10_000_000.0, Otherwise::Required("86000"));
    let design_outdoor =
        number!(desk_for_keys, at, raw.design_outdoor_celsius, -45.0..=15.0, Otherwise::Required("-9"));
    let zone_written = desk_for_keys.text(
        &at,
        "time_zone",
        raw.time_zone.as_ref(),
        or("Asia/Shanghai".to_owned(), "all of China keeps one time"),
    );
    let standard_name = desk_for_keys.text(&at, "standard", raw.standard.as_ref(), Otherwise::Required("\"zibo\""));
    places::two_decimals(desk, &heated_area);
    let zone = time_zone(desk, &zone_written);
    let standard = if standard_name.sound { find_standard(desk, &standard_name, folder) } else { None };
    Base { id: id.value, name: name.value, heated_area, design_outdoor, standard, zone, zone_name: zone_written.value }
}

fn time_zone(desk: &mut Desk, written: &Field<String>) -> Option<TimeZone> {
    let found = TimeZone::get(&written.value).ok();
    if found.is_none() && written.sound {
        let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let near = crate::desk::nearest(&written.value, known.iter().map(String::as_str));
        let help = near.map_or_else(
            || "write a name of the IANA list, as in \"Asia/Shanghai\"".to_owned(),
            |near| format!("did you mean \"{near}\"? It is a name of the IANA list, as in \"Asia/Shanghai\""),
        );
        desk.error(&written.place, written.key.as_str(), format!("there is no time zone {:?}", written.value), help);
    }
    found
}

fn find_standard(desk: &mut Desk, written: &Field<String>, folder: Option<&Path>) -> Option<Standard> {
    let name = written.value.as_str();
    match Library::Standards.find(name, folder) {
        Ok(Some((called, text))) => {
            let file = desk.add(called, text, Kind::Standard);
            let mut standard = parse::<Standard>(desk, file)?;
            name.clone_into(&mut standard.id);
            standard.check(desk, file);
            Some(standard)
        }
        Ok(None) => {
            let help = format!(
                "{}, or a file standards/<name>.toml beside the station's",
                one_of(name, Library::Standards.names())
            );
            desk.error(&written.place, written.key.as_str(), format!("there is no standard `{name}`"), help);
            None
        }
        Err(what) => {
            desk.error(&written.place, written.key.as_str(), format!("its file {what}"), "make the file readable");
            None
        }
    }
}

fn check_auxiliaries(desk: &mut Desk, file: &RawFile) -> Vec<AuxiliaryPoint> {
    let mut points: Vec<AuxiliaryPoint> = Vec::new();
    for written in &file.auxiliary {
        let raw = &written.value;
        let called = raw.name.as_ref().map_or("?", |name| name.value.as_str());
        let at = Section::new(format!("auxiliary.{called}"), 0, &written.span);
        let name = desk.name(&at, "name", raw.name.as_ref());
        let unit = desk.text(&at, "unit", raw.unit.as_ref(), Otherwise::Required("\"celsius\""));
        let min = number!(desk, at, raw.min, -1e18..=1e18, Otherwise::Required("0"));
        let max = number!(desk, at, raw.max, -1e18..=1e18, Otherwise::Required("100"));
        desk.below(&min, &max, "they are the ends of the range that is believed");
        let found = Unit::from_name(&unit.value);
        if found.is_none() && unit.sound {
            let help = one_of(&unit.value, Unit::ALL.map(Unit::name));
            desk.error(&unit.place, unit.key.as_str(), format!("there is no unit `{}`", unit.value), help);
        }
        if points.iter().any(|point| point.name == name.value) {
            let help = "give each auxiliary point a name of its own";
            desk.error(
                &name.place,
                name.key.as_str(),
                format!("there is an auxiliary point {} already", name.value),
                help,
            );
            continue;
        }
        let unit = found.unwrap_or(Unit::Number);
        points.push(AuxiliaryPoint { name: name.value, unit, range: (min.value, max.value) });
    }
    points
}
