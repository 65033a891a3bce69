//! What the control remembers from step to step. It changes in [`step`](crate::step::step) and nowhere else.
//!
//! It holds elapsed times, never clock readings, so that a state saved by one run means the same to the next.

use std::sync::Arc;
use std::time::Duration;

use heatstation_points::{CircuitIndex, Kelvins};
use serde::{Deserialize, Serialize};

use crate::alarm::Alarms;
use crate::area::Area;
use crate::authority::Leases;
use crate::auto_tune::AutoTune;
use crate::balance::Balance;
use crate::circulation::Circulation;
use crate::correction::Corrections;
use crate::creep::Creep;
use crate::equivalent_outdoor::EquivalentOutdoor;
use crate::event::Event;
use crate::frost::Frost;
use crate::heating_limit::HeatingLimit;
use crate::interlock::Interlocks;
use crate::leak::Leak;
use crate::load_shed::LoadShed;
use crate::make_up::MakeUp;
use crate::outage::{OutageId, Watch};
use crate::outdoor::OutdoorState;
use crate::quota::Quota;
use crate::request::{Mode, Origin};
use crate::room_sensors::RoomSensors;
use crate::room_tail::RoomStatistic;
use crate::room_trim::RoomTrim;
use crate::season::SeasonWatch;
use crate::sensor_watch::SensorWatch;
use crate::sequence::Sequence;
use crate::setpoint::Setpoint;
use crate::settings::Settings;
use crate::supply_loop::SupplyLoop;
use crate::timer::Held;
use crate::times::Times;
use crate::valve_exercise::ValveExercise;
use crate::valve_health::ValveHealth;

/// Integrators older than this are not taken up again: the plant has gone on without us.
const INTEGRATORS_KEEP: Duration = Duration::from_secs(15 * 60);

/// The rooms of another week, or of last winter, say nothing of today's.
const TRIM_KEEP: Duration = Duration::from_secs(7 * 86_400);

/// The state of a station.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The monotonic time of the last step; none before the first.
    pub(crate) last: Option<Duration>,
    pub(crate) outdoor: OutdoorState,
    #[serde(default)]
    pub(crate) season: SeasonWatch,
    pub(crate) alarms: Alarms,
    pub(crate) circuits: Vec<CircuitState>,
    /// Wishes of late, per origin: buckets that leak six a minute.
    pub(crate) wishes_of_late: [f64; 3],
    /// How long each origin has said nothing that was granted; none before its first word.
    #[serde(default)]
    pub(crate) silent_for: [Option<Duration>; 3],
}

/// The state of a circuit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CircuitState {
    /// Run or stop.
    pub(crate) mode: Mode,
    /// How long the circuit has been looked at before it is taken over; none when it is ours.
    pub(crate) watching: Option<Duration>,
    /// The cabinet stood on local in the last step.
    #[serde(default)]
    pub(crate) was_local: bool,
    /// It is watched because a person gave it back at the cabinet.
    #[serde(default)]
    pub(crate) given_back: bool,
    #[serde(default)]
    pub(crate) equivalent: EquivalentOutdoor,
    #[serde(default)]
    pub(crate) heating_limit: HeatingLimit,
    pub(crate) setpoint: Setpoint,
    #[serde(default)]
    pub(crate) quota: Quota,
    /// What limits and ramp took off the wished setpoint in the last step, or added to it.
    #[serde(default)]
    pub(crate) limited: Kelvins,
    #[serde(default)]
    pub(crate) room_sensors: RoomSensors,
    pub(crate) room_trim: RoomTrim,
    /// Clock, set-back, and what was learnt of the mornings.
    #[serde(default)]
    pub(crate) times: Times,
    #[serde(default)]
    pub(crate) load_shed: LoadShed,
    /// The last look at the rooms and how long ago it was.
    pub(crate) rooms: Option<(RoomStatistic, Duration)>,
    pub(crate) sequence: Sequence,
    pub(crate) supply_loop: SupplyLoop,
    #[serde(default)]
    pub(crate) valve_health: ValveHealth,
    #[serde(default)]
    pub(crate) auto_tune: AutoTune,
    #[serde(default)]
    pub(crate) valve_exercise: ValveExercise,
    #[serde(default)]
    pub(crate) creep: Creep,
    pub(crate) circulation: Circulation,
    pub(crate) make_up: MakeUp,
    #[serde(default)]
    pub(crate) leak: Leak,
    #[serde(default)]
    pub(crate) balance: Balance,
    pub(crate) interlocks: Interlocks,
    pub(crate) frost: Frost,
    pub(crate) watch: Watch,
    /// What is in hand or worked on.
    #[serde(default)]
    pub(crate) leases: Leases,
    /// A wish to shift the supply: by how much, for how long still.
    pub(crate) shift: Option<(Kelvins, Duration)>,
    /// Who wished it.
    #[serde(default)]
    pub(crate) shift_by: Option<(Origin, Arc<str>)>,
    /// What people correct on the curve.
    #[serde(default)]
    pub(crate) corrections: Corrections,
    /// How long the valve has not followed its command.
    pub(crate) valve_astray: Held,
    /// How long the isolation valve has not followed its command.
    #[serde(default)]
    pub(crate) isolation_astray: Held,
    #[serde(default)]
    pub(crate) sensors: SensorWatch,
}

