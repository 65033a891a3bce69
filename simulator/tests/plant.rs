//! The plant as physics: balances, laws and orders of magnitude.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{C, Hold, JANUARY, SECOND, curve, input, make_up, plant, pump, valve, wait};
use heatstation_points::{Celsius, CircuitSignal, Point, PumpIndex, PumpSignal, StationSignal};
use heatstation_simulator::demonstration;
use heatstation_simulator::family::Member;
use heatstation_simulator::{
    BuildingClass, CircuitPlantSettings, Circulation, Climate, DesignTemperatures, Emitter, Fault, InitialState,
    Outline, Plant, PumpKind, PumpPlace, StationPlantSettings, StochasticWeather, Truth, Weather, WeatherSource,
};

const FIRST: PumpPlace = PumpPlace { circuit: C, kind: PumpKind::Circulation, pump: PumpIndex(0) };

#[test]
fn the_primary_meter_agrees_with_what_the_secondary_gets() {
    let mut plant = plant(-3.0);
    let position = plant.truth().circuits[0].valve_stem.0;
    valve(&mut plant, position);
    wait(&mut plant, 3600, -3.0);
    let truth = &plant.truth().circuits[0];
    let primary = truth.primary_flow.0 * 4182.0 * (plant.truth().primary_supply - truth.primary_return).0;
    let secondary = truth.secondary_flow.0 * 4182.0 * (truth.supply - truth.return_).0;
    assert!((primary / secondary - 1.0).abs() < 0.02, "{primary} {secondary}");
    let metered = input(&plant, CircuitSignal::HeatPower);
    assert!((metered / primary - 1.0).abs() < 0.04, "{metered} {primary}");
}

#[test]
fn a_right_sized_valve_moves_the_supply_by_a_few_tenths_of_a_kelvin_per_percent() {
    for outdoor in [-7.0, -2.0, 4.0] {
        let mut plant = plant(outdoor);
        let mut hold = Hold::new(&plant);
        for _ in 0..5400 {
            hold.supply(&mut plant, curve(outdoor));
            wait(&mut plant, 1, outdoor);
        }
        let position = plant.truth().circuits[0].valve_stem.0;
        let settled = |position: f64| {
            let mut plant = plant.clone();
            valve(&mut plant, position);
            // Long against valve and exchanger, short against the return's 20 minutes; the noise of pressure averages.
            let mut sum = 0.0;
            for second in 0..420 {
                wait(&mut plant, 1, outdoor);
                sum += if second >= 120 { plant.truth().circuits[0].supply.0 } else { 0.0 };
            }
            sum / 300.0
        };
        let gain = (settled(position + 0.04) - settled(position - 0.04)) / 8.0;
        assert!((0.08..0.45).contains(&gain), "{gain:.3} K/% at {outdoor} °C and {position:.2}");
    }
}

#[test]
fn a_warmer_loop_presses_and_a_leaking_one_sinks() {
    let mut warm = plant(0.0);
    let start = warm.truth().circuits[0].holding_pressure.0;
    valve(&mut warm, 0.9);
    wait(&mut warm, 1200, 0.0);
    let pressed = warm.truth().circuits[0].holding_pressure.0;
    assert!(pressed > start + 20_000.0, "{start} {pressed}");

    let mut leaking = plant(0.0);
    let position = leaking.truth().circuits[0].valve_stem.0;
    valve(&mut leaking, position);
    leaking.inject(Fault::Leak(C, 5.0 / 3600.0));
    wait(&mut leaking, 120, 0.0);
    let sunk = leaking.truth().circuits[0].holding_pressure.0;
    assert!(sunk < start - 50_000.0, "{start} {sunk}");
    make_up(&mut leaking, 1.0);
    wait(&mut leaking, 300, 0.0);
    assert!(leaking.truth().circuits[0].make_up_volume.0 > 0.1);
    leaking.clear(&Fault::Leak(C, 0.0));
    wait(&mut leaking, 300, 0.0);
    assert!(leaking.truth().circuits[0].holding_pressure.0 > start);
}

#[test]
fn without_circulation_an_open_valve_overheats_the_exchanger_and_the_thermostat_says_so() {
    let mut plant = plant(-5.0);
    valve(&mut plant, 0.6);
    pump(&mut plant, 0, 0.0, 0.0);
    wait(&mut plant, 60, -5.0);
    assert_eq!(input(&plant, CircuitSignal::FlowSwitch), 0.0);
    wait(&mut plant, 1800, -5.0);
    assert!(input(&plant, CircuitSignal::SupplyTemperature) > 87.0);
    assert_eq!(input(&plant, CircuitSignal::OverTemperatureSwitch), 1.0);
}

