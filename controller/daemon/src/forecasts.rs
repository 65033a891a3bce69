//! Forecasts that are brought to the station, by a broker or over HTTP, on their way into the cycle's slot.
//!
//! What a forecast may do to the supply is bounded in the core, and it expires there by its age. Here it is held to what it
//! says of itself: weather that can be, hours that are not over, and never older than what stands. Whoever brought it is
//! remembered with it.

use std::sync::{Arc, Mutex, PoisonError};

use heatstation_core::Forecast;
use heatstation_core::forecast::{HOURS_MAX, Unusable};
use heatstation_core::moment::UtcMillis;
use heatstation_drivers::messages::forecast::HourlyForecast;
use heatstation_drivers::messages::{AHEAD_MAX, Arrival};
use heatstation_drivers::mqtt::ForecastSink;
use heatstation_points::{Celsius, MetersPerSecond, WattsPerSquareMeter};
use serde::Serialize;
use tokio::sync::watch;

use crate::foresight::{Issued, Slot};

const HOUR_MILLISECONDS: i64 = 3_600_000;

/// Where brought forecasts are laid down.
#[derive(Debug)]
pub struct ForecastDesk {
    leave: watch::Sender<Option<Issued>>,
    standing: Mutex<Option<Standing>>,
}

/// The forecast in force, and who brought it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// The source.
    pub source: String,
    /// When it was issued, milliseconds since 1970 in UTC.
    pub issued_milliseconds: i64,
    /// When it came.
    pub taken_milliseconds: i64,
    /// How many hours of it are kept.
    pub hours: usize,
}

/// What became of a forecast that was not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is in force.
    InForce,
    /// It was there already.
    Duplicate,
}

/// Why a forecast was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// One that was issued later is in force.
    #[error("a forecast that was issued later is in force")]
    Older,
    /// Somebody's clock is wrong.
    #[error("it was issued more than 60 s ahead of this station's clock")]
    Future,
    /// All of it is past.
    #[error("all of its hours are over")]
    Over,
    /// The core would not use it.
    #[error("it is of no use: hour {0} is empty or no weather")]
    Unusable(usize),
}

impl ForecastDesk {
    /// A desk, and the slot that it fills.
    pub fn new() -> (Arc<ForecastDesk>, Slot) {
        let (leave, slot) = watch::channel(None);
        (Arc::new(ForecastDesk { leave, standing: Mutex::new(None) }), slot)
    }

    /// Takes a forecast that came just now.
    ///
    /// # Errors
    /// It is of no use; what stands goes on standing.
    pub fn take(&self, source: &str, brought: HourlyForecast) -> Result<Taken, Refused> {
        // Only the wall clock of the arrival counts, so any zero will do.
        let wall = Arrival::now(std::time::Instant::now()).wall_milliseconds;
        self.take_at(source, brought, wall)
    }

    fn take_at(&self, source: &str, mut brought: HourlyForecast, wall: i64) -> Result<Taken, Refused> {
        if brought.issued.saturating_sub(wall) > AHEAD_MAX.as_millis() as i64 {
            return Err(Refused::Future);
        }
        let ends = brought.begins + (brought.temperature.len() as i64 - 1) * HOUR_MILLISECONDS;
        if ends <= wall {
            return Err(Refused::Over);
        }
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = &*standing {
            if brought.issued < before.issued_milliseconds {
                return Err(Refused::Older);
            }
            if brought.issued == before.issued_milliseconds {
                return Ok(Taken::Duplicate);
            }
        }
        // Nothing in the control looks further ahead.
        for list in [&mut brought.temperature, &mut brought.radiation, &mut brought.wind] {
            list.truncate(HOURS_MAX);
        }
        let temperature: Vec<Celsius> = brought.temperature.iter().copied().map(Celsius).collect();
        let solar: Vec<WattsPerSquareMeter> = brought.radiation.iter().copied().map(WattsPerSquareMeter).collect();
        let wind: Vec<MetersPerSecond> = brought.wind.iter().copied().map(MetersPerSecond).collect();
        let forecast =
            Forecast::new(std::time::Duration::ZERO, &temperature, &solar, &wind).map_err(|why| match why {
                Unusable::Empty => Refused::Unusable(0),
                Unusable::TooLong => Refused::Unusable(HOURS_MAX),
                Unusable::Implausible { hour } => Refused::Unusable(hour),
            })?;
        tracing::info!(source, issued = brought.issued, hours = temperature.len(), "a forecast is in force");
        *standing = Some(Standing {
            source: source.to_owned(),
            issued_milliseconds: brought.issued,
            taken_milliseconds: wall,
            hours: temperature.len(),
        });
        self.leave.send_replace(Some(Issued { at: UtcMillis(brought.begins), forecast }));
        Ok(Taken::InForce)
    }

    /// The forecast in force.
    pub fn standing(&self) -> Option<Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The desk as subscriptions know it.
    pub fn sink(self: &Arc<Self>) -> ForecastSink {
        let desk = Arc::clone(self);
        Arc::new(move |source, forecast| desk.take(source, forecast).map(drop).map_err(|why| why.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_795_501_800_000;

    fn issued(minutes: i64, hours: usize) -> HourlyForecast {
        let issued = NOON + minutes * 60_000;
        HourlyForecast { issued, begins: issued, temperature: vec![-3.0; hours], radiation: vec![], wind: vec![] }
    }

    #[test]
    fn a_newer_forecast_replaces_and_an_older_one_does_not() {
        let (desk, slot) = ForecastDesk::new();
        assert_eq!(desk.take_at("town", issued(0, 24), NOON), Ok(Taken::InForce));
        assert_eq!(desk.take_at("town", issued(0, 24), NOON + 1000), Ok(Taken::Duplicate));
        assert_eq!(desk.take_at("other", issued(-60, 24), NOON + 1000), Err(Refused::Older));
        assert_eq!(desk.standing().unwrap().source, "town");
        assert_eq!(desk.take_at("other", issued(60, 168), NOON + 3_600_000), Ok(Taken::InForce));
        let standing = desk.standing().unwrap();
        assert_eq!((standing.source.as_str(), standing.hours), ("other", HOURS_MAX), "two days are kept of a week");
        assert_eq!(slot.borrow().unwrap().at, UtcMillis(NOON + 3_600_000));
    }

    #[test]
    fn a_forecast_of_tomorrow_s_clock_or_of_yesterday_s_hours_is_refused() {
        let (desk, slot) = ForecastDesk::new();
        assert_eq!(desk.take_at("town", issued(2, 24), NOON), Err(Refused::Future));
        assert_eq!(desk.take_at("town", issued(-180, 3), NOON), Err(Refused::Over));
        let warm = HourlyForecast { temperature: vec![1.0, 99.0], ..issued(0, 2) };
        assert_eq!(desk.take_at("town", warm, NOON), Err(Refused::Unusable(1)));
        assert!(slot.borrow().is_none() && desk.standing().is_none());
    }
}
