//! The health of valve and loop: what is done when the loop hunts, and what is said about a valve that cannot do better.
//!
//! ```text
//!            hunts             hunts on, 1 h          hunts on, 1 h           tested
//!  [ Sound ] ----> [ HalfGain ] -----------> [ WideBand ] --------> [ Testing ] -----> [ Reported ]
//!      ^               |  ^                      |  ^   swings, does    ^                  |
//!      |               |  |                      |  |   not hunt -------'                  |
//!      `---------------'  `----------------------'  `--------------------------------------'
//!                         a day without any sign: one step back
//! ```
//!
//! [Signs](crate::hunting) are counted while the loop is in charge and settled, and the setpoint stands. Each rung acts within bounds: half the gain,
//! never below a quarter; a dead band of 1 % of the stroke, never wider than what moves the supply by 0.6 K; once a day the
//! [test](crate::stiction_test) that holds the valve still and measures its play. A person then reads an alarm, for the rest
//! is a wrench's work. A loop that swings without hunting goes to the test at once: a weaker gain would not help it.
//!
//! The [play by the meter](crate::play_by_flow) needs no test and finds a worn valve that does no harm yet. A valve whose
//! smallest sure stroke moves the supply by more than a loop may be off, for a quarter of a day, is too large.

use std::time::Duration;

use heatstation_points::{Celsius, CircuitIndex, CubicMetersPerSecond, Kelvins, Pascals, Ratio};
use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::hunting::{Monitor, Sign};
use crate::play_by_flow::PlayByFlow;
use crate::settings::{SupplyLoopSettings, ValveSettings};
use crate::stiction_test::{Ask, Outcome, REACH, StictionTest};
use crate::supply_loop::Care;
use crate::timer::Held;
use crate::window::Window;

/// After a take-over the loop is on its way: ten minutes.
const SETTLE: Duration = Duration::from_secs(600);
/// A rung is given this long to show what it does: more than fifty integral times, and a full hour of reversals.
const RUNG: Duration = Duration::from_secs(3600);
/// A day without a sign leads one rung back; and there is no more than one test a day.
const DAY: Duration = Duration::from_secs(86_400);
/// The widened dead band, and its bound in terms of the supply.
const WIDE_BAND: Ratio = Ratio(0.01);
const WIDE_BAND_SUPPLY: Kelvins = Kelvins(0.6);
/// Play from which a valve is worn: new ones have 0.2 to 1 %, at 3 % nothing holds an oversized one.
const WORN: Ratio = Ratio(0.015);
/// Steps of the test: what most positioners still make.
const STEP_MIN: Ratio = Ratio(0.0025);
/// The plant's gain where nothing is known of it, K per stroke.
const USUAL_GAIN: Kelvins = Kelvins(25.0);
/// What a loop is to stay below for 95 % of the time.
const ERROR_MAX: Kelvins = Kelvins(0.8);
/// Hours out of the last 24 in which the smallest stroke moves the supply by more, for a valve that is too large.
const COARSE_HOURS: f64 = 6.0;
const SLOT: Duration = Duration::from_secs(3600);
/// A command that has travelled this far while the feedback has not moved by more than its noise, for so long.
const TRAVEL: Ratio = Ratio(0.02);
const FEEDBACK_NOISE: Ratio = Ratio(0.005);
const FROZEN_FOR: Duration = Duration::from_secs(300);

/// What is done about a loop that hunts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HuntingGuard {
    /// The ladder acts.
    #[default]
    Acts,
    /// It is shown and reported, and nothing is done.
    Watches,
}

/// Where the ladder stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// Nothing is wrong.
    #[default]
    Sound,
    /// Half the gain.
    HalfGain,
    /// Half the gain, and a wide dead band.
    WideBand,
    /// The valve is held still and tested.
    Testing,
    /// A quarter of the gain, a wide dead band, and an alarm.
    Reported,
}

