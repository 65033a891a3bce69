//! What the meteorological service foresees: a bounded table of hours, and how far the station believes it.
//!
//! # Why this shape
//! The caller brings the table with each step, and counts its age as it does for every reading; the core has no clock and
//! looks nothing up. The table is of fixed size and copied by value: nothing is allocated in the cycle, and no service can
//! make it grow.
//!
//! A forecast is of a grid of kilometres, the station stands in a street. The difference is learnt against the station's
//! own sensor by exponential smoothing, alpha 0.1 to 0.3 an hour, and fades into the horizon, because what is off now
//! says little of tomorrow (tuning on the site cut the error of temperature by 60 to 80 %):
//!
//! ```text
//! b(k+1) = b(k) + (1 − (1 − alpha)^(dt/1 h)) · (T_sensor − T_service(0) − b(k))        |b| ≤ 6 K
//! T(h)   = T_service(h) + b · e^(−h / 9 h)
//! ```
//!
//! # What this module does not do
//! Whether the sensor may teach the service is the [ladder's](crate::outdoor) to say: a sensor in the sun may not. What a
//! forecast may do to the supply is bounded in [`equivalent_outdoor`](crate::equivalent_outdoor) and, in frost, by the
//! heat floor of the [`setpoint`](crate::setpoint).

use std::ops::RangeInclusive;
use std::time::Duration;

use heatstation_points::{Celsius, Kelvins, MetersPerSecond, Quantity, Ratio, WattsPerSquareMeter};
use serde::{Deserialize, Serialize};

use crate::timer::seconds;

/// A forecast reaches two days ahead at most: nothing here looks further than half of one.
pub const HOURS_MAX: usize = 48;
/// What is off now is half forgotten six hours ahead (6 to 12 h are usual).
const BIAS_FADES_HOURS: f64 = 9.0;
/// More is no bias but another place: 6 K is a thousand metres of height.
const BIAS_MAX: Kelvins = Kelvins(6.0);

/// Why a forecast cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It has no temperature.
    Empty,
    /// It has more hours than [`HOURS_MAX`].
    TooLong,
    /// An hour of it is no number, or outside of what weather can be.
    Implausible {
        /// Which hour, the first is 0.
        hour: usize,
    },
}

/// Values at full hours, straight between them; the first stands for the beginning.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Hours {
    values: [f64; HOURS_MAX],
    known: usize,
}

impl Hours {
    fn new<T: Quantity>(given: &[T], range: &RangeInclusive<f64>) -> Result<Hours, Unusable> {
        if given.len() > HOURS_MAX {
            return Err(Unusable::TooLong);
        }
        let mut values = [0.0; HOURS_MAX];
        for (hour, (value, given)) in values.iter_mut().zip(given).enumerate() {
            *value = given.number();
            // Not a number is in no range.
            if !range.contains(value) {
                return Err(Unusable::Implausible { hour });
            }
        }
        Ok(Hours { values, known: given.len() })
    }

    /// The value so many hours after the beginning; none behind the last.
    fn at(&self, hours: f64) -> Option<f64> {
        let last = self.known.checked_sub(1)?;
        if hours > last as f64 {
            return None;
        }
        let before = hours.floor().max(0.0);
        let this = self.values[before as usize];
        let next = self.values[(before as usize + 1).min(last)];
        Some(this + (next - this) * (hours - before).max(0.0))
    }

    /// The mean between two times, as far as the hours reach; none if they do not reach the first.
    fn mean(&self, from: f64, to: f64) -> Option<f64> {
        let first = self.at(from)?;
        let to = to.min(self.known.saturating_sub(1) as f64);
        let (mut sum, mut at, mut value) = (0.0, from, first);
        while at < to {
            let next = (at.floor() + 1.0).min(to);
            let after = self.at(next)?;
            sum += 0.5 * (value + after) * (next - at);
            (at, value) = (next, after);
        }
        Some(if to > from { sum / (to - from) } else { first })
    }
}

/// A forecast, hour by hour from the time of its issue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// How long ago it was issued, by the clock that counts the ages of readings. The caller keeps it up.
    pub age: Duration,
    temperature: Hours,
    solar: Hours,
    wind: Hours,
}

impl Forecast {
    /// A forecast that was issued `age` ago: the first value is for that moment, each next one an hour later. Sunshine
    /// (global, horizontal) and wind may be left out.
    ///
    /// # Errors
    /// It has no temperature, too many hours, or values that weather does not have.
    pub fn new(
        age: Duration,
        temperature: &[Celsius],
        solar: &[WattsPerSquareMeter],
        wind: &[MetersPerSecond],
    ) -> Result<Forecast, Unusable> {
        if temperature.is_empty() {
            return Err(Unusable::Empty);
        }
        // The ranges of the points `outdoor.temperature`, `outdoor.solar_irradiance` and `outdoor.wind_speed`.
        Ok(Forecast {
            age,
            temperature: Hours::new(temperature, &(-60.0..=60.0))?,
            solar: Hours::new(solar, &(0.0..=1500.0))?,
            wind: Hours::new(wind, &(0.0..=75.0))?,
        })
    }

    /// The same forecast when it is that old.
    #[must_use]
    pub fn at_age(&self, age: Duration) -> Forecast {
        Forecast { age, ..*self }
    }

    fn now(&self) -> f64 {
        seconds(self.age) / 3600.0
    }

    /// The temperature foreseen for now.
    pub fn temperature(&self) -> Option<Celsius> {
        self.temperature.at(self.now()).map(Celsius)
    }

    /// The sunshine foreseen for now, where it is foreseen.
    pub fn solar(&self) -> Option<WattsPerSquareMeter> {
        self.solar.at(self.now()).map(WattsPerSquareMeter)
    }