impl Default for CircuitState {
    fn default() -> Self {
        CircuitState {
            mode: Mode::default(),
            watching: Some(Duration::ZERO),
            was_local: false,
            given_back: false,
            equivalent: EquivalentOutdoor::default(),
            heating_limit: HeatingLimit::default(),
            setpoint: Setpoint::default(),
            quota: Quota::default(),
            limited: Kelvins(0.0),
            room_sensors: RoomSensors::default(),
            room_trim: RoomTrim::default(),
            times: Times::default(),
            load_shed: LoadShed::default(),
            rooms: None,
            sequence: Sequence::default(),
            supply_loop: SupplyLoop::default(),
            valve_health: ValveHealth::default(),
            auto_tune: AutoTune::default(),
            valve_exercise: ValveExercise::default(),
            creep: Creep::default(),
            circulation: Circulation::default(),
            make_up: MakeUp::default(),
            leak: Leak::default(),
            balance: Balance::default(),
            interlocks: Interlocks::at_start(),
            frost: Frost::default(),
            watch: Watch::default(),
            leases: Leases::default(),
            shift: None,
            shift_by: None,
            corrections: Corrections::default(),
            valve_astray: Held::default(),
            isolation_astray: Held::default(),
            sensors: SensorWatch::default(),
        }
    }
}

impl State {
    /// The state of a station that has never run.
    pub fn new(settings: &Settings) -> State {
        // Each made anew, for a copy forgets how much room its lists were given.
        let circuits = settings.circuits.iter().map(|_| CircuitState::default()).collect();
        State { circuits, ..State::default() }
    }

    /// A state that was saved `age` ago by a run that has ended.
    ///
    /// The plant has gone on meanwhile: every circuit is watched anew before anything is written. What was learnt slowly
    /// (trim, smoothed outdoor temperature, counters, latched trips, outages) is kept; loops are kept while they are
    /// young. A state of another number of circuits belongs to another configuration and is not used.
    pub fn resume(saved: State, settings: &Settings, age: Duration) -> Option<State> {
        if saved.circuits.len() != settings.circuits.len() {
            return None;
        }
        let mut state = saved;
        state.last = None;
        state.outdoor.age(age);
        for silent_for in state.silent_for.iter_mut().flatten() {
            *silent_for = silent_for.saturating_add(age);
        }
        state.season.age(age);
        for circuit in &mut state.circuits {
            circuit.watching = Some(Duration::ZERO);
            circuit.equivalent.age(age);
            // A wish expires at its time, whether anybody was there to see it or not.
            circuit.leases.age(age);
            circuit.corrections.pass(age);
            circuit.load_shed.age(age);
            circuit.times.age(age);
            circuit.quota.age(age);
            // Motors have cooled and rests have passed meanwhile; what was used of the hour's starts has not all come back.
            circuit.circulation.age(age);
            circuit.leak.age(age);
            if let Some((_, left)) = &mut circuit.shift {
                *left = left.saturating_sub(age);
            }
            circuit.room_sensors.age(age);
            if age > TRIM_KEEP {
                circuit.room_sensors = RoomSensors::default();
                circuit.room_trim = RoomTrim::default();
            }
            if age > INTEGRATORS_KEEP {
                circuit.setpoint = Setpoint::default();
                circuit.supply_loop = SupplyLoop::default();
                circuit.shift = None;
                circuit.leases.clear_hands();
            }
        }
        Some(state)
    }
}

/// An outage that the records say is open, for a state that is taken up again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOutage {
    /// Which outage.
    pub outage: OutageId,
    /// How long it has lasted by now.
    pub lasted: Duration,
    /// How much of that nobody saw.
    pub unobserved: Duration,
}

impl State {
    /// The same station under changed settings, between two steps: nothing has gone by, nothing is taken over anew. None
    /// if the state belongs to another number of circuits.
    pub fn under(self, settings: &Settings) -> Option<State> {
        (self.circuits.len() == settings.circuits.len()).then_some(self)
    }

    /// Takes over what the records say about outages, which outrank any saved state, and books `gone`, the time in which
    /// nobody looked, in every circuit. Returns what is still owed to the records.
    pub fn take_up_outages(&mut self, settings: &Settings, open: &[OpenOutage], gone: Duration) -> Vec<Event> {
        let mut owed = Vec::new();
        for (number, circuit) in self.circuits.iter_mut().enumerate() {
            let open = open.iter().find(|open| open.outage.circuit.0 == number);
            let area = settings.circuits.get(number).map_or(Area::default(), |circuit| circuit.heated_area);
            circuit.watch.take_up(CircuitIndex(number), area, open.copied(), gone, &mut owed);
        }
        owed
    }
}