impl Rung {
    /// All of them, upwards.
    pub const ALL: [Rung; 5] = [Rung::Sound, Rung::HalfGain, Rung::WideBand, Rung::Testing, Rung::Reported];

    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            Rung::Sound => "sound",
            Rung::HalfGain => "half_gain",
            Rung::WideBand => "wide_band",
            Rung::Testing => "testing",
            Rung::Reported => "reported",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Rung::Sound => ("正常", "sound"),
            Rung::HalfGain => ("增益减半", "half the gain"),
            Rung::WideBand => ("死区加宽", "wide dead band"),
            Rung::Testing => ("卡涩测试", "valve test"),
            Rung::Reported => ("已报警", "reported"),
        }
    }
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HealthSight {
    /// Supply.
    pub supply: Celsius,
    /// Setpoint minus supply.
    pub error: Kelvins,
    /// The valve's command.
    pub command: Ratio,
    /// Where the valve says it stands.
    pub feedback: Option<Ratio>,
    /// What the supply answers to a full stroke here.
    pub gain: Option<Kelvins>,
    /// Primary flow of this circuit.
    pub flow: Option<CubicMetersPerSecond>,
    /// What drives it.
    pub pressure: Option<Pascals>,
    /// The setpoint stands: what the loop does is its own doing.
    pub steady: bool,
}

/// What is said of valve and loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct HealthReport {
    /// Where the ladder stands.
    pub rung: Rung,
    /// What the loop does wrong now.
    pub sign: Option<Sign>,
    /// Reversals of the command within the last hour of control.
    pub reversals: f64,
    /// Full strokes within the last day of control.
    pub strokes: f64,
    /// Load events within the last fifty integral times; ten at most.
    pub load_events: usize,
    /// Play between motor and plug, as far as it is known.
    pub play: Option<Ratio>,
    /// The last test.
    pub tested: Option<Outcome>,
    /// The loop hunts, or swings, and the first help was not enough.
    pub hunts: bool,
    /// The valve sticks or is worn.
    pub sticks: bool,
    /// The valve is too large for this plant.
    pub oversized: bool,
}

/// A feedback that stands while the command moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Frozen {
    since: Option<(Ratio, Ratio)>,
    held: Held,
    is: bool,
}

/// What is remembered of valve and loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ValveHealth {
    monitor: Monitor,
    by_flow: PlayByFlow,
    rung: Rung,
    /// How long the loop has been on this rung, in charge.
    on_rung: Duration,
    /// How long there has been no sign.
    quiet: Duration,
    /// How long a sign has been there, where nothing is done about it.
    noisy: Duration,
    in_charge: Duration,
    test: Option<StictionTest>,
    tested: Option<Outcome>,
    /// Since the last test, in charge.
    since_test: Option<Duration>,
    frozen: Frozen,
    /// Hours in which the valve was too coarse.
    coarse: Window,
}

impl ValveHealth {
    /// What the loop is to be careful about.
    pub fn care(&self) -> Care {
        let gain = match (self.rung, self.tested) {
            (Rung::Sound, _) => 1.0,
            (Rung::Reported, Some(Outcome::NotTheValve)) | (Rung::HalfGain | Rung::WideBand | Rung::Testing, _) => 0.5,
            (Rung::Reported, _) => 0.25,
        };
        let wide = self.rung >= Rung::WideBand;
        Care { gain, dead_band: wide.then_some((WIDE_BAND, WIDE_BAND_SUPPLY)) }
    }

    /// The test's position for the valve, if one is to be made or is under way.
    ///
    /// Without anything to look at (the supply is lost, frost protection asks for heat) there is no test: the loop has
    /// its own answers to both.
    pub fn test(&mut self, valve: &ValveSettings, sight: Option<&HealthSight>, dt: Duration) -> Option<Ratio> {
        if self.rung != Rung::Testing || self.since_test.is_some() {
            return None;
        }
        let Some(sight) = sight else {
            self.end_test(Outcome::GivenUp);
            return None;
        };
        // A test of a supply that is on its way would hold the valve back and learn nothing.
        if self.test.is_none() && !(sight.steady && sight.error.0.abs() < REACH.0) {
            return None;
        }
        let step = valve.stroke_min.max(STEP_MIN);
        let test = self.test.get_or_insert_with(|| StictionTest::begin(sight.command, step, sight.supply));
        match test.advance(sight.supply, sight.gain.unwrap_or(USUAL_GAIN), dt) {
            Ask::Position(position) => Some(position),
            Ask::Done(outcome) => {
                self.end_test(outcome);
                None
            }
        }
    }

    fn end_test(&mut self, outcome: Outcome) {
        (self.test, self.tested, self.since_test) = (None, Some(outcome), Some(Duration::ZERO));
    }

