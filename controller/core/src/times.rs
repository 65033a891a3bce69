//! The hours of a circuit: clock, optimum start and stop, set-back and boost, one after the other.
//!
//! ```text
//!               level falls below normal              level rises
//!   [ Steady ] -------------------------> [ Reduced ] ------------> [ Recovering ]
//!       ^                                     ^                        |    |
//!       |                                     |______ level falls _____|    |
//!       |___________________ rooms are warm again · nobody knows and the ___|
//!                            boost's time is over · half a day
//! ```
//!
//! The level is what the clock asks for, or what it will ask for next, when [`optimum`](crate::optimum) goes ahead of it.
//! [`set_back`](crate::set_back) gives back what the weather forbids, [`boost`](crate::boost) adds while the rooms recover.
//! Each says its part in kelvins; the setpoint books them. What was measured of a recovery teaches the next start.
//!
//! Chinese dwellings have no programme, and then nothing of this moves anything.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins, Ratio};
use serde::{Deserialize, Serialize};

use crate::moment::LocalTime;
use crate::optimum::{self, Ahead, Learned};
use crate::schedule::Look;
use crate::set_back::{self, HoldDown, SetBack, Withheld};
use crate::settings::{Boost, CircuitSettings, Fall};

/// Rooms that are not warm again after this are as warm as this plant makes them (Samson: 8 h of pre-heat at most).
const RECOVERY_MAX: Duration = Duration::from_secs(12 * 3600);
/// A level that has held this long shows what temperature the rooms come to by it.
const STEADY: Duration = Duration::from_secs(3 * 3600);
/// How much of a new day goes into what the rooms normally come to.
const NORMAL_SHARE: f64 = 1.0 / 3.0;
/// Rooms that are this far below the target on a normal day are short of heat, not normal.
const NORMAL_BELOW: Kelvins = Kelvins(2.0);

/// Where the circuit stands in its day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The level has been reached.
    Steady {
        /// For how long.
        lasted: Duration,
    },
    /// A reduced level is in force.
    Reduced {
        /// For how long.
        lasted: Duration,
        /// The rooms when it began.
        from: Option<Celsius>,
    },
    /// The rooms warm up again.
    Recovering {
        /// For how long.
        lasted: Duration,
        /// The rooms when it began.
        from: Option<Celsius>,
        /// The load when it began.
        load: Ratio,
        /// Nothing has disturbed it: it teaches something.
        teaches: bool,
    },
}

impl Default for Phase {
    fn default() -> Self {
        Phase::Steady { lasted: Duration::ZERO }
    }
}

impl Phase {
    /// All names of [`Phase::name`].
    pub const NAMES: [&'static str; 3] = ["steady", "reduced", "recovering"];

    /// The name in metrics and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Steady { .. } => "steady",
            Phase::Reduced { .. } => "reduced",
            Phase::Recovering { .. } => "recovering",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Phase::Steady { .. } => ("常温", "steady"),
            Phase::Reduced { .. } => ("降温", "set back"),
            Phase::Recovering { .. } => ("升温恢复", "warming up again"),
        }
    }

    fn pass(&mut self, dt: Duration) {
        match self {
            Phase::Steady { lasted } | Phase::Reduced { lasted, .. } | Phase::Recovering { lasted, .. } => {
                *lasted += dt;
            }
        }
    }
}

/// What the hours look at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Situation {
    /// The station's wall clock.
    pub local: LocalTime,
    /// The smoothed outdoor temperature.
    pub outdoor: Celsius,
    /// The rooms' median, while enough of them are fresh.
    pub room: Option<Celsius>,
    /// Whether frost protection demands heat.
    pub frost: bool,
    /// Whether the circuit heats, nothing bars it and nothing sheds.
    pub heats: bool,
    /// Whether the setpoint is still on its way up to what is wished.
    pub climbs: bool,
}

/// What the hours remember.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// What the clock asks for, looked up once a minute.
    look: Option<(LocalTime, Look)>,
    level: Option<Kelvins>,
    ahead: Ahead,
    /// The level of the clock for which the circuit went ahead.
    ahead_of: Kelvins,
    phase: Phase,
    /// For how long the supply has been boosted in this recovery.
    boosted: Duration,
    set_back: SetBack,
    /// Nothing was set back in the last step.
    withheld: bool,
    /// The level was falling in the last step.
    fell: bool,
    /// The supply was lowered for a set-back and has not come back up yet.
    returning: bool,
    learned: Learned,
    /// What the rooms come to at the room target.
    normal: Option<Celsius>,
}

