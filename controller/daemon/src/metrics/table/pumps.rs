//! The pumps: how their speed is found, how each stands, and what it has done.

use std::borrow::Cow;

use heatstation_core::circulation::{PumpFailure, PumpReport, PumpState, SpeedReason};

use super::{Labels, Number, Table, count, seconds, states, whole};

/// All states of a circulation pump.
const PUMP_STATES: [PumpState; 8] = [
    PumpState::Standby,
    PumpState::Duty,
    PumpState::Exercise,
    PumpState::StartBarred,
    PumpState::Resting(PumpFailure::Fault),
    PumpState::Resting(PumpFailure::NoFeedback),
    PumpState::Resting(PumpFailure::NoWater),
    PumpState::GivenUp,
];

pub(super) fn rows(table: &mut Table<'_>) {
    speed(table);
    let state =
        each_pump(table, |pump| states(PUMP_STATES.map(PumpState::name), pump.state.name()).collect::<Vec<_>>());
    let state = state.into_iter().flat_map(|(labels, values)| {
        values.into_iter().map(move |(name, value)| {
            let mut labels = labels.clone();
            labels.push(("state", Cow::Borrowed(name)));
            (labels, value)
        })
    });
    let state: Vec<_> = state.collect();
    table.gauge(("heatstation_pump_state", ""), "1 for how a circulation pump stands.", state);
    let run = each_pump(table, |pump| seconds(pump.count.run));
    table.counter(("heatstation_pump_run", "seconds"), "How long a circulation pump was told to run.", run);
    let starts = each_pump(table, |pump| whole(pump.count.starts));
    table.counter(("heatstation_pump_starts", ""), "How often a circulation pump was started.", starts);
    let energy = each_pump(table, |pump| Number::Real(pump.count.energy.0));
    let help = "Electricity of a circulation pump, where its power is measured; counted by this program.";
    table.counter(("heatstation_pump_energy", "joules"), help, energy);
}

fn speed(table: &mut Table<'_>) {
    let reason = table.each_circuit_by("reason", |circuit| {
        states(SpeedReason::ALL.map(SpeedReason::name), circuit.circulation.speed.reason.name())
    });
    table.gauge(("heatstation_pump_speed_reason", ""), "1 for what decides the circulation's speed.", reason);
    let wanted = table.each_circuit(|c| c.circulation.speed.flow_setpoint.map(|share| Number::Real(share.0)));
    let help = "Wanted flow as a share of the full flow, where the flow follows the load.";
    table.gauge(("heatstation_flow_setpoint", "ratio"), help, wanted);
    let spread = table.each_circuit(|c| c.circulation.speed.spread_setpoint.map(|spread| Number::Real(spread.0)));
    let help = "Wanted difference of supply and return, where the circulation holds one.";
    table.gauge(("heatstation_spread_setpoint", "kelvins"), help, spread);
    let asking = table.each_circuit(|circuit| Some(count(circuit.circulation.speed.far.asking)));
    let help = "Far buildings that ask for more flow, where the mode listens to them.";
    table.gauge(("heatstation_far_buildings_asking", ""), help, asking);
}

/// One value of each circulation pump that a circuit has.
fn each_pump<T>(table: &Table<'_>, value: impl Fn(&PumpReport) -> T) -> Vec<(Labels, T)> {
    let settings = &table.snapshot.facts.settings.circuits;
    let one = |circuit: &heatstation_core::report::CircuitReport| {
        let pumps = settings.get(circuit.circuit.0).map_or(0, |settings| settings.circulation.pumps);
        let at = table.at(circuit.circuit);
        let labelled = circuit.circulation.pumps.iter().take(pumps).enumerate().map(|(number, pump)| {
            let mut labels = at.clone();
            labels.push(("pump", Cow::Owned(format!("circulation_pump.{}", number + 1))));
            (labels, value(pump))
        });
        labelled.collect::<Vec<_>>()
    };
    table.snapshot.report.circuits.iter().flat_map(one).collect()
}
