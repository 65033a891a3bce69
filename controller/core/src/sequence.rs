//! Starting and stopping in order.
//!
//! ```text
//!               wanted              pressure, short rest                  proven             settled
//!  [ Stopped ] -------> [ Filling ] ----------------------> [ Pumps ] ------> [ Settling ] -----> [ Heating ]
//!     ^   ^              ^    | pressure, season's start     ^  ^ ^                |  lost             |
//!     |   |              |    v        held       vented     |  | |________________|                   |
//!     |   |              |  [ Proving ] ----> [ Venting ] ---'  |_____________ circulation lost for long |
//!     |   |              |________|______________|_________________________ pumps stopped by interlock __|
//!     |   |
//!     |   |   cooled, or post-run over                not wanted any more
//!     |   `---------------------- [ ShuttingDown ] <------------------------ from any stage with circulation
//!     |
//!     |   not wanted any more                  power failed again before heat arrived, three times
//!     `----------------------- [ GivenUp ] <--------------------------------- from any stage of a restart
//!                                   | a person resets, or frost demands heat
//!                                   `-------------------------------------> [ Filling ]
//! ```
//!
//! A *season's start* is one after days of lying by, or one that a person asks for after work on the plant. It holds the
//! pressure and vents before the pumps run for good; water that freezes does not wait for that.
//!
//! A *restart* begins when power comes back. What the water has become meanwhile decides how it goes on
//! ([`Restart`]); each time that power fails again before heat has arrived it counts as failed.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins};
use serde::{Deserialize, Serialize};

use crate::settings::SequenceSettings;
use crate::timer::Held;

/// Where a circuit's sequence stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Lying by, filled: pressure holding and frost protection go on.
    #[default]
    Stopped,
    /// Waiting for pressure.
    Filling,
    /// A season's start: the pressure is watched before the pumps run.
    ProvingPressure,
    /// A season's start: pumps jog and rest, so that air finds the vents.
    Venting,
    /// Starting the circulation pumps, valve closed.
    StartingPumps,
    /// Circulation is proven; the water mixes before the first temperature is believed.
    Settling,
    /// Heating.
    Heating,
    /// Valve closed, circulation runs on.
    ShuttingDown,
    /// Power failed again and again before heat arrived: a person is called.
    GivenUp,
}

impl Stage {
    /// All of them, in the order of a start.
    pub const ALL: [Stage; 9] = [
        Stage::Stopped,
        Stage::Filling,
        Stage::ProvingPressure,
        Stage::Venting,
        Stage::StartingPumps,
        Stage::Settling,
        Stage::Heating,
        Stage::ShuttingDown,
        Stage::GivenUp,
    ];

    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Stopped => "stopped",
            Stage::Filling => "filling",
            Stage::ProvingPressure => "proving_pressure",
            Stage::Venting => "venting",
            Stage::StartingPumps => "starting_pumps",
            Stage::Settling => "settling",
            Stage::Heating => "heating",
            Stage::ShuttingDown => "shutting_down",
            Stage::GivenUp => "given_up",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Stage::Stopped => ("停运", "stopped"),
            Stage::Filling => ("充水升压", "waiting for pressure"),
            Stage::ProvingPressure => ("保压", "proving the pressure"),
            Stage::Venting => ("排气", "venting"),
            Stage::StartingPumps => ("启泵", "starting pumps"),
            Stage::Settling => ("循环稳定", "settling"),
            Stage::Heating => ("供热", "heating"),
            Stage::ShuttingDown => ("停运中", "shutting down"),
            Stage::GivenUp => ("多次重启失败", "given up after failed restarts"),
        }
    }

    /// Whether circulation is wanted throughout this stage; while venting it comes and goes.
    pub const fn wants_circulation(self) -> bool {
        matches!(self, Stage::StartingPumps | Stage::Settling | Stage::Heating | Stage::ShuttingDown)
    }
}

/// How a restart goes on, by what the water has become without power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Restart {
    /// The supply is still near its setpoint: after the water has mixed the setpoint is taken up where it was.
    Hot,
    /// In between: the setpoint rises from the water's temperature as in any start.
    Warm,
    /// Cold water, or hours without heat in frost: the same rise, and every branch is to get water.
    Cold,
    /// The pressure is gone: make-up first, then one of the others.
    LowPressure,
}

