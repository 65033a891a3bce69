//! One step of the control: settings, state and inputs in, the next state and a report out.
//!
//! Read `step_circuit` as the table of contents: see → setpoint → sequence → valve → pumps → make-up →
//! interlocks → outage → alarms. It cannot fail; what is missing is a value with kinds, and each use says what it does
//! with it.

use std::time::Duration;

use heatstation_points::{Celsius, CircuitIndex, Kelvins, Pascals, Readings, Switch};

use crate::adopt;
use crate::alarms_of_step;
use crate::circulation::{self, Asked};
use crate::event::Event;
use crate::interlock::{Contact, Sight, Trip};
use crate::ledger::Part;
use crate::make_up;
use crate::moment::Moment;
use crate::outage::{Cause, Evidence, Observation, heat_arrives};
use crate::report::{CircuitCommands, CircuitReport, PumpReason, Report, SetpointReport, ValveReason};
use crate::request::{Mode, Request};
use crate::requests;
use crate::room_trim::{self, Frozen, RoomStatistic};
use crate::sequence::{Situation, Stage};
use crate::setpoint::Wishes;
use crate::settings::{CircuitSettings, Settings};
use crate::state::{CircuitState, State};
use crate::supply_loop::{SupplySource, Wanted, supply_temperature};
use crate::surroundings::Surroundings;

pub use crate::surroundings::Health;

/// What a step is given.
#[derive(Clone, Debug, PartialEq)]
pub struct Inputs {
    /// The time.
    pub now: Moment,
    /// One snapshot of all points.
    pub readings: Readings,
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
    let outdoor = state.outdoor.observe(&settings.outdoor, &inputs.readings.station, dt);
    if outdoor.source != source_before {
        events.push(Event::OutdoorSourceChanged { from: source_before, to: outdoor.source });
    }

