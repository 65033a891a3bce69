//! The supply loop on the physical plant.

use heatstation_points::Celsius;
use heatstation_simulator::Weather;
use heatstation_tests::{stations, steady};

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
