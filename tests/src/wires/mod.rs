//! Lines that misbehave on purpose, of every kind, with the driver at the other end.
//!
//! [`Field`] is a simulated line with units of signatures behind it and the settings by which the driver reaches it;
//! [`Checked`] stands between the driver's discipline and its transport and looks at every answer that the transport takes
//! for true, so that not one value goes by unseen, however short it stands in its slot.

mod checked;
mod field;
mod pty;

pub use checked::{Checked, Tally};
pub use field::{Field, Line, law_four, settings_of};
pub use pty::PtyPair;

use std::time::Duration;

use heatstation_drivers::settings::{DeviceSettings, Encoding, Polarity, ReadLimits, Register, Table, WriteRules};
use heatstation_points::{Catalogue, CircuitNames, Definition, Value};

/// The valve of the catalogue that the tests write.
pub const VALVE: &str = "circuit.low-zone.valve.position";

/// The points of a station with one circuit.
///
/// # Panics
/// Never: its names are sound.
pub fn catalogue() -> Catalogue {
    let circuit =
        CircuitNames { name: "low-zone".to_owned(), circulation_pumps: 1, make_up_pumps: 1, ..CircuitNames::default() };
    Catalogue::new(vec![circuit], Vec::new()).expect("the names are sound")
}

/// A point's definition by its name.
///
/// # Panics
/// If there is none.
pub fn definition(name: &str) -> Definition {
    catalogue().find(name).expect("the point is in the catalogue").clone()
}

/// A point that lets in every number that two words can hold.
pub fn any_number() -> Definition {
    Definition { range: (0.0, f64::from(u32::MAX)), ..definition("primary.volume") }
}

/// A value of the valve.
///
/// # Panics
/// If it is out of range.
pub fn valve_at(ratio: f64) -> Value {
    definition(VALVE).accept(ratio).expect("a ratio is in range")
}

/// A register that is only read.
pub fn read(table: Table, address: u16, encoding: Encoding, period: Duration) -> Register {
    Register { period, ..Register::input(any_number(), table, address, encoding) }
}

/// A coil or a discrete input that is only read.
pub fn bit(table: Table, address: u16, period: Duration) -> Register {
    let encoding = Encoding::Bit { bit: None, polarity: Polarity::Straight };
    let definition = definition("circuit.low-zone.circulation.flow_switch");
    Register { period, ..Register::input(definition, table, address, encoding) }
}

/// A holding register of one word.
pub fn word(address: u16, period: Duration) -> Register {
    read(Table::HoldingRegister, address, Encoding::U16, period)
}

/// The valve in hundredths of a percent at an address.
pub fn valve(address: u16, period: Duration, rules: WriteRules) -> Register {
    Register {
        scale: 0.0001,
        write: Some(rules),
        period,
        ..Register::input(definition(VALVE), Table::HoldingRegister, address, Encoding::U16)
    }
}

/// A device of one Modbus unit.
pub fn device(modbus_unit: u8, registers: Vec<Register>) -> DeviceSettings {
    let name = format!("unit-{modbus_unit}");
    DeviceSettings { name, modbus_unit, limits: ReadLimits::default(), registers, watchdog: None }
}
