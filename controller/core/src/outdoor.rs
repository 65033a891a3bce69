//! The outdoor temperature: where it comes from, how it is smoothed, and what stands in when it is lost.
//!
//! The ladder: sensor → second sensor → forecast → last good value for some hours → a fixed value on the frost side. Each
//! rung is named in the report, and its change is an event.

use std::time::Duration;

use heatstation_points::{Celsius, StationReadings};
use serde::{Deserialize, Serialize};

use crate::settings::OutdoorSettings;
use crate::timer::seconds;

/// Where the outdoor temperature comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutdoorSource {
    /// The station's sensor.
    Sensor,
    /// The second sensor.
    SecondSensor,
    /// Both sensors answer and disagree: the colder one.
    ColderSensor,
    /// The meteorological service.
    Forecast,
    /// The last good value.
    LastGood,
    /// The configured value.
    #[default]
    Fallback,
}

impl OutdoorSource {
    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            OutdoorSource::Sensor => "sensor",
            OutdoorSource::SecondSensor => "second_sensor",
            OutdoorSource::ColderSensor => "colder_sensor",
            OutdoorSource::Forecast => "forecast",
            OutdoorSource::LastGood => "last_good",
            OutdoorSource::Fallback => "fallback",
        }
    }
}

/// What the outdoor ladder remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OutdoorState {
    /// The rung it stands on.
    pub source: OutdoorSource,
    /// The last good value and how old it is.
    last_good: Option<(Celsius, Duration)>,
    /// The smoothed value.
    filtered: Option<Celsius>,
}

/// The outdoor temperature of this step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outdoor {
    /// The value of the moment.
    pub now: Celsius,
    /// Smoothed with the configured time constant; what the curve looks at.
    pub filtered: Celsius,
    /// Where it comes from.
    pub source: OutdoorSource,
}

/// A smoothed value older than this is of another day.
const SMOOTHED_KEEP: Duration = Duration::from_secs(6 * 3600);

impl OutdoorState {
    /// Lets time pass in which nobody looked.
    pub fn age(&mut self, gone: Duration) {
        if let Some((_, age)) = &mut self.last_good {
            *age = age.saturating_add(gone);
        }
        if gone > SMOOTHED_KEEP {
            self.filtered = None;
        }
    }

    /// One step.
    pub fn observe(&mut self, settings: &OutdoorSettings, readings: &StationReadings, dt: Duration) -> Outdoor {
        let measured = measured(settings, readings);
        if let Some((value, _)) = measured {
            self.last_good = Some((value, Duration::ZERO));
        } else if let Some((_, age)) = &mut self.last_good {
            *age = age.saturating_add(dt);
        }
        let (now, source) = measured.unwrap_or_else(|| match self.last_good {
            Some((value, age)) if age <= settings.hold => (value, OutdoorSource::LastGood),
            _ => (settings.fallback, OutdoorSource::Fallback),
        });
        self.source = source;

        // A first-order filter, exact for any step length. It starts at the first value, not at zero.
        let before = self.filtered.unwrap_or(now);
        let share = 1.0 - (-seconds(dt) / seconds(settings.filter).max(1e-9)).exp();
        let filtered = before + (now - before) * share;
        self.filtered = Some(filtered);
        Outdoor { now, filtered, source }
    }
}

fn measured(settings: &OutdoorSettings, readings: &StationReadings) -> Option<(Celsius, OutdoorSource)> {
    // Outdoor temperature moves in hours: a stale value is as good as a fresh one.
    let first = readings.outdoor_temperature.usable();
    let second = readings.outdoor_temperature_second.usable();
    match (first, second) {
        (Some(a), Some(b)) if (a - b).0.abs() > settings.disagreement.0 => {
            Some((a.min(b), OutdoorSource::ColderSensor))
        }
        (Some(a), _) => Some((a, OutdoorSource::Sensor)),
        (None, Some(b)) => Some((b, OutdoorSource::SecondSensor)),
        (None, None) => readings.outdoor_forecast.usable().map(|value| (value, OutdoorSource::Forecast)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heatstation_points::Reading;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_lost_sensor_is_replaced_rung_by_rung() {
        let settings = OutdoorSettings::default();
        let mut state = OutdoorState::default();
        let mut readings = StationReadings { outdoor_temperature: Reading::good(Celsius(-4.0)), ..Default::default() };
        readings.outdoor_temperature_second = Reading::good(Celsius(-3.5));
        let mut see = |readings: &StationReadings| {
            let outdoor = state.observe(&settings, readings, HOUR);
            (outdoor.now.0, outdoor.source)
        };
        assert_eq!(see(&readings), (-4.0, OutdoorSource::Sensor));
        readings.outdoor_temperature = Reading::default();
        assert_eq!(see(&readings), (-3.5, OutdoorSource::SecondSensor));
        readings.outdoor_temperature_second = Reading::default();
        for _ in 0..6 {
            assert_eq!(see(&readings), (-3.5, OutdoorSource::LastGood));
        }
        assert_eq!(see(&readings), (0.0, OutdoorSource::Fallback));
    }

    #[test]
    fn a_sensor_in_the_sun_does_not_turn_the_heating_down() {
        let mut state = OutdoorState::default();
        let readings = StationReadings {
            outdoor_temperature: Reading::good(Celsius(14.0)),
            outdoor_temperature_second: Reading::good(Celsius(-2.0)),
            ..Default::default()
        };
        let outdoor = state.observe(&OutdoorSettings::default(), &readings, HOUR);
        assert_eq!((outdoor.now, outdoor.source), (Celsius(-2.0), OutdoorSource::ColderSensor));
    }

    #[test]
    fn the_filter_covers_two_thirds_of_a_step_in_its_time_constant() {
        let settings = OutdoorSettings { filter: HOUR, ..Default::default() };
        let mut state = OutdoorState::default();
        let mut readings = StationReadings { outdoor_temperature: Reading::good(Celsius(0.0)), ..Default::default() };
        state.observe(&settings, &readings, Duration::ZERO);
        readings.outdoor_temperature = Reading::good(Celsius(10.0));
        let filtered = (0..60).map(|_| state.observe(&settings, &readings, HOUR / 60).filtered.0).last().unwrap();
        assert!((filtered - 6.32).abs() < 0.01, "{filtered}");
    }
}
