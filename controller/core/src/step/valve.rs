//! The primary valve: who has it, and what its motor is told.

use heatstation_points::Ratio;

use super::limit::valve_max;
use super::see::Seen;
use crate::adopt;
use crate::creep::{CreepSight, CreepStage};
use crate::interlock::Trip;
use crate::report::{SetpointReport, ValveReason};
use crate::sequence::Stage;
use crate::settings::{CircuitSettings, ValveSettings};
use crate::state::CircuitState;
use crate::supply_loop::{Around, Wanted};
use crate::surroundings::Surroundings;

/// A closed valve is opened this far to let fresh water past the sensors: some litres, no heat to speak of.
const FLUSH_POSITION: Ratio = Ratio(0.1);

/// The valve: interlock over hand over sequence over loop; then what of that its motor is told.
pub(super) fn drive_valve(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    setpoint: &SetpointReport,
    frost_heat: bool,
) -> ValveReason {
    let feedback = at.own.own.valve_position_feedback.usable();
    if memory.watching.is_some() || adopt::valve_is_local(at) {
        memory.supply_loop.follow(feedback);
        return ValveReason::Local;
    }
    let reason = command_valve(settings, memory, at, seen, setpoint, frost_heat);
    let command = memory.supply_loop.command;
    memory.supply_loop.actuator.drive(&settings.valve, command, at.own.own.valve_position_feedback.fresh(), at.dt);
    reason
}

fn command_valve(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    setpoint: &SetpointReport,
    frost_heat: bool,
) -> ValveReason {
    let feedback = at.own.own.valve_position_feedback.usable();
    let heating = memory.sequence.stage == Stage::Heating;
    if !heating || memory.interlocks.closes_valve().is_some() || memory.hand.valve.is_some() {
        memory.creep.stand_by();
    }
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
    match creep_flow(settings, memory, at, seen, setpoint, frost_heat) {
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
    let wanted =
        Wanted { setpoint: setpoint.value, supply: seen.supply, feedback, outdoor: at.outdoor.now, around: around(at) };
    let valve = ValveSettings { position_max: valve_max(settings, setpoint, frost_heat), ..settings.valve };
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

/// What is seen around the exchanger. Only what is fresh: a stale temperature would be fed forward as news.
fn around(at: &Surroundings) -> Around {
    let (own, station) = (&at.own.own, at.station);
    let pressures = station.primary_supply_pressure.fresh().zip(station.primary_return_pressure.fresh());
    Around {
        primary_supply: station.primary_supply_temperature.fresh(),
        primary_return: own.primary_return_temperature.fresh(),
        secondary_return: own.return_temperature.fresh(),
        secondary_flow: own.secondary_flow.fresh(),
        primary_pressure: pressures.map(|(supply, back)| supply - back),
    }
}

fn waiting(memory: &CircuitState) -> ValveReason {
    match memory.sequence.stage {
        Stage::Stopped => ValveReason::NoDemand,
        Stage::ShuttingDown => ValveReason::ShuttingDown,
        Stage::Filling | Stage::StartingPumps | Stage::Settling | Stage::Heating => ValveReason::Starting,
    }
}
