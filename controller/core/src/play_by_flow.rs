//! The valve's play by the primary meter: the same position passes more water on the way down than on the way up.
//!
//! Play between motor and plug makes the plug lag behind the command by half of it on either side. Where the primary flow
//! is measured, the position that belongs to it by the valve's curve is compared with the command, apart for the two ways:
//!
//! ```text
//! d = y − valve⁻¹(ṁ₁ / (k √Δp))          play ≈ mean of d while opening − mean of d while closing
//! ```
//!
//! `k`, the size of the valve, is what makes the mean of both nought: it is learnt on the way and asks for no data sheet.
//! A sample counts after a stroke in one direction that has grown beyond the play known so far, so the estimate rises
//! toward the truth and does not shrink because a good loop makes small moves. No test, no disturbance: a worn valve that
//! does no harm yet is found all the same.

use std::time::Duration;

use heatstation_points::{CubicMetersPerSecond, Pascals, Ratio};
use serde::{Deserialize, Serialize};

use crate::timer::seconds;
use crate::valve_characteristic::ValveCharacteristic;

/// Samples are averaged over this much time on either side, s.
const MEAN_SECONDS: f64 = 2.0 * 3600.0;
/// The size of the valve is learnt in this time, s: slowly, or it would follow one side and then the other.
const SIZE_SECONDS: f64 = 86_400.0;
/// A sample counts after a stroke in one direction of this, and of the play that is known so far.
const ENGAGED: Ratio = Ratio(0.003);
/// Time on either side before anything is said.
const ENOUGH: Duration = Duration::from_secs(2 * 3600);
/// Meters run up to this far behind the valve; a moving valve is not compared.
const SETTLED: Duration = Duration::from_secs(90);

/// A mean that is plain while it is young and forgets afterwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Mean {
    mean: f64,
    seen: Duration,
}

impl Mean {
    fn take(&mut self, value: f64, memory_seconds: f64, dt: Duration) {
        self.seen = self.seen.saturating_add(dt);
        self.mean += (value - self.mean) * (seconds(dt) / seconds(self.seen).min(memory_seconds)).min(1.0);
    }
}

/// The estimate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlayByFlow {
    /// The logarithm of the valve's size.
    size: Mean,
    opening: Mean,
    closing: Mean,
    command: Option<Ratio>,
    /// The last stroke in one direction, opening positive.
    stroke: f64,
    still: Duration,
}

impl PlayByFlow {
    /// Takes note of a step in which the loop was in charge and the primary meter counted.
    pub fn observe(
        &mut self,
        valve: &ValveCharacteristic,
        command: Ratio,
        flow: CubicMetersPerSecond,
        pressure: Option<Pascals>,
        dt: Duration,
    ) {
        let moved = self.command.map_or(0.0, |before| (command - before).0);
        self.command = Some(command);
        if moved.abs() > 1e-9 {
            self.stroke = if moved * self.stroke >= 0.0 { self.stroke + moved } else { moved };
            self.still = Duration::ZERO;
        }
        self.still = self.still.saturating_add(dt);
        if flow.0 <= 0.0 {
            return;
        }
        let pressure = pressure.map_or(0.0, |pressure| 0.5 * pressure.0.max(1e3).ln());
        let driven = flow.0.ln() - pressure;
        let size = driven - valve.flow(command).ln();
        self.size.take(size, SIZE_SECONDS, dt);
        if self.still < SETTLED || self.stroke.abs() < ENGAGED.0 + self.so_far() {
            return;
        }
        // At its ends the motor presses the plug against a stop, and no play is left there.
        let stands = valve.position_for((driven - self.size.mean).exp());
        if stands <= Ratio::ZERO || stands >= Ratio::ONE {
            return;
        }
        let side = if self.stroke > 0.0 { &mut self.opening } else { &mut self.closing };
        side.take((command - stands).0, MEAN_SECONDS, dt);
    }

    /// The loop was not in charge, or the meter did not count.
    pub fn pause(&mut self) {
        (self.command, self.stroke, self.still) = (None, 0.0, Duration::ZERO);
    }

    fn so_far(&self) -> f64 {
        (self.opening.mean - self.closing.mean).max(0.0)
    }

    /// The play, once both sides have been seen long enough.
    pub fn play(&self) -> Option<Ratio> {
        let enough = self.opening.seen.min(self.closing.seen) >= ENOUGH;
        enough.then(|| Ratio(self.so_far()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A day of small moves with a wandering pressure, by a valve three times as large as its curve says.
    fn a_day(play: f64, pressure_is_measured: Option<()>) -> Option<Ratio> {
        let valve = ValveCharacteristic::default();
        let (mut estimate, mut plug) = (PlayByFlow::default(), 0.5_f64);
        for second in 0..86_400_u32 {
            let hours = f64::from(second) / 3600.0;
            let wave = 0.03 * (hours * 1.7).sin() + 0.02 * (hours * 5.3).sin();
            let command = ((0.5 + wave) * 200.0).round() / 200.0;
            plug = plug.clamp(command - 0.5 * play, command + 0.5 * play);
            let pressure = Pascals(150_000.0 * (1.0 + 0.05 * (hours * 11.0).sin()));
            let flow = CubicMetersPerSecond(0.01 * valve.flow(Ratio(plug)) * (pressure.0 / 150_000.0).sqrt());
            estimate.observe(
                &valve,
                Ratio(command),
                flow,
                pressure_is_measured.map(|()| pressure),
                Duration::from_secs(1),
            );
        }
        estimate.play()
    }

    #[test]
    fn a_worn_valve_is_found_within_a_day_without_touching_it() {
        let (new, worn) = (a_day(0.005, Some(())).unwrap(), a_day(0.03, Some(())).unwrap());
        assert!(new.0 < 0.010, "{new:?}");
        assert!((0.018..=0.032).contains(&worn.0), "{worn:?}");
    }

    #[test]
    fn pressure_that_nobody_measures_makes_the_estimate_coarser_and_not_wrong() {
        let (new, worn) = (a_day(0.005, None).unwrap(), a_day(0.03, None).unwrap());
        assert!(new.0 < 0.012 && worn.0 > 0.016, "{new:?} {worn:?}");
    }

    #[test]
    fn nothing_is_said_before_both_ways_have_been_seen() {
        assert_eq!(PlayByFlow::default().play(), None);
    }
}