    /// Others have the valve, or none is wanted to move.
    pub fn stand_by(&mut self) {
        if self.test.is_some() {
            self.end_test(Outcome::GivenUp);
        }
        self.monitor.pause();
        self.by_flow.pause();
        self.in_charge = Duration::ZERO;
        self.frozen = Frozen { is: self.frozen.is, ..Frozen::default() };
    }

    /// Takes note of a step in which the loop, or the test, was in charge.
    pub fn observe(
        &mut self,
        settings: &SupplyLoopSettings,
        valve: &ValveSettings,
        circuit: CircuitIndex,
        sight: &HealthSight,
        dt: Duration,
        events: &mut Vec<Event>,
    ) {
        self.watch_valve(valve, sight, dt);
        let before = self.rung;
        if self.rung == Rung::Testing {
            if let Some(outcome) = self.tested.filter(|_| self.test.is_none() && self.since_test.is_some()) {
                events.push(Event::ValveTested { circuit, outcome });
                self.climb(Rung::Reported);
            }
        } else {
            self.in_charge = if sight.steady { self.in_charge.saturating_add(dt) } else { Duration::ZERO };
            self.since_test = self.since_test.map(|since| since.saturating_add(dt));
            if self.in_charge >= SETTLE {
                self.monitor.observe(sight.error, sight.command, settings.integral_time, dt);
                self.judge(settings, dt);
            } else {
                self.monitor.pause();
            }
        }
        if self.rung != before {
            events.push(Event::ValveCareChanged { circuit, from: before, to: self.rung });
        }
    }

    fn watch_valve(&mut self, valve: &ValveSettings, sight: &HealthSight, dt: Duration) {
        if let Some(flow) = sight.flow {
            self.by_flow.observe(&valve.characteristic, sight.command, flow, sight.pressure, dt);
        }
        self.coarse.pass(SLOT, dt);
        // Not the play: a worn valve of the right size is worn, and no smaller one would be better.
        if sight.gain.is_some_and(|gain| gain * valve.stroke_min.0 > ERROR_MAX) {
            self.coarse.note(dt.as_secs_f64() / 3600.0);
        }
        self.frozen.observe(sight, dt);
    }

    fn judge(&mut self, settings: &SupplyLoopSettings, dt: Duration) {
        let sign = self.monitor.sign(settings.integral_time);
        self.on_rung = self.on_rung.saturating_add(dt);
        self.quiet = if sign.is_none() { self.quiet.saturating_add(dt) } else { Duration::ZERO };
        self.noisy = if sign.is_some() { self.noisy.saturating_add(dt) } else { Duration::ZERO };
        if settings.guard == HuntingGuard::Watches {
            self.rung = Rung::Sound;
            return;
        }
        let patient = self.on_rung >= RUNG;
        let test = if self.since_test.is_none_or(|since| since >= DAY) { Rung::Testing } else { Rung::Reported };
        match (self.rung, sign) {
            (Rung::Sound, Some(Sign::Loose)) => self.climb(test),
            (Rung::HalfGain, Some(Sign::Loose)) | (Rung::WideBand, Some(_)) if patient => self.climb(test),
            (Rung::Sound, Some(_)) => self.climb(Rung::HalfGain),
            (Rung::HalfGain, Some(_)) if patient => self.climb(Rung::WideBand),
            (Rung::HalfGain, None) if self.quiet >= DAY => self.climb(Rung::Sound),
            (Rung::WideBand, None) if self.quiet >= DAY => self.climb(Rung::HalfGain),
            (Rung::Reported, None) if self.quiet >= DAY => self.climb(Rung::WideBand),
            (Rung::Sound | Rung::HalfGain | Rung::WideBand | Rung::Testing | Rung::Reported, _) => {}
        }
    }

    fn climb(&mut self, rung: Rung) {
        if rung == Rung::Testing {
            (self.tested, self.since_test) = (None, None);
        }
        if rung == Rung::Sound {
            self.tested = None;
        }
        (self.rung, self.on_rung, self.quiet) = (rung, Duration::ZERO, Duration::ZERO);
        self.monitor.start_over();
    }

