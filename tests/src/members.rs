//! A member of the simulator's family of plants with the control that an engineer would set up for it.
//!
//! The settings hold what stands on the nameplates: design temperatures, areas, pumps. Nothing is taken from what the
//! family drew in secret, but for the design flow, which an engineer reads from the pumps.

use std::time::Duration;

use heatstation_core::area::Area;
use heatstation_core::heating_curve::{Curve, EmitterCurve};
use heatstation_core::moment::UtcMillis;
use heatstation_core::schedule::Schedule;
use heatstation_core::settings::{
    BuildingSettings, BuildingValve, CircuitSettings, CirculationMode, CirculationSettings, EnvelopeSettings,
    FrostSettings, InterlockSettings, MakeUpMode, MakeUpSettings, OutageSettings, OutdoorSettings, RoomSensorSettings,
    RoomSettings, RoomTrimSettings, Season, Settings, SupplyLoopSettings, SupplySettings, ValveSettings,
};
use heatstation_points::quantity::WATER_DENSITY;
use heatstation_points::{BuildingIndex, Celsius, CubicMetersPerSecond, Kelvins, Meters, Pascals, Ratio, Watts};
use heatstation_simulator::family::Member;
use heatstation_simulator::{CircuitPlantSettings, Emitter, StationPlantSettings};

use crate::stations::{Station, profile};

/// The member with its control, from `start` for so many days; the curve aims at `room_target`.
pub fn station(member: &Member, outdoor: Celsius, room_target: Celsius, start: UtcMillis, days: u64) -> Station {
    let plant = member.plant(outdoor);
    let catalogue = plant.catalogue().expect("the family's names differ");
    let end = UtcMillis(start.0 + days as i64 * 86_400_000);
    let settings = Settings {
        station: member.name(),
        heated_area: areas(&plant).1,
        design_outdoor: member.climate.design_outdoor(),
        season: Season { heating_from: start, start, end },
        profile: profile(),
        outdoor: OutdoorSettings::default(),
        circuits: vec![circuit(&plant.circuits[0], room_target, &areas(&plant).0)],
    };
    (settings, catalogue, plant)
}

/// The buildings' areas, and the circuit's as their sum to the hundredth.
fn areas(plant: &StationPlantSettings) -> (Vec<Area>, Area) {
    let circuit = &plant.circuits[0];
    let shares: f64 = circuit.buildings.iter().map(|building| building.area_share).sum();
    let of = |share: f64| Area::from_hundredths((circuit.heated_area_m2 * share / shares * 100.0).round() as u64);
    let each: Vec<Area> = circuit.buildings.iter().map(|building| of(building.area_share)).collect();
    let all = each.iter().copied().sum();
    (each, all)
}

fn circuit(plant: &CircuitPlantSettings, room_target: Celsius, areas: &[Area]) -> CircuitSettings {
    let design = plant.design;
    let flow = plant.design_flow() / WATER_DENSITY;
    let floor = matches!(plant.emitter, Emitter::Floor);
    let exponent = match plant.emitter {
        Emitter::Radiator { .. } => 1.3,
        Emitter::Floor => 1.05,
    };
    let supply_max = Celsius(if floor { 50.0 } else { 80.0 });
    let integral = Duration::from_secs(if floor { 72 } else { 48 } * 3600);
    CircuitSettings {
        name: plant.name.clone(),
        heated_area: areas.iter().copied().sum(),
        buildings: (plant.buildings.iter().zip(areas))
            .map(|(building, area)| BuildingSettings {
                name: building.name.clone(),
                heated_area: *area,
                valve: BuildingValve::Balanced,
                offset: Kelvins(0.0),
            })
            .collect(),
        rooms: (plant.rooms.iter())
            .map(|room| RoomSettings {
                name: room.name.clone(),
                minimum: Celsius(18.0),
                building: Some(BuildingIndex(room.building)),
            })
            .collect(),
        curve: Curve::Emitter(EmitterCurve {
            design_supply: design.supply,
            design_return: design.return_,
            design_room: design.room,
            design_outdoor: design.outdoor,
            exponent,
        }),
        room_target,
        design_flow: Some(CubicMetersPerSecond(flow)),
        design_power: Watts(plant.design_heat()),
        room_sensors: RoomSensorSettings::default(),
        room_trim: RoomTrimSettings { integral_time: integral, ..RoomTrimSettings::default() },
        schedule: Schedule::default(),
        supply: SupplySettings {
            min: Celsius(22.0),
            max: supply_max,
            rise_per_hour: Kelvins(if floor { 5.0 } else { 20.0 }),
            fall_per_hour: Kelvins(if floor { 5.0 } else { 20.0 }),
        },
        supply_loop: SupplyLoopSettings::default(),
        valve: ValveSettings::default(),
        circulation: circulation(flow),
        balance: None,
        make_up: Some(make_up(plant)),
        interlock: interlock(plant, supply_max),
        frost: FrostSettings::default(),
        outage: OutageSettings::default(),
        envelope: EnvelopeSettings::default(),
    }
}

fn circulation(design_flow: f64) -> CirculationSettings {
    CirculationSettings {
        pumps: 2,
        duty: 1,
        mode: CirculationMode::FixedSpeed { speed: Ratio(0.9) },
        speed_min: Ratio(0.5),
        speed_max: Ratio(1.0),
        speed_fallback: Ratio(0.8),
        ramp_per_second: 0.01,
        proof_within: Duration::from_secs(15),
        retry_after: Duration::from_secs(1200),
        rotate_after: Duration::from_secs(168 * 3600),
        off_min: Duration::from_secs(60),
        flow_min: CubicMetersPerSecond(0.15 * design_flow),
        differential_pressure_min: Pascals(5_000.0),
    }
}

fn make_up(plant: &CircuitPlantSettings) -> MakeUpSettings {
    let filled = plant.make_up.filled_to.0;
    MakeUpSettings {
        pumps: plant.make_up.pumps,
        mode: MakeUpMode::StartStop,
        start: Pascals(filled - 25e3),
        setpoint: Pascals(filled),
        relief_close: Pascals(filled + 40e3),
        relief_open: Pascals(filled + 60e3),
        run_max: Duration::from_secs(1800),
        volume_per_day_max: 40.0,
        tank_low: Meters(0.4),
        tank_refill: Meters(1.0),
        tank_full: Meters(1.6),
    }
}

fn interlock(plant: &CircuitPlantSettings, supply_max: Celsius) -> InterlockSettings {
    let filled = plant.make_up.filled_to.0;
    InterlockSettings {
        supply_trip: supply_max + Kelvins(6.0),
        supply_reset: Kelvins(5.0),
        supply_trip_delay: Duration::from_secs(2),
        circulation_delay: Duration::from_secs(2),
        circulation_reset: Duration::from_secs(30),
        pressure_protect: Pascals(filled - 100e3),
        pressure_restart: Pascals(filled - 50e3),
        pressure_delay: Duration::from_secs(5),
        mains_return: Duration::from_secs(45),
        pressure_trip: Pascals(filled + 500e3),
        sensor_hold: Duration::from_secs(60),
        sensor_substitute: Duration::from_secs(1800),
        valve_safe_cold: Ratio(0.3),
        valve_safe_below: Celsius(5.0),
        trips_per_hour_max: 3,
    }
}