    /// The wind foreseen for now, where it is foreseen.
    pub fn wind(&self) -> Option<MetersPerSecond> {
        self.wind.at(self.now()).map(MetersPerSecond)
    }
}

/// What the service's temperature differs by from the station's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bias(Kelvins);

impl Bias {
    /// What is added to the service's temperature now.
    pub fn value(self) -> Kelvins {
        self.0
    }

    /// Learns from a sensor that is believed: `difference` is what it shows above the service.
    pub fn learn(&mut self, difference: Kelvins, per_hour: Ratio, dt: Duration) {
        let share = 1.0 - (1.0 - per_hour.0).powf(seconds(dt) / 3600.0);
        // It begins at nothing, not at the first difference: one look is no bias.
        self.0 = (self.0 + (difference - self.0) * share).clamp(-BIAS_MAX, BIAS_MAX);
    }
}

/// A forecast that is young enough, with what is known of its error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlook<'a> {
    /// The forecast.
    pub forecast: &'a Forecast,
    /// What it is off by now.
    pub bias: Kelvins,
}

impl Outlook<'_> {
    /// The mean temperature from now until so far ahead, corrected.
    pub fn mean_temperature(&self, ahead: Duration) -> Option<Celsius> {
        let (now, hours) = (self.forecast.now(), seconds(ahead) / 3600.0);
        let foreseen = self.forecast.temperature.mean(now, now + hours)?;
        let reach = hours / BIAS_FADES_HOURS;
        let left = if reach > 1e-6 { (1.0 - (-reach).exp()) / reach } else { 1.0 };
        Some(Celsius(foreseen) + self.bias * left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn of(temperatures: &[f64]) -> Forecast {
        let temperatures: Vec<Celsius> = temperatures.iter().copied().map(Celsius).collect();
        Forecast::new(Duration::ZERO, &temperatures, &[], &[]).unwrap()
    }

    #[test]
    fn a_forecast_is_read_between_its_hours_and_ends_with_its_last() {
        let mut forecast = of(&[0.0, 4.0, 2.0]);
        let at = |forecast: &mut Forecast, minutes: u32| {
            forecast.age = HOUR / 60 * minutes;
            forecast.temperature().map(|celsius| celsius.0)
        };
        assert_eq!(at(&mut forecast, 0), Some(0.0));
        assert_eq!(at(&mut forecast, 30), Some(2.0));
        assert_eq!(at(&mut forecast, 90), Some(3.0));
        assert_eq!(at(&mut forecast, 120), Some(2.0));
        assert_eq!(at(&mut forecast, 121), None);
        assert_eq!((forecast.solar(), forecast.wind()), (None, None));
    }

    #[test]
    fn the_mean_ahead_is_that_of_the_straight_lines_between_the_hours() {
        let forecast = Forecast { age: HOUR / 2, ..of(&[0.0, 4.0, 2.0, 2.0]) };
        let outlook = Outlook { forecast: &forecast, bias: Kelvins(0.0) };
        // From 0:30 to 1:30 the line goes 2, 4, 3: two halves of 3 and 3.5.
        assert_eq!(outlook.mean_temperature(HOUR), Some(Celsius(3.25)));
        assert_eq!(outlook.mean_temperature(Duration::ZERO), Some(Celsius(2.0)));
        // What it does not reach is left out, not invented.
        let far = outlook.mean_temperature(HOUR * 10).unwrap();
        assert!((far.0 - (0.5 * 3.0 + 3.0 + 2.0) / 2.5).abs() < 1e-9, "{far:?}");
    }

    #[test]
    fn what_is_off_now_fades_into_the_horizon() {
        let forecast = of(&[0.0; HOURS_MAX]);
        let outlook = Outlook { forecast: &forecast, bias: Kelvins(-2.0) };
        let ahead = |hours: u32| outlook.mean_temperature(HOUR * hours).unwrap().0;
        assert!((ahead(0) + 2.0).abs() < 1e-9);
        assert!((-1.9..=-1.7).contains(&ahead(2)), "{}", ahead(2));
        assert!((-1.2..=-0.9).contains(&ahead(12)), "{}", ahead(12));
    }

    #[test]
    fn a_bias_is_learnt_in_hours_and_never_beyond_its_bound() {
        let mut bias = Bias::default();
        for _ in 0..60 {
            bias.learn(Kelvins(-2.0), Ratio(0.2), HOUR / 60);
        }
        assert!((bias.value().0 + 0.4).abs() < 1e-6, "{bias:?}");
        for _ in 0..1000 {
            bias.learn(Kelvins(-40.0), Ratio(0.3), HOUR);
        }
        assert_eq!(bias.value(), -BIAS_MAX);
    }

    #[test]
    fn what_no_weather_can_be_is_not_taken() {
        let hours = |value: f64| Forecast::new(Duration::ZERO, &[Celsius(1.0), Celsius(value)], &[], &[]);
        assert_eq!(hours(f64::NAN), Err(Unusable::Implausible { hour: 1 }));
        assert_eq!(hours(75.0), Err(Unusable::Implausible { hour: 1 }));
        assert_eq!(Forecast::new(Duration::ZERO, &[], &[], &[]), Err(Unusable::Empty));
        assert_eq!(Forecast::new(Duration::ZERO, &[Celsius(0.0); 49], &[], &[]), Err(Unusable::TooLong));
        let dark = Forecast::new(Duration::ZERO, &[Celsius(0.0)], &[WattsPerSquareMeter(-1.0)], &[]);
        assert_eq!(dark, Err(Unusable::Implausible { hour: 0 }));
    }
}
