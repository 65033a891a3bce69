//! How instruments fail, and what else breaks: each as it is told, and mended without a trace.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::collections::HashSet;

use common::{C, Hold, JANUARY, SECOND, input, make_up, plant, pump, valve, wait};
use heatstation_points::{
    BuildingIndex, BuildingOutput, Celsius, CircuitOutput, CircuitSignal, Kelvins, Point, PumpIndex, PumpSignal, Ratio,
    RoomIndex, RoomSignal, Seconds, StationSignal,
};
use heatstation_simulator::demonstration;
use heatstation_simulator::{
    Climate, Fault, HotWaterSettings, HotWaterStages, Plant, PumpKind, PumpPlace, SensorFailure, StochasticWeather,
    Weather, WeatherSource,
};

const SUPPLY: Point = Point::Circuit(C, CircuitSignal::SupplyTemperature);
const RETURN: Point = Point::Circuit(C, CircuitSignal::ReturnTemperature);
const FIRST: PumpPlace = PumpPlace { circuit: C, kind: PumpKind::Circulation, pump: PumpIndex(0) };

/// A plant under way, its readings second by second with and without a fault, while the valve swings.
fn beside(fault: Fault, point: Point, seconds: i64) -> Vec<(Option<f64>, f64)> {
    let (mut sick, mut well) = (plant(0.0), plant(0.0));
    for plant in [&mut sick, &mut well] {
        pump(plant, 0, 1.0, 0.9);
        wait(plant, 300, 0.0);
    }
    sick.inject(fault);
    (0..seconds)
        .map(|second| {
            let position = if second % 600 < 300 { 0.8 } else { 0.2 };
            for plant in [&mut sick, &mut well] {
                valve(plant, position);
                wait(plant, 1, 0.0);
            }
            assert_eq!(sick.truth(), well.truth(), "a sick instrument touches nothing but what it shows");
            (sick.sample(point), well.sample(point).unwrap())
        })
        .collect()
}

#[test]
fn there_are_ten_ways_in_which_an_instrument_fails() {
    let faults = [
        Fault::SensorLost(SUPPLY),
        Fault::SensorStuck(SUPPLY),
        Fault::SensorGarbage(SUPPLY),
        Fault::SensorBias(SUPPLY, 3.0),
        Fault::SensorSlow(SUPPLY, Seconds(300.0)),
        Fault::SensorDelayed(SUPPLY, Seconds(120.0)),
        Fault::SensorIntermittent(SUPPLY, Ratio(0.3)),
        Fault::SensorDrift(SUPPLY, 1.0),
        Fault::SensorSpike(SUPPLY, 30.0),
        Fault::SensorSwapped(SUPPLY, RETURN),
    ];
    let kinds: HashSet<SensorFailure> = faults.iter().filter_map(Fault::sensor_failure).collect();
    assert_eq!(kinds.len(), SensorFailure::ALL.len());
    assert!(faults.iter().all(|fault| fault.lying()[0] == Some(SUPPLY)));
    assert_eq!(Fault::SensorShows(SUPPLY, 1.0).sensor_failure(), Some(SensorFailure::Wrong));
    assert_eq!(Fault::MainsFailure.sensor_failure(), None);
}

#[test]
fn a_lost_one_gives_nothing_and_a_stuck_one_the_same_for_ever() {
    assert!(beside(Fault::SensorLost(SUPPLY), SUPPLY, 60).iter().all(|(shown, _)| shown.is_none()));
    let stuck = beside(Fault::SensorStuck(SUPPLY), SUPPLY, 900);
    assert!(stuck.iter().all(|(shown, _)| *shown == stuck[0].0));
    assert!(stuck.iter().any(|(shown, truth)| (shown.unwrap() - truth).abs() > 3.0));
}

#[test]
fn garbage_is_different_each_second_and_much_of_it_no_temperature_at_all() {
    let garbage = beside(Fault::SensorGarbage(SUPPLY), SUPPLY, 600);
    let values: Vec<f64> = garbage.iter().filter_map(|(shown, _)| *shown).collect();
    assert_eq!(values.len(), 600);
    assert!(values.iter().any(|value| value.is_nan()));
    assert!(values.iter().filter(|value| !(-50.0..150.0).contains(*value)).count() > 300);
    assert!(values.windows(2).filter(|pair| pair[0] == pair[1]).count() < 60);
}

#[test]
fn a_wrong_one_is_off_by_what_it_is_told() {
    for (shown, truth) in beside(Fault::SensorBias(SUPPLY, -4.0), SUPPLY, 300) {
        assert!((shown.unwrap() - (truth - 4.0)).abs() < 1e-9);
    }
    assert!(beside(Fault::SensorShows(SUPPLY, 20.0), SUPPLY, 30).iter().all(|(shown, _)| *shown == Some(20.0)));
}

