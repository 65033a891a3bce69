//! Points and wires for the tests of this crate.

use heatstation_points::{Catalogue, CircuitNames, Definition};

use crate::encoding::Encoding;
use crate::settings::{DeviceSettings, ReadLimits, Register, Table, WireSettings, WriteRules};

/// The definition of a point of a station with one circuit.
pub(crate) fn definition(name: &str) -> Definition {
    let circuit = CircuitNames {
        name: "low-zone".to_owned(),
        circulation_pumps: 2,
        make_up_pumps: 1,
        buildings: Vec::new(),
        rooms: (0..300).map(|room| format!("r{room}")).collect(),
    };
    let catalogue = Catalogue::new(vec![circuit], Vec::new()).unwrap();
    catalogue.find(name).unwrap_or_else(|| panic!("no point {name}")).clone()
}

/// A definition with a range that lets every finite number in, for tests that are about words.
pub(crate) fn unbounded() -> Definition {
    Definition { range: (f64::MIN, f64::MAX), ..definition("primary.volume") }
}

pub(crate) fn input(name: &str, table: Table, address: u16, encoding: Encoding) -> Register {
    Register::input(definition(name), table, address, encoding)
}

pub(crate) fn output(name: &str, table: Table, address: u16, encoding: Encoding) -> Register {
    Register { write: Some(WriteRules::default()), ..input(name, table, address, encoding) }
}

pub(crate) fn device_of(registers: Vec<Register>) -> DeviceSettings {
    DeviceSettings { name: "plc".to_owned(), modbus_unit: 1, limits: ReadLimits::default(), registers, watchdog: None }
}

pub(crate) fn wire_of(registers: Vec<Register>) -> WireSettings {
    let mut wire = WireSettings::modbus_tcp("plc", "127.0.0.1:502");
    wire.devices.push(device_of(registers));
    wire
}
