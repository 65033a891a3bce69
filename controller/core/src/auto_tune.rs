//! Finding a loop's gains by experiment: a relay in the loop's place makes the supply swing by a kelvin, and the swing says
//! what the plant is like.
//!
//! ```text
//!             steady for 10 min         4 min              3 periods alike
//!  [ Waiting ] ---------------> [ Holding ] ----> [ Relay ] ---------------> proposal ----> accepted
//!       |  2 h and not steady        |               |   6 periods and not alike
//!       `----------------------------+---------------+--> ended, with the reason; the loop goes on where it was
//! ```
//!
//! The relay is asymmetric (Berner, Lund 2017; LBL Modelica Buildings, `PIDWithAutotuning`): it opens further than it closes,
//! and how much longer the one half of the period is than the other tells dead time from lag. With `d₊`, `d₋` the two strokes,
//! `h` the relay's dead band, `t₊`, `t₋` the two times:
//!
//! ```text
//! γ = d₊/d₋    ρ = max(t₊,t₋)/min(t₊,t₋)    τ = (γ − ρ) / ((γ − 1)(0.35 ρ + 0.65))    L/T = τ/(1 − τ)    a = e^(−L/T)
//! K = (swing − 2 h a) / ((d₊ + d₋)(1 − a))
//! T = t₊ / ln( (h/K − d₋ + (d₊ + d₋)/a) / (d₊ − h/K) )
//! ```
//!
//! Berner takes `K` from the quotient of two integrals over a period. That quotient hangs on the level between the swings,
//! which a wandering pressure and half a percent of play move: on the simulated plant it was off by five; the swing from top
//! to bottom is not. The motor's own time for half of the relay's stroke is taken off the dead time. What is left of a plant
//! of several lags reads as somewhat more dead time, less lag and less gain than a slow step would show: it is right where
//! the loop is fast, and the gains that follow are on the calm side.
//!
//! # Bounds
//! It starts from a steady plant only, on the word of an operator only. The supply stays within 2 K of where it was, or it
//! ends at once; so it does when anything else takes the valve, when frost protection asks for heat, when the sensor is lost,
//! when setpoint or primary drift. What comes out is refused if it is not a plant, and its gains stay within a quarter and
//! four times the configured ones. It is a proposal until a person, or the configuration, accepts it.
//!
//! # What an accepted result does
//! Up to six are kept, each with load, primary temperature and valve position. They give the loop gain and the integral time,
//! and they correct the [schedule](crate::gain_schedule)'s idea of the plant's gain between their positions.

use std::time::Duration;

use heatstation_points::{Celsius, CircuitIndex, Kelvins, Ratio};
use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::settings::{SupplyLoopSettings, ValveSettings};
use crate::timer::{Held, seconds};
use crate::tuning_rules::{PiGains, Process, TuningRule};

mod relay;

use relay::Relay;

/// Steady for this long before the valve is touched, and no longer than this is waited for it.
const STEADY: Duration = Duration::from_secs(600);
const PATIENCE: Duration = Duration::from_secs(2 * 3600);
/// How far supply and setpoint may be apart, and move, in a steady plant.
const STEADY_ERROR: Kelvins = Kelvins(0.6);
const STEADY_SETPOINT: Kelvins = Kelvins(0.5);
/// The valve is held before the relay, and the level is taken from the last part of it: more than five lags each.
const HOLD: Duration = Duration::from_secs(240);
const HOLD_BLIND: Duration = Duration::from_secs(120);
/// How far the supply may go from its level.
const REACH: Kelvins = Kelvins(2.0);
/// How far setpoint and primary supply may drift meanwhile.
const DRIFT_SETPOINT: Kelvins = Kelvins(1.5);
const DRIFT_PRIMARY: Kelvins = Kelvins(4.0);
/// Gains stay within these of the configured ones, and integral times within these, s.
const GAIN_BOUND: (f64, f64) = (0.25, 4.0);
const INTEGRAL_SECONDS: (f64, f64) = (15.0, 300.0);
/// Results that are kept.
const POINTS: usize = 6;
/// Results nearer to each other than this, of the stroke, are of one place: the newer replaces the older.
const SAME_PLACE: f64 = 0.08;

/// How results come into force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Acceptance {
    /// An operator accepts them.
    #[default]
    ByRequest,
    /// By themselves.
    Automatic,
}

/// How the loop is tuned.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AutoTuneSettings {
    /// How far the supply is to swing to either side.
    pub swing: Kelvins,
    /// The rule that makes gains of what was found.
    pub rule: TuningRule,
    /// How results come into force.
    pub acceptance: Acceptance,
}

