//! The supply loop on the physical plant.
//!
//! What the figures mean, [`tracking`] says: *hunting* is ten load events within fifty integral times by Hägglund's monitor,
//! more than twenty reversals of the command an hour, or more than ten full strokes a day.

use heatstation::simulation::ClosedLoop;
use heatstation::simulation::tracking::TrackingFigures;
use heatstation_core::feed_forward::FeedForwardMode;
use heatstation_core::request::{Hand, Origin, Request, Wish};
use heatstation_core::settings::SupplyLoopSettings;
use heatstation_points::{Celsius, CircuitIndex, Ratio};
use heatstation_simulator::{Fault, Weather};
use heatstation_tests::stations::{self, Station};
use heatstation_tests::steady::{self, Steady};
use heatstation_tests::tracking::{closed_loop, judge, plain, winter, with_loop, with_primary, with_valve};

#[test]
fn in_steady_weather_the_supply_settles_at_its_setpoint() {
    let outdoor = Celsius(-3.0);
    let mut rig = steady::closed_loop(stations::running(stations::demo(), outdoor), Weather::still(outdoor), 1);
    for _ in 0..2 * 3600 {
        rig.second(Vec::new());
    }
    let (plant, _, report) = rig.view();
    let setpoint = report.expect("seconds have passed").circuits[0].setpoint.value;
    let supply = plant.truth().circuits[0].supply;
    assert!((setpoint - supply).0.abs() < 0.5, "{setpoint:?} wanted, {supply:?} in the pipe");
}

fn hunts(figures: &TrackingFigures) -> bool {
    figures.hunting_events > 0 || figures.reversals_per_hour > 20.0 || figures.strokes_per_day > 10.0
}

/// A day at the same outdoor temperature, three hours after the start.
fn steady_day(station: Station, outdoor: f64) -> TrackingFigures {
    let mut rig = closed_loop(station, Box::new(Steady(Weather::still(Celsius(outdoor)))), 5, 1);
    judge(&mut rig, 3);
    judge(&mut rig, 24)
}

#[test]
fn through_the_winter_the_supply_is_held_within_three_tenths_at_a_few_strokes_a_day() {
    for day in [5, 45, 70] {
        let mut rig = closed_loop(stations::demo(), winter(3), day, 1);
        judge(&mut rig, 3);
        let figures = judge(&mut rig, 48);
        assert!(figures.rmse_kelvins <= 0.3 && figures.p95_kelvins <= 0.8, "{figures:?}");
        assert!(figures.strokes_per_day <= 5.0 && !hunts(&figures), "{figures:?}");
    }
}

/// Four times too large, with a tenth of the pressure, behind a primary of 110 °C in all weather.
fn oversized(hysteresis: f64) -> Station {
    with_primary(with_valve(stations::demo(), 4.0, 0.1, hysteresis), Celsius(110.0))
}

#[test]
fn a_valve_four_times_too_large_does_not_hunt_at_any_load() {
    for outdoor in [-6.0, 0.0, 6.0, 10.0] {
        let figures = steady_day(oversized(0.005), outdoor);
        assert!(figures.rmse_kelvins <= 0.5 && !hunts(&figures), "at {outdoor} °C: {figures:?}");
    }
}

#[test]
fn with_a_fixed_gain_the_same_valve_hunts_in_mild_weather() {
    let figures = steady_day(with_loop(oversized(0.005), plain), 10.0);
    assert!(hunts(&figures) && figures.strokes_per_day > 50.0, "{figures:?}");
}

/// The integral of the error's absolute value in the five minutes after something has happened, K s.
fn error_after(station: Station, happens: impl FnOnce(&mut ClosedLoop)) -> f64 {
    let mut rig = closed_loop(station, Box::new(Steady(Weather::still(Celsius(-3.0)))), 5, 1);
    judge(&mut rig, 3);
    happens(&mut rig);
    let mut sum = 0.0;
    for _ in 0..300 {
        let setpoint = rig.second(Vec::new()).circuits[0].setpoint.value;
        sum += (setpoint - rig.view().0.truth().circuits[0].supply).0.abs();
    }
    sum
}

fn more_circulation(rig: &mut ClosedLoop) {
    let hand = Hand::CirculationSpeed(Ratio(1.0));
    let wish = Wish::TakeInHand { circuit: CircuitIndex(0), hand, lasts: std::time::Duration::from_secs(3600) };
    let (author, reason) = ("a tester".to_owned(), "another flow".to_owned());
    rig.second(vec![Request { origin: Origin::Operator, author, reason, wish }]);
}

#[test]
fn another_circulation_speed_is_met_before_the_supply_feels_it() {
    let behind = |supply_loop: &mut SupplyLoopSettings| {
        supply_loop.feed_forward.mode = FeedForwardMode::Off;
    };
    let with = error_after(stations::demo(), more_circulation);
    let without = error_after(with_loop(stations::demo(), behind), more_circulation);
    assert!(with < 0.6 * without, "{with} with, {without} without");
}

#[test]
fn a_model_that_is_wrong_by_three_does_no_harm() {
    let wrong = |factor: f64| {
        move |supply_loop: &mut SupplyLoopSettings| {
            let design = supply_loop.exchanger.as_mut().expect("the station has one");
            design.transfer *= factor;
            design.primary_flow *= factor;
        }
    };
    for factor in [1.0 / 3.0, 3.0] {
        let figures = steady_day(with_loop(stations::demo(), wrong(factor)), -3.0);
        assert!(figures.rmse_kelvins <= 0.3 && !hunts(&figures), "{figures:?}");
        let cold = |rig: &mut ClosedLoop| rig.plant().inject(Fault::PrimaryCold(Celsius(95.0)));
        let (right, thought) =
            (error_after(stations::demo(), cold), error_after(with_loop(stations::demo(), wrong(factor)), cold));
        assert!(thought < 1.5 * right, "{thought} K s, {right} with the right model");
    }
}
