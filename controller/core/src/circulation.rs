//! The circulation pumps: which of them run, how fast, and whether water moves at all.
//!
//! Three rooms, in this order each step: [`duty`] says who runs (duty, assist, standby, change-over, exercise), [`speed`]
//! how fast (one function a mode), and [`proof`] whether it helps. What each pump has done is counted in [`meter`].
//!
//! Running pumps share one speed; a pump that ramps down to hand over, or that is only exercised, has its own. Each pump's
//! command moves no faster than the ramp.

use std::time::Duration;

use heatstation_points::{
    Celsius, CircuitIndex, CircuitReadings, CubicMetersPerSecond, Kelvins, PumpReadings, Ratio, Switch,
};
use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::make_up::Turning;
use crate::moment::LocalTime;
use crate::report::PumpCommand;
use crate::settings::CirculationSettings;
use crate::timer::{Held, seconds};

mod change;
mod duty;
mod far;
mod flow;
mod meter;
mod pressure;
mod proof;
mod speed;

pub use far::Far;
pub use meter::PumpCount;
pub(crate) use meter::Runs;
pub use proof::proven;
pub use speed::{SpeedReason, SpeedReport};

pub use change::ChangeReason;

use change::Change;
use speed::Speed;

/// The most pumps that a circuit has.
pub const PUMPS_MAX: usize = 3;
/// Two motors never start together: the second waits this long.
const STAGGER: Duration = Duration::from_secs(5);

/// Why a pump was taken for failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PumpFailure {
    /// Its drive reports a fault.
    Fault,
    /// It was told to run and is not seen to.
    NoFeedback,
    /// It turns and no water moves: a broken coupling, a closed valve, air.
    NoWater,
}

/// What one pump is known for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Pump {
    on: bool,
    /// Told to run, not proven.
    unproven: Held,
    /// Turns, and no water moves.
    #[serde(default)]
    dry: Held,
    /// Out of duty for what is left of its rest.
    rest: Duration,
    /// Why it rests, or why it did last.
    #[serde(default)]
    failure: Option<PumpFailure>,
    /// Failures since it last ran well.
    #[serde(default)]
    failures: u8,
    /// Running time in its present duty.
    duty: Duration,
    /// Time since it was switched off.
    off: Duration,
    /// Time since it last turned.
    #[serde(default)]
    idle: Duration,
    /// Starts that it has used up: a bucket that empties with time.
    starts_used: f64,
    /// It wants to start and has used up its starts.
    #[serde(default)]
    start_barred: bool,
    /// What is sent to it.
    #[serde(default)]
    speed: Ratio,
    #[serde(default)]
    count: PumpCount,
}

/// The circulation of one circuit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Circulation {
    pumps: [Pump; PUMPS_MAX],
    since_start: Duration,
    /// The speed of the pumps on duty, and how it is found.
    #[serde(default, rename = "speed_control")]
    speed: Speed,
    /// A change-over or an exercise under way.
    #[serde(default)]
    change: Change,
    /// Pumps that have joined those on duty.
    #[serde(default)]
    joined: usize,
    #[serde(default)]
    short: Held,
    #[serde(default)]
    ample: Held,
    /// No change-over and no exercise is tried for this long: the last one came to nothing.
    #[serde(default)]
    postponed: Duration,
}

/// Whether the pumps shall run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// Circulation is wanted.
    Wanted,
    /// It is not; idle pumps may be exercised.
    NotWanted,
    /// It is not, and nothing may turn: a person asked for a stop, or there is no pressure.
    Rest,
    /// An interlock stops all pumps at once.
    Barred,
}

/// How bad it would be if the water stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Cold homes.
    Heat,
    /// A frozen network: pumps that have given up are tried again.
    Frost,
}

/// What is asked of the circulation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asked {
    /// Whether the pumps shall run.
    pub run: Run,
    /// How bad it would be if not.
    pub need: Need,
    /// A speed in hand.
    pub hand_speed: Option<Ratio>,
    /// Pumps that a person keeps out.
    pub out: [bool; PUMPS_MAX],
    /// Whether circulation is proven.
    pub proven: Option<bool>,
    /// The outdoor temperature that the curve uses.
    pub outdoor: Celsius,
    /// What the coldest rooms are estimated to have above their minimum.
    pub rooms: Option<Kelvins>,
    /// The time on the station's wall.
    pub local: LocalTime,
}

impl Circulation {
    /// Takes over the pumps as they are found: running pumps stay running, counters and rests are kept.
    pub fn take_over(&mut self, settings: &CirculationSettings, readings: &[PumpReadings]) {
        self.since_start = STAGGER;
        self.change = Change::None;
        let mut found = settings.speed_min;
        for (pump, reading) in self.pumps.iter_mut().zip(readings) {
            pump.on = reading.running.usable() == Some(Switch::On);
            (pump.unproven, pump.dry) = (Held::default(), Held::default());
            pump.off = settings.off_min;
            if let (true, Some(speed)) = (pump.on, reading.speed_feedback.usable()) {
                found = speed.clamp(settings.speed_min, settings.speed_max);
            }
        }
        for pump in &mut self.pumps {
            pump.speed = found;
        }
        self.speed.take_over(settings, found);
    }

    /// Lets time pass in which no step was made.
    pub(crate) fn age(&mut self, age: Duration) {
        for pump in &mut self.pumps {
            pump.age(age);
        }
    }

