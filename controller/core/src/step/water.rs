//! Water: circulation and pressure.

use heatstation_points::Switch;

use super::see::Seen;
use crate::circulation::Asked;
use crate::event::Event;
use crate::report::{CircuitCommands, PumpReason};
use crate::sequence::Stage;
use crate::settings::CircuitSettings;
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
    let run = (stage.wants_circulation() || frost_circulation) && barred.is_none();
    let out = memory.hand.out.map(|left| left.is_some() && !frost_circulation);
    let hand_speed = memory.hand.speed.map(|(speed, _)| speed);
    let asked = Asked { run, hand_speed, out, proven: seen.circulating };
    memory.circulation.advance(&settings.circulation, at.index, at.own, asked, at.dt, events);
    match (barred, stage) {
        (Some(trip), _) => PumpReason::Interlock(trip),
        (None, _) if run && !memory.circulation.any_on() => PumpReason::NoneAvailable,
        (None, _) if hand_speed.is_some() => PumpReason::Hand,
        (None, Stage::ShuttingDown) => PumpReason::PostRun,
        (None, Stage::StartingPumps | Stage::Settling | Stage::Heating) => PumpReason::Heating,
        (None, Stage::Stopped | Stage::Filling) if frost_circulation => PumpReason::Frost,
        (None, Stage::Filling) => PumpReason::Filling,
        (None, Stage::Stopped) => PumpReason::NoDemand,
    }
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
        commands.make_up_pumps = memory.make_up.commands(make_up);
        commands.relief_open = Some(Switch::from(memory.make_up.relief_open));
        commands.tank_inlet_open = Some(Switch::from(memory.make_up.inlet_open));
    }
    commands
}
