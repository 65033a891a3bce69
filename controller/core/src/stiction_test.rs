//! Holding the valve still and then moving it in small steps: is it the valve that makes the supply swing, and how much
//! play has it?
//!
//! ```text
//!            still for 10 min          colder by 0.4 K            warmer by 0.4 K
//!  [ Hold ] -----------------> [ Engage ] ------------> [ Reverse ] ------------> play
//!     | swings on: not the valve   | 6 % and nothing: sticks   | 6 % beyond: sticks
//!     `--------------------------- supply more than 2 K away from where it was: given up
//! ```
//!
//! Closing in steps until the supply answers takes up all play on that side. Opening again in the same steps, the travel
//! until it answers is the play and what 0.4 K takes by the plant's gain, which is taken off. Each step waits until the
//! plant has answered it: dead time and one and a half time constants.
//!
//! The play is right within a step or two; pressure that wanders meanwhile adds its share. A single step that moves the
//! supply by more than 0.8 K says that the valve is too coarse for any loop, and ends the test.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins, Ratio};
use serde::{Deserialize, Serialize};

use crate::timer::seconds;

/// How long the valve stands still: 10 min, the usual action before a ramp test.
const HOLD: Duration = Duration::from_secs(600);
/// In the first minutes of it the water that was on its way still swings.
const HOLD_BLIND: Duration = Duration::from_secs(240);
/// Swings of the supply behind a valve that stands still, root mean square, that say that the cause is elsewhere.
const SWINGS: f64 = 0.6;
/// Between two steps: 15 s of dead time and one and a half of 25 s.
const WAIT: Duration = Duration::from_secs(50);
/// Readings are smoothed over this, s.
const SMOOTH_SECONDS: f64 = 12.0;
/// A change of the supply that is an answer: four grains.
const ANSWER: Kelvins = Kelvins(0.4);
/// Travel without any answer that says that the valve does not move.
const STUCK: Ratio = Ratio(0.06);
/// A step that moves the supply by more is too coarse: the error that a loop is to stay below for 95 % of the time.
const COARSE: Kelvins = Kelvins(0.8);
/// How far the supply may go from where it was.
pub(crate) const REACH: Kelvins = Kelvins(2.0);

/// What came out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The valve moves, with this play.
    Play(Ratio),
    /// It was moved and the supply did not answer.
    DoesNotMove,
    /// Its smallest step moves the supply by more than 0.8 K.
    TooCoarse,
    /// The supply swings although the valve stands still.
    NotTheValve,
    /// The supply went too far away, or others took the valve.
    GivenUp,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    Hold,
    Engage,
    Reverse,
}

/// A test under way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StictionTest {
    phase: Phase,
    /// Time in this phase, or since the last step.
    since: Duration,
    /// Where the valve is held.
    position: Ratio,
    step: Ratio,
    supply: Celsius,
    /// Where the supply was at the beginning of the phase, and before the last step.
    base: Celsius,
    before_step: Celsius,
    moved: Ratio,
    /// Of the supply while the valve stands still: sum, sum of squares, and of how long.
    sums: (f64, f64, f64),
}

/// What a step of the test asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ask {
    /// The valve at this position.
    Position(Ratio),
    /// Nothing more: this came out.
    Done(Outcome),
}

impl StictionTest {
    /// A test of a valve that stands there, in steps of that size.
    pub fn begin(position: Ratio, step: Ratio, supply: Celsius) -> StictionTest {
        StictionTest {
            phase: Phase::Hold,
            since: Duration::ZERO,
            position,
            step,
            supply,
            base: supply,
            before_step: supply,
            moved: Ratio::ZERO,
            sums: (0.0, 0.0, 0.0),
        }
    }

    /// One step. `gain` is the plant's, K per full stroke.
    pub fn advance(&mut self, supply: Celsius, gain: Kelvins, dt: Duration) -> Ask {
        self.since = self.since.saturating_add(dt);
        self.supply = self.supply + (supply - self.supply) * (1.0 - (-seconds(dt) / SMOOTH_SECONDS).exp());
        match self.phase {
            Phase::Hold | Phase::Engage | Phase::Reverse if (self.supply - self.base).0.abs() > REACH.0 => {
                Ask::Done(Outcome::GivenUp)
            }
            Phase::Hold => self.hold(supply, dt),
            Phase::Engage | Phase::Reverse if self.since < WAIT => Ask::Position(self.position),
            Phase::Engage => self.engage(),
            Phase::Reverse => self.reverse(gain),
        }
    }

