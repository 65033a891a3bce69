//! What closes the primary side.

use std::time::Duration;

use heatstation_core::alarm::Alarm;
use heatstation_core::interlock::Trip;
use heatstation_core::limit_line::LimitLine;
use heatstation_core::limiter::{LimiterKind, LimiterState};
use heatstation_core::report::ValveReason;
use heatstation_core::request::{Hand, Wish};
use heatstation_core::settings::{CircuitSettings, IsolationSettings, LimiterSettings, LimiterTuning};
use heatstation_points::{Celsius, CircuitOutput, CircuitSignal, Pascals, Ratio, StationSignal};
use heatstation_simulator::Fault;
use heatstation_tests::story::{LOW, Story};

use super::{NEVER, heating, heating_hot, heating_hot_without_thermostat};

fn wide_open(story: &mut Story) {
    let hand = Hand::Valve(Ratio(1.0));
    story.ask(Wish::TakeInHand { circuit: LOW, hand, lasts: Duration::from_secs(4 * 3600) });
}

fn hottest(story: &mut Story, seconds: u64) -> f64 {
    story.most(seconds, |story| story.truth().supply.0)
}

/// I1: secondary supply above its maximum.
#[test]
fn too_hot_a_supply_closes_the_valve_keeps_the_water_moving_and_lets_go_by_itself() {
    let told = |trip: f64| {
        let mut story = heating_hot_without_thermostat(|circuit| circuit.interlock.supply_trip = Celsius(trip));
        wide_open(&mut story);
        story
    };
    let mut story = told(80.0);
    assert!(story.until(3600, |story| story.circuit().trips.contains(&Trip::OverTemperature)).is_some());
    assert!(story.until(2, |story| story.written(CircuitOutput::ValvePosition) == 0.0).is_some(), "within seconds");
    let with = hottest(&mut story, 300);
    assert!(with < 95.0 && story.circulates(), "{with:.1}");
    assert!(story.until(900, |story| story.circuit().trips.is_empty()).is_some(), "it lets go when it has cooled");

    let without = hottest(&mut told(200.0), 3600);
    assert!(without > 95.0, "without the rule {without:.1} °C go to the buildings");
}

/// I2: the hard-wired safety thermostat.
#[test]
fn a_safety_thermostat_closes_the_valve_until_a_person_resets_it() {
    let told = |wired: bool| {
        let mut story = heating_hot(|circuit| circuit.interlock.supply_trip = Celsius(200.0));
        if !wired {
            story.lose(CircuitSignal::OverTemperatureSwitch);
        }
        wide_open(&mut story);
        story
    };
    let mut story = told(true);
    assert!(story.until(3600, |story| story.circuit().trips.contains(&Trip::SafetyThermostat)).is_some());
    assert!(hottest(&mut story, 300) < 92.0);
    story.ask(Wish::ReturnToAutomatic { circuit: LOW });
    story.run(3600);
    assert_eq!(story.circuit().valve_reason, ValveReason::Interlock(Trip::SafetyThermostat), "it stays");
    story.ask(Wish::ResetTrips { circuit: LOW });
    story.run(120);
    assert_eq!(story.circuit().valve_reason, ValveReason::Control);

    let without = hottest(&mut told(false), 3600);
    assert!(without > 95.0, "without the contact {without:.1} °C");
}

/// I15: all that tells the supply temperature is lost.
#[test]
fn a_lost_supply_temperature_is_held_substituted_and_given_up_for_a_safe_position() {
    // The primary side is cold, the valve stands wide open; then nothing tells the supply and the primary heat returns.
    let told = |hold: Duration| {
        let mut story = heating_hot_without_thermostat(|circuit| circuit.interlock.sensor_hold = hold);
        story.break_down(Fault::PrimaryCold(Celsius(58.0)));
        story.run(2 * 3600);
        for signal in [
            CircuitSignal::SupplyTemperature,
            CircuitSignal::SupplyTemperatureSecond,
            CircuitSignal::ReturnTemperature,
            CircuitSignal::HeatPower,
        ] {
            story.lose(signal);
        }
        story.break_down(Fault::PrimaryCold(Celsius(145.0)));
        story
    };
    let mut story = told(Duration::from_secs(60));
    story.run(30);
    assert_eq!(story.circuit().valve_reason, ValveReason::HoldSensorLost);
    assert!(story.alarm(Alarm::SupplySensorLost));
    story.run(3 * 3600);
    assert_eq!(story.circuit().valve_reason, ValveReason::SafePosition);
    let (position, supply) = (story.written(CircuitOutput::ValvePosition), story.truth().supply.0);
    assert!((position - 0.3).abs() < 0.01 && supply < 85.0, "{position} {supply}");

    let mut without = told(NEVER);
    without.run(3 * 3600);
    assert!(without.truth().supply.0 > 90.0, "held for ever: {:.1} °C", without.truth().supply.0);
}

