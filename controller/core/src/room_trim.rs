//! Room feedback: a slow correction of the curve's level from an estimate of the coldest rooms.
//!
//! # Why this shape
//! The legal figure is the share of rooms above a minimum, so the mean is the wrong thing to control: the estimate is of
//! the tail. From `m` fresh rooms, each as its excess over its own minimum:
//!
//! ```text
//! mu  = trimmed mean (15 %)                s² = (k0·s0² + (m−1)·s_sample²) / (k0 + m − 1)
//! T_p = mu − z_p · sqrt(s² + s_w²)         margin = SE(T_p) = sqrt((s² + s_w²) / m)
//! ```
//!
//! with the fleet prior `k0` = 8, `s0` = 1.2 K and the within-flat scatter `s_w` = 0.65 K. A raw 2nd percentile of ten rooms is
//! biased by +0.30 K with a scatter of 0.68 K; this one by −0.03 K with 0.49 K (own check on 240 synthetic flats).
//!
//! The regulator is a PI on the level, hours slow: the mean room answers a sustained +5 K of supply by 0.3 K in 6 h and
//! 1.5 K in 3 days; anything faster oscillates with a period of days. It rises faster than it falls.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins, Ratio, RoomReadings};
use serde::{Deserialize, Serialize};

use crate::settings::{RoomSettings, RoomTrimSettings};
use crate::timer::seconds;

const TRIMMED_SHARE: f64 = 0.15;
const PRIOR_WEIGHT: f64 = 8.0;
const PRIOR_SCATTER: f64 = 1.2;
const WITHIN_FLAT_SCATTER: f64 = 0.65;
/// Plausible room temperatures; outside of them a sensor lies on a radiator or in the snow.
const RANGE: (Celsius, Celsius) = (Celsius(5.0), Celsius(35.0));
/// Most rooms that one statistic looks at; more are ignored in the order of the configuration.
const ROOMS_MAX: usize = 512;
/// The statistic is smoothed before it is used.
const SMOOTHING: Duration = Duration::from_secs(2 * 3600);
/// Without enough sensors the trim decays by this much an hour.
const DECAY_PER_HOUR: Kelvins = Kelvins(0.5);

/// What the rooms say now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RoomStatistic {
    /// How many sensors there are.
    pub configured: usize,
    /// How many of them are fresh and plausible.
    pub fresh: usize,
    /// Mean temperature of those.
    pub mean: Option<Celsius>,
    /// Their median.
    pub median: Option<Celsius>,
    /// The coldest.
    pub coldest: Option<Celsius>,
    /// The share of them at or above their minimum.
    pub passing: Option<Ratio>,
    /// The estimated excess of the coldest share over the minimum, margin included.
    pub tail_excess: Option<Kelvins>,
}

/// Why the trim does not move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frozen {
    /// The plant gives all it can, or as little as it can: more integral would only wind up.
    Saturated,
    /// A set-back period is on: the rooms are meant to be cooler.
    SetBack,
    /// The rooms are on their way back from a set-back.
    Recovering,
    /// Heat is being shed, or has just been.
    LoadShed,
    /// No heat is being delivered.
    NotHeating,
}

/// What the trim remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RoomTrim {
    /// What is added to the room target now.
    pub trim: Kelvins,
    integral: Kelvins,
    smoothed: Option<Kelvins>,
}

/// Looks at the rooms of a circuit.
pub fn look(settings: &RoomTrimSettings, rooms: &[RoomSettings], readings: &[RoomReadings]) -> RoomStatistic {
    let mut excess = [0.0; ROOMS_MAX];
    let mut temperature = [0.0; ROOMS_MAX];
    let mut count = 0;
    for (room, reading) in rooms.iter().zip(readings).take(ROOMS_MAX) {
        let Some(value) = reading.temperature.fresh().filter(|value| RANGE.0 <= *value && *value <= RANGE.1) else {
            continue;
        };
        excess[count] = (value - room.minimum).0;
        temperature[count] = value.0;
        count += 1;
    }
    let (excess, temperature) = (&mut excess[..count], &mut temperature[..count]);
    let mut seen = RoomStatistic { configured: rooms.len(), fresh: count, ..RoomStatistic::default() };
    if count == 0 {
        return seen;
    }
    excess.sort_unstable_by(f64::total_cmp);
    temperature.sort_unstable_by(f64::total_cmp);
    seen.mean = Some(Celsius(temperature.iter().sum::<f64>() / count as f64));
    seen.median = Some(Celsius(0.5 * (temperature[(count - 1) / 2] + temperature[count / 2])));
    seen.coldest = Some(Celsius(temperature[0]));
    let passing = excess.iter().filter(|kelvins| **kelvins >= 0.0).count();
    seen.passing = Some(Ratio(passing as f64 / count as f64));
    if count >= settings.sensors_min {
        seen.tail_excess = Some(tail(excess, settings.cold_share));
    }
    seen
}

/// The lower tail of sorted excesses, its own uncertainty subtracted.
fn tail(sorted: &[f64], share: Ratio) -> Kelvins {
    let m = sorted.len() as f64;
    let cut = (TRIMMED_SHARE * m) as usize;
    let kept = &sorted[cut..sorted.len() - cut];
    let mean = kept.iter().sum::<f64>() / kept.len() as f64;
    let all_mean = sorted.iter().sum::<f64>() / m;
    let squares: f64 = sorted.iter().map(|x| (x - all_mean).powi(2)).sum();
    let variance = (PRIOR_WEIGHT * PRIOR_SCATTER.powi(2) + squares) / (PRIOR_WEIGHT + m - 1.0);
    let scatter = (variance + WITHIN_FLAT_SCATTER.powi(2)).sqrt();
    Kelvins(mean - normal_quantile(1.0 - share.0) * scatter - scatter / m.sqrt())
}

