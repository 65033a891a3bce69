//! Stations to try the control on, built by hand: what the files of a station become, without the files.
//!
//! Each gives the control's settings, the points, and the plant behind them. They say nothing about how settings are
//! read; that is tested elsewhere.

use std::time::Duration;

use heatstation_core::area::Area;
use heatstation_core::exchanger::ExchangerSettings;
use heatstation_core::heating_curve::{Curve, EmitterCurve};
use heatstation_core::moment::UtcMillis;
use heatstation_core::outage::Cause;
use heatstation_core::profile::{AccidentRateRule, Clause, Profile};
use heatstation_core::settings::{
    BuildingSettings, BuildingValve, BurstPolicy, CircuitSettings, CirculationMode, CirculationSettings,
    InterlockSettings, LeakSettings, LoadShedSettings, MakeUpMode, MakeUpSettings, OutdoorSettings, RoomSettings,
    Season, Settings, ShoulderSettings, SupplyLoopSettings, SupplySettings, TimesSettings,
};
use heatstation_points::quantity::{WATER_DENSITY, WATER_HEAT_CAPACITY};
use heatstation_points::{BuildingIndex, Catalogue, Celsius, CubicMetersPerSecond, Kelvins, Pascals, Ratio, Watts};
use heatstation_simulator::{
    BuildingClass, CircuitPlantSettings, Circulation, DesignTemperatures, Emitter, InitialState, Outline,
    StationPlantSettings,
};

/// 2026-11-15 00:00 in China.
pub const SEASON_START: UtcMillis = UtcMillis(1_794_672_000_000);
/// To 2027-03-15 24:00.
pub const SEASON_DAYS: u64 = 121;
/// China's distance from UTC.
pub const ZONE: Duration = Duration::from_secs(8 * 3600);

const DESIGN_OUTDOOR: Celsius = Celsius(-9.0);

/// Control, points and plant of one station.
pub type Station = (Settings, Catalogue, StationPlantSettings);

/// What tells one circuit from another here.
struct Zone {
    name: &'static str,
    area_m2: u32,
    buildings: usize,
    rooms_each: usize,
    emitter: Emitter,
    design: DesignTemperatures,
    supply_max: Celsius,
    /// Pascals to hold between supply and return; none runs at a fixed speed.
    hold: Option<Pascals>,
    make_up: MakeUpMode,
    make_up_pumps: usize,
}

/// One circuit of 86 000 m² with radiators in Shandong, two circulation pumps and one make-up pump; cold at the start.
pub fn demo() -> Station {
    station(&[low_zone(6, 4, MakeUpMode::VariableSpeed)])
}

/// One circuit with radiators and two buildings: for stories of days.
pub fn small() -> Station {
    station(&[low_zone(2, 3, MakeUpMode::VariableSpeed)])
}

/// A low zone with radiators at a fixed speed and a high zone with floor heating at a held pressure difference; small, so
/// that many of them can be run.
pub fn two_zones() -> Station {
    let high = Zone {
        name: "high-zone",
        area_m2: 30_000,
        buildings: 2,
        rooms_each: 3,
        emitter: Emitter::Floor,
        design: DesignTemperatures::floors(DESIGN_OUTDOOR),
        supply_max: Celsius(50.0),
        hold: Some(Pascals(90_000.0)),
        make_up: MakeUpMode::StartStop,
        make_up_pumps: 2,
    };
    station(&[low_zone(2, 3, MakeUpMode::VariableSpeed), high])
}

/// Two circuits with 200 room sensors between them: the station that the figures of speed are about.
pub fn two_hundred_rooms() -> Station {
    let high = Zone {
        name: "high-zone",
        area_m2: 90_000,
        buildings: 10,
        rooms_each: 10,
        emitter: Emitter::Floor,
        design: DesignTemperatures::floors(DESIGN_OUTDOOR),
        supply_max: Celsius(50.0),
        hold: Some(Pascals(90_000.0)),
        make_up: MakeUpMode::StartStop,
        make_up_pumps: 2,
    };
    station(&[low_zone(10, 10, MakeUpMode::VariableSpeed), high])
}