impl Default for AutoTuneSettings {
    fn default() -> Self {
        // Five times what a wandering pressure does to a held valve; what the sensor is too slow to show comes on top of it.
        AutoTuneSettings { swing: Kelvins(1.0), rule: TuningRule::Simc, acceptance: Acceptance::ByRequest }
    }
}

/// What an operator asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TuneOrder {
    /// Find the gains.
    Start,
    /// Stop looking for them.
    Stop,
    /// Take what was found into force.
    Accept,
    /// Forget what was found, and all that was accepted before.
    Forget,
}

/// Why a tuning ended without a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TuneEnd {
    /// Somebody said so.
    Stopped,
    /// The plant was not steady for two hours.
    NeverSteady,
    /// The valve resolves too little for so small a swing.
    TooCoarse,
    /// The supply went further than 2 K.
    TooFar,
    /// Setpoint or primary supply moved.
    Drifted,
    /// The supply did not answer.
    NoAnswer,
    /// No three periods were alike.
    Unalike,
    /// What came out is no plant.
    Implausible,
    /// An interlock, a hand, frost protection or a lost sensor.
    Interrupted,
}

/// What a plant turned out to be, and where.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TunedPoint {
    /// The plant.
    pub process: Process,
    /// The valve's position.
    pub position: Ratio,
    /// Heat over the design heat, where it is measured.
    pub load: Option<Ratio>,
    /// Primary supply, where it is measured.
    pub primary_supply: Option<Celsius>,
    /// What the schedule thought of the plant's gain there.
    pub believed: Option<Kelvins>,
}

/// A step of the tuning, for the journal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TuneStep {
    /// Waiting for a steady plant.
    Waiting,
    /// The valve is held.
    Holding,
    /// The relay has made so many periods.
    Period(u8),
    /// A result waits to be accepted.
    Proposed(TunedPoint),
    /// A result came into force.
    Accepted(TunedPoint),
    /// It ended without one.
    Ended(TuneEnd),
    /// All results were forgotten.
    Forgotten,
}

/// Where a tuning stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TuneStage {
    /// None is under way.
    #[default]
    Idle,
    /// Waiting for a steady plant.
    Waiting,
    /// The valve is held.
    Holding,
    /// The relay moves the valve.
    Relay,
}

impl TuneStage {
    /// All of them.
    pub const ALL: [TuneStage; 4] = [TuneStage::Idle, TuneStage::Waiting, TuneStage::Holding, TuneStage::Relay];

    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            TuneStage::Idle => "idle",
            TuneStage::Waiting => "waiting",
            TuneStage::Holding => "holding",
            TuneStage::Relay => "relay",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            TuneStage::Idle => ("无", "none"),
            TuneStage::Waiting => ("等待工况稳定", "waiting for a steady plant"),
            TuneStage::Holding => ("阀位保持", "holding the valve"),
            TuneStage::Relay => ("继电激励", "relay swings"),
        }
    }
}

/// What is said of the tuning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct TuneReport {
    /// Where it stands.
    pub stage: TuneStage,
    /// Periods that the relay has made.
    pub periods: u8,
    /// The result that waits to be accepted.
    pub proposal: Option<TunedPoint>,
    /// Results in force.
    pub points: usize,
    /// How the last one ended without a result.
    pub ended: Option<TuneEnd>,
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TuneSight {
    /// The setpoint.
    pub setpoint: Celsius,
    /// The supply, by its sensor.
    pub supply: Celsius,
    /// The valve's command.
    pub command: Ratio,
    /// What the schedule thinks of the plant's gain.
    pub gain: Option<Kelvins>,
    /// Play that is known.
    pub play: Ratio,
    /// Heat over the design heat.
    pub load: Option<Ratio>,
    /// Primary supply.
    pub primary_supply: Option<Celsius>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    Waiting { steady: Held, setpoint: Celsius },
    Holding { sum: f64, time: f64 },
    Relay(Relay),
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Run {
    phase: Phase,
    since: Duration,
    position: Ratio,
    setpoint: Celsius,
    primary_supply: Option<Celsius>,
    /// What the schedule thought of the plant's gain there.
    believed: Option<Kelvins>,
}

/// What is remembered of tuning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AutoTune {
    run: Option<Run>,
    proposal: Option<TunedPoint>,
    points: [Option<TunedPoint>; POINTS],
    ended: Option<TuneEnd>,
    /// What an order has done since the last step, for the journal.
    said: Option<TuneStep>,
}

/// What the tuning asks of the valve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TuneAsk {
    /// Nothing: the loop has it.
    Loop,
    /// This position.
    Position(Ratio),
}

