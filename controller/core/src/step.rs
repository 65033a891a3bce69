//! One step of the control: settings, state and inputs in, the next state and a report out.
//!
//! Read `step_circuit` as the table of contents: see → take over → frost → interlocks → sequence → hours → setpoint → valve →
//! pumps → make-up → balance → outage → alarms. It cannot fail; what is missing is a value with kinds, and each use says what it
//! does with it.

use std::time::Duration;

use heatstation_points::{CircuitIndex, Readings};

use crate::adopt;
use crate::alarms_of_step;
use crate::equivalent_outdoor::Sky;
use crate::event::Event;
use crate::forecast::Forecast;
use crate::heating_limit::{Eco, Owed};
use crate::leak::LeakReport;
use crate::moment::Moment;
use crate::reason::OperationReason;
use crate::report::{CircuitCommands, CircuitReport, Report, ValveReason};
use crate::request::{Mode, Request};
use crate::requests;
use crate::settings::{CircuitSettings, Settings};
use crate::state::{CircuitState, State};
use crate::surroundings::Surroundings;
use crate::valve_report::ValveReport;

mod guard;
mod heat;
mod hours;
mod limit;
mod see;
mod valve;
mod water;
mod who;

use guard::{guard_against_frost, judge_interlocks, judge_reached, run_sequence, watch_outage};
use heat::{find_setpoint, pause};
use hours::pass_hours;
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
pub fn step(settings: &Settings, state: State, inputs: &Inputs) -> (State, Report) {
    step_reusing(settings, state, inputs, None)
}

/// The same, in the memory of a report that nobody needs any more: a station that just heats asks for no memory then.
pub fn step_reusing(settings: &Settings, mut state: State, inputs: &Inputs, spent: Option<Report>) -> (State, Report) {
    let (mut circuits, mut alarms, mut events) =
        spent.map_or_else(Default::default, |report| (report.circuits, report.alarms, report.events));
    events.clear();
    let dt = state.last.map_or(Duration::ZERO, |last| inputs.now.monotonic.saturating_sub(last));
    state.last = Some(inputs.now.monotonic);

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
        let spent = circuits.get_mut(number).and_then(|report: &mut CircuitReport| report.commands.take());
        let report = step_circuit(circuit, memory, &surroundings, spent.unwrap_or_default(), &mut events);
        alarms_of_step::of_circuit(circuit, memory, &report, &surroundings, &mut state.alarms, &mut events);
        match circuits.get_mut(number) {
            Some(place) => *place = report,
            None => circuits.push(report),
        }
    }
    circuits.truncate(settings.circuits.len());
    let dispatch_silent = requests::dispatch_is_silent(settings, &state);
    let facts = alarms_of_step::StationFacts { outdoor, health: inputs.health, dispatch_silent, now: inputs.now, dt };
    alarms_of_step::of_station(&inputs.readings.station, &facts, &mut state.alarms, &mut events);

    state.alarms.list_active(&mut alarms);
    let days_mean = state.season.mean();
    let report = Report { moment: inputs.now, in_season, heating_time, days_mean, outdoor, circuits, alarms, events };
    (state, report)
}

fn step_circuit(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    mut commands: CircuitCommands,
    events: &mut Vec<Event>,
) -> CircuitReport {
    let seen = see(settings, memory, at, events);
    let ours = adopt::take_over(settings, memory, at, seen.circulating, events);
    let frost = guard_against_frost(settings, memory, at, &seen);
    let equivalent = memory.equivalent.advance(&settings.weather, &at.sky, seen.rooms.tail_excess(), at.dt);
    let eco = pause(settings, memory, at, &equivalent, events);
    let wanted = (at.heats && memory.mode == Mode::Automatic && eco != Eco::Paused) || frost.heats();

    judge_interlocks(settings, memory, at, &seen, events);
    run_sequence(settings, memory, at, &seen, wanted, frost, events);
    let hours = pass_hours(settings, memory, at, &seen, frost, events);
    let (setpoint, room_trim, quota) = find_setpoint(settings, memory, at, &seen, &hours, equivalent, frost);
    let valve_reason = drive_valve(settings, memory, at, &seen, &setpoint, frost, events);
    judge_reached(settings, memory, at, &seen, &setpoint, events);
    let pump_reason = drive_pumps(settings, memory, at, &seen, frost, events);
    hold_pressure(settings, memory, at, &seen, &mut commands);
    let balance = balance_buildings(settings, memory, at, &seen, frost, &mut commands);

    watch_outage(settings, memory, at, &seen, &setpoint, &hours, events);
    let mut report = CircuitReport {
        circuit: at.index,
        mode: memory.mode,
        stage: memory.sequence.stage,
        operation: OperationReason::NoDemand,
        reached: memory.sequence.reached(),
        late: valve_reason == ValveReason::Control && memory.sequence.late(&settings.sequence),
        restart: memory.sequence.restart(),
        frost,
        freezes_in: memory.frost.freezes_in(),
        sources: seen.sources,
        doubted: memory.sensors.doubted(),
        eco,
        equivalent,
        setpoint,
        room_target: settings.room_target + hours.times.room_shift(),
        times: hours.times,
        load_shed: hours.shed,
        corrections: memory.corrections,
        shift: memory.shift,
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
        in_hand: memory.leases.longest_hand(),
        held: who::held(settings, memory, at),
        rooms: seen.rooms,
        room_verdicts: memory.room_sensors.verdicts(),
        room_trim,
        outage: memory.watch.open(at.index),
        season_time: memory.watch.seconds,
        withheld: adopt::withheld(settings, at),
        commands: ours.then_some(commands),
    };
    report.operation = OperationReason::of(&report, at.heats);
    report
}

/// What the network loses; nobody can tell where make-up is not metered.
fn leak_report(settings: &CircuitSettings, memory: &CircuitState, at: &Surroundings) -> Option<LeakReport> {
    let own = &at.own.own;
    let metered = own.make_up_volume.is_configured() || own.make_up_flow.is_configured();
    settings.make_up.as_ref().filter(|_| metered).map(|make_up| memory.leak.report(&make_up.leak))
}

#[cfg(test)]
pub(crate) mod tests;
