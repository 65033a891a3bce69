//! The relay itself: strokes, half periods, and what a plant must be to swing like that.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins, Ratio};
use serde::{Deserialize, Serialize};

use super::{REACH, Run, TuneEnd, TuneSight, TunedPoint};
use crate::settings::{SupplyLoopSettings, ValveSettings};
use crate::timer::seconds;
use crate::tuning_rules::Process;

/// The relay's dead band: two grains of the sensor.
const DEAD_BAND: Kelvins = Kelvins(0.2);
/// Of the mean stroke to either side: 2.33 in asymmetry.
const ASYMMETRY: (f64, f64) = (1.4, 0.6);
/// The longest stroke to one side.
const STROKE_MAX: f64 = 0.2;
/// A stroke must be this many times what the valve resolves.
const STROKE_OVER_PLAY: f64 = 3.0;
/// Within its strokes the valve may not be steeper at one end than at the other by more than this.
const BENDS_MAX: f64 = 3.0;
/// The first period is made with less than the stroke that is believed right, and what it shows sizes the others.
const FIRST: f64 = 0.6;
const RESIZE: (f64, f64) = (0.5, 2.5);
/// No half period of such a plant is longer.
const HALF_PERIOD_MAX: Duration = Duration::from_secs(600);
/// Periods that have to be alike within a quarter, and how many may be made beside the first, which starts from rest.
const ALIKE: usize = 3;
const ALIKE_WITHIN: f64 = 0.25;
const PERIODS_MAX: u8 = 5;
/// What is a plant: gain over what was believed of it, lag and dead time in seconds.
const GAIN_OVER_BELIEF: (f64, f64) = (0.25, 4.0);
const LAG: (f64, f64) = (2.0, 300.0);
const DEAD_TIME: (f64, f64) = (2.0, 150.0);

/// A relay at work.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Relay {
    /// The level between the swings.
    level: Celsius,
    /// The strokes to either side.
    opening: f64,
    closing: f64,
    opens: bool,
    /// How long this half of the period has lasted, and the furthest that the supply went in the whole of it.
    half: Duration,
    top: Celsius,
    bottom: Celsius,
    opened_for: f64,
    periods: u8,
    last: [Period; ALIKE],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Period {
    opening: f64,
    closing: f64,
    height: f64,
}

/// The relay's first strokes: opening, closing.
fn strokes(settings: &SupplyLoopSettings, sight: &TuneSight) -> (f64, f64) {
    // By a plant whose dead time is six tenths of its lag, as the usual one's is.
    const A: f64 = 0.548_812;
    let gain = sight.gain.unwrap_or(settings.schedule.nominal);
    let mean = FIRST * ((settings.auto_tune.swing.0 - DEAD_BAND.0 * A) / (gain.0 * (1.0 - A))).max(0.0);
    ((mean * ASYMMETRY.0).min(STROKE_MAX), (mean * ASYMMETRY.1).min(STROKE_MAX * ASYMMETRY.1 / ASYMMETRY.0))
}

impl Relay {
    /// A relay around a level; it closes first, for what is not known yet is found out on the safe side.
    ///
    /// # Errors
    /// If the valve has no room for its strokes, or resolves too little for them.
    pub(super) fn around(
        level: Celsius,
        position: Ratio,
        settings: &SupplyLoopSettings,
        valve: &ValveSettings,
        sight: &TuneSight,
    ) -> Result<Relay, TuneEnd> {
        let (opening, closing) = strokes(settings, sight);
        let curve = &valve.characteristic;
        let (low, high) = (Ratio(position.0 - closing), Ratio(position.0 + opening));
        let bends = curve.steepness(low.max(Ratio::ZERO)) > BENDS_MAX * curve.steepness(high.min(Ratio::ONE));
        let room = position.0 - closing >= valve.position_min.0 && position.0 + opening <= valve.position_max.0;
        if !room || bends || closing < STROKE_OVER_PLAY * sight.play.max(valve.stroke_min).0 {
            return Err(TuneEnd::TooCoarse);
        }
        Ok(Relay {
            level,
            opening,
            closing,
            opens: false,
            half: Duration::ZERO,
            top: level,
            bottom: level,
            opened_for: 0.0,
            periods: 0,
            last: [Period::default(); ALIKE],
        })
    }

    /// How far from its middle the valve is to stand.
    pub(super) fn stroke(&self) -> Ratio {
        Ratio(if self.opens { self.opening } else { -self.closing })
    }

    /// Periods made.
    pub(super) fn periods(&self) -> u8 {
        self.periods
    }