#[test]
fn a_slow_one_swings_less_and_a_delayed_one_as_much_but_later() {
    let swing = |values: &[f64]| {
        let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(l, h), &v| (l.min(v), h.max(v)));
        high - low
    };
    let slow = beside(Fault::SensorSlow(SUPPLY, Seconds(600.0)), SUPPLY, 3600);
    let (shown, truth): (Vec<f64>, Vec<f64>) =
        slow[1800..].iter().map(|(shown, truth)| (shown.unwrap(), *truth)).unzip();
    assert!(swing(&shown) < 0.6 * swing(&truth), "{} of {}", swing(&shown), swing(&truth));

    let delayed = beside(Fault::SensorDelayed(SUPPLY, Seconds(120.0)), SUPPLY, 1800);
    for second in 130..1800 {
        assert_eq!(delayed[second].0.unwrap(), delayed[second - 120].1, "at {second} s");
    }
}

#[test]
fn an_intermittent_one_comes_and_goes_in_its_share() {
    let shown = beside(Fault::SensorIntermittent(SUPPLY, Ratio(0.3)), SUPPLY, 6000);
    let gone = shown.iter().filter(|(shown, _)| shown.is_none()).count() as f64 / 6000.0;
    assert!((0.2..0.4).contains(&gone), "{gone}");
    assert!(shown.iter().all(|(shown, truth)| shown.is_none_or(|shown| shown == *truth)));
}

#[test]
fn a_drifting_one_goes_wrong_by_the_day() {
    let shown = beside(Fault::SensorDrift(SUPPLY, 24.0), SUPPLY, 7200);
    for (second, (shown, truth)) in shown.into_iter().enumerate() {
        let hours = (second + 1) as f64 / 3600.0;
        assert!((shown.unwrap() - truth - hours).abs() < 1e-9);
    }
}

#[test]
fn spikes_last_a_second_and_come_about_once_a_minute() {
    let shown = beside(Fault::SensorSpike(SUPPLY, 40.0), SUPPLY, 6000);
    let off: Vec<f64> = shown.iter().map(|(shown, truth)| shown.unwrap() - truth).collect();
    let spikes = off.iter().filter(|off| off.abs() > 39.0).count();
    assert!((60..150).contains(&spikes), "{spikes}");
    assert!(off.iter().all(|off| off.abs() < 1e-9 || (off.abs() - 40.0).abs() < 1e-9));
    assert!(off.iter().any(|off| *off > 39.0) && off.iter().any(|off| *off < -39.0));
}

#[test]
fn swapped_wires_show_each_the_other_until_they_are_put_right() {
    let mut plant = plant(-5.0);
    let (supply, back) = (plant.sample(SUPPLY).unwrap(), plant.sample(RETURN).unwrap());
    plant.inject(Fault::SensorSwapped(SUPPLY, RETURN));
    assert_eq!((plant.sample(SUPPLY).unwrap(), plant.sample(RETURN).unwrap()), (back, supply));
    plant.clear(&Fault::SensorSwapped(SUPPLY, RETURN));
    assert_eq!((plant.sample(SUPPLY).unwrap(), plant.sample(RETURN).unwrap()), (supply, back));
}

