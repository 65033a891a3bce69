//! The contacts of a three-point motor: whether the device can be told of every pulse, in time.
//!
//! A pulse is as long as the time between two writes. A device that may be written less often than once a cycle makes
//! every pulse longer than it was reckoned, and one that keeps what it is told in memory with a life is worn out by them.

use std::time::Duration;

use heatstation_core::actuator::ActuatorSettings;
use heatstation_drivers::settings::{Memory, Register, WireSettings};
use heatstation_points::{CircuitIndex, CircuitOutput, Point};

use crate::check::circuit::CheckedCircuit;
use crate::desk::Desk;
use crate::points::Home;

/// The period of the control.
const CYCLE: Duration = Duration::from_secs(1);

pub(crate) fn check(desk: &mut Desk, circuits: &[CheckedCircuit], wires: &[WireSettings], homes: &[Home]) {
    for (number, circuit) in circuits.iter().enumerate() {
        if circuit.settings.valve.actuator == ActuatorSettings::Position {
            continue;
        }
        for output in [CircuitOutput::ValveOpening, CircuitOutput::ValveClosing] {
            let point = Point::CircuitOutput(CircuitIndex(number), output);
            let registers = wires.iter().flat_map(|wire| &wire.devices).flat_map(|device| &device.registers);
            for register in registers.filter(|register| register.point() == point) {
                check_register(desk, register, homes);
            }
        }
    }
}

fn check_register(desk: &mut Desk, register: &Register, homes: &[Home]) {
    let Some(rules) = &register.write else { return };
    let Some(home) = homes.iter().find(|home| home.point == register.name()) else { return };
    if rules.minimum_interval > CYCLE {
        let what = format!("may be written every {} s only", rules.minimum_interval.as_secs_f64());
        let help = "a pulse ends when the next write says so: allow a write each second (`minimum_interval_seconds`)";
        desk.error(&home.place, register.name(), what, help);
    }
    if let Memory::NonVolatile { .. } = rules.memory {
        let help =
            "a motor's contacts are switched thousands of times a year: use a register without `writes_per_year`";
        desk.error(&home.place, register.name(), "stands in memory that wears out", help);
    }
}
