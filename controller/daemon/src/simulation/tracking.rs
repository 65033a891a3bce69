//! How well one circuit's supply followed its setpoint, and what that cost its valve.
//!
//! Judged from outside of the control: by the true supply temperature, by the plug's true travel, and by the commands that
//! left. *Hunting* is what Hägglund's monitor calls it (T. Hägglund, A control-loop performance monitor, Control
//! Engineering Practice 3 (1995)): between two zero crossings of the error its absolute value is integrated; a half wave
//! larger than that of a sine of 1 K at the loop's own frequency, `2a/ω` with `ω = 2π/T_I`, is a load event; ten of them
//! within fifty integral times are no coincidence. Within one grain of the reading, 0.1 K, there is no error to integrate:
//! without that a loop that holds 0.15 K in slow waves would be called a hunting one.

use std::collections::VecDeque;

use heatstation_points::{Celsius, Ratio};

/// What the sensor cannot tell from nought, K.
const GRAIN: f64 = 0.1;
/// 1 % of a supply sensor's range of 100 K.
const AMPLITUDE: f64 = 1.0;
/// Load events that make a loop a hunting one,
const EVENTS: usize = 10;
/// within this many integral times.
const WITHIN: f64 = 50.0;
/// More changes of direction an hour than these, or more full strokes a day, wear a valve whatever the supply does.
const REVERSALS: f64 = 20.0;
const STROKES: f64 = 10.0;
/// What [`TrackingFigures::hunts`] calls hunting, in words.
pub const HUNTING: &str = "hunting: ten load events (half waves larger than that of 1 K at the loop's own frequency) within \
                           fifty integral times, more than 20 reversals of the command an hour, or more than 10 full \
                           strokes a day";
/// Width of a bin of the error's distribution, K, and how many there are; beyond the last all errors are alike.
const BIN: f64 = 0.01;
const BINS: usize = 1000;

/// What one circuit's loop came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct TrackingFigures {
    /// Root mean square of setpoint minus true supply, K.
    pub rmse_kelvins: f64,
    /// What the error's absolute value stays below for 95 % of the time, K.
    pub p95_kelvins: f64,
    /// Full strokes that the plug travelled, a day.
    pub strokes_per_day: f64,
    /// Changes of the command's direction, an hour.
    pub reversals_per_hour: f64,
    /// Times that the loop began to hunt.
    pub hunting_events: u64,
    /// The most load events within fifty integral times.
    pub load_events_most: usize,
}

impl TrackingFigures {
    /// Whether the loop hunts, by any of the signs.
    pub fn hunts(&self) -> bool {
        self.hunting_events > 0 || self.reversals_per_hour > REVERSALS || self.strokes_per_day > STROKES
    }
}

/// Sums that become figures.
#[derive(Clone, Debug)]
pub struct Tracking {
    integral_seconds: f64,
    seconds: u64,
    squares: f64,
    bins: Vec<u64>,
    half_wave: f64,
    side: f64,
    /// When the load events of the last fifty integral times were, s.
    events: VecDeque<u64>,
    most: usize,
    hunting: bool,
    hunts: u64,
    command: Option<f64>,
    direction: f64,
    reversals: u64,
    travel: Option<f64>,
    travelled: f64,
}

impl Tracking {
    /// A judge of a loop with this integral time.
    pub fn new(integral_seconds: f64) -> Tracking {
        Tracking {
            integral_seconds,
            seconds: 0,
            squares: 0.0,
            bins: vec![0; BINS],
            half_wave: 0.0,
            side: 0.0,
            events: VecDeque::new(),
            most: 0,
            hunting: false,
            hunts: 0,
            command: None,
            direction: 0.0,
            reversals: 0,
            travel: None,
            travelled: 0.0,
        }
    }

    /// Takes note of a second in which the loop was in charge.
    pub fn note(&mut self, setpoint: Celsius, supply: Celsius, command: Ratio, travel: f64) {
        let error = (setpoint - supply).0;
        self.squares += error * error;
        self.bins[((error.abs() / BIN) as usize).min(BINS - 1)] += 1;
        self.note_wave(error - error.clamp(-GRAIN, GRAIN));
        if let Some(before) = self.command {
            let moved = command.0 - before;
            // A reversal is a pair of moves against each other; what lies between them does not matter.
            if moved.abs() > 1e-6 {
                self.reversals += u64::from(moved * self.direction < 0.0);
                self.direction = moved;
            }
        }
        self.command = Some(command.0);
        self.travelled += self.travel.map_or(0.0, |before| travel - before);
        self.travel = Some(travel);
        self.seconds += 1;
    }

