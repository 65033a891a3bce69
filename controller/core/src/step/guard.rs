//! Guarding: interlocks, the sequence, and whether heat arrives.

use heatstation_points::{Celsius, Switch};

use super::hours::Hours;
use super::see::Seen;
use crate::event::Event;
use crate::interlock::{Contact, Sight, Trip};
use crate::outage::{Cause, Evidence, Observation, heat_arrives};
use crate::report::SetpointReport;
use crate::request::Mode;
use crate::sequence::Situation;
use crate::settings::CircuitSettings;
use crate::state::CircuitState;
use crate::surroundings::Surroundings;

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
    };
    memory.interlocks.judge(&settings.interlock, settings.make_up.as_ref(), at.index, &sight, at.dt, events);
}

pub(super) fn run_sequence(
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
    let upstream = memory.interlocks.holds(Trip::ReverseHeat) || memory.interlocks.holds(Trip::MainsLost);
    if upstream {
        return Cause::UpstreamSupply;
    }
    let ours = memory.interlocks.active().next().is_some();
    if ours { Cause::EnterpriseAccident } else { Cause::Unknown }
}
