//! Steady states against the textbook: a house of equal flats, dark and still weather, no people, no losses on the way.
//!
//! Then heat is UA (room − outdoor), the emitter gives Qd (Δ/Δd)ⁿ, and the supply follows from the load q and the flow
//! ratio φ: Ts = Ti + Δd q^(1/n) + ½ (Tsd − Trd) q / φ.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{JANUARY, SECOND, pump, valve};
use heatstation_points::{Celsius, Kelvins, MetersPerSecond, Ratio};
use heatstation_simulator::{
    BuildingClass, CircuitPlantSettings, CircuitTruth, Circulation, DesignTemperatures, Emitter, InitialState, Outline,
    Plant, StationPlantSettings, Weather,
};

/// What a textbook assumes: everything as designed, nothing wasted, a network as steady as a rock.
fn ideal(design: DesignTemperatures, emitter: Emitter, flow_ratio: f64, outdoor: f64) -> StationPlantSettings {
    let outline = Outline {
        name: "ideal",
        heated_area_m2: 100_000.0,
        emitter,
        design,
        building_loss: BuildingClass::SixtyFive.loss(design.outdoor),
        buildings: &["b1".to_owned()],
        rooms: &[],
        circulation_pumps: 1,
        make_up_pumps: 0,
    };
    let mut circuit = CircuitPlantSettings::typical(&outline, 1);
    circuit.buildings[0].flats = 1;
    (circuit.oversize, circuit.emitter_oversize, circuit.flat_spread) = (1.0, 1.0, 0.0);
    (circuit.internal_gain, circuit.pipe_loss, circuit.exchanger_fouling) = (0.0, Ratio(0.0), Ratio(0.0));
    circuit.make_up.daily_leak = Ratio(0.0);
    circuit.circulation.flow_ratio = flow_ratio;
    (circuit.exchanger_oversize, circuit.valve.oversize) = (1.3, 1.5);
    let mut station = StationPlantSettings::of(vec![circuit]);
    station.primary.supply_mild = design.primary_supply;
    (station.primary.pressure_noise, station.primary.pressure_swing) = (Ratio(0.0), Ratio(0.0));
    station.primary.temperature_noise = Kelvins(0.0);
    station.primary.connection_loss = heatstation_points::Pascals(0.0);
    station.initial =
        InitialState { outdoor: Celsius(outdoor), room: Celsius(18.0), circulation: Circulation::Running };
    station
}

/// Dark, and as windy as the loss of the classes was reckoned for.
fn dark(outdoor: f64) -> Weather {
    Weather { wind: MetersPerSecond(2.5), ..Weather::still(Celsius(outdoor)) }
}

/// Holds this supply for eight days and says where the circuit has come to.
fn settled(mut plant: Plant, supply: f64, outdoor: f64) -> CircuitTruth {
    pump(&mut plant, 0, 1.0, 1.0);
    let mut position = plant.truth().circuits[0].valve_stem.0;
    for _ in 0..8 * 86_400 {
        let error = supply - plant.truth().circuits[0].supply.0;
        position = (position + 2e-5 * error).clamp(0.0, 1.0);
        valve(&mut plant, position + 0.003 * error);
        plant.step(SECOND, JANUARY, &dark(outdoor));
    }
    plant.truth().circuits[0].clone()
}

/// One line of the book: with this supply the rooms are at 18 °C and this comes back.
fn check(plant: &StationPlantSettings, outdoor: f64, book: (f64, f64)) {
    let flow = plant.circuits[0].design_flow() * plant.circuits[0].circulation.flow_ratio;
    let truth = settled(Plant::new(plant, 1), book.0, outdoor);
    let within = |found: f64, wanted: f64, what: &str| {
        assert!((found / wanted - 1.0).abs() < 0.01, "{what}: {found:.2} for {wanted} at {outdoor} °C and {book:?}");
    };
    within(truth.secondary_flow.0, flow, "flow");
    within(truth.supply.0, book.0, "supply");
    within(truth.return_.0, book.1, "return");
    within(truth.mean_room().0, 18.0, "room");
}

const RADIATOR: Emitter = Emitter::Radiator { exponent: 1.3 };

#[test]
fn radiators_of_75_to_50_degrees_follow_load_and_flow_ratio() {
    let design = DesignTemperatures::radiators(Celsius(-7.6));
    check(&ideal(design, RADIATOR, 1.0, 0.0), 0.0, (60.7, 43.1));
    check(&ideal(design, RADIATOR, 1.6, 0.0), 0.0, (57.4, 46.4));
    check(&ideal(design, RADIATOR, 0.75, 0.0), 0.0, (63.7, 40.2));
    check(&ideal(design, RADIATOR, 1.0, 5.0), 5.0, (50.8, 38.1));
    check(&ideal(design, RADIATOR, 1.0, -7.6), -7.6, (75.0, 50.0));
}