impl Restart {
    /// The name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Restart::Hot => "hot",
            Restart::Warm => "warm",
            Restart::Cold => "cold",
            Restart::LowPressure => "low_pressure",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Restart::Hot => ("热态重启", "hot restart"),
            Restart::Warm => ("温态重启", "warm restart"),
            Restart::Cold => ("冷态重启", "cold restart"),
            Restart::LowPressure => ("低压重启", "restart in low pressure"),
        }
    }
}

/// Water this near to its setpoint is hot.
const HOT_WITHIN: Kelvins = Kelvins(10.0);
/// A start that takes longer than this starts with other water than it began with.
const STILL_HOT: Duration = Duration::from_secs(600);
/// A return colder than this is cold.
const COLD_RETURN: Celsius = Celsius(15.0);
/// So long without power in frost is cold as well.
const COLD_AFTER: Duration = Duration::from_secs(2 * 3600);
/// Water mixes for a minute before the first supply temperature is believed (rwchcd: 60 s).
const SETTLE: Duration = Duration::from_secs(60);
/// Circulation may be away this long (a pump change) before the start begins anew.
const LOST: Duration = Duration::from_secs(60);

/// What the sequence looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(clippy::struct_excessive_bools, reason = "each is one arrow's condition in the drawing above")]
pub struct Situation {
    /// Whether heat is wanted.
    pub wanted: bool,
    /// Whether the water is about to freeze: nothing that can be left out is waited for.
    pub freezing: bool,
    /// Whether an interlock stops the pumps.
    pub pumps_barred: bool,
    /// Whether power is lost.
    pub power_lost: bool,
    /// Whether the pressure suffices for circulation, as far as anybody can tell.
    pub pressure_ready: bool,
    /// Whether the pressure is inside its band; none where nobody here holds it.
    pub pressure_held: Option<bool>,
    /// Whether circulation is proven.
    pub circulating: bool,
    /// Supply less return, while both are known.
    pub spread: Option<Kelvins>,
}

/// What decides how a restart goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AtReturn {
    /// Whether the pressure suffices for circulation.
    pub pressure_ready: bool,
    /// Setpoint in force less supply temperature.
    pub missing: Option<Kelvins>,
    /// The return temperature.
    pub secondary_return: Option<Celsius>,
    /// The outdoor temperature.
    pub outdoor: Celsius,
}

/// The sequence of one circuit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(clippy::struct_excessive_bools, reason = "each remembers one thing that happened on the way")]
pub struct Sequence {
    /// Where it stands.
    pub stage: Stage,
    held: Held,
    /// How long it has stood there.
    in_stage: Duration,
    /// A person has asked for a season's start.
    season_start_asked: bool,
    /// This start is a season's start.
    season_start: bool,
    /// Jogs that are over.
    jogs: u8,
    /// How long power has been away; none while it is there.
    without_power: Option<Duration>,
    /// How long nobody was there to look, before the circuit is taken over again.
    unseen: Duration,
    /// How the restart that is under way goes on, and how long power was away before it.
    restart: Option<Restart>,
    was_away: Duration,
    since_return: Duration,
    /// Power has failed while the circuit ran, and heat has not arrived since.
    restarting: bool,
    failed_restarts: u8,
    /// The supply has been near its setpoint since the valve opened.
    reached: bool,
    near: Held,
}

impl Sequence {
    /// A circuit that was found in some stage at the start of the program goes on from there.
    pub fn found_at(stage: Stage) -> Sequence {
        Sequence { stage, ..Sequence::default() }
    }

    /// Found at another stage than the one that is remembered; what was counted is kept.
    pub fn found_anew(&mut self, stage: Stage) {
        // A rest is no shorter for the program's own starts, and what was not finished of a season's start is due again.
        let rests = (self.stage, stage) == (Stage::Stopped, Stage::Stopped);
        let cut_short = matches!(self.stage, Stage::ProvingPressure | Stage::Venting)
            && matches!(stage, Stage::Stopped | Stage::Filling);
        *self = Sequence {
            stage,
            held: Held::default(),
            in_stage: if rests { self.in_stage } else { Duration::ZERO },
            unseen: Duration::ZERO,
            season_start_asked: self.season_start_asked || cut_short,
            jogs: 0,
            season_start: false,
            reached: false,
            near: Held::default(),
            ..*self
        };
    }

