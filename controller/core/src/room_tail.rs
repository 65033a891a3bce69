//! The coldest share of the rooms, estimated from a few of them, and how far that can be wrong.
//!
//! # Why this shape
//! The legal figure is the share of rooms above a minimum, so the mean is the wrong thing to know: the estimate is of the
//! tail. One flat in a hundred has a sensor, and the coldest of ten measured flats is not the coldest of a thousand. From
//! `m` rooms, each as its excess over its own minimum:
//!
//! ```text
//! mu     = trimmed mean (15 % at each end), weighted by the areas that the sensors stand for
//! s²     = (k0·s0² + (m−1)·s_m²) / (k0 + m − 1)       s_m: scatter of the rooms' long-run places
//! T_p    = mu − z_p·sqrt(s² + s_w²)                   s_w: what one flat moves from hour to hour
//! SE     = c·sqrt((s² + s_w²) / m)                    margin = z_conf·SE
//! ```
//!
//! with the fleet's prior `k0` = 8, `s0` = 1.2 K, `s_w` = 0.70 K and `c` = 1.1. On 240 flats (scatter 1.25 K, from hour to hour
//! 0.63 K) a raw 2nd percentile of ten rooms is 0.3 K too warm and scatters by 0.68 K; this one is right within 0.05 K and
//! scatters by 0.49 K, with 24 rooms by 0.35 K, with five by 0.63 K. A test draws it anew.
//!
//! The scatter is taken from where the rooms settle, not from where they stand this minute: one evening's cooking is in
//! `s_w` already.
//!
//! # What it leaves to others
//! Which sensors are to be believed ([`room_sensors`](crate::room_sensors)), and what is done about it
//! ([`room_trim`](crate::room_trim)).

use heatstation_points::{Celsius, Kelvins, Ratio};
use serde::{Deserialize, Serialize};

use crate::room_sensors::VerdictCounts;
use crate::settings::RoomTrimSettings;

/// Cut from the mean at each end: a window or a radiator does not drag it.
const TRIMMED_SHARE: f64 = 0.15;
/// As many flats as the prior is worth.
const PRIOR_WEIGHT: f64 = 8.0;
/// What a flat moves around its own place from hour to hour; 0.5 to 0.8 K.
const WITHIN_FLAT: f64 = 0.70;
/// The estimate also carries the error of the scatter; 1.0 to 1.2.
const ERROR_FACTOR: f64 = 1.1;

/// What the rooms say now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoomStatistic {
    /// How many sensors there are.
    pub configured: usize,
    /// How many of them read fresh and plausible.
    pub fresh: usize,
    /// How many of those are believed.
    pub counted: usize,
    /// How many stand for a while where they are known to be, although they are not heard.
    pub held: usize,
    /// How many of them may be counted on: all but the flats whose valve is closed.
    pub expected: usize,
    /// What is thought of the sensors, by verdict.
    pub verdicts: VerdictCounts,
    /// Mean temperature of the counted.
    pub mean: Option<Celsius>,
    /// Their median.
    pub median: Option<Celsius>,
    /// The coldest.
    pub coldest: Option<Celsius>,
    /// The share of them at or above their minimum.
    pub passing: Option<Ratio>,
    /// The estimate of the coldest share; none with too few sensors.
    pub tail: Option<Tail>,
}

impl RoomStatistic {
    /// How surely the coldest share is above its minimum; none with too few sensors.
    pub fn tail_excess(&self) -> Option<Kelvins> {
        self.tail.map(|tail| tail.sure())
    }
}

/// The estimate of the coldest share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tail {
    /// How far the coldest share is above its minimum, by the best guess.
    pub excess: Kelvins,
    /// The standard error of that.
    pub standard_error: Kelvins,
    /// What is kept as a margin for it.
    pub margin: Kelvins,
    /// How much the flats differ, prior included.
    pub scatter: Kelvins,
}

impl Tail {
    /// The excess, its own uncertainty subtracted: what control aims at zero.
    pub fn sure(&self) -> Kelvins {
        self.excess - self.margin
    }
}

/// One room, as the estimate takes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// How far it is above its minimum now.
    pub excess: Kelvins,
    /// The same in the long run, where that is known.
    pub settled: Kelvins,
    /// The area that it stands for, in any unit.
    pub weight: f64,
}

/// The coldest share, from the rooms in any order; none without rooms or weights.
pub fn estimate(settings: &RoomTrimSettings, samples: &mut [Sample]) -> Option<Tail> {
    let weights: f64 = samples.iter().map(|sample| sample.weight).sum();
    if samples.is_empty() || weights <= 0.0 {
        return None;
    }
    samples.sort_unstable_by(|a, b| a.excess.0.total_cmp(&b.excess.0));
    let squares: f64 = samples.iter().map(|sample| sample.weight * sample.weight).sum();
    // A sensor that stands for half of the area makes the others count for little.
    let effective = weights * weights / squares;

    let count = samples.len() as f64;
    let settled = samples.iter().map(|sample| sample.settled.0).sum::<f64>() / count;
    let around: f64 = samples.iter().map(|sample| (sample.settled.0 - settled).powi(2)).sum();
    let variance = (PRIOR_WEIGHT * settings.scatter_prior.0.powi(2) + around) / (PRIOR_WEIGHT + count - 1.0);
    let all = (variance + WITHIN_FLAT.powi(2)).sqrt();

    let standard_error = Kelvins(ERROR_FACTOR * all / effective.sqrt());
    Some(Tail {
        excess: trimmed_mean(samples, weights) - Kelvins(normal_quantile(1.0 - settings.cold_share.0) * all),
        standard_error,
        margin: standard_error * settings.confidence,
        scatter: Kelvins(variance.sqrt()),
    })
}

