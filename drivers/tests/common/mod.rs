//! Points and wires for the tests that see the crate from outside.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::time::Duration;

use heatstation_drivers::encoding::Encoding;
use heatstation_drivers::settings::{DeviceSettings, ReadLimits, Register, Table, WireSettings, WriteRules};
use heatstation_points::{Catalogue, CircuitNames, Definition, Value};

pub const VALVE: &str = "circuit.low-zone.valve.position";
pub const START: &str = "circuit.low-zone.circulation_pump.1.start";

pub fn definition(name: &str) -> Definition {
    let circuit =
        CircuitNames { name: "low-zone".to_owned(), circulation_pumps: 1, make_up_pumps: 1, ..CircuitNames::default() };
    Catalogue::new(vec![circuit], Vec::new()).unwrap().find(name).unwrap().clone()
}

/// A point that lets every 16-bit number in.
pub fn number() -> Definition {
    Definition { range: (0.0, 65_535.0), ..definition("primary.volume") }
}

pub fn value(name: &str, number: f64) -> Value {
    definition(name).accept(number).unwrap()
}

/// A reading register that is asked for every `period`.
pub fn word(address: u16, period: Duration) -> Register {
    Register { period, ..Register::input(number(), Table::HoldingRegister, address, Encoding::U16) }
}

/// The valve in hundredths of a percent at an address.
pub fn valve(address: u16, rules: WriteRules) -> Register {
    Register {
        scale: 0.0001,
        write: Some(rules),
        ..Register::input(definition(VALVE), Table::HoldingRegister, address, Encoding::U16)
    }
}

pub fn device(name: &str, modbus_unit: u8, registers: Vec<Register>) -> DeviceSettings {
    DeviceSettings { name: name.to_owned(), modbus_unit, limits: ReadLimits::default(), registers, watchdog: None }
}

pub fn wire(address: &str, devices: Vec<DeviceSettings>) -> WireSettings {
    WireSettings { devices, ..WireSettings::modbus_tcp("test", address) }
}