/// The quantile of the standard normal distribution for 0.5 < p < 1, to 4.5e-4 (Abramowitz and Stegun 26.2.23).
fn normal_quantile(p: f64) -> f64 {
    let t = (-2.0 * (1.0 - p).max(1e-9).ln()).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    t - above / below
}

impl RoomTrim {
    /// One step: returns what is added to the room target.
    pub fn advance(
        &mut self,
        settings: &RoomTrimSettings,
        seen: &RoomStatistic,
        frozen: Option<Frozen>,
        dt: Duration,
    ) -> Kelvins {
        let hours = seconds(dt) / 3600.0;
        let Some(excess) = seen.tail_excess else {
            // Nobody knows the rooms: the correction is forgotten slowly, without a bump.
            let decay = DECAY_PER_HOUR * hours;
            self.trim = Kelvins(self.trim.0.signum() * (self.trim.0.abs() - decay.0).max(0.0));
            self.integral = self.trim;
            self.smoothed = None;
            return self.trim;
        };
        let before = self.smoothed.unwrap_or(excess);
        let smoothed = before + (excess - before) * (1.0 - (-seconds(dt) / seconds(SMOOTHING)).exp());
        self.smoothed = Some(smoothed);
        if frozen.is_some() {
            return self.trim;
        }
        // The wish is an excess of zero: the coldest share exactly at its minimum, with the margin already inside.
        let error = -smoothed;
        let integral = self.integral + error * (settings.gain * hours * 3600.0 / seconds(settings.integral_time));
        self.integral = integral.clamp(-settings.lower_max, settings.raise_max);
        let wish = (error * settings.gain + self.integral).clamp(-settings.lower_max, settings.raise_max);
        let step = (wish - self.trim).clamp(-settings.lower_rate * hours, settings.raise_rate * hours);
        self.trim += step;
        self.trim
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heatstation_points::Reading;

    fn rooms(temperatures: &[f64]) -> (Vec<RoomSettings>, Vec<RoomReadings>) {
        temperatures
            .iter()
            .map(|&t| {
                let settings = RoomSettings { name: String::new(), minimum: Celsius(18.0) };
                (settings, RoomReadings { temperature: Reading::good(Celsius(t)), ..Default::default() })
            })
            .unzip()
    }

    fn seen(temperatures: &[f64]) -> RoomStatistic {
        let (settings, readings) = rooms(temperatures);
        look(&RoomTrimSettings::default(), &settings, &readings)
    }

    #[test]
    fn the_quantile_agrees_with_the_tables() {
        assert!((normal_quantile(0.98) - 2.0537).abs() < 1e-3);
        assert!((normal_quantile(0.95) - 1.6449).abs() < 1e-3);
    }

    #[test]
    fn one_window_sensor_does_not_drag_the_estimate() {
        let all_well = seen(&[20.5, 21.0, 21.5, 20.8, 21.2, 20.9, 21.1, 21.3]);
        let one_open = seen(&[20.5, 21.0, 21.5, 20.8, 21.2, 20.9, 21.1, 9.0]);
        let moved = (all_well.tail_excess.unwrap() - one_open.tail_excess.unwrap()).0;
        assert!(0.0 < moved && moved < 6.0, "{moved}");
        let impossible = seen(&[20.5, 21.0, 21.5, 20.8, 21.2, 20.9, 21.1, -8.0]);
        assert_eq!(impossible.fresh, 7);
    }

    #[test]
    fn cold_rooms_raise_the_target_within_bounds_and_not_faster_than_allowed() {
        let settings = RoomTrimSettings::default();
        let cold = seen(&[15.0, 15.5, 16.0, 15.2]);
        let mut trim = RoomTrim::default();
        let mut last = Kelvins(0.0);
        for _ in 0..24 * 30 {
            let now = trim.advance(&settings, &cold, None, Duration::from_secs(3600));
            assert!(now - last <= settings.raise_rate && now <= settings.raise_max);
            last = now;
        }
        assert_eq!(last, settings.raise_max);
    }

    #[test]
    fn lost_sensors_let_the_trim_decay_and_do_not_bump() {
        let settings = RoomTrimSettings::default();
        let mut trim = RoomTrim { trim: Kelvins(2.0), integral: Kelvins(2.0), smoothed: None };
        let nobody = seen(&[]);
        let after_one = trim.advance(&settings, &nobody, None, Duration::from_secs(3600));
        assert_eq!(after_one, Kelvins(1.5));
        for _ in 0..10 {
            trim.advance(&settings, &nobody, None, Duration::from_secs(3600));
        }
        assert_eq!(trim.trim, Kelvins(0.0));
    }

    #[test]
    fn a_frozen_trim_stands_still() {
        let mut trim = RoomTrim { trim: Kelvins(1.0), integral: Kelvins(1.0), smoothed: None };
        let cold = seen(&[15.0, 15.5, 16.0, 15.2]);
        let day = Duration::from_secs(86_400);
        assert_eq!(trim.advance(&RoomTrimSettings::default(), &cold, Some(Frozen::Saturated), day), Kelvins(1.0));
    }
}
