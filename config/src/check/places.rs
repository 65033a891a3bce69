//! Buildings, room sensors, and areas that have to add up to the hundredth of a square metre.

use std::collections::HashSet;

use heatstation_core::area::Area;
use heatstation_core::settings::{BuildingSettings, BuildingValve, RoomSettings};
use heatstation_points::{BuildingIndex, Celsius, Kelvins};

use crate::check::Base;
use crate::check::circuit::CheckedCircuit;
use crate::desk::{Desk, Field, Otherwise, Section, derived, number, one_of, or, shown};
use crate::explain::From;
use crate::problem::Place;
use crate::raw::{RawBalance, RawBuilding, RawBuildingUse, RawBuildingValve, RawCircuit};
use crate::standard::Ruled;
use crate::written::Written;

/// The room statistic looks at no more.
const ROOMS_MAX: usize = 512;
/// More buildings behind one exchanger there are not.
const BUILDINGS_MAX: usize = 200;

/// Buildings and rooms of a circuit.
pub(crate) struct Places {
    pub buildings: Vec<BuildingSettings>,
    pub rooms: Vec<RoomSettings>,
    pub room_buildings: Vec<Option<BuildingIndex>>,
}

/// An area as the core keeps it.
pub(crate) fn area(field: &Field<f64>) -> Area {
    Area::from_hundredths((field.value * 100.0).round() as u64)
}

/// Notes an area with more than two decimals: it would not be the area that was written.
pub(crate) fn two_decimals(desk: &mut Desk, field: &Field<f64>) {
    let hundredths = field.value * 100.0;
    if field.sound && (hundredths - hundredths.round()).abs() > 1e-4 {
        let help = "areas are exact to 0.01 m², because a legal figure is a ratio of them: round it";
        desk.error(
            &field.place,
            field.key.as_str(),
            format!("{} m² has more than two decimals", shown(field.value)),
            help,
        );
    }
}

pub(crate) fn check(desk: &mut Desk, at: &Section, raw: &RawCircuit, base: &Base, circuit: &Field<f64>) -> Places {
    let mut places = Places { buildings: Vec::new(), rooms: Vec::new(), room_buildings: Vec::new() };
    let mut uses = Vec::new();
    let mut areas = Vec::new();
    let mut seen = HashSet::new();
    for written in &raw.building {
        let building = &written.value;
        let called = building.name.as_ref().map_or("?", |name| name.value.as_str());
        let section = Section { key: at.key(&format!("building.{called}")), place: at.at(&written.span) };
        let name = desk.name(&section, "name", building.name.as_ref());
        if name.sound && !seen.insert(name.value.clone()) {
            let what = format!("there is a building {} already", name.value);
            desk.error(&name.place, name.key.as_str(), what, "give each building of a circuit a name of its own");
        }
        let heated = number!(desk, section, building.heated_area_m2, 1.0..=1_000_000.0, Otherwise::Required("14000"));
        two_decimals(desk, &heated);
        let usual = or(RawBuildingUse::Dwelling, "dwellings are what the standards are for");
        let building_use =
            desk.choice(&section, "use", building.building_use.as_ref(), usual, RawBuildingUse::Dwelling);
        uses.push(building_use.value);
        let (valve, offset) = check_valve(desk, &section, building, raw.balance.as_ref());
        places.buildings.push(BuildingSettings { name: name.value, heated_area: area(&heated), valve, offset });
        areas.push(heated);
    }
    if let Some(surplus) = raw.building.get(BUILDINGS_MAX) {
        let help = "divide them between circuits";
        desk.error(
            &at.at(&surplus.span),
            at.key("building"),
            format!("there are more than {BUILDINGS_MAX} buildings"),
            help,
        );
    }
    sum(desk, &at.place, &areas, circuit, "the buildings of the circuit");
    check_rooms(desk, at, raw, base, &mut places, &uses);
    places
}

fn check_valve(
    desk: &mut Desk,
    at: &Section,
    raw: &RawBuilding,
    balance: Option<&Written<RawBalance>>,
) -> (BuildingValve, Kelvins) {
    let usual = match balance {
        Some(_) => derived(RawBuildingValve::Balanced, "the circuit is balanced"),
        None => derived(RawBuildingValve::Fixed, "the circuit is not balanced"),
    };
    let valve = desk.choice(at, "valve", raw.valve.as_ref(), usual, RawBuildingValve::Fixed);
    let offset = number!(
        desk,
        at,
        raw.balance_offset_kelvins,
        -5.0..=5.0,
        or(0.0, "all buildings are alike unless somebody says that they are not")
    );
    if balance.is_none() && (valve.value == RawBuildingValve::Balanced || offset.written) {
        let key = if offset.written { &offset.key } else { &valve.key };
        let help = "write a table [circuit.balance], or leave this out";
        desk.error(&at.place, key.as_str(), "the circuit has no [circuit.balance]", help);
    }
    let valve = match valve.value {
        RawBuildingValve::Fixed => BuildingValve::Fixed,
        RawBuildingValve::Balanced => BuildingValve::Balanced,
    };
    (valve, offset.kelvins())
}

