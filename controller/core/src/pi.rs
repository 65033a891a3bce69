//! A PI block as a plant needs it: a step length of its own, unequal limits, tracking of what was really sent.
//!
//! # Why not the `pid` crate in the loop
//! It has no sample time (gains hide the period), symmetric limits only, clamps its integral instead of tracking the
//! actuator, cannot be taken over without a bump, and one NaN stays in it for ever. Here it is the oracle of the tests:
//! at a fixed step and without limits the two must agree.

use serde::{Deserialize, Serialize};

/// The fixed side of a PI block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gains {
    /// Output per unit of error.
    pub gain: f64,
    /// Integral time, s.
    pub integral_seconds: f64,
    /// The lowest output.
    pub low: f64,
    /// The highest output.
    pub high: f64,
}

/// The moving side of a PI block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pi {
    integral: f64,
    /// The last output before any limit.
    wished: f64,
}

impl Pi {
    /// Makes the next output `output` at that error: bumpless take-over.
    pub fn take_over(&mut self, gains: &Gains, error: f64, output: f64) {
        self.integral = output - gains.gain * error;
        self.wished = output;
    }

    /// Moves the next output by that much: what is known from elsewhere, ahead of any error.
    pub fn shift(&mut self, by: f64) {
        self.integral += by;
    }

    /// One step of `dt` seconds.
    ///
    /// `actual` is what the actuator really got after the last step (rate-limited, held, tripped), `None` if it got the
    /// last output. The integral is pulled toward it with the integral time as tracking time (back-calculation, Åström
    /// and Hägglund), so that it never winds up against anything, known here or not.
    pub fn advance(&mut self, gains: &Gains, error: f64, actual: Option<f64>, dt: f64) -> f64 {
        // A step as long as the integral time already integrates all there is: a caller with minutes between its steps
        // gets a sluggish loop, not a wild one.
        let share = (dt / gains.integral_seconds).min(1.0);
        let actual = actual.unwrap_or(self.wished.clamp(gains.low, gains.high));
        self.integral += (gains.gain * error + actual - self.wished) * share;
        self.wished = gains.gain * error + self.integral;
        self.wished.clamp(gains.low, gains.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAINS: Gains = Gains { gain: 0.0125, integral_seconds: 30.0, low: 0.0, high: 1.0 };

    #[test]
    fn the_pid_crate_agrees_where_the_two_must_agree() {
        let mut oracle = pid::Pid::<f64>::new(60.0, 1000.0);
        let dt = 2.0;
        oracle.p(GAINS.gain, 1000.0).i(GAINS.gain * dt / GAINS.integral_seconds, 1000.0);
        let mut ours = Pi::default();
        let free = Gains { low: -1e6, high: 1e6, ..GAINS };
        for step in 0..200 {
            let measured = 60.0 - 3.0 * (-f64::from(step) / 40.0).exp() + (f64::from(step) * 0.7).sin() * 0.2;
            let expected = oracle.next_control_output(measured).output;
            let output = ours.advance(&free, 60.0 - measured, None, dt);
            assert!((output - expected).abs() < 1e-9, "step {step}: {output} against {expected}");
        }
    }

    #[test]
    fn an_hour_against_the_stop_does_not_wind_up() {
        let mut pi = Pi::default();
        let mut output = 0.0;
        for _ in 0..1800 {
            output = pi.advance(&GAINS, 10.0, None, 2.0);
        }
        assert_eq!(output, 1.0);
        let mut steps = 0;
        while output >= 1.0 {
            output = pi.advance(&GAINS, -2.0, None, 2.0);
            steps += 1;
        }
        assert!(steps <= 10, "left the stop after {steps} steps");
    }

    #[test]
    fn taking_over_makes_no_bump() {
        let mut pi = Pi::default();
        pi.take_over(&GAINS, 1.5, 0.42);
        let output = pi.advance(&GAINS, 1.5, Some(0.42), 0.0);
        assert!((output - 0.42).abs() < 1e-12);
    }

    #[test]
    fn an_actuator_that_is_held_elsewhere_is_followed() {
        let mut pi = Pi::default();
        pi.take_over(&GAINS, 0.0, 0.6);
        for _ in 0..200 {
            pi.advance(&GAINS, 2.0, Some(0.0), 2.0);
        }
        let output = pi.advance(&GAINS, 0.0, Some(0.0), 2.0);
        assert!(output < 0.05, "{output}");
    }
}