    let in_season = settings.season.contains(inputs.now.wall);
    let mut circuits = Vec::with_capacity(settings.circuits.len());
    for (number, (circuit, memory)) in settings.circuits.iter().zip(&mut state.circuits).enumerate() {
        let surroundings = Surroundings {
            index: CircuitIndex(number),
            now: inputs.now,
            outdoor,
            in_season,
            season_start: settings.season.start,
            heats: settings.season.heats(inputs.now.wall),
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
    let report = Report { moment: inputs.now, in_season, outdoor, circuits, alarms, events };
    (state, report)
}

/// What is seen of the plant in this step, after the ladders.
struct Seen {
    supply: Option<Celsius>,
    supply_source: SupplySource,
    holding_pressure: Option<Pascals>,
    circulating: Option<bool>,
    rooms: RoomStatistic,
}

fn step_circuit(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    events: &mut Vec<Event>,
) -> CircuitReport {
    let seen = see(settings, memory, at);
    let ours = adopt::take_over(settings, memory, at, seen.circulating);
    let frost = memory.frost.advance(&settings.frost, at.outdoor.now, at.own, at.dt);
    let wanted = (at.heats && memory.mode == Mode::Automatic) || frost.heat;

    judge_interlocks(settings, memory, at, &seen, events);
    run_sequence(settings, memory, at, &seen, wanted, events);
    let setpoint = find_setpoint(settings, memory, at, &seen, frost.heat);
    let valve_reason = drive_valve(settings, memory, at, &seen, setpoint, frost.heat);
    let pump_reason = drive_pumps(settings, memory, at, &seen, frost.circulation, events);
    let commands = hold_pressure(settings, memory, at, &seen);

    watch_outage(settings, memory, at, &seen, setpoint, events);
    CircuitReport {
        circuit: at.index,
        mode: memory.mode,
        stage: memory.sequence.stage,
        setpoint,
        supply: seen.supply,
        supply_source: seen.supply_source,
        valve_reason,
        pump_reason,
        differential_pressure_setpoint: settings.circulation.mode.setpoint(),
        pressure_setpoint: settings.make_up.as_ref().map(|make_up| make_up.setpoint),
        circulating: seen.circulating,
        trips: memory.interlocks.active().collect(),
        in_hand: memory.hand.left(),
        rooms: seen.rooms,
        outage: memory.watch.open(at.index),
        season_time: memory.watch.seconds,
        withheld: adopt::withheld(settings, at),
        commands: ours.then_some(commands),
    }
}

/// Rooms are read once a minute at most; looking at hundreds of them each second would be most of the step.
const ROOMS_EVERY: Duration = Duration::from_secs(10);

fn see(settings: &CircuitSettings, memory: &mut CircuitState, at: &Surroundings) -> Seen {
    let rooms = match memory.rooms {
        Some((rooms, age)) if age + at.dt < ROOMS_EVERY => (rooms, age + at.dt),
        Some(_) | None => (room_trim::look(&settings.room_trim, &settings.rooms, &at.own.rooms), Duration::ZERO),
    };
    memory.rooms = Some(rooms);
    let (supply, supply_source) = supply_temperature(at.own);
    Seen {
        supply,
        supply_source,
        holding_pressure: make_up::holding_pressure(at.own),
        circulating: circulation::proven(&settings.circulation, at.own, Switch::from(memory.circulation.any_on())),
        rooms: rooms.0,
    }
}

fn judge_interlocks(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    events: &mut Vec<Event>,
) {
    memory.make_up.count(at.own, at.now.local.weekday, at.dt);
    let (own, station) = (&at.own.own, at.station);
    let on = |switch: heatstation_points::Reading<Switch>| switch.usable() == Some(Switch::On);
    // The interlock looks at the hottest of what is measured: one sensor that reads low must not hide the heat.
    let measured = [own.supply_temperature.usable(), own.supply_temperature_second.usable(), seen.supply];
    let level = own.tank_level.fresh();
    let tank_low_level = settings.make_up.as_ref().map(|make_up| make_up.tank_low);
    let below = level.zip(tank_low_level).is_some_and(|(level, low)| level < low);
    let above = level.zip(tank_low_level).is_none_or(|(level, low)| level > low * 1.2);
    let sight = Sight {
        emergency_stop: Contact::of(station.emergency_stop),
        safety_thermostat: Contact::of(own.over_temperature_switch),
        over_pressure_switch: Contact::of(own.over_pressure_switch),
        low_pressure_switch: Contact::of(own.low_pressure_switch),
        mains: station.mains_healthy.usable().map(Switch::is_on),
        supply: measured.into_iter().flatten().reduce(Celsius::max),
        secondary_return: own.return_temperature.fresh(),
        primary_supply: station.primary_supply_temperature.fresh(),
        supply_pressure: own.supply_pressure.usable(),
        holding_pressure: seen.holding_pressure,
        circulating: seen.circulating,
        make_up_run: memory.make_up.run,
        make_up_today: memory.make_up.today,
        tank_low: on(own.tank_low_switch) || below,
        tank_restored: !on(own.tank_low_switch) && above,
    };
    memory.interlocks.judge(&settings.interlock, settings.make_up.as_ref(), at.index, &sight, at.dt, events);
}

fn run_sequence(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    wanted: bool,
    events: &mut Vec<Event>,
) {
    if memory.watching.is_some() {
        return;
    }
    let before = memory.sequence.stage;
    let restart = settings.interlock.pressure_restart;
    let situation = Situation {
        wanted,
        pumps_barred: memory.interlocks.stops_circulation().is_some(),
        // Without any pressure reading the low-pressure switch and the hardware guard; heat is not withheld for it.
        pressure_ready: seen.holding_pressure.is_none_or(|pressure| pressure >= restart),
        circulating: seen.circulating == Some(true),
    };
    memory.sequence.advance(situation, at.dt);
    if memory.sequence.stage != before {
        events.push(Event::StageChanged { circuit: at.index, from: before, to: memory.sequence.stage });
    }
}

fn find_setpoint(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    frost_heat: bool,
) -> SetpointReport {
    let schedule = settings.schedule.room_shift(at.now.local);
    let controlling = memory.sequence.stage == Stage::Heating && memory.interlocks.closes_valve().is_none();
    let frozen = if controlling {
        let saturated = memory.supply_loop.saturated(&settings.valve);
        saturated.then_some(Frozen::Saturated).or((schedule.0 < 0.0).then_some(Frozen::SetBack))
    } else {
        Some(Frozen::NotHeating)
    };
    let room_trim = memory.room_trim.advance(&settings.room_trim, &seen.rooms, frozen, at.dt);
    let remote = memory.shift.map_or(Kelvins(0.0), |(by, _)| by);
    let wishes = Wishes {
        outdoor: at.outdoor,
        room_trim,
        schedule,
        remote,
        frost: frost_heat,
        flow: at.own.own.secondary_flow.fresh(),
        resting_at: if controlling { None } else { Some(seen.supply.unwrap_or(settings.supply.min)) },
    };
    memory.setpoint.advance(settings, &wishes, at.dt)
}

/// The valve: interlock over hand over sequence over loop.
fn drive_valve(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    setpoint: SetpointReport,
    frost_heat: bool,
) -> ValveReason {
    let feedback = at.own.own.valve_position_feedback.usable();
    if memory.watching.is_some() || adopt::valve_is_local(at) {
        memory.supply_loop.follow(feedback);
        return ValveReason::Local;
    }
    let heating = memory.sequence.stage == Stage::Heating;
    if let Some(trip) = memory.interlocks.closes_valve() {
        memory.supply_loop.close(&settings.valve, at.dt);
        // While the start waits for circulation the lock is no news.
        return if heating || trip != Trip::NoCirculation { ValveReason::Interlock(trip) } else { waiting(memory) };
    }
    // Frost demand outranks a hand on the valve.
    if let Some((position, _)) = memory.hand.valve.filter(|_| !frost_heat) {
        memory.supply_loop.hold_at(position, &settings.valve, at.dt);
        return ValveReason::Hand;
    }
    if !heating {
        memory.supply_loop.close(&settings.valve, at.dt);
        return waiting(memory);
    }
    let wanted = Wanted { setpoint: setpoint.value, supply: seen.supply, feedback, outdoor: at.outdoor.now };
    memory.supply_loop.advance(&settings.supply_loop, &settings.valve, &settings.interlock, wanted, at.dt)
}

fn waiting(memory: &CircuitState) -> ValveReason {
    match memory.sequence.stage {
        Stage::Stopped => ValveReason::NoDemand,
        Stage::ShuttingDown => ValveReason::ShuttingDown,
        Stage::Filling | Stage::StartingPumps | Stage::Settling | Stage::Heating => ValveReason::Starting,
    }
}

fn drive_pumps(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    frost_circulation: bool,
    events: &mut Vec<Event>,
) -> PumpReason {
    if memory.watching.is_some() {
        return PumpReason::Local;
    }
    let stage = memory.sequence.stage;
    let barred = memory.interlocks.stops_circulation();
    let run = (stage.wants_circulation() || frost_circulation) && barred.is_none();
    let out = memory.hand.out.map(|left| left.is_some() && !frost_circulation);
    let hand_speed = memory.hand.speed.map(|(speed, _)| speed);
    let asked = Asked { run, hand_speed, out, proven: seen.circulating };
    memory.circulation.advance(&settings.circulation, at.index, at.own, asked, at.dt, events);
    match (barred, stage) {
        (Some(trip), _) => PumpReason::Interlock(trip),
        (None, _) if run && !memory.circulation.any_on() => PumpReason::NoneAvailable,
        (None, _) if hand_speed.is_some() => PumpReason::Hand,
        (None, Stage::ShuttingDown) => PumpReason::PostRun,
        (None, Stage::StartingPumps | Stage::Settling | Stage::Heating) => PumpReason::Heating,
        (None, Stage::Stopped | Stage::Filling) if frost_circulation => PumpReason::Frost,
        (None, Stage::Filling) => PumpReason::Filling,
        (None, Stage::Stopped) => PumpReason::NoDemand,
    }
}

fn hold_pressure(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
) -> CircuitCommands {
    let mut commands = CircuitCommands {
        valve_position: memory.supply_loop.command,
        circulation_pumps: memory.circulation.commands(&settings.circulation),
        make_up_pumps: Vec::new(),
        relief_open: None,
        tank_inlet_open: None,
        building_valves: vec![None; settings.buildings.len()],
    };
    if let Some(make_up) = &settings.make_up {
        let barred = memory.interlocks.stops_make_up().is_some() || memory.watching.is_some();
        memory.make_up.advance(make_up, at.own, seen.holding_pressure, barred, at.dt);
        commands.make_up_pumps = memory.make_up.commands(make_up);
        commands.relief_open = Some(Switch::from(memory.make_up.relief_open));
        commands.tank_inlet_open = Some(Switch::from(memory.make_up.inlet_open));
    }
    commands
}

fn watch_outage(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    setpoint: SetpointReport,
    events: &mut Vec<Event>,
) {
    let evidence = Evidence {
        circulating: seen.circulating,
        supply: seen.supply,
        wanted: (setpoint.value - setpoint.ledger.of(Part::Limits)).max(settings.supply.min),
        power: at.own.own.heat_power.fresh(),
        design_power: settings.design_power,
    };
    let observation = Observation {
        due: at.in_season,
        arrives: heat_arrives(&settings.outage, evidence),
        suggested: suggest_cause(memory),
        supply: seen.supply,
    };
    memory.watch.of_season(at.season_start);
    memory.watch.observe(&settings.outage, at.index, settings.heated_area, observation, at.now.wall, at.dt, events);
}

/// What the interlocks of the moment suggest; a person confirms.
fn suggest_cause(memory: &CircuitState) -> Cause {
    if memory.mode == Mode::Stopped {
        return Cause::Planned;
    }
    let upstream = memory.interlocks.holds(Trip::ReverseHeat) || memory.interlocks.holds(Trip::MainsLost);
    if upstream {
        return Cause::UpstreamSupply;
    }
    let ours = memory.interlocks.active().next().is_some();
    if ours { Cause::EnterpriseAccident } else { Cause::Unknown }
}

#[cfg(test)]
pub(crate) mod tests;