    /// One step; how a restart that begins now goes on.
    pub fn advance(
        &mut self,
        settings: &SequenceSettings,
        seen: Situation,
        at_return: AtReturn,
        dt: Duration,
    ) -> Option<Restart> {
        let begun = self.follow_power(seen, at_return, dt);
        self.since_return = self.since_return.saturating_add(dt);
        if self.restart == Some(Restart::Hot) && self.stage != Stage::Heating && self.since_return > STILL_HOT {
            self.restart = Some(Restart::Warm);
        }
        self.in_stage = self.in_stage.saturating_add(dt);
        let next = self.next(settings, seen, dt);
        if next == self.stage {
            return begun;
        }
        self.enter(next, settings);
        // The pressure is back; what the water has become meanwhile decides the rest.
        if next == Stage::StartingPumps && self.restart == Some(Restart::LowPressure) {
            self.restart = Some(at_return.by_water(self.was_away));
            return self.restart;
        }
        begun
    }

    #[allow(clippy::match_same_arms, reason = "one line an arrow, in the order of the drawing")]
    fn next(&mut self, settings: &SequenceSettings, seen: Situation, dt: Duration) -> Stage {
        use Stage::{
            Filling, GivenUp, Heating, ProvingPressure, Settling, ShuttingDown, StartingPumps, Stopped, Venting,
        };
        let Situation { wanted, freezing, pumps_barred, pressure_ready, circulating, .. } = seen;
        let gives_up = self.failed_restarts >= settings.restarts_max && !freezing;
        let stage = self.stage;
        match stage {
            Stopped if wanted => Filling,
            Stopped => Stopped,
            GivenUp if !wanted => Stopped,
            GivenUp if freezing => Filling,
            GivenUp => GivenUp,
            ShuttingDown if wanted => Filling,
            ShuttingDown if pumps_barred || self.post_run_is_over(settings, seen.spread) => Stopped,
            ShuttingDown => ShuttingDown,
            Filling | ProvingPressure if !wanted => Stopped,
            Venting | StartingPumps | Settling | Heating if !wanted => ShuttingDown,
            Filling | ProvingPressure | Venting | StartingPumps | Settling | Heating if gives_up => GivenUp,
            Filling if pumps_barred || (!pressure_ready && !freezing) => Filling,
            Filling if !self.season_start || freezing => StartingPumps,
            Filling if seen.pressure_held.is_some() => ProvingPressure,
            Filling => Venting,
            ProvingPressure | Venting | StartingPumps | Settling | Heating if pumps_barred => Filling,
            ProvingPressure | Venting if freezing => StartingPumps,
            ProvingPressure if self.held.for_at_least(settings.pressure_hold, seen.pressure_held == Some(true), dt) => {
                Venting
            }
            ProvingPressure if self.in_stage >= settings.pressure_patience => Venting,
            ProvingPressure => ProvingPressure,
            Venting if self.vented(settings, dt) => StartingPumps,
            Venting => Venting,
            StartingPumps if circulating => Settling,
            StartingPumps => StartingPumps,
            Settling if !circulating => StartingPumps,
            Settling if self.held.for_at_least(SETTLE, true, dt) => Heating,
            Settling => Settling,
            Heating if self.held.for_at_least(LOST, !circulating, dt) => StartingPumps,
            Heating => Heating,
        }
    }

    fn enter(&mut self, stage: Stage, settings: &SequenceSettings) {
        if self.stage == Stage::Stopped {
            let rested = self.in_stage >= settings.season_start_after;
            self.season_start = rested || self.season_start_asked;
            self.season_start_asked = false;
        }
        if matches!(stage, Stage::StartingPumps | Stage::Stopped) {
            self.season_start = false;
        }
        if stage == Stage::Stopped {
            (self.failed_restarts, self.restarting, self.restart) = (0, false, None);
        }
        *self = Sequence {
            stage,
            held: Held::default(),
            in_stage: Duration::ZERO,
            jogs: 0,
            reached: false,
            near: Held::default(),
            ..*self
        };
    }

    fn post_run_is_over(&self, settings: &SequenceSettings, spread: Option<Kelvins>) -> bool {
        let cooled = spread.is_some_and(|spread| spread < settings.post_run_difference);
        (cooled && self.in_stage >= settings.post_run_min) || self.in_stage >= settings.post_run_max
    }

    /// Counts jogs and rests; whether the last rest is over.
    fn vented(&mut self, settings: &SequenceSettings, dt: Duration) -> bool {
        if self.held.for_at_least(settings.vent_on.saturating_add(settings.vent_off), true, dt) {
            self.held = Held::default();
            self.jogs = self.jogs.saturating_add(1);
        }
        self.jogs >= settings.vent_jogs
    }

