//! Water: circulation and pressure.

use heatstation_points::{BuildingIndex, PumpIndex, Ratio, Switch};

use super::see::Seen;
use crate::authority::Device;
use crate::balance::{BalanceReport, Plant};
use crate::circulation::{Asked, Need, PUMPS_MAX, Run};
use crate::event::Event;
use crate::frost::FrostStage;
use crate::interlock::Trip;
use crate::leak;
use crate::report::{CircuitCommands, PumpReason};
use crate::request::Mode;
use crate::sequence::{Restart, Stage};
use crate::settings::{CircuitSettings, MakeUpSettings};
use crate::state::CircuitState;
use crate::surroundings::Surroundings;

pub(super) fn drive_pumps(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    frost: FrostStage,
    events: &mut Vec<Event>,
) -> PumpReason {
    if memory.watching.is_some() {
        return PumpReason::Local;
    }
    let stage = memory.sequence.stage;
    let barred = memory.interlocks.stops_circulation();
    let jog = memory.sequence.jog(&settings.sequence);
    // Two minutes in which air rises freeze nothing, as long as the water itself is not cold.
    let rests = stage == Stage::Venting && jog.is_none() && !frost.heats();
    let exercises = memory.valve_exercise.asks_for_circulation() && may_exercise(settings, memory, seen);
    let moves = jog.is_some() || exercises;
    let wanted = !rests && (stage.wants_circulation() || moves || frost.circulates());
    let run = match barred {
        Some(_) => Run::Barred,
        None if wanted => Run::Wanted,
        None if may_exercise(settings, memory, seen) => Run::NotWanted,
        None => Run::Rest,
    };
    let hand_speed = memory.leases.speed();
    let asked = Asked {
        run,
        need: if frost.circulates() { Need::Frost } else { Need::Heat },
        hand_speed,
        out: kept_out(settings, memory, frost, jog),
        proven: seen.circulating,
        outdoor: at.outdoor.filtered,
        // The best guess: the margin for its error is the room feedback's, which heats for it.
        rooms: seen.rooms.tail.map(|tail| tail.excess),
        local: at.now.local,
    };
    let mut circulation = settings.circulation;
    if memory.interlocks.slows_drives() {
        circulation.speed_max = circulation.speed_max.min(circulation.speed_fallback);
    }
    memory.circulation.advance(&circulation, at.index, at.own, &asked, at.dt, events);
    let run = run == Run::Wanted;
    match (barred, stage) {
        (Some(trip), _) => PumpReason::Interlock(trip),
        (None, _) if run && !memory.circulation.any_on() && !memory.circulation.is_changing() => {
            PumpReason::NoneAvailable
        }
        (None, _) if hand_speed.is_some() => PumpReason::Hand,
        (None, Stage::ShuttingDown) => PumpReason::PostRun,
        (None, Stage::StartingPumps | Stage::Settling | Stage::Heating) => PumpReason::Heating,
        (None, Stage::Venting) => PumpReason::Venting,
        (None, Stage::Stopped | Stage::Filling | Stage::ProvingPressure | Stage::GivenUp) if frost.circulates() => {
            PumpReason::Frost
        }
        (None, Stage::Filling | Stage::ProvingPressure) => PumpReason::Filling,
        (None, Stage::Stopped) if memory.circulation.any_on() => PumpReason::Exercise,
        (None, Stage::Stopped) => PumpReason::NoDemand,
        (None, Stage::GivenUp) => PumpReason::GivenUp,
    }
}

/// Pumps that are not to run: worked on, kept out by hand unless it is frost, or not this jog's.
fn kept_out(
    settings: &CircuitSettings,
    memory: &CircuitState,
    frost: FrostStage,
    jog: Option<usize>,
) -> [bool; PUMPS_MAX] {
    std::array::from_fn(|number| {
        let pump = PumpIndex(number);
        let by_hand = memory.leases.pump_out(pump) && !frost.circulates();
        let others_turn = jog.is_some_and(|jog| jog % settings.circulation.pumps.max(1) != number);
        by_hand || others_turn || memory.leases.maintains(Device::CirculationPump(pump))
    })
}

/// Idle pumps are turned in standstill too, but not without water, and not where a person asked for a stop: somebody may
/// be at work there.
pub(super) fn may_exercise(settings: &CircuitSettings, memory: &CircuitState, seen: &Seen) -> bool {
    let filled = seen.holding_pressure.is_some_and(|pressure| pressure >= settings.interlock.pressure_restart);
    filled && memory.mode == Mode::Automatic && memory.sequence.stage == Stage::Stopped
}