/// A room sensor before it has its number.
struct Found<'a> {
    name: &'a str,
    place: Place,
    building: Option<usize>,
    minimum: Option<&'a Written<f64>>,
}

fn check_rooms(
    desk: &mut Desk,
    at: &Section,
    raw: &RawCircuit,
    base: &Base,
    places: &mut Places,
    uses: &[RawBuildingUse],
) {
    let mut found = Vec::new();
    let plain = |written: &'_ Written<String>| at.at(&written.span);
    for name in &raw.rooms {
        found.push(Found { name: &name.value, place: plain(name), building: None, minimum: None });
    }
    for (number, building) in raw.building.iter().enumerate() {
        for name in &building.value.rooms {
            found.push(Found { name: &name.value, place: plain(name), building: Some(number), minimum: None });
        }
    }
    for written in &raw.room {
        let room = &written.value;
        let called = room.name.as_ref().map_or("?", |name| name.value.as_str());
        let section = Section { key: at.key(&format!("room.{called}")), place: at.at(&written.span) };
        let Some(name) = &room.name else {
            desk.error(&section.place, section.key("name"), "is missing", "write it, as in `name = \"a101\"`");
            continue;
        };
        let building = room.building.as_ref().and_then(|building| {
            let number = places.buildings.iter().position(|known| known.name == building.value);
            desk.explain_written(&section.key("building"), building.value.as_str(), &at.at(&building.span));
            if number.is_none() {
                let help = one_of(&building.value, places.buildings.iter().map(|building| building.name.as_str()));
                let what = format!("the circuit has no building `{}`", building.value);
                desk.error(&at.at(&building.span), section.key("building"), what, help);
            }
            number
        });
        found.push(Found { name: &name.value, place: plain(name), building, minimum: room.minimum_celsius.as_ref() });
    }
    if let Some(surplus) = found.get(ROOMS_MAX) {
        let what = format!("there are more than {ROOMS_MAX} room sensors");
        desk.error(
            &surplus.place.clone(),
            at.key("rooms"),
            what,
            "the estimate of the coldest rooms looks at no more: leave the rest out",
        );
    }

    let mut seen = HashSet::new();
    for room in &found {
        let key = at.key(&format!("room.{}", room.name));
        if !desk.name_is_plain(&room.place, &key, room.name) {
            continue;
        }
        desk.explain_written(&format!("{key}.name"), room.name, &room.place);
        if !seen.insert(room.name) {
            let help = "give each room sensor of a circuit a name of its own";
            desk.error(&room.place, key, format!("there is a room sensor {} already", room.name), help);
            continue;
        }
        let section = Section { key, place: room.place.clone() };
        let building_use =
            room.building.and_then(|number| uses.get(number)).copied().unwrap_or(RawBuildingUse::Dwelling);
        let ruled = base.standard.as_ref().map(|standard| (standard.id.as_str(), standard.room_min(building_use)));
        let usual = match ruled {
            Some((id, Ruled { value, clause, .. })) => Otherwise::Standard(value.value, format!("{id} {clause}")),
            None => or(18.0, "the standard is not known"),
        };
        let minimum = desk.number(&section, "minimum_celsius", room.minimum, 5.0..=28.0, usual);
        if let (true, Some((_, rule))) = (minimum.written && minimum.sound, ruled)
            && minimum.value < rule.value.value
        {
            let what = format!("{} °C is below the standard's {} °C", shown(minimum.value), shown(rule.value.value));
            let help = format!(
                "clause {}: a contract may say less where the standard lets it; then this is right",
                rule.clause
            );
            desk.warn(&minimum.place, minimum.key.as_str(), what, help);
        }
        let building = room.building.map(BuildingIndex);
        places.rooms.push(RoomSettings { name: room.name.to_owned(), minimum: Celsius(minimum.value), building });
        places.room_buildings.push(building);
    }
    desk.explain(
        &at.key("rooms"),
        places.rooms.len().to_string(),
        From::Derived { formula: "all room sensors of the circuit and of its buildings".to_owned() },
    );
}

/// Notes it unless the circuits heat what the station heats.
pub(crate) fn areas_add_up(desk: &mut Desk, base: &Base, circuits: &[CheckedCircuit]) {
    let parts: Vec<Field<f64>> = circuits.iter().map(|circuit| circuit.heated_area.clone()).collect();
    sum(desk, &base.heated_area.place, &parts, &base.heated_area, "the circuits");
}

/// Notes it unless parts make a whole. Each part may be rounded to 0.01 m², so that much a part is granted.
fn sum(desk: &mut Desk, _near: &Place, parts: &[Field<f64>], whole: &Field<f64>, what: &str) {
    if parts.is_empty() || !whole.sound || parts.iter().any(|part| !part.sound) {
        return;
    }
    let (total, due) = (parts.iter().map(area).sum::<Area>(), area(whole));
    let granted = parts.len() as u64;
    if total.hundredths().abs_diff(due.hundredths()) > granted {
        let text = format!("is {due}, but {what} add up to {total}");
        let help = format!(
            "the accident rate rests on these areas: make them equal (0.01 m² of rounding for each of the {} is granted)",
            parts.len()
        );
        desk.error(&whole.place, whole.key.as_str(), text, help);
    }
}
