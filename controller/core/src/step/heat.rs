//! Heat: the setpoint, and the valve that follows it.

use heatstation_points::Kelvins;

use super::hours::{Hours, controls, freezes_trim};
use super::see::Seen;
use crate::adopt;
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
    hours: &Hours,
    frost_heat: bool,
) -> SetpointReport {
    let controlling = controls(memory);
    let frozen = if controlling {
        let saturated = memory.supply_loop.saturated(&settings.valve);
        saturated.then_some(Frozen::Saturated).or(freezes_trim(memory, hours))
    } else {
        Some(Frozen::NotHeating)
    };
    let room_trim = memory.room_trim.advance(&settings.room_trim, &seen.rooms, frozen, at.dt);
    let remote = memory.shift.map_or(Kelvins(0.0), |(by, _)| by);
    let wishes = Wishes {
        outdoor: at.outdoor,
        room_trim,
        times: hours.times,
        corrections: memory.corrections,
        shed: hours.shed.by,
        remote,
        frost: frost_heat,
        flow: at.own.own.secondary_flow.fresh(),
        supply: seen.supply,
        resting_at: if controlling { None } else { Some(seen.supply.unwrap_or(settings.supply.min)) },
    };
    memory.setpoint.advance(settings, &wishes, at.dt)
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
