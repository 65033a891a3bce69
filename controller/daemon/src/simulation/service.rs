//! The meteorological service of a simulated station: the simulator's forecast in the words of the control.

use std::time::Duration;

use heatstation_core::Forecast;
use heatstation_core::forecast::HOURS_MAX;
use heatstation_points::{Celsius, WattsPerSquareMeter};
use heatstation_simulator::weather::{ForecastHour, Uncertainty, WeatherSource, forecast};

/// What the service foresees at this second, issued at the full hour before, and the second of its issue.
pub fn issue(
    weather: &mut dyn WeatherSource,
    utc: i64,
    uncertainty: Uncertainty,
    seed: u64,
) -> Option<(i64, Forecast)> {
    let hours = forecast(weather, utc, HOURS_MAX, uncertainty, seed);
    let issued = hours.first()?.utc_seconds;
    Some((issued, told(&hours)?))
}

/// None where the error that was drawn is beyond what weather can be.
fn told(hours: &[ForecastHour]) -> Option<Forecast> {
    let temperature: Vec<Celsius> = hours.iter().map(|hour| hour.outdoor).collect();
    let solar: Vec<WattsPerSquareMeter> = hours.iter().map(|hour| hour.global_horizontal).collect();
    Forecast::new(Duration::ZERO, &temperature, &solar, &[]).ok()
}

/// The service as a closed loop in virtual time hears it.
#[derive(Debug)]
pub(super) struct Service {
    /// How wrong it is; none while it is silent.
    pub uncertainty: Option<Uncertainty>,
    seed: u64,
    said: Option<(i64, Forecast)>,
}

impl Service {
    pub fn new(seed: u64) -> Service {
        Service { uncertainty: None, seed, said: None }
    }

    /// What it has said last, with its age at this second.
    pub fn at(&mut self, weather: &mut dyn WeatherSource, utc: i64) -> Option<Forecast> {
        if let Some(uncertainty) = self.uncertainty
            && self.said.as_ref().is_none_or(|(issued, _)| *issued + 3600 <= utc)
        {
            self.said = issue(weather, utc, uncertainty, self.seed).or(self.said);
        }
        let (issued, forecast) = self.said.as_ref()?;
        let age = Duration::from_secs(u64::try_from(utc - issued).unwrap_or(0));
        Some(forecast.at_age(age))
    }
}
