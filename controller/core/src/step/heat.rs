//! Heat: the setpoint, and the valve that follows it.

use heatstation_points::Kelvins;

use super::see::Seen;
use crate::adopt;
use crate::authority::Device;
use crate::frost::FrostStage;
use crate::interlock::Trip;
use crate::report::{SetpointReport, ValveReason};
use crate::room_trim::Frozen;
use crate::sequence::{HOT_WITHIN, Restart, Stage};
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
    frost: FrostStage,
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
    // In danger nobody from afar makes the water colder.
    let remote = if frost == FrostStage::Danger { remote.max(Kelvins(0.0)) } else { remote };
    // Water that is still hot after a power failure is not ramped up anew.
    let near = memory.setpoint.in_force().zip(seen.supply).is_some_and(|(set, supply)| set - supply < HOT_WITHIN);
    let hot = memory.sequence.restart() == Some(Restart::Hot) && near;
    let wishes = Wishes {
        outdoor: at.outdoor,
        room_trim,
        schedule,
        remote,
        frost: frost.heats(),
        flow: at.own.own.secondary_flow.fresh(),
        resting_at: if controlling || hot { None } else { Some(seen.supply.unwrap_or(settings.supply.min)) },
    };
    memory.setpoint.advance(settings, &wishes, at.dt)
}

/// The valve: interlock over maintenance over frost over hand over sequence over loop.
pub(super) fn drive_valve(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    setpoint: SetpointReport,
    frost: FrostStage,
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
    if memory.leases.maintains(Device::Valve) {
        memory.supply_loop.close(&settings.valve, at.dt);
        return ValveReason::Maintenance;
    }
    // Frost demand outranks a hand on the valve.
    if let Some(position) = memory.leases.valve().filter(|_| !frost.heats()) {
        memory.supply_loop.hold_at(position, &settings.valve, at.dt);
        return ValveReason::Hand;
    }
    if !heating {
        memory.supply_loop.run_down(&settings.valve, at.dt);
        return waiting(memory);
    }
    let wanted = Wanted { setpoint: setpoint.value, supply: seen.supply, feedback, outdoor: at.outdoor.now };
    memory.supply_loop.advance(&settings.supply_loop, &settings.valve, &settings.interlock, wanted, at.dt)
}

fn waiting(memory: &CircuitState) -> ValveReason {
    match memory.sequence.stage {
        Stage::Stopped => ValveReason::NoDemand,
        Stage::ShuttingDown => ValveReason::ShuttingDown,
        Stage::GivenUp => ValveReason::GivenUp,
        Stage::Filling
        | Stage::ProvingPressure
        | Stage::Venting
        | Stage::StartingPumps
        | Stage::Settling
        | Stage::Heating => ValveReason::Starting,
    }
}
