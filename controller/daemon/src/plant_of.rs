//! The plant that takes a station's place: sized from the station's own figures by the rules of the trade.

use heatstation_config::station::{BuildingClass, Climate, Station};
use heatstation_core::heating_curve::Curve;
use heatstation_core::settings::CircuitSettings;
use heatstation_points::{Celsius, Pascals, Ratio};
use heatstation_simulator as simulator;
use heatstation_simulator::{CircuitPlantSettings, DesignTemperatures, Emitter, Outline, StationPlantSettings};

/// An emitter exponent below this is a floor's.
const FLOOR_EXPONENT_MAX: f64 = 1.15;

/// The plant of a station. `seed` says where the room sensors hang and how far each is off.
pub fn plant_of(station: &Station, seed: u64) -> StationPlantSettings {
    let circuits = station.settings.circuits.iter().enumerate();
    let circuits = circuits.map(|(number, circuit)| circuit_of(station, number, circuit, seed)).collect();
    let mut plant = StationPlantSettings::of(circuits);
    let now = jiff::Timestamp::from_millisecond(station.settings.season.start.0).unwrap_or_default();
    plant.time_zone_hours = f64::from(station.time_zone.to_offset(now).seconds()) / 3600.0;
    plant
}

fn circuit_of(station: &Station, number: usize, circuit: &CircuitSettings, seed: u64) -> CircuitPlantSettings {
    let names = &station.catalogue.circuits()[number];
    let design_outdoor = station.settings.design_outdoor;
    let (supply, return_, room, exponent) = match &circuit.curve {
        Curve::Emitter(curve) => (curve.design_supply, curve.design_return, curve.design_room, curve.exponent),
        // A curve of points names no design; radiators of its coldest point come nearest.
        Curve::Points(curve) => {
            let coldest = curve.points[0].1;
            (coldest, Celsius(coldest.0 - 0.45 * (coldest.0 - 18.0)), Celsius(18.0), 1.3)
        }
    };
    let floor = exponent < FLOOR_EXPONENT_MAX;
    let emitter = if floor { Emitter::Floor } else { Emitter::Radiator { exponent } };
    let design = DesignTemperatures {
        supply,
        return_,
        room,
        outdoor: design_outdoor,
        primary_supply: station.simulation.primary_design_supply,
        primary_return: station.simulation.primary_design_return.max(Celsius(return_.0 + 3.0)),
    };
    let buildings =
        if names.buildings.is_empty() { (1..=6).map(|b| format!("b{b}")).collect() } else { names.buildings.clone() };
    let outline = Outline {
        name: &names.name,
        heated_area_m2: circuit.heated_area.square_meters(),
        emitter,
        design,
        building_loss: class_of(station.simulation.building_class).loss(design_outdoor),
        buildings: &buildings,
        rooms: &names.rooms,
        circulation_pumps: names.circulation_pumps,
        make_up_pumps: names.make_up_pumps,
    };
    let mut plant = CircuitPlantSettings::typical(&outline, seed.wrapping_add(number as u64));
    for building in &mut plant.buildings {
        building.flats = station.simulation.flats_per_building;
    }
    for (sensor, building) in plant.rooms.iter_mut().zip(&station.room_buildings[number]) {
        if let Some(building) = building {
            sensor.building = building.0;
        }
        sensor.flat %= station.simulation.flats_per_building;
    }
    if let Some(make_up) = &circuit.make_up {
        // The plant was filled to what its pressure holding aims at, over the column that this implies.
        plant.make_up.filled_to = make_up.setpoint;
        plant.make_up.static_head = Pascals((make_up.setpoint.0 - 40_000.0).max(50_000.0));
        plant.make_up.safety_valve = plant.make_up.safety_valve.max(circuit.interlock.pressure_trip * 1.1);
    } else {
        // Something else holds this circuit's pressure: a large vessel that loses nothing stands for it, well above what
        // the interlock asks for a start.
        plant.make_up.filled_to = plant.make_up.filled_to.max(circuit.interlock.pressure_restart + Pascals(50_000.0));
        plant.make_up.static_head = plant.make_up.filled_to - Pascals(40_000.0);
        plant.make_up.daily_leak = Ratio(0.0);
        plant.make_up.compliance *= 50.0;
    }
    plant
}

/// The plant's word for how buildings are insulated.
pub fn class_of(class: BuildingClass) -> simulator::BuildingClass {
    match class {
        BuildingClass::Uninsulated => simulator::BuildingClass::Uninsulated,
        BuildingClass::Half => simulator::BuildingClass::Half,
        BuildingClass::SixtyFive => simulator::BuildingClass::SixtyFive,
        BuildingClass::SeventyFive => simulator::BuildingClass::SeventyFive,
    }
}

/// The weather generator's climate.
pub fn climate_of(climate: Climate) -> simulator::Climate {
    match climate {
        Climate::Shandong => simulator::Climate::SHANDONG,
        Climate::Jinan => simulator::Climate::JINAN,
        Climate::Beijing => simulator::Climate::BEIJING,
        Climate::Hohhot => simulator::Climate::HOHHOT,
        Climate::Harbin => simulator::Climate::HARBIN,
        Climate::Hanzhong => simulator::Climate::HANZHONG,
    }
}
