//! Rows of what guards the station: the reason of the moment, frost, authority, sensors.

use std::borrow::Cow;

use heatstation_core::authority::{Authority, Device};
use heatstation_core::frost::FrostStage;
use heatstation_core::reason::OperationReason;
use heatstation_core::report::CircuitReport;
use heatstation_core::sensor_watch::{Finding, Watched};
use heatstation_core::sources::Quantity;

use super::{Labels, Table, seconds, states, whole};

pub(super) fn rows(table: &mut Table) {
    reasons(table);
    frost(table);
    authority(table);
    sensors(table);
}

fn reasons(table: &mut Table) {
    let all = || OperationReason::ALL.iter().map(|reason| reason.name());
    let reason = table.each_circuit_by("reason", |c| states(all(), c.operation.name()).collect::<Vec<_>>());
    let help = "1 for the reason why the circuit does what it does.";
    table.gauge(("heatstation_operation_reason", ""), help, reason);
    let number = table.each_circuit(|circuit| Some(whole(circuit.operation.number())));
    let help = "The same as the number that dispatch centres know; 2 is heating at the setpoint.";
    table.gauge(("heatstation_operation_reason_code", ""), help, number);
    let reached = table.each_circuit(|circuit| Some(whole(circuit.reached)));
    let help = "Whether the setpoint has been reached since the valve opened.";
    table.gauge(("heatstation_setpoint_reached", ""), help, reached);
}

fn frost(table: &mut Table) {
    let stage = table.each_circuit_by("stage", |c| states(FrostStage::ALL.map(FrostStage::name), c.frost.name()));
    table.gauge(("heatstation_frost_stage", ""), "1 for how far frost protection goes.", stage);
    let left = table.each_circuit(|circuit| circuit.freezes_in.map(seconds));
    let help = "When the coldest water will stand at 0 °C, while no heat comes in frost. No series otherwise.";
    table.gauge(("heatstation_freezes_in", "seconds"), help, left);
}

/// The text name of a device inside its circuit, as its points have it.
pub(crate) fn device_name(device: Device) -> Cow<'static, str> {
    device.number().map_or(Cow::Borrowed(device.kind()), |n| Cow::Owned(format!("{}.{}", device.kind(), n + 1)))
}

fn authority(table: &mut Table) {
    let (mut who, mut left) = (Vec::new(), Vec::new());
    let circuits = &table.snapshot.report.circuits;
    for circuit in circuits {
        let Some(names) = table.snapshot.facts.catalogue.circuits().get(circuit.circuit.0) else { continue };
        for device in Device::all(names.circulation_pumps, names.make_up_pumps, names.buildings.len()) {
            let held: Vec<_> = circuit.held.iter().filter(|held| held.device == device).collect();
            let authority = held.iter().map(|held| held.authority).max().unwrap_or_default();
            let mut labels = table.at(circuit.circuit);
            labels.push(("device", device_name(device)));
            for (name, value) in states(Authority::ALL.map(Authority::name), authority.name()) {
                let mut labels = labels.clone();
                labels.push(("authority", Cow::Borrowed(name)));
                who.push((labels, value));
            }
            for held in held {
                let (Some(time), Some(origin)) = (held.left, held.origin) else { continue };
                let mut labels = labels.clone();
                labels.push(("authority", Cow::Borrowed(held.authority.name())));
                labels.push(("origin", Cow::Borrowed(origin.name())));
                left.push((labels, seconds(time)));
            }
        }
    }
    table.gauge(("heatstation_device_authority", ""), "1 for who has the device: the most binding of all.", who);
    let help = "Time until the device is given back by itself. No series for what has no end or is automatic.";
    table.gauge(("heatstation_device_lease_left", "seconds"), help, left);
}

fn sensors(table: &mut Table) {
    let (mut sources, mut doubted) = (Vec::new(), Vec::new());
    for circuit in &table.snapshot.report.circuits {
        for &quantity in Quantity::ALL {
            let labels = with(table, circuit, "quantity", quantity.name());
            let names = quantity.rungs().iter().map(|source| source.name());
            for (name, value) in states(names, circuit.sources.of(quantity).name()) {
                let mut labels = labels.clone();
                labels.push(("source", Cow::Borrowed(name)));
                sources.push((labels, value));
            }
        }
        for &sensor in Watched::ALL {
            let found = circuit.doubted.of(sensor);
            let labels = with(table, circuit, "sensor", sensor.name());
            for &finding in Finding::ALL {
                let mut labels = labels.clone();
                labels.push(("finding", Cow::Borrowed(finding.name())));
                doubted.push((labels, whole(found == Some(finding))));
            }
        }
    }
    table.gauge(("heatstation_quantity_source", ""), "1 for what the quantity is taken from.", sources);
    let help = "1 while a sensor shows something that cannot be.";
    table.gauge(("heatstation_sensor_doubted", ""), help, doubted);
}

fn with(table: &Table, circuit: &CircuitReport, label: &'static str, value: &'static str) -> Labels {
    let mut labels = table.at(circuit.circuit);
    labels.push((label, Cow::Borrowed(value)));
    labels
}
