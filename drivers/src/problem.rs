//! What can be wrong with the settings of a wire, and finding all of it at once.

use std::collections::HashSet;

use heatstation_points::{Direction, Unit};

use crate::encoding::Encoding;
use crate::settings::{
    BITS_MAX, DeviceSettings, Memory, REGISTERS_MAX, ReadBack, Register, Table, WireSettings, WriteFunction, WriteRules,
};

/// Something in the settings of a wire that cannot work.
///
/// Each message names the device and the point, so that the configuration can put file and line in front of it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SettingsProblem {
    /// The address is not `host:port`.
    #[error("wire {wire}: address {address:?} is not host:port, as in \"192.168.1.10:502\" or \"[fd00::1]:502\"")]
    Address {
        /// Which wire.
        wire: String,
        /// The address as given.
        address: String,
    },
    /// A time that must not be zero, or two times the wrong way round.
    #[error("wire {wire}: {what}")]
    Time {
        /// Which wire.
        wire: String,
        /// What is wrong and what would be right.
        what: &'static str,
    },
    /// Two devices of one wire have the same name.
    #[error("wire {wire}: two devices have the name {device}")]
    DuplicateDevice {
        /// Which wire.
        wire: String,
        /// The name.
        device: String,
    },
    /// The device's limits or unit are outside of what the protocol allows.
    #[error("device {device}: {what}")]
    Device {
        /// Which device.
        device: String,
        /// What is wrong and what would be right.
        what: String,
    },
    /// A register cannot be read or written as described.
    #[error("device {device}: {point}: {what}")]
    Register {
        /// Which device.
        device: String,
        /// Text name of the point.
        point: String,
        /// What is wrong and what would be right.
        what: String,
    },
}

impl WireSettings {
    /// Everything that is wrong, in the order of the settings; empty for a wire that can be started.
    pub fn problems(&self) -> Vec<SettingsProblem> {
        let mut problems = Vec::new();
        for address in self.transport.addresses().into_iter().filter(|address| !is_host_and_port(address)) {
            problems.push(SettingsProblem::Address { wire: self.name.clone(), address: address.to_owned() });
        }
        let mut time = |what| problems.push(SettingsProblem::Time { wire: self.name.clone(), what });
        if self.timeout.is_zero() {
            time("the time-out is zero; 500 ms is usual");
        }
        if self.reconnect_min.is_zero() {
            time("the first wait before a reconnect is zero; 1 s is usual");
        }
        if self.reconnect_max < self.reconnect_min {
            time("the longest wait before a reconnect is shorter than the first; 1 s and 60 s are usual");
        }

        let mut names = HashSet::new();
        let mut written = HashSet::new();
        for device in &self.devices {
            if !names.insert(&device.name) {
                problems
                    .push(SettingsProblem::DuplicateDevice { wire: self.name.clone(), device: device.name.clone() });
            }
            device.problems_into(&mut problems);
            for register in device.registers.iter().filter(|register| register.write.is_some()) {
                // Two places written from one wish could not say which of them was confirmed.
                if !written.insert(register.point()) {
                    problems.push(problem(device, register, "is written in two places of one wire; one is possible"));
                }
            }
        }
        problems
    }
}

impl DeviceSettings {
    /// Everything that is wrong with this device, in the order of the settings.
    pub fn problems(&self) -> Vec<SettingsProblem> {
        let mut problems = Vec::new();
        self.problems_into(&mut problems);
        problems
    }

