//! Which commands are for safety, out of the reasons that the report gives for them.
//!
//! A command is urgent when an interlock decided it: the valve that it closes, the pumps that it stops. What control, a
//! person or a loss of a sensor decides is not, however much it matters; if everything were urgent, nothing would be.

use heatstation_core::interlock::Trip;
use heatstation_core::report::{CircuitReport, PumpReason, ValveReason};
use heatstation_drivers::Urgency;
use heatstation_points::{CircuitOutput, Point};

/// How urgent a command of a circuit is.
pub fn of(circuit: &CircuitReport, point: Point) -> Urgency {
    let trips = |does: fn(Trip) -> bool| circuit.trips.iter().any(|trip| does(*trip));
    let by_interlock = match point {
        Point::CircuitOutput(_, output) => match output {
            CircuitOutput::ValvePosition | CircuitOutput::ValveOpening | CircuitOutput::ValveClosing => {
                matches!(circuit.valve_reason, ValveReason::Interlock(_))
            }
            CircuitOutput::TankInletOpen => trips(Trip::closes_inlet),
            // The isolation valve and the relief valve move in a trip only, or when a person says so.
            CircuitOutput::IsolationOpen | CircuitOutput::ReliefOpen => !circuit.trips.is_empty(),
        },
        Point::CirculationPumpOutput(..) => matches!(circuit.pump_reason, PumpReason::Interlock(_)),
        Point::MakeUpPumpOutput(..) => trips(Trip::stops_make_up),
        Point::BuildingOutput(..)
        | Point::Station(_)
        | Point::Circuit(..)
        | Point::CirculationPump(..)
        | Point::MakeUpPump(..)
        | Point::Building(..)
        | Point::Room(..)
        | Point::Auxiliary(_) => false,
    };
    if by_interlock { Urgency::Safety } else { Urgency::Control }
}

#[cfg(test)]
mod tests {
    use heatstation_points::{CircuitIndex, PumpIndex, PumpOutput};

    use super::*;
    use crate::web::canned::Station;

    const VALVE: Point = Point::CircuitOutput(CircuitIndex(0), CircuitOutput::ValvePosition);
    const PUMP: Point = Point::CirculationPumpOutput(CircuitIndex(0), PumpIndex(0), PumpOutput::Start);
    const MAKE_UP: Point = Point::MakeUpPumpOutput(CircuitIndex(0), PumpIndex(0), PumpOutput::Start);

    #[test]
    fn what_an_interlock_decides_is_urgent_and_nothing_else_is() {
        let mut circuit = Station::warm().run(1).report.circuits.swap_remove(0);
        circuit.trips.clear();
        for reason in [ValveReason::Control, ValveReason::SafePosition, ValveReason::Hand, ValveReason::ShuttingDown] {
            circuit.valve_reason = reason;
            circuit.pump_reason = PumpReason::Heating;
            assert_eq!([VALVE, PUMP, MAKE_UP].map(|point| of(&circuit, point)), [Urgency::Control; 3], "{reason:?}");
        }
        circuit.trips = vec![Trip::PressureLow];
        circuit.valve_reason = ValveReason::Interlock(Trip::PressureLow);
        circuit.pump_reason = PumpReason::Interlock(Trip::PressureLow);
        let urgencies = [VALVE, PUMP, MAKE_UP].map(|point| of(&circuit, point));
        assert_eq!(urgencies, [Urgency::Safety, Urgency::Safety, Urgency::Control]);
        circuit.trips = vec![Trip::Burst];
        assert_eq!(of(&circuit, MAKE_UP), Urgency::Safety);
    }
}
