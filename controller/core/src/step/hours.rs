//! The hours: what clock, set-back and load shed decide before the setpoint is found.

use heatstation_points::Kelvins;

use super::see::Seen;
use crate::adopt;
use crate::authority::Device;
use crate::event::Event;
use crate::frost::FrostStage;
use crate::interlock::Trip;
use crate::load_shed::{self, ShedNow};
use crate::room_trim::Frozen;
use crate::sequence::Stage;
use crate::settings::CircuitSettings;
use crate::state::CircuitState;
use crate::surroundings::Surroundings;
use crate::times::{self, TimesNow};

/// What was decided.
pub(super) struct Hours {
    pub times: TimesNow,
    pub shed: ShedNow,
}

pub(super) fn pass_hours(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
    frost: FrostStage,
    events: &mut Vec<Event>,
) -> Hours {
    let outdoor = at.outdoor.filtered;
    let (demands, day) = (frost.heats(), at.now.local.day);
    let guard = load_shed::Situation { tail_excess: seen.rooms.tail_excess(), frost: demands, outdoor, day };
    let (shed, ended) = memory.load_shed.advance(settings, &guard, at.dt);
    events.extend(ended.map(|why| Event::LoadShedEnded { circuit: at.index, why }));

    let enough = seen.rooms.counted >= settings.room_trim.sensors_min;
    let situation = times::Situation {
        local: at.now.local,
        outdoor,
        room: seen.rooms.median.filter(|_| enough),
        frost: demands,
        heats: controls(memory, at, frost) && shed.by.is_none(),
        climbs: memory.setpoint.climbs(),
    };
    Hours { times: memory.times.advance(settings, &situation, at.dt), shed }
}

/// Whether the loop follows the setpoint: nobody else has the valve.
///
/// What learns, ramps or limits by what the loop does rests while it does nothing.
pub(super) fn controls(memory: &CircuitState, at: &Surroundings, frost: FrostStage) -> bool {
    let barred: Option<Trip> = memory.interlocks.closes_valve();
    let in_hand = memory.leases.valve().is_some() && !frost.heats();
    let with_people = in_hand || memory.leases.maintains(Device::Valve) || adopt::valve_is_local(at);
    memory.sequence.stage == Stage::Heating && barred.is_none() && !with_people
}

/// Why the room trim stands still, beside another room target.
pub(super) fn why_trim_stands(memory: &CircuitState, hours: &Hours) -> Option<Frozen> {
    if hours.times.is_recovering() {
        Some(Frozen::Recovering)
    } else {
        let sheds = hours.shed.by.is_some() || memory.setpoint.shed() < Kelvins(0.0);
        sheds.then_some(Frozen::LoadShed)
    }
}
