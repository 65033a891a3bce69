//! Rooms and their sensors on the plant: what one percent of the flats can make of the other ninety-nine.

use heatstation::simulation::ClosedLoop;
use heatstation_core::event::Event;
use heatstation_core::report::CircuitReport;
use heatstation_core::room_sensors::Verdict;
use heatstation_core::room_trim::Frozen;
use heatstation_points::{Celsius, CircuitIndex, Kelvins, Point, Ratio, RoomIndex, RoomSignal};
use heatstation_simulator::{CircuitTruth, Fault, Weather};
use heatstation_tests::{stations, steady};

const OUTDOOR: Celsius = Celsius(-3.0);

/// The demonstration's station after days of that weather, its curve moved by so much; `vacant` of its flats are shut.
fn station(level: f64, vacant: f64) -> ClosedLoop {
    let (mut settings, catalogue, mut plant) = stations::running(stations::demo(), OUTDOOR);
    plant.circuits[0].vacant_share = Ratio(vacant);
    settings.circuits[0].room_target = settings.circuits[0].room_target + Kelvins(level);
    steady::closed_loop((settings, catalogue, plant), Weather::still(OUTDOOR), 3)
}

fn hours(rig: &mut ClosedLoop, hours: u64) -> Vec<Event> {
    let mut events = Vec::new();
    for _ in 0..hours * 3600 {
        events.extend(rig.second(Vec::new()).events.iter().cloned());
    }
    events
}

fn report(rig: &ClosedLoop) -> &CircuitReport {
    &rig.view().2.expect("time has passed").circuits[0]
}

fn truth(rig: &ClosedLoop) -> &CircuitTruth {
    &rig.view().0.truth().circuits[0]
}

fn sensor(number: usize) -> Point {
    Point::Room(CircuitIndex(0), RoomIndex(number), RoomSignal::Temperature)
}

/// Share of the heated flats at or above 18 °C.
fn pass(truth: &CircuitTruth) -> f64 {
    let heated = || truth.flats.iter().filter(|flat| !flat.shut);
    heated().filter(|flat| flat.temperature.0 >= 18.0).count() as f64 / heated().count() as f64
}

#[test]
fn a_curve_that_is_too_high_is_lowered_until_the_coldest_share_is_at_its_minimum_and_no_further() {
    let mut rig = station(1.0, 0.0);
    hours(&mut rig, 23);
    assert_eq!(report(&rig).room_trim.frozen, Some(Frozen::Learning));
    hours(&mut rig, 24 * 9);
    let trim = report(&rig).room_trim;
    assert!(trim.shift < Kelvins(-1.0), "{trim:?}");
    let tail = report(&rig).rooms.tail.expect("there are sensors");
    assert!(tail.sure().0.abs() < 1.0, "{tail:?}");
    assert!(pass(truth(&rig)) >= 0.98, "{}", pass(truth(&rig)));
}

#[test]
fn flats_without_heat_are_told_and_do_not_make_the_station_warmer() {
    let mut rig = station(0.0, 0.12);
    let events = hours(&mut rig, 48);
    let told = events.iter().filter(|event| matches!(event, Event::RoomSensorJudged { verdict: Verdict::Closed, .. }));
    let closed = report(&rig).rooms.verdicts.number(Verdict::Closed);
    let told = told.count();
    assert!(closed > 0 && told > 0, "{told} told: {:?} {events:?}", report(&rig).rooms.verdicts);
    // Believed, they would pull the estimate of the coldest many kelvins below the minimum.
    let tail = report(&rig).rooms.tail.expect("there are sensors");
    assert!(tail.excess > Kelvins(-2.0), "{tail:?}");
    assert!(report(&rig).room_trim.shift < Kelvins(1.0), "{:?}", report(&rig).room_trim);
}

#[test]
fn one_sensor_in_eight_that_lies_moves_the_trim_by_less_than_half_a_kelvin() {
    let (mut honest, mut lied_to) = (station(1.0, 0.0), station(1.0, 0.0));
    // One in eight: on a radiator, in the snow, stuck.
    lied_to.plant().inject(Fault::SensorShows(sensor(2), 41.0));
    lied_to.plant().inject(Fault::SensorShows(sensor(9), 2.0));
    hours(&mut lied_to, 1);
    hours(&mut honest, 1);
    lied_to.plant().inject(Fault::SensorBias(sensor(16), 9.0));
    hours(&mut lied_to, 24 * 6);
    hours(&mut honest, 24 * 6);
    let (honest, lied_to) = (report(&honest).room_trim.shift, report(&lied_to).room_trim.shift);
    assert!((honest - lied_to).0.abs() < 0.5, "{honest:?} and {lied_to:?}");
}

#[test]
fn when_all_sensors_fall_silent_the_trim_is_gone_within_a_day_and_a_half_without_a_bump() {
    let mut rig = station(1.0, 0.0);
    hours(&mut rig, 24 * 5);
    assert!(report(&rig).room_trim.shift < Kelvins(-0.8), "{:?}", report(&rig).room_trim);
    for room in 0..24 {
        rig.plant().inject(Fault::SensorLost(sensor(room)));
    }
    let mut last = report(&rig).room_trim.shift;
    for _ in 0..33 {
        hours(&mut rig, 1);
        let now = report(&rig).room_trim.shift;
        assert!((now - last).0.abs() <= 1.0, "{last:?} to {now:?}");
        last = now;
    }
    // What the curve has learnt is forgotten as slowly as it was learnt.
    let trim = report(&rig).room_trim;
    assert_eq!((last, trim.frozen), (trim.learnt, Some(Frozen::Blind)));
    assert!(trim.learnt.0.abs() < 1.0, "{trim:?}");
}

#[test]
fn cold_rooms_cannot_be_masked_away() {
    // Half of the sensors read 11 K less: more than empty flats, bad sensors and windows together.
    let mut rig = station(0.0, 0.0);
    for room in 0..12 {
        rig.plant().inject(Fault::SensorBias(sensor(room), -11.0));
    }
    hours(&mut rig, 48);
    let rooms = &report(&rig).rooms;
    assert!(rooms.verdicts.number(Verdict::Closed) <= 8, "{:?}", rooms.verdicts);
    assert!(rooms.verdicts.number(Verdict::Recalled) >= 4, "{:?}", rooms.verdicts);
    assert!(report(&rig).room_trim.shift > Kelvins(1.0), "{:?}", report(&rig).room_trim);
}
