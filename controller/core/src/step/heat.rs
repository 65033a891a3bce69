//! Heat: the setpoint, and the valve that follows it.

use heatstation_points::{CubicMetersPerSecond, Kelvins, Ratio, Switch};

use super::limit::{look_at_limits, valve_max};
use super::see::Seen;
use crate::adopt;
use crate::authority::Device;
use crate::creep::{CreepSight, CreepStage};
use crate::frost::FrostStage;
use crate::interlock::Trip;
use crate::quota::QuotaReport;
use crate::report::{SetpointReport, ValveReason};
use crate::room_trim::{Circumstances, RoomTrimReport, Stop};
use crate::sequence::{Restart, Stage};
use crate::setpoint::Wishes;
use crate::settings::{CircuitSettings, ValveSettings};
use crate::state::CircuitState;
use crate::supply_loop::Wanted;
use crate::surroundings::Surroundings;

/// A closed valve is opened this far to let fresh water past the sensors: some litres, no heat to speak of.
const FLUSH_POSITION: Ratio = Ratio(0.1);

pub(super) fn find_setpoint(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    frost: FrostStage,
) -> (SetpointReport, RoomTrimReport, Option<QuotaReport>) {
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
    // In danger nobody from afar makes the water colder.
    let remote = if frost == FrostStage::Danger { remote.max(Kelvins(0.0)) } else { remote };
    // A network that is still hot after a power failure is not ramped up anew. What comes first when the water moves again
    // is the cooler return that stood in the exchanger's way; the radiators are as hot as they were.
    let hot = memory.sequence.restart() == Some(Restart::Hot);
    let (mut limits, quota) = look_at_limits(settings, memory, at, seen);
    if frost == FrostStage::Danger {
        // Nor does any limit of the primary side hold.
        limits.looks = Default::default();
    }
    let wishes = Wishes {
        outdoor: at.outdoor,
        room_trim: room_trim.shift,
        schedule,
        remote,
        frost: frost.heats(),
        flow: flow(memory, at),
        limits,
        resting_at: if controlling || hot { None } else { Some(seen.supply.unwrap_or(settings.supply.min)) },
    };
    let setpoint = memory.setpoint.advance(settings, &wishes, at.dt);
    memory.limited = setpoint.ledger.sum() - setpoint.ledger.wished();
    (setpoint, room_trim, quota)
}

/// The flow that the curve looks at: the meter's, or while that is lost what the pumps' speed makes of the last one.
fn flow(memory: &CircuitState, at: &Surroundings) -> Option<CubicMetersPerSecond> {
    let measured = at.own.own.secondary_flow;
    measured.fresh().or_else(|| memory.circulation.estimated_flow().filter(|_| measured.is_configured()))
}

/// The setpoint is held when limits move it by this.
const HELD: Kelvins = Kelvins(0.5);

/// Which way the rooms can have no more of it: a valve at its end, or a limit between the wish and the setpoint.
fn where_it_stops(settings: &CircuitSettings, memory: &CircuitState) -> Stop {
    let command = memory.supply_loop.command;
    let more = command >= settings.valve.position_max || memory.limited < -HELD || memory.setpoint.is_limited();
    let less = command <= settings.valve.position_min || memory.limited > HELD;
    match (more, less) {
        (false, false) => Stop::None,
        (true, false) => Stop::More,
        (false, true) => Stop::Less,
        (true, true) => Stop::Both,
    }
}

/// The valve: interlock over maintenance over frost over hand over sequence over loop.
pub(super) fn drive_valve(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    setpoint: &SetpointReport,
    frost: FrostStage,
) -> ValveReason {
    let feedback = at.own.own.valve_position_feedback.usable();
    if memory.watching.is_some() || adopt::valve_is_local(at) {
        memory.supply_loop.follow(feedback);
        return ValveReason::Local;
    }
    let heating = memory.sequence.stage == Stage::Heating;
    if !heating || memory.interlocks.closes_valve().is_some() || memory.leases.valve().is_some() {
        memory.creep.stand_by();
    }
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
    match creep_flow(settings, memory, at, seen, setpoint, frost.heats()) {
        CreepStage::Free => {}
        CreepStage::Closed => {
            memory.supply_loop.close(&settings.valve, at.dt);
            return ValveReason::CreepFlow;
        }
        CreepStage::Flushing => {
            memory.supply_loop.hold_at(FLUSH_POSITION, &settings.valve, at.dt);
            return ValveReason::Flushing;
        }
    }
    let wanted = Wanted { setpoint: setpoint.value, supply: seen.supply, feedback, outdoor: at.outdoor.now };
    let valve = ValveSettings { position_max: valve_max(settings, setpoint, frost.heats()), ..settings.valve };
    memory.supply_loop.advance(&settings.supply_loop, &valve, &settings.interlock, wanted, at.dt)
}

/// Frost protection closes no valve for a meter's sake.
fn creep_flow(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    setpoint: &SetpointReport,
    frost_heat: bool,
) -> CreepStage {
    if frost_heat {
        memory.creep.stand_by();
        return CreepStage::Free;
    }
    let sight = CreepSight { flow: at.own.own.primary_flow.fresh(), setpoint: setpoint.value, supply: seen.supply };
    memory.creep.advance(settings.limits.creep.as_ref(), sight, at.dt)
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
