//! The part of the table that is about the hours of a circuit: programme, set-back, starting ahead of the clock, what is shed
//! and what people correct. What each adds to the setpoint is in the contributions.

use heatstation_core::correction::Correction;
use heatstation_core::load_shed::{ShedBy, ShedEnd};
use heatstation_core::optimum::Ahead;
use heatstation_core::report::CircuitReport;
use heatstation_core::schedule::Programme;
use heatstation_core::set_back::Withheld;
use heatstation_core::times::Phase;

use super::super::Number;
use super::{Table, seconds, states};

pub(super) fn rows(table: &mut Table) {
    let target = table.each_circuit(|circuit| Some(Number::Real(circuit.room_target.0)));
    let help = "The room temperature that is aimed at now, by programme and set-back; room trim left out.";
    table.gauge(("heatstation_room_target", "celsius"), help, target);
    let programme = table.each_circuit_by("programme", |circuit| {
        states(Programme::ALL.map(Programme::name), circuit.times.look.by.name())
    });
    table.gauge(("heatstation_programme", ""), "1 for the part of the programme in force.", programme);
    let phase = table.each_circuit_by("phase", |circuit| states(Phase::NAMES, circuit.times.phase.name()));
    table.gauge(("heatstation_day_phase", ""), "1 for where the circuit stands in its day.", phase);
    let ahead =
        table.each_circuit_by("ahead", |circuit| states(Ahead::ALL.map(Ahead::name), circuit.times.ahead.name()));
    table.gauge(("heatstation_ahead_of_clock", ""), "1 for whether the circuit is ahead of its programme.", ahead);
    let withheld = table.each_circuit_by("because", |circuit| {
        let now = circuit.times.withheld.map_or("", Withheld::name);
        states(Withheld::ALL.map(Withheld::name), now)
    });
    let help = "1 for why nothing is set back although the programme asks for it; all 0 while it is, or does not.";
    table.gauge(("heatstation_set_back_withheld", ""), help, withheld);
    let lead = table.each_circuit(|circuit| circuit.times.start_lead.map(seconds));
    let help = "How long before the next higher level the circuit will start. No series without one.";
    table.gauge(("heatstation_start_lead", "seconds"), help, lead);
    let slope =
        table.each_circuit(|circuit| circuit.times.recovery_per_hour.map(|slope| Number::Real(slope.0 / 3600.0)));
    let help = "How fast the rooms warm up after a set-back at this load, as far as it was measured.";
    table.gauge(("heatstation_recovery_rate", "kelvins_per_second"), help, slope);
    shed(table);
    corrections(table);
}

fn shed(table: &mut Table) {
    let share = table.each_circuit(|circuit| match circuit.load_shed.by {
        Some(ShedBy::Share(share)) => Some(Number::Real(share.0)),
        Some(ShedBy::Supply(_)) => None,
        None => Some(Number::Real(0.0)),
    });
    let help = "Share of the heat that is asked to be shed. No series while kelvins of supply are asked.";
    table.gauge(("heatstation_load_shed", "ratio"), help, share);
    let left = table.each_circuit(|circuit| Some(seconds(circuit.load_shed.left)));
    table.gauge(("heatstation_load_shed_left", "seconds"), "Time until the shed ends by itself.", left);
    let today = table.each_circuit(|circuit| Some(seconds(circuit.load_shed.today)));
    table.gauge(("heatstation_load_shed_today", "seconds"), "Time of shedding on this day.", today);
    let ended = table.each_circuit_by("why", |circuit| {
        let why = circuit.load_shed.last_end.map_or("", ShedEnd::name);
        states(ShedEnd::ALL.map(ShedEnd::name), why)
    });
    let help = "1 for why the last shed ended; all 0 while one runs and before the first.";
    table.gauge(("heatstation_load_shed_ended", ""), help, ended);
}

/// A curve nobody corrects has no series here.
fn corrections(table: &mut Table) {
    let all = |circuit: &CircuitReport| -> [Option<(&'static str, Correction)>; 2] {
        let asked = &circuit.corrections;
        [asked.operator.map(|(asked, _)| ("operator", asked)), asked.remote.map(|asked| ("remote", asked.correction))]
    };
    let of = |value: fn(&Correction) -> f64| {
        table.each_circuit_by("by", |circuit| {
            all(circuit).into_iter().flatten().map(move |(by, asked)| (by, Number::Real(value(&asked))))
        })
    };
    let (level, slope, room) = (of(|c| c.curve.level.0), of(|c| c.curve.slope.0), of(|c| c.room.0));
    table.gauge(("heatstation_correction_level", "kelvins"), "What a correction adds to the curve's level.", level);
    table.gauge(("heatstation_correction_slope", "ratio"), "What a correction multiplies the slope with.", slope);
    table.gauge(("heatstation_correction_room", "kelvins"), "What a correction adds to the room target.", room);
}