impl AutoTune {
    /// Does what an operator asks; whether there was anything to do it to.
    pub fn order(&mut self, order: TuneOrder) -> Option<()> {
        match order {
            TuneOrder::Start => {
                if self.run.is_some() {
                    return None;
                }
                let phase = Phase::Waiting { steady: Held::default(), setpoint: Celsius(0.0) };
                let (position, setpoint) = (Ratio::ZERO, Celsius(0.0));
                self.run = Some(Run {
                    phase,
                    since: Duration::ZERO,
                    position,
                    setpoint,
                    primary_supply: None,
                    believed: None,
                });
                (self.ended, self.said) = (None, Some(TuneStep::Waiting));
            }
            TuneOrder::Stop => {
                self.run?;
                self.end(TuneEnd::Stopped);
            }
            TuneOrder::Accept => {
                let point = self.proposal?;
                self.accept(point);
            }
            TuneOrder::Forget => {
                *self = AutoTune { said: Some(TuneStep::Forgotten), ..AutoTune::default() };
            }
        }
        Some(())
    }

    /// Whether an experiment is under way.
    pub fn is_running(&self) -> bool {
        self.run.is_some()
    }

    /// Something else has the valve, or the loop has nothing to look at.
    pub fn interrupt(&mut self) {
        if self.run.is_some() {
            self.end(TuneEnd::Interrupted);
        }
    }

    fn end(&mut self, why: TuneEnd) {
        (self.run, self.ended, self.said) = (None, Some(why), Some(TuneStep::Ended(why)));
    }

    fn accept(&mut self, point: TunedPoint) {
        (self.proposal, self.said) = (None, Some(TuneStep::Accepted(point)));
        let near = |other: &Option<TunedPoint>| {
            other.is_some_and(|other| (other.position - point.position).0.abs() < SAME_PLACE)
        };
        if let Some(same) = self.points.iter().position(near) {
            self.points[same] = Some(point);
            return;
        }
        // The newest goes in front; the oldest of a full list goes.
        self.points.rotate_right(1);
        self.points[0] = Some(point);
    }

    /// Tells the journal what has happened.
    pub fn tell(&mut self, circuit: CircuitIndex, events: &mut Vec<Event>) {
        if let Some(step) = self.said.take() {
            events.push(Event::LoopTuned { circuit, step });
        }
    }

    /// One step while the loop could be in charge.
    pub fn advance(
        &mut self,
        settings: &SupplyLoopSettings,
        valve: &ValveSettings,
        sight: &TuneSight,
        dt: Duration,
    ) -> TuneAsk {
        let Some(mut run) = self.run else { return TuneAsk::Loop };
        run.since = run.since.saturating_add(dt);
        let done = match run.phase {
            Phase::Waiting { .. } => run.wait(sight, dt).map(|begun| {
                if begun {
                    self.said = Some(TuneStep::Holding);
                }
                None
            }),
            Phase::Holding { .. } => run.hold(settings, valve, sight, dt).map(|()| None),
            Phase::Relay(mut relay) => {
                let done = relay.swing(settings, valve, sight, &run, dt);
                if matches!(run.phase, Phase::Relay(before) if before.periods() != relay.periods()) {
                    self.said = Some(TuneStep::Period(relay.periods()));
                }
                run.phase = Phase::Relay(relay);
                done
            }
        };
        match done {
            Err(why) => {
                self.end(why);
                TuneAsk::Loop
            }
            Ok(Some(point)) => {
                (self.run, self.proposal, self.said) = (None, Some(point), Some(TuneStep::Proposed(point)));
                if settings.auto_tune.acceptance == Acceptance::Automatic {
                    self.accept(point);
                }
                TuneAsk::Loop
            }
            Ok(None) => {
                self.run = Some(run);
                run.asks(valve)
            }
        }
    }

    /// The loop's settings with what was found in place of what was configured.
    pub fn applied(&self, settings: &SupplyLoopSettings, position: Ratio) -> SupplyLoopSettings {
        let Some(here) = self.at(position) else { return *settings };
        let gains = bounded(settings.auto_tune.rule.gains(&here.process), &here.process, settings);
        let mut tuned = *settings;
        tuned.gain_per_kelvin = gains.gain_per_kelvin;
        tuned.integral_time = Duration::from_secs_f64(gains.integral_seconds);
        // Where the schedule believes g and K was found, its belief counts K/g as much everywhere near.
        tuned.schedule.nominal = here.believed.unwrap_or(here.process.gain);
        tuned
    }