/// The mean of sorted samples without the ends; a sample that the cut goes through counts in part.
fn trimmed_mean(sorted: &[Sample], weights: f64) -> Kelvins {
    let (low, high) = (TRIMMED_SHARE * weights, (1.0 - TRIMMED_SHARE) * weights);
    let (mut passed, mut sum) = (0.0, 0.0);
    for sample in sorted {
        let kept = (passed + sample.weight).min(high) - f64::max(passed, low);
        sum += kept.max(0.0) * sample.excess.0;
        passed += sample.weight;
    }
    Kelvins(sum / (high - low))
}

/// The quantile of the standard normal distribution for 0.5 < p < 1, to 4.5e-4 (Abramowitz and Stegun 26.2.23).
fn normal_quantile(p: f64) -> f64 {
    let t = (-2.0 * (1.0 - p).max(1e-9).ln()).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    t - above / below
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::seq::index;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    fn sample(excess: f64, weight: f64) -> Sample {
        Sample { excess: Kelvins(excess), settled: Kelvins(excess), weight }
    }

    fn tail(excesses: &[f64]) -> Tail {
        let mut samples: Vec<Sample> = excesses.iter().map(|&excess| sample(excess, 1.0)).collect();
        estimate(&RoomTrimSettings::default(), &mut samples).unwrap()
    }

    #[test]
    fn the_quantile_agrees_with_the_tables() {
        assert!((normal_quantile(0.98) - 2.0537).abs() < 1e-3);
        assert!((normal_quantile(0.95) - 1.6449).abs() < 1e-3);
    }

    fn normal(random: &mut impl Rng) -> f64 {
        StandardNormal.sample(random)
    }

    /// Draws stations of 240 flats and asks `m` of them: bias and scatter of the estimate of the true 2nd percentile of all
    /// flats and hours.
    fn check(m: usize, scatter: f64) {
        const STATIONS: usize = 600;
        const HOURS: usize = 24;
        let mut random = ChaCha8Rng::seed_from_u64(240 + m as u64);
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..STATIONS {
            let flats: Vec<f64> = (0..240).map(|_| 1.25 * normal(&mut random)).collect();
            let mut hours: Vec<f64> = Vec::with_capacity(240 * HOURS);
            let mut means = vec![0.0; 240];
            for (flat, mean) in flats.iter().zip(&mut means) {
                for _ in 0..HOURS {
                    let now = flat + 0.63 * normal(&mut random);
                    *mean += now / HOURS as f64;
                    hours.push(now);
                }
            }
            let place = hours.len() / 50;
            let truth = *hours.select_nth_unstable_by(place, f64::total_cmp).1;
            let asked: Vec<f64> = index::sample(&mut random, 240, m).into_iter().map(|flat| means[flat]).collect();
            let error = tail(&asked).excess.0 - truth;
            sum += error;
            squares += error * error;
        }
        let bias = sum / STATIONS as f64;
        let spread = (squares / STATIONS as f64 - bias * bias).sqrt();
        assert!(bias.abs() < 0.08, "{m} sensors are off by {bias:.3} K");
        assert!((spread - scatter).abs() < 0.04, "{m} sensors scatter by {spread:.3} K, not by {scatter} K");
    }

    #[test]
    fn five_ten_and_twenty_four_sensors_err_as_much_as_the_method_says() {
        check(5, 0.63);
        check(10, 0.49);
        check(24, 0.35);
    }

    #[test]
    fn one_open_window_does_not_drag_the_estimate() {
        let all_well = tail(&[2.5, 3.0, 3.5, 2.8, 3.2, 2.9, 3.1, 3.3]);
        let one_open = tail(&[2.5, 3.0, 3.5, 2.8, 3.2, 2.9, 3.1, -9.0]);
        let moved = (all_well.excess - one_open.excess).0;
        assert!(0.0 < moved && moved < 6.0, "{moved}");
    }

    #[test]
    fn fewer_sensors_are_less_sure_and_keep_more_margin() {
        let (three, twelve) = (tail(&[3.0, 4.0, 5.0]), tail(&[3.0, 4.0, 5.0].repeat(4)));
        assert!(three.margin > twelve.margin * 1.5, "{three:?} {twelve:?}");
        assert!((three.excess - twelve.excess).0.abs() < 0.6, "{three:?} {twelve:?}");
    }

    #[test]
    fn sensors_of_a_small_building_do_not_speak_for_the_large_one() {
        // Four sensors in a cold house of a tenth of the area, one in the warm rest.
        let mut samples: Vec<Sample> = [1.0; 4].iter().map(|&excess| sample(excess, 0.025)).collect();
        samples.push(sample(4.0, 0.9));
        let weighted = estimate(&RoomTrimSettings::default(), &mut samples).unwrap();
        assert!(weighted.excess > tail(&[1.0, 1.0, 1.0, 1.0, 4.0]).excess + Kelvins(1.5), "{weighted:?}");
        assert!(weighted.standard_error.0 > 1.2, "one sensor is as good as alone: {weighted:?}");
    }
}
