//! What is seen of the plant in a step, after the ladders.

use std::time::Duration;

use heatstation_points::{Celsius, Pascals, Switch};

use crate::circulation;
use crate::event::Event;
use crate::room_sensors::Look;
use crate::room_tail::RoomStatistic;
use crate::sensor_watch::Movement;
use crate::sequence::Stage;
use crate::settings::CircuitSettings;
use crate::sources::{self, Rungs, Sources};
use crate::state::CircuitState;
use crate::supply_source::{SupplySource, supply_temperature};
use crate::surroundings::Surroundings;

/// What is seen of the plant in this step, after the ladders.
pub(super) struct Seen {
    pub supply: Option<Celsius>,
    pub supply_source: SupplySource,
    pub holding_pressure: Option<Pascals>,
    pub circulating: Option<bool>,
    pub rooms: RoomStatistic,
    pub sources: Sources,
}

/// Rooms are read once a minute at most; looking at hundreds of them each second would be most of the step.
const ROOMS_EVERY: Duration = Duration::from_secs(10);

pub(super) fn see(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    events: &mut Vec<Event>,
) -> Seen {
    let rooms = match memory.rooms {
        Some((rooms, age)) if age + at.dt < ROOMS_EVERY => (rooms, age + at.dt),
        before => {
            let dt = before.map_or(Duration::ZERO, |(_, age)| age + at.dt);
            (look_at_rooms(settings, memory, at, dt, events), Duration::ZERO)
        }
    };
    memory.rooms = Some(rooms);
    memory.sensors.look(at.own, movement(memory), at.dt);
    let (supply, supply_source) = if memory.sensors.prefers_second_supply() {
        (at.own.own.supply_temperature_second.fresh(), SupplySource::SecondSensor)
    } else {
        supply_temperature(at.own)
    };
    let holding_pressure = memory.make_up.look(at.own, memory.circulation.turning(), at.dt);
    let rungs = Rungs {
        supply: supply_source,
        outdoor: at.outdoor.source,
        pressure: memory.make_up.pressure_source(),
        rooms_fresh: rooms.0.fresh,
        rooms_configured: rooms.0.configured,
    };
    Seen {
        sources: sources::sources(settings, at.station, at.own, rungs),
        supply,
        supply_source,
        holding_pressure,
        circulating: circulation::proven(&settings.circulation, at.own, Switch::from(memory.circulation.any_on())),
        rooms: rooms.0,
    }
}

/// How the plant has been moved up to now.
fn movement(memory: &CircuitState) -> Movement {
    let (valve, on) = (memory.supply_loop.command.0, memory.circulation.any_on());
    let open = valve > OPEN && memory.sequence.stage == Stage::Heating;
    Movement {
        valve,
        speed: memory.circulation.fastest().0,
        make_up: Switch::from(memory.make_up.is_running()),
        heating: Switch::from(open && on && memory.interlocks.closes_valve().is_none()),
    }
}

/// Less than this passes no heat worth looking at.
const OPEN: f64 = 0.1;

fn look_at_rooms(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    dt: Duration,
    events: &mut Vec<Event>,
) -> RoomStatistic {
    let look = Look {
        settings,
        readings: &at.own.rooms,
        outdoor: at.outdoor.now,
        local: at.now.local,
        heating: Switch::from(memory.sequence.stage == Stage::Heating),
        dt,
    };
    let seen = memory.room_sensors.look(&look);
    memory.room_sensors.tell(at.index, dt, events);
    seen
}