/// What the hours decide, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct TimesNow {
    /// What the clock asks for.
    pub look: Look,
    /// What being ahead of the clock adds, in kelvins of room temperature.
    pub optimum: Kelvins,
    /// What is given back of a set-back, in kelvins of room temperature.
    pub given_back: Kelvins,
    /// Why nothing is set back.
    pub withheld: Option<Withheld>,
    /// How the supply is held down, if it is.
    pub hold_down: Option<HoldDown>,
    /// What is added to the supply, if anything is.
    pub boost: Option<Boost>,
    /// Whether the circuit is ahead of the clock.
    pub ahead: Ahead,
    /// Where it stands in its day.
    pub phase: Phase,
    /// Whether the supply is low because of a set-back, or still on its way up after one: no heat is missing.
    pub returning: bool,
    /// How long before the next higher level it will start; none while there is no such level, or it is not asked to.
    pub start_lead: Option<Duration>,
    /// The slope of recovery that was learnt for this load, K/h.
    pub recovery_per_hour: Option<Kelvins>,
}

impl TimesNow {
    /// What is added to the room target in all.
    pub fn room_shift(&self) -> Kelvins {
        self.look.shift + self.optimum + self.given_back
    }

    /// Whether the rooms are meant to be cooler than the room target.
    pub fn is_set_back(&self) -> bool {
        self.room_shift() < Kelvins(-1e-9)
    }

    /// Whether the rooms are on their way up.
    pub fn is_recovering(&self) -> bool {
        matches!(self.phase, Phase::Recovering { .. })
    }
}

impl Times {
    /// One step.
    pub fn advance(&mut self, settings: &CircuitSettings, at: &Situation, dt: Duration) -> TimesNow {
        let look = self.look_up(settings, at.local);
        let load = settings.curve.load_ratio(at.outdoor, settings.room_target);
        self.phase.pass(dt);
        let start_lead = self.go_ahead(settings, at, &look, load);
        let level = self.ahead.level(&look);
        self.follow_level(settings, at, level, load);
        self.watch_recovery(settings, at, level);

        let (falling_for, room_before) = match self.phase {
            Phase::Reduced { lasted, from } => (Some(lasted), from),
            Phase::Steady { .. } | Phase::Recovering { .. } => (None, None),
        };
        let set_back = set_back::Situation {
            level,
            room_target: settings.room_target,
            outdoor: at.outdoor,
            load,
            frost: at.frost,
            falling_for,
            room_before,
            room: at.room,
        };
        let times = &settings.times;
        let set_back = self.set_back.advance(&times.set_back, times.building_constant, &set_back);
        self.withheld = set_back.withheld.is_some();
        // The setpoint begins to climb one step after the level has risen.
        let fell = std::mem::replace(&mut self.fell, falling_for.is_some());
        self.returning = self.fell || fell || (self.returning && at.climbs);
        let boost = match self.phase {
            Phase::Recovering { .. } => times.boost.after(self.boosted),
            Phase::Steady { .. } | Phase::Reduced { .. } => None,
        };
        // A boost that the ramp does not let through yet does not use up its time (rwchcd: the timer is pushed back).
        self.boosted = match boost {
            Some(_) if at.climbs => self.boosted,
            Some(_) => self.boosted.saturating_add(dt),
            None if matches!(self.phase, Phase::Recovering { .. }) => self.boosted,
            None => Duration::ZERO,
        };
        TimesNow {
            look,
            optimum: level - look.shift,
            given_back: set_back.given_back,
            withheld: set_back.withheld,
            hold_down: set_back.hold_down,
            boost,
            ahead: self.ahead,
            phase: self.phase,
            returning: self.returning,
            start_lead,
            recovery_per_hour: self.learned.slope(load).map(|slope| Kelvins(slope.kelvins_per_hour)),
        }
    }

    fn look_up(&mut self, settings: &CircuitSettings, local: LocalTime) -> Look {
        let look = match self.look {
            Some((of, look)) if of == local => look,
            Some(_) | None => settings.schedule.look(settings.room_target, local),
        };
        self.look = Some((local, look));
        look
    }

    /// Decides whether to go ahead of the clock; returns the lead of a start.
    fn go_ahead(&mut self, settings: &CircuitSettings, at: &Situation, look: &Look, load: Ratio) -> Option<Duration> {
        if look.shift != self.ahead_of {
            (self.ahead, self.ahead_of) = (Ahead::No, look.shift);
        }
        let next = look.next?;
        let times = &settings.times;
        if next.to > look.shift {
            let lead = self.start_lead(settings, at, next.to, load);
            let starts = lead.is_some_and(|lead| !lead.is_zero() && next.after <= lead);
            if starts && self.ahead == Ahead::No {
                self.ahead = Ahead::Started;
            }
            return lead;
        }
        if times.optimum.stop_max.is_zero() || !at.heats {
            return None;
        }
        match self.ahead {
            Ahead::No => {
                let wanted = self.rooms_at(settings, look.shift);
                let (room, floor) = (at.room.unwrap_or(wanted), wanted - times.optimum.room_drop);
                let towards = match times.set_back.fall {
                    Fall::Curve => settings.room_target + next.to,
                    Fall::Quick | Fall::Stop if at.outdoor < times.set_back.frost => settings.room_target + next.to,
                    Fall::Quick | Fall::Stop => at.outdoor,
                };
                let lead = optimum::stop_lead(&times.optimum, times.building_constant, room, floor, towards);
                if next.after <= lead {
                    self.ahead = Ahead::Stopped;
                }
            }
            Ahead::Stopped => {
                let fell =
                    at.room.is_some_and(|room| room < self.rooms_at(settings, look.shift) - times.optimum.room_drop);
                if fell {
                    self.ahead = Ahead::Recalled;
                }
            }
            Ahead::Started | Ahead::Recalled => {}
        }
        None
    }