#[test]
fn looking_at_a_sick_instrument_makes_it_no_sicker() {
    let run = |ask: bool| {
        let mut plant = plant(0.0);
        plant.inject(Fault::SensorSlow(SUPPLY, Seconds(60.0)));
        plant.inject(Fault::SensorDelayed(RETURN, Seconds(30.0)));
        plant.inject(Fault::SensorGarbage(Point::Station(StationSignal::OutdoorTemperature)));
        for _ in 0..600 {
            wait(&mut plant, 1, 0.0);
            if ask {
                for point in [SUPPLY, RETURN] {
                    assert!(plant.sample(point).is_some());
                }
            }
        }
        (plant.sample(SUPPLY), plant.sample(RETURN))
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn room_sensors_die_with_their_battery_and_may_send_old_news() {
    let mut settings = demonstration(Celsius(0.0), 1);
    // Half an hour of a battery, of five seasons.
    settings.circuits[0].rooms[0].battery = Some(Ratio(1800.0 / (5.0 * 121.0 * 86_400.0)));
    settings.circuits[0].rooms[1].late = Ratio(1.0);
    settings.circuits[0].rooms[2].drift = Kelvins(100.0);
    for room in &mut settings.circuits[0].rooms {
        room.loss = Ratio(0.0);
    }
    let mut plant = Plant::new(&settings, 1);
    let room = |r: usize| Point::Room(C, RoomIndex(r), RoomSignal::Temperature);
    wait(&mut plant, 1000, 0.0);
    assert!(plant.sample(room(0)).is_some());
    let before = plant.sample(room(2)).unwrap();
    wait(&mut plant, 4 * 3600, 0.0);
    assert_eq!(plant.sample(room(0)), None);
    // 100 K in 121 days are 0.14 K in four hours.
    assert!(plant.sample(room(2)).unwrap() > before - 1.0);
    // The flat warms by a degree an hour while what is late tells of a quarter of an hour ago.
    let flat = settings.circuits[0].rooms[1].flat + settings.circuits[0].rooms[1].building * 8;
    pump(&mut plant, 0, 0.0, 0.0);
    let mut behind = 0;
    for _ in 0..24 {
        let earlier = plant.truth().circuits[0].flats[flat].temperature.0 + settings.circuits[0].rooms[1].offset.0;
        wait(&mut plant, 900, -20.0);
        let now = plant.truth().circuits[0].flats[flat].temperature.0 + settings.circuits[0].rooms[1].offset.0;
        let shown = plant.sample(room(1)).unwrap();
        behind += usize::from((shown - earlier).abs() < (shown - now).abs());
    }
    assert!(behind > 12, "{behind} of 24 reports are old");
}

#[test]
fn a_pump_with_a_broken_coupling_says_that_it_runs() {
    let mut plant = plant(0.0);
    pump(&mut plant, 0, 1.0, 0.9);
    plant.inject(Fault::PumpWithoutFlow(FIRST));
    wait(&mut plant, 60, 0.0);
    assert_eq!(plant.sample(Point::CirculationPump(C, PumpIndex(0), PumpSignal::Running)), Some(1.0));
    assert_eq!(input(&plant, CircuitSignal::FlowSwitch), 0.0);
    plant.clear(&Fault::PumpWithoutFlow(FIRST));
    wait(&mut plant, 60, 0.0);
    assert_eq!(input(&plant, CircuitSignal::FlowSwitch), 1.0);
}

#[test]
fn a_capped_drive_stays_slow_and_a_clogged_strainer_takes_flow() {
    let mut plant = plant(0.0);
    pump(&mut plant, 0, 1.0, 0.9);
    wait(&mut plant, 60, 0.0);
    let full = plant.truth().circuits[0].secondary_flow.0;
    plant.inject(Fault::PumpCapped(FIRST, Ratio(0.6)));
    wait(&mut plant, 60, 0.0);
    let capped = plant.truth().circuits[0].secondary_flow.0;
    assert!((capped / full - 0.6 / 0.9).abs() < 0.01, "{capped} of {full}");
    plant.clear(&Fault::PumpCapped(FIRST, Ratio(0.0)));
    plant.inject(Fault::StrainerClogged(C, Ratio(2.0)));
    wait(&mut plant, 60, 0.0);
    let clogged = plant.truth().circuits[0].secondary_flow.0;
    assert!((0.6..0.95).contains(&(clogged / full)), "{clogged} of {full}");
}

#[test]
fn a_leaking_valve_heats_when_shut_and_a_limiter_lets_no_more_through() {
    let mut plant = plant(0.0);
    pump(&mut plant, 0, 1.0, 0.9);
    valve(&mut plant, 0.0);
    wait(&mut plant, 200, 0.0);
    let tight = plant.truth().circuits[0].primary_flow.0;
    plant.inject(Fault::ValveLeaks(C, Ratio(0.05)));
    wait(&mut plant, 10, 0.0);
    assert!(plant.truth().circuits[0].primary_flow.0 > 20.0 * tight);
    plant.clear(&Fault::ValveLeaks(C, Ratio(0.0)));

    valve(&mut plant, 1.0);
    wait(&mut plant, 200, 0.0);
    let open = plant.truth().primary_flow.0;
    plant.inject(Fault::PrimaryFlowLimited(Ratio(0.4)));
    wait(&mut plant, 30, 0.0);
    let settings = &demonstration(Celsius(0.0), 1).circuits[0];
    let design = settings.design_heat() / (4182.0 * 50.0);
    let limited = plant.truth().primary_flow.0;
    assert!(open > 0.9 * design && (limited / (0.4 * design) - 1.0).abs() < 0.01, "{open} {limited} of {design}");
}

#[test]
fn a_jammed_building_valve_stands_and_without_tap_water_the_tank_runs_low() {
    let mut plant = plant(0.0);
    let output = Point::BuildingOutput(C, BuildingIndex(2), BuildingOutput::ValvePosition);
    plant.inject(Fault::BuildingValveStuck(C, BuildingIndex(2)));
    plant.command(output, 0.1);
    wait(&mut plant, 200, 0.0);
    let position = Point::Building(C, BuildingIndex(2), heatstation_points::BuildingSignal::ValvePositionFeedback);
    assert_eq!(plant.sample(position), Some(1.0));

    plant.inject(Fault::TapWaterLost(C));
    plant.inject(Fault::Leak(C, 20.0 / 3600.0));
    plant.command(Point::CircuitOutput(C, CircuitOutput::TankInletOpen), 1.0);
    make_up(&mut plant, 1.0);
    let level = plant.truth().circuits[0].tank_level.0;
    wait(&mut plant, 1800, 0.0);
    assert!(plant.truth().circuits[0].tank_level.0 < level - 0.2);
    assert_eq!(plant.truth().circuits[0].tap_volume.0, 0.0);
}

#[test]
fn the_source_sends_no_warmer_water_than_it_can() {
    let mut settings = demonstration(Celsius(-9.0), 1);
    settings.primary.supply_limit = Celsius(95.0);
    let mut plant = Plant::new(&settings, 1);
    wait(&mut plant, 3600, -9.0);
    assert!((90.0..98.0).contains(&plant.truth().primary_supply.0), "{:?}", plant.truth().primary_supply);
}

#[test]
fn a_meter_on_battery_tells_every_half_hour_and_counts_nothing_below_its_range() {
    let mut settings = demonstration(Celsius(0.0), 1);
    settings.instruments.meter_telegram = Seconds(1800.0);
    let mut plant = Plant::new(&settings, 1);
    let mut told = HashSet::new();
    let mut hold = Hold::new(&plant);
    for second in 0..2 * 3600 {
        hold.supply(&mut plant, 50.0 + f64::from(second) / 1000.0);
        wait(&mut plant, 1, 0.0);
        told.insert(input(&plant, CircuitSignal::HeatEnergy).to_bits());
    }
    assert_eq!(told.len(), 5, "a telegram at once and one every half hour");
    valve(&mut plant, 0.02);
    wait(&mut plant, 3600, 0.0);
    let counted = input(&plant, CircuitSignal::HeatEnergy);
    let passed = plant.truth().circuits[0].heat_energy.0;
    wait(&mut plant, 7200, 0.0);
    assert_eq!(input(&plant, CircuitSignal::HeatEnergy), counted);
    assert!(plant.truth().circuits[0].heat_energy.0 > passed);
}

#[test]
fn hot_water_is_drawn_from_the_primary_side_and_the_station_meter_counts_it() {
    let run = |hot_water: Option<HotWaterSettings>| {
        let mut settings = demonstration(Celsius(-3.0), 1);
        settings.circuits[0].hot_water = hot_water;
        let mut plant = Plant::new(&settings, 1);
        let mut hold = Hold::new(&plant);
        let mut weather = StochasticWeather::new(3, Climate::SHANDONG);
        let mut returned = 0.0;
        for second in 1..=86_400 {
            hold.supply(&mut plant, 58.0);
            plant.step(SECOND, JANUARY + second, &weather.at(JANUARY + second));
            returned += plant.truth().primary_return.0 / 86_400.0;
        }
        let metered = plant.sample(Point::Station(StationSignal::PrimaryHeatEnergy)).unwrap();
        (metered, plant.truth().circuits[0].clone(), returned)
    };
    let usual = HotWaterSettings::usual();
    let (dry_metered, dry, dry_return) = run(None);
    let (metered, wet, wet_return) = run(Some(usual));
    let drawn = usual.liters_per_m2_day * 86_000.0 * 4182.0 * 45.0;
    assert_eq!(dry.hot_water_energy.0, 0.0);
    assert!((wet.hot_water_energy.0 / drawn - 1.0).abs() < 0.05, "{:e} of {drawn:e}", wet.hot_water_energy.0);
    let counted = metered - dry_metered;
    assert!((counted / wet.hot_water_energy.0 - 1.0).abs() < 0.05, "{counted:e} of {:e}", wet.hot_water_energy.0);
    assert!(wet_return < dry_return - 1.0, "two stages cool the return: {wet_return} after {dry_return}");
    let (_, _, parallel) = run(Some(HotWaterSettings { stages: HotWaterStages::Parallel, ..usual }));
    assert!(wet_return < parallel - 0.5, "{wet_return} {parallel}");
}

#[test]
fn a_sun_struck_sensor_shows_sun_and_its_second_does_not() {
    let mut plant = plant(0.0);
    plant.inject(Fault::OutdoorSensorInSun(Kelvins(12.0)));
    let noon = Weather {
        direct_normal: heatstation_points::WattsPerSquareMeter(700.0),
        diffuse_horizontal: heatstation_points::WattsPerSquareMeter(100.0),
        sun_altitude: 0.5,
        sun_azimuth: std::f64::consts::PI,
        ..Weather::still(Celsius(0.0))
    };
    for _ in 0..3600 {
        plant.step(SECOND, JANUARY + 4 * 3600, &noon);
    }
    let say = |signal| plant.sample(Point::Station(signal)).unwrap();
    assert!(say(StationSignal::OutdoorTemperature) > say(StationSignal::OutdoorTemperatureSecond) + 4.0);
}
