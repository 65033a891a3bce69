//! What people correct on the curve while it runs: its level, its slope, the room temperature that it aims at.
//!
//! A correction is a wish: bounded, attributed in the journal, and never stronger than the envelope of outside wishes. An
//! operator's may stand until somebody takes it back, because that is how curves are found in the first weeks of a
//! season; one from elsewhere ends by itself. The setpoint books the operator's apart from the remote one.

use std::time::Duration;

use heatstation_points::Kelvins;
use serde::{Deserialize, Serialize};

use crate::heating_curve::{Adjustment, SLOPES};
use crate::request::{Origin, Refusal};
use crate::settings::EnvelopeSettings;

/// The most that the wanted room temperature may be shifted (Siemens RVL: ±4.5 K at the knob).
const ROOM_SHIFT_MAX: Kelvins = Kelvins(4.5);

/// A correction of the curve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Correction {
    /// Level and slope.
    pub curve: Adjustment,
    /// What is added to the wanted room temperature.
    pub room: Kelvins,
}

/// A correction from elsewhere: it ends, and it ends early when who asked for it is not heard any more.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RemoteCorrection {
    /// By how much.
    pub correction: Correction,
    /// How long it lives still.
    pub left: Duration,
    /// Who asked for it.
    pub origin: Origin,
}

/// The corrections of a circuit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Corrections {
    /// The operator's; without a time left it stands.
    pub operator: Option<(Correction, Option<Duration>)>,
    /// The one from elsewhere.
    pub remote: Option<RemoteCorrection>,
}

impl Corrections {
    /// Takes a correction, bounded; one that corrects nothing takes the last one back.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn ask(
        &mut self,
        envelope: &EnvelopeSettings,
        origin: Origin,
        correction: Correction,
        lasts: Option<Duration>,
    ) -> Result<(), Refusal> {
        let level = correction.curve.level;
        let inside = (-envelope.lower_max.0..=envelope.raise_max.0).contains(&level.0)
            && SLOPES.contains(&correction.curve.slope)
            && (-ROOM_SHIFT_MAX.0..=ROOM_SHIFT_MAX.0).contains(&correction.room.0);
        if !inside {
            return Err(Refusal::OutOfRange);
        }
        if lasts.is_some_and(|lasts| lasts > envelope.life_max) {
            return Err(Refusal::TooLong);
        }
        let corrects = correction != Correction::default() && lasts != Some(Duration::ZERO);
        match origin {
            Origin::Operator => self.operator = corrects.then_some((correction, lasts)),
            Origin::Service | Origin::Dispatch => {
                let lasts = lasts.ok_or(Refusal::TooLong)?;
                self.remote = corrects.then_some(RemoteCorrection { correction, left: lasts, origin });
            }
        }
        Ok(())
    }

    /// Lets time pass; what has come to its end is gone.
    pub fn pass(&mut self, dt: Duration) {
        if let Some((_, Some(left))) = &mut self.operator {
            *left = left.saturating_sub(dt);
        }
        if let Some(remote) = &mut self.remote {
            remote.left = remote.left.saturating_sub(dt);
        }
        self.operator = self.operator.filter(|(_, left)| *left != Some(Duration::ZERO));
        self.remote = self.remote.filter(|remote| !remote.left.is_zero());
    }
}

#[cfg(test)]
mod tests {
    use heatstation_points::Ratio;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn by(level: f64, slope: f64, room: f64) -> Correction {
        Correction { curve: Adjustment { level: Kelvins(level), slope: Ratio(slope) }, room: Kelvins(room) }
    }

    #[test]
    fn an_operators_correction_stands_until_it_is_taken_back_and_a_remote_one_ends() {
        let (envelope, mut corrections) = (EnvelopeSettings::default(), Corrections::default());
        let mut ask = |origin, correction, lasts| corrections.ask(&envelope, origin, correction, lasts);
        assert_eq!(ask(Origin::Operator, by(2.0, 1.1, 0.5), None), Ok(()));
        assert_eq!(ask(Origin::Dispatch, by(-1.0, 1.0, 0.0), None), Err(Refusal::TooLong));
        assert_eq!(ask(Origin::Dispatch, by(-1.0, 1.0, 0.0), Some(HOUR)), Ok(()));
        corrections.pass(HOUR);
        assert_eq!((corrections.operator, corrections.remote), (Some((by(2.0, 1.1, 0.5), None)), None));
        corrections.ask(&envelope, Origin::Operator, Correction::default(), None).unwrap();
        assert_eq!(corrections, Corrections::default());
    }

    #[test]
    fn a_correction_beyond_its_bounds_or_no_number_is_refused() {
        let (envelope, mut corrections) = (EnvelopeSettings::default(), Corrections::default());
        for wild in [by(-10.1, 1.0, 0.0), by(6.1, 1.0, 0.0), by(0.0, 0.39, 0.0), by(0.0, 1.31, 0.0), by(0.0, 1.0, 4.6)]
        {
            assert_eq!(corrections.ask(&envelope, Origin::Operator, wild, None), Err(Refusal::OutOfRange), "{wild:?}");
        }
        let nan = by(0.0, f64::NAN, 0.0);
        assert_eq!(corrections.ask(&envelope, Origin::Operator, nan, None), Err(Refusal::OutOfRange));
        let long = corrections.ask(&envelope, Origin::Operator, by(1.0, 1.0, 0.0), Some(25 * HOUR));
        assert_eq!((long, corrections), (Err(Refusal::TooLong), Corrections::default()));
    }
}
