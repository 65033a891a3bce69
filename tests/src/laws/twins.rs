//! Law 6 on the water: the same station twice, under the same weather and without any fault; one of the two is shouted at
//! from outside. What the wishes did is the difference.
//!
//! Bounds on the true supply of the one that is shouted at, means of ten minutes while both heat:
//!
//! * never above the ceiling, nor above its twin by more than `raise_max`, plus the loop's error;
//! * in frost that has lasted an hour by the truth, never below its twin by more than `frost_lower_max`, plus the loop's
//!   error.

use heatstation_points::CircuitIndex;
use heatstation_simulator::Truth;

use super::{Law, Violation};

/// What the supply swings around its setpoint in ten minutes' mean, and what a day of colder rooms makes the trim ask for
/// in return, K.
const LOOP_ERROR: f64 = 1.5;
/// Means are taken over this, s.
const WINDOW: u64 = 600;
/// Frost by the truth reaches the housing of the sensor and the ramp of the setpoint within this, s.
const FROST_SETTLED: u64 = 3600;
/// And this far below the limit no sensor doubts it, K.
const FROST_CERTAIN: f64 = 1.0;

/// The judge of a pair of twins.
#[derive(Debug)]
pub struct Twins {
    circuits: Vec<Pair>,
    limits: Vec<Limits>,
    frost: u64,
    /// Windows that were judged in frost.
    pub frost_windows: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Pair {
    left_alone: f64,
    shouted_at: f64,
    seconds: u64,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    ceiling: f64,
    raise_max: f64,
    frost_lower_max: f64,
    frost: f64,
}

impl Twins {
    /// For a station with these settings.
    pub fn new(settings: &heatstation_core::Settings) -> Twins {
        let limits = settings.circuits.iter().map(|circuit| Limits {
            ceiling: circuit.supply.max.0,
            raise_max: circuit.envelope.raise_max.0,
            frost_lower_max: circuit.envelope.frost_lower_max.0,
            frost: circuit.envelope.frost.0,
        });
        let limits: Vec<Limits> = limits.collect();
        Twins { circuits: vec![Pair::default(); limits.len()], limits, frost: 0, frost_windows: 0 }
    }

    /// Judges one second of both, in which both heat undisturbed.
    ///
    /// # Errors
    /// If the wishes moved the water further than they may.
    pub fn check(&mut self, second: u64, left_alone: &Truth, shouted_at: &Truth) -> Result<(), Violation> {
        let certain = self.limits.iter().map(|limits| limits.frost - FROST_CERTAIN).fold(f64::INFINITY, f64::min);
        self.frost = if left_alone.outdoor.0 < certain { self.frost + 1 } else { 0 };
        for (number, (pair, limits)) in self.circuits.iter_mut().zip(&self.limits).enumerate() {
            pair.left_alone += left_alone.circuits[number].supply.0;
            pair.shouted_at += shouted_at.circuits[number].supply.0;
            pair.seconds += 1;
            if pair.seconds < WINDOW {
                continue;
            }
            let (alone, shouted) = (pair.left_alone / WINDOW as f64, pair.shouted_at / WINDOW as f64);
            *pair = Pair::default();
            let frost = self.frost > FROST_SETTLED;
            self.frost_windows += u64::from(frost);
            let too_hot = shouted > limits.ceiling + LOOP_ERROR || shouted > alone + limits.raise_max + LOOP_ERROR;
            let too_cold = frost && shouted < alone - limits.frost_lower_max - LOOP_ERROR;
            if too_hot || too_cold {
                let what = format!("wishes have moved the supply from {alone:.1} to {shouted:.1} °C; frost: {frost}");
                return Err(Violation { law: Law::WishesBounded, circuit: CircuitIndex(number), second, what });
            }
        }
        Ok(())
    }
}