/// I16: the primary supply is colder than the secondary return.
#[test]
fn an_exchanger_that_would_cool_is_shut_off() {
    let told = |seen: bool| {
        let mut story = heating(|_| {});
        if !seen {
            story.lose_of_station(StationSignal::PrimarySupplyTemperature);
        }
        story.break_down(Fault::PrimaryCold(Celsius(15.0)));
        story.run(3600);
        story
    };
    let story = told(true);
    assert!(story.circuit().trips.contains(&Trip::ReverseHeat) && story.alarm(Alarm::PrimaryCold));
    assert!(story.truth().heat.0 > -20e3, "{:?}", story.truth().heat);
    let without = told(false);
    assert!(
        without.truth().heat.0 < -200e3,
        "the network is heated with the buildings' water: {:?}",
        without.truth().heat
    );
}

/// I17: the valve does not follow, and stands open while the supply is too hot.
#[test]
fn a_valve_that_is_stuck_open_is_shut_off_by_the_isolation_valve() {
    let told = |isolation: Option<IsolationSettings>| {
        let mut story = heating_hot_without_thermostat(|circuit| circuit.isolation = isolation);
        wide_open(&mut story);
        story.until(3600, |story| story.circuit().trips.contains(&Trip::OverTemperature)).expect("it gets too hot");
        story.break_down(Fault::ValveStuck(LOW));
        story.ask(Wish::ReturnToAutomatic { circuit: LOW });
        story
    };
    let isolation = Some(IsolationSettings { close_time: Duration::from_secs(10) });
    let mut story = told(isolation);
    assert!(story.until(3600, |story| story.circuit().trips.contains(&Trip::ValveStuckOpen)).is_some());
    assert!(story.alarm(Alarm::ValveStuckOpen) && story.written(CircuitOutput::IsolationOpen) == 0.0);
    story.run(1800);
    assert!(story.truth().supply.0 < 85.0 && story.truth().primary_flow.0 < 1e-6, "{:?}", story.truth().supply);
    assert!(story.alarm(Alarm::ValveDoesNotFollow));
    // The valve obeys again: the isolation valve lets go by itself.
    story.mend(&Fault::ValveStuck(LOW));
    assert!(story.until(1200, |story| story.written(CircuitOutput::IsolationOpen) == 1.0).is_some());

    let mut without = told(None);
    without.run(3600);
    assert!(without.truth().supply.0 > 95.0, "without it {:?} for an hour", without.truth().supply);
}

/// I18: primary return above its limit: a limiter, no trip.
#[test]
fn too_hot_a_primary_return_is_limited_and_trips_nothing() {
    let told = |limit: Option<f64>| {
        let mut story = heating(|circuit: &mut CircuitSettings| {
            circuit.limits.primary_return = limit
                .map(|limit| LimiterSettings { line: LimitLine::constant(limit), tuning: LimiterTuning::TEMPERATURE });
        });
        story.run(6 * 3600);
        story
    };
    let free = told(None);
    let without = free.truth().primary_return.0;
    let limit = without - 1.5;
    let story = told(Some(limit));
    assert_eq!(story.circuit().setpoint.limiter(LimiterKind::Return).state, LimiterState::Limiting);
    assert!(story.circuit().trips.is_empty());
    let limited = story.truth().primary_return.0;
    assert!(limited < without - 0.7, "{limited:.1} °C under a limit of {limit:.1}, {without:.1} without");
}

/// I19: the primary pressure is below the network's order.
#[test]
fn too_low_a_primary_pressure_closes_the_valve_until_it_is_back() {
    let told = |order: Option<Pascals>| {
        let mut story = heating(|circuit| circuit.interlock.primary_pressure_min = order);
        story.break_down(Fault::PrimaryPressureLost(Ratio(0.05)));
        story.run(240);
        story
    };
    let healthy = heating(|_| {}).closed_loop().readings().station.primary_supply_pressure.fresh().expect("measured");
    let mut story = told(Some(healthy * 0.9));
    assert!(story.circuit().trips.contains(&Trip::PrimaryPressureLow) && story.alarm(Alarm::PrimaryPressureLow));
    assert!(story.truth().valve_stem.0 < 0.01, "{:?}", story.truth().valve_stem);
    story.mend(&Fault::PrimaryPressureLost(Ratio(0.05)));
    assert!(story.until(900, |story| story.circuit().valve_reason == ValveReason::Control).is_some());

    let without = told(None);
    assert!(without.truth().valve_stem.0 > 0.5, "without it the valve draws on: {:?}", without.truth().valve_stem);
}
