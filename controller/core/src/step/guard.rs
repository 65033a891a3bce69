//! Guarding: interlocks, the sequence, and whether heat arrives.

use std::time::Duration;

use heatstation_points::{Celsius, Switch};

use super::hours::Hours;
use super::see::Seen;
use crate::alarms_of_step::unheated;
use crate::event::Event;
use crate::frost::{self, FrostStage};
use crate::interlock::{Contact, Isolation, Sight, Trip};
use crate::outage::{Cause, Evidence, Observation, heat_arrives};
use crate::report::SetpointReport;
use crate::request::Mode;
use crate::sequence::{AtReturn, Situation};
use crate::settings::CircuitSettings;
use crate::state::CircuitState;
use crate::surroundings::Surroundings;

pub(super) fn guard_against_frost(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
) -> FrostStage {
    let mut sight = frost::Sight::of(at.own, at.outdoor, seen.rooms.coldest, seen.circulating);
    sight.unheated = unheated(memory, seen.circulating);
    memory.frost.advance(&settings.frost, &sight, at.dt)
}

pub(super) fn judge_interlocks(
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
    let full = settings.make_up.as_ref().map(|make_up| make_up.tank_full);
    let brim = |margin: f64| level.zip(full).is_some_and(|(level, full)| level > full * margin);
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
        burst: memory.leak.has_burst(),
        tank_low: on(own.tank_low_switch) || below,
        tank_restored: !on(own.tank_low_switch) && above,
        tank_high: on(own.tank_high_switch) || brim(1.1),
        tank_lowered: !on(own.tank_high_switch) && !brim(1.05),
        primary_pressure: station.primary_supply_pressure.fresh(),
        isolation: isolation(settings, memory, at),
        relief_open: own.relief_feedback.usable().map_or(memory.make_up.relief_open, Switch::is_on),
        flooded: Contact::of(station.plant_room_flooded),
        plant_room: station.plant_room_temperature.usable(),
    };
    memory.interlocks.judge(&settings.interlock, settings.make_up.as_ref(), at.index, &sight, at.dt, events);
}

/// Cooling takes about this long after the valve has closed: exchanger, pipe and pocket of the sensor.
const COOLS_WITHIN: Duration = Duration::from_secs(60);

fn isolation(settings: &CircuitSettings, memory: &CircuitState, at: &Surroundings) -> Option<Isolation> {
    settings.isolation?;
    let feedback = at.own.own.valve_position_feedback;
    let shut = feedback.usable().is_some_and(|position| position <= settings.valve.deviation_max);
    Some(Isolation {
        told_to_close: memory.interlocks.active().any(|trip| trip != Trip::ValveStuckOpen && trip.closes_valve()),
        closes_within: settings.valve.stroke_time.saturating_add(COOLS_WITHIN),
        closed: feedback.is_configured().then_some(shut),
    })
}

pub(super) fn run_sequence(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    wanted: bool,
    frost: FrostStage,
    events: &mut Vec<Event>,
) {
    if memory.watching.is_some() {
        return;
    }
    let before = memory.sequence.stage;
    let restart_pressure = settings.interlock.pressure_restart;
    // Without any pressure reading the low-pressure switch and the hardware guard; heat is not withheld for it.
    let pressure_ready = seen.holding_pressure.is_none_or(|pressure| pressure >= restart_pressure);
    let secondary_return = at.own.own.return_temperature.fresh();
    let situation = Situation {
        wanted,
        freezing: frost.heats(),
        pumps_barred: memory.interlocks.stops_circulation().is_some(),
        power_lost: memory.interlocks.holds(Trip::MainsLost),
        pressure_ready,
        pressure_held: pressure_held(settings, seen),
        circulating: seen.circulating == Some(true),
        spread: seen.supply.zip(secondary_return).map(|(supply, back)| supply - back),
    };
    let missing = memory.setpoint.in_force().zip(seen.supply).map(|(setpoint, supply)| setpoint - supply);
    let at_return = AtReturn { pressure_ready, missing, secondary_return, outdoor: at.outdoor.now };
    if let Some(restart) = memory.sequence.advance(&settings.sequence, situation, at_return, at.dt) {
        events.push(Event::Restarting { circuit: at.index, restart });
    }
    if memory.sequence.stage != before {
        events.push(Event::StageChanged { circuit: at.index, from: before, to: memory.sequence.stage });
    }
}

/// Whether the pressure is inside its band; none where nobody here holds it, or nobody can tell. Make-up by start and stop
/// needs its own range in any case.
fn pressure_held(settings: &CircuitSettings, seen: &Seen) -> Option<bool> {
    let make_up = settings.make_up.as_ref()?;
    let band = settings.sequence.pressure_band.max(make_up.setpoint - make_up.start);
    let off = seen.holding_pressure? - make_up.setpoint;
    Some(-band <= off && off <= band)
}

pub(super) fn judge_reached(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    setpoint: &SetpointReport,
    events: &mut Vec<Event>,
) {
    let missing = seen.supply.map(|supply| setpoint.value - supply);
    let closed = memory.supply_loop.command <= settings.valve.position_min;
    if memory.sequence.judge_reached(&settings.sequence, missing, closed, at.dt) {
        events.push(Event::Reached { circuit: at.index });
    }
}

pub(super) fn watch_outage(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    setpoint: &SetpointReport,
    hours: &Hours,
    events: &mut Vec<Event>,
) {
    let wished = (setpoint.base + setpoint.ledger.wished()).max(setpoint.low);
    // Water that was let cool on purpose, and is on its way up by the ramp, is no outage; a cold start is one.
    let wanted = if hours.times.returning { wished.min(setpoint.value) } else { wished };
    let limited = wanted + setpoint.ledger.given_way();
    let evidence = Evidence {
        circulating: seen.circulating,
        supply: seen.supply,
        spread: seen.supply.zip(at.own.own.return_temperature.fresh()).map(|(supply, back)| supply - back),
        wanted,
        limited,
        power: at.own.own.heat_power.fresh(),
        design_power: settings.design_power,
    };
    // While the heating limit pauses nothing is wanted, so nothing is missing.
    let untripped = memory.interlocks.active().next().is_none();
    let explained =
        memory.heating_limit.is_paused() || (untripped && memory.heating_limit.is_warming_up(seen.circulating));
    let arrives = heat_arrives(&settings.outage, evidence);
    let observation = Observation {
        due: at.in_season,
        arrives: if explained { Some(true) } else { arrives },
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
    let upstream = [Trip::ReverseHeat, Trip::MainsLost, Trip::PrimaryPressureLow];
    if upstream.into_iter().any(|trip| memory.interlocks.holds(trip)) {
        return Cause::UpstreamSupply;
    }
    let ours = memory.interlocks.active().any(|trip| trip.closes_valve() || trip.stops_circulation());
    if ours { Cause::EnterpriseAccident } else { Cause::Unknown }
}
