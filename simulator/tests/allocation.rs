//! The plant steps without asking for memory, sick instruments and all.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{C, JANUARY, SECOND};
use heatstation_points::{Celsius, CircuitSignal, Point, Ratio, Seconds, StationSignal};
use heatstation_simulator::{Climate, Fault, HotWaterSettings, Plant, StochasticWeather, WeatherSource, demonstration};

#[test]
fn a_day_of_steps_allocates_nothing() {
    let mut settings = demonstration(Celsius(-3.0), 1);
    settings.circuits[0].hot_water = Some(HotWaterSettings::usual());
    let mut plant = Plant::new(&settings, 1);
    let point = |signal| Point::Circuit(C, signal);
    for fault in [
        Fault::SensorSlow(point(CircuitSignal::SupplyTemperature), Seconds(300.0)),
        Fault::SensorDelayed(point(CircuitSignal::ReturnTemperature), Seconds(600.0)),
        Fault::SensorGarbage(Point::Station(StationSignal::OutdoorTemperature)),
        Fault::Leak(C, 1e-4),
        Fault::PrimaryFlowLimited(Ratio(0.7)),
        Fault::StrainerClogged(C, Ratio(0.5)),
    ] {
        plant.inject(fault);
    }
    let mut weather = StochasticWeather::new(1, Climate::SHANDONG);
    // The generator makes its year when it is asked for the first time; a step is not about that.
    assert!(weather.at(JANUARY).outdoor.0.is_finite());
    let info = allocation_counter::measure(|| {
        for second in 1..=86_400 {
            plant.step(SECOND, JANUARY + second, &weather.at(JANUARY + second));
        }
    });
    assert_eq!(info.count_total, 0);
    assert!(plant.truth().circuits[0].heat_energy.0 > 1e9);
}