    fn problems_into(&self, problems: &mut Vec<SettingsProblem>) {
        let mut wrong = |what: String| problems.push(SettingsProblem::Device { device: self.name.clone(), what });
        // 248 to 254 are reserved; 255 addresses the TCP device itself (Modbus Messaging on TCP/IP V1.0b, 4.4.2.1).
        if (248..=254).contains(&self.modbus_unit) {
            wrong(format!("modbus unit {} is reserved; 0 to 247 or 255 is possible", self.modbus_unit));
        }
        let limits = &self.limits;
        if !(1..=REGISTERS_MAX).contains(&limits.max_registers) {
            wrong(format!("{} registers in one read; 1 to {REGISTERS_MAX} is possible", limits.max_registers));
        }
        if !(1..=BITS_MAX).contains(&limits.max_bits) {
            wrong(format!("{} bits in one read; 1 to {BITS_MAX} is possible", limits.max_bits));
        }
        for (table, own) in &limits.tables {
            let most = if table.holds_bits() { BITS_MAX } else { REGISTERS_MAX };
            if let Some(length) = own.max_length.filter(|length| !(1..=most).contains(length)) {
                wrong(format!("{length} addresses of the {} table in one read; 1 to {most} is possible", table.name()));
            }
        }
        for (table, range) in &limits.forbidden {
            if range.is_empty() {
                wrong(format!("the forbidden {} range {}..={} is empty", table.name(), range.start(), range.end()));
            }
        }
        if let Some(rule) = &self.watchdog {
            if rule.table.holds_bits() {
                wrong(format!(
                    "its watchdog's time cannot stand in the {} table; registers hold it",
                    rule.table.name()
                ));
            }
            if !(rule.seconds_per_count.is_finite() && rule.seconds_per_count > 0.0) {
                wrong("a count of its watchdog must stand for more than 0 s".to_owned());
            }
            if rule.most < rule.least || rule.least.is_zero() {
                wrong("the shortest time of its watchdog is zero or longer than the longest".to_owned());
            }
            if touches_forbidden(self, rule.table, rule.address, 1) {
                wrong(format!("its watchdog stands in the {} table where it is forbidden", rule.table.name()));
            }
        }
        for register in &self.registers {
            problems.extend(register_problems(self, register));
        }
    }
}

fn problem(device: &DeviceSettings, register: &Register, what: impl Into<String>) -> SettingsProblem {
    SettingsProblem::Register { device: device.name.clone(), point: register.name().to_owned(), what: what.into() }
}

fn register_problems(device: &DeviceSettings, register: &Register) -> Vec<SettingsProblem> {
    let mut whats: Vec<String> = Vec::new();
    let table = register.table.name();

    match (&register.encoding, register.table.holds_bits()) {
        (Encoding::Bit { bit: None, .. }, false) => whats.push(format!("a bit of a {table} needs its number, 0 to 15")),
        (Encoding::Bit { bit: Some(bit), .. }, false) if 15 < *bit => {
            whats.push(format!("bit {bit} of a word of 16; 0 to 15 is possible"));
        }
        (Encoding::Bit { bit: Some(_), .. }, true) => whats.push(format!("a {table} is a bit and has no bit number")),
        (Encoding::Bit { .. }, _) => {}
        (_, true) => whats.push(format!("a {table} holds a bit, so its encoding must be a bit")),
        (Encoding::Enum { rows }, false) if rows.is_empty() => whats.push("an enum without codes".to_owned()),
        (_, false) => {}
    }
    if matches!(register.encoding, Encoding::Bit { .. }) && register.definition.unit != Unit::Switch {
        whats.push("a bit can only be read into a point that is on or off".to_owned());
    }
    if !register.scale.is_finite() || register.scale == 0.0 || !register.offset.is_finite() {
        whats.push("scale and offset must be finite numbers and the scale not zero".to_owned());
    }
    if register.period.is_zero() {
        whats.push("the period is zero; 1 s is the shortest that is usual".to_owned());
    }

    let end = u32::from(register.address) + u32::from(register.width());
    if end > 65_536 {
        whats.push(format!("its words reach beyond address 65535 of the {table} table"));
    }
    let limit = device.limits.max_length(register.table);
    if limit < register.width() {
        whats.push(format!("is {} words long, but the device gives at most {limit} at a time", register.width()));
    }
    if register.is_polled() && touches_forbidden(device, register.table, register.address, register.width()) {
        whats.push(format!("lies in an address range of the {table} table that is forbidden"));
    }

    if let Some(rules) = &register.write {
        write_problems(device, register, rules, &mut whats);
    } else if register.definition.direction == Direction::Output {
        whats.push("is an output, so it needs write rules".to_owned());
    }
    whats.into_iter().map(|what| problem(device, register, what)).collect()
}

fn write_problems(device: &DeviceSettings, register: &Register, rules: &WriteRules, whats: &mut Vec<String>) {
    if register.definition.direction == Direction::Input {
        whats.push("is an input and cannot be written".to_owned());
    }
    if !register.table.is_writable() {
        whats.push(format!(
            "cannot be written: it stands in the {} table; coils and holding registers can be",
            register.table.name()
        ));
    }
    if !function_fits(register, rules.function) {
        whats.push(format!("write function {:?} does not fit its table and encoding; automatic does", rules.function));
    }
    if rules.refresh < rules.minimum_interval || rules.refresh.is_zero() {
        whats.push("the refresh period is zero or shorter than the minimum interval between writes".to_owned());
    }
    if !rules.tolerance.is_finite() || rules.tolerance < 0.0 {
        whats.push("the tolerance must be a finite number, zero or more".to_owned());
    }
    if let Memory::NonVolatile { writes_per_year: 0 } = rules.memory {
        whats.push("no write a year is left; 1000 is usual for non-volatile memory".to_owned());
    }
    if let ReadBack::OtherRegister { table, address } = rules.read_back {
        if table.holds_bits() != register.table.holds_bits() {
            whats.push("is verified in a table that holds something else (bits against words)".to_owned());
        }
        if u32::from(address) + u32::from(register.width()) > 65_536 {
            whats.push("is verified at an address beyond 65535".to_owned());
        }
        if touches_forbidden(device, table, address, register.width()) {
            whats.push("is verified at an address that is forbidden".to_owned());
        }
    }
}