#[test]
fn a_tripped_pump_gives_no_water_and_its_spare_takes_over() {
    let mut plant = plant(0.0);
    pump(&mut plant, 0, 1.0, 0.9);
    wait(&mut plant, 5, 0.0);
    let healthy = plant.truth().circuits[0].secondary_flow.0;
    plant.inject(Fault::PumpTrip(FIRST));
    wait(&mut plant, 60, 0.0);
    let say = |plant: &Plant, p, signal| plant.sample(Point::CirculationPump(C, PumpIndex(p), signal)).unwrap();
    assert_eq!(say(&plant, 0, PumpSignal::Running), 0.0);
    assert_eq!(say(&plant, 0, PumpSignal::Fault), 1.0);
    assert!(say(&plant, 0, PumpSignal::FaultCode) > 0.0);
    assert!(plant.truth().circuits[0].secondary_flow.0 < 0.01 * healthy);

    pump(&mut plant, 1, 1.0, 0.9);
    wait(&mut plant, 90, 0.0);
    assert_eq!(say(&plant, 1, PumpSignal::Running), 1.0);
    assert!((plant.truth().circuits[0].secondary_flow.0 / healthy - 1.0).abs() < 0.01);
    plant.clear(&Fault::PumpTrip(FIRST));
    wait(&mut plant, 5, 0.0);
    assert_eq!(say(&plant, 0, PumpSignal::Fault), 0.0);
}

#[test]
fn a_cold_primary_cools_the_supply_and_a_mains_failure_stops_everything() {
    let mut cold = plant(0.0);
    valve(&mut cold, 0.8);
    cold.inject(Fault::PrimaryCold(Celsius(35.0)));
    wait(&mut cold, 3 * 3600, 0.0);
    assert!(cold.truth().circuits[0].supply.0 < 40.0);

    let mut dark = plant(0.0);
    pump(&mut dark, 0, 1.0, 0.9);
    dark.inject(Fault::MainsFailure);
    wait(&mut dark, 60, 0.0);
    assert_eq!(dark.truth().electric_power.0, 0.0);
    assert_eq!(dark.sample(Point::Station(StationSignal::MainsHealthy)), Some(0.0));
    assert!(dark.truth().circuits[0].secondary_flow.0 < 0.1);
    let stem = dark.truth().circuits[0].valve_stem;
    valve(&mut dark, 0.0);
    wait(&mut dark, 60, 0.0);
    assert_eq!(dark.truth().circuits[0].valve_stem, stem, "a motor valve without power stands still");
}

#[test]
fn sensors_fail_the_way_they_are_told_and_recover() {
    let mut plant = plant(0.0);
    let point = Point::Circuit(C, CircuitSignal::SupplyTemperature);
    let shown = plant.sample(point).unwrap();
    plant.inject(Fault::SensorStuck(point));
    valve(&mut plant, 1.0);
    wait(&mut plant, 600, 0.0);
    assert_eq!(plant.sample(point), Some(shown));
    plant.clear(&Fault::SensorStuck(point));
    let moved = plant.sample(point).unwrap();
    assert!(moved > shown + 5.0);
    plant.inject(Fault::SensorBias(point, -4.0));
    assert!((plant.sample(point).unwrap() - (moved - 4.0)).abs() < 1e-9);
    plant.inject(Fault::SensorLost(point));
    assert_eq!(plant.sample(point), None);
    plant.clear(&Fault::SensorLost(point));
    plant.clear(&Fault::SensorBias(point, 0.0));
    assert_eq!(plant.sample(point), Some(moved));
    assert!(plant.faults().is_empty());
}

#[test]
fn closing_flats_takes_heat_from_them_and_their_neighbours_feel_it() {
    let mut plant = plant(-5.0);
    let mut hold = Hold::new(&plant);
    plant.inject(Fault::FlatsClosed(C, heatstation_points::Ratio(0.25)));
    for _ in 0..2 * 86_400 {
        hold.supply(&mut plant, curve(-5.0));
        wait(&mut plant, 1, -5.0);
    }
    let flats = &plant.truth().circuits[0].flats;
    let mean = |shut: bool| {
        let those: Vec<f64> = flats.iter().filter(|f| f.shut == shut).map(|f| f.temperature.0).collect();
        (those.iter().sum::<f64>() / those.len() as f64, those.len())
    };
    let ((cold, closed), (warm, _)) = (mean(true), mean(false));
    assert_eq!(closed, 12);
    assert!(cold < warm - 3.0, "{cold} {warm}");
}

