//! How strongly the supply answers to the valve here and now, and what gain of the controller goes with that.
//!
//! ```text
//! g = dT_s/dy = (dT_s / d ln ṁ₁) · (d ln ṁ₁ / dy)         K per full stroke
//! K_p(g) = K_p,n · g_n / g           0.05 ≤ g_n/g ≤ 2
//! ```
//!
//! The first factor is the exchanger's, the second the valve's curve at the position where it stands. A right-sized valve
//! has 13 to 32 K; one four times too large near its seat, behind a primary of 110 °C, has hundreds, and a fixed gain hunts
//! there at a hundred strokes a day. Neither factor needs the size of the valve.
//!
//! # Where the exchanger's factor comes from
//! From the model where primary supply, secondary return and flow are measured. Where they are not, from the spread of the
//! secondary water alone: a hundredth more primary water brings at most a hundredth more heat, and seven tenths of that in
//! an exchanger of common size. A [tuned](crate::auto_tune) point corrects either. Without the return temperature there is
//! no schedule.

use std::time::Duration;

use heatstation_points::{Kelvins, Ratio};
use serde::{Deserialize, Serialize};

use crate::timer::seconds;

/// Of the heat's relative rise over the flow's, in an exchanger of common size at common loads: 0.4 to 1.
const COMMON_RISE: f64 = 0.7;
/// A gain that grows is obeyed at once, one that falls within this time, s: too weak a controller is slow, too strong a one
/// hunts.
const FALL_SECONDS: f64 = 120.0;
/// Below this the supply does not depend on the valve, or nothing is known, K per stroke.
const GAIN_MIN: f64 = 1.0;

/// How the gain follows the plant.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GainScheduleSettings {
    /// The plant's gain that the controller's gain was chosen for, K per full stroke.
    pub nominal: Kelvins,
    /// The smallest factor on the controller's gain.
    pub factor_min: f64,
    /// The largest. Both 1 switch the schedule off.
    pub factor_max: f64,
}

impl Default for GainScheduleSettings {
    fn default() -> Self {
        // 0.25 K per 1 % is a right-sized valve at half load; floor and cap as in the loop study behind them.
        GainScheduleSettings { nominal: Kelvins(25.0), factor_min: 0.05, factor_max: 2.0 }
    }
}

/// Where the knowledge of the plant's gain comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GainSource {
    /// The model of the exchanger.
    Model,
    /// The spread of the secondary water.
    Spread,
    /// Nothing is known: the gain is fixed.
    #[default]
    Nothing,
}

impl GainSource {
    /// All of them.
    pub const ALL: [GainSource; 3] = [GainSource::Model, GainSource::Spread, GainSource::Nothing];

    /// The name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            GainSource::Model => "model",
            GainSource::Spread => "spread",
            GainSource::Nothing => "nothing",
        }
    }
}

/// What is known of the plant's gain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GainSchedule {
    gain: Option<Kelvins>,
    source: GainSource,
}

/// The exchanger's factor by the spread of the secondary water.
pub fn rise_by_spread(spread: Kelvins) -> Kelvins {
    spread.max(Kelvins(0.0)) * COMMON_RISE
}

impl GainSchedule {
    /// Takes in what the plant's gain is now by this source.
    pub fn observe(&mut self, gain: Kelvins, source: GainSource, dt: Duration) {
        let now = gain.max(Kelvins(GAIN_MIN));
        let before = self.gain.unwrap_or(now);
        let share = if now > before { 1.0 } else { 1.0 - (-seconds(dt) / FALL_SECONDS).exp() };
        self.gain = Some(before + (now - before) * share);
        self.source = source;
    }

    /// Nothing is known any more.
    pub fn forget(&mut self) {
        *self = GainSchedule::default();
    }

    /// The plant's gain, K per full stroke.
    pub fn gain(&self) -> Option<Kelvins> {
        self.gain
    }

    /// Where it comes from.
    pub fn source(&self) -> GainSource {
        self.source
    }

    /// What the controller's gain is multiplied by.
    pub fn factor(&self, settings: &GainScheduleSettings) -> f64 {
        self.gain.map_or(1.0, |gain| (settings.nominal / gain).clamp(settings.factor_min, settings.factor_max))
    }

    /// The stroke that moves the supply by so much; none while nothing is known.
    pub fn stroke_for(&self, supply: Kelvins) -> Option<Ratio> {
        self.gain.map(|gain| Ratio(supply / gain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_is_inverse_to_the_gain_between_floor_and_cap() {
        let settings = GainScheduleSettings::default();
        let factor = |gain: f64| {
            let mut schedule = GainSchedule::default();
            schedule.observe(Kelvins(gain), GainSource::Model, Duration::from_secs(2));
            schedule.factor(&settings)
        };
        assert_eq!([factor(25.0), factor(50.0), factor(280.0)], [1.0, 0.5, 25.0 / 280.0]);
        assert_eq!([factor(1000.0), factor(2.0)], [0.05, 2.0]);
        assert_eq!(GainSchedule::default().factor(&settings), 1.0);
    }

    #[test]
    fn a_steeper_plant_is_believed_at_once_and_a_flatter_one_in_minutes() {
        let mut schedule = GainSchedule::default();
        let second = Duration::from_secs(1);
        schedule.observe(Kelvins(25.0), GainSource::Model, second);
        schedule.observe(Kelvins(100.0), GainSource::Model, second);
        assert_eq!(schedule.gain(), Some(Kelvins(100.0)));
        for _ in 0..120 {
            schedule.observe(Kelvins(25.0), GainSource::Model, second);
        }
        let left = schedule.gain().unwrap().0;
        assert!((left - (25.0 + 75.0 / std::f64::consts::E)).abs() < 0.5, "{left}");
    }
}
