//! A circuit: its rooms, one after the other.

use heatstation_core::settings::CircuitSettings;
use heatstation_points::{BuildingIndex, CircuitNames};

use crate::check::circulation_speed::hold_against;
use crate::check::curve::{check_curve, check_design};
use crate::check::guard::{check_frost, check_interlock, check_isolation, check_outage};
use crate::check::limits::{Around, check_limits};
use crate::check::supply::{check_envelope, check_room_target, check_supply};
use crate::check::times::{check_adjustment, check_times};
use crate::check::trim::{check_room_sensors, check_room_trim};
use crate::check::valve::{check_supply_loop, check_valve};
use crate::check::weather::{check_heating_limit, check_weather};
use crate::check::week::{Rooms, check_schedule};
use crate::check::{Base, balance, circulation, make_up, places, sequence};
use crate::desk::{Desk, Field, Otherwise, Section, number};
use crate::raw::{RawCircuit, RawFile};
use crate::written::Written;

/// No cabinet serves more.
const CIRCUITS_MAX: usize = 8;

/// A circuit with what later rules ask about it.
pub(crate) struct CheckedCircuit {
    pub section: Section,
    pub names: CircuitNames,
    pub heated_area: Field<f64>,
    pub settings: CircuitSettings,
    pub room_buildings: Vec<Option<BuildingIndex>>,
    pub supply_trip_delay: Field<f64>,
    pub circulation_delay: Field<f64>,
    pub room_count: usize,
}

pub(crate) fn check_all(desk: &mut Desk, file: &RawFile, base: &Base) -> Vec<CheckedCircuit> {
    if file.circuit.is_empty() {
        let place = crate::problem::Place::default();
        desk.missing(&place, "circuit", "write [[circuit]] with name, heated_area_m2 and emitter");
    }
    if let Some(surplus) = file.circuit.get(CIRCUITS_MAX) {
        let at = Section::new("circuit", 0, &surplus.span);
        desk.error(
            &at.place,
            "circuit",
            format!("there are more than {CIRCUITS_MAX} circuits"),
            "make it two stations",
        );
    }
    let mut circuits: Vec<CheckedCircuit> = Vec::new();
    for written in &file.circuit {
        let circuit = check(desk, written, base);
        if circuits.iter().any(|other| other.names.name == circuit.names.name) {
            let what = format!("there is a circuit {} already", circuit.names.name);
            desk.error(
                &circuit.section.place,
                circuit.section.key("name"),
                what,
                "give each circuit a name of its own",
            );
        }
        circuits.push(circuit);
    }
    circuits
}

fn check(desk: &mut Desk, written: &Written<RawCircuit>, base: &Base) -> CheckedCircuit {
    let raw = &written.value;
    let called = raw.name.as_ref().map_or("?", |name| name.value.as_str());
    let at = Section::new(format!("circuit.{called}"), 0, &written.span);
    let name = desk.name(&at, "name", raw.name.as_ref());
    let heated_area = number!(desk, at, raw.heated_area_m2, 10.0..=5_000_000.0, Otherwise::Required("86000"));
    places::two_decimals(desk, &heated_area);

    let design = check_design(desk, &at, raw, &heated_area, base);
    let supply = check_supply(desk, &at, raw, &design);
    let room_target = check_room_target(desk, &at, raw, base);
    let curve = check_curve(desk, &at, raw, &design, &room_target, base);
    let rooms = places::check(desk, &at, raw, base, &heated_area);
    let circulation = circulation::check(desk, &at, raw, &design, base);
    let pressure = make_up::check_pressure(desk, &at, raw, &heated_area);
    let interlock = check_interlock(desk, &at, raw, &design, &supply, pressure.interlock, &base.id);
    let held = pressure.make_up.as_ref().map(|make_up| make_up.setpoint);
    hold_against(desk, &at, raw, &circulation.mode, (held, interlock.0.pressure_trip));
    let frost = check_frost(desk, &at, raw, &supply.1);
    let outage = check_outage(desk, &at, raw, &supply.0);

    let valve = check_valve(desk, &at, raw);
    let around = Around { design: &design, heated_area: &heated_area, base, valve_min: valve.position_min };
    let limits = check_limits(desk, &at, raw, &around);

    let settings = CircuitSettings {
        name: name.value.clone(),
        heated_area: places::area(&heated_area),
        buildings: rooms.buildings,
        rooms: rooms.rooms,
        curve,
        curve_adjustment: check_adjustment(desk, &at, raw),
        weather: check_weather(desk, &at, raw, design.emitter),
        heating_limit: check_heating_limit(desk, &at, raw, &room_target),
        room_target: room_target.celsius(),
        design_flow: design.compared,
        design_power: design.power,
        room_sensors: check_room_sensors(desk, &at, raw, base),
        room_trim: check_room_trim(desk, &at, raw, design.emitter, base),
        schedule: check_schedule(desk, &at, raw, Rooms { target: room_target.celsius(), danger: frost.danger }),
        times: check_times(desk, &at, raw, base),
        supply: supply.2,
        limits,
        supply_loop: check_supply_loop(desk, &at, raw, &design),
        valve,
        circulation,
        balance: balance::check(desk, &at, raw),
        make_up: pressure.make_up,
        sequence: sequence::check(desk, &at, raw),
        interlock: interlock.0,
        isolation: check_isolation(desk, &at, raw),
        frost,
        outage,
        envelope: check_envelope(desk, &at, raw),
    };
    CheckedCircuit {
        names: CircuitNames {
            name: name.value,
            circulation_pumps: settings.circulation.pumps,
            make_up_pumps: settings.make_up.map_or(0, |make_up| make_up.pumps),
            buildings: settings.buildings.iter().map(|building| building.name.clone()).collect(),
            rooms: settings.rooms.iter().map(|room| room.name.clone()).collect(),
        },
        room_count: settings.rooms.len(),
        section: at,
        heated_area,
        settings,
        room_buildings: rooms.room_buildings,
        supply_trip_delay: interlock.1,
        circulation_delay: interlock.2,
    }
}
