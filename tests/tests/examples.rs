//! The examples that a new user starts from: they are sound, they heat, and their register map is the plant's.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;

use heatstation_config::EXAMPLES;
use heatstation_drivers::settings::Table;
use heatstation_points::Point;
use heatstation_simulator::registers::{self, register_map};
use heatstation_tests::program::{command, example, words};
use serde_json::Value as Json;

#[test]
fn every_example_heats_its_rooms_in_simulation_without_an_alarm() {
    for (name, _) in EXAMPLES {
        let station = example(&format!("{name}.toml"));
        let days = ["--from", "2027-01-05", "--to", "2027-01-08", "--json"];
        let mut arguments = vec!["simulate", station.to_str().unwrap()];
        arguments.extend(days);
        let output = command(&arguments);
        let figures: Json = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", words(&output)));
        assert!(figures["room_pass_ratio"].as_f64().unwrap() >= 0.98, "{name}: {figures}");
        assert!(figures["heat_gigajoules_per_square_meter"].as_f64().unwrap() > 0.004, "{name}: {figures}");
        assert!(figures["supply_rmse_kelvins"].as_f64().unwrap() < 0.5, "{name}: {figures}");
        assert_eq!(figures["outages"], 0, "{name}: {figures}");
    }
}

#[test]
fn the_carried_register_map_and_the_plants_own_agree_register_by_register() {
    // Written by two hands from one manual: what both misread alike is caught by the manual's own test against pymodbus.
    for (name, text) in EXAMPLES {
        let station = heatstation_config::check(name, text, None).unwrap();
        let map: BTreeMap<Point, u16> = register_map(&station.catalogue)
            .into_iter()
            .filter(|row| row.table == registers::Table::Holding)
            .map(|row| (row.point, row.address))
            .collect();
        let registers = station.wires.iter().flat_map(|wire| &wire.devices).flat_map(|device| &device.registers);
        let mut compared = 0;
        // A site's own points are not the plant's.
        for register in registers.filter(|register| !matches!(register.point(), Point::Auxiliary(_))) {
            assert_eq!(register.table, Table::HoldingRegister, "{name}: {}", register.name());
            assert_eq!(map.get(&register.point()), Some(&register.address), "{name}: {}", register.name());
            compared += 1;
        }
        assert!(compared > 80, "{name}: {compared} registers");
    }
}