fn run(seed: u64, asking: usize) -> (Truth, Vec<Option<f64>>) {
    let mut plant = Plant::new(&demonstration(Celsius(0.0), 1), seed);
    let mut weather = StochasticWeather::new(5, Climate::SHANDONG);
    let points: Vec<Point> =
        demonstration(Celsius(0.0), 1).catalogue().unwrap().definitions().iter().map(|d| d.point).collect();
    let mut hold = Hold::new(&plant);
    for second in 1..=6 * 3600 {
        hold.supply(&mut plant, 50.0);
        if second == 3600 {
            plant.inject(Fault::PumpTrip(FIRST));
        }
        if second == 4000 {
            plant.clear(&Fault::PumpTrip(FIRST));
        }
        // Looking must change nothing.
        if asking > 0 && second % asking as i64 == 0 {
            assert!(points.iter().any(|&point| plant.sample(point).is_some()));
        }
        plant.step(SECOND, JANUARY + second, &weather.at(JANUARY + second));
    }
    (plant.truth().clone(), points.iter().map(|&point| plant.sample(point)).collect())
}

#[test]
fn the_same_seed_gives_the_same_plant_bit_for_bit_however_often_it_is_asked() {
    let (first, second) = (run(7, 0), run(7, 13));
    assert_eq!(first.0, second.0);
    assert_eq!(first.1, second.1);
    assert_ne!(first.0, run(8, 0).0);
}

#[test]
fn every_point_is_measured_but_the_forecast_and_what_lies_before_lock_valves_and_stays_in_its_range() {
    let settings = demonstration(Celsius(0.0), 1);
    let catalogue = settings.catalogue().unwrap();
    let mut plant = Plant::new(&settings, 1);
    let mut hold = Hold::new(&plant);
    for _ in 0..1200 {
        hold.supply(&mut plant, 50.0);
        wait(&mut plant, 1, 0.0);
    }
    let silent: Vec<&str> = (catalogue.definitions().iter())
        .filter(|d| match plant.sample(d.point) {
            None => true,
            Some(value) => {
                assert!(d.accept(value).is_ok(), "{} reads {value} {}", d.name, d.unit);
                false
            }
        })
        .map(|d| d.name.as_str())
        // These houses have no lock valves for their users.
        .filter(|name| !name.ends_with("return_temperature_before_lock"))
        .collect();
    assert_eq!(silent, ["outdoor.forecast"]);
}

#[test]
fn two_circuits_share_the_primary_and_each_has_its_own_rooms() {
    let names = |prefix: &str, n: usize| (1..=n).map(|i| format!("{prefix}{i}")).collect::<Vec<_>>();
    let circuit = |name, emitter, design| {
        CircuitPlantSettings::typical(
            &Outline {
                name,
                heated_area_m2: 40_000.0,
                emitter,
                design,
                building_loss: BuildingClass::SixtyFive.loss(Celsius(-9.0)),
                buildings: &names("b", 3),
                rooms: &names("r", 5),
                circulation_pumps: 2,
                make_up_pumps: 1,
            },
            1,
        )
    };
    let low = circuit("low", Emitter::Radiator { exponent: 1.3 }, DesignTemperatures::radiators(Celsius(-9.0)));
    let high = circuit("high", Emitter::Floor, DesignTemperatures::floors(Celsius(-9.0)));
    let mut settings = StationPlantSettings::of(vec![low, high]);
    settings.initial = InitialState { outdoor: Celsius(-3.0), room: Celsius(20.0), circulation: Circulation::Running };
    let mut plant = Plant::new(&settings, 1);
    for _ in 0..3600 {
        plant.step(SECOND, JANUARY, &Weather::still(Celsius(-3.0)));
    }
    let truth = plant.truth();
    assert!(truth.circuits[0].supply.0 > truth.circuits[1].supply.0 + 8.0, "radiators are hotter than floors");
    for circuit in &truth.circuits {
        assert!((18.0..22.0).contains(&circuit.mean_room().0), "{:?}", circuit.mean_room());
        assert!(circuit.heat.0 > 300_000.0, "{:?}", circuit.heat);
    }
    let sum: f64 = truth.circuits.iter().map(|c| c.primary_flow.0).sum();
    assert!((truth.primary_flow.0 - sum).abs() < 1e-9);
    // The high zone opens wide: the low zone has less pressure to work with.
    let before = plant.truth().primary_differential_pressure.0;
    plant.command(
        Point::CircuitOutput(heatstation_points::CircuitIndex(1), heatstation_points::CircuitOutput::ValvePosition),
        1.0,
    );
    wait(&mut plant, 180, -3.0);
    assert!(plant.truth().primary_differential_pressure.0 < before - 3000.0);
}