/// The same station with walls, sun, wind and forecast in use, as usual buildings feel them.
#[must_use]
pub fn feeling_the_weather(station: Station) -> Station {
    let (mut settings, catalogue, plant) = station;
    for circuit in &mut settings.circuits {
        let weather = &mut circuit.weather;
        (weather.light_share, weather.solar_gain, weather.wind_gain) = (Ratio(0.5), 0.01, 0.2);
    }
    (settings, catalogue, plant)
}

/// The same station as it stands after days of this weather, instead of cold.
#[must_use]
pub fn running(station: Station, outdoor: Celsius) -> Station {
    let (settings, catalogue, mut plant) = station;
    plant.initial = InitialState { outdoor, room: Celsius(20.5), circulation: Circulation::Running };
    (settings, catalogue, plant)
}

fn low_zone(buildings: usize, rooms_each: usize, make_up: MakeUpMode) -> Zone {
    Zone {
        name: "low-zone",
        area_m2: 86_000,
        buildings,
        rooms_each,
        emitter: Emitter::Radiator { exponent: 1.3 },
        design: DesignTemperatures::radiators(DESIGN_OUTDOOR),
        supply_max: Celsius(80.0),
        hold: None,
        make_up,
        make_up_pumps: 1,
    }
}

fn station(zones: &[Zone]) -> Station {
    let (plants, circuits): (Vec<_>, Vec<_>) = zones.iter().map(circuit).unzip();
    let plant = StationPlantSettings::of(plants);
    let catalogue = plant.catalogue().expect("the zones, buildings and rooms have different names");
    let season_end = UtcMillis(SEASON_START.0 + SEASON_DAYS as i64 * 86_400_000);
    let settings = Settings {
        station: "k12".to_owned(),
        heated_area: Area::from_square_meters(zones.iter().map(|zone| zone.area_m2).sum()),
        design_outdoor: DESIGN_OUTDOOR,
        season: Season { heating_from: SEASON_START, start: SEASON_START, end: season_end },
        shoulder: ShoulderSettings::default(),
        profile: profile(),
        outdoor: OutdoorSettings::default(),
        circuits,
    };
    (settings, catalogue, plant)
}

fn profile() -> Profile {
    Profile {
        id: "zibo".to_owned(),
        title: String::new(),
        dwelling_min: Clause { value: Celsius(18.0), clause: "5.1".to_owned() },
        room_pass_target: None,
        accident_rate: AccidentRateRule {
            clause: "3.8".to_owned(),
            counted: vec![Cause::EnterpriseAccident, Cause::Unknown],
            target: None,
        },
        notify_users_after: None,
    }
}

fn circuit(zone: &Zone) -> (CircuitPlantSettings, CircuitSettings) {
    let buildings: Vec<String> = (1..=zone.buildings).map(|b| format!("b{b}")).collect();
    let rooms: Vec<String> =
        (1..=zone.buildings).flat_map(|b| (1..=zone.rooms_each).map(move |r| format!("b{b}-{r}01"))).collect();
    let loss = BuildingClass::Half.loss(DESIGN_OUTDOOR);
    let outline = Outline {
        name: zone.name,
        heated_area_m2: f64::from(zone.area_m2),
        emitter: zone.emitter,
        design: zone.design,
        building_loss: loss,
        buildings: &buildings,
        rooms: &rooms,
        circulation_pumps: 2,
        make_up_pumps: zone.make_up_pumps,
    };
    let plant = CircuitPlantSettings::typical(&outline, 1);
    let load = f64::from(zone.area_m2) * loss * (zone.design.room - DESIGN_OUTDOOR).0;
    let spread = (zone.design.supply - zone.design.return_).0;
    let flow = load / (WATER_HEAT_CAPACITY * spread * WATER_DENSITY);
    let exponent = match zone.emitter {
        Emitter::Radiator { exponent } => exponent,
        Emitter::Floor => 1.05,
    };
    let filled = plant.make_up.filled_to.0;
    let ordinary = CircuitSettings::ordinary(zone.name);
    let settings = CircuitSettings {
        heated_area: Area::from_square_meters(zone.area_m2),
        buildings: settings_of_buildings(zone, &buildings),
        rooms: (rooms.iter().enumerate())
            .map(|(number, name)| RoomSettings {
                name: name.clone(),
                minimum: Celsius(18.0),
                building: Some(BuildingIndex(number / zone.rooms_each)),
            })
            .collect(),
        curve: Curve::Emitter(EmitterCurve {
            design_supply: zone.design.supply,
            design_return: zone.design.return_,
            design_room: zone.design.room,
            design_outdoor: DESIGN_OUTDOOR,
            exponent,
        }),
        design_flow: Some(CubicMetersPerSecond(flow)),
        design_power: Watts(load),
        times: TimesSettings {
            // It takes part; whether anything is shed is for who asks.
            load_shed: LoadShedSettings { share_max: Ratio(0.3), ..LoadShedSettings::default() },
            ..TimesSettings::default()
        },
        supply: SupplySettings { max: zone.supply_max, emitter_max: zone.supply_max, ..ordinary.supply },
        supply_loop: supply_loop(zone, load),
        circulation: circulation(zone, flow),
        make_up: Some(make_up(zone, filled)),
        interlock: interlock(zone, filled),
        ..ordinary
    };
    (plant, settings)
}