    fn hold(&mut self, supply: Celsius, dt: Duration) -> Ask {
        if self.since > HOLD_BLIND {
            let (value, dt) = (supply.0, seconds(dt));
            self.sums = (self.sums.0 + value * dt, self.sums.1 + value * value * dt, self.sums.2 + dt);
        }
        if self.since < HOLD {
            return Ask::Position(self.position);
        }
        let (sum, squares, time) = self.sums;
        let mean = sum / time.max(1.0);
        if (squares / time.max(1.0) - mean * mean).max(0.0).sqrt() > SWINGS {
            return Ask::Done(Outcome::NotTheValve);
        }
        self.enter(Phase::Engage);
        self.go(-self.step)
    }

    fn engage(&mut self) -> Ask {
        if (self.before_step - self.supply) > COARSE {
            return Ask::Done(Outcome::TooCoarse);
        }
        if self.base - self.supply >= ANSWER {
            self.enter(Phase::Reverse);
            return self.go(self.step);
        }
        if self.moved >= STUCK || self.position <= Ratio::ZERO {
            return Ask::Done(Outcome::DoesNotMove);
        }
        self.go(-self.step)
    }

    fn reverse(&mut self, gain: Kelvins) -> Ask {
        let takes = Ratio(ANSWER / gain.max(Kelvins(1.0)));
        if self.supply - self.base >= ANSWER {
            // The last step answered; on the average half of it was not needed.
            return Ask::Done(Outcome::Play((self.moved - self.step * 0.5 - takes).max(Ratio::ZERO)));
        }
        if self.moved >= STUCK + takes {
            return Ask::Done(Outcome::DoesNotMove);
        }
        self.go(self.step)
    }

    fn enter(&mut self, phase: Phase) {
        (self.phase, self.base, self.moved) = (phase, self.supply, Ratio::ZERO);
    }

    fn go(&mut self, by: Ratio) -> Ask {
        self.since = Duration::ZERO;
        self.before_step = self.supply;
        self.position = (self.position + by).clamp(Ratio::ZERO, Ratio::ONE);
        self.moved += Ratio(by.0.abs());
        Ask::Position(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A valve with play before a first-order plant with dead time.
    struct Plant {
        gain: f64,
        play: f64,
        plug: f64,
        delay: [f64; 15],
        supply: f64,
        swing: f64,
    }

    impl Plant {
        fn new(gain: f64, play: f64) -> Plant {
            Plant { gain, play, plug: 0.4, delay: [0.4; 15], supply: 60.0, swing: 0.0 }
        }

        fn pass(&mut self, position: f64, second: u32) -> Celsius {
            self.plug = self.plug.clamp(position - 0.5 * self.play, position + 0.5 * self.play);
            self.delay.rotate_left(1);
            self.delay[14] = self.plug;
            self.supply += (60.0 + self.gain * (self.delay[0] - 0.4) - self.supply) / 25.0;
            let swing = self.swing * (std::f64::consts::TAU * f64::from(second) / 200.0).sin();
            Celsius(((self.supply + swing) * 10.0).round() / 10.0)
        }

        fn test(mut self) -> Outcome {
            let mut test = StictionTest::begin(Ratio(0.4), Ratio(0.0025), Celsius(60.0));
            let mut position = 0.4;
            for second in 0..2 * 3600 {
                let supply = self.pass(position, second);
                match test.advance(supply, Kelvins(25.0), SECOND) {
                    Ask::Position(asked) => position = asked.0,
                    Ask::Done(outcome) => return outcome,
                }
                assert!((supply.0 - 60.0).abs() < 3.0 + self.swing);
            }
            panic!("the test never ends")
        }
    }

    #[test]
    fn play_is_measured_within_two_steps() {
        for play in [0.005, 0.015, 0.03] {
            let Outcome::Play(measured) = Plant::new(25.0, play).test() else { panic!("play {play}") };
            assert!((measured.0 - play).abs() <= 0.005, "{measured:?} for {play}");
        }
    }

    #[test]
    fn a_valve_that_does_not_move_is_told_from_one_with_play() {
        assert_eq!(Plant::new(0.0, 0.0).test(), Outcome::DoesNotMove);
        assert_eq!(Plant::new(25.0, 0.2).test(), Outcome::DoesNotMove);
    }

    #[test]
    fn a_supply_that_swings_behind_a_valve_that_stands_is_not_its_fault() {
        assert_eq!(Plant { swing: 1.2, ..Plant::new(25.0, 0.005) }.test(), Outcome::NotTheValve);
    }

    #[test]
    fn a_step_that_moves_the_supply_by_more_than_eight_tenths_is_too_coarse() {
        assert_eq!(Plant::new(600.0, 0.0).test(), Outcome::TooCoarse);
    }
}