    fn start_lead(&self, settings: &CircuitSettings, at: &Situation, to: Kelvins, load: Ratio) -> Option<Duration> {
        let times = &settings.times;
        let lowered_for = match self.phase {
            Phase::Reduced { lasted, .. } => lasted,
            Phase::Steady { .. } | Phase::Recovering { .. } => Duration::ZERO,
        };
        let lead = if times.optimum.start_max.is_zero() {
            Duration::ZERO
        } else {
            let missing = at.room.map(|room| self.warm_enough(settings, to) - room);
            self.learned.start_lead(&times.optimum, missing, load, lowered_for)
        };
        let lead = lead + times.boost.stagger;
        (!lead.is_zero()).then_some(lead)
    }

    /// What the rooms come to at a level: the wish, or what they normally reach where that is less.
    fn rooms_at(&self, settings: &CircuitSettings, level: Kelvins) -> Celsius {
        let target = settings.room_target;
        self.normal.map_or(target, |normal| normal.clamp(target - NORMAL_BELOW, target)) + level
    }

    fn warm_enough(&self, settings: &CircuitSettings, level: Kelvins) -> Celsius {
        self.rooms_at(settings, level) - settings.times.optimum.reached_within
    }

    fn follow_level(&mut self, settings: &CircuitSettings, at: &Situation, level: Kelvins, load: Ratio) {
        let before = self.level.replace(level);
        let fell = before.is_none_or(|before| level < before) && level < Kelvins(0.0);
        let rose = before.is_some_and(|before| level > before);
        match self.phase {
            Phase::Steady { lasted } if fell => {
                if let Some((room, before)) = at.room.zip(before).filter(|_| lasted >= STEADY) {
                    self.note_normal(settings, room - before);
                }
                self.phase = Phase::Reduced { lasted: Duration::ZERO, from: at.room };
            }
            Phase::Recovering { .. } if fell => self.phase = Phase::Reduced { lasted: Duration::ZERO, from: at.room },
            // Nothing was set back, and nobody measures the rooms: they are as warm as they were.
            Phase::Reduced { .. } if rose && self.withheld && at.room.is_none() => self.phase = Phase::default(),
            Phase::Reduced { .. } if rose => {
                let (lasted, from) = (Duration::ZERO, at.room);
                self.phase = Phase::Recovering { lasted, from, load, teaches: at.heats };
            }
            // A step further down or another step up belongs to what is under way.
            Phase::Reduced { .. } | Phase::Recovering { .. } | Phase::Steady { .. } => {}
        }
    }

    fn note_normal(&mut self, settings: &CircuitSettings, room: Celsius) {
        let before = self.normal.unwrap_or(room);
        let normal = before + (room - before) * NORMAL_SHARE;
        self.normal = Some(normal.clamp(settings.room_target - NORMAL_BELOW, settings.room_target + NORMAL_BELOW));
    }

    fn watch_recovery(&mut self, settings: &CircuitSettings, at: &Situation, level: Kelvins) {
        let Phase::Recovering { lasted, from, load, teaches } = &mut self.phase else { return };
        *teaches &= at.heats && at.room.is_some();
        let (lasted, from, load, teaches) = (*lasted, *from, *load, *teaches);
        let warm = at.room.map(|room| room >= self.warm_enough(settings, level));
        let over = match warm {
            Some(warm) => warm || lasted >= RECOVERY_MAX,
            None => self.ahead != Ahead::Started && lasted >= settings.times.boost.lasts_max,
        };
        if !over {
            return;
        }
        if let Some((room, from)) = at.room.zip(from).filter(|_| teaches) {
            self.learned.learn(&settings.times.optimum, load, room - from, lasted);
        }
        self.phase = Phase::default();
    }

    /// Lets time pass in which nobody looked: a recovery that nobody watched teaches nothing.
    pub fn age(&mut self, gone: Duration) {
        self.look = None;
        self.phase.pass(gone);
        if let Phase::Recovering { teaches, .. } = &mut self.phase {
            *teaches = false;
        }
    }
}
