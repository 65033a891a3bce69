//! Heat: the setpoint.

use heatstation_points::{CubicMetersPerSecond, Kelvins, Switch};

use super::hours::{Hours, controls, why_trim_stands};
use super::limit::look_at_limits;
use super::see::Seen;
use crate::equivalent_outdoor::Equivalent;
use crate::event::Event;
use crate::frost::FrostStage;
use crate::heating_limit::Eco;
use crate::ledger::Part;
use crate::quota::QuotaReport;
use crate::report::SetpointReport;
use crate::room_trim::{Circumstances, RoomTrimReport, Stop};
use crate::sequence::Restart;
use crate::setpoint::Wishes;
use crate::settings::CircuitSettings;
use crate::state::CircuitState;
use crate::surroundings::Surroundings;

pub(super) fn find_setpoint(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    hours: &Hours,
    equivalent: Equivalent,
    frost: FrostStage,
) -> (SetpointReport, RoomTrimReport, Option<QuotaReport>) {
    let controlling = controls(memory, at, frost);
    let around = Circumstances {
        heating: Switch::from(controlling),
        schedule: hours.times.room_shift(),
        hours: why_trim_stands(memory, hours),
        stop: where_it_stops(settings, memory),
        outdoor: at.outdoor.now,
        looked: memory.room_sensors.looked(),
    };
    let room_trim = memory.room_trim.advance(&settings.room_trim, &seen.rooms, &around, at.dt);
    let remote = memory.shift.map_or(Kelvins(0.0), |(by, _)| by);
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
        equivalent,
        room_trim: room_trim.shift,
        times: hours.times,
        corrections: memory.corrections,
        shed: hours.shed.by,
        remote,
        frost,
        flow: flow(memory, at),
        limits,
        supply: seen.supply,
        resting_at: if controlling || hot { None } else { Some(seen.supply.unwrap_or(settings.supply.min)) },
    };
    let setpoint = memory.setpoint.advance(settings, &wishes, at.dt);
    memory.limited = setpoint.ledger.of(Part::Band) + setpoint.ledger.given_way();
    (setpoint, room_trim, quota)
}

/// The flow that the curve looks at: the meter's, or while that is lost what the pumps' speed makes of the last one.
fn flow(memory: &CircuitState, at: &Surroundings) -> Option<CubicMetersPerSecond> {
    let measured = at.own.own.secondary_flow;
    measured.fresh().or_else(|| memory.circulation.estimated_flow().filter(|_| measured.is_configured()))
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

/// The setpoint is held when limits move it by this.
const HELD: Kelvins = Kelvins(0.5);

/// Which way the rooms can have no more of it: a valve at its end, or a limit between the wish and the setpoint.
fn where_it_stops(settings: &CircuitSettings, memory: &CircuitState) -> Stop {
    let command = memory.supply_loop.command;
    let more = command >= settings.valve.position_max || memory.limited < -HELD || memory.setpoint.is_limited();
    let less = command <= settings.valve.position_min || memory.limited > HELD;
    // An experiment with the valve is no answer to the rooms.
    let tested = memory.valve_health.is_testing() || memory.auto_tune.is_running();
    match (more || tested, less || tested) {
        (false, false) => Stop::None,
        (true, false) => Stop::More,
        (false, true) => Stop::Less,
        (true, true) => Stop::Both,
    }
}
