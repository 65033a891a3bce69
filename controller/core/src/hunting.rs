//! Whether a supply loop hunts: three signs that it works its valve for nothing, and one that it cannot hold its setpoint.
//!
//! - **Load events** (T. Hägglund, A control-loop performance monitor, Control Engineering Practice 3 (1995)): the error's
//!   absolute value is integrated between two zero crossings. A half wave larger than that of a sine of amplitude a, 1 % of
//!   the sensor's range, at the loop's own frequency, `2a/ω` with `ω = 2π/T_I`, is a load event. One comes with each
//!   disturbance; ten within fifty integral times come from the loop itself.
//! - **Reversals** of the command: more than twenty an hour.
//! - **Strokes**: more than ten full ones a day, judged over two hours and a half.
//! - **Loose**: the error swings about nought by more than 0.8 K, root mean square over half an hour. A valve with much
//!   play near its seat does that in slow waves which none of the other three counts.
//!
//! Within one grain of the reading there is no error, or a loop that holds 0.15 K would be called a hunting one.

use std::time::Duration;

use heatstation_points::{Kelvins, Ratio};
use serde::{Deserialize, Serialize};

use crate::supply_loop::beyond_grain;
use crate::timer::seconds;
use crate::window::Window;

/// 1 % of a supply sensor's range of 100 K.
const AMPLITUDE: f64 = 1.0;
/// Load events that make a loop a hunting one, within this many integral times.
const EVENTS: usize = 10;
const WITHIN: f64 = 50.0;
const REVERSALS_AN_HOUR: f64 = 20.0;
const STROKES_A_DAY: f64 = 10.0;
/// The error that a loop is to stay below for 95 % of the time, K; here as a root mean square.
const LOOSE: f64 = 0.8;
/// Crossings of nought within half an hour that tell a swing from a setpoint that is out of reach.
const CROSSINGS: f64 = 2.0;

const SLOT_OF_AN_HOUR: Duration = Duration::from_secs(150);
const SLOT_OF_HALF_AN_HOUR: Duration = Duration::from_secs(75);
const SLOT_OF_HOURS: Duration = Duration::from_secs(360);
const SLOT_OF_A_DAY: Duration = Duration::from_secs(3600);

/// What a loop does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// Ten load events within fifty integral times.
    LoadEvents,
    /// More than twenty reversals an hour.
    Reversals,
    /// More than ten strokes a day.
    Strokes,
    /// It swings by more than it may.
    Loose,
}

/// What the monitor remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Monitor {
    half_wave: f64,
    /// On which side of nought the error was last.
    side: f64,
    /// The ages of the last ten load events, in turn.
    events: [Option<Duration>; EVENTS],
    next: usize,
    command: Option<Ratio>,
    way: f64,
    /// Of the last hour.
    reversals: Window,
    /// Of the last day.
    strokes: Window,
    /// Since the last time that something was done about it, of the last hours.
    lately: Window,
    reversals_lately: Window,
    squares: Window,
    crossings: Window,
}

impl Monitor {
    /// Takes note of a step in which the loop was in charge.
    pub fn observe(&mut self, error: Kelvins, command: Ratio, integral_time: Duration, dt: Duration) {
        self.reversals.pass(SLOT_OF_AN_HOUR, dt);
        self.reversals_lately.pass(SLOT_OF_AN_HOUR, dt);
        self.strokes.pass(SLOT_OF_A_DAY, dt);
        self.lately.pass(SLOT_OF_HOURS, dt);
        self.squares.pass(SLOT_OF_HALF_AN_HOUR, dt);
        self.crossings.pass(SLOT_OF_HALF_AN_HOUR, dt);
        self.squares.note(error.0 * error.0 * seconds(dt));
        self.note_wave(beyond_grain(error), integral_time, dt);
        self.note_move(command);
    }

    fn note_wave(&mut self, error: f64, integral_time: Duration, dt: Duration) {
        for age in self.events.iter_mut().flatten() {
            *age = age.saturating_add(dt);
        }
        if error * self.side < 0.0 {
            self.crossings.note(1.0);
            if self.half_wave > AMPLITUDE * seconds(integral_time) / std::f64::consts::PI {
                self.events[self.next] = Some(Duration::ZERO);
                self.next = (self.next + 1) % EVENTS;
            }
            self.half_wave = 0.0;
        }
        self.half_wave += error.abs() * seconds(dt);
        if error != 0.0 {
            self.side = error;
        }
    }

    fn note_move(&mut self, command: Ratio) {
        let moved = self.command.map_or(0.0, |before| (command - before).0);
        self.command = Some(command);
        if moved.abs() < 1e-9 {
            return;
        }
        self.strokes.note(moved.abs());
        self.lately.note(moved.abs());
        if moved * self.way < 0.0 {
            self.reversals.note(1.0);
            self.reversals_lately.note(1.0);
        }
        self.way = moved;
    }