    /// Takes note of a second in which the loop was not in charge: what comes after it is another story.
    pub fn pause(&mut self) {
        self.command = None;
        self.travel = None;
        (self.half_wave, self.side) = (0.0, 0.0);
    }

    fn note_wave(&mut self, error: f64) {
        if error * self.side < 0.0 {
            if self.half_wave > AMPLITUDE * self.integral_seconds / std::f64::consts::PI {
                self.events.push_back(self.seconds);
            }
            self.half_wave = 0.0;
        }
        self.half_wave += error.abs();
        if error != 0.0 {
            self.side = error;
        }
        let window = (WITHIN * self.integral_seconds) as u64;
        while self.events.front().is_some_and(|&at| at + window < self.seconds) {
            self.events.pop_front();
        }
        self.most = self.most.max(self.events.len());
        if self.events.len() >= EVENTS && !self.hunting {
            self.hunts += 1;
        }
        // It has ended when a whole window has gone by without a single load event.
        self.hunting = self.events.len() >= EVENTS || (self.hunting && !self.events.is_empty());
    }

    /// The figures so far; of nothing they are nought.
    pub fn figures(&self) -> TrackingFigures {
        let seconds = self.seconds.max(1) as f64;
        TrackingFigures {
            rmse_kelvins: (self.squares / seconds).sqrt(),
            p95_kelvins: percentile(&self.bins, 0.95),
            strokes_per_day: self.travelled * 86_400.0 / seconds,
            reversals_per_hour: self.reversals as f64 * 3600.0 / seconds,
            hunting_events: self.hunts,
            load_events_most: self.most,
        }
    }

    /// Root of the mean square and 95 % bound of several loops together, K; none before anything was judged.
    pub fn together(all: &[Tracking]) -> Option<(f64, f64)> {
        let seconds: u64 = all.iter().map(|one| one.seconds).sum();
        let squares: f64 = all.iter().map(|one| one.squares).sum();
        let mut bins = vec![0; BINS];
        for one in all {
            for (sum, bin) in bins.iter_mut().zip(&one.bins) {
                *sum += bin;
            }
        }
        (seconds > 0).then(|| ((squares / seconds as f64).sqrt(), percentile(&bins, 0.95)))
    }
}

fn percentile(bins: &[u64], share: f64) -> f64 {
    let all: u64 = bins.iter().sum();
    let mut below = 0;
    for (number, bin) in bins.iter().enumerate() {
        below += bin;
        if all > 0 && below as f64 >= share * all as f64 {
            return (number + 1) as f64 * BIN;
        }
    }
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(amplitude: f64, period: f64, seconds: u64) -> TrackingFigures {
        let mut tracking = Tracking::new(30.0);
        for second in 0..seconds {
            let phase = std::f64::consts::TAU * second as f64 / period;
            tracking.note(Celsius(60.0), Celsius(60.0 + amplitude * phase.sin()), Ratio(0.4 + 0.1 * phase.cos()), 0.0);
        }
        tracking.figures()
    }

    #[test]
    fn a_sine_is_measured_as_what_it_is() {
        let figures = sine(1.0, 100.0, 36_000);
        assert!((figures.rmse_kelvins - 0.5_f64.sqrt()).abs() < 1e-3, "{figures:?}");
        assert!((figures.p95_kelvins - (0.475 * std::f64::consts::PI).sin()).abs() < 0.02, "{figures:?}");
        assert!((figures.reversals_per_hour - 72.0).abs() < 1.0, "{figures:?}");
    }

    #[test]
    fn ten_half_waves_larger_than_that_of_one_kelvin_are_hunting_and_smaller_ones_are_not() {
        // 1 K at the loop's own frequency has a half wave of 9.55 K s; at 100 s, and with what the grain takes off each
        // side, that is an amplitude of 0.44 K.
        assert_eq!(sine(0.42, 100.0, 36_000).hunting_events, 0);
        assert_eq!(sine(0.46, 100.0, 36_000).hunting_events, 1);
        // One in five minutes and a half is fewer than ten in twenty-five.
        assert_eq!(sine(1.0, 340.0, 36_000).hunting_events, 0);
    }
}
