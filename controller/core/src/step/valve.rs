//! The primary valve: who has it, and what its motor is told.

use heatstation_points::Ratio;

use super::limit::valve_max;
use super::see::Seen;
use super::water::may_exercise;
use crate::adopt;
use crate::authority::Device;
use crate::auto_tune::{TuneAsk, TuneSight};
use crate::creep::{CreepSight, CreepStage};
use crate::event::Event;
use crate::frost::FrostStage;
use crate::interlock::Trip;
use crate::report::{SetpointReport, ValveReason};
use crate::sequence::Stage;
use crate::settings::{CircuitSettings, ValveSettings};
use crate::state::CircuitState;
use crate::supply_loop::{Around, Wanted};
use crate::supply_source::SupplySource;
use crate::surroundings::Surroundings;
use crate::valve_exercise::ExerciseSight;
use crate::valve_health::HealthSight;

/// A closed valve is opened this far to let fresh water past the sensors: some litres, no heat to speak of.
const FLUSH_POSITION: Ratio = Ratio(0.1);

/// The valve: interlock over maintenance over frost over hand over sequence over loop; then what of that its motor is told.
pub(super) fn drive_valve(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    setpoint: &SetpointReport,
    frost: FrostStage,
    events: &mut Vec<Event>,
) -> ValveReason {
    let feedback = at.own.own.valve_position_feedback.usable();
    if memory.watching.is_some() || adopt::valve_is_local(at) {
        memory.supply_loop.follow(feedback);
        memory.valve_health.stand_by();
        memory.auto_tune.interrupt();
        memory.auto_tune.tell(at.index, events);
        return ValveReason::Local;
    }
    exercise(settings, memory, at, seen);
    let reason = command_valve(settings, memory, at, seen, setpoint, frost);
    if !matches!(reason, ValveReason::Control | ValveReason::AutoTune) {
        memory.auto_tune.interrupt();
    }
    memory.auto_tune.tell(at.index, events);
    let command = memory.supply_loop.command;
    memory.supply_loop.actuator.drive(&settings.valve, command, at.own.own.valve_position_feedback.fresh(), at.dt);
    match (reason, health_sight(memory, at, seen, setpoint)) {
        (ValveReason::Control | ValveReason::Test, Some(sight)) => {
            let supply_loop = memory.auto_tune.applied(&settings.supply_loop, sight.command);
            memory.valve_health.observe(&supply_loop, &settings.valve, at.index, &sight, at.dt, events);
        }
        _ => memory.valve_health.stand_by(),
    }
    reason
}

/// In standstill the valve is moved now and then; while it heats it moves by itself.
fn exercise(settings: &CircuitSettings, memory: &mut CircuitState, at: &Surroundings, seen: &Seen) {
    if memory.sequence.stage == Stage::Heating {
        memory.valve_exercise.moves();
        return;
    }
    let sight = ExerciseSight {
        may: may_exercise(settings, memory, seen)
            && memory.leases.valve().is_none()
            && !memory.leases.maintains(Device::Valve),
        free: memory.interlocks.closes_valve().is_none(),
        supply: seen.supply,
    };
    memory.valve_exercise.advance(&settings.valve, &sight, at.dt);
}

fn command_valve(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    setpoint: &SetpointReport,
    frost: FrostStage,
) -> ValveReason {
    let feedback = at.own.own.valve_position_feedback.usable();
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
        if let Some(position) = memory.valve_exercise.position(&settings.valve) {
            memory.supply_loop.hold_at(position, &settings.valve, at.dt);
            return ValveReason::Exercise;
        }
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
    let valve = ValveSettings { position_max: valve_max(settings, setpoint, frost.heats()), ..settings.valve };
    if let Some(position) = test_position(memory, &valve, at, seen, setpoint, frost) {
        memory.supply_loop.hold_at(position, &valve, at.dt);
        return ValveReason::Test;
    }
    if let Some(position) = tuning_position(settings, memory, &valve, at, seen, setpoint, frost) {
        memory.supply_loop.hold_at(position, &valve, at.dt);
        return ValveReason::AutoTune;
    }
    let wanted = Wanted {
        setpoint: setpoint.value,
        supply: seen.supply,
        feedback,
        outdoor: at.outdoor.now,
        around: around(at),
        care: memory.valve_health.care(),
    };
    let supply_loop = memory.auto_tune.applied(&settings.supply_loop, memory.supply_loop.command);
    memory.supply_loop.advance(&supply_loop, &valve, &settings.interlock, wanted, at.dt)
}

/// Where a relay holds the valve to find the loop's gains. It believes no estimate of the supply, and frost protection does
/// not wait for it.
fn tuning_position(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    valve: &ValveSettings,
    at: &Surroundings,
    seen: &Seen,
    setpoint: &SetpointReport,
    frost: FrostStage,
) -> Option<Ratio> {
    let by_sensor = match seen.supply_source {
        SupplySource::Sensor | SupplySource::SecondSensor => seen.supply.filter(|_| !frost.heats()),
        SupplySource::HeatBalance | SupplySource::Lost => None,
    };
    let Some(supply) = by_sensor else {
        memory.auto_tune.interrupt();
        return None;
    };
    let power = at.own.own.heat_power.fresh();
    let sight = TuneSight {
        setpoint: setpoint.value,
        supply,
        command: memory.supply_loop.command,
        gain: memory.supply_loop.schedule().gain(),
        play: memory.valve_health.play().unwrap_or(Ratio::ZERO),
        load: power.map(|power| Ratio(power / settings.design_power)),
        primary_supply: at.station.primary_supply_temperature.fresh(),
    };
    match memory.auto_tune.advance(&settings.supply_loop, valve, &sight, at.dt) {
        TuneAsk::Loop => None,
        TuneAsk::Position(position) => Some(position),
    }
}

/// Where the valve is held for a test of it. Frost protection does not wait for one.
fn test_position(
    memory: &mut CircuitState,
    valve: &ValveSettings,
    at: &Surroundings,
    seen: &Seen,
    setpoint: &SetpointReport,
    frost: FrostStage,
) -> Option<Ratio> {
    let sight = health_sight(memory, at, seen, setpoint).filter(|_| !frost.heats());
    memory.valve_health.test(valve, sight.as_ref(), at.dt)
}

fn health_sight(
    memory: &CircuitState,
    at: &Surroundings,
    seen: &Seen,
    setpoint: &SetpointReport,
) -> Option<HealthSight> {
    let supply = seen.supply?;
    Some(HealthSight {
        supply,
        error: setpoint.value - supply,
        command: memory.supply_loop.command,
        feedback: at.own.own.valve_position_feedback.fresh(),
        gain: memory.supply_loop.schedule().gain(),
        flow: at.own.own.primary_flow.fresh(),
        pressure: around(at).primary_pressure,
        steady: !memory.setpoint.travels(),
    })
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
        Stage::GivenUp => ValveReason::GivenUp,
        Stage::Filling
        | Stage::ProvingPressure
        | Stage::Venting
        | Stage::StartingPumps
        | Stage::Settling
        | Stage::Heating => ValveReason::Starting,
    }
}
