//! Sensors that lie, on the physical plant.

use heatstation_core::alarm::Alarm;
use heatstation_core::sensor_watch::{Finding, Watched};
use heatstation_core::sources::{Quantity, Source};
use heatstation_core::supply_source::SupplySource;
use heatstation_points::{Celsius, CircuitSignal, Kelvins, Point, StationSignal};
use heatstation_simulator::Fault;
use heatstation_tests::stations;
use heatstation_tests::story::{LOW, Story, shows};

fn point(signal: CircuitSignal) -> Point {
    Point::Circuit(LOW, signal)
}

/// The supply sensor sticks while the station warms up.
#[test]
fn a_stuck_supply_sensor_is_found_by_the_valve_that_moves_and_the_second_one_steers() {
    let told = |second: bool| {
        let mut story = Story::of(stations::demo(), -5.0, |circuit| circuit.supply.rise_per_hour = Kelvins(30.0));
        // A hot network, in which a valve that opens blindly is soon too much.
        story.break_down(Fault::PrimaryCold(Celsius(130.0)));
        story.until(7200, |story| story.truth().supply.0 > 38.0).expect("it warms up");
        if !second {
            story.lose(CircuitSignal::SupplyTemperatureSecond);
        }
        story.break_down(Fault::SensorStuck(point(CircuitSignal::SupplyTemperature)));
        let hottest = story.most(2 * 3600, |story| story.truth().supply.0);
        let off = story.truth().supply - story.circuit().setpoint.value;
        (story, off.0, hottest)
    };
    let (story, off, hottest) = told(true);
    assert_eq!(story.circuit().supply_source, SupplySource::SecondSensor);
    assert_eq!(story.circuit().doubted.of(Watched::Supply), Some(Finding::Stuck));
    assert!(story.alarm(Alarm::SensorImplausible) && off.abs() < 2.0, "{off:.1} K");
    let (_, _, without) = told(false);
    // Alone it is believed, for nothing else is known, until the hard-wired thermostat ends it.
    assert!(without > hottest + 10.0, "{hottest:.1} °C, {without:.1} without a second sensor");
}

#[test]
fn the_overview_names_what_each_quantity_is_taken_from() {
    let mut story = Story::of(stations::running(stations::demo(), Celsius(-5.0)), -5.0, |_| {});
    story.run(900);
    let from = |story: &Story, quantity| story.circuit().sources.of(quantity);
    for &quantity in Quantity::ALL {
        assert_eq!(from(&story, quantity), Source::Sensor, "{quantity:?}");
    }
    for signal in [
        CircuitSignal::SupplyTemperature,
        CircuitSignal::ReturnTemperature,
        CircuitSignal::PrimaryReturnTemperature,
        CircuitSignal::ReturnPressure,
        CircuitSignal::DifferentialPressure,
        CircuitSignal::TankLevel,
        CircuitSignal::HeatPower,
    ] {
        story.lose(signal);
    }
    story.lose_of_station(StationSignal::OutdoorTemperature);
    story.lose_of_station(StationSignal::OutdoorTemperatureSecond);
    story.run(120);
    let stand_ins = [
        (Quantity::Supply, Source::SecondSensor),
        (Quantity::SecondaryReturn, Source::Buildings),
        (Quantity::PrimaryReturn, Source::Meter),
        (Quantity::HoldingPressure, Source::HeadEstimate),
        (Quantity::DifferentialPressure, Source::Lost),
        (Quantity::TankLevel, Source::Switch),
        (Quantity::Heat, Source::Meter),
        (Quantity::Outdoor, Source::LastGood),
    ];
    for (quantity, source) in stand_ins {
        assert_eq!(from(&story, quantity), source, "{quantity:?}");
    }
}

#[test]
fn two_sensors_that_were_mixed_up_are_found_by_their_order() {
    let mut story = Story::of(stations::running(stations::demo(), Celsius(-5.0)), -5.0, |_| {});
    story.run(900);
    let back = story.truth().return_.0;
    story.break_down(shows(CircuitSignal::ReturnTemperature, back + 25.0));
    story.run(1200);
    assert_eq!(story.circuit().doubted.of(Watched::SecondaryReturn), Some(Finding::Order));
    assert!(story.alarm(Alarm::SensorImplausible));
}

/// A week of healthy running: nobody is suspected.
#[test]
fn healthy_sensors_are_not_suspected() {
    let mut story = Story::of(stations::running(stations::demo(), Celsius(-5.0)), -5.0, |_| {});
    story.run(900);
    let mut doubts = 0;
    for _ in 0..24 {
        story.run(3600);
        doubts += story.circuit().doubted.all().count();
    }
    assert_eq!(doubts, 0);
}
