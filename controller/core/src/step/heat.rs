//! Heat: the setpoint, and the valve that follows it.

use heatstation_points::{Kelvins, Switch};

use super::see::Seen;
use crate::adopt;
use crate::interlock::Trip;
use crate::ledger::Part;
use crate::report::{SetpointReport, ValveReason};
use crate::room_trim::{Circumstances, RoomTrimReport, Stop};
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
    frost_heat: bool,
) -> (SetpointReport, RoomTrimReport) {
    let schedule = settings.schedule.room_shift(at.now.local);
    let controlling = memory.sequence.stage == Stage::Heating && memory.interlocks.closes_valve().is_none();
    let around = Circumstances {
        heating: Switch::from(controlling),
        schedule,
        stop: where_it_stops(settings, memory),
        outdoor: at.outdoor.now,
        looked: memory.room_sensors.looked(),
    };
    let room_trim = memory.room_trim.advance(&settings.room_trim, &seen.rooms, &around, at.dt);
    let remote = memory.shift.map_or(Kelvins(0.0), |(by, _)| by);
    let wishes = Wishes {
        outdoor: at.outdoor,
        room_trim: room_trim.shift,
        schedule,
        remote,
        frost: frost_heat,
        flow: at.own.own.secondary_flow.fresh(),
        resting_at: if controlling { None } else { Some(seen.supply.unwrap_or(settings.supply.min)) },
    };
    let setpoint = memory.setpoint.advance(settings, &wishes, at.dt);
    memory.limited = setpoint.ledger.of(Part::Limits);
    (setpoint, room_trim)
}

/// The setpoint is held when limits move it by this.
const HELD: Kelvins = Kelvins(0.5);

/// Which way the rooms can have no more of it: a valve at its end, or a limit between the wish and the setpoint.
fn where_it_stops(settings: &CircuitSettings, memory: &CircuitState) -> Stop {
    let command = memory.supply_loop.command;
    let more = command >= settings.valve.position_max || memory.limited < -HELD;
    let less = command <= settings.valve.position_min || memory.limited > HELD;
    match (more, less) {
        (false, false) => Stop::None,
        (true, false) => Stop::More,
        (false, true) => Stop::Less,
        (true, true) => Stop::Both,
    }
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