#[test]
fn so_do_they_in_harbin() {
    let design = DesignTemperatures::radiators(Celsius(-24.2));
    check(&ideal(design, RADIATOR, 1.0, -5.0), -5.0, (52.7, 39.1));
    check(&ideal(design, RADIATOR, 1.0, 0.0), 0.0, (46.4, 35.8));
}

#[test]
fn floors_of_45_to_35_degrees_follow_the_load() {
    let design = DesignTemperatures::floors(Celsius(-7.6));
    check(&ideal(design, Emitter::Floor, 1.0, 0.0), 0.0, (37.2, 30.2));
    check(&ideal(design, Emitter::Floor, 1.0, 5.0), 5.0, (32.1, 27.0));
}

#[test]
fn the_valve_passes_what_its_characteristic_and_authority_say() {
    let design = DesignTemperatures::radiators(Celsius(-7.6));
    let settings = ideal(design, RADIATOR, 1.0, 0.0);
    let open = |position: f64| {
        let mut plant = Plant::new(&settings, 1);
        valve(&mut plant, position);
        // Driven past its play from below, as the book's valve has none.
        for _ in 0..200 {
            plant.step(SECOND, JANUARY, &dark(0.0));
        }
        (plant.truth().circuits[0].primary_flow.0, plant.truth().circuits[0].valve_stem.0)
    };
    let valve = settings.circuits[0].valve;
    let (greatest, _) = open(1.0);
    let design_flow = settings.circuits[0].design_heat() / (4182.0 * 50.0);
    assert!((greatest / (design_flow * valve.oversize) - 1.0).abs() < 0.01, "{greatest}");
    for position in [0.1, 0.3, 0.5, 0.7, 0.9] {
        let (flow, stem) = open(position);
        let shape = valve.rangeability.powf(stem - 1.0);
        let book = greatest / (valve.authority / (shape * shape) + 1.0 - valve.authority).sqrt();
        assert!((flow / book - 1.0).abs() < 0.01, "{flow} for {book} at {stem}");
    }
}

#[test]
fn flow_goes_with_speed_and_head_with_its_square() {
    let design = DesignTemperatures::radiators(Celsius(-7.6));
    let settings = ideal(design, RADIATOR, 1.0, 0.0);
    let at = |speed: f64| {
        let mut plant = Plant::new(&settings, 1);
        pump(&mut plant, 0, 1.0, speed);
        for _ in 0..120 {
            plant.step(SECOND, JANUARY, &dark(0.0));
        }
        let truth = &plant.truth().circuits[0];
        (truth.secondary_flow.0, truth.pump_head.0)
    };
    let (flow, head) = at(1.0);
    assert!((flow / settings.circuits[0].design_flow() - 1.0).abs() < 0.01);
    // 6 m in the exchanger, 8 m on the way, 4 m in the house.
    assert!((head / (18.0 * 9.81 * heatstation_points::quantity::WATER_DENSITY) - 1.0).abs() < 0.01, "{head}");
    for speed in [0.9, 0.7, 0.5] {
        let (slow, low) = at(speed);
        assert!((slow / flow / speed - 1.0).abs() < 0.01 && (low / head / (speed * speed) - 1.0).abs() < 0.01);
    }
    // And power with its cube, as far as the water is concerned: at half speed an eighth.
    let (slow, low) = at(0.5);
    assert!((slow * low / (flow * head) / 0.125 - 1.0).abs() < 0.01);
}

#[test]
fn the_exchanger_of_four_megawatts_meets_its_temperatures_in_the_plant() {
    // 110/60 to 75/50 °C at −7.6 °C: whatever the valve has to do, at the design flow of both sides the plates bring the
    // design heat, with the area that the example has and not the test's own.
    let design = DesignTemperatures::radiators(Celsius(-7.6));
    let mut settings = ideal(design, RADIATOR, 1.0, -7.6);
    settings.circuits[0].exchanger_oversize = 1.0;
    let truth = settled(Plant::new(&settings, 1), 75.0, -7.6);
    let heat = settings.circuits[0].design_heat();
    assert!((truth.heat.0 / heat - 1.0).abs() < 0.015, "{} of {heat}", truth.heat.0);
    assert!((truth.primary_return.0 / 60.0 - 1.0).abs() < 0.01, "{}", truth.primary_return.0);
    let flow = heat / (4182.0 * 50.0);
    assert!((truth.primary_flow.0 / flow - 1.0).abs() < 0.015, "{} for {flow}", truth.primary_flow.0);
}