    /// What the plant is like at a position: between two results by the straight line, beyond them as the nearest.
    fn at(&self, position: Ratio) -> Option<TunedPoint> {
        let all = || self.points.iter().flatten();
        let below = all().filter(|p| p.position <= position).max_by(|a, b| a.position.0.total_cmp(&b.position.0));
        let above = all().filter(|p| p.position > position).min_by(|a, b| a.position.0.total_cmp(&b.position.0));
        let (Some(low), Some(high)) = (below, above) else { return below.or(above).copied() };
        let share = (position - low.position).0 / (high.position - low.position).0;
        let between = |low: f64, high: f64| low + (high - low) * share;
        Some(TunedPoint {
            process: Process {
                gain: Kelvins(between(low.process.gain.0, high.process.gain.0)),
                lag: between(low.process.lag, high.process.lag),
                dead_time: between(low.process.dead_time, high.process.dead_time),
            },
            position,
            believed: low.believed.zip(high.believed).map(|(low, high)| Kelvins(between(low.0, high.0))),
            ..*low
        })
    }

    /// What is said of the tuning.
    pub fn report(&self) -> TuneReport {
        let (stage, periods) = match self.run.map(|run| run.phase) {
            None => (TuneStage::Idle, 0),
            Some(Phase::Waiting { .. }) => (TuneStage::Waiting, 0),
            Some(Phase::Holding { .. }) => (TuneStage::Holding, 0),
            Some(Phase::Relay(relay)) => (TuneStage::Relay, relay.periods()),
        };
        let points = self.points.iter().flatten().count();
        TuneReport { stage, periods, proposal: self.proposal, points, ended: self.ended }
    }
}

/// Gains within their bounds of what is configured for the same plant.
fn bounded(gains: PiGains, process: &Process, settings: &SupplyLoopSettings) -> PiGains {
    let configured = settings.gain_per_kelvin * (settings.schedule.nominal / process.gain);
    PiGains {
        gain_per_kelvin: gains.gain_per_kelvin.clamp(configured * GAIN_BOUND.0, configured * GAIN_BOUND.1),
        integral_seconds: gains.integral_seconds.clamp(INTEGRAL_SECONDS.0, INTEGRAL_SECONDS.1),
    }
}

impl Run {
    /// Whether the valve may be taken now.
    fn wait(&mut self, sight: &TuneSight, dt: Duration) -> Result<bool, TuneEnd> {
        let Phase::Waiting { steady, setpoint } = &mut self.phase else { return Ok(false) };
        if steady.0.is_zero() {
            *setpoint = sight.setpoint;
        }
        let calm = (sight.setpoint - sight.supply).0.abs() < STEADY_ERROR.0
            && (sight.setpoint - *setpoint).0.abs() < STEADY_SETPOINT.0;
        if steady.for_at_least(STEADY, calm, dt) {
            (self.position, self.setpoint) = (sight.command, sight.setpoint);
            (self.primary_supply, self.believed) = (sight.primary_supply, sight.gain);
            (self.phase, self.since) = (Phase::Holding { sum: 0.0, time: 0.0 }, Duration::ZERO);
            return Ok(true);
        }
        if self.since >= PATIENCE { Err(TuneEnd::NeverSteady) } else { Ok(false) }
    }

    fn hold(
        &mut self,
        settings: &SupplyLoopSettings,
        valve: &ValveSettings,
        sight: &TuneSight,
        dt: Duration,
    ) -> Result<(), TuneEnd> {
        self.has_drifted(sight)?;
        let Phase::Holding { sum, time } = &mut self.phase else { return Ok(()) };
        if (sight.supply - self.setpoint).0.abs() > REACH.0 {
            return Err(TuneEnd::TooFar);
        }
        if self.since > HOLD_BLIND {
            (*sum, *time) = (*sum + sight.supply.0 * seconds(dt), *time + seconds(dt));
        }
        if self.since < HOLD {
            return Ok(());
        }
        let level = Celsius(*sum / time.max(1e-9));
        self.phase = Phase::Relay(Relay::around(level, self.position, settings, valve, sight)?);
        Ok(())
    }

    fn has_drifted(&self, sight: &TuneSight) -> Result<(), TuneEnd> {
        let primary = self.primary_supply.zip(sight.primary_supply).map(|(before, now)| (now - before).0.abs());
        let drifted = (sight.setpoint - self.setpoint).0.abs() > DRIFT_SETPOINT.0
            || primary.is_some_and(|moved| moved > DRIFT_PRIMARY.0);
        if drifted { Err(TuneEnd::Drifted) } else { Ok(()) }
    }

    fn asks(&self, valve: &ValveSettings) -> TuneAsk {
        let position = match self.phase {
            Phase::Waiting { .. } => return TuneAsk::Loop,
            Phase::Holding { .. } => self.position,
            Phase::Relay(relay) => self.position + relay.stroke(),
        };
        TuneAsk::Position(position.clamp(valve.position_min, valve.position_max))
    }
}

#[cfg(test)]
mod tests;
