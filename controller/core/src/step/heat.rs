//! Heat: the setpoint, and the valve that follows it.

use heatstation_points::Kelvins;

use super::see::Seen;
use crate::adopt;
use crate::equivalent_outdoor::Equivalent;
use crate::event::Event;
use crate::heating_limit::Eco;
use crate::interlock::Trip;
use crate::report::{SetpointReport, ValveReason};
use crate::room_trim::Frozen;
use crate::sequence::Stage;
use crate::setpoint::Wishes;
use crate::settings::CircuitSettings;
use crate::state::CircuitState;
use crate::supply_loop::Wanted;
use crate::surroundings::Surroundings;

pub(super) fn find_setpoint(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    equivalent: Equivalent,
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
        equivalent,
        room_trim,
        schedule,
        remote,
        frost: frost_heat,
        flow: at.own.own.secondary_flow.fresh(),
        resting_at: if controlling { None } else { Some(seen.supply.unwrap_or(settings.supply.min)) },
    };
    memory.setpoint.advance(settings, &wishes, at.dt)
}

/// The heating limit: whether it is too warm outside to heat.
pub(super) fn pause(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    equivalent: &Equivalent,
    events: &mut Vec<Event>,
) -> Eco {
    let was_paused = memory.heating_limit.is_paused();
    let limit = settings.heating_limit.as_ref();
    let eco = memory.heating_limit.advance(limit, &at.outdoor, equivalent, at.owed, at.dt);
    if memory.heating_limit.is_paused() != was_paused {
        events.push(Event::EcoChanged { circuit: at.index, to: eco });
    }
    eco
}

/// The valve: interlock over hand over sequence over loop.
pub(super) fn drive_valve(
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
