//! Pressure holding: why make-up does what it does, by what, and what the network loses.

use std::borrow::Cow;

use heatstation_core::circulation::PumpFailure;
use heatstation_core::leak::{LeakReport, LeakSign};
use heatstation_core::make_up::{MakeUpPumpReport, MakeUpPumpState, MakeUpReason, PressureSource, TankSource};
use heatstation_core::report::CircuitReport;

use super::{Labels, Number, Table, seconds, states, whole};

/// All states of a make-up pump.
const PUMP_STATES: [MakeUpPumpState; 5] = [
    MakeUpPumpState::Standby,
    MakeUpPumpState::Working,
    MakeUpPumpState::Failed(PumpFailure::Fault),
    MakeUpPumpState::Failed(PumpFailure::NoFeedback),
    MakeUpPumpState::Failed(PumpFailure::NoWater),
];

pub(super) fn rows(table: &mut Table<'_>) {
    make_up(table);
    pumps(table);
    leak(table);
}

fn make_up(table: &mut Table<'_>) {
    let reason = named(table, "reason", |circuit| {
        let reason = circuit.make_up?.reason;
        Some(states(MakeUpReason::ALL.map(MakeUpReason::name), reason.name()).collect())
    });
    table.gauge(("heatstation_make_up_reason", ""), "1 for why make-up does what it does.", reason);
    let source = named(table, "source", |circuit| {
        let source = circuit.make_up?.pressure_source;
        Some(states(PressureSource::ALL.map(PressureSource::name), source.name()).collect())
    });
    let help = "1 for where the holding-point pressure comes from.";
    table.gauge(("heatstation_holding_pressure_source", ""), help, source);
    let tank = named(table, "source", |circuit| {
        let tank = circuit.make_up?.tank_source;
        Some(states(TankSource::ALL.map(TankSource::name), tank.name()).collect())
    });
    table.gauge(("heatstation_tank_source", ""), "1 for what is known of the make-up tank by.", tank);
    let today = table.each_circuit(|circuit| circuit.make_up.map(|make_up| Number::Real(make_up.today)));
    let help = "Make-up water of the local day so far, as the limit of the day counts it.";
    table.gauge(("heatstation_make_up_today", "cubic_meters"), help, today);
}

fn pumps(table: &mut Table<'_>) {
    let pumps = each_pump(table);
    let state = pumps.iter().flat_map(|(labels, pump)| {
        let all = states(PUMP_STATES.map(MakeUpPumpState::name), pump.state.name()).collect::<Vec<_>>();
        all.into_iter().map(move |(name, value)| {
            let mut labels = labels.clone();
            labels.push(("state", Cow::Borrowed(name)));
            (labels, value)
        })
    });
    let state: Vec<_> = state.collect();
    let of = |value: fn(&MakeUpPumpReport) -> Number| -> Vec<(Labels, Number)> {
        pumps.iter().map(|(labels, pump)| (labels.clone(), value(pump))).collect()
    };
    let (run, starts) = (of(|pump| seconds(pump.count.run)), of(|pump| whole(pump.count.starts)));
    let energy = of(|pump| Number::Real(pump.count.energy.0));
    table.gauge(("heatstation_make_up_pump_state", ""), "1 for how a make-up pump stands.", state);
    table.counter(("heatstation_make_up_pump_run", "seconds"), "How long a make-up pump was told to run.", run);
    table.counter(("heatstation_make_up_pump_starts", ""), "How often a make-up pump was started.", starts);
    let help = "Electricity of a make-up pump, where its power is measured; counted by this program.";
    table.counter(("heatstation_make_up_pump_energy", "joules"), help, energy);
}

fn leak(table: &mut Table<'_>) {
    let each = |table: &Table<'_>, value: fn(&LeakReport) -> Option<f64>| {
        table.each_circuit(|circuit| Some(Number::Real(value(&circuit.leak?)?)))
    };
    let rate = each(table, |leak| leak.rate.map(|(rate, _)| rate.0));
    let help = "Water that the network loses, by the balance of make-up, temperature and pressure over a day.";
    table.gauge(("heatstation_leak", "cubic_meters_per_second"), help, rate);
    let error = each(table, |leak| leak.rate.map(|(_, error)| error.0));
    let help = "Standard error of that.";
    table.gauge(("heatstation_leak_error", "cubic_meters_per_second"), help, error);
    let share = each(table, |leak| leak.per_day.map(|(share, _)| share.0));
    let help = "The same loss as a share of the loop's water a day.";
    table.gauge(("heatstation_leak_per_day", "ratio"), help, share);
    let night = each(table, |leak| leak.night.map(|night| night.0));
    let help = "Water that the network lost in the last night, 0 to 5 h.";
    table.gauge(("heatstation_leak_night", "cubic_meters_per_second"), help, night);
    let trend = each(table, |leak| leak.trend);
    let help = "By how much the loss of a day grows from day to day, in m³.";
    table.gauge(("heatstation_leak_trend", "cubic_meters"), help, trend);
    let signs = named(table, "sign", |circuit| {
        let leak = circuit.leak?;
        let one = |(sign, there): (LeakSign, bool)| (sign.name(), whole(there));
        Some(LeakSign::ALL.into_iter().zip(leak.signs).map(one).collect())
    });
    table.gauge(("heatstation_leak_sign", ""), "1 for each sign of a leak that there is.", signs);
    let burst = table.each_circuit(|circuit| Some(whole(circuit.leak?.burst)));
    table.gauge(("heatstation_burst", ""), "1 while the pressure falls although make-up runs.", burst);
}

/// Named values of each circuit that has them.
fn named(
    table: &Table<'_>,
    label: &'static str,
    values: impl Fn(&CircuitReport) -> Option<Vec<(&'static str, Number)>>,
) -> Vec<(Labels, Number)> {
    table.each_circuit_by(label, |circuit| values(circuit).unwrap_or_default())
}

fn each_pump(table: &Table<'_>) -> Vec<(Labels, MakeUpPumpReport)> {
    let settings = &table.snapshot.facts.settings.circuits;
    let one = |circuit: &CircuitReport| {
        let pumps = settings.get(circuit.circuit.0).and_then(|circuit| circuit.make_up).map_or(0, |m| m.pumps);
        let at = table.at(circuit.circuit);
        let all = circuit.make_up.map(|make_up| make_up.pumps).unwrap_or_default();
        let labelled = all.into_iter().take(pumps).enumerate().map(move |(number, pump)| {
            let mut labels = at.clone();
            labels.push(("pump", Cow::Owned(format!("make_up_pump.{}", number + 1))));
            (labels, pump)
        });
        labelled.collect::<Vec<_>>()
    };
    table.snapshot.report.circuits.iter().flat_map(one).collect()
}