/// The exchanger as the design figures have it, as the configuration derives it.
fn supply_loop(zone: &Zone, load: f64) -> SupplyLoopSettings {
    let design = zone.design;
    let primary = (design.primary_supply, design.primary_return);
    let exchanger = ExchangerSettings::designed_for(load, primary, (design.supply, design.return_));
    SupplyLoopSettings { exchanger: Some(exchanger), ..SupplyLoopSettings::default() }
}

fn settings_of_buildings(zone: &Zone, names: &[String]) -> Vec<BuildingSettings> {
    let each = Area::from_square_meters(zone.area_m2 / zone.buildings as u32);
    let valve = BuildingValve::Balanced;
    names
        .iter()
        .map(|name| BuildingSettings { name: name.clone(), heated_area: each, valve, offset: Kelvins(0.0) })
        .collect()
}

fn circulation(zone: &Zone, design_flow: f64) -> CirculationSettings {
    let mode = match zone.hold {
        None => CirculationMode::FixedSpeed { speed: Ratio(0.8) },
        Some(setpoint) => CirculationMode::DifferentialPressure {
            setpoint,
            gain_per_pascal: 2.0e-6,
            integral_time: Duration::from_secs(30),
        },
    };
    CirculationSettings {
        mode,
        flow_min: CubicMetersPerSecond(0.15 * design_flow),
        differential_pressure_min: Pascals(10_000.0),
        ..CirculationSettings::ordinary()
    }
}

fn make_up(zone: &Zone, filled: f64) -> MakeUpSettings {
    let volume = f64::from(zone.area_m2) * 1e-3;
    MakeUpSettings {
        pumps: zone.make_up_pumps,
        mode: zone.make_up,
        start: Pascals(filled - 20e3),
        setpoint: Pascals(filled),
        sleep_raise: Pascals(if zone.make_up == MakeUpMode::VariableSpeed { 10e3 } else { 0.0 }),
        assist_after: (zone.make_up_pumps > 1).then_some(Duration::from_secs(120)),
        relief_close: Pascals(filled + 40e3),
        relief_open: Pascals(filled + 60e3),
        run_max: Duration::from_secs(1800),
        volume_per_day_max: 30.0,
        blind_volume_per_hour_max: 0.01 * volume,
        leak: LeakSettings {
            volume,
            compliance: volume * 1.2e-8,
            per_day_max: Ratio(0.02),
            burst: CubicMetersPerSecond(0.04 * volume / 3600.0),
            on_burst: BurstPolicy::Alarm,
        },
        ..MakeUpSettings::ordinary()
    }
}

fn interlock(zone: &Zone, filled: f64) -> InterlockSettings {
    InterlockSettings {
        supply_trip: zone.supply_max + Kelvins(8.0),
        pressure_protect: Pascals(filled - 100e3),
        pressure_restart: Pascals(filled - 50e3),
        pressure_trip: Pascals(filled + 400e3),
        mains_stagger: Duration::from_secs(20),
        ..InterlockSettings::ordinary()
    }
}
