//! The primary valve and its loop: gains, health, tuning.

use heatstation_core::auto_tune::TuneStage;
use heatstation_core::gain_schedule::GainSource;
use heatstation_core::report::CircuitReport;
use heatstation_core::valve_health::Rung;
use heatstation_core::valve_report::ValveReport;

use super::{Number, Table, count, states, whole};

pub(super) fn rows(table: &mut Table<'_>) {
    gains(table);
    health(table);
    tuning(table);
}

fn each(table: &Table<'_>, value: fn(&ValveReport) -> Option<f64>) -> Vec<(super::Labels, Number)> {
    table.each_circuit(|circuit: &CircuitReport| value(&circuit.valve).map(Number::Real))
}

fn gains(table: &mut Table<'_>) {
    let factor = each(table, |valve| Some(valve.gain_factor));
    let help = "What the configured gain of the supply loop is multiplied by: plant, tuning and health of the valve.";
    table.gauge(("heatstation_supply_loop_gain", "ratio"), help, factor);
    let gain = each(table, |valve| valve.process_gain.map(|gain| gain.0));
    let help = "What the supply answers to a full stroke of the valve where it stands.";
    table.gauge(("heatstation_valve_process_gain", "kelvins"), help, gain);
    let source = table.each_circuit_by("source", |circuit| {
        states(GainSource::ALL.map(GainSource::name), circuit.valve.gain_source.name()).collect::<Vec<_>>()
    });
    table.gauge(("heatstation_valve_process_gain_source", ""), "1 for what that is known by.", source);
    let band = each(table, |valve| Some(valve.dead_band.0));
    let help = "Wished travel below which the valve is left alone.";
    table.gauge(("heatstation_valve_dead_band", "ratio"), help, band);
    let ahead = each(table, |valve| Some(valve.fed_forward.0));
    let help = "What feed-forward has moved the valve by within about half an hour.";
    table.gauge(("heatstation_valve_feed_forward", "ratio"), help, ahead);
    let transfer = each(table, |valve| Some(valve.exchanger_transfer.0));
    let help = "Heat transfer of the exchanger in service over that of its design figures; it falls as it fouls.";
    table.gauge(("heatstation_exchanger_transfer", "ratio"), help, transfer);
    let reckoned = each(table, |valve| valve.reckoned.map(|position| position.0));
    let help = "Where a three-point motor is reckoned to stand.";
    table.gauge(("heatstation_valve_reckoned_position", "ratio"), help, reckoned);
    let locked = table.each_circuit(|circuit| circuit.valve.reckoned.map(|_| whole(circuit.valve.motor_locked)));
    let help = "1 while the pulse lock keeps a three-point motor at its stop.";
    table.gauge(("heatstation_valve_motor_locked", ""), help, locked);
}

fn health(table: &mut Table<'_>) {
    let rung = table.each_circuit_by("rung", |circuit| {
        states(Rung::ALL.map(Rung::name), circuit.valve.health.rung.name()).collect::<Vec<_>>()
    });
    table.gauge(("heatstation_valve_care", ""), "1 for what is done about a supply loop that hunts.", rung);
    let reversals = each(table, |valve| Some(valve.health.reversals));
    let help = "Reversals of the valve's command within the last hour of control.";
    table.gauge(("heatstation_valve_reversals_per_hour", ""), help, reversals);
    let strokes = each(table, |valve| Some(valve.health.strokes));
    let help = "Full strokes that the valve was told to make within the last day of control.";
    table.gauge(("heatstation_valve_strokes_per_day", ""), help, strokes);
    let events = table.each_circuit(|circuit| Some(count(circuit.valve.health.load_events)));
    let help = "Load events of the supply loop within fifty integral times; ten are hunting.";
    table.gauge(("heatstation_supply_loop_load_events", ""), help, events);
    let play = each(table, |valve| valve.health.play.map(|play| play.0));
    let help = "Play between motor and plug, by the meter or by the last test.";
    table.gauge(("heatstation_valve_play", "ratio"), help, play);
}

fn tuning(table: &mut Table<'_>) {
    let stage = table.each_circuit_by("stage", |circuit| {
        states(TuneStage::ALL.map(TuneStage::name), circuit.valve.tuning.stage.name()).collect::<Vec<_>>()
    });
    table.gauge(("heatstation_auto_tune_stage", ""), "1 for where tuning by experiment stands.", stage);
    let points = table.each_circuit(|circuit| Some(count(circuit.valve.tuning.points)));
    table.gauge(("heatstation_auto_tune_points", ""), "Results of tuning that are in force.", points);
    let waits = table.each_circuit(|circuit| Some(whole(circuit.valve.tuning.proposal.is_some())));
    table.gauge(("heatstation_auto_tune_proposal", ""), "1 while a result waits to be accepted.", waits);
}
