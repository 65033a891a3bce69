//! Water: circulation and pressure.

use heatstation_points::Switch;

use super::see::Seen;
use crate::balance::{BalanceReport, Plant};
use crate::circulation::{Asked, Need, Run};
use crate::event::Event;
use crate::leak;
use crate::report::{CircuitCommands, PumpReason};
use crate::request::Mode;
use crate::sequence::Stage;
use crate::settings::{CircuitSettings, MakeUpSettings};
use crate::state::CircuitState;
use crate::surroundings::Surroundings;

pub(super) fn drive_pumps(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    frost_circulation: bool,
    events: &mut Vec<Event>,
) -> PumpReason {
    if memory.watching.is_some() {
        return PumpReason::Local;
    }
    let stage = memory.sequence.stage;
    let barred = memory.interlocks.stops_circulation();
    let wanted = stage.wants_circulation() || frost_circulation;
    let run = match barred {
        Some(_) => Run::Barred,
        None if wanted => Run::Wanted,
        None if may_exercise(settings, memory, seen) => Run::NotWanted,
        None => Run::Rest,
    };
    let out = memory.hand.out.map(|left| left.is_some() && !frost_circulation);
    let hand_speed = memory.hand.speed.map(|(speed, _)| speed);
    let asked = Asked {
        run,
        need: if frost_circulation { Need::Frost } else { Need::Heat },
        hand_speed,
        out,
        proven: seen.circulating,
        outdoor: at.outdoor.filtered,
        // The best guess: the margin for its error is the room feedback's, which heats for it.
        rooms: seen.rooms.tail.map(|tail| tail.excess),
        local: at.now.local,
    };
    memory.circulation.advance(&settings.circulation, at.index, at.own, &asked, at.dt, events);
    let run = run == Run::Wanted;
    match (barred, stage) {
        (Some(trip), _) => PumpReason::Interlock(trip),
        (None, _) if run && !memory.circulation.any_on() && !memory.circulation.is_changing() => {
            PumpReason::NoneAvailable
        }
        (None, _) if hand_speed.is_some() => PumpReason::Hand,
        (None, Stage::ShuttingDown) => PumpReason::PostRun,
        (None, Stage::StartingPumps | Stage::Settling | Stage::Heating) => PumpReason::Heating,
        (None, Stage::Stopped | Stage::Filling) if frost_circulation => PumpReason::Frost,
        (None, Stage::Filling) => PumpReason::Filling,
        (None, Stage::Stopped) if memory.circulation.any_on() => PumpReason::Exercise,
        (None, Stage::Stopped) => PumpReason::NoDemand,
    }
}

/// Idle pumps are turned in standstill too, but not without water, and not where a person asked for a stop: somebody may
/// be at work there.
fn may_exercise(settings: &CircuitSettings, memory: &CircuitState, seen: &Seen) -> bool {
    let filled = seen.holding_pressure.is_some_and(|pressure| pressure >= settings.interlock.pressure_restart);
    filled && memory.mode == Mode::Automatic && memory.sequence.stage == Stage::Stopped
}

pub(super) fn hold_pressure(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
) -> CircuitCommands {
    let mut commands = CircuitCommands {
        valve_position: memory.supply_loop.actuator.target(),
        valve_motor: memory.supply_loop.actuator.motor(&settings.valve),
        circulation_pumps: memory.circulation.commands(&settings.circulation),
        make_up_pumps: Vec::new(),
        relief_open: None,
        tank_inlet_open: None,
        building_valves: vec![None; settings.buildings.len()],
    };
    if let Some(make_up) = &settings.make_up {
        let barred = memory.interlocks.stops_make_up().is_some() || memory.watching.is_some();
        memory.make_up.advance(make_up, at.own, seen.holding_pressure, barred, at.dt);
        watch_leaks(make_up, memory, at, seen);
        commands.make_up_pumps = memory.make_up.commands(make_up);
        commands.relief_open = Some(Switch::from(memory.make_up.relief_open));
        commands.tank_inlet_open = Some(Switch::from(memory.make_up.inlet_open));
    }
    commands
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

/// The buildings' valves, where they are ours. They are part of no protection: an interlock finds them where they are.
pub(super) fn balance_buildings(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    frost: Switch,
    commands: &mut CircuitCommands,
) -> Option<BalanceReport> {
    let balance = settings.balance.as_ref()?;
    let heating = memory.sequence.stage == Stage::Heating && memory.interlocks.closes_valve().is_none();
    let plant = Plant { heating: Switch::from(heating), frost, supply: seen.supply };
    let report = memory.balance.advance(balance, &settings.buildings, &at.own.buildings, &plant, at.dt);
    for (place, command) in commands.building_valves.iter_mut().zip(memory.balance.commands(&settings.buildings)) {
        *place = command;
    }
    Some(report)
}
