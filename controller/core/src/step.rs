//! One step of the control: settings, state and inputs in, the next state and a report out.
//!
//! Read `step_circuit` as the table of contents: see → setpoint → sequence → valve → pumps → make-up →
//! balance → interlocks → outage → alarms. It cannot fail; what is missing is a value with kinds, and each use says what it does
//! with it.

use std::time::Duration;

use heatstation_points::{CircuitIndex, Readings, Switch};

use crate::adopt;
use crate::alarms_of_step;
use crate::equivalent_outdoor::Sky;
use crate::event::Event;
use crate::forecast::Forecast;
use crate::heating_limit::{Eco, Owed};
use crate::leak::LeakReport;
use crate::moment::Moment;
use crate::report::{CircuitReport, Report};
use crate::request::{Mode, Request};
use crate::requests;
use crate::settings::{CircuitSettings, Settings};
use crate::state::{CircuitState, State};
use crate::surroundings::Surroundings;
use crate::valve_report::ValveReport;

mod guard;
mod heat;
mod limit;
mod see;
mod valve;
mod water;

use guard::{judge_interlocks, run_sequence, watch_outage};
use heat::{find_setpoint, pause};
use see::see;
use valve::drive_valve;
use water::{balance_buildings, drive_pumps, hold_pressure};

pub use crate::surroundings::Health;

/// What a step is given.
#[derive(Clone, Debug, PartialEq)]
pub struct Inputs {
    /// The time.
    pub now: Moment,
    /// One snapshot of all points.
    pub readings: Readings,
    /// What the meteorological service foresees, if it does; its age is the caller's to keep up.
    pub forecast: Option<Forecast>,
    /// What people and dispatch ask, in the order of arrival.
    pub requests: Vec<Request>,
    /// How the program itself fares.
    pub health: Health,
}

/// One step.
pub fn step(settings: &Settings, mut state: State, inputs: &Inputs) -> (State, Report) {
    let dt = state.last.map_or(Duration::ZERO, |last| inputs.now.monotonic.saturating_sub(last));
    state.last = Some(inputs.now.monotonic);
    let mut events = Vec::new();

    requests::grant(settings, &mut state, &inputs.requests, dt, &mut events);

    let source_before = state.outdoor.source;
    let forecast = inputs.forecast.as_ref();
    let outdoor = state.outdoor.observe(&settings.outdoor, &inputs.readings.station, forecast, dt);
    if outdoor.source != source_before {
        events.push(Event::OutdoorSourceChanged { from: source_before, to: outdoor.source });
    }

    let outlook = state.outdoor.outlook(&outdoor, forecast);
    let sky = Sky::seen(outdoor, settings.outdoor.filter, &inputs.readings.station, outlook);

    let in_season = settings.season.contains(inputs.now.wall);
    let time_before = state.season.time;
    let heating_time = state.season.advance(&settings.season, &settings.shoulder, &outdoor, inputs.now.wall, dt);
    if heating_time != time_before {
        events.push(Event::HeatingTimeChanged { from: time_before, to: heating_time });
    }
    let mut circuits = Vec::with_capacity(settings.circuits.len());
    for (number, (circuit, memory)) in settings.circuits.iter().zip(&mut state.circuits).enumerate() {
        let surroundings = Surroundings {
            index: CircuitIndex(number),
            now: inputs.now,
            outdoor,
            sky,
            in_season,
            season_start: settings.season.start,
            heats: heating_time.heats(),
            owed: Owed::at(&settings.season, inputs.now.wall),
            station: &inputs.readings.station,
            own: &inputs.readings.circuits[number],
            dt,
        };
        let report = step_circuit(circuit, memory, &surroundings, &mut events);
        alarms_of_step::of_circuit(circuit, memory, &report, &surroundings, &mut state.alarms, &mut events);
        circuits.push(report);
    }
    let facts = alarms_of_step::StationFacts { outdoor, health: inputs.health, now: inputs.now, dt };
    alarms_of_step::of_station(&inputs.readings.station, &facts, &mut state.alarms, &mut events);

    let alarms = state.alarms.active();
    let days_mean = state.season.mean();
    let report = Report { moment: inputs.now, in_season, heating_time, days_mean, outdoor, circuits, alarms, events };
    (state, report)
}

fn step_circuit(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    events: &mut Vec<Event>,
) -> CircuitReport {
    let seen = see(settings, memory, at, events);
    let ours = adopt::take_over(settings, memory, at, seen.circulating);
    let frost = memory.frost.advance(&settings.frost, at.outdoor.now, at.own, at.dt);
    let equivalent = memory.equivalent.advance(&settings.weather, &at.sky, seen.rooms.tail_excess(), at.dt);
    let eco = pause(settings, memory, at, &equivalent, events);
    let wanted = (at.heats && memory.mode == Mode::Automatic && eco != Eco::Paused) || frost.heat;

    judge_interlocks(settings, memory, at, &seen, events);
    run_sequence(settings, memory, at, &seen, wanted, events);
    let (setpoint, room_trim, quota) = find_setpoint(settings, memory, at, &seen, equivalent, frost.heat);
    let valve_reason = drive_valve(settings, memory, at, &seen, &setpoint, frost.heat, events);
    let pump_reason = drive_pumps(settings, memory, at, &seen, frost.circulation, events);
    let mut commands = hold_pressure(settings, memory, at, &seen);
    let balance = balance_buildings(settings, memory, at, &seen, Switch::from(frost.circulation), &mut commands);

    watch_outage(settings, memory, at, &seen, &setpoint, events);
    CircuitReport {
        circuit: at.index,
        mode: memory.mode,
        stage: memory.sequence.stage,
        eco,
        equivalent,
        setpoint,
        quota,
        supply: seen.supply,
        supply_source: seen.supply_source,
        valve_reason,
        valve: ValveReport::of(settings, memory),
        pump_reason,
        circulation: memory.circulation.report(&settings.circulation),
        pressure_setpoint: settings.make_up.as_ref().map(|make_up| make_up.setpoint),
        make_up: settings.make_up.as_ref().map(|_| memory.make_up.report()),
        leak: leak_report(settings, memory, at),
        balance,
        circulating: seen.circulating,
        trips: memory.interlocks.active().collect(),
        in_hand: memory.hand.left(),
        rooms: seen.rooms,
        room_verdicts: memory.room_sensors.verdicts(),
        room_trim,
        outage: memory.watch.open(at.index),
        season_time: memory.watch.seconds,
        withheld: adopt::withheld(settings, at),
        commands: ours.then_some(commands),
    }
}

/// What the network loses; nobody can tell where make-up is not metered.
fn leak_report(settings: &CircuitSettings, memory: &CircuitState, at: &Surroundings) -> Option<LeakReport> {
    let own = &at.own.own;
    let metered = own.make_up_volume.is_configured() || own.make_up_flow.is_configured();
    settings.make_up.as_ref().filter(|_| metered).map(|make_up| memory.leak.report(&make_up.leak))
}

#[cfg(test)]
pub(crate) mod tests;
