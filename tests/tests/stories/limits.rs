//! Limits on the physical plant: what they hold, and what they cost.

use heatstation_points::Celsius;
use heatstation_simulator::Weather;
use heatstation_tests::{stations, steady};

#[test]
fn scratch() {
    for outdoor in [2.0, -4.0] {
        let outdoor = Celsius(outdoor);
        let station = stations::running(stations::demo(), outdoor);
        let mut rig = steady::closed_loop(station, Weather::still(outdoor), 1);
        for hour in 0..24 {
            for _ in 0..3600 {
                rig.second(Vec::new());
            }
            let (plant, _, report) = rig.view();
            let truth = plant.truth();
            let c = &report.unwrap().circuits[0];
            println!(
                "{hour} set {:.2} supply {:.2} ret {:.2} pret {:.2} psup {:.2} pflow {:.2} heat {:.0} rooms {:?} tail {:?} valve {:?}",
                c.setpoint.value.0,
                truth.circuits[0].supply.0,
                truth.circuits[0].return_.0,
                truth.primary_return.0,
                truth.primary_supply.0,
                truth.primary_flow.0,
                truth.circuits[0].heat.0 / 1e3,
                c.rooms.mean,
                c.rooms.tail_excess,
                c.commands.as_ref().map(|c| c.valve_position)
            );
        }
    }
}