pub(super) fn hold_pressure(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    commands: &mut CircuitCommands,
) {
    let CircuitCommands { circulation_pumps, make_up_pumps, building_valves, .. } = commands;
    circulation_pumps.clear();
    circulation_pumps.extend(memory.circulation.commands(&settings.circulation));
    make_up_pumps.clear();
    building_valves.clear();
    let buildings = (0..settings.buildings.len()).map(BuildingIndex);
    let leases = &memory.leases;
    building_valves.extend(buildings.map(|building| {
        leases.building_valve(building).filter(|_| !leases.maintains(Device::BuildingValve(building)))
    }));

    commands.valve_position = memory.supply_loop.actuator.target();
    commands.valve_motor = memory.supply_loop.actuator.motor(&settings.valve);
    (commands.relief_open, commands.tank_inlet_open) = (None, None);
    commands.isolation_open =
        settings.isolation.map(|_| Switch::from(memory.interlocks.isolates(&settings.interlock).is_none()));
    if let Some(make_up) = &settings.make_up {
        let leases = &memory.leases;
        let off_by_hand = leases.maintains(Device::MakeUp) || leases.make_up() == Some(Switch::Off);
        let barred = memory.interlocks.stops_make_up().is_some() || memory.watching.is_some() || off_by_hand;
        memory.make_up.keep_out(std::array::from_fn(|number| {
            let pump = PumpIndex(number);
            leases.make_up_pump_out(pump) || leases.maintains(Device::MakeUpPump(pump))
        }));
        if let Some(pressure) = seen.holding_pressure.filter(|_| !barred && leases.make_up() == Some(Switch::On)) {
            memory.make_up.top_up(make_up, at.own, pressure);
        }
        memory.make_up.advance(make_up, at.own, seen.holding_pressure, barred, at.dt);
        watch_leaks(make_up, memory, at, seen);
        commands.make_up_pumps.extend(memory.make_up.commands(make_up));
        commands.relief_open = Some(relief(make_up, memory, seen));
        commands.tank_inlet_open = Some(inlet(memory));
    }
}

fn watch_leaks(make_up: &MakeUpSettings, memory: &mut CircuitState, at: &Surroundings, seen: &Seen) {
    let own = &at.own.own;
    let sight = leak::Sight {
        made_up: memory.make_up.made_up(),
        make_up_flow: own.make_up_flow.fresh(),
        pressure: memory.make_up.measured(seen.holding_pressure),
        water: own.supply_temperature.usable().zip(own.return_temperature.usable()),
        circulating: seen.circulating == Some(true),
        relieving: memory.make_up.relief_open || own.relief_feedback.usable() == Some(Switch::On),
        making_up: memory.make_up.is_running(),
        start: make_up.start,
        setpoint: make_up.setpoint,
        local: at.now.local,
    };
    memory.leak.advance(&make_up.leak, &sight, at.dt);
}

/// The relief valve. A hand opens it down to where make-up would start, and closes it no longer than the pressure allows.
fn relief(make_up: &MakeUpSettings, memory: &CircuitState, seen: &Seen) -> Switch {
    // Below the protection pressure nothing more is let out, whatever a switch says: a contact that sticks would empty the
    // plant.
    if memory.leases.maintains(Device::ReliefValve) || memory.interlocks.holds(Trip::PressureLow) {
        return Switch::Off;
    }
    let opened = memory.leases.relief_valve() == Some(Switch::On)
        && seen.holding_pressure.is_some_and(|pressure| pressure > make_up.setpoint);
    Switch::from(memory.make_up.relief_open || opened)
}

/// The tank's inlet: interlock over maintenance over hand over level.
fn inlet(memory: &CircuitState) -> Switch {
    if memory.interlocks.closes_inlet().is_some() || memory.leases.maintains(Device::TankInlet) {
        return Switch::Off;
    }
    memory.leases.tank_inlet().unwrap_or(Switch::from(memory.make_up.inlet_open))
}

/// The buildings' valves: hand over cold restart over balance. They are part of no protection: an interlock finds them
/// where they are.
pub(super) fn balance_buildings(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    frost: FrostStage,
    commands: &mut CircuitCommands,
) -> Option<BalanceReport> {
    let balance = settings.balance.as_ref()?;
    let heating = memory.sequence.stage == Stage::Heating && memory.interlocks.closes_valve().is_none();
    // Circulation because it is cold outdoors is every winter's night; it disturbs no balance.
    let plant = Plant { heating: Switch::from(heating), frost: Switch::from(frost.heats()), supply: seen.supply };
    let report = memory.balance.advance(balance, &settings.buildings, &at.own.buildings, &plant, at.dt);
    let opened = (memory.sequence.restart() == Some(Restart::Cold)).then_some(Ratio::ONE);
    for (number, place) in commands.building_valves.iter_mut().enumerate() {
        let balanced = memory.balance.command(&settings.buildings, number);
        *place = if memory.leases.maintains(Device::BuildingValve(BuildingIndex(number))) {
            None
        } else {
            place.or(balanced.and(opened)).or(balanced)
        };
        if *place != balanced {
            memory.balance.overruled(number);
        }
    }
    Some(report)
}