    /// Play between motor and plug, by the meter or by the last test.
    pub fn play(&self) -> Option<Ratio> {
        let tested = match self.tested {
            Some(Outcome::Play(play)) => Some(play),
            Some(Outcome::DoesNotMove | Outcome::TooCoarse | Outcome::NotTheValve | Outcome::GivenUp) | None => None,
        };
        self.by_flow.play().or(tested)
    }

    /// What is said of valve and loop.
    pub fn report(&self, settings: &SupplyLoopSettings) -> HealthReport {
        let play = self.play();
        let worn = play.is_some_and(|play| play >= WORN);
        HealthReport {
            rung: self.rung,
            sign: self.monitor.sign(settings.integral_time),
            reversals: self.monitor.reversals(),
            strokes: self.monitor.strokes(),
            load_events: self.monitor.load_events(settings.integral_time),
            play,
            tested: self.tested,
            hunts: self.rung >= Rung::WideBand || self.noisy >= RUNG,
            sticks: worn || self.tested == Some(Outcome::DoesNotMove) || self.frozen.is,
            oversized: self.coarse.total() >= COARSE_HOURS || self.tested == Some(Outcome::TooCoarse),
        }
    }
}

impl Frozen {
    fn observe(&mut self, sight: &HealthSight, dt: Duration) {
        let Some(feedback) = sight.feedback else {
            *self = Frozen::default();
            return;
        };
        let (stood, told) = *self.since.get_or_insert((feedback, sight.command));
        if (feedback - stood).0.abs() > FEEDBACK_NOISE.0 {
            *self = Frozen { since: Some((feedback, sight.command)), ..Frozen::default() };
            return;
        }
        let travelled = (sight.command - told).0.abs() >= TRAVEL.0;
        self.is |= self.held.for_at_least(FROZEN_FOR, travelled, dt);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A loop that is fed with a sine: its error, and what its valve does.
    struct Bench {
        health: ValveHealth,
        settings: SupplyLoopSettings,
        second: u32,
        events: Vec<Event>,
        sight: HealthSight,
    }

    impl Bench {
        fn new() -> Bench {
            let sight = HealthSight {
                supply: Celsius(60.0),
                error: Kelvins(0.0),
                command: Ratio(0.4),
                feedback: None,
                gain: Some(Kelvins(25.0)),
                flow: None,
                pressure: None,
                steady: true,
            };
            let (health, settings) = (ValveHealth::default(), SupplyLoopSettings::default());
            Bench { health, settings, second: 0, events: Vec::new(), sight }
        }

        /// The supply swings by so much in 100 s; while the valve is held it does so only where the cause is elsewhere.
        fn swing(&mut self, amplitude: f64, while_held: f64, hours: u32) -> Rung {
            self.swing_for(amplitude, while_held, hours * 3600)
        }

        fn swing_for(&mut self, amplitude: f64, while_held: f64, seconds: u32) -> Rung {
            let valve = ValveSettings::default();
            for _ in 0..seconds {
                self.second += 1;
                let wave = (std::f64::consts::TAU * f64::from(self.second) / 100.0).sin();
                let held = self.health.rung == Rung::Testing;
                self.sight.error = Kelvins(wave * if held { while_held } else { amplitude });
                self.sight.supply = Celsius(60.0) - self.sight.error;
                self.health.test(&valve, Some(&self.sight), SECOND);
                self.health.observe(&self.settings, &valve, CircuitIndex(0), &self.sight, SECOND, &mut self.events);
            }
            self.health.rung
        }
    }

    #[test]
    fn a_loop_that_hunts_is_helped_step_by_step_and_then_reported() {
        let mut bench = Bench::new();
        assert_eq!(bench.swing(0.2, 0.0, 24), Rung::Sound);
        assert_eq!(bench.swing(1.0, 0.0, 1), Rung::HalfGain);
        assert_eq!(bench.health.care(), Care { gain: 0.5, dead_band: None });
        assert_eq!(bench.swing(1.0, 0.0, 1), Rung::WideBand);
        assert!(bench.health.report(&bench.settings).hunts);
        assert_eq!(bench.swing(1.0, 0.0, 2), Rung::Reported);
        let care = bench.health.care();
        assert_eq!((care.gain, care.dead_band), (0.25, Some((WIDE_BAND, WIDE_BAND_SUPPLY))));
        // The valve of this bench moves nothing.
        let report = bench.health.report(&bench.settings);
        assert!(report.sticks && report.tested == Some(Outcome::DoesNotMove), "{report:?}");
        let kinds: Vec<_> = bench.events.iter().map(Event::kind).collect();
        assert_eq!(
            kinds,
            ["valve_care_changed", "valve_care_changed", "valve_care_changed", "valve_tested", "valve_care_changed"]
        );
        assert_eq!(bench.swing(1.0, 0.0, 72), Rung::Reported, "no more than a quarter, and no second test a day");
    }

    #[test]
    fn a_loop_that_is_quiet_for_a_day_gets_one_step_of_its_gain_back() {
        let mut bench = Bench::new();
        bench.swing(1.0, 0.0, 4);
        assert_eq!(bench.swing(0.1, 0.0, 23), Rung::Reported);
        assert_eq!(bench.swing(0.1, 0.0, 2), Rung::WideBand);
        assert_eq!(bench.swing(0.1, 0.0, 24), Rung::HalfGain);
        assert_eq!(bench.swing(0.1, 0.0, 25), Rung::Sound);
        assert_eq!(bench.health.care(), Care::default());
    }

    #[test]
    fn a_supply_that_swings_behind_a_still_valve_is_not_blamed_on_it() {
        let mut bench = Bench::new();
        bench.swing(1.2, 1.2, 5);
        let report = bench.health.report(&bench.settings);
        assert_eq!(report.tested, Some(Outcome::NotTheValve));
        assert!(report.hunts && !report.sticks, "{report:?}");
        assert_eq!(bench.health.care().gain, 0.5);
    }

    #[test]
    fn where_it_only_watches_nothing_is_done_and_all_is_said() {
        let mut bench = Bench::new();
        bench.settings.guard = HuntingGuard::Watches;
        assert_eq!(bench.swing(1.0, 0.0, 3), Rung::Sound);
        assert!(bench.health.report(&bench.settings).hunts);
        assert_eq!(bench.health.care(), Care::default());
    }

    #[test]
    fn a_test_ends_when_others_take_the_valve_or_the_supply_is_lost() {
        for lost in [true, false] {
            let mut bench = Bench::new();
            let tested = (0..300).any(|_| bench.swing_for(1.0, 0.0, 60) == Rung::Testing);
            assert!(tested);
            let (valve, sight) = (ValveSettings::default(), bench.sight);
            if lost {
                assert_eq!(bench.health.test(&valve, None, SECOND), None);
            } else {
                bench.health.stand_by();
            }
            bench.health.observe(&bench.settings, &valve, CircuitIndex(0), &sight, SECOND, &mut bench.events);
            assert_eq!((bench.health.rung, bench.health.tested), (Rung::Reported, Some(Outcome::GivenUp)));
        }
    }

    #[test]
    fn a_feedback_that_stands_while_the_command_travels_says_that_it_sticks() {
        let mut bench = Bench::new();
        let valve = ValveSettings::default();
        let mut sticks = |command: f64, feedback: f64, seconds: u32| {
            for _ in 0..seconds {
                let sight = HealthSight { command: Ratio(command), feedback: Some(Ratio(feedback)), ..bench.sight };
                bench.health.observe(&bench.settings, &valve, CircuitIndex(0), &sight, SECOND, &mut bench.events);
            }
            bench.health.report(&bench.settings).sticks
        };
        assert!(!sticks(0.40, 0.40, 600));
        assert!(!sticks(0.41, 0.40, 600), "within what a positioner leaves alone");
        assert!(!sticks(0.43, 0.43, 600));
        assert!(sticks(0.46, 0.43, 301));
        assert!(!sticks(0.46, 0.46, 10), "it moves again");
    }

    #[test]
    fn a_valve_whose_smallest_stroke_is_too_much_for_hours_is_too_large() {
        let mut bench = Bench::new();
        bench.sight.gain = Some(Kelvins(200.0));
        bench.swing(0.1, 0.0, 24);
        assert!(!bench.health.report(&bench.settings).oversized, "0.5 K a stroke");
        bench.sight.gain = Some(Kelvins(600.0));
        bench.swing(0.1, 0.0, 5);
        assert!(!bench.health.report(&bench.settings).oversized);
        bench.swing(0.1, 0.0, 2);
        assert!(bench.health.report(&bench.settings).oversized, "1.5 K a stroke");
    }
}
