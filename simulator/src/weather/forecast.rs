//! Forecasts as wrong as real ones.
//!
//! The error of a forecast grows with its horizon as a first-order process, drawn anew for each issue: the model and the
//! numbers of the BOPTEST forecast emulator. A forecast is a function of seed and time of issue, so that two controllers
//! that ask at the same hour are told the same.

use heatstation_points::{Celsius, Kelvins, WattsPerSquareMeter};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::WeatherSource;

/// How wrong a forecast is, in the words of BOPTEST.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Uncertainty {
    /// Not at all: the future is known.
    None,
    /// Temperature within 1 K (one standard deviation, far ahead).
    Low,
    /// Within 1.6 K.
    Medium,
    /// Within 2.2 K.
    High,
}

/// First-order growth of an error from hour to hour.
struct Growth {
    /// Mean and deviation of the error at issue: K.
    first: (f64, f64),
    /// What of it stays for the next hour, the mean and deviation of what comes: K.
    keep: f64,
    next: (f64, f64),
    /// The same for sunshine, with the scale of a Laplace distribution: W/m².
    sun_keep: f64,
    sun_mean: f64,
    sun_scale: f64,
}

impl Uncertainty {
    const fn growth(self) -> Option<Growth> {
        let (first, keep, next, sun_keep, sun_mean, sun_scale) = match self {
            Uncertainty::None => return None,
            Uncertainty::Low => ((0.0, 0.6), 0.92, (0.0, 0.4), 0.62, 1.86, 45.6),
            Uncertainty::Medium => ((0.15, 1.2), 0.93, (0.0, 0.6), 0.63, 4.4, 92.0),
            Uncertainty::High => ((-0.58, 1.5), 0.95, (-0.015, 0.7), 0.67, 10.6, 87.0),
        };
        Some(Growth { first, keep, next, sun_keep, sun_mean, sun_scale })
    }
}

/// One hour of a forecast.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForecastHour {
    /// When: seconds since 1970, UTC.
    pub utc_seconds: i64,
    /// Outdoor temperature.
    pub outdoor: Celsius,
    /// Global horizontal irradiance.
    pub global_horizontal: WattsPerSquareMeter,
}

/// The forecast issued at the full hour before `utc_seconds`, from that hour on.
pub fn forecast(
    source: &mut dyn WeatherSource,
    utc_seconds: i64,
    hours: usize,
    uncertainty: Uncertainty,
    seed: u64,
) -> Vec<ForecastHour> {
    let issued = utc_seconds.div_euclid(3600);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(issued.unsigned_abs());
    let growth = uncertainty.growth();
    let (mut error, mut sun_error) = (0.0, 0.0);
    (0..hours as i64)
        .map(|ahead| {
            if let Some(growth) = &growth {
                error = grow(growth, ahead, error, &mut random);
                sun_error = growth.sun_keep * sun_error
                    + if ahead == 0 { 0.0 } else { laplace(growth.sun_mean, growth.sun_scale, &mut random) };
            }
            let at = (issued + ahead) * 3600;
            let weather = source.at(at);
            let global = weather.global_horizontal().0;
            // Nobody forecasts sunshine at night.
            let seen = if global > 0.0 { (global + sun_error).max(0.0) } else { 0.0 };
            ForecastHour {
                utc_seconds: at,
                outdoor: weather.outdoor + Kelvins(error),
                global_horizontal: WattsPerSquareMeter(seen),
            }
        })
        .collect()
}

fn grow(growth: &Growth, ahead: i64, error: f64, random: &mut ChaCha8Rng) -> f64 {
    let normal: f64 = StandardNormal.sample(random);
    let (kept, (mean, deviation)) = if ahead == 0 { (0.0, growth.first) } else { (growth.keep * error, growth.next) };
    kept + mean + deviation * normal
}

fn laplace(mean: f64, scale: f64, random: &mut ChaCha8Rng) -> f64 {
    let u: f64 = random.random_range(-0.5..0.5);
    mean - scale * u.signum() * (1.0 - 2.0 * u.abs()).max(1e-12).ln()
}

#[cfg(test)]
mod tests {
    use super::super::{Climate, StochasticWeather};
    use super::*;

    /// 2027-01-10 00:00 in China.
    const JANUARY: i64 = 1_799_510_400;

    /// Deviation of the temperature's error this many hours ahead, over many issues.
    fn deviation(uncertainty: Uncertainty, ahead: usize) -> f64 {
        let mut source = StochasticWeather::new(1, Climate::SHANDONG);
        let squares: Vec<f64> = (0..1000)
            .map(|issue| {
                let hour = forecast(&mut source, JANUARY + issue * 3600, ahead + 1, uncertainty, 9)[ahead];
                let error = (hour.outdoor - source.at(hour.utc_seconds).outdoor).0;
                error * error
            })
            .collect();
        (squares.iter().sum::<f64>() / 1000.0).sqrt()
    }

    #[test]
    fn errors_grow_to_what_their_name_says() {
        assert_eq!(deviation(Uncertainty::None, 24), 0.0);
        for (uncertainty, far) in [(Uncertainty::Low, 1.0), (Uncertainty::Medium, 1.6), (Uncertainty::High, 2.2)] {
            let found = deviation(uncertainty, 47);
            assert!((found / far - 1.0).abs() < 0.15, "{uncertainty:?}: {found:.2} K");
        }
        assert!(deviation(Uncertainty::Low, 0) < deviation(Uncertainty::Low, 24));
    }

    #[test]
    fn two_who_ask_in_the_same_hour_are_told_the_same_and_the_night_is_dark() {
        let mut source = StochasticWeather::new(1, Climate::SHANDONG);
        let first = forecast(&mut source, JANUARY + 10, 48, Uncertainty::High, 3);
        let second = forecast(&mut source, JANUARY + 3000, 48, Uncertainty::High, 3);
        assert_eq!(first, second);
        assert_eq!(first[0].global_horizontal.0, 0.0);
        assert!(first.iter().any(|hour| hour.global_horizontal.0 > 50.0));
    }
}
