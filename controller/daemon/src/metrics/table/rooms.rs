//! The part of the table that is about rooms: what the sensors say, what is thought of them, what they do to the curve, and
//! how the buildings share the water.

use heatstation_core::balance::Standing;
use heatstation_core::room_trim::Frozen;

use super::super::{Kind, Number};
use super::{Table, count, states, whole};

/// Adds the families of the rooms.
pub(super) fn rows(table: &mut Table) {
    let quantiles = table.each_circuit_by("quantile", |circuit| {
        let coldest = circuit.rooms.coldest.map(|t| ("0", Number::Real(t.0)));
        coldest.into_iter().chain(circuit.rooms.median.map(|t| ("0.5", Number::Real(t.0))))
    });
    let help = "Quantiles of the room temperatures that count; quantile 0 is the coldest.";
    table.add(("heatstation_room_temperature", "celsius"), Kind::Unknown, help, quantiles);
    let mean = table.each_circuit(|circuit| circuit.rooms.mean.map(|t| Number::Real(t.0)));
    table.gauge(("heatstation_room_mean_temperature", "celsius"), "Mean of the room temperatures that count.", mean);
    let pass = table.each_circuit(|circuit| circuit.rooms.passing.map(|share| Number::Real(share.0)));
    let help = "Share of the rooms that count that are at or above their minimum.";
    table.gauge(("heatstation_room_pass", "ratio"), help, pass);
    let tail = table.each_circuit(|circuit| circuit.rooms.tail.map(|tail| Number::Real(tail.sure().0)));
    let help = "Estimated excess of the coldest rooms over their minimum, its uncertainty subtracted.";
    table.gauge(("heatstation_room_tail_excess", "kelvins"), help, tail);
    let sensors = table.each_circuit_by("state", |circuit| {
        let rooms = &circuit.rooms;
        [("configured", count(rooms.configured)), ("fresh", count(rooms.fresh)), ("counted", count(rooms.counted))]
    });
    let help = "Room sensors, how many of them are fresh, and how many of those count.";
    table.gauge(("heatstation_room_sensors", ""), help, sensors);
    let verdicts = table.each_circuit_by("verdict", |circuit| {
        circuit.rooms.verdicts.all().map(|(verdict, number)| (verdict.name(), whole(number))).collect::<Vec<_>>()
    });
    let help =
        "What is thought of the room sensors: they count, or why they do not. The sum is all that are configured.";
    table.gauge(("heatstation_room_sensor_verdicts", ""), help, verdicts);
    trim(table);
}

fn trim(table: &mut Table) {
    let error = table.each_circuit(|circuit| circuit.rooms.tail.map(|tail| Number::Real(tail.standard_error.0)));
    let help = "Standard error of the estimate of the coldest rooms.";
    table.gauge(("heatstation_room_tail_standard_error", "kelvins"), help, error);
    let margin = table.each_circuit(|circuit| circuit.rooms.tail.map(|tail| Number::Real(tail.margin.0)));
    let help = "What of the excess is kept as a margin for that error.";
    table.gauge(("heatstation_room_tail_margin", "kelvins"), help, margin);
    let scatter = table.each_circuit(|circuit| circuit.rooms.tail.map(|tail| Number::Real(tail.scatter.0)));
    let help = "How much the flats differ in the long run, by the sensors and by what is usual.";
    table.gauge(("heatstation_room_scatter", "kelvins"), help, scatter);
    let shift = table.each_circuit(|circuit| Some(Number::Real(circuit.room_trim.shift.0)));
    let help = "What the room trim adds to the room target of the curve.";
    table.gauge(("heatstation_room_trim_shift", "kelvin"), help, shift);
    let frozen = table.each_circuit_by("because", |circuit| {
        let now = circuit.room_trim.frozen.map_or("", Frozen::name);
        states(Frozen::ALL.map(Frozen::name), now).collect::<Vec<_>>()
    });
    let help = "1 for what keeps the room trim from following the rooms; all 0 while it follows.";
    table.gauge(("heatstation_room_trim_frozen", ""), help, frozen);
    let helping = table.each_circuit(|circuit| Some(whole(circuit.room_trim.helping)));
    let help = "1 while the coldest rooms are too cold and a kelvin is added at once.";
    table.gauge(("heatstation_room_trim_helping", ""), help, helping);
}

/// Adds the families of the balance.
pub(super) fn balance(table: &mut Table) {
    let spread = table.each_circuit(|circuit| Some(Number::Real(circuit.balance?.spread?.0)));
    let help = "From the coldest to the warmest building by what is balanced, offsets taken off.";
    table.gauge(("heatstation_balance_spread", "kelvins"), help, spread);
    let mean = table.each_circuit(|circuit| Some(Number::Real(circuit.balance?.mean?.0)));
    let help = "Mean of the buildings by area: what each of them is balanced to.";
    table.gauge(("heatstation_balance_mean_temperature", "celsius"), help, mean);
    let open = table.each_circuit(|circuit| Some(Number::Real(circuit.balance?.most_open?.0)));
    let help = "Opening of the most open building valve that is balanced.";
    table.gauge(("heatstation_balance_most_open", "ratio"), help, open);
    let astray = table.each_circuit(|circuit| Some(count(circuit.balance?.astray)));
    let help = "Building valves that stand elsewhere than they were sent and are left alone.";
    table.gauge(("heatstation_balance_astray", ""), help, astray);
    let standing = table.each_circuit_by("because", |circuit| {
        let now = circuit.balance.map(|balance| balance.standing.map_or("", Standing::name));
        now.into_iter().flat_map(|now| states(Standing::ALL.map(Standing::name), now)).collect::<Vec<_>>()
    });
    let help = "1 for why the building valves stand still; all 0 while they are moved.";
    table.gauge(("heatstation_balance_standing", ""), help, standing);
}