    /// One step; the result when three periods were alike.
    pub(super) fn swing(
        &mut self,
        settings: &SupplyLoopSettings,
        valve: &ValveSettings,
        sight: &TuneSight,
        run: &Run,
        dt: Duration,
    ) -> Result<Option<TunedPoint>, TuneEnd> {
        run.has_drifted(sight)?;
        let away = sight.supply - self.level;
        if away.0.abs() > REACH.0 || (sight.supply - run.setpoint).0.abs() > REACH.0 {
            return Err(TuneEnd::TooFar);
        }
        self.half = self.half.saturating_add(dt);
        if self.half > HALF_PERIOD_MAX {
            return Err(TuneEnd::NoAnswer);
        }
        self.top = self.top.max(sight.supply);
        self.bottom = self.bottom.min(sight.supply);
        if self.opens && away > DEAD_BAND {
            (self.opens, self.opened_for, self.half) = (false, seconds(self.half), Duration::ZERO);
        } else if !self.opens && away < -DEAD_BAND {
            let closing = seconds(self.half);
            (self.opens, self.half) = (true, Duration::ZERO);
            return self.end_period(settings, valve, sight, run, closing);
        }
        Ok(None)
    }

    fn end_period(
        &mut self,
        settings: &SupplyLoopSettings,
        valve: &ValveSettings,
        sight: &TuneSight,
        run: &Run,
        closing: f64,
    ) -> Result<Option<TunedPoint>, TuneEnd> {
        let period = Period { opening: self.opened_for, closing, height: (self.top - self.bottom).0 };
        let first_half = self.opened_for == 0.0;
        (self.top, self.bottom) = (sight.supply, sight.supply);
        if first_half {
            return Ok(None);
        }
        self.periods += 1;
        self.last.rotate_left(1);
        self.last[ALIKE - 1] = period;
        if self.periods == 1 {
            self.resize(settings, valve, run, period.height);
        }
        // The first whole period comes from rest, and its strokes were a guess.
        if usize::from(self.periods) <= ALIKE || !self.alike() {
            return if self.periods > PERIODS_MAX { Err(TuneEnd::Unalike) } else { Ok(None) };
        }
        let process = self.identify(settings, valve, run).ok_or(TuneEnd::Implausible)?;
        Ok(Some(TunedPoint {
            process,
            position: run.position,
            load: sight.load,
            primary_supply: sight.primary_supply,
            believed: run.believed,
        }))
    }

    /// From what the first period has shown, the strokes that make the wanted swing.
    fn resize(&mut self, settings: &SupplyLoopSettings, valve: &ValveSettings, run: &Run, swing: f64) {
        let room = (valve.position_max - run.position).0 / self.opening;
        let room = room.min((run.position - valve.position_min).0 / self.closing).min(STROKE_MAX / self.opening);
        let factor = (2.0 * settings.auto_tune.swing.0 / swing.max(1e-3)).clamp(RESIZE.0, RESIZE.1).min(room);
        (self.opening, self.closing) = (self.opening * factor, self.closing * factor);
    }

    fn mean(&self, of: impl Fn(&Period) -> f64) -> f64 {
        self.last.iter().map(of).sum::<f64>() / ALIKE as f64
    }

    fn alike(&self) -> bool {
        let near = |of: fn(&Period) -> f64| {
            let mean = self.mean(of);
            self.last.iter().all(|period| (of(period) - mean).abs() <= ALIKE_WITHIN * mean)
        };
        near(|period| period.opening) && near(|period| period.closing)
    }

    fn identify(&self, settings: &SupplyLoopSettings, valve: &ValveSettings, run: &Run) -> Option<Process> {
        let (opening, closing) = (self.opening, self.closing);
        let (on, off) = (self.mean(|period| period.opening), self.mean(|period| period.closing));
        let process = identify(&Swing { opening, closing, on, off, height: self.mean(|period| period.height) })?;
        let motor = 0.5 * (opening + closing) * seconds(valve.stroke_time);
        let process = Process { dead_time: (process.dead_time - motor).max(DEAD_TIME.0), ..process };
        let believed = run.believed.unwrap_or(settings.schedule.nominal);
        let within = |value: f64, (low, high): (f64, f64)| low <= value && value <= high;
        let is_plant = within(process.gain / believed, GAIN_OVER_BELIEF)
            && within(process.lag, LAG)
            && within(process.dead_time, DEAD_TIME);
        is_plant.then_some(process)
    }
}

/// What the relay has shown: its strokes, how long each lasted, and how far the supply went from bottom to top.
struct Swing {
    opening: f64,
    closing: f64,
    on: f64,
    off: f64,
    height: f64,
}

fn identify(seen: &Swing) -> Option<Process> {
    let h = DEAD_BAND.0;
    let (gamma, rho) = (seen.opening / seen.closing, seen.on.max(seen.off) / seen.on.min(seen.off));
    let tau = ((gamma - rho) / ((gamma - 1.0) * (0.35 * rho + 0.65))).clamp(0.05, 0.9);
    let a = (-tau / (1.0 - tau)).exp();
    let both = seen.opening + seen.closing;
    let gain = (seen.height - 2.0 * h * a) / (both * (1.0 - a));
    let band = h / gain;
    let logarithm = ((band - seen.closing + both / a) / (seen.opening - band)).ln();
    let lag = seen.on / logarithm;
    let sound = gain > 0.0 && band < seen.opening && logarithm > 0.0;
    sound.then_some(Process { gain: Kelvins(gain), lag, dead_time: lag * tau / (1.0 - tau) })
}