fn function_fits(register: &Register, function: WriteFunction) -> bool {
    let is_coil = register.table == Table::Coil;
    let is_bit_of_word = !is_coil && matches!(register.encoding, Encoding::Bit { .. });
    match function {
        WriteFunction::Automatic => true,
        WriteFunction::SingleCoil | WriteFunction::MultipleCoils => is_coil,
        WriteFunction::SingleRegister => !is_coil && !is_bit_of_word && register.encoding.words() == 1,
        WriteFunction::MultipleRegisters => !is_coil && !is_bit_of_word,
        WriteFunction::MaskRegister | WriteFunction::ReadModifyWrite => is_bit_of_word,
    }
}

pub(crate) fn touches_forbidden(device: &DeviceSettings, table: Table, address: u16, width: u16) -> bool {
    let last = u32::from(address) + u32::from(width) - 1;
    device
        .limits
        .forbidden
        .iter()
        .any(|(of, range)| *of == table && u32::from(*range.start()) <= last && address <= *range.end())
}

/// Whether an address is `host:port`, an IPv6 host in brackets.
pub fn is_host_and_port(address: &str) -> bool {
    let Some((host, port)) = address.rsplit_once(':') else { return false };
    let bracketed = host.starts_with('[') && host.ends_with(']');
    let host_is_plain = !host.is_empty() && (bracketed || !host.contains([':', '[', ']', ' ', '/']));
    host_is_plain && port.parse::<u16>().is_ok_and(|port| port != 0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::encoding::Polarity;
    use crate::settings::Transport;
    use crate::testing::{input, output, wire_of};

    fn whats(wire: &WireSettings) -> Vec<String> {
        wire.problems().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_sound_wire_has_no_problems() {
        let wire = wire_of(vec![
            input("primary.flow", Table::HoldingRegister, 10, Encoding::U16),
            output("circuit.low-zone.valve.position", Table::HoldingRegister, 20, Encoding::U16),
        ]);
        assert_eq!(whats(&wire), Vec::<String>::new());
    }

    #[test]
    fn every_problem_is_told_at_once_with_its_place() {
        let mut wire = wire_of(vec![
            input("primary.flow", Table::Coil, 10, Encoding::U16),
            input(
                "mains.healthy",
                Table::HoldingRegister,
                11,
                Encoding::Bit { bit: Some(16), polarity: Polarity::Straight },
            ),
            output("circuit.low-zone.valve.position", Table::InputRegister, 20, Encoding::U16),
        ]);
        wire.timeout = Duration::ZERO;
        wire.transport = Transport::modbus_tcp("fd00::1:502");
        let told = whats(&wire);
        assert_eq!(told.len(), 5, "{told:#?}");
        assert!(told[3].contains("mains.healthy: bit 16 of a word"), "{told:#?}");
        assert!(told[4].contains("cannot be written: it stands in the input-register table"), "{told:#?}");
    }

    #[test]
    fn addresses_carry_a_port_and_ipv6_stands_in_brackets() {
        for good in ["10.0.0.7:502", "plc.station.local:502", "[fd00::1]:1502"] {
            assert!(is_host_and_port(good), "{good}");
        }
        for bad in ["10.0.0.7", "fd00::1:502", ":502", "plc:0", "plc:70000", "http://plc:502"] {
            assert!(!is_host_and_port(bad), "{bad}");
        }
    }

    #[test]
    fn a_value_longer_than_the_device_gives_at_a_time_is_a_problem() {
        let mut wire = wire_of(vec![input(
            "primary.volume",
            Table::HoldingRegister,
            0,
            Encoding::F64 { order: crate::encoding::WordOrder::Abcd },
        )]);
        wire.devices[0].limits.max_registers = 2;
        assert!(whats(&wire)[0].contains("4 words long"));
    }
}