const DAYS: i64 = 30;

/// Mean and deviation.
fn statistics(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt())
}

#[test]
fn flats_differ_among_each_other_and_from_hour_to_hour_as_in_measured_stocks() {
    // Beijing, radiators, half of the old loss: 240 flats over the last 45 days of a season.
    let member = Member::all(1).into_iter().find(|member| member.name() == "beijing-radiator-half").unwrap();
    let begin = JANUARY + 19 * 86_400;
    let mut weather = StochasticWeather::new(2, member.weather_climate());
    let settings = member.plant(weather.at(begin).outdoor);
    let mut plant = Plant::new(&settings, member.seed);
    let mut hold = Hold::new(&plant);
    let mut smooth = weather.at(begin).outdoor.0;
    let mut history: Vec<Vec<f64>> = vec![Vec::new(); plant.truth().circuits[0].flats.len()];
    for second in 1..=45 * 86_400 {
        let weather = weather.at(begin + second);
        smooth += (weather.outdoor.0 - smooth) / 7200.0;
        let load = ((16.0 - smooth) / 25.6 / settings.circuits[0].emitter_oversize).max(0.05);
        hold.supply(&mut plant, 20.0 + 44.5 * load.powf(1.0 / 1.3) + 8.0 * load);
        plant.step(SECOND, begin + second, &weather);
        if second % 3600 == 0 {
            let flats = plant.truth().circuits[0].flats.iter().zip(&mut history);
            flats.filter(|(flat, _)| !flat.shut).for_each(|(flat, history)| history.push(flat.temperature.0));
        }
    }
    history.retain(|flat| !flat.is_empty());
    let means: Vec<f64> = history.iter().map(|flat| statistics(flat).0).collect();
    let (mean, spread) = statistics(&means);
    let within = history.iter().map(|flat| statistics(flat).1).sum::<f64>() / history.len() as f64;
    let (low, high) = means.iter().fold((f64::MAX, f64::MIN), |(low, high), &mean| (low.min(mean), high.max(mean)));
    assert!((19.0..22.0).contains(&mean), "{mean:.2}");
    assert!((1.0..1.6).contains(&spread), "flats' means differ by {spread:.2} K");
    assert!((5.0..9.0).contains(&(high - low)), "from {low:.1} to {high:.1} °C");
    assert!((0.5..0.8).contains(&within), "a flat varies by {within:.2} K from hour to hour");
}

#[test]
fn a_month_of_winter_has_the_heat_and_the_spread_of_rooms_that_such_houses_have() {
    let settings = demonstration(Celsius(-1.0), 1);
    let mut plant = Plant::new(&settings, 2);
    let mut hold = Hold::new(&plant);
    let mut weather = StochasticWeather::new(2, Climate::SHANDONG);
    let mut smooth = -1.0;
    let mut history: Vec<Vec<f64>> = vec![Vec::new(); plant.truth().circuits[0].flats.len()];
    let mut outdoor_sum = 0.0;
    for second in 1..=DAYS * 86_400 {
        let now = JANUARY - 15 * 86_400 + second;
        let weather = weather.at(now);
        smooth += (weather.outdoor.0 - smooth) / 3600.0;
        outdoor_sum += weather.outdoor.0;
        hold.supply(&mut plant, curve(smooth));
        plant.step(SECOND, now, &weather);
        if second % 3600 == 0 {
            for (flat, history) in plant.truth().circuits[0].flats.iter().zip(&mut history) {
                history.push(flat.temperature.0);
            }
        }
    }
    let means: Vec<f64> = history.iter().map(|h| statistics(h).0).collect();
    let (mean, spread) = statistics(&means);
    let within = history.iter().map(|h| statistics(h).1).sum::<f64>() / history.len() as f64;
    let outdoor = outdoor_sum / (DAYS * 86_400) as f64;
    let heat = plant.truth().circuits[0].heat_energy.0 / 86_000.0 / (DAYS * 86_400) as f64;

    // A class of 1.36 W/(m² K) less some 7 W/m² of people and sun, with pipes on top.
    let expected = 1.05 * (settings.circuits[0].building_loss * (mean - outdoor) - 7.0);
    assert!((heat / expected - 1.0).abs() < 0.25, "{heat:.1} W/m² at {outdoor:.1} °C, {expected:.1} by the class");
    assert!((19.0..23.5).contains(&mean), "{mean}");
    assert!((0.9..1.7).contains(&spread), "flats' means differ by {spread:.2} K");
    assert!((0.35..0.9).contains(&within), "a flat varies by {within:.2} K");
    let truth = &plant.truth().circuits[0];
    assert!((0.02..0.08).contains(&(truth.pipe_loss_energy.0 / truth.heat_energy.0)));
}