    /// The loop was not in charge: what comes after is another story.
    pub fn pause(&mut self) {
        self.command = None;
        (self.half_wave, self.side) = (0.0, 0.0);
    }

    /// Something was done about it: only what comes from now on counts against the loop. What is shown of the last hour
    /// and day stays.
    pub fn start_over(&mut self) {
        let (reversals, strokes) = (self.reversals, self.strokes);
        *self = Monitor { reversals, strokes, ..Monitor::default() };
    }

    /// What the loop does wrong, if anything.
    pub fn sign(&self, integral_time: Duration) -> Option<Sign> {
        let within = integral_time.mul_f64(WITHIN);
        if self.events.iter().all(|event| event.is_some_and(|age| age <= within)) {
            return Some(Sign::LoadEvents);
        }
        if self.reversals_lately.total() > REVERSALS_AN_HOUR {
            return Some(Sign::Reversals);
        }
        let full = |window: &Window, slot: Duration| window.covers(slot) >= slot * 23;
        let days = 24.0 * seconds(SLOT_OF_HOURS) / 86_400.0;
        if self.lately.total() > STROKES_A_DAY * days {
            return Some(Sign::Strokes);
        }
        let mean = self.squares.total() / seconds(self.squares.covers(SLOT_OF_HALF_AN_HOUR)).max(1.0);
        let swings = full(&self.squares, SLOT_OF_HALF_AN_HOUR) && self.crossings.total() >= CROSSINGS;
        (swings && mean > LOOSE * LOOSE).then_some(Sign::Loose)
    }

    /// Load events within the last fifty integral times; ten at most are remembered.
    pub fn load_events(&self, integral_time: Duration) -> usize {
        let within = integral_time.mul_f64(WITHIN);
        self.events.iter().flatten().filter(|age| **age <= within).count()
    }

    /// Reversals within the last hour.
    pub fn reversals(&self) -> f64 {
        self.reversals.total()
    }

    /// Full strokes within the last day.
    pub fn strokes(&self) -> f64 {
        self.strokes.total()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const INTEGRAL: Duration = Duration::from_secs(30);

    fn sine(error: f64, stroke: f64, period: f64, lasts: u32) -> Option<Sign> {
        let mut monitor = Monitor::default();
        for second in 0..lasts {
            let phase = std::f64::consts::TAU * f64::from(second) / period;
            monitor.observe(Kelvins(error * phase.sin()), Ratio(0.4 + stroke * phase.cos()), INTEGRAL, SECOND);
        }
        monitor.sign(INTEGRAL)
    }

    #[test]
    fn a_loop_that_holds_two_tenths_in_slow_waves_is_left_alone() {
        assert_eq!(sine(0.2, 0.01, 400.0, 7200), None);
    }

    #[test]
    fn ten_large_half_waves_within_fifty_integral_times_are_hunting() {
        assert_eq!(sine(0.6, 0.0, 100.0, 1000), Some(Sign::LoadEvents));
        assert_eq!(sine(0.6, 0.0, 100.0, 400), None, "eight half waves");
        // Amplitude 0.6 K: 2 (0.6 − grain) · 400/2π is large enough, but one in 200 s is fewer than ten in 1500 s.
        assert_eq!(sine(0.6, 0.0, 400.0, 7200), None);
    }

    #[test]
    fn a_busy_valve_is_seen_though_the_supply_hardly_moves() {
        assert_eq!(sine(0.05, 0.005, 300.0, 3600), Some(Sign::Reversals));
        assert_eq!(sine(0.05, 0.2, 900.0, 9000), Some(Sign::Strokes));
        assert_eq!(sine(0.05, 0.005, 900.0, 9000), None);
    }

    #[test]
    fn slow_swings_beyond_what_is_allowed_are_loose_and_a_setpoint_out_of_reach_is_not() {
        assert_eq!(sine(1.5, 0.01, 800.0, 2000), Some(Sign::Loose));
        let mut monitor = Monitor::default();
        for _ in 0..7200 {
            monitor.observe(Kelvins(5.0), Ratio(1.0), INTEGRAL, SECOND);
        }
        assert_eq!(monitor.sign(INTEGRAL), None);
    }

    #[test]
    fn what_was_before_something_was_done_no_longer_counts() {
        let mut monitor = Monitor::default();
        for second in 0..1500_u32 {
            let phase = std::f64::consts::TAU * f64::from(second) / 100.0;
            monitor.observe(Kelvins(phase.sin()), Ratio(0.4 + 0.1 * phase.cos()), INTEGRAL, SECOND);
        }
        assert_eq!(monitor.sign(INTEGRAL), Some(Sign::LoadEvents));
        monitor.start_over();
        assert_eq!(monitor.sign(INTEGRAL), None);
        assert!(monitor.strokes() > 5.0 && monitor.reversals() > 20.0, "it is still shown");
    }
}