    /// Which jog of venting is on; pumps take turns.
    pub fn jog(&self, settings: &SequenceSettings) -> Option<usize> {
        let on = self.stage == Stage::Venting && self.jogs < settings.vent_jogs && self.held.0 < settings.vent_on;
        on.then_some(usize::from(self.jogs))
    }

    /// Follows power; how a restart that begins now goes on.
    fn follow_power(&mut self, seen: Situation, at_return: AtReturn, dt: Duration) -> Option<Restart> {
        match (seen.power_lost, self.without_power) {
            (true, None) => {
                self.without_power = Some(Duration::ZERO);
                self.power_failed();
                None
            }
            (true, Some(away)) => {
                self.without_power = Some(away.saturating_add(dt));
                None
            }
            (false, Some(away)) => {
                self.without_power = None;
                (self.was_away, self.since_return) = (away, Duration::ZERO);
                self.restart = self.restarting.then(|| at_return.restart(away));
                self.restart
            }
            (false, None) => None,
        }
    }

    /// Lets time pass in which nobody looked.
    pub(crate) fn age(&mut self, gone: Duration) {
        self.unseen = self.unseen.saturating_add(gone);
        if self.stage == Stage::Stopped {
            self.in_stage = self.in_stage.saturating_add(gone);
        }
    }

    /// Power failed while nobody looked: it is away since then, and counts once.
    pub(crate) fn power_failed_unseen(&mut self) {
        self.power_failed();
        self.without_power = Some(self.unseen);
    }

    fn power_failed(&mut self) {
        match self.stage {
            // The rest that follows a failed start is not a start that fails.
            Stage::Stopped | Stage::ShuttingDown | Stage::GivenUp => return,
            Stage::Filling
            | Stage::ProvingPressure
            | Stage::Venting
            | Stage::StartingPumps
            | Stage::Settling
            | Stage::Heating => {}
        }
        if self.restarting {
            self.failed_restarts = self.failed_restarts.saturating_add(1);
        }
        (self.restarting, self.restart) = (true, None);
    }

    /// Judges whether the setpoint has been reached since the valve opened; true in the step in which it has.
    ///
    /// Water that is warmer than asked while the valve can close no further has nothing left to reach.
    pub fn judge_reached(
        &mut self,
        settings: &SequenceSettings,
        missing: Option<Kelvins>,
        closed: bool,
        dt: Duration,
    ) -> bool {
        let within = settings.reached_within;
        let near = missing.is_some_and(|missing| missing < within && (closed || missing > -within));
        let long = self.near.for_at_least(settings.reached_for, near && self.stage == Stage::Heating, dt);
        let now = long && !self.reached;
        if now {
            (self.reached, self.restarting, self.restart, self.failed_restarts) = (true, false, None, 0);
        }
        now
    }

    /// Whether the setpoint has been reached since the valve opened.
    pub fn reached(&self) -> bool {
        self.reached
    }

    /// Whether it heats, and the setpoint should have been reached by now.
    pub fn late(&self, settings: &SequenceSettings) -> bool {
        self.stage == Stage::Heating && !self.reached && self.in_stage >= settings.late_after
    }

    /// How the restart that is under way goes on.
    pub fn restart(&self) -> Option<Restart> {
        self.restart
    }

    /// The next start shall hold the pressure and vent as a season's start does.
    pub(crate) fn ask_season_start(&mut self) {
        self.season_start_asked = true;
    }

    /// A person lets restarts be tried again; whether they had been given up.
    pub(crate) fn try_again(&mut self) -> bool {
        self.failed_restarts = 0;
        if self.stage != Stage::GivenUp {
            return false;
        }
        self.found_anew(Stage::Filling);
        true
    }
}

impl AtReturn {
    fn restart(self, away: Duration) -> Restart {
        if self.pressure_ready { self.by_water(away) } else { Restart::LowPressure }
    }

    fn by_water(self, away: Duration) -> Restart {
        let cold = self.secondary_return.is_some_and(|water| water < COLD_RETURN)
            || (away > COLD_AFTER && self.outdoor.0 < 0.0);
        if cold {
            Restart::Cold
        } else if self.missing.is_some_and(|missing| missing < HOT_WITHIN) {
            Restart::Hot
        } else {
            Restart::Warm
        }
    }
}

#[cfg(test)]
mod tests;