    /// A person has looked at the pumps: those that had given up are tried again. Whether there were any.
    pub(crate) fn forgive(&mut self, settings: &CirculationSettings) -> bool {
        let mut any = false;
        for pump in &mut self.pumps {
            any |= pump.given_up(settings);
            pump.failures = 0;
        }
        any
    }

    /// The flow by affinity, for who needs it while the meter is lost.
    pub(crate) fn estimated_flow(&self) -> Option<CubicMetersPerSecond> {
        self.speed.estimated_flow()
    }

    /// One step.
    pub fn advance(
        &mut self,
        settings: &CirculationSettings,
        circuit: CircuitIndex,
        readings: &CircuitReadings,
        asked: &Asked,
        dt: Duration,
        events: &mut Vec<Event>,
    ) {
        let mut watch = duty::Watch { settings, circuit, readings, asked, dt, events };
        let wanted = self.choose(&mut watch);
        self.switch(&mut watch, wanted);
        let turning = self.on_duty(settings).count();
        self.speed.advance(settings, readings, asked, turning, self.change, dt);
        self.send_speeds(settings, dt);
    }

    /// Pumps that carry the circulation now, an exercised one left out.
    fn on_duty(&self, settings: &CirculationSettings) -> impl Iterator<Item = usize> + '_ {
        let exercised = self.change.exercised();
        (0..settings.pumps).filter(move |&number| self.pumps[number].on && exercised != Some(number))
    }

    fn send_speeds(&mut self, settings: &CirculationSettings, dt: Duration) {
        let step = Ratio(settings.ramp_per_second * seconds(dt));
        for (number, pump) in self.pumps.iter_mut().enumerate() {
            let slowly = self.change.ramps_down() == Some(number) || self.change.exercised() == Some(number);
            let target = if slowly { settings.speed_min } else { self.speed.now };
            // A pump that stands may be told anything: its drive brings it up.
            pump.speed = if pump.on { pump.speed + (target - pump.speed).clamp(-step, step) } else { target };
        }
    }

    /// The commands to the pumps.
    pub fn commands(&self, settings: &CirculationSettings) -> impl Iterator<Item = PumpCommand> {
        self.pumps[..settings.pumps]
            .iter()
            .map(|pump| if pump.on { PumpCommand { start: Switch::On, speed: pump.speed } } else { PumpCommand::STOP })
    }

    /// How the pumps turn, for who estimates their head.
    pub(crate) fn turning(&self) -> Turning {
        Turning { pumps: self.pumps.iter().filter(|pump| pump.on).count(), speed: self.speed.now }
    }

    /// Whether any pump is told to run.
    pub fn any_on(&self) -> bool {
        self.pumps.iter().any(|pump| pump.on)
    }

    /// The fastest of the pumps that are told to run; 0 when all stand.
    pub(crate) fn fastest(&self) -> Ratio {
        self.pumps.iter().filter(|pump| pump.on).map(|pump| pump.speed).fold(Ratio::ZERO, Ratio::max)
    }

    /// Whether one pump hands over to another just now.
    pub(crate) fn is_changing(&self) -> bool {
        self.change.freezes_speed()
    }

    fn state_of(&self, pump: &Pump, number: usize, settings: &CirculationSettings) -> PumpState {
        let resting = pump.failure.filter(|_| !pump.rest.is_zero());
        match resting {
            _ if pump.given_up(settings) => PumpState::GivenUp,
            Some(failure) => PumpState::Resting(failure),
            None if self.change.exercised() == Some(number) => PumpState::Exercise,
            None if pump.on => PumpState::Duty,
            None if pump.start_barred => PumpState::StartBarred,
            None => PumpState::Standby,
        }
    }

    /// What is to be said of the pumps.
    pub fn report(&self, settings: &CirculationSettings) -> CirculationReport {
        let pumps = std::array::from_fn(|number| {
            let pump = &self.pumps[number];
            PumpReport { state: self.state_of(pump, number, settings), count: pump.count }
        });
        CirculationReport { speed: self.speed.report(&settings.mode), pumps }
    }
}

/// What one pump does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PumpState {
    /// It stands ready.
    #[default]
    Standby,
    /// It carries the circulation.
    Duty,
    /// It is turned so that it does not seize.
    Exercise,
    /// It is to start and has used up its starts.
    StartBarred,
    /// It has failed and is tried again later.
    Resting(PumpFailure),
    /// It has failed too often: a person has to look.
    GivenUp,
}

impl PumpState {
    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            PumpState::Standby => "standby",
            PumpState::Duty => "duty",
            PumpState::Exercise => "exercise",
            PumpState::StartBarred => "start_barred",
            PumpState::Resting(PumpFailure::Fault) => "resting_fault",
            PumpState::Resting(PumpFailure::NoFeedback) => "resting_no_feedback",
            PumpState::Resting(PumpFailure::NoWater) => "resting_no_water",
            PumpState::GivenUp => "given_up",
        }
    }
}

/// What is said of one pump.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct PumpReport {
    /// What it does.
    pub state: PumpState,
    /// What it has done.
    pub count: PumpCount,
}

/// What is said of the circulation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct CirculationReport {
    /// How the speed is found.
    pub speed: SpeedReport,
    /// The pumps; those that the circuit does not have stand by.
    pub pumps: [PumpReport; PUMPS_MAX],
}

#[cfg(test)]
pub(crate) mod tests;
