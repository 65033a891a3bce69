//! The secondary balance on a network that nobody has balanced: 1.8 times its share near the station, half of it far away.

use heatstation::simulation::ClosedLoop;
use heatstation_core::settings::{BalanceSettings, BuildingValve};
use heatstation_points::{BuildingIndex, BuildingSignal, Celsius, CircuitIndex, Kelvins, Point, Ratio};
use heatstation_simulator::{CircuitTruth, Fault, Weather};
use heatstation_tests::{stations, steady};

const OUTDOOR: Celsius = Celsius(-3.0);

/// Whether the buildings' valves are moved.
#[derive(Clone, Copy)]
enum Valves {
    Balanced,
    ByHand,
}

/// Six buildings from near to far, as found after days of that weather.
fn street(valves: Valves) -> ClosedLoop {
    let (mut settings, catalogue, mut plant) = stations::running(stations::demo(), OUTDOOR);
    let count = plant.circuits[0].buildings.len();
    for (number, building) in plant.circuits[0].buildings.iter_mut().enumerate() {
        building.flow_ratio = 1.8 + (0.5 - 1.8) * number as f64 / (count - 1) as f64;
        building.flats = 12;
    }
    let circuit = &mut settings.circuits[0];
    // The rooms' own correction is another story.
    (circuit.room_trim.raise_max, circuit.room_trim.lower_max) = (Kelvins(0.0), Kelvins(0.0));
    circuit.balance = match valves {
        Valves::Balanced => Some(BalanceSettings::default()),
        Valves::ByHand => None,
    };
    steady::closed_loop((settings, catalogue, plant), Weather::still(OUTDOOR), 1)
}

fn hours(rig: &mut ClosedLoop, hours: u64) -> CircuitTruth {
    for _ in 0..hours * 3600 {
        rig.second(Vec::new());
    }
    rig.view().0.truth().circuits[0].clone()
}

/// From the coldest return to the warmest.
fn spread(truth: &CircuitTruth) -> f64 {
    let returns = || truth.buildings.iter().map(|building| building.return_.0);
    returns().fold(f64::NEG_INFINITY, f64::max) - returns().fold(f64::INFINITY, f64::min)
}

/// How far the coldest fifth of the flats is below the mean of all.
fn behind(truth: &CircuitTruth) -> f64 {
    let mut flats: Vec<f64> = truth.flats.iter().filter(|flat| !flat.shut).map(|flat| flat.temperature.0).collect();
    flats.sort_by(f64::total_cmp);
    let coldest = &flats[..flats.len() / 5];
    truth.mean_room().0 - coldest.iter().sum::<f64>() / coldest.len() as f64
}

#[test]
fn returns_that_are_far_apart_come_within_two_kelvins_in_three_days_and_the_coldest_flats_get_warmer_at_equal_heat() {
    let mut rig = street(Valves::Balanced);
    let before = hours(&mut rig, 2);
    assert!(spread(&before) > 6.0, "nobody has balanced it: {:.1} K", spread(&before));
    let mut last: Vec<f64> = vec![1.0; 6];
    for _ in 0..36 {
        hours(&mut rig, 2);
        let commands = rig.view().2.unwrap().circuits[0].commands.clone().unwrap().building_valves;
        let now: Vec<f64> = commands.iter().map(|valve| valve.expect("it is ours").0).collect();
        assert!(now.iter().zip(&last).all(|(now, last)| (now - last).abs() <= 0.08 + 1e-9), "{last:?} to {now:?}");
        assert!(now.iter().any(|open| *open >= 0.9) && now.iter().all(|open| *open >= 0.2), "{now:?}");
        last = now;
    }
    let after = spread(&rig.view().0.truth().circuits[0]);
    assert!(after < 2.0, "{after:.1} K after three days");

    // Walls need their time: three days later the flats are where the water keeps them.
    let balanced = hours(&mut rig, 72);
    let left_alone = hours(&mut street(Valves::ByHand), 2 + 72 + 72);
    let (heat, heat_alone) = (balanced.heat_energy.0, left_alone.heat_energy.0);
    assert!((heat / heat_alone - 1.0).abs() < 0.03, "equal heat: {:.3}", heat / heat_alone);
    let (now, alone) = (behind(&balanced), behind(&left_alone));
    assert!(now < alone - 0.3, "the coldest fifth is {now:.2} K behind the mean, left alone {alone:.2} K");
}

#[test]
fn a_building_valve_that_is_turned_by_hand_is_left_alone_and_the_others_go_on() {
    let mut rig = street(Valves::Balanced);
    hours(&mut rig, 6);
    let feedback = Point::Building(CircuitIndex(0), BuildingIndex(1), BuildingSignal::ValvePositionFeedback);
    rig.plant().inject(Fault::SensorShows(feedback, 0.3));
    hours(&mut rig, 1);
    let report = rig.view().2.unwrap().circuits[0].clone();
    let valves = report.commands.expect("ours").building_valves;
    assert_eq!(valves.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true, true, true, true]);
    assert_eq!(report.balance.map(|balance| balance.astray), Some(1));
}

#[test]
fn lost_returns_hold_the_valves_where_they_are() {
    let mut rig = street(Valves::Balanced);
    hours(&mut rig, 8);
    for building in 0..3 {
        let back = Point::Building(CircuitIndex(0), BuildingIndex(building), BuildingSignal::ReturnTemperature);
        rig.plant().inject(Fault::SensorLost(back));
    }
    hours(&mut rig, 1);
    let valves = |rig: &ClosedLoop| rig.view().2.unwrap().circuits[0].commands.clone().unwrap().building_valves;
    let before = valves(&rig);
    hours(&mut rig, 8);
    assert_eq!(valves(&rig), before);
}

#[test]
fn a_station_whose_file_says_nothing_of_balance_moves_no_building_valve() {
    let mut rig = street(Valves::ByHand);
    hours(&mut rig, 3);
    let report = &rig.view().2.unwrap().circuits[0];
    assert!(report.balance.is_none() && report.commands.clone().unwrap().building_valves.iter().all(Option::is_none));
    let (_, settings, _) = rig.view();
    assert!(settings.circuits[0].buildings.iter().all(|building| building.valve == BuildingValve::Balanced));
    assert_eq!(Ratio::ONE.0, rig.written(valve_of_first()).unwrap());
}

fn valve_of_first() -> Point {
    Point::BuildingOutput(CircuitIndex(0), BuildingIndex(0), heatstation_points::BuildingOutput::ValvePosition)
}