/// Small numbers from a counter: a test that needs no generator of its own.
fn scrambled(counter: u64) -> u64 {
    let x = counter.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 20
}

#[test]
fn whatever_is_commanded_and_broken_every_instrument_stays_in_its_range() {
    let settings = demonstration(Celsius(-5.0), 1);
    let catalogue = settings.catalogue().unwrap();
    let outputs: Vec<Point> = (catalogue.definitions().iter())
        .filter(|d| d.direction == heatstation_points::Direction::Output)
        .map(|d| d.point)
        .collect();
    let faults = [
        Fault::MainsFailure,
        Fault::PumpTrip(FIRST),
        Fault::PumpDead(FIRST),
        Fault::PrimaryCold(Celsius(20.0)),
        Fault::PrimaryPressureLost(heatstation_points::Ratio(0.0)),
        Fault::ValveStuck(C),
        Fault::ValveStiction(C, heatstation_points::Ratio(0.05)),
        Fault::Leak(C, 50.0 / 3600.0),
        Fault::ReliefStuckOpen(C),
        Fault::ExchangerFouled(C, heatstation_points::Ratio(0.5)),
        Fault::FlatsClosed(C, heatstation_points::Ratio(1.0)),
        Fault::EmergencyStop,
        Fault::LocalSelected,
    ];
    for seed in 0..4_u64 {
        let mut plant = Plant::new(&settings, seed);
        let mut weather = StochasticWeather::new(seed, Climate::HARBIN);
        for round in 0..400_u64 {
            let draw = |n: u64| scrambled(seed * 1_000_000 + round * 100 + n) as usize;
            for n in 0..5 {
                // Full, nothing, something between, and what no wire should carry.
                let value = [0.0, 1.0, draw(n) as f64 % 997.0 / 997.0, 5.0, -3.0, f64::NAN][draw(n + 10) % 6];
                plant.command(outputs[draw(n + 20) % outputs.len()], value);
            }
            let fault = faults[draw(31) % faults.len()];
            if draw(32).is_multiple_of(3) {
                plant.inject(fault);
            } else {
                plant.clear(&fault);
            }
            for second in 1..=300 {
                let now = JANUARY + round as i64 * 300 + second;
                plant.step(SECOND, now, &weather.at(now));
            }
            for definition in catalogue.definitions() {
                let Some(value) = plant.sample(definition.point) else { continue };
                assert!(
                    definition.accept(value).is_ok(),
                    "seed {seed}, round {round}: {} reads {value} {} under {:?}",
                    definition.name,
                    definition.unit,
                    plant.faults()
                );
            }
        }
    }
}

#[test]
fn a_valve_that_is_far_too_large_takes_its_pressure_and_keeps_it() {
    let mut settings = demonstration(Celsius(0.0), 1);
    settings.circuits[0].valve.oversize = 4.0;
    settings.circuits[0].valve.authority = 0.1;
    settings.primary.connection_loss = settings.primary.differential_pressure * 0.25;
    let mut plant = Plant::new(&settings, 1);
    valve(&mut plant, 1.0);
    let mut flows = Vec::new();
    for second in 1..=300 {
        plant.step(SECOND, JANUARY + second, &Weather::still(Celsius(0.0)));
        flows.push(plant.truth().primary_flow.0);
    }
    // The stem has arrived; what is left is the noise of the network, not a second with all and a second with nothing.
    let late = &flows[200..];
    let largest_jump = late.windows(2).map(|pair| (pair[1] - pair[0]).abs() / pair[0]).fold(0.0, f64::max);
    assert!(late[0] > 20.0 && largest_jump < 0.02, "{largest_jump} of {} kg/s", late[0]);
}
